"""CIEDE2000 of two pictures, libvmaf's `ciede`.

Source: libvmaf f85a853, `ciede.c`; after Sharma, Wu and Dalal, "The CIEDE2000 color-difference
formula", Color Research and Application 30(1), 2005. plain.py has the same formula with its angles;
here hues are unit vectors, which needs no trigonometric function but one, and no case for the
border at 0 degrees.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import jax.numpy as jnp

from jaxvqa._ops import safe
from jaxvqa._ops.double import in_float64
from jaxvqa._ops.stages import row_sums, stage
from jaxvqa._ops.tiling import map_frames, map_rows
from jaxvqa._planes import Planes, VideoLike
from jaxvqa._typing import Array, Float, Num
from jaxvqa.features._ciede.lab import Triple, compressed_xyz, lab
from jaxvqa.features._ciede.plain import K_C, K_H, K_L
from jaxvqa.features._feature import CHROMA, Feature, Loss, Output, Series
from jaxvqa.features._options import Options
from jaxvqa.features._run import documented, run

# a smaller mean difference counts as this one: an equal pair has a finite score. One 16-bit code in
# one sample of an 8K frame makes 5e-11
_LEAST = 1e-12
_EQUAL = 45.0 - 20.0 * math.log10(_LEAST)
_25_POWER_7 = 25.0**7
# power series, highest power first. Squared angle by 1 - cos(angle): 5e-7 off at 45 degrees, more
# beyond, where the bell around blue that it is used for is flat. sin(x) / x by x^2: 4e-8 at 60
_ANGLE_SQUARED = [2.0 ** (n + 1) / (n * n * math.comb(2 * n, n)) for n in range(8, 0, -1)]
_SINE = [(-1.0) ** n / math.factorial(2 * n + 1) for n in range(4, -1, -1)]


def _share_of_power_7(c: Array) -> Array:
    """`sqrt(c^7 / (c^7 + 25^7))`."""
    c7 = c * (c * c) * (c * c) * (c * c)
    return safe.sqrt(c7 / (c7 + _25_POWER_7))


def _length(a: Array, b: Array) -> Array:
    return safe.sqrt(a * a + b * b)


def _hue_terms(a1: Array, b1: Array, a2: Array, b2: Array, c1: Array, c2: Array) -> Triple:
    """Difference of hue, and cosine and sine of the mean hue, from stretched a and b.

    The bisector of two hues is the direction of the sum of their unit vectors. With p = c1 c2 and
    the products d (dot) and x (cross) of both vectors, the difference `2 sqrt(p) sin(arc / 2)` is
    `x sqrt(2 / (p + d))`, or, where they point apart and p + d cancels, `sqrt(2 (p - d))`.
    """
    product = c1 * c2
    dot = a1 * a2 + b1 * b2
    cross = a1 * (b2 - b1) - b1 * (a2 - a1)  # 0 for equal colours, however it is rounded
    near = dot >= 0
    narrow = cross * safe.sqrt(safe.divide(2.0, jnp.where(near, product + dot, 0.0)))
    wide = safe.sqrt(jnp.where(near, 0.0, 2.0 * (product - dot)))
    hue = jnp.where(near, narrow, jnp.where(cross < 0, -wide, wide))
    a, b = a1 * c2 + a2 * c1, b1 * c2 + b2 * c1
    length = _length(a, b)
    return hue, safe.divide(a, length, otherwise=1.0), safe.divide(b, length)


def _hue_weight(cos: Array, sin: Array) -> Array:
    """T, the sum of cosines of multiples of the mean hue."""

    def turned(c: Array, s: Array, degrees: float) -> Array:
        return c * math.cos(math.radians(degrees)) - s * math.sin(math.radians(degrees))

    cos2, sin2 = cos * cos - sin * sin, 2.0 * sin * cos
    cos3, sin3 = cos2 * cos - sin2 * sin, sin2 * cos + cos2 * sin
    cos4, sin4 = cos2 * cos2 - sin2 * sin2, 2.0 * sin2 * cos2
    return (
        1.0
        - 0.17 * turned(cos, sin, -30.0)
        + 0.24 * cos2
        + 0.32 * turned(cos3, sin3, 6.0)
        - 0.20 * turned(cos4, sin4, -63.0)
    )


def _rotation(chroma: Array, cos: Array, sin: Array) -> Array:
    """R_T: near blue, differences of chroma and hue count together."""
    blue = math.radians(275.0)
    away = 1.0 - (cos * math.cos(blue) + sin * math.sin(blue))
    squared = jnp.zeros_like(away)
    for factor in _ANGLE_SQUARED:
        squared = (squared + factor) * away
    angle = math.radians(60.0) * jnp.exp(squared * (-1.0 / math.radians(25.0) ** 2))
    square, sine = angle * angle, jnp.zeros_like(angle)
    for factor in _SINE:
        sine = sine * square + factor
    return -2.0 * _share_of_power_7(chroma) * (angle * sine)


def delta_e(ref: Triple, dis: Triple) -> Float[Array, "rows width"]:
    """CIEDE2000 by sample.

    Args:
        ref: compressed X, Y and Z.
        dis: the same of the distorted picture.

    Returns:
        The difference, 0 where the colours are equal.
    """
    (l1, a1, b1), (l2, a2, b2) = lab(*ref), lab(*dis)
    stretch = 1.5 - 0.5 * _share_of_power_7((_length(a1, b1) + _length(a2, b2)) * 0.5)
    a1, a2 = stretch * a1, stretch * a2
    c1, c2 = _length(a1, b1), _length(a2, b2)
    chroma = (c1 + c2) * 0.5
    off_50 = (l1 + l2) * 0.5 - 50.0
    off_50 = off_50 * off_50
    hue, cos, sin = _hue_terms(a1, b1, a2, b2, c1, c2)

    lightness = (l2 - l1) / (K_L * (1.0 + 0.015 * off_50 / jnp.sqrt(20.0 + off_50)))
    chromatic = (c2 - c1) / (K_C * (1.0 + 0.045 * chroma))
    hue = hue / (K_H * (1.0 + 0.015 * chroma * _hue_weight(cos, sin)))
    rotation = _rotation(chroma, cos, sin)
    squared = lightness**2 + chromatic**2 + hue**2 + rotation * chromatic * hue
    # the compiler may round both sides differently, even where they are equal
    same = (ref[0] == dis[0]) & (ref[1] == dis[1]) & (ref[2] == dis[2])
    return safe.sqrt(jnp.where(same, 0.0, squared))


def _differences(x1: Array, y1: Array, z1: Array, x2: Array, y2: Array, z2: Array) -> Array:
    return delta_e((x1, y1, z1), (x2, y2, z2))


def _repeated(
    plane: Num[Array, "frames h2 w2"], height: int, width: int
) -> Num[Array, "frames h w"]:
    """Chroma at the size of luma, each sample repeated; odd sizes drop the last repetition."""
    if plane.shape[1] != height:
        plane = jnp.repeat(plane, 2, axis=1)[:, :height]
    if plane.shape[2] != width:
        plane = jnp.repeat(plane, 2, axis=2)[:, :, :width]
    return plane


def _extract(ref: Planes, dis: Planes, options: Options) -> Series:
    height, width = ref.height, ref.width
    xyz = functools.partial(stage, compressed_xyz, bit_depth=ref.depth)

    def strip(*planes: Array) -> Array:
        return row_sums(_differences, *xyz(*planes[:3]), *xyz(*planes[3:]))

    def frame(*planes: Array) -> Array:
        return map_rows(strip, planes, height=height).sum() / (height * width)

    def frames(*stacks: Array) -> Array:
        return map_frames(frame, *stacks, recompute=True)

    stacks = [
        plane
        for x in (ref, dis)
        for plane in (x.y, *(_repeated(c, height, width) for c in (x.u, x.v)))
    ]
    codes = all(jnp.issubdtype(x.dtype, jnp.integer) for x in stacks)
    mean = in_float64(frames, *stacks) if codes else frames(*stacks)
    score = 45.0 - (20.0 / math.log(10.0)) * jnp.log(jnp.maximum(mean, _LEAST))
    return {"ciede2000": score, "delta_e": mean}


def _outputs(options: Options) -> tuple[Output, ...]:
    return (
        Output("ciede2000", "higher", _EQUAL, "ciede2000"),
        Output("delta_e", "lower", 0.0, shown=False),
    )


CIEDE = Feature(
    name="ciede",
    summary="CIEDE2000 colour difference, as a score in dB",
    extract=_extract,
    outputs=_outputs,
    planes=CHROMA,
    loss=Loss(
        "ciede",
        "Mean CIEDE2000 colour difference, with the weights 0.65, 1 and 4 of libvmaf.",
        value="delta_e",
        returns="0 for an equal pair, 1 for a difference that can just be seen, about 100 from "
        "black to white. It is the difference itself and not its logarithm.",
    ),
    libvmaf=True,
)


@documented(CIEDE)
def ciede(
    ref: VideoLike, dis: VideoLike, *, bit_depth: int | None = None, **options: Any
) -> dict[str, Array]:
    """Colour difference CIEDE2000, `ciede` of libvmaf.

    Models how different two colours look, sample by sample, side by side: lightness, chroma and
    hue, each as fine as the eye sees it at that colour. It knows neither size nor neighbourhood of
    a difference. Video is taken as BT.709 of limited range.

    {args}

    Returns:
        `{"ciede2000", "delta_e"}`, each `(frames,)`: the score `45 - 20 log10(mean difference)`,
        higher is better, 285 for equal frames; and the mean difference itself, from 0.

    Raises:
        ValueError: video without chroma, bad options or shapes. TypeError: bad dtypes.

    Source: libvmaf f85a853, `ciede.c`. Of codes of up to 12 bits it matches within 1e-5, of 16 bits
    within 1e-4 (see `lab.py`); differs for 4:2:2, where libvmaf
    exchanges the directions in which chroma is repeated, and for equal frames, where it is
    infinite.

    Example:
        >>> import numpy as np, jaxvqa
        >>> grey = np.full((1, 16, 16), 128, np.uint8)
        >>> ref, dis = jaxvqa.Planes(grey, grey, grey), jaxvqa.Planes(grey + 2, grey, grey + 2)
        >>> found = jaxvqa.features.ciede(ref, dis)
        >>> round(float(found["delta_e"][0]), 1), round(float(found["ciede2000"][0]), 1)
        (2.6, 36.7)
    """
    return run(CIEDE, ref, dis, bit_depth, options)
