"""Mean of the K largest values without sorting."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from jaxvqa._typing import Array, Float


def mean_of_largest(x: Float[Array, "h w"], count: int, highest: float) -> Float[Array, ""]:
    """Mean of the `count` largest entries of a picture of non-negative values.

    The bit patterns of non-negative floats order as the floats do, so the count-th largest value is
    found by bisecting the patterns and counting; what lies above it is summed in float64, and ties
    with it fill the rest. Counting passes are far cheaper than a sort and stop early where few
    entries are positive.

    Args:
        x: float32 values, none negative.
        count: how many entries to average, 1 to the number of entries.
        highest: an upper bound of the values.

    Returns:
        float64 mean. Call it inside `jax.enable_x64(True)`.
    """
    bits = jax.lax.bitcast_convert_type(x, jnp.int32)

    def reaching(pattern: Array) -> Array:
        # down the columns first: a reduction along rows does not vectorise on CPU
        return (bits >= pattern).astype(jnp.int32).sum(0, dtype=jnp.int32).sum(dtype=jnp.int32)

    # invariant: more than `count` entries reach `low`, at most `count` reach `high`
    def undecided(state: tuple[Array, Array, Array]) -> Array:
        low, high, above = state
        return (above < count) & (high - low > 1)

    def bisect(state: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        low, high, above = state
        middle = low + (high - low) // 2
        found = reaching(middle)
        fits = found <= count
        return (
            jnp.where(fits, low, middle),
            jnp.where(fits, middle, high),
            jnp.where(fits, found, above),
        )

    top = jax.lax.bitcast_convert_type(jnp.float32(highest), jnp.int32) + 1
    positive = reaching(jnp.int32(1))
    few = positive <= count
    start = (jnp.int32(0), jnp.where(few, 1, top), jnp.where(few, positive, 0))
    low, high, above = jax.lax.while_loop(undecided, bisect, start)
    threshold = jax.lax.bitcast_convert_type(low, jnp.float32).astype(jnp.float64)
    total = jnp.where(bits >= high, x, 0.0).astype(jnp.float64).sum(0).sum()
    return (total + (count - above).astype(jnp.float64) * threshold) / count


def shares_of_largest(x: Float[Array, "h w"], count: int) -> Float[Array, "h w"]:
    """Weights whose sum with `x` is the mean of its `count` largest entries.

    Entries that tie with the last one share what is left. Without gradient: where nothing ties,
    `(shares * x).sum()` has the gradient of that mean.
    """
    x = jax.lax.stop_gradient(x)
    threshold = jnp.sort(x.reshape(-1))[x.size - count]
    above, ties = x > threshold, x == threshold
    left = (count - above.sum(dtype=x.dtype)) / ties.sum(dtype=x.dtype)
    return (above.astype(x.dtype) + ties.astype(x.dtype) * left) / count
