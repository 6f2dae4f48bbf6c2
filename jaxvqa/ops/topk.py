"""Mean of the K largest values without sorting, and its gradient.

The bit patterns of non-negative floats order as the floats do, so the K-th largest value is found
by bisecting the patterns and counting. Counting passes are far cheaper than a sort and stop early
where few entries are positive.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp

from jaxvqa._typing import Array, Float, Integer


def mean_of_largest(x: Float[Array, "h w"], count: int, highest: float) -> Float[Array, ""]:
    """Mean of the `count` largest entries of a picture of non-negative values.

    What lies above the count-th largest is summed in float64, and ties with it fill the rest.

    Args:
        x: float32 values, none negative.
        count: how many entries to average, 1 to the number of entries.
        highest: an upper bound of the values.

    Returns:
        float64 mean. Call it inside `jax.enable_x64(True)`.
    """
    bits = jax.lax.bitcast_convert_type(x, jnp.int32)
    low, high, above = _bisected(bits, count, highest)
    threshold = jax.lax.bitcast_convert_type(low, jnp.float32).astype(jnp.float64)
    total = jnp.where(bits >= high, x, 0.0).astype(jnp.float64).sum(0).sum()
    return (total + (count - above).astype(jnp.float64) * threshold) / count


def shares_of_largest(x: Float[Array, "h w"], count: int, highest: float) -> Float[Array, "h w"]:
    """Weights whose sum with `x` is the mean of its `count` largest entries: its gradient.

    Entries that tie with the last one share what is left. Arguments as of `mean_of_largest`; the
    result is float32 and has no gradient.
    """
    x = jax.lax.stop_gradient(x)
    bits = jax.lax.bitcast_convert_type(x, jnp.int32)
    low, high, above = _bisected(bits, count, highest)
    ties = (bits >= low) & (bits < high)
    left = (count - above) / jnp.maximum(_count(ties), 1)
    # where all that lie above were found early, nothing is left for those between the bounds
    return jnp.where(bits >= high, 1.0, jnp.where(ties, left, 0.0)).astype(jnp.float32) / count


def _bisected(
    bits: Integer[Array, "h w"], count: int, highest: float
) -> tuple[Array, Array, Array]:
    """Patterns (low, high) and how many entries reach high.

    Either `count` entries reach `high`, or fewer do and the count-th largest entry is `low`, with
    no pattern between the two.
    """

    # invariant: more than `count` entries reach `low`, at most `count` reach `high`
    def undecided(state: tuple[Array, Array, Array]) -> Array:
        low, high, above = state
        return (above < count) & (high - low > 1)

    def bisect(state: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        low, high, above = state
        middle = low + (high - low) // 2
        found = _count(bits >= middle)
        fits = found <= count
        return (
            jnp.where(fits, low, middle),
            jnp.where(fits, middle, high),
            jnp.where(fits, found, above),
        )

    top = jax.lax.bitcast_convert_type(jnp.float32(highest), jnp.int32) + 1
    positive = _count(bits >= 1)
    few = positive <= count
    start = (jnp.int32(0), jnp.where(few, 1, top), jnp.where(few, positive, 0))
    return jax.lax.while_loop(undecided, bisect, start)


def _count(picked: Array) -> Array:
    # down the columns first: a reduction along rows does not vectorise on CPU
    return picked.astype(jnp.int32).sum(0, dtype=jnp.int32).sum(dtype=jnp.int32)
