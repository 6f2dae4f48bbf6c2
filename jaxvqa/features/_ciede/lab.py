"""CIELAB of BT.709 video of limited range, as libvmaf converts it.

The tool converts in double precision and keeps the compressed X, Y and Z, L, a and b as float32. At
12 and 16 bits a difference of one code is not much more than a rounding of those, so codes are
converted in float64 up to there. Float frames are converted in float32, or in float64 if they are.

Source: libvmaf f85a853, `ciede.c`.
"""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np

from jaxvqa._planes import to_float
from jaxvqa._typing import Array
from jaxvqa.features._ciede.plain import WHITE, XYZ_OF_RGB

Triple = tuple[Array, Array, Array]


def compressed_xyz(y: Array, u: Array, v: Array, *, bit_depth: int) -> Triple:
    """X, Y and Z relative to white, compressed. Codes need a 64-bit scope and give float32."""
    codes = jnp.issubdtype(y.dtype, jnp.integer)
    if codes:
        scale = 1.0 / (1 << (bit_depth - 8))
        y, u, v = (x.astype(jnp.float64) * scale for x in (y, u, v))
    else:
        y, u, v = (to_float(x, bit_depth) for x in (y, u, v))
    y, u, v = (y - 16.0) * (1 / 219), (u - 128.0) * (1 / 224), (v - 128.0) * (1 / 224)
    red = _linear(y + 1.28033 * v)
    green = _linear(y - 0.21482 * u - 0.38059 * v)
    blue = _linear(y + 2.12798 * u)
    rows = [[share / w for share in row] for row, w in zip(XYZ_OF_RGB, WHITE, strict=True)]
    found = (_compressed(r * red + g * green + b * blue) for r, g, b in rows)
    x, y, z = (f.astype(jnp.float32) if codes else f for f in found)
    return x, y, z


def lab(x: Array, y: Array, z: Array) -> Triple:
    """L, a and b of compressed X, Y and Z."""
    return 116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)


def _power(x: Array, exponent: float) -> Array:
    """`x ** exponent` of positive numbers; XLA's own is a scalar call on CPUs."""
    return jnp.exp(exponent * jnp.log(x))


def _narrow(x: Array) -> Array:
    """What a first guess, or a correction of it, is computed in."""
    return x.astype(jnp.float32) if x.dtype == np.float64 else x


def _linear(value: Array) -> Array:
    """Linear light of an sRGB value: the power 2.4, or a line near black."""
    bright = value > 10.0 / 255.0
    base = jnp.where(bright, (value + 0.055) * (1 / 1.055), 1.0)
    light = base * base
    # the fifth root of the square: a guess, and a step of Newton for the last digits
    guess = _power(_narrow(base), 0.4)
    root = guess.astype(value.dtype)
    fourth = guess * guess * (guess * guess)
    square = root * root
    root = root + (_narrow(light - square * square * root) * (0.2 / fourth)).astype(value.dtype)
    return jnp.where(bright, light * root, value * (1 / 12.92))


def _compressed(ratio: Array) -> Array:
    """CIELAB's cube root with a line near black."""
    bright = ratio > 216.0 / 24389.0
    x = jnp.where(bright, ratio, 1.0)
    guess = _power(_narrow(x), 1 / 3)
    root = guess.astype(ratio.dtype)
    step = _narrow(x - root * root * root) * ((1 / 3) / (guess * guess))
    root = root + step.astype(ratio.dtype)
    return jnp.where(bright, root, ratio * (24389.0 / 27.0 / 116.0) + 16.0 / 116.0)
