"""Luminance, contrast and structure around each sample, as what each lacks of 1.

Source: libvmaf f85a853, `iqa/ssim_tools.c`. The tool takes variances as differences of means of
squares, whose float32 steps are up to 0.004 at white. On smooth content that noise does not average
out: a variance is cut at 0, contrast and structure are not linear in it. So the means here are
rounded where the tool rounds them. What follows is small and needs no such care.
"""

from __future__ import annotations

import jax.numpy as jnp

from jaxvqa._ops import safe
from jaxvqa._ops.filters import correlate
from jaxvqa._ops.stages import stage
from jaxvqa._ops.tiling import map_rows
from jaxvqa._planes import to_float
from jaxvqa._typing import Array, Float, Num

_HALF = (0.001028, 0.007599, 0.036001, 0.109361, 0.213006)
# the tool's Gaussian of sigma 1.5, six decimals; its sum of 1.000002 is part of the definition
WINDOW = (*_HALF, 0.266012, *_HALF[::-1])
SIDE = len(WINDOW)
C1 = (0.01 * 255) ** 2
C2 = (0.03 * 255) ** 2
# below any product of means; a maximum with it keeps compilers from fusing product and difference
NOTHING = 1e-30

LIKE = "luminance"
PARTS = ("l", "c", "s", "all", LIKE)


def lacking(
    ref: Num[Array, "h w"], dis: Num[Array, "h w"], bit_depth: int, parts: tuple[str, ...]
) -> dict[str, Float[Array, ""]]:
    """Means of 1 - luminance, 1 - contrast, 1 - structure and 1 - their product.

    And of luminance itself, `LIKE`, which is known to more digits near 0.

    Args:
        ref: reference, code values or floats.
        dis: distorted picture of the same shape.
        bit_depth: bits per sample.
        parts: which of `PARTS`.

    Returns:
        Those means, over all places where the window fits.
    """
    height, width = ref.shape[0] - SIDE + 1, ref.shape[1] - SIDE + 1

    def rows(ref: Array, dis: Array) -> tuple[Array, ...]:
        pair = (stage(to_float, x, bit_depth=bit_depth) for x in (ref, dis))
        maps = stage(_maps, *moments(*pair), parts=parts)
        return tuple(x.sum(-1, dtype=x.dtype) for x in maps)

    sums = map_rows(rows, (ref, dis), height=height, halo=SIDE - 1)
    return {p: x.sum() * (1.0 / (height * width)) for p, x in zip(parts, sums, strict=True)}


def moments(ref: Array, dis: Array) -> tuple[Array, ...]:
    """Local means of both pictures, of their squares and of their product."""
    across = [stage(_across, x) for x in (ref, dis)]
    across += [stage(_product_across, *xy) for xy in ((ref, ref), (dis, dis), (ref, dis))]
    return tuple(stage(_down, x) for x in across)


def _across(x: Array) -> Array:
    return correlate(x, WINDOW, -1, wide=True)


def _product_across(x: Array, y: Array) -> Array:
    return correlate(x * y, WINDOW, -1, wide=True)


def _down(x: Array) -> Array:
    return correlate(x, WINDOW, -2, wide=True)


def variances(
    mean_r: Array, mean_d: Array, square_r: Array, square_d: Array, product: Array
) -> tuple[Array, Array, Array]:
    """Both local variances and the covariance, from `moments`."""
    var_r = jnp.maximum(square_r - jnp.maximum(mean_r * mean_r, NOTHING), 0.0)
    var_d = jnp.maximum(square_d - jnp.maximum(mean_d * mean_d, NOTHING), 0.0)
    cov = product - jnp.maximum(mean_r * mean_d, NOTHING)
    # rounding makes a covariance with a flat area negative, which must cost nothing
    return var_r, var_d, jnp.where((cov < 0) & (var_r * var_d <= 0), 0.0, cov)


def _maps(
    mean_r: Array,
    mean_d: Array,
    square_r: Array,
    square_d: Array,
    product: Array,
    *,
    parts: tuple[str, ...],
) -> tuple[Array, ...]:
    squared_r, squared_d = mean_r * mean_r, mean_d * mean_d
    var_r, var_d, cov = variances(mean_r, mean_d, square_r, square_d, product)
    both = var_r + var_d + C2
    found = {"l": (mean_r - mean_d) ** 2 / (squared_r + squared_d + C1)}
    if LIKE in parts:
        found[LIKE] = (2.0 * mean_r * mean_d + C1) / (squared_r + squared_d + C1)
    if "all" in parts:
        # contrast times structure: the deviations cancel, and with them a root
        rest = (var_r + var_d - 2.0 * cov) / both
        found["all"] = found["l"] + rest - found["l"] * rest
    if "c" in parts or "s" in parts:
        deviations = safe.sqrt(var_r * var_d)
        found["c"] = (var_r + var_d - 2.0 * deviations) / both
        found["s"] = (deviations - cov) / (deviations + C2 / 2)
    return tuple(found[part] for part in parts)
