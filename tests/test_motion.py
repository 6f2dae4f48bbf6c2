import jax
import jax.test_util
import numpy as np
import pytest

from jaxvqa import Planes
from jaxvqa.features._motion.float_motion import motion
from tests import clips, tolerances
from tests.oracles import float_features as oracle

NAMES = ("motion", "motion2", "motion3")


@pytest.mark.parametrize("clip", clips.CLIPS)
def test_matches_libvmaf(clip):
    found = jax.jit(motion)(*clips.load(clip))
    expected = clips.golden(clip)["feature:float_motion"]
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, rtol=0, atol=tolerances.FLOAT_MOTION)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, {}),
        ({"filter_size": 1}, {"size": 1}),
        ({"filter_size": 3, "fps_weight": 0.5}, {"size": 3, "weight": 0.5}),
        ({"filter_size": 8}, {"size": 5}),
        (
            {"blend_factor": 0.5, "blend_offset": 3.0, "max_val": 15.0},
            {"factor": 0.5, "offset": 3.0, "top": 15.0},
        ),
    ],
)
@pytest.mark.parametrize("frames", [1, 2, 5])
def test_matches_float64_oracle(options, expected, frames):
    rng = np.random.default_rng(frames)
    ref = clips.textured(rng, (frames, 23, 38))
    found = motion(ref, ref, **options)
    for name, values in zip(NAMES, oracle.motion(list(ref.astype(float)), **expected), strict=True):
        np.testing.assert_allclose(found[name], values, rtol=0, atol=tolerances.FLOAT_MOTION)


def test_chroma_adds_its_planes():
    rng = np.random.default_rng(0)
    y, u, v = (clips.textured(rng, (3, *shape)) for shape in ((20, 30), (10, 15), (10, 15)))
    video = Planes(y, u, v)
    found = motion(video, video, add_uv=True)["motion"]
    expected = sum(motion(p, p)["motion"] for p in (y, u, v))
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    with pytest.raises(ValueError, match="needs chroma"):
        motion(y, y, add_uv=True)


def test_half_size_picture_adds_its_difference():
    rng = np.random.default_rng(0)
    ref = clips.textured(rng, (2, 20, 31))
    blurred = [oracle.blur(f.astype(float), oracle.MOTION_TAPS[5]) for f in ref]
    change = blurred[0] - blurred[1]
    # 20 rows to 10 and 31 columns to 16, sampled between the two nearest, no low-pass
    rows = 0.5 * (change[0::2] + change[1::2])
    centre = (np.arange(16) + 0.5) * np.float64(np.float32(31) / np.float32(16)) - 0.5
    low = np.floor(centre).astype(int)
    part = centre - low
    half = rows[:, low] * (1 - part) + rows[:, np.minimum(low + 1, 30)] * part
    expected = np.abs(change).mean() + np.abs(half).mean()
    found = motion(ref, ref, add_scale1=True)["motion"]
    np.testing.assert_allclose(found, [0, expected], atol=tolerances.FLOAT_MOTION)


def test_stills_do_not_move():
    ref = clips.textured(np.random.default_rng(7), (7, 24, 30))
    still = np.repeat(ref[:1], 3, axis=0)
    assert all((np.asarray(v) == 0).all() for v in motion(still, still).values())
    assert all((np.asarray(v) == 0).all() for v in motion(ref, ref, force_zero=True).values())


def test_gradients():
    rng = np.random.default_rng(2)
    with jax.enable_x64(True):
        ref = clips.textured(rng, (3, 9, 11)).astype(np.float64)
        jax.test_util.check_grads(
            lambda r: motion(r, r, bit_depth=8)["motion"].sum(), (ref,), order=1,
            modes=("fwd", "rev"), atol=tolerances.GRADIENT, rtol=tolerances.GRADIENT, eps=1e-4,
        )  # fmt: skip
