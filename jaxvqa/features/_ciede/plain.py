"""CIEDE2000 as its authors tell it: the page to read first.

CIELAB places colours so that distances look equal, roughly. CIEDE2000 mends what is left: it weighs
differences of lightness, chroma and hue by how well the eye sees each of them at that colour.

Source: Sharma, Wu and Dalal, "The CIEDE2000 color-difference formula", Color Research and
Application 30(1), 2005; Yang, Ming and Yu, "Color image quality assessment based on CIEDE2000",
Advances in Multimedia, 2012 (the weights 0.65, 1 and 4); libvmaf f85a853, `ciede.c` (the score and
its conversion of colours). `jaxvqa.features.ciede` gives the same score, faster and with gradients
that are finite everywhere.
"""

from __future__ import annotations

import math

import jax.numpy as jnp

from jaxvqa._typing import Array, Float

# share of each XYZ value in linear R, G and B, and the white of D65
XYZ_OF_RGB = (
    (0.4124564390896921, 0.357576077643909, 0.18043748326639894),
    (0.21267285140562248, 0.715152155287818, 0.07217499330655958),
    (0.019333895582329317, 0.119192025881303, 0.9503040785363677),
)
WHITE = (0.95047, 1.0, 1.08883)
# weights of lightness, chroma and hue
K_L, K_C, K_H = 0.65, 1.0, 4.0

Plane = Float[Array, "height width"]


def linear_light(value: Plane) -> Plane:
    """Linear light of an sRGB value; libvmaf's border between line and power is 10/255."""
    power = ((jnp.maximum(value, 0.0) + 0.055) / 1.055) ** 2.4
    return jnp.where(value > 10 / 255, power, value / 12.92)


def lightness_of(ratio: Plane) -> Plane:
    """CIELAB's compressed ratio of a colour's X, Y or Z to that of white."""
    line = (24389 / 27 * ratio + 16) / 116
    return jnp.where(ratio > 216 / 24389, jnp.cbrt(ratio), line)


def lab(y: Plane, u: Plane, v: Plane) -> tuple[Plane, Plane, Plane]:
    """CIELAB of BT.709 video of limited range, as 8-bit code values."""
    y, u, v = (y - 16) / 219, (u - 128) / 224, (v - 128) / 224
    rgb = (y + 1.28033 * v, y - 0.21482 * u - 0.38059 * v, y + 2.12798 * u)
    red, green, blue = (linear_light(c) for c in rgb)
    x, y, z = (
        lightness_of((r * red + g * green + b * blue) / white)
        for (r, g, b), white in zip(XYZ_OF_RGB, WHITE, strict=True)
    )
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def hue_angle(a: Plane, b: Plane) -> Plane:
    """Angle of a colour's hue, 0 to 2 pi, and 0 for grey."""
    return jnp.arctan2(b, a) % (2 * math.pi)


def difference(
    lab1: tuple[Plane, Plane, Plane], lab2: tuple[Plane, Plane, Plane]
) -> Float[Array, "height width"]:
    """CIEDE2000 of two colours: 1 can just be seen, side by side."""
    (l1, a1, b1), (l2, a2, b2) = lab1, lab2
    # a is stretched near grey, where the eye sees finer differences of it
    c7 = ((jnp.hypot(a1, b1) + jnp.hypot(a2, b2)) / 2) ** 7
    stretch = 1 + 0.5 * (1 - jnp.sqrt(c7 / (c7 + 25.0**7)))
    a1, a2 = stretch * a1, stretch * a2
    c1, c2 = jnp.hypot(a1, b1), jnp.hypot(a2, b2)
    h1, h2 = hue_angle(a1, b1), hue_angle(a2, b2)

    # the way between two hues is the shorter arc, and the mean hue lies on it
    arc = (h2 - h1 + math.pi) % (2 * math.pi) - math.pi
    lightness, chroma, hue = (l1 + l2) / 2, (c1 + c2) / 2, h1 + arc / 2
    d_lightness, d_chroma = l2 - l1, c2 - c1
    d_hue = 2 * jnp.sqrt(c1 * c2) * jnp.sin(arc / 2)

    t = (
        1
        - 0.17 * jnp.cos(hue - math.radians(30))
        + 0.24 * jnp.cos(2 * hue)
        + 0.32 * jnp.cos(3 * hue + math.radians(6))
        - 0.20 * jnp.cos(4 * hue - math.radians(63))
    )
    off_50 = (lightness - 50) ** 2
    d_lightness /= K_L * (1 + 0.015 * off_50 / jnp.sqrt(20 + off_50))
    d_chroma /= K_C * (1 + 0.045 * chroma)
    d_hue /= K_H * (1 + 0.015 * chroma * t)

    # in blue, around 275 degrees, chroma and hue are seen together
    from_blue = (hue - math.radians(275) + math.pi) % (2 * math.pi) - math.pi
    angle = math.radians(60) * jnp.exp(-((from_blue / math.radians(25)) ** 2))
    rotation = -2 * jnp.sqrt(chroma**7 / (chroma**7 + 25.0**7)) * jnp.sin(angle)
    return jnp.sqrt(d_lightness**2 + d_chroma**2 + d_hue**2 + rotation * d_chroma * d_hue)


def ciede(ref: Float[Array, "3 height width"], dis: Float[Array, "3 height width"]) -> Array:
    """The score of two 4:4:4 frames of 8-bit code values: `45 - 20 log10` of the mean difference.

    Args:
        ref: reference Y, Cb and Cr.
        dis: distorted frame, the same.

    Returns:
        Scalar, higher is better; infinite for equal frames.
    """
    return 45 - 20 * jnp.log10(difference(lab(*ref), lab(*dis)).mean())
