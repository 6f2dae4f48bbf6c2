"""The transform of PSNR-HVS: a DCT of orthonormal scale, in lifting steps that round integers.

Rounding is part of the metric: an exact DCT, rounded, gives up to 1 dB more or less.

Source: libvmaf f85a853, `third_party/xiph/psnr_hvs.c` (Daala's transform).
"""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np

Eight = list[Any]


def _half(a: Any) -> Any:
    """`a / 2`; halves of integers round towards 0."""
    if not jnp.issubdtype(a.dtype, jnp.integer):
        return a * 0.5
    return (a - (a >> 31)) >> 1


def _times(a: Any, factor: int, bits: int) -> Any:
    """`a * factor / 2^bits`, rounded to the nearest if `a` is an integer."""
    if not jnp.issubdtype(a.dtype, jnp.integer):
        return a * (factor / (1 << bits))
    return (a * np.int32(factor) + np.int32(1 << (bits - 1))) >> bits


def lifted(samples: Eight) -> Eight:
    """The transform of eight arrays, int32 or float, into eight: lowest frequency first."""
    t0, t4, t2, t6, t7, t3, t5, t1 = samples
    # sums and differences
    t1 = t0 - t1
    p = _half(t1)
    t0 = t0 - p
    t4 = t4 + t5
    q = _half(t4)
    t5 = t5 - q
    t3 = t2 - t3
    t2 = t2 - _half(t3)
    t6 = t6 + t7
    r = _half(t6)
    t7 = r - t7
    t0 = t0 + r
    t6 = t0 - t6
    t2 = q - t2
    t4 = t2 - t4
    # rotations of the even half
    t0 = t0 - _times(t4, 13573, 15)
    t4 = t4 + _times(t0, 11585, 14)
    t0 = t0 - _times(t4, 13573, 15)
    t6 = t6 - _times(t2, 21895, 15)
    t2 = t2 + _times(t6, 15137, 14)
    t6 = t6 - _times(t2, 21895, 15)
    # and of the odd half
    t3 = t3 + _times(t5, 19195, 15)
    t5 = t5 + _times(t3, 11585, 14)
    t3 = t3 - _times(t5, 7489, 13)
    t7 = _half(t5) - t7
    t5 = t5 - t7
    t3 = p - t3
    t1 = t1 - t3
    t7 = t7 + _times(t1, 3227, 15)
    t1 = t1 - _times(t7, 6393, 15)
    t7 = t7 + _times(t1, 3227, 15)
    t5 = t5 + _times(t3, 2485, 13)
    t3 = t3 - _times(t5, 18205, 15)
    t5 = t5 + _times(t3, 2485, 13)
    return [t0, t1, t2, t3, t4, t5, t6, t7]
