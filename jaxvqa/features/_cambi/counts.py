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
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxvqa._ops.platforms import choose
from jaxvqa._ops.stages import keep_stages, stage
from jaxvqa._typing import Array, Float, Integer, Shaped

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
    sheet: Integer[Array, "h w"], half: int, contrasts: Sequence[Contrast]
) -> Float[Array, "h w"]:
    """Largest weighted contrast response of every pixel of several pictures.

    Args:
        sheet: int16 codes, laid out by `lay_out` with a gap of `half`; `SKIP` for pixels that take
            no part and between pictures, less elsewhere.
        half: half window; the window has `2 * half + 1` samples a side and is cut at the borders.
        contrasts: what counts for differences 1, 2, ...

    Returns:
        float32 responses, 0 for pixels that are `SKIP` or see no contrast.
    """
    contrasts = tuple(contrasts)
    return choose(
        sheet,
        cpu=lambda c: response_by_tiles(c, half, contrasts),
        default=lambda c: response_by_offsets(c, half, contrasts),
    )


def lay_out(pictures: Sequence[Shaped[Array, "_h _w"]], gap: int, fill: float) -> Array:
    """All pictures, largest first, on one sheet, `gap` samples apart.

    So that what follows is compiled once and not for every size.
    """
    corners, size = _layout([p.shape for p in pictures], gap)
    sheet = jnp.full(size, fill, pictures[0].dtype)
    for picture, corner in zip(pictures, corners, strict=True):
        sheet = jax.lax.dynamic_update_slice(sheet, picture, corner)
    return sheet


def cut_out(
    sheet: Shaped[Array, "h w"], shapes: Sequence[tuple[int, ...]], gap: int
) -> list[Array]:
    """The pictures of a sheet."""
    corners, _ = _layout(shapes, gap)
    return [
        sheet[top : top + shape[0], left : left + shape[1]]
        for shape, (top, left) in zip(shapes, corners, strict=True)
    ]


def rows_by_scale(
    sheet: Shaped[Array, "h w"], shapes: Sequence[tuple[int, ...]], gap: int
) -> list[tuple[Array, np.ndarray]]:
    """The first picture of a sheet, and all others side by side: each with who owns which columns.

    Returns:
        Two arrays, and for each a bool table `(pictures, columns)`.
    """
    corners, _ = _layout(shapes, gap)
    found = []
    for part in (slice(0, 1), slice(1, None)):
        edges = [
            (left, left + s[1]) for s, (_, left) in zip(shapes[part], corners[part], strict=True)
        ]
        columns = np.arange(edges[-1][1])
        top, height = corners[part][0][0], shapes[part][0][0]
        owners = np.array([(columns >= left) & (columns < right) for left, right in edges])
        found.append((sheet[top : top + height, : columns.size], owners))
    return found


def _layout(shapes: Sequence[tuple[int, ...]], gap: int) -> tuple[list[tuple[int, int]], list[int]]:
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


def contrast_response(
    codes: Array, own: Array, other: Array, contrast: Contrast
) -> tuple[Array, Array]:
    """Response of each pixel to one contrast, and the share of its own code among the two counts.

    Args:
        codes: codes of the pixels.
        own: count of each pixel's own code in its window.
        other: the larger count of the codes at the contrast.
        contrast: its weight and the codes it counts for; for others both results are 0.
    """
    code, own, other = (x.astype(jnp.int32) for x in (codes, own, other))
    # one rounding for the reciprocal and one for the product, as in the reference tool
    inverse = 1.0 / jnp.maximum(own + other, 1).astype(jnp.float32)
    product = (contrast.weight * own * other).astype(jnp.float32)
    counts = (code >= contrast.low) & (code <= contrast.high)
    response = jnp.where(counts, product * inverse, 0.0)
    return response, jnp.where(counts, own.astype(jnp.float32) * inverse, 0.0)


def _combine(
    codes: Array, own: Array, others: Sequence[Array], contrasts: Sequence[Contrast]
) -> Array:
    """Largest response, from the count of each pixel's own code and the larger at each contrast."""
    found = [contrast_response(codes, own, o, c)[0] for o, c in zip(others, contrasts, strict=True)]
    return functools.reduce(jnp.maximum, found)


def response_by_offsets(
    codes: Integer[Array, "h w"], half: int, contrasts: Sequence[Contrast]
) -> Float[Array, "h w"]:
    """`response` of one picture by comparing each pixel with every pixel of its window."""
    reach = len(contrasts)
    counts = count_offsets(codes, half, reach)
    others = [jnp.maximum(counts[reach + d], counts[reach - d]) for d in range(1, reach + 1)]
    return _combine(codes, counts[reach], others, contrasts)


def count_offsets(codes: Integer[Array, "h w"], half: int, reach: int) -> tuple[Array, ...]:
    """How many neighbours differ from each pixel by -reach, ..., 0, ..., +reach codes."""
    height, width = codes.shape
    around = padded(codes, half, SKIP)

    def add_row(row: Array, counts: tuple[Array, ...]) -> tuple[Array, ...]:
        rows = jax.lax.dynamic_slice_in_dim(around, row, height)
        found = list(counts)
        for column in range(2 * half + 1):
            difference = rows[:, column : column + width] - codes
            for i in range(2 * reach + 1):
                found[i] += (difference == i - reach).astype(jnp.int16)
        return tuple(found)

    zero = jnp.zeros((height, width), jnp.int16)
    return jax.lax.fori_loop(0, 2 * half + 1, add_row, (zero,) * (2 * reach + 1))


def response_by_tiles(
    codes: Integer[Array, "h w"],
    half: int,
    contrasts: Sequence[Contrast],
    tile: tuple[int, int] = TILE,
) -> Float[Array, "h w"]:
    """`response` of one picture by walking through the codes that occur in each tile."""

    def one_tile(area: Array) -> Array:
        flat, core, stride = flattened(area, half)

        def keep(code: Array, best: Array) -> Array:
            count = code_count(flat, code, half=half, stride=stride, length=core.size)
            return stage(_kept, core, code, count, best)

        counts = jnp.zeros((len(contrasts) + 1, core.size), jnp.int16)
        own, *others = codes_upwards(flat, keep, counts)
        return unflattened(_combine(core, own, others, contrasts), half, stride)

    empty = jnp.zeros(codes.shape, jnp.float32)
    return over_tiles(one_tile, (padded(codes, half, SKIP),), half, empty, tile)


def _kept(core: Array, code: Array, count: Array, best: Array) -> Array:
    steps = np.arange(best.shape[0], dtype=np.int16)[:, None]
    met = jnp.abs(core - code)[None] == steps
    return jnp.maximum(best, jnp.where(met, count[None], 0))


def over_tiles(
    fn: Callable[..., Any],
    around: Sequence[Array],
    half: int,
    empty: Any,
    tile: tuple[int, int] = TILE,
) -> Any:
    """Fills pictures tile by tile.

    Args:
        fn: takes one tile of each array with `half` more samples on every side, gives a pytree of
            tiles without them.
        around: arrays with a border of `half` samples; the first holds codes.
        half: half window.
        empty: what the pictures hold in tiles where every code is `SKIP`.
        tile: rows and columns of a tile.
    """
    height, width = (side - 2 * half for side in around[0].shape)
    down, across = -(-height // tile[0]), -(-width // tile[1])
    rows, columns = -(-height // down), -(-width // across)

    def one(index: Array, out: Any) -> Any:
        # the last tiles end at the border; what they share with their neighbours is written twice
        top = jnp.minimum(index // across * rows, height - rows)
        left = jnp.minimum(index % across * columns, width - columns)
        size = (rows + 2 * half, columns + 2 * half)
        areas = [jax.lax.dynamic_slice(x, (top, left), size) for x in around]
        core = areas[0][half : half + rows, half : half + columns]
        blank = jax.tree.map(lambda x: jnp.zeros((rows, columns), x.dtype), empty)
        found = jax.lax.cond(core.min() < SKIP, fn, lambda *areas: blank, *areas)
        write = lambda picture, x: jax.lax.dynamic_update_slice(picture, x, (top, left))  # noqa: E731
        return jax.tree.map(write, out, found)

    return jax.lax.fori_loop(0, down * across, one, empty)


def padded(x: Shaped[Array, "h w"], border: int, fill: float) -> Array:
    """`x` with a border; written in place, because a fused pad is slow to read."""
    room = jnp.full([n + 2 * border for n in x.shape], fill, x.dtype)
    return jax.lax.dynamic_update_slice(room, x, (border, border))


def flattened(area: Array, half: int) -> tuple[Array, Array, int]:
    """A tile with its border as one long row, the part that has whole windows, and the stride.

    So a window's columns are neighbours at distance 1 and its rows at distance `stride`: every loop
    is long and none has a short tail. The last `2 * half` entries of each row are then meaningless
    and dropped at the end.
    """
    rows, stride = area.shape
    flat = area.reshape(-1)
    start = half * stride + half
    return flat, flat[start : start + (rows - 2 * half) * stride - 2 * half], stride


def unflattened(x: Array, half: int, stride: int) -> Array:
    """The tile, without border, from entries of `flattened`'s second kind."""
    return jnp.pad(x, (0, 2 * half)).reshape(-1, stride)[:, : stride - 2 * half]


def codes_upwards(among: Array, keep: Callable[[Array, Any], Any], kept: Any) -> Any:
    """Goes through the codes that occur, from the smallest.

    Args:
        among: flat array of the codes; `SKIP` is not one.
        keep: takes a code and what was kept so far; gives what is kept now. It should be made of
            stages, else what it measures is worked out again for everything that reads it.
        kept: the beginning, a pytree of arrays.
    """

    # two codes a step, from one copy of what is kept to another and back: a loop that writes where
    # it reads is left scalar by XLA's plainer emitters, which ask whether the two places overlap
    def step(state: tuple[Array, Any, Any]) -> tuple[Array, Any, Any]:
        code, kept, _ = state
        following = _next(among, code)
        other = keep(code, kept)
        kept = jax.lax.cond(following < SKIP, keep, lambda _, x: x, following, other)
        return _next(among, following), kept, other

    with keep_stages():
        first = _next(among, np.int16(-1))
        kept = keep(first, kept)
        state = _next(among, first), kept, kept
        code, kept, other = jax.lax.while_loop(lambda state: state[0] < SKIP, step, state)
        # never the other copy, but XLA must not know, or it drops that copy
        return jax.tree.map(lambda a, b: jnp.where(code < SKIP, b, a), kept, other)


def _next(among: Array, code: Any) -> Array:
    """The smallest code above another, or `SKIP`."""
    return _least(jnp.where(among > code, among, SKIP))


def _least(x: Array) -> Array:
    """Minimum of a flat array by folding it onto itself: long vector loops, unlike `x.min()`."""
    while x.size > _FOLDS:
        length = -(-x.size // _FOLDS)
        # where the size is no multiple, the last slice overlaps its neighbour, which is harmless
        starts = [min(k * length, x.size - length) for k in range(_FOLDS)]
        x = functools.reduce(jnp.minimum, [x[k : k + length] for k in starts])
    return x.min()


def code_count(flat: Array, code: Array, *, half: int, stride: int, length: int) -> Array:
    """How often `code` occurs in the window of each entry of a flattened tile; a stage."""
    return stage(_code_count, flat, code, half=half, stride=stride, length=length)


def _code_count(flat: Array, code: Array, *, half: int, stride: int, length: int) -> Array:
    size = 2 * half + 1
    equal = (flat == code).astype(jnp.uint8)
    across = shifted_sum(equal, size, 1, flat.size - 2 * half)
    # as many rows at once as 8 bits hold, then 16 bits
    most = 255 // size
    parts = [
        shifted_sum(across[first * stride :], min(most, size - first), stride, length)
        for first in range(0, size, most)
    ]
    return functools.reduce(jnp.add, [part.astype(jnp.int16) for part in parts])


def shifted_sum(x: Array, count: int, step: int, length: int) -> Array:
    """Sum of `count` slices of `length` entries whose starts are `step` apart."""
    return functools.reduce(jnp.add, [x[k * step :][:length] for k in range(count)])
