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
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from jaxvqa._ops.stages import keep_stages, stage
from jaxvqa._typing import Array, Integer

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

    def counts(self, codes: Array) -> Array:
        """Whether codes take part."""
        return (codes >= self.low) & (codes <= self.high)


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
    height, width = codes.shape
    slots, chunks = _listed(codes, window)
    length = slots.shape[1]
    plan = _planned(chunks, length, window.half)
    slots = slots.reshape(-1)

    def chunk(starts: Array, index: Array) -> Array:
        return _slice(slots, (_item(starts, index),), (CHUNK,))

    def move(index: Array, table: Array) -> Array:
        there = jnp.concatenate([chunk(plan.entering, index), chunk(plan.leaving, index)])
        return _moved_in_and_out(table, there + window.half * window.stride)

    def look(index: Array, table: Array, state: Any) -> Any:
        room, found = state
        there = chunk(plan.asking, index)
        at = (index % 2, 0, 0)
        room = _update(room, _counts(table, there, window)[None], at)
        counts = _slice(room, at, (1, CHUNK, window.lanes))[0]
        column, entry = there // window.stride, there % window.stride
        new = fn(entry - window.reach + window.low, counts)
        place = _item(plan.asking, index) // length * width + column
        place = jnp.where(entry == window.nothing, height * width, place)
        return room, jax.tree.map(lambda old, x: old.at[place].set(x, mode="drop"), found, new)

    def one_row(row: Array, state: tuple[Array, Array, Array, Any]) -> Any:
        moved, asked, table, found = state
        moved, table = lax.while_loop(
            lambda s: s[0] < _item(plan.moves, row), lambda s: (s[0] + 1, move(*s)), (moved, table)
        )
        asked, found = lax.while_loop(
            lambda s: s[0] < _item(plan.looks, row),
            lambda s: (s[0] + 1, look(s[0], table, s[1])),
            (asked, found),
        )
        return moved, asked, table, found

    table = jnp.zeros(_table_size(width, window), jnp.uint8)
    room = jnp.zeros((2, CHUNK, window.lanes), jnp.uint16)
    state = (jnp.int32(0), jnp.int32(0), table, (room, _blank(fn, height * width, window)))
    rows = plan.moves.shape[0]
    *_, (_, found) = lax.fori_loop(np.int32(0), np.int32(rows), one_row, state)
    return jax.tree.map(lambda x: x.reshape(height, width), found)


# indices are never negative, which saves a step
_slice = functools.partial(lax.dynamic_slice, allow_negative_indices=False)
_update = functools.partial(lax.dynamic_update_slice, allow_negative_indices=False)


def _item(x: Array, index: Array) -> Array:
    return _slice(x, (index,), (1,))[0]


class _Plan(NamedTuple):
    """What is done in which order: chunks of slots are counted in and out, then others look.

    At row `r` of the plan row `r` of the picture enters the windows of row `r - half`, which looks.

    Args:
        moves, looks: how much of the lists below is done after each row.
        entering, leaving: where a chunk begins that is counted in, and one that is counted out.
        asking: where a chunk begins that looks.
    """

    moves: Integer[Array, " rows"]
    looks: Integer[Array, " rows"]
    entering: Integer[Array, " pairs"]
    leaving: Integer[Array, " pairs"]
    asking: Integer[Array, " chunks"]


def _planned(chunks: Integer[Array, " h"], length: int, half: int) -> _Plan:
    """From how many chunks of each row of `length` slots are used."""
    height, most = chunks.shape[0], length // CHUNK
    rows = height + half

    def listed(counts: Array, *who: tuple[Array, int]) -> tuple[Array, ...]:
        """Where the chunks of rows begin, one list for each of `who`, of equal length."""
        done = counts.cumsum(dtype=jnp.int32)
        number = np.arange(most, dtype=np.int32)[None]
        used = number < counts[:, None]
        goal = jnp.where(used, (done - counts)[:, None] + number, rows * most).reshape(-1)
        lists = [done]
        for mine, late in who:
            row = np.arange(-late, rows - late, dtype=np.int32)[:, None]
            start = row * length + number * CHUNK
            start = jnp.where(number < mine[:, None], start, height * length)
            empty = jnp.zeros(rows * most + 1, jnp.int32)
            lists.append(empty.at[goal].set(start.reshape(-1), mode="promise_in_bounds"))
        return tuple(lists)

    enters = jnp.pad(chunks, (0, half))
    leaves = jnp.pad(chunks, (2 * half + 1, 0))[:rows]
    looks = jnp.pad(chunks, (half, 0))
    moves, entering, leaving = listed(
        jnp.maximum(enters, leaves), (enters, 0), (leaves, 2 * half + 1)
    )
    looked, asking = listed(looks, (looks, half))
    return _Plan(moves, looked, entering, leaving, asking)


def _blank(fn: Callable[..., Any], size: int, window: Window) -> Any:
    """Arrays for what `fn` gives."""
    codes = jax.ShapeDtypeStruct((CHUNK,), jnp.int32)
    counts = jax.ShapeDtypeStruct((CHUNK, window.lanes), jnp.uint16)
    return jax.tree.map(lambda x: jnp.zeros(size, x.dtype), jax.eval_shape(fn, codes, counts))


def _listed(codes: Integer[Array, "h w"], window: Window) -> tuple[Array, Array]:
    """The pixels of the blocks in which some pixel takes part, moved to the beginning of each row.

    Returns:
        For each slot the entry of the table that its pixel is counted in, `(h + 1, slots)`, with a
        row more without such pixels; how many chunks of each row hold any.
    """
    with keep_stages():
        entries = stage(_entries, codes, window=window)
    height, size = entries.shape
    blocks = size // BLOCK
    part = window.counts(codes)
    part = jnp.pad(part, ((0, 0), (0, -part.shape[1] % BLOCK)))
    taken = jnp.pad(part.reshape(height - 1, -1, BLOCK).any(-1), ((0, 1), (0, 1)))
    number = lax.associative_scan(jnp.add, taken.astype(jnp.int32), axis=1)
    # each block to its place, those left out to a place beyond, and the last block to all others
    length = _rounded_up(size, CHUNK) // BLOCK
    first = np.arange(height, dtype=np.int32)[:, None] * (length + 1)
    goal = (jnp.where(taken, number - 1, length) + first).reshape(-1)
    order = jnp.full(height * (length + 1), blocks - 1, jnp.int32)
    numbers = np.tile(np.arange(blocks, dtype=np.int32), height)
    order = order.at[goal].set(numbers, mode="promise_in_bounds")
    order = order.reshape(height, length + 1)[:, :length]
    with keep_stages():
        slots = stage(_reordered, entries, order)
    return slots.reshape(height, -1), -(-number[:-1, -1] * BLOCK // CHUNK)


def _reordered(
    x: Integer[Array, "h w"], order: Integer[Array, "h n"]
) -> Integer[Array, "h n block"]:
    """Blocks of each row in another order."""
    blocks = x.reshape(x.shape[0], -1, BLOCK)
    return jnp.take_along_axis(blocks, order[:, :, None], axis=1, mode="promise_in_bounds")


def _entries(codes: Integer[Array, "h w"], *, window: Window) -> Array:
    """The entry of the table that each pixel is counted in, and a block and a row more."""
    width = codes.shape[1]
    entry = codes.astype(jnp.int32) + (window.reach - window.low)
    entry = jnp.where(window.counts(codes), entry, window.nothing)
    size = _blocks(width) * BLOCK
    entry = jnp.pad(entry, ((0, 1), (0, size - width)), constant_values=window.nothing)
    return entry + np.arange(size, dtype=np.int32)[None] * window.stride


def _blocks(width: int) -> int:
    """Blocks of a row, and one more in which no pixel takes part."""
    return -(-width // BLOCK) + 1


def _table_size(width: int, window: Window) -> int:
    columns = _blocks(width) * BLOCK + 2 * window.half
    return columns * window.stride + window.lanes


def _moved_in_and_out(table: Array, places: Array) -> Array:
    """The first half of some places counted in, the other half out."""
    numbers = lax.ScatterDimensionNumbers(
        update_window_dims=(), inserted_window_dims=(0,), scatter_dims_to_operand_dims=(0,)
    )
    # 8 bits wrap around: adding 255 takes 1 away
    changes = np.repeat(np.array([1, 255], np.uint8), places.shape[0] // 2)
    return lax.scatter_add(table, places[:, None], changes, numbers, mode="promise_in_bounds")


def _counts(table: Array, there: Array, window: Window) -> Array:
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
