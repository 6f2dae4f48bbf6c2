"""RGB to luma and chroma code values, differentiable: the front end of the losses.

Source: ITU-R BT.601, BT.709, BT.2020 (matrices), ITU-T H.273 (quantisation, sample positions).
"""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from jaxvqa import _checks as checks
from jaxvqa._planes import CHROMA_FORMATS, Planes
from jaxvqa._typing import Array, Float

# shares of red and blue in luma
MATRICES = {"bt601": (0.299, 0.114), "bt709": (0.2126, 0.0722), "bt2020": (0.2627, 0.0593)}
RANGES = ("limited", "full")
SITINGS = ("left", "center", "topleft")


def rgb_to_planes(
    rgb: Any,
    *,
    matrix: str = "bt709",
    range: str = "limited",
    chroma: str = "420",
    bit_depth: int = 8,
    siting: str = "left",
    rgb_bit_depth: int | None = None,
) -> Planes:
    """Converts RGB pictures to code values of Y'CbCr, unrounded.

    The RGB samples are display signals (gamma encoded), not linear light, as video has them.

    Args:
        rgb: `(..., height, width, 3)`: floats on a scale from 0 to 1, or integer codes. Values
            outside of 0 to 1 are converted as they are, nothing is clipped.
        matrix: "bt709" (HD), "bt601" (SD) or "bt2020" (UHD, non-constant luminance).
        range: "limited" (at 8 bits luma 16 to 235, chroma 16 to 240) or "full" (0 to 255).
        chroma: "420", "422", "444", or "400" for luma alone. Odd sizes round up: the last row or
            column repeats beyond the border.
        bit_depth: bits of the code values made.
        siting: where chroma samples of 4:2:0 and 4:2:2 lie. "left": on every other column, midway
            between two rows (MPEG-2 and later, the default of most decoders); "center": midway
            between both (JPEG, MPEG-1); "topleft": on every other column and row (BT.2020 UHD). An
            axis that lies midway averages two samples, one that lies on samples weights three by
            1/4, 1/2, 1/4.
        rgb_bit_depth: bits of integer `rgb`; may be left out for uint8.

    Returns:
        `Planes` of float32 code values (float64 for float64 input), linear in `rgb`, so gradients
        pass unchanged. Equal to a converter that rounds within half a code.

    Raises:
        ValueError: an unknown name, a shape without three channels, or a missing bit depth.
        TypeError: a dtype other than uint8, uint16 or float.
    """
    checks.one_of("matrix", matrix, MATRICES)
    checks.one_of("range", range, RANGES)
    checks.one_of("chroma", chroma, CHROMA_FORMATS)
    checks.one_of("siting", siting, SITINGS)
    checks.check_bit_depth(bit_depth, jnp.float32)
    signal = _signal(rgb, rgb_bit_depth)
    red, green, blue = signal[..., 0], signal[..., 1], signal[..., 2]
    of_red, of_blue = MATRICES[matrix]
    luma = of_red * red + (1 - of_red - of_blue) * green + of_blue * blue
    y = _luma_codes(luma, range, bit_depth)
    if chroma == "400":
        return Planes(y, bit_depth=bit_depth)
    planes = []
    for channel, share in ((blue, of_blue), (red, of_red)):
        difference = (channel - luma) / (2 * (1 - share))
        if chroma == "420":
            difference = _halve(difference, -2, midway=siting != "topleft")
        if chroma != "444":
            difference = _halve(difference, -1, midway=siting == "center")
        planes.append(_chroma_codes(difference, range, bit_depth))
    return Planes(y, *planes, bit_depth=bit_depth)


def _signal(rgb: Any, rgb_bit_depth: int | None) -> Float[Array, "*shape 3"]:
    """RGB as floats from 0 to 1."""
    if not hasattr(rgb, "shape") or not hasattr(rgb, "dtype"):
        raise TypeError(f"rgb must be an array (..., height, width, 3), got {type(rgb).__name__}.")
    checks.check_sample_dtype("rgb", rgb.dtype)
    if len(rgb.shape) < 3 or rgb.shape[-1] != 3 or 0 in rgb.shape:
        raise ValueError(f"rgb has shape {rgb.shape}: give (..., height, width, 3).")
    rgb = jnp.asarray(rgb)
    if jnp.issubdtype(rgb.dtype, jnp.floating):
        if rgb_bit_depth is not None:
            raise ValueError("rgb_bit_depth is for integer codes: float rgb runs from 0 to 1.")
        return rgb if rgb.dtype == jnp.float64 else rgb.astype(jnp.float32)
    if rgb_bit_depth is None and rgb.dtype != jnp.uint8:
        raise ValueError(f"rgb_bit_depth is needed for {rgb.dtype.name} codes: pass 8 to 16.")
    depth = checks.check_bit_depth(rgb_bit_depth, rgb.dtype)
    return rgb.astype(jnp.float32) / float((1 << depth) - 1)


def _luma_codes(luma: Array, range: str, bit_depth: int) -> Array:
    if range == "full":
        return luma * float((1 << bit_depth) - 1)
    return (luma * 219.0 + 16.0) * float(1 << (bit_depth - 8))


def _chroma_codes(difference: Array, range: str, bit_depth: int) -> Array:
    if range == "full":
        return difference * float((1 << bit_depth) - 1) + float(1 << (bit_depth - 1))
    return (difference * 224.0 + 128.0) * float(1 << (bit_depth - 8))


def _halve(x: Float[Array, ...], axis: int, *, midway: bool) -> Float[Array, ...]:
    """Every other sample along an axis, low-passed; an odd size rounds up, edges repeat."""
    x = jnp.moveaxis(x, axis, -1)
    last = x[..., -1:]
    if x.shape[-1] % 2:
        x = jnp.concatenate([x, last], axis=-1)
    even, odd = x[..., 0::2], x[..., 1::2]
    if midway:
        halved = (even + odd) * 0.5
    else:
        before = jnp.concatenate([even[..., :1], odd[..., :-1]], axis=-1)
        halved = even * 0.5 + (before + odd) * 0.25
    return jnp.moveaxis(halved, -1, axis)
