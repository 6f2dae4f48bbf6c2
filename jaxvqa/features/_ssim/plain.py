"""SSIM and MS-SSIM as the papers tell them: the page to read first.

In a window around each place three things are compared, each 1 where both pictures agree: the means
m (luminance), the deviations s (contrast), and the correlation of what remains (structure):

    l = (2 m_r m_d + C1) / (m_r^2 + m_d^2 + C1)
    c = (2 s_r s_d + C2) / (s_r^2 + s_d^2 + C2)
    s = (cov + C3) / (s_r s_d + C3)

SSIM is the mean of l c s over the picture, after downsampling to a shorter side near 256. MS-SSIM
takes the means of c and s at five scales, and of l at the coarsest, to a power for each scale.

Source: Wang et al., IEEE TIP 13(4), 2004; Wang, Simoncelli and Bovik, Asilomar 2003; libvmaf
f85a853, `ssim.c`, `ms_ssim.c`, `iqa`. In float64 within 2e-5 of the tool, which rounds means of
squares to float32. `jaxvqa.features.ssim` and `ms_ssim` round as it does.
"""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp

from jaxvqa._ops import safe
from jaxvqa._typing import Array, Float

C1, C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
C3 = C2 / 2
EXPONENTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
# half of a Gaussian of sigma 1.5, and a quarter of the 9/7 wavelet's low-pass, centre included
WINDOW = [0.001028, 0.007599, 0.036001, 0.109361, 0.213006, 0.266012]
LOW_PASS = [
    [0.000714, -0.000450, -0.002090, 0.007132, 0.016114],
    [-0.000450, 0.000283, 0.001316, -0.004490, -0.010146],
    [-0.002090, 0.001316, 0.006115, -0.020867, -0.047149],
    [0.007132, -0.004490, -0.020867, 0.071207, 0.160885],
    [0.016114, -0.010146, -0.047149, 0.160885, 0.363505],
]


def filtered(image: Float[Array, "height width"], table: Array, step: int = 1) -> Array:
    """Sum weighted with a table, at every `step`-th place where the table fits."""
    strides, weights = (step, step), table.astype(image.dtype)[None, None]
    return jax.lax.conv_general_dilated(image[None, None], weights, strides, "VALID")[0, 0]


def smaller(image: Float[Array, "height width"], table: Array, factor: int) -> Array:
    """Filtered and downsampled; beyond the border the picture is mirrored."""
    before, around, used = len(table) // 2, [], image
    for axis, size in enumerate(image.shape):
        # libvmaf: an odd size adds a sample, whatever the factor
        count = size // factor + size % 2
        after = (count - 1) * factor + len(table) - before - size
        used = jax.lax.slice_in_dim(used, 0, size + min(after, 0), axis=axis)
        around.append((before, max(after, 0)))
    return filtered(jnp.pad(used, around, mode="symmetric"), table, factor)


def compared(
    ref: Float[Array, "height width"], dis: Float[Array, "height width"]
) -> tuple[Array, Array, Array]:
    """Luminance, contrast and structure at each place."""
    taps = jnp.array(WINDOW + WINDOW[-2::-1], ref.dtype)
    maps = (ref, dis, ref * ref, dis * dis, ref * dis)
    mean_r, mean_d, mean_rr, mean_dd, mean_rd = (
        filtered(filtered(x, taps[:, None]), taps[None]) for x in maps
    )
    var_r = jnp.maximum(mean_rr - mean_r**2, 0.0)
    var_d = jnp.maximum(mean_dd - mean_d**2, 0.0)
    cov = mean_rd - mean_r * mean_d
    deviations = safe.sqrt(var_r * var_d)
    # libvmaf: the window's sum is not quite 1, which makes cov negative beside a flat area
    cov = jnp.where((cov < 0) & (deviations <= 0), 0.0, cov)
    luminance = (2 * mean_r * mean_d + C1) / (mean_r**2 + mean_d**2 + C1)
    contrast = (2 * deviations + C2) / (var_r + var_d + C2)
    return luminance, contrast, (cov + C3) / (deviations + C3)


def ssim(
    ref: Float[Array, "height width"], dis: Float[Array, "height width"], *, scale: int = 0
) -> dict[str, Float[Array, ""]]:
    """Structural similarity of one frame.

    Models how alike local brightness, contrast and pattern are.

    Args:
        ref: reference, luma as float code values on the 8-bit scale.
        dis: distorted frame of the same shape and dtype.
        scale: downsampling factor; 0 is the shorter side over 256, rounded, at least 1.

    Returns:
        `{"float_ssim", "float_ssim_l", "float_ssim_c", "float_ssim_s"}`, scalars; 1 for identical
        frames; higher is better.
    """
    scale = scale or max(1, math.floor(min(ref.shape) / 256 + 0.5))
    if scale > 1:
        box = jnp.full((scale, scale), 1 / scale**2, ref.dtype)
        ref, dis = smaller(ref, box, scale), smaller(dis, box, scale)
    lum, con, struct = compared(ref, dis)
    maps = {"": lum * con * struct, "_l": lum, "_c": con, "_s": struct}
    return {f"float_ssim{part}": x.mean() for part, x in maps.items()}


def ms_ssim(
    ref: Float[Array, "height width"], dis: Float[Array, "height width"]
) -> dict[str, Float[Array, ""]]:
    """Structural similarity of one frame at five scales.

    Models how alike local contrast and pattern are from fine to coarse.

    Args:
        ref: reference of at least 176x176, luma as float code values on the 8-bit scale.
        dis: distorted frame of the same shape and dtype.

    Returns:
        `{"float_ms_ssim"}` and the means `"float_ms_ssim_l_scale0"` to `"float_ms_ssim_s_scale4"`,
        scalars; 1 for identical frames; higher is better.
    """
    table = jnp.pad(jnp.array(LOW_PASS, ref.dtype), ((0, 4), (0, 4)), mode="reflect")
    found, score = {}, jnp.ones((), ref.dtype)
    for scale, exponent in enumerate(EXPONENTS):
        if scale > 0:
            ref, dis = smaller(ref, table, 2), smaller(dis, table, 2)
        means = {part: x.mean() for part, x in zip("lcs", compared(ref, dis), strict=True)}
        for part in "lcs" if scale == len(EXPONENTS) - 1 else "cs":
            score *= safe.power(means[part], exponent)
        found |= {f"float_ms_ssim_{part}_scale{scale}": mean for part, mean in means.items()}
    return {"float_ms_ssim": score} | found
