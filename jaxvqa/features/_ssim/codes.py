"""Luminance, contrast and structure of whole codes, with every rounding of the tool.

Where a mean is near 0, as luminance of black against white, or near 1 and shown in decibels, the
last digits of float32 count. So each step has the tool's precision: sums along windows and means in
double, variances in float32, luminance and contrast in double, structure in float32.

Source: libvmaf f85a853, `iqa/ssim_tools.c`. Call it in a 64-bit scope.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from jaxvqa._ops.stages import joint_row_sums, stage
from jaxvqa._ops.tiling import map_rows
from jaxvqa._planes import to_float
from jaxvqa._typing import Array, Float, Num
from jaxvqa.features._ssim.similarity import NOTHING, SIDE, moments, variances

_RANGE = np.float32(255.0)
_C1 = float((np.float32(0.01) * _RANGE) ** 2)
_C2 = float((np.float32(0.03) * _RANGE) ** 2)
_C3 = float(np.float32(_C2) / np.float32(2.0))


def similar(
    ref: Num[Array, "h w"], dis: Num[Array, "h w"], bit_depth: int, parts: tuple[str, ...]
) -> dict[str, Float[Array, ""]]:
    """Means of luminance, contrast, structure and their product, rounded to float32.

    Args:
        ref: reference, codes, or floats that were made from codes.
        dis: distorted picture of the same shape.
        bit_depth: bits per sample.
        parts: which of `similarity.PARTS`.

    Returns:
        Those means, over all places where the window fits; 1 where all windows are equal.
    """
    height, width = ref.shape[0] - SIDE + 1, ref.shape[1] - SIDE + 1

    def rows(ref: Array, dis: Array) -> tuple[Array, ...]:
        pair = (stage(to_float, x, bit_depth=bit_depth) for x in (ref, dis))
        return joint_row_sums(*stage(_maps, *moments(*pair), parts=parts))

    *sums, unequal = map_rows(rows, (ref, dis), height=height, halo=SIDE - 1)
    alike = unequal.sum() == 0
    means = (jnp.where(alike, 1.0, x.sum() / (height * width)) for x in sums)
    return dict(zip(parts, map(as_float32, means), strict=True))


def as_float32(x: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """Float64 values rounded to float32; a conversion there and back might be left out."""
    return jax.lax.reduce_precision(x, exponent_bits=8, mantissa_bits=23)


def _maps(*moments: Array, parts: tuple[str, ...]) -> tuple[Array, ...]:
    """Luminance, contrast, structure and their product, and where the windows are not equal."""
    mean_r, mean_d, square_r, square_d, product = moments
    var_r, var_d, cov = variances(*moments)
    deviations = jnp.sqrt(var_r * var_d)
    brightness = jnp.maximum(mean_r * mean_r, NOTHING) + jnp.maximum(mean_d * mean_d, NOTHING)
    structure = (cov + _C3) / (deviations + _C3)
    luminance = (2.0 * _wide(mean_r) * _wide(mean_d) + _C1) / _wide(brightness + _C1)
    contrast = (2.0 * _wide(deviations) + _C2) / _wide(var_r + var_d + _C2)
    found = {"l": luminance, "c": contrast, "s": _wide(structure)}
    found["all"] = luminance * contrast * found["s"]
    unequal = (mean_r != mean_d) | (square_r != square_d) | (square_r != product)
    return *(found[part] for part in parts), _wide(unequal)


def _wide(x: Array) -> Array:
    return x.astype(jnp.float64)
