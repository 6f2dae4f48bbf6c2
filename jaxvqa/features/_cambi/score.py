"""CAMBI: visibility of banding, the false contours that coarse quantisation leaves in smooth areas.

Looks at luma only, in 10-bit limited range: finds nearly flat areas, and there counts, at five
scales, how often codes a few steps apart meet in a window. Everything up to the counts is integer.

Source: libvmaf f85a853, `cambi.c`. Matches the tool to float32 rounding of the result.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np

from jaxvqa._ops.borders import pad
from jaxvqa._ops.stages import cpu_stage, stage
from jaxvqa._ops.tiling import map_frames
from jaxvqa._ops.topk import means_of_largest
from jaxvqa._typing import Array, Bool, Float, Integer, Shaped
from jaxvqa.features._cambi.counts import Contrast, code_range, response
from jaxvqa.features._cambi.options import CambiOptions
from jaxvqa.features._cambi.sheet import SKIP, lay_out, rows_by_scale
from jaxvqa.features._cambi.tables import Geometry, contrasts

SCALE_WEIGHTS = (16, 8, 4, 2, 1)

# side of the square in which equal neighbours are counted
_FLATNESS_WINDOW = 7


def nearest(x: Shaped[Array, "h w"], height: int, width: int) -> Shaped[Array, "H W"]:
    """Nearest sample, by positions accumulated in float32 as the tool does."""
    for axis, size in ((0, height), (1, width)):
        if x.shape != (height, width):
            x = jnp.take(x, _nearest_index(x.shape[axis], size), axis=axis)
    return x


def _nearest_index(size: int, target: int) -> np.ndarray:
    ratio = np.float32(size) / np.float32(target)
    steps = np.full(target, ratio, np.float32)
    steps[0] = float(ratio / np.float32(2)) - 0.5
    positions = np.cumsum(steps, dtype=np.float32)  # numpy adds one by one, rounding each time
    return (positions.astype(np.float64) + 0.5).astype(np.int32)


def _ten_bits(y: Integer[Array, "h w"], depth: int) -> Integer[Array, "h w"]:
    if depth <= 10:
        return y.astype(jnp.int16) << (10 - depth)
    return ((y.astype(jnp.int32) + (1 << (depth - 11))) >> (depth - 10)).astype(jnp.int16)


def prepare(
    y: Integer[Array, "h w"], depth: int, dither: bool, geometry: Geometry
) -> tuple[Integer[Array, "H W"], Shaped[Array, "H W"]]:
    """10-bit codes and the mask of flat areas, both at the size of the first scale."""
    height, width = geometry.height, geometry.width
    step = 2 if geometry.halved else 1
    # a repeated edge gives the tool's special cases at the last row and column
    codes = _ten_bits(pad(nearest(y, height, width), (0, 2), (0, 2), "edge"), depth)
    if dither:
        # rounding to fewer than 10 bits left steps that the encode did not have: average them out
        codes = (codes[:-1, :-1] + codes[:-1, 1:] + codes[1:, :-1] + codes[1:, 1:]) >> 2
    equal = stage(_equal_neighbours, codes, height=height, width=width)
    counts = stage(_sums_of_seven, equal, axis=0, step=step)
    flat = stage(_flat, counts, step=step, least=_least_flat(height, width))
    return stage(_every, codes[:height, :width], step=step), flat


def _equal_neighbours(
    codes: Integer[Array, "h w"], *, height: int, width: int
) -> Integer[Array, "H W"]:
    """1 where a code equals those to its right and below, else 0; 0 in a border around."""
    here = codes[:height, :width]
    equal = (here == codes[:height, 1 : width + 1]) & (here == codes[1 : height + 1, :width])
    reach = _FLATNESS_WINDOW // 2
    room = jnp.zeros((height + 2 * reach, width + 2 * reach), jnp.uint8)
    return jax.lax.dynamic_update_slice(room, equal.astype(jnp.uint8), (reach, reach))


def _sums_of_seven(x: Integer[Array, "h w"], *, axis: int, step: int) -> Integer[Array, "H W"]:
    """Sum of seven neighbours along an axis, at every `step`-th of those that have seven."""
    end = x.shape[axis] - _FLATNESS_WINDOW + 1
    starts = range(_FLATNESS_WINDOW)
    parts = [jax.lax.slice_in_dim(x, k, k + end, step, axis=axis) for k in starts]
    return functools.reduce(jnp.add, parts)


def _flat(counts: Integer[Array, "h w"], *, step: int, least: int) -> Bool[Array, "h W"]:
    return _sums_of_seven(counts, axis=1, step=step) > least


def _every(x: Shaped[Array, "h w"], *, step: int) -> Shaped[Array, "H W"]:
    return x[::step, ::step]


def _least_flat(height: int, width: int) -> int:
    """How many equal neighbours a 7x7 square must exceed to be flat; grows with the picture."""
    blocks = (width >> 6) * (height >> 6)
    log_size = max(blocks - 1, 0).bit_length()
    return (_FLATNESS_WINDOW**2 + 3 * (log_size - 11) - 1) >> 1


def _mode_filter(x: Integer[Array, "h w"]) -> Integer[Array, "h w"]:
    """The repeated value of each three neighbours, or the least if all differ; rows, then columns.

    The outermost samples keep their values, in the outermost rows those before both passes.
    """
    rows, columns = x.shape
    if rows < 3:
        return x
    across = x.at[:, 1:-1].set(stage(_mode_of_three, x, axis=1)) if columns > 2 else x
    return x.at[1:-1].set(stage(_mode_of_three, across, axis=0))


def _mode_of_three(x: Integer[Array, "h w"], *, axis: int) -> Integer[Array, "H W"]:
    end = x.shape[axis] - 2
    return _mode(*(jax.lax.slice_in_dim(x, k, k + end, axis=axis) for k in range(3)))


def _mode(a: Array, b: Array, c: Array) -> Array:
    least = jnp.minimum(jnp.minimum(a, b), c)
    return jnp.where((a == b) | (a == c), a, jnp.where(b == c, b, least))


def codes_sheet(
    y: Integer[Array, "h w"], depth: int, geometry: Geometry, options: CambiOptions
) -> Integer[Array, "H W"]:
    """The codes that take part at the five scales, as the sheet that `counts.response` reads."""
    pictures = cpu_stage(_all_scales, y, depth=depth, geometry=geometry, options=options)
    return lay_out(pictures, geometry.window // 2, SKIP)


def _all_scales(
    y: Integer[Array, "h w"], *, depth: int, geometry: Geometry, options: CambiOptions
) -> list[Integer[Array, "_h _w"]]:
    visible = contrasts(options)
    codes, flat = prepare(y, depth, averages(depth, options), geometry)
    pictures = []
    for scale in range(len(SCALE_WEIGHTS)):
        codes = _mode_filter(stage(_every, codes, step=2) if scale else codes)
        takes_part = _every(flat, step=1 << scale) & examined(codes, visible)
        pictures.append(jnp.where(takes_part, codes, SKIP))
    return pictures


def averages(depth: int, options: CambiOptions) -> bool:
    """True if neighbours are averaged first: fewer than 10 bits left steps of several codes."""
    return (options.enc_bitdepth or depth) < 10


def examined(codes: Integer[Array, "h w"], visible: Sequence[Contrast]) -> Bool[Array, "h w"]:
    """Codes that some pixel may compare itself with."""
    lowest, highest = code_range(visible)
    return (codes >= lowest) & (codes <= highest)


def worst_count(size: int, options: CambiOptions) -> int:
    """How many pixels of a picture of `size` pixels count, those with the most banding."""
    share = options.topk if options.topk != 0.6 else options.cambi_topk
    return min(max(int(share * size), 1), size)


def response_bound(geometry: Geometry, options: CambiOptions) -> float:
    """No response reaches this: half the window of each of two codes, at the largest weight."""
    return 1.001 * largest_response(geometry, options)


def largest_response(geometry: Geometry, options: CambiOptions) -> float:
    """Upper bound of a response: half the window of each of two codes, at the largest weight."""
    return contrasts(options)[-1].weight * geometry.window**2 / 4


def frame_score(
    y: Integer[Array, "h w"], depth: int, geometry: Geometry, options: CambiOptions
) -> Float[Array, ""]:
    """Score of one frame without limit, float64."""
    half = geometry.window // 2
    sheet = response(codes_sheet(y, depth, geometry, options), half, contrasts(options))
    shapes = geometry.sizes()
    counts = [worst_count(height * width, options) for height, width in shapes]
    bound = response_bound(geometry, options)
    with jax.enable_x64(True):
        total, first = jnp.float64(0), 0
        # the finest scale apart from the others: it holds most pixels and is often decided at once
        for rows, owners in rows_by_scale(sheet, shapes, half):
            part = slice(first, first + len(owners))
            means = means_of_largest(rows, owners, counts[part], bound)
            total += (means * np.array(SCALE_WEIGHTS[part], float)).sum()
            first = part.stop
        return total / geometry.window**2


def limited_scores(
    y: Integer[Array, "frames h w"], depth: int, geometry: Geometry, options: CambiOptions
) -> Float[Array, " frames"]:
    """Scores of frames, at most `max_val`, float32."""

    def frame(y: Array) -> Array:
        score = frame_score(y, depth, geometry, options)
        with jax.enable_x64(True):
            return jnp.minimum(score, options.max_val).astype(jnp.float32)

    return map_frames(frame, y)
