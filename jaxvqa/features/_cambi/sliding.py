"""Counts of nearby codes by one histogram per column that slides down the picture.

A table holds, for each column and code, how many of the rows around the present one have that code
there. From row to row the pixels of the row that enters are added and those of the row that leaves
are taken away. A pixel then reads the entries of its own and the nearby codes, which lie side by
side, from every column of its window. So a pixel that takes part costs one addition, one
subtraction and a short vector per column, whatever the codes are, and blocks of pixels of which
none takes part are left out beforehand.

For CPUs: the loop is a long chain of small steps. It rests on XLA making plain loops of point
updates and of short contiguous reads, which its older CPU emitters do not.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from jaxvqa._ops.stages import keep_stages, stage
from jaxvqa._typing import Array, Bool, Integer

# pixels that are left out together: short ones follow the flat areas, long ones list faster
BLOCK = 8
# pixels that a step works on: short ones waste less at the end of a row, long ones make fewer steps
CHUNK = 128
# entries of a column are read in vectors of this many
_LANES = 16


@dataclass(frozen=True)
class Window:
    """What is counted around a pixel.

    Args:
        half: half window; it has `2 * half + 1` samples a side, at most 255.
        reach: codes up to so many steps from the pixel's own are counted.
        low, high: codes that take part, both included.
    """

    half: int
    reach: int
    low: int
    high: int

    @property
    def lanes(self) -> int:
        """How many entries are read from a column; `2 * reach + 1` of them are meant."""
        return _rounded_up(2 * self.reach + 1, _LANES)

    @property
    def nothing(self) -> int:
        """The entry where pixels that take no part are counted, out of reach of the others."""
        return self.high - self.low + 2 * self.reach + 1

    @property
    def stride(self) -> int:
        """Entries of a column."""
        return _rounded_up(self.nothing + 1, _LANES)


def _rounded_up(x: int, step: int) -> int:
    return -(-x // step) * step


def over_pixels(
    fn: Callable[[Array, Array], Any], codes: Integer[Array, "h w"], window: Window
) -> Any:
    """Works out something for each pixel from the counts in its window.

    Args:
        fn: takes int32 codes `(n,)` and uint16 counts `(n, lanes)`, whose column `reach + d` says
            how often the code `d` steps above occurs; gives a pytree of arrays `(n,)`.
        codes: int16 codes; those outside of the range of `window` take no part.
        window: what is counted.

    Returns:
        The pytree with arrays `(h, w)`, 0 for pixels that take no part. Under `vmap` one picture
        goes after the other.
    """
    one = functools.partial(_over_pixels, fn=fn, window=window)
    return jax.custom_batching.sequential_vmap(one)(codes)


def _over_pixels(codes: Array, *, fn: Callable[..., Any], window: Window) -> Any:
    half, height = window.half, codes.shape[0]
    part = (codes >= window.low) & (codes <= window.high)
    slots, lengths, places = _listed(codes, part, window)
    # rows above and below the picture are empty
    lengths = jnp.pad(lengths, (half + 1, half))

    def through(row: Array, step: Callable[[Array, Any], Any], state: Any) -> Any:
        """Takes a step for each chunk of a row."""
        end = lengths[row + half + 1]

        def next_chunk(state: tuple[Array, Any]) -> tuple[Array, Any]:
            start, rest = state
            return start + CHUNK, step(start, rest)

        return lax.while_loop(lambda s: s[0] < end, next_chunk, (jnp.int32(0), state))[1]

    def chunk(row: Array, start: Array) -> Array:
        return lax.dynamic_slice(slots, (row, start), (1, CHUNK))[0]

    def updated(table: Array, row: Array, change: int) -> Array:
        return through(row, lambda start, t: _added(t, chunk(row, start), change, window), table)

    def one_row(row: Array, state: tuple[Array, Any]) -> tuple[Array, Any]:
        table, found = state
        table = updated(updated(table, row + half, 1), row - half - 1, 255)

        def step(start: Array, found: Any) -> Any:
            there = chunk(row, start)
            with keep_stages():
                counts = stage(_counts, table, there, window=window)
            new = fn(there % window.stride - window.reach + window.low, counts)
            write = lambda old, x: lax.dynamic_update_slice(old, x[None], (row, start))  # noqa: E731
            return jax.tree.map(write, found, new)

        return table, through(row, step, found)

    found = _blank(fn, slots.shape, window)
    table = jnp.zeros(_table_size(codes.shape[1], window), jnp.uint8)
    first = lambda row, table: updated(table, row, 1)  # noqa: E731
    table = lax.fori_loop(np.int32(0), np.int32(half), first, table)
    _, found = lax.fori_loop(np.int32(0), np.int32(height), one_row, (table, found))
    return jax.tree.map(lambda x: jnp.where(part, _moved(x, places)[:, : codes.shape[1]], 0), found)


def _blank(fn: Callable[..., Any], shape: tuple[int, ...], window: Window) -> Any:
    """Arrays for what `fn` gives."""
    codes = jax.ShapeDtypeStruct((CHUNK,), jnp.int32)
    counts = jax.ShapeDtypeStruct((CHUNK, window.lanes), jnp.uint16)
    return jax.tree.map(lambda x: jnp.zeros(shape, x.dtype), jax.eval_shape(fn, codes, counts))


def _listed(
    codes: Integer[Array, "h w"], part: Bool[Array, "h w"], window: Window
) -> tuple[Array, Array, Array]:
    """The pixels of the blocks in which some pixel takes part, moved to the beginning of each row.

    Returns:
        For each place the entry of the table that the pixel is counted in, `(h, places)`; how many
        places of each row are taken; at which block of places each block of the picture is.
    """
    height, width = codes.shape
    blocks = _blocks(width)
    room = ((0, 0), (0, blocks * BLOCK - width))
    taken = jnp.pad(part, room).reshape(height, blocks, BLOCK).any(-1)
    number = jnp.cumsum(taken, axis=1, dtype=jnp.int32)
    places = number - 1
    # each block to its place, those left out to a place beyond, and the last block to all others
    length = _rounded_up(blocks * BLOCK, CHUNK) // BLOCK
    goal = jnp.where(taken, places, length) + np.arange(height, dtype=np.int32)[:, None] * (
        length + 1
    )
    order = jnp.full(height * (length + 1), blocks - 1, jnp.int32)
    numbers = np.broadcast_to(np.arange(blocks, dtype=np.int32), (height, blocks)).reshape(-1)
    order = order.at[goal.reshape(-1)].set(numbers, mode="promise_in_bounds")
    order = order.reshape(height, length + 1)[:, :length]
    entry = jnp.where(part, codes.astype(jnp.int32) + (window.reach - window.low), window.nothing)
    entry = jnp.pad(entry, room, constant_values=window.nothing)
    entry += np.arange(blocks * BLOCK, dtype=np.int32)[None] * window.stride
    slots = _moved(entry, order)
    return slots, number[:, -1] * BLOCK, jnp.maximum(places, 0)


def _blocks(width: int) -> int:
    """Blocks of a row, and one more in which no pixel takes part."""
    return -(-width // BLOCK) + 1


def _moved(x: Array, order: Integer[Array, "h blocks"]) -> Array:
    """The blocks of each row in another order."""
    blocks = x.reshape(x.shape[0], -1, BLOCK)
    moved = jnp.take_along_axis(blocks, order[:, :, None], axis=1, mode="promise_in_bounds")
    return moved.reshape(x.shape[0], -1)


def _table_size(width: int, window: Window) -> int:
    columns = _blocks(width) * BLOCK + 2 * window.half
    return columns * window.stride + window.lanes


def _added(table: Array, there: Array, change: int, window: Window) -> Array:
    """Pixels counted in, or out with `change` 255: 8 bits wrap around."""
    numbers = lax.ScatterDimensionNumbers(
        update_window_dims=(), inserted_window_dims=(0,), scatter_dims_to_operand_dims=(0,)
    )
    places = (there + window.half * window.stride)[:, None]
    changes = jnp.full(there.shape, change, jnp.uint8)
    return lax.scatter_add(table, places, changes, numbers, mode="promise_in_bounds")


def _counts(table: Array, there: Array, *, window: Window) -> Array:
    """How often codes occur in the windows of pixels, from the least within reach upwards."""
    numbers = lax.GatherDimensionNumbers(
        offset_dims=(1,), collapsed_slice_dims=(), start_index_map=(0,)
    )
    size = 2 * window.half + 1
    first = (there - window.reach)[:, None]
    end = table.size - 2 * window.half * window.stride

    def column(k: int) -> Array:
        start = k * window.stride
        part = table[start : start + end]
        return lax.gather(part, first, numbers, (window.lanes,), mode="promise_in_bounds")

    # as many columns at once as 8 bits hold
    most = 255 // size
    sums = [
        functools.reduce(jnp.add, map(column, range(k, min(k + most, size))))
        for k in range(0, size, most)
    ]
    return functools.reduce(jnp.add, [x.astype(jnp.uint16) for x in sums])
