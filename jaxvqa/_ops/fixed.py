"""Fixed-point arithmetic on 32-bit lanes: rounding shifts, wide sums, high products.

Sums of 48 bits and products of 64 are formed from 16-bit halves. Measured on CPU this beats int64
(half the lanes, no 64-bit multiply in AVX2) and exact float64 (half the lanes, conversions), and
it gives the same bits on accelerators whose 64-bit types are emulated.
"""

from __future__ import annotations

from collections.abc import Sequence

import jax
import jax.numpy as jnp

from jaxvqa._ops.filters import correlate
from jaxvqa._typing import Array, Integer


def round_shift(x: Integer[Array, "*shape"], bits: int) -> Integer[Array, "*shape"]:
    """`(x + 2^(bits-1)) >> bits`: division by 2^bits, halves up; `x` itself for 0 bits."""
    return x if bits == 0 else (x + (1 << (bits - 1))) >> bits


def correlate_shift(
    x: Integer[Array, ...], taps: Sequence[int], axis: int, bits: int, *, stride: int = 1
) -> Integer[Array, ...]:
    """`round_shift(sum of taps * x, bits)` for sums of up to 48 bits, in 32-bit lanes.

    Args:
        x: uint32 samples of any size.
        taps: non-negative whole numbers with a sum of at most 2^16.
        axis: axis to filter, VALID.
        bits: bits to drop, at most 16, such that `x >> bits` fits 16 bits.
        stride: keep every `stride`-th output.

    Returns:
        The exact rounded sums, uint32.
    """
    if bits == 0:
        return correlate(x, taps, axis, stride=stride)
    high = correlate(x >> bits, taps, axis, stride=stride)
    low = correlate(x & ((1 << bits) - 1), taps, axis, stride=stride)
    return high + round_shift(low, bits)


def centred(x: Integer[Array, "*shape"]) -> Integer[Array, "*shape"]:
    """Whole numbers below 2^16, less 2^15, as int16."""
    if x.dtype == jnp.uint16:
        return jax.lax.bitcast_convert_type(x ^ jnp.uint16(1 << 15), jnp.int16)
    return (x.astype(jnp.int32) - (1 << 15)).astype(jnp.int16)


def correlate_short(
    x: Integer[Array, ...], taps: Sequence[int], axis: int, *, stride: int = 1
) -> Integer[Array, ...]:
    """Sums of taps times int16 samples, int32; sums of more bits wrap.

    For CPUs: x86 has a product of signed 16-bit numbers that costs half of one in 32-bit lanes.
    Mirrored taps are not folded, because the sum of two samples has a bit too many for it.

    Args:
        x: int16 samples; those that have 16 bits without a sign `centred`.
        taps: whole numbers of at most 15 bits.
        axis: axis to filter, VALID.
        stride: keep every `stride`-th output.
    """
    span = x.shape[axis] - len(taps) + 1

    def shifted(k: int) -> Array:
        return jax.lax.slice_in_dim(x, k, k + span, stride, axis).astype(jnp.int32)

    total = shifted(0) * taps[0]
    for k in range(1, len(taps)):
        total = total + shifted(k) * taps[k]
    return total


def multiply_high(
    a: Integer[Array, "*shape"], b: Integer[Array, "*shape"]
) -> Integer[Array, "*shape"]:
    """`(a * b + 2^31) >> 32` of uint32 numbers, exact (the result fits while it is below 2^32)."""
    a_high, a_low, b_high, b_low = a >> 16, a & 0xFFFF, b >> 16, b & 0xFFFF
    cross, other = a_high * b_low, a_low * b_high
    # bits 16 to 31 of the product with what they carry, half of 2^32 added
    middle = ((a_low * b_low) >> 16) + (cross & 0xFFFF) + (other & 0xFFFF) + 0x8000
    return a_high * b_high + (cross >> 16) + (other >> 16) + (middle >> 16)


def column_squares(x: Integer[Array, "*frames height width"], largest: int) -> tuple[Array, ...]:
    """Squares of uint32 numbers added down each column, exact: whole, or low and high halves.

    Columns, because sums of whole vectors stay in SIMD lanes.

    Args:
        x: numbers of at most 16 bits, up to 2^16 rows; negative ones wrapped.
        largest: no number is larger.
    """
    square = x * x
    parts = (square,)
    if largest * largest * x.shape[-2] >= 1 << 32:
        parts = (square & 0xFFFF, square >> 16)
    return tuple(part.sum(-2, dtype=jnp.uint32) for part in parts)


def squares_total(low: Array, high: Array | None = None) -> Array:
    """The sum over all columns of `column_squares`, float64: call it in a 64-bit scope."""
    total = low.astype(jnp.float64).sum(-1)
    return total if high is None else total + high.astype(jnp.float64).sum(-1) * 65536.0


def halves(x: Integer[Array, "rows columns"]) -> tuple[Array, Array]:
    """High and low halves of non-negative 32-bit numbers, uint32.

    Row sums of each are exact for rows of up to 65536 samples; `total` puts them together.
    """
    x = x.astype(jnp.uint32)
    return x >> 16, x & 0xFFFF


def total(sums: tuple[Array, Array]) -> Array:
    """The sum over all rows from the row sums of `halves`, int64: call it in a 64-bit scope."""
    high, low = (half.astype(jnp.int64).sum() for half in sums)
    return (high << 16) + low
