"""Means of the K largest values without sorting, and their gradient.

The bit patterns of non-negative floats order as the floats do, so the K-th largest value is found
by bisecting the patterns and counting. Counting passes are far cheaper than a sort and stop early
where few entries are positive. On CPUs histograms of the patterns take their place.
"""

from __future__ import annotations

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np

from jaxvqa._ops.platforms import choose
from jaxvqa._typing import Array, Bool, Float, Integer

# of a histogram: it fits the cache; three of them decide the 31 bits of a pattern
_BINS, _SHIFTS = 1 << 11, (20, 10, 0)


def means_of_largest(
    x: Float[Array, "h w"], parts: Bool[np.ndarray, "n w"], counts: Sequence[int], highest: float
) -> Float[Array, " n"]:
    """Mean of the largest entries of each of several pictures of non-negative values.

    What lies above the count-th largest is summed in float64, and ties with it fill the rest.

    Args:
        x: the pictures side by side, float32 values, none negative; 0 where there is no picture.
        parts: which columns belong to each picture; to a single one, all.
        counts: how many entries of each picture to average, from 1 to the number of entries.
        highest: an upper bound of the values.

    Returns:
        float64 means. Call it inside `jax.enable_x64(True)`.
    """
    bits = jax.lax.bitcast_convert_type(x, jnp.int32)
    low, high, above = _bisected(bits, parts, counts, highest)
    threshold = jax.lax.bitcast_convert_type(low, jnp.float32).astype(jnp.float64)
    largest = jnp.where(bits >= _by_column(high, parts), x, 0.0).astype(jnp.float64)
    wanted = np.array(counts, np.int32)
    rest = (wanted - above).astype(jnp.float64) * threshold
    return (_by_picture(largest.sum(0), parts) + rest) / wanted.astype(np.float64)


def shares_of_largest(x: Float[Array, "h w"], count: int, highest: float) -> Float[Array, "h w"]:
    """Weights whose sum with `x` is the mean of its `count` largest entries: its gradient.

    Entries that tie with the last one share what is left. `x` is one picture of non-negative
    float32 values, none above `highest`; the result is float32 and has no gradient.
    """
    x = jax.lax.stop_gradient(x)
    bits = jax.lax.bitcast_convert_type(x, jnp.int32)
    everything = np.ones((1, x.shape[1]), bool)
    low, high, above = (v[0] for v in _bisected(bits, everything, [count], highest))
    ties = (bits >= low) & (bits < high)
    # down the columns first: a reduction along rows does not vectorise on CPU
    tied = ties.astype(jnp.int32).sum(0, dtype=jnp.int32).sum(dtype=jnp.int32)
    left = (count - above) / jnp.maximum(tied, 1)
    # where all that lie above were found early, nothing is left for those between the bounds
    return jnp.where(bits >= high, 1.0, jnp.where(ties, left, 0.0)).astype(jnp.float32) / count


def _bisected(
    bits: Integer[Array, "h w"],
    parts: Bool[np.ndarray, "n w"],
    counts: Sequence[int],
    highest: float,
) -> tuple[Array, Array, Array]:
    """Patterns (low, high) of each picture and how many of its entries reach high.

    Either `count` entries reach `high`, or fewer do and the count-th largest entry is `low`, with
    no pattern between the two.
    """
    wanted = np.array(counts, np.int32)
    top = jax.lax.bitcast_convert_type(jnp.float32(highest), jnp.int32) + 1

    # invariant: more than `count` entries reach `low`, at most `count` reach `high`
    def undecided(state: Array) -> Array:
        low, high, above = state
        return ((above < wanted) & (high > jnp.maximum(low, 0) + 1)).any()

    # a picture that is decided while another is not stays so: further steps change no sum
    def bisect(state: Array) -> Array:
        low, high, above = state
        middle = (low >> 1) + (high >> 1) + (low & high & 1)
        reach = (bits >= _by_column(middle, parts)).astype(jnp.int32)
        found = _by_picture(reach.sum(0, dtype=jnp.int32), parts)
        fits = (found <= wanted)[None]
        return jnp.where(fits, jnp.stack([low, middle, found]), jnp.stack([middle, high, above]))

    # so low that the first middle is 1, the least positive value: often that settles it
    start = jnp.stack([2 - top, top, jnp.zeros_like(top)])[:, None]
    start = jnp.broadcast_to(start, (3, len(counts)))
    # on CPUs, where points are added in a plain loop, three histograms then do as much as 30 steps
    low, high, above = choose(
        bisect(start),
        bits,
        cpu=lambda state, bits: jax.lax.cond(
            undecided(state), lambda s: _by_histograms(bits, parts, wanted, s), lambda s: s, state
        ),
        default=lambda state, _: jax.lax.while_loop(undecided, bisect, state),
    )
    return jnp.maximum(low, 0), high, above


def _by_histograms(
    bits: Integer[Array, "h w"], parts: Bool[np.ndarray, "n w"], wanted: np.ndarray, state: Array
) -> Array:
    """`_bisected` from its invariant on: the upper bits of the patterns first, then the lower.

    Args:
        bits: as there.
        parts: as there.
        wanted: how many entries of each picture.
        state: (low, high, above) of each picture; those that are decided stay so.
    """
    owner = np.where(parts.any(0), parts.argmax(0), len(parts)).astype(np.int32)[None]
    for shift in _SHIFTS:
        low, high, above = state
        least = jnp.maximum(low, 0)
        floor, ceiling = (_by_column(x, parts) for x in (least, high))
        counted = (bits >= floor) & (bits < ceiling) & (owner < len(parts))
        entry = jnp.where(counted, ((bits - floor) >> shift) + owner * _BINS, len(parts) * _BINS)
        numbers = jnp.zeros(len(parts) * _BINS, jnp.int32).at[entry.reshape(-1)].add(1, mode="drop")
        # how many entries reach each bin
        reach = jnp.cumsum(numbers.reshape(-1, _BINS)[:, ::-1], axis=1, dtype=jnp.int32)[:, ::-1]
        reach = jnp.concatenate([reach + above[:, None], above[:, None]], axis=1)
        bin_ = jnp.sum(reach > wanted[:, None], axis=1, dtype=jnp.int32) - 1
        over = jnp.take_along_axis(reach, jnp.maximum(bin_ + 1, 0)[:, None], axis=1)[:, 0]
        found = jnp.stack(
            [least + (bin_ << shift), jnp.minimum(high, least + ((bin_ + 1) << shift)), over]
        )
        decided = (above >= wanted) | (high <= least + 1)
        state = jnp.where(decided[None], state, found)
    return state


def _by_column(values: Array, parts: Bool[np.ndarray, "n w"]) -> Array:
    """Each picture's value at its columns; the largest integer at columns without a picture."""
    if len(parts) == 1:
        return values[None]
    spread = jnp.where(parts, values[:, None], np.iinfo(np.int32).max)
    return spread.min(0, keepdims=True)


def _by_picture(columns: Array, parts: Bool[np.ndarray, "n w"]) -> Array:
    """Sum of each picture's columns."""
    if len(parts) == 1:
        return columns.sum(dtype=columns.dtype)[None]
    return jnp.where(parts, columns[None], 0).sum(1, dtype=columns.dtype)
