"""Float VIF as the paper tells it: the page to read first.

The eye is a noisy channel. It sees the reference C as E = C + N, where N is noise of its own. The
distorted picture D = g C + V kept a share g of the contrast and added noise V; the eye sees that as
F = g C + V + N. How much do E and F say about C? For Gaussian signals the mutual informations are

    I(C; E) = log2(1 + var_c / sigma_nsq)
    I(C; F) = log2(1 + g^2 var_c / (var_v + sigma_nsq))

bits per sample. VIF = sum of I(C; F) / sum of I(C; E). The variances come from a Gaussian window
around each sample, at four scales of a pyramid of pictures. (The paper uses wavelet bands.)

Source: Sheikh and Bovik, "Image information and visual quality", IEEE TIP 15(2), 2006; libvmaf
f85a853, `float_vif.c`, `vif_tools.c`. Matches the tool within 1e-4, what its float32 loses in
differences of squares. `jaxvqa.features.vif` gives the same scores, faster and with all options.
"""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp

from jaxvqa._typing import Array, Float

SCALES = 4


def gaussian_window(scale: int, kernel_scale: float) -> list[float]:
    """Weights of 17, 9, 5 or 3 samples (times `kernel_scale`, made odd) that sum to 1."""
    radius = max(math.ceil((2 ** (4 - scale) + 1) * kernel_scale) // 2, 1)
    sigma = (2 * radius + 1) / 5
    weights = [math.exp(-0.5 * (x / sigma) ** 2) for x in range(-radius, radius + 1)]
    return [w / sum(weights) for w in weights]


def mean_of_rows(image: Float[Array, "height width"], window: list[float]) -> Array:
    """Weighted mean of the rows around each row; beyond the border the picture is mirrored."""
    radius = len(window) // 2
    rows = jnp.pad(image, ((radius, radius), (0, 0)), mode="reflect")
    mean = jnp.zeros_like(image)
    for k, weight in enumerate(window):
        mean += weight * rows[k : k + len(image)]
    return mean


def local_mean(image: Float[Array, "height width"], window: list[float]) -> Array:
    """Weighted mean around each sample, down the columns and then along the rows."""
    return mean_of_rows(mean_of_rows(image, window).T, window).T


def half_size(image: Float[Array, "height width"], window: list[float]) -> Array:
    """Every other sample of the low-passed picture; an odd last row or column is dropped."""
    height, width = image.shape
    return local_mean(image, window)[: height // 2 * 2 : 2, : width // 2 * 2 : 2]


def information(
    ref: Float[Array, "height width"],
    dis: Float[Array, "height width"],
    window: list[float],
    enhancement_gain_limit: float | Array,
    sigma_nsq: float | Array,
) -> tuple[Array, Array]:
    """I(C; F) and I(C; E) of each sample, in bits."""
    maps = jnp.stack([ref, dis, ref * ref, dis * dis, ref * dis])
    mean_c, mean_d, mean_cc, mean_dd, mean_cd = jax.vmap(lambda x: local_mean(x, window))(maps)
    var_c = jnp.maximum(mean_cc - mean_c * mean_c, 0.0)
    var_d = jnp.maximum(mean_dd - mean_d * mean_d, 0.0)
    # a negative covariance says nothing about C: g = 0
    cov = jnp.maximum(mean_cd - mean_c * mean_d, 0.0)

    # libvmaf: a reference below the eye's own noise counts as one bit, and detail there costs
    unseen = var_c < sigma_nsq
    var_c = jnp.maximum(var_c, sigma_nsq)
    cost = var_d * sigma_nsq**2 / 255.0**2

    # D = g C + V: the least-squares gain, and what it does not explain
    g = cov / var_c
    var_v = jnp.maximum(var_d - g * cov, 0.0)
    g = jnp.minimum(g, enhancement_gain_limit)

    distorted = jnp.log2(1.0 + g * g * var_c / (var_v + sigma_nsq))
    reference = jnp.log2(1.0 + var_c / sigma_nsq)
    return jnp.where(unseen, 1.0 - cost, distorted), jnp.where(unseen, 1.0, reference)


def vif(
    ref: Float[Array, "height width"],
    dis: Float[Array, "height width"],
    *,
    kernel_scale: float = 1.0,
    enhancement_gain_limit: float | Array = 100.0,
    sigma_nsq: float | Array = 2.0,
) -> dict[str, Float[Array, ""]]:
    """Visual information fidelity of one frame at four scales.

    Models the share of the reference's information that a viewer still gets from the distorted
    picture.

    Args:
        ref: reference, luma as float code values on the 8-bit scale.
        dis: distorted frame of the same shape and dtype.
        kernel_scale: width of the Gaussian windows, 1 for 17 samples at the finest scale.
        enhancement_gain_limit: largest gain credited to the distorted frame; 1 is NEG.
        sigma_nsq: variance of the eye's noise in squared 8-bit code values, above 0.

    Returns:
        `{"vif_scale0", ..., "vif_scale3", "vif"}`, scalars, `vif` for all scales together; 1 for
        identical frames, above 1 for enhanced contrast; higher is better.
    """
    ref, dis = ref - 128.0, dis - 128.0  # changes no variance, but keeps float32 squares small
    scores, kept, available = {}, [], []
    for scale in range(SCALES):
        window = gaussian_window(scale, kernel_scale)
        if scale > 0:
            ref, dis = half_size(ref, window), half_size(dis, window)
        distorted, reference = information(ref, dis, window, enhancement_gain_limit, sigma_nsq)
        kept.append(distorted.sum())
        available.append(reference.sum())
        scores[f"vif_scale{scale}"] = kept[-1] / available[-1]
    return scores | {"vif": jnp.stack(kept).sum() / jnp.stack(available).sum()}
