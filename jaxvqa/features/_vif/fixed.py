"""Fixed-point arithmetic of libvmaf's `vif`, bit for bit: local moments and the logarithm.

Moments are sums of up to 48 bits, rounded. Accelerators form them from 16-bit halves in 32-bit
lanes, because their 64-bit types are slow or emulated. On CPU exact float64 is faster, although it
has half the lanes: one fused multiply-add does what takes the halves two slow products and two
additions.

The logarithm is 2048 log2(x) of the 16 leading bits of x, a whole number. libvmaf looks it up in a
table of 32768 entries, and so do accelerators here. On CPU, XLA reads a table one entry at a time;
a float32 polynomial that gives the same whole numbers runs in SIMD lanes. Of a float64 it takes the
upper half, which shows the exponent and enough bits, so that all lanes are 32 bits wide.

Source: libvmaf f85a853, `integer_vif.c`.
"""

from __future__ import annotations

import functools

import jax
import jax.numpy as jnp
import numpy as np

from jaxvqa._ops.filters import correlate
from jaxvqa._ops.fixed import (
    centred,
    correlate_shift,
    correlate_short,
    multiply_high,
    round_shift,
)
from jaxvqa._ops.platforms import choose
from jaxvqa._ops.stages import stage, staging
from jaxvqa._typing import Array, Float, Int, Integer, Num

# Gaussians of widths 17, 9, 5, 3 in units of 2^-16
TAPS = (
    (489, 935, 1640, 2640, 3896, 5274, 6547, 7455, 7784,
     7455, 6547, 5274, 3896, 2640, 1640, 935, 489),
    (1244, 3663, 7925, 12590, 14692, 12590, 7925, 3663, 1244),
    (3571, 16004, 26386, 16004, 3571),
    (10904, 43728, 10904),
)  # fmt: skip

Moments = tuple[Int[Array, "rows columns"], Int[Array, "rows columns"], Int[Array, "rows columns"]]
# added to a whole float64 below it, this shows the number in the low bits
_SHOWS_BITS = 2.0**52


def shifts(scale: int, bit_depth: int) -> tuple[int, int]:
    """Bits dropped after the vertical pass over samples, and over products of samples."""
    return (bit_depth, 2 * (bit_depth - 8)) if scale == 0 else (16, 16)


def moments(
    ref: Integer[Array, "rows_in columns_in"],
    dis: Integer[Array, "rows_in columns_in"],
    scale: int,
    bit_depth: int,
) -> Moments:
    """Local variance of ref, of dis, and covariance, in 2^-16 squared 8-bit codes.

    Each is stored before it is used: fused into its several uses it would be formed anew for each,
    three times the work. Stages do this on CPU, barriers on accelerators.
    """
    taps = TAPS[scale]
    sample_bits, product_bits = shifts(scale, bit_depth)
    keep, moment = jax.lax.optimization_barrier, _staged_moment if staging() else _moment
    means = []
    for x in (ref, dis):
        vertical = stage(_mean_down, x, taps=taps, bits=sample_bits)
        means.append(stage(sums, vertical, taps=taps, axis=-1))
    mean_ref, mean_dis = keep(means)
    return keep(
        (
            moment(ref, ref, mean_ref, mean_ref, taps, product_bits),
            moment(dis, dis, mean_dis, mean_dis, taps, product_bits),
            moment(ref, dis, mean_ref, mean_dis, taps, product_bits),
        )
    )


def sums(
    x: Integer[Array, ...], taps: tuple[int, ...], axis: int, stride: int = 1
) -> Integer[Array, ...]:
    """Sums of taps, together 2^16, times samples of at most 16 bits, uint32.

    Samples are as they come, or as `short` leaves them.
    """
    if x.dtype == jnp.uint32 or max(taps) >= 1 << 15 or not staging():
        return correlate(x.astype(jnp.uint32), taps, axis, stride=stride)
    if x.dtype == jnp.uint8:
        return correlate_short(x.astype(jnp.int16), taps, axis, stride=stride).astype(jnp.uint32)
    x = x if x.dtype == jnp.int16 else centred(x)
    found = correlate_short(x, taps, axis, stride=stride)
    return found.astype(jnp.uint32) + jnp.uint32(1 << 31)


def short(x: Integer[Array, "*shape"], taps: tuple[int, ...]) -> Integer[Array, "*shape"]:
    """Samples of at most 16 bits as `sums` of these taps reads them fastest."""
    return centred(x) if max(taps) < 1 << 15 and staging() else x


def _mean_down(x: Array, *, taps: tuple[int, ...], bits: int) -> Array:
    return short(round_shift(sums(x, taps, -2), bits), taps)


def _moment(
    x: Array, y: Array, mean_x: Array, mean_y: Array, taps: tuple[int, ...], bits: int
) -> Array:
    vertical = correlate_shift(x.astype(jnp.uint32) * y.astype(jnp.uint32), taps, -2, bits)
    both = correlate_shift(vertical, taps, -1, 16)
    return (both - multiply_high(mean_x, mean_y)).astype(jnp.int32)


def _staged_moment(
    x: Array, y: Array, mean_x: Array, mean_y: Array, taps: tuple[int, ...], bits: int
) -> Array:
    if bits == 0:
        product = stage(_product, x, y)
        vertical = stage(correlate_short, product, taps=taps, axis=-2)
        # apart from sums in 32-bit lanes, which would take the width of these
        vertical = stage(_wide, vertical)
        shown = _SHOWS_BITS + 2.0**31 * sum(taps)
    else:
        product = stage(_wide_product, x, y)
        vertical = stage(_moment_down, product, taps=taps, bits=bits)
        shown = _SHOWS_BITS
    return stage(_moment_across, vertical, mean_x, mean_y, taps=taps, shown=shown)


def _product(x: Array, y: Array) -> Array:
    return centred(x.astype(jnp.uint32) * y.astype(jnp.uint32))


def _wide_product(x: Array, y: Array) -> Array:
    with jax.enable_x64(True):
        return x.astype(jnp.float64) * y.astype(jnp.float64)


def _moment_down(product: Array, *, taps: tuple[int, ...], bits: int) -> Num[Array, "rows width"]:
    """Rounded sums down the columns, whole numbers below 2^32 as float64."""
    with jax.enable_x64(True):
        return jnp.floor(correlate(product, taps, -2) * 0.5**bits + 0.5)


def _wide(x: Array) -> Array:
    with jax.enable_x64(True):
        return x.astype(jnp.float64)


def _moment_across(
    vertical: Array, mean_x: Array, mean_y: Array, *, taps: tuple[int, ...], shown: float
) -> Int[Array, "rows columns"]:
    """Rounded sums along the rows, less the product of the means."""
    with jax.enable_x64(True):
        sums = correlate(vertical, taps, -1) + shown
        both = round_shift(jax.lax.bitcast_convert_type(sums, jnp.int64), 16)
        means = round_shift(mean_x.astype(jnp.uint64) * mean_y.astype(jnp.uint64), 32)
        return both.astype(jnp.int32) - means.astype(jnp.int32)


_TABLE_SIZE = 1 << 15


@functools.cache
def _log_table() -> np.ndarray:
    """2048 log2(i) for i of 32768 to 65535, less 30720.

    The reference rounds a float32 logarithm, halves up; a float64 one gives 38 other entries.
    """
    i = np.arange(_TABLE_SIZE, 2 * _TABLE_SIZE, dtype=np.float64)
    log2 = np.log2(i).astype(np.float32).astype(np.float64)
    return (np.floor(2048 * log2 + 0.5) - 15 * 2048).astype(np.uint16)


# what makes a rounded logarithm equal the table: anything from 0.000962 to 0.001058 does
_ROUNDS = 0.00101
# added to a float32 below it, this rounds to a whole number and shows that in the low bits
_SHOWS_WHOLE = 2.0**23
_SHOWN_BITS = 0x4B000000


@functools.cache
def _polynomial() -> tuple[float, ...]:
    """2048 (log2(1 + t) - t) for t from 0 to 1 as a polynomial of 2t - 1, and `_ROUNDS`.

    Within 3e-6. Without the straight part, float32 has enough digits: all 32768 arguments stay
    within 2.8e-5, with and without fused multiply-adds.
    """
    from numpy.polynomial import chebyshev  # loaded for programs that are compiled here

    nodes = chebyshev.chebpts1(11)
    t = (1 + nodes) / 2
    values = 2048 * (np.log2(1 + t) - t)
    first, *rest = chebyshev.cheb2poly(chebyshev.chebfit(nodes, values, len(nodes) - 1))
    return (float(first + _ROUNDS), *(float(x) for x in rest))


def leading(x: Float[Array, "*shape"]) -> Int[Array, "*shape"]:
    """What `log2_leading` reads of whole float64 numbers from 2^15 below 2^32, in 32 bits.

    Call it in a 64-bit scope.
    """
    return choose(x, cpu=_upper_half, default=lambda x: x.astype(jnp.uint32).astype(jnp.int32))


def log2_leading(x: Int[Array, "*shape"]) -> Int[Array, "*shape"]:
    """2048 log2 of whole numbers, of their 16 leading bits; takes what `leading` gives."""
    return choose(x, cpu=_of_upper_half, default=lambda x: _by_table(x.astype(jnp.uint32)))


def log2_fixed(x: Int[Array, "*shape"]) -> Int[Array, "*shape"]:
    """2048 log2(x) of whole numbers from 2^15 below 2^31, of their 16 leading bits."""
    return choose(x, cpu=_of_whole, default=lambda x: _by_table(x.astype(jnp.uint32)))


def _by_table(whole: Array) -> Array:
    shift = 16 - jax.lax.clz(whole)
    index = ((whole >> shift) - _TABLE_SIZE).astype(jnp.int32)
    fraction = jnp.asarray(_log_table()).at[index].get(mode="promise_in_bounds")
    return fraction.astype(jnp.int32) + (shift.astype(jnp.int32) + 15) * 2048


def _upper_half(x: Array) -> Array:
    return (jax.lax.bitcast_convert_type(x, jnp.int64) >> 32).astype(jnp.int32)


def _of_upper_half(x: Array) -> Array:
    return _by_polynomial((x >> 5) & (_TABLE_SIZE - 1)) + ((x >> 20) - 1023) * 2048


def _of_whole(x: Array) -> Array:
    # without the bit behind the 16 leading ones no rounding to float32 reaches them
    kept = (x & ~(x >> 16)).astype(jnp.float32)
    bits = jax.lax.bitcast_convert_type(kept, jnp.int32)
    return _by_polynomial((bits >> 8) & (_TABLE_SIZE - 1)) + ((bits >> 23) - 127) * 2048


def _by_polynomial(index: Array) -> Array:
    """Entries of the table."""
    t = index.astype(jnp.float32) * (2.0 / _TABLE_SIZE) - 1.0
    highest, *others = reversed(_polynomial())
    fraction = jnp.full_like(t, highest)
    for coefficient in others:
        fraction = fraction * t + coefficient
    # the straight part is a whole number and 16ths
    rest = (index & 15).astype(jnp.float32) * (1.0 / 16.0)
    whole = jax.lax.bitcast_convert_type(rest + fraction + _SHOWS_WHOLE, jnp.int32)
    return (whole - _SHOWN_BITS) + (index >> 4)
