"""The logarithm of libvmaf's `vif`: 2048 log2(x) of the 16 leading bits of x, a whole number.

libvmaf looks it up in a table of 32768 entries. Accelerators do the same here. On CPU, XLA reads a
table one entry at a time; a polynomial that gives the same whole numbers runs in SIMD lanes.

Source: libvmaf f85a853, `integer_vif.c`.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from numpy.polynomial import chebyshev

from jaxvqa._ops.platforms import choose
from jaxvqa._typing import Array, Float, Int

_LEAST = 1 << 15


def log_table() -> np.ndarray:
    """2048 log2(i) for i of 32768 to 65535, less 30720.

    The reference rounds a float32 logarithm, halves up; a float64 one gives 38 other entries.
    """
    i = np.arange(_LEAST, 2 * _LEAST, dtype=np.float64)
    log2 = np.log2(i).astype(np.float32).astype(np.float64)
    return (np.floor(2048 * log2 + 0.5) - 15 * 2048).astype(np.uint16)


_TABLE = log_table()
# 2048 log2(1 + t) for t from 0 to 1 as a polynomial of 2t - 1, within 3e-6
_NODES = chebyshev.chebpts1(11)
_POLYNOMIAL = chebyshev.cheb2poly(
    chebyshev.chebfit(_NODES, 2048 * np.log2((3 + _NODES) / 2), len(_NODES) - 1)
)
# what makes a truncated logarithm equal the table: anything from 0.500962 to 0.501058 does
_POLYNOMIAL[0] += 0.50101
_EXPONENT_OF_ONE = 1023


def log2_fixed(x: Float[Array, "*shape"]) -> Int[Array, "*shape"]:
    """2048 log2(x) of whole numbers from 2^15 below 2^32, of their 16 leading bits.

    Takes float64 and gives int32; call it in a 64-bit scope.
    """
    return choose(x, cpu=_by_polynomial, default=_by_table)


def _by_table(x: Array) -> Array:
    whole = x.astype(jnp.uint32)
    shift = 16 - jax.lax.clz(whole)
    index = ((whole >> shift) - _LEAST).astype(jnp.int32)
    fraction = jnp.asarray(_TABLE).at[index].get(mode="promise_in_bounds")
    return fraction.astype(jnp.int32) + (shift.astype(jnp.int32) + 15) * 2048


def _by_polynomial(x: Array) -> Array:
    # a float64 shows its exponent and, behind the first, its leading bits
    bits = _bits(x)
    one = jnp.uint64(_EXPONENT_OF_ONE << 52)
    leading = bits & jnp.uint64(((1 << 15) - 1) << 37) | one
    t = jax.lax.bitcast_convert_type(leading, jnp.float64) * 2.0 - 3.0
    fraction = jnp.full_like(t, _POLYNOMIAL[-1])
    for coefficient in _POLYNOMIAL[-2::-1]:
        fraction = fraction * t + float(coefficient)
    # the sum shows the whole number in its low bits
    whole = _bits(jnp.floor(fraction) + 2.0**52) + ((bits >> 52) << 11)
    return whole.astype(jnp.int32) - _EXPONENT_OF_ONE * 2048


def _bits(x: Array) -> Array:
    return jax.lax.bitcast_convert_type(x, jnp.uint64)
