"""Local moments of libvmaf's fixed-point `vif`, bit for bit, in two forms.

Sums of up to 48 bits, rounded. Accelerators form them from 16-bit halves in 32-bit lanes, because
their 64-bit types are slow or emulated. On CPU exact float64 is faster, although it has half the
lanes: one fused multiply-add does what takes the halves two slow products and two additions.

Source: libvmaf f85a853, `integer_vif.c`.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp

from jaxvqa._ops.filters import correlate
from jaxvqa._ops.fixed import correlate_shift, multiply_high, round_shift
from jaxvqa._ops.stages import stage, staging
from jaxvqa._typing import Array, Int, Integer, Num

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
        means.append(stage(correlate, vertical, taps=taps, axis=-1))
    mean_ref, mean_dis = keep(means)
    return keep(
        (
            moment(ref, ref, mean_ref, mean_ref, taps, product_bits),
            moment(dis, dis, mean_dis, mean_dis, taps, product_bits),
            moment(ref, dis, mean_ref, mean_dis, taps, product_bits),
        )
    )


def _mean_down(x: Array, *, taps: tuple[int, ...], bits: int) -> Array:
    return round_shift(correlate(x.astype(jnp.uint32), taps, -2), bits)


def _moment(
    x: Array, y: Array, mean_x: Array, mean_y: Array, taps: tuple[int, ...], bits: int
) -> Array:
    vertical = correlate_shift(x.astype(jnp.uint32) * y.astype(jnp.uint32), taps, -2, bits)
    both = correlate_shift(vertical, taps, -1, 16)
    return (both - multiply_high(mean_x, mean_y)).astype(jnp.int32)


def _staged_moment(
    x: Array, y: Array, mean_x: Array, mean_y: Array, taps: tuple[int, ...], bits: int
) -> Array:
    product = stage(_product, x, y, wide=bits > 0)
    vertical = stage(_moment_down, product, taps=taps, bits=bits)
    if bits == 0:  # apart from sums in 32-bit lanes, which would take the width of these
        vertical = stage(_wide, vertical)
    return stage(_moment_across, vertical, mean_x, mean_y, taps=taps)


def _product(x: Array, y: Array, *, wide: bool) -> Array:
    with jax.enable_x64(True):
        dtype = jnp.float64 if wide else jnp.uint32
        return x.astype(dtype) * y.astype(dtype)


def _moment_down(product: Array, *, taps: tuple[int, ...], bits: int) -> Num[Array, "rows width"]:
    """Rounded sums down the columns, whole numbers below 2^32: float64, or uint32 for 0 bits."""
    with jax.enable_x64(True):
        sums = correlate(product, taps, -2)
        return sums if bits == 0 else jnp.floor(sums * 0.5**bits + 0.5)


def _wide(x: Array) -> Array:
    with jax.enable_x64(True):
        return x.astype(jnp.float64)


def _moment_across(
    vertical: Array, mean_x: Array, mean_y: Array, *, taps: tuple[int, ...]
) -> Int[Array, "rows columns"]:
    with jax.enable_x64(True):
        sums = correlate(vertical, taps, -1) + _SHOWS_BITS
        both = round_shift(jax.lax.bitcast_convert_type(sums, jnp.int64), 16)
        means = round_shift(mean_x.astype(jnp.uint64) * mean_y.astype(jnp.uint64), 32)
        return both.astype(jnp.int32) - means.astype(jnp.int32)
