"""Float moments: golden values, float64 sums, gradient, bad input."""

import jax
import numpy as np
import pytest
from jax.test_util import check_grads

import jaxvqa
from jaxvqa.features import moment
from tests import clips, tolerances


@pytest.mark.parametrize("clip", clips.CLIPS)
def test_matches_libvmaf(clip):
    found = moment(*clips.load(clip))
    expected = clips.golden(clip)["feature:float_moment"]
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, rtol=tolerances.MOMENT_RELATIVE)


@pytest.mark.parametrize("bit_depth, shape", [(8, (2, 1, 1)), (10, (1, 7, 30)), (16, (3, 61, 5))])
def test_equals_float64_sums(bit_depth, shape):
    rng = np.random.default_rng(bit_depth)
    dtype = np.uint8 if bit_depth == 8 else np.uint16
    ref, dis = rng.integers(0, 1 << bit_depth, (2, *shape)).astype(dtype)
    found = moment(ref, dis, bit_depth=bit_depth)
    for side, codes in (("ref", ref), ("dis", dis)):
        x = codes.astype(np.float64) / 2 ** (bit_depth - 8)
        for order, power in (("1st", 1), ("2nd", 2)):
            np.testing.assert_allclose(
                found[f"float_moment_{side}{order}"],
                (x**power).mean((1, 2)),
                rtol=tolerances.MOMENT_RELATIVE,
            )


def test_scored_clips_are_in_float64():
    """At 16 bits a variance is a difference of numbers near 3e8 code values squared."""
    rng = np.random.default_rng(3)
    pair = rng.integers(0, 1 << 16, (2, 2, 33, 47)).astype(np.uint16)
    found = jaxvqa.score(*pair, model=None, features=["float_moment"], bit_depth=16).frames
    for side, codes in zip(("ref", "dis"), pair, strict=True):
        x = codes.astype(np.float64) / 256
        for order, power in (("1st", 1), ("2nd", 2)):
            np.testing.assert_allclose(
                found[f"float_moment_{side}{order}"],
                (x**power).mean((1, 2)),
                rtol=tolerances.FLOAT64_SUM,
            )


def test_gradient():
    rng = np.random.default_rng(0)
    with jax.enable_x64(True):
        pair = rng.uniform(0, 255, (2, 1, 6, 5))
        check_grads(lambda r, d: moment(r, d, bit_depth=8), tuple(pair), order=2)


def test_bad_input():
    frame = np.zeros((4, 4), np.uint8)
    with pytest.raises(ValueError, match="float_moment has no option 'size'"):
        moment(frame, frame, size=3)
    with pytest.raises(ValueError, match="differ in size"):
        moment(frame, frame[:3])
