"""ANSNR: golden values, float64 oracle, frames without noise or signal, gradients, bad input."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxvqa import losses
from jaxvqa.features import ansnr
from tests import clips, laws, tolerances
from tests.oracles import psnr as oracle

KEYS = ("float_ansnr", "float_anpsnr")


@pytest.mark.parametrize("clip", clips.CLIPS)
def test_matches_libvmaf(clip):
    found = ansnr(*clips.load(clip))
    expected = clips.golden(clip)["feature:float_ansnr"]
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, rtol=tolerances.ANSNR_RELATIVE)


@pytest.mark.parametrize(
    ("bit_depth", "shape"),
    [(8, (2, 3, 3)), (8, (1, 3, 40)), (10, (1, 37, 50)), (12, (1, 16, 9)), (16, (1, 353, 385))],
)
def test_equals_the_oracle(bit_depth, shape):
    rng = np.random.default_rng(bit_depth)
    ref = clips.textured(rng, shape, bit_depth)
    dis = (ref // 3 + 2 * (clips.textured(rng, shape, bit_depth) // 3)).astype(ref.dtype)
    found = ansnr(ref, dis, bit_depth=bit_depth)
    scale = 2.0 ** (bit_depth - 8)
    for i in range(shape[0]):
        expected = oracle.ansnr(ref[i] / scale, dis[i] / scale, bit_depth)
        values = [found[name][i] for name in KEYS]
        np.testing.assert_allclose(values, expected, rtol=0, atol=tolerances.ANSNR_ORACLE)


@pytest.mark.parametrize("bit_depth", (8, 10))
def test_flat_equal_float_frames_have_no_noise(bit_depth):
    for code in (0, 1, 100 * bit_depth // 8, (1 << bit_depth) - 1):
        flat = np.full((1, 20, 31), code, np.float32)
        found = ansnr(flat, flat, bit_depth=bit_depth)
        assert {float(found[name][0]) for name in KEYS} == {6 * bit_depth + 12}


def test_middle_grey_reference_is_finite():
    grey = np.full((1, 20, 31), 128, np.uint8)
    found = ansnr(grey, grey + 3)
    expected = oracle.ansnr(grey[0].astype(float), grey[0] + 3.0)
    np.testing.assert_allclose(
        [found[name][0] for name in KEYS], expected, rtol=tolerances.ANSNR_RELATIVE
    )


def test_degenerate_frames():
    for bit_depth in (8, 16):
        laws.check_finite_gradients(
            lambda r, d, b=bit_depth: ansnr(r, d, bit_depth=b), 12, 15, bit_depth
        )


def test_loss():
    ref = clips.textured(np.random.default_rng(0), (1, 24, 32)).astype(np.float32)
    step = jax.jit(
        jax.value_and_grad(lambda d: losses.float_ansnr(ref, d, bit_depth=8, reduction="sum"))
    )
    assert step(ref)[0] == 0
    blurred = (ref + jnp.roll(ref, 1, 1) + jnp.roll(ref, 1, 2)) / 3
    assert step(blurred)[0] > 0
    laws.check_descent(lambda x: tuple(map(np.asarray, step(x))), np.asarray(blurred))
    flat = np.full_like(ref, 90)
    value, slope = jax.value_and_grad(
        lambda d: losses.float_ansnr(flat, d, bit_depth=8, reduction="sum")
    )(flat)
    assert value == 0
    np.testing.assert_array_equal(slope, 0)


def test_bad_input():
    frame = np.zeros((2, 8), np.uint8)
    with pytest.raises(ValueError, match=r"float_ansnr needs frames of at least 3x3 .* got 8x2"):
        ansnr(frame, frame)
    with pytest.raises(ValueError, match="float_ansnr has no option 'size'"):
        ansnr(frame, frame, size=3)
