import functools
import json

import jax
import numpy as np
import pytest

from jaxvqa.features._speed.qa import speed_qa
from tests import clips, tolerances
from tests.oracles import speed_qa as oracle
from tests.programs import check_gradients, quick

GOLDEN = json.loads((clips.DATA / "speed_qa.json").read_text())["clips"]
KEYS = {"speed_qa": "speed_", "speed_qa_spatial": "sspeed_", "speed_qa_temporal": "tspeed_"}


@pytest.mark.parametrize(
    ("clip", "band"),
    [("bunny_640x360", 2), ("bunny_640x360", 3), *((clip, 4) for clip in GOLDEN)],
)
def test_matches_matlab(clip, band):
    ref, dis = (x.luma_only() for x in clips.load(clip))
    compiled = jax.jit if band == 4 else quick  # the default is 4
    found = compiled(lambda r, d: speed_qa(r, d, band=band))(ref, dis)
    for name, key in KEYS.items():
        expected = GOLDEN[clip][f"{key}{band}"]
        np.testing.assert_allclose(found[name], expected, rtol=tolerances.SPEED_QA_FLOAT32)
    if clip == "bunny_353x289_444_odd":
        with jax.enable_x64(True):
            luma = [x.y.astype(np.float64) for x in (ref, dis)]
            found = quick(lambda r, d: speed_qa(r, d, bit_depth=8))(*luma)
        for name, key in KEYS.items():
            expected = GOLDEN[clip][f"{key}{band}"]
            np.testing.assert_allclose(found[name], expected, rtol=tolerances.SPEED_QA_FLOAT64)


at_10_bits = functools.partial(speed_qa, bit_depth=10)
compiled = quick(at_10_bits)


@functools.lru_cache
def pair(height=165, width=150, frames=3):
    rng = np.random.default_rng(8)
    ref = clips.textured(rng, (frames, height, width), 10)
    dis = np.clip(ref + np.rint(rng.normal(0, 40, ref.shape)), 0, 1023).astype(np.uint16)
    return ref, dis


def test_matches_the_oracle():
    ref, dis = pair()
    given = {"band": 3, "block": 4, "sigma_nsq": 0.4}
    found = quick(functools.partial(at_10_bits, **given))(ref, dis)
    r, d = ref / 4, dis / 4
    expected = [oracle.frame(r[i], r[i - 1], d[i], d[i - 1], 3, 4, 0.4) for i in (1, 1, 2)]
    spatial, temporal = np.transpose(expected)
    limit = tolerances.SPEED_QA_FLOAT32
    np.testing.assert_allclose(found["speed_qa_spatial"], spatial, rtol=limit)
    np.testing.assert_allclose(found["speed_qa_temporal"], temporal, rtol=limit)
    np.testing.assert_allclose(found["speed_qa"], spatial * temporal, rtol=limit)


def test_still_reference_has_no_temporal_term():
    ref, dis = pair()
    ref = np.repeat(ref[:1], 3, axis=0)
    found = compiled(ref, dis)
    r, d = ref / 4, dis / 4
    expected = [oracle.frame(r[i], r[i - 1], d[i], d[i - 1])[1] for i in (1, 1, 2)]
    np.testing.assert_allclose(
        found["speed_qa_temporal"], expected, rtol=tolerances.SPEED_QA_FLOAT32
    )


def test_single_picture_has_a_spatial_value_only():
    ref, dis = pair()
    found = compiled(ref[1], dis[1])
    expected = compiled(ref, dis)["speed_qa_spatial"][1:2]
    for name in ("speed_qa", "speed_qa_spatial"):
        np.testing.assert_allclose(found[name], expected, rtol=tolerances.SPEED_QA_FLOAT32)
    assert np.isnan(found["speed_qa_temporal"]).all()


def test_undefined_temporal_value_leaves_the_spatial_one():
    ref, dis = pair()
    # columns that all change alike: the difference's covariance has rank 1 at most
    step = np.arange(150, dtype=np.uint16) ** 2 // 99
    moved = np.stack([ref[0] + i * step for i in range(3)])
    found = compiled(moved, dis)
    assert np.isnan(found["speed_qa_temporal"]).all()
    np.testing.assert_array_equal(found["speed_qa"], found["speed_qa_spatial"])
    total = lambda r, d: speed_qa(r, d, bit_depth=10)["speed_qa"].sum()  # noqa: E731
    gradient = quick(jax.grad(total, 1))(moved.astype(np.float32), dis.astype(np.float32))
    assert np.isfinite(gradient).all()
    assert np.abs(gradient).max() > 0


def test_equal_videos_give_exactly_zero():
    ref, _ = pair()
    for values in compiled(ref, ref).values():
        np.testing.assert_array_equal(values, 0)


def test_gradients():
    ref, dis = (x[:2, :145, :145].astype(np.float64) for x in pair())

    def fn(r, d):
        found = speed_qa(r, d, bit_depth=10)
        return found["speed_qa"].sum() + found["speed_qa_spatial"].sum()

    with jax.enable_x64(True):
        limit = tolerances.GRADIENT
        check_gradients(fn, (ref, dis), eps=1e-3, rtol=limit, atol=limit)
        exact = quick(jax.grad(fn, 1))(ref, dis)
    found = quick(jax.grad(fn, 1))(ref.astype(np.float32), dis.astype(np.float32))
    limit = tolerances.SPEED_QA_FLOAT32 * np.abs(exact).max()
    np.testing.assert_allclose(found, exact, rtol=0, atol=limit)


def test_bad_input():
    frames = np.zeros((2, 128, 128), np.uint8)
    with pytest.raises(ValueError, match="145x145"):
        speed_qa(frames, frames)
    with pytest.raises(ValueError, match="band must lie between 2 and 4"):
        speed_qa(frames, frames, band=5)
