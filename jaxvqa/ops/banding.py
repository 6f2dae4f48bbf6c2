"""Contrast of a pixel's code value against nearby codes in a square window, by exact counting.

For a pixel of code v, n(u) counts the pixels of code u in the window around it, and its response is
the largest `weight * n(v) * m / (n(v) + m)` with m = max(n(v + d), n(v - d)) over the contrasts d.
Two forms give the same integers; the platform picks one when the program is lowered:

- `response_by_tiles` (CPU): a small tile of the picture holds few different codes, so it walks
  through those that occur, box-summing one indicator picture per code. Its cost does not depend on
  the window's area.
- `response_by_offsets` (accelerators): compares every pixel with each pixel of its window, with no
  step that depends on the data.

docs/cambi.md has the measurements behind the choice.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import jax
import jax.numpy as jnp

from jaxvqa._typing import Array, Float, Integer

# code of pixels that take no part: above every real code, and far enough that no contrast meets it
SKIP = 1 << 14

# rows and columns of a tile: smaller ones hold fewer codes, larger ones waste less on borders
TILE = (64, 128)

_FOLDS = 8


@dataclass(frozen=True)
class Contrast:
    """One code difference that may be visible.

    Args:
        weight: its weight in the response.
        low, high: codes v for which it counts, both included.
    """

    weight: int
    low: int
    high: int


def response(
    pictures: Sequence[Integer[Array, "_h _w"]], half: int, contrasts: Sequence[Contrast]
) -> list[Float[Array, "_h _w"]]:
    """Largest weighted contrast response of every pixel of several pictures.

    Args:
        pictures: int16 codes below `SKIP`, largest picture first; pixels that take no part are
            `SKIP`.
        half: half window; the window has `2 * half + 1` samples a side and is cut at the borders.
        contrasts: what counts for differences 1, 2, ...

    Returns:
        float32 responses of each picture, 0 for pixels that are `SKIP` or see no contrast.
    """
    contrasts = tuple(contrasts)
    corners, size = sheet_layout([p.shape for p in pictures], half)
    # one sheet for all pictures, so that the counting is compiled once
    sheet = jnp.full(size, SKIP, jnp.int16)
    for picture, corner in zip(pictures, corners, strict=True):
        sheet = jax.lax.dynamic_update_slice(sheet, picture, corner)
    found = jax.lax.platform_dependent(
        sheet,
        cpu=lambda c: response_by_tiles(c, half, contrasts),
        default=lambda c: response_by_offsets(c, half, contrasts),
    )
    return [
        found[top : top + picture.shape[0], left : left + picture.shape[1]]
        for picture, (top, left) in zip(pictures, corners, strict=True)
    ]


def sheet_layout(
    shapes: list[tuple[int, ...]], gap: int
) -> tuple[list[tuple[int, int]], list[int]]:
    """Corners of pictures on a sheet, the first above the others side by side, and its size."""
    corners, left = [(0, 0)], 0
    for _, width in shapes[1:]:
        corners.append((shapes[0][0] + gap, left))
        left += width + gap
    size = [
        max(corner[axis] + shape[axis] for corner, shape in zip(corners, shapes, strict=True))
        for axis in (0, 1)
    ]
    return corners, size


def _combine(
    codes: Array, own: Array, others: Sequence[Array], contrasts: Sequence[Contrast]
) -> Array:
    """Responses from the count of each pixel's own code and the larger count at each contrast."""
    code = codes.astype(jnp.int32)
    own = own.astype(jnp.int32)
    best = jnp.zeros(codes.shape, jnp.float32)
    for contrast, other in zip(contrasts, others, strict=True):
        other = other.astype(jnp.int32)
        product = (contrast.weight * own * other).astype(jnp.float32)
        # one rounding for the reciprocal and one for the product, as in the reference tool
        value = product * (1.0 / jnp.maximum(own + other, 1).astype(jnp.float32))
        counts = (code >= contrast.low) & (code <= contrast.high)
        best = jnp.maximum(best, jnp.where(counts, value, 0.0))
    return best


def response_by_offsets(
    codes: Integer[Array, "h w"], half: int, contrasts: Sequence[Contrast]
) -> Float[Array, "h w"]:
    """`response` of one picture by comparing each pixel with every pixel of its window."""
    height, width = codes.shape
    size, reach = 2 * half + 1, len(contrasts)
    padded = _pad(codes, half)

    def add_row(row: Array, counts: tuple[Array, ...]) -> tuple[Array, ...]:
        rows = jax.lax.dynamic_slice_in_dim(padded, row, height)
        found = list(counts)
        for column in range(size):
            difference = rows[:, column : column + width] - codes
            for i in range(2 * reach + 1):
                found[i] += (difference == i - reach).astype(jnp.int16)
        return tuple(found)

    zero = jnp.zeros((height, width), jnp.int16)
    counts = jax.lax.fori_loop(0, size, add_row, (zero,) * (2 * reach + 1))
    others = [jnp.maximum(counts[reach + d], counts[reach - d]) for d in range(1, reach + 1)]
    return _combine(codes, counts[reach], others, contrasts)


def response_by_tiles(
    codes: Integer[Array, "h w"],
    half: int,
    contrasts: Sequence[Contrast],
    tile: tuple[int, int] = TILE,
) -> Float[Array, "h w"]:
    """`response` of one picture by walking through the codes that occur in each tile."""
    height, width = codes.shape
    down, across = -(-height // tile[0]), -(-width // tile[1])
    rows, columns = -(-height // down), -(-width // across)
    padded = _pad(codes, half)

    def one_tile(index: Array, out: Array) -> Array:
        # the last tiles end at the border; what they share with their neighbours is written twice
        top = jnp.minimum(index // across * rows, height - rows)
        left = jnp.minimum(index % across * columns, width - columns)
        area = jax.lax.dynamic_slice(padded, (top, left), (rows + 2 * half, columns + 2 * half))
        core = area[half : half + rows, half : half + columns]
        found = jax.lax.cond(
            core.min() < SKIP,
            lambda area: _tile_response(area, half, contrasts),
            lambda area: jnp.zeros((rows, columns), jnp.float32),
            area,
        )
        return jax.lax.dynamic_update_slice(out, found, (top, left))

    out = jnp.zeros((height, width), jnp.float32)
    return jax.lax.fori_loop(0, down * across, one_tile, out)


def _pad(codes: Array, border: int) -> Array:
    """`codes` with a border of `SKIP`; written in place, because a fused pad is slow to read."""
    room = jnp.full([n + 2 * border for n in codes.shape], SKIP, codes.dtype)
    return jax.lax.dynamic_update_slice(room, codes, (border, border))


def _tile_response(area: Array, half: int, contrasts: Sequence[Contrast]) -> Array:
    """Responses inside one tile; `area` is the tile with a border of `half` samples.

    The tile is handled as one long row, so that a window's columns are neighbours at distance 1 and
    its rows at distance `stride`: every loop is long and none has a short tail. The last `2 * half`
    entries of each row are then meaningless and dropped at the end.
    """
    full_rows, stride = area.shape
    rows, columns = full_rows - 2 * half, stride - 2 * half
    flat = area.reshape(-1)
    length = rows * stride - 2 * half
    start = half * stride + half
    core = flat[start : start + length]

    def step(state: tuple[Array, ...]) -> tuple[Array, ...]:
        # the count is carried from one step to the next, which makes XLA store it once; otherwise
        # it is computed again for every contrast that reads it
        code, count, *best = state
        distance = jnp.abs(core - code)
        best = [jnp.maximum(b, jnp.where(distance == d, count, 0)) for d, b in enumerate(best)]
        following = _next_code(flat, code)
        return (following, _count(flat, following, half, stride, length), *best)

    first = _least(flat)
    zero = jnp.zeros(length, jnp.int16)
    counts = (zero,) * (len(contrasts) + 1)
    state = (first, _count(flat, first, half, stride, length), *counts)
    state = jax.lax.while_loop(lambda state: state[0] < SKIP, step, state)
    found = _combine(core, state[2], state[3:], contrasts)
    return jnp.pad(found, (0, 2 * half)).reshape(rows, stride)[:, :columns]


def _next_code(flat: Array, code: Array) -> Array:
    """The smallest code of a tile above `code`, `SKIP` if there is none."""
    return _least(jnp.where(flat > code, flat, SKIP))


def _least(x: Array) -> Array:
    """Minimum of a flat array by folding it onto itself: long vector loops, unlike `x.min()`."""
    while x.size > _FOLDS:
        length = -(-x.size // _FOLDS)
        # where the size is no multiple, the last slice overlaps its neighbour, which is harmless
        starts = [min(k * length, x.size - length) for k in range(_FOLDS)]
        x = functools.reduce(jnp.minimum, [x[k : k + length] for k in starts])
    return x.min()


def _count(flat: Array, code: Array, half: int, stride: int, length: int) -> Array:
    """How often `code` occurs in the window of each entry of a flattened tile."""
    size = 2 * half + 1
    equal = (flat == code).astype(jnp.uint8)
    across = _shifted_sum(equal, size, 1, flat.size - 2 * half)
    # as many rows at once as 8 bits hold, then 16 bits
    most = 255 // size
    parts = [
        _shifted_sum(across[first * stride :], min(most, size - first), stride, length)
        for first in range(0, size, most)
    ]
    return functools.reduce(jnp.add, [part.astype(jnp.int16) for part in parts])


def _shifted_sum(x: Array, count: int, step: int, length: int) -> Array:
    """Sum of `count` slices of `length` entries whose starts are `step` apart."""
    return functools.reduce(jnp.add, [x[k * step :][:length] for k in range(count)])
