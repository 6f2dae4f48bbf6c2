import jax
import numpy as np
import pytest

from jaxvqa.features.motion import motion
from tests import clips, tolerances

RUNS = {"feature:float_motion": {}}


@pytest.mark.parametrize("clip", clips.CLIPS)
@pytest.mark.parametrize("run", RUNS)
def test_matches_libvmaf(clip, run):
    ref, dis = clips.load(clip)
    found = jax.jit(lambda r, d: motion(r, d, **RUNS[run]))(ref, dis)
    expected = clips.golden(clip)[run]
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, rtol=0, atol=tolerances.FLOAT_MOTION)
