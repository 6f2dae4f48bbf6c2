"""Small tiles of a picture, and a walk through the codes that occur in one.

For what is summed separately for each code: a tile holds few different ones.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxvqa._ops.stages import keep_stages
from jaxvqa._typing import Array, Shaped
from jaxvqa.features._cambi.sheet import SKIP

# rows and columns of a tile: smaller ones hold fewer codes, larger ones waste less on borders
TILE = (64, 128)

_FOLDS = 8


def over_tiles(
    fn: Callable[..., Array], around: Sequence[Array], half: int, dtype: Any
) -> Shaped[Array, "h w"]:
    """Makes a picture tile by tile.

    Args:
        fn: takes one tile of each array with `half` more samples on every side, gives the tile of
            the picture without them.
        around: arrays with a border of `half` samples; the first holds codes.
        half: half window.
        dtype: type of the picture, which is 0 in tiles where every code is `SKIP`.
    """
    height, width = (side - 2 * half for side in around[0].shape)
    down, across = -(-height // TILE[0]), -(-width // TILE[1])
    rows, columns = -(-height // down), -(-width // across)

    def blank(*areas: Array) -> Array:
        return jnp.zeros((rows, columns), dtype)

    def one(index: Array, picture: Array) -> Array:
        # the last tiles end at the border; what they share with their neighbours is written twice
        top = jnp.minimum(index // across * rows, height - rows)
        left = jnp.minimum(index % across * columns, width - columns)
        size = (rows + 2 * half, columns + 2 * half)
        areas = [jax.lax.dynamic_slice(x, (top, left), size) for x in around]
        core = areas[0][half : half + rows, half : half + columns]
        found = jax.lax.cond(core.min() < SKIP, fn, blank, *areas)
        return jax.lax.dynamic_update_slice(picture, found, (top, left))

    return jax.lax.fori_loop(0, down * across, one, jnp.zeros((height, width), dtype))


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


def codes_upwards(among: Array, keep: Callable[[Array, Array], Array], kept: Array) -> Array:
    """Goes through the codes that occur, from the smallest.

    Args:
        among: flat array of the codes; `SKIP` is not one.
        keep: takes a code and what was kept so far; gives what is kept now. It should be made of
            stages, else what it measures is worked out again for everything that reads it.
        kept: the beginning.
    """

    # two codes a step, from one copy of what is kept to another and back: a loop that writes where
    # it reads is left scalar by XLA's plainer emitters, which ask whether the two places overlap
    def step(state: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
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
        return jnp.where(code < SKIP, other, kept)


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


def shifted_sum(x: Array, count: int, step: int, length: int) -> Array:
    """Sum of `count` slices of `length` entries whose starts are `step` apart."""
    return functools.reduce(jnp.add, [x[k * step :][:length] for k in range(count)])
