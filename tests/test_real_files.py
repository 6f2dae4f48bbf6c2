"""Files people really have: scores equal libvmaf's of the frames that a player would show."""

import numpy as np
import pytest

import jaxvqa
from tests import tolerances
from tests.real_files import FRAMES, Studio, truth
from tests.real_kinds import CODES, KINDS

MODEL = "vmaf_v0.6.1"
FIDELITY = [f"integer_vif_scale{i}" for i in range(4)]


@pytest.fixture(scope="session")
def studio(tmp_path_factory):
    return Studio(tmp_path_factory.mktemp("real files"))


def codes(result):
    return {notice.code for notice in result.notices}


@pytest.mark.parametrize("swapped", [False, True], ids=["straight", "swapped"])
@pytest.mark.parametrize("name", KINDS)
def test_score(studio, name, swapped):
    kind, step = KINDS[name], -1 if swapped else 1
    way = kind.way(swapped)
    ref, dis = (kind.ref, kind.dis)[::step]
    right = truth(studio, ref, dis, way.chains, kind.before[::step])
    assert len(right) == way.pairs
    result = jaxvqa.score(studio.file(ref), studio.file(dis), model=MODEL, **way.options)
    assert len(result.frames["vmaf"]) == way.pairs
    np.testing.assert_allclose(result.frames["vmaf"], right, rtol=0, atol=kind.tolerance)
    assert codes(result) == {CODES[word] for word in way.says.split()}


SIDES = sorted({side for kind in KINDS.values() for side in (kind.ref, kind.dis)})


@pytest.mark.parametrize("name", SIDES)
def test_a_file_against_itself(studio, name):
    path = studio.file(name)
    frames = jaxvqa.score(path, path, model=MODEL, frame_count=FRAMES).frames
    # an equal pair has all the information; a turned, scaled or shifted one has not
    for output in FIDELITY:
        np.testing.assert_allclose(frames[output], 1, rtol=0, atol=tolerances.REAL_SELF)
