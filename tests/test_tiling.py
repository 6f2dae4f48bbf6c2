"""Strips of rows against whole pictures, and filters of products against numpy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.test_util import check_grads

from jaxvqa._ops.filters import correlate_product
from jaxvqa._ops.fixed import centred, correlate_short
from jaxvqa._ops.stages import keep_stages, stage
from jaxvqa._ops.tiling import cut_in_place, later_frames, map_frames, map_rows
from tests import tolerances

TAPS = (0.25, 0.5, 0.25)


def rows_below(strip):
    """Each row with what lies under it, and its sum."""
    mixed = strip[:-2] + 2 * strip[1:-1] - strip[2:]
    return mixed, mixed.sum(-1)


@pytest.mark.parametrize("height", [8, 16, 37, 41])
@pytest.mark.parametrize("first", [None, 0, 3])
def test_strips_are_the_whole(height, first):
    # exact in float32: whole numbers
    spare = 0 if first is None else 5
    image = np.random.default_rng(height).integers(0, 99, (height + 2 + spare, 960))
    image = image.astype(np.float32)
    run = jax.jit(lambda x: map_rows(rows_below, (x,), height=height, halo=2, rows=8, first=first))
    start = first or 0
    for got, expected in zip(
        run(image), rows_below(image[start : start + height + 2]), strict=True
    ):
        np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("height", [8, 37])
def test_strips_cut_from_a_stack_are_those_of_its_frames(height):
    stack = np.random.default_rng(height).integers(0, 99, (4, height + 2, 5000)).astype(np.uint8)

    def change(oldest, newest):
        return rows_below(oldest.astype(jnp.int32) - newest.astype(jnp.int32))

    def run(stack):
        def frame(window):
            return map_rows(change, (window[0], window[-1]), height=height, halo=2, rows=8)

        return map_frames(frame, stack, window=3, in_stack=True)

    expected = [rows_below(stack[i].astype(int) - stack[i + 2]) for i in range(2)]
    for got, wanted in zip(jax.jit(run)(stack), zip(*expected, strict=True), strict=True):
        np.testing.assert_array_equal(got, np.stack(wanted))
    single = map_frames(lambda frame: frame.rows(3, 2), jnp.asarray(stack), in_stack=True)
    np.testing.assert_array_equal(single, stack[:, 3:5])


def test_narrow_pictures_have_taller_strips():
    seen = []

    def note(strip):
        seen.append(strip.shape[0])
        return strip.sum(-1)

    for width in (1920, 480):
        jax.jit(lambda x: map_rows(note, (x,), height=512, rows=8)).lower(np.ones((512, width)))
    assert {8, 16} < set(seen) <= {8, 16, 512}


def test_small_pictures_go_whole():
    seen = []

    def note(strip):
        seen.append(strip.shape[0])
        return strip.sum(-1)

    jax.jit(lambda x: map_rows(note, (x,), height=256, rows=8)).lower(np.ones((256, 512)))
    assert set(seen) == {256}


@pytest.mark.parametrize("stride", [1, 2])
def test_derivative_of_strips(stride):
    image = np.random.default_rng(1).normal(size=(21 * stride + 7, 960))
    weights = np.arange(21.0)

    def total(x):
        out = map_rows(
            lambda s: (s[: s.shape[0] - 2 : stride] * s[2::stride]).sum(-1),
            (x,), height=21, halo=2, stride=stride, rows=8, first=4,
        )  # fmt: skip
        return (out * weights).sum()

    def plain(x):
        used = x[4 : 4 + 21 * stride + 2]
        return ((used[:-2:stride] * used[2::stride]).sum(-1) * weights).sum()

    with jax.enable_x64(True):
        got, expected = jax.jit(jax.grad(total))(image), jax.jit(jax.grad(plain))(image)
    np.testing.assert_allclose(got, expected, rtol=tolerances.FLOAT64_RELATIVE)


@pytest.mark.parametrize(("rows", "first"), [(20, None), (8, None), (11, 2)])
def test_wrong_number_of_rows(rows, first):
    with pytest.raises(ValueError, match="map_rows needs 12 rows"):
        map_rows(rows_below, (jnp.ones((rows, 4)),), height=10, halo=2, first=first)


def test_filter_of_a_product():
    x, y = np.random.default_rng(2).normal(size=(2, 12, 5))
    product = jax.jit(lambda x, y: correlate_product(x, y, TAPS, -2))
    with jax.enable_x64(True):
        got = product(x, y)
        check_grads(product, (x, y), 1)
        check_grads(jax.jit(lambda x: product(x, x)), (x,), 1)
    expected = np.stack([np.convolve(c, TAPS, "valid") for c in (x * y).T], -1)
    np.testing.assert_allclose(got, expected, rtol=tolerances.FLOAT64_RELATIVE)


def test_calls_inside_a_stage_are_inlined():
    def kernel(x):
        return jnp.where(x > 0, jnp.clip(x, 1, 2) * x, jnp.where(x < -1, x, 3.0))

    with keep_stages():
        compiled = jax.jit(lambda x: stage(kernel, x)).lower(np.ones((8, 8), np.float32)).compile()
    assert compiled.as_text().count(" fusion(") == 1


@pytest.mark.parametrize("window", [1, 2])
def test_later_frames_are_read_where_they_are(window):
    stacks = np.random.default_rng(window).integers(0, 256, (2, 9, 64, 96), np.uint8)
    first = 3

    def means(*stacks):
        with cut_in_place():
            cut = [later_frames(stack, first) for stack in stacks]
            assert cut[0].shape[0] == 6
            return map_frames(lambda a, b: (a ^ b).astype(np.float32).mean(), *cut, window=window)

    compiled = jax.jit(means).lower(*stacks).compile()
    pairs = np.bitwise_xor(*stacks)[first:]
    expected = [pairs[k : k + window].mean() for k in range(len(pairs) - window + 1)]
    np.testing.assert_allclose(compiled(*stacks), expected, rtol=tolerances.ROUND_OFF)
    assert compiled.memory_analysis().temp_size_in_bytes < stacks[0].nbytes


def test_later_frames_elsewhere_are_a_slice():
    stack = jnp.arange(24).reshape(6, 2, 2)
    np.testing.assert_array_equal(later_frames(stack, 2), stack[2:])
    with cut_in_place():
        np.testing.assert_array_equal(later_frames(stack, 2) + 1, stack[2:] + 1)
        assert later_frames(stack, 0) is stack


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("axis", [-2, -1])
def test_sums_of_short_samples(axis, stride):
    x = np.random.default_rng(0).integers(0, 1 << 16, (40, 50)).astype(np.uint16)
    taps = (489, 32767, 3896, 7)
    windows = np.lib.stride_tricks.sliding_window_view(x.astype(np.int64), len(taps), axis)
    expected = (windows @ np.array(taps)).swapaxes(axis, -1)[..., ::stride].swapaxes(axis, -1)
    samples = jnp.asarray(x)
    found = correlate_short(centred(samples), taps, axis, stride=stride)
    assert found.dtype == np.int32
    # centred samples take this off, and sums wrap
    off = sum(taps) << 15
    np.testing.assert_array_equal(np.uint32(found) + np.uint32(off % (1 << 32)), expected)
    for dtype in (jnp.uint16, jnp.uint32):
        assert centred(samples.astype(dtype)).dtype == np.int16
        np.testing.assert_array_equal(
            centred(samples.astype(dtype)), x.astype(np.int64) - (1 << 15)
        )
