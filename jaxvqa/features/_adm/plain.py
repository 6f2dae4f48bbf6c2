"""Float ADM as the paper tells it: the page to read first.

Two things annoy a viewer in different ways: detail that is lost and structure that is added. ADM
takes both apart. In a wavelet domain the distorted picture T is split into R, what is restored of
the reference O, and A, the additive impairment: T = R + A. Each part is weighted by the contrast
sensitivity of the eye (CSF), masked by the other part (CM) and pooled; |x|_p is the p-norm over the
middle of a band, and sums go over four scales and three orientations:

    adm2 = sum |CM(R)|_p / sum |CSF(O)|_p     detail kept (the paper's DLM)
    aim  = sum |CM(A)|_p / sum |CSF(O)|_p     impairment added
    adm3 = w adm2 + (1 - w) (1 - aim)

Source: Li, Zhang, Ma and Ngan, "Image quality assessment by separately evaluating detail losses and
additive impairments", IEEE TMM 13(5), 2011; CSF of Watson, Yang, Solomon and Villasenor,
"Visibility of wavelet quantization noise", IEEE TIP 6(8), 1997; libvmaf f85a853, `float_adm.c`,
`adm.c`, `adm_tools.c`. Matches the tool within 5e-5: rounding in float32 decides the angle test of
single samples. `jaxvqa.features.adm` gives the same scores, faster and with all options.
"""

from __future__ import annotations

import math

import jax.numpy as jnp

from jaxvqa._ops import safe
from jaxvqa._typing import Array, Float

SCALES = 4
# Daubechies' wavelet with two vanishing moments
LOW = (0.482962913144690, 0.836516303737469, 0.224143868041857, -0.129409522550921)
HIGH = (-0.129409522550921, -0.224143868041857, 0.836516303737469, -0.482962913144690)
# Watson's basis function amplitudes by scale, for the bands h and v and for the band d
AMPLITUDES = (0.67234, 0.41317, 0.22727, 0.11792)
AMPLITUDES_D = (0.72709, 0.49428, 0.28688, 0.15214)


def extend(x: Float[Array, "h w"], below: int) -> Float[Array, "h2 w"]:
    """One more row above, mirrored about the first; more below, mirrored with the last repeated."""
    return jnp.concatenate([x[1:2], x, x[::-1][:below]])


def analyse(x: Float[Array, "h w"], taps: tuple[float, ...]) -> Float[Array, "h2 w"]:
    """Filters down the columns and keeps every other row."""
    rows, half = extend(x, 2), (len(x) + 1) // 2
    result = jnp.zeros_like(x[:half])
    for k, tap in enumerate(taps):
        result += tap * rows[k::2][:half]
    return result


def wavelet(image: Float[Array, "h w"]) -> tuple[Float[Array, "h2 w2"], Float[Array, "3 h2 w2"]]:
    """One level of the transform: the approximation, and the details h, v, d."""
    low, high = analyse(image, LOW).T, analyse(image, HIGH).T
    h, v, d = analyse(high, LOW).T, analyse(low, HIGH).T, analyse(high, HIGH).T
    return analyse(low, LOW).T, jnp.stack([h, v, d])


def watson(scale: int, norm_view_dist: float, ref_display_height: int) -> list[float]:
    """Contrast sensitivity of the bands h, v, d: one over the quantisation step that just shows."""
    pixels_per_degree = norm_view_dist * ref_display_height * math.pi / 180
    frequency = pixels_per_degree / 2 ** (scale + 1)

    def sensitivity(amplitude: float, orientation: float) -> float:
        octaves = math.log10(0.401 * orientation / frequency)
        threshold = 0.495 * 10 ** (0.466 * octaves**2)
        return amplitude / (2 * threshold)

    f, f_d = sensitivity(AMPLITUDES[scale], 1.0), sensitivity(AMPLITUDES_D[scale], 0.534)
    return [f, f, f_d]


def decouple(
    o: Float[Array, "3 h w"], t: Float[Array, "3 h w"], gain_limit: float | Array
) -> Array:
    """R = k O: what T kept of O, a share k from 0 to 1 in each band."""
    k = jnp.clip(t / jnp.where(o == 0, 1.0, o), 0.0, 1.0)
    r = k * o
    # where (h, v) keeps its direction to 1 degree T has another contrast and no impairment: R is T,
    # up to the largest gain that is credited
    dot = (o[:2] * t[:2]).sum(0, keepdims=True)
    norms = (o[:2] ** 2).sum(0, keepdims=True) * (t[:2] ** 2).sum(0, keepdims=True)
    same_angle = (dot >= 0) & (dot**2 >= math.cos(math.pi / 180) ** 2 * norms)
    enhanced = jnp.sign(r) * jnp.minimum(gain_limit * jnp.abs(r), jnp.abs(t))
    return jnp.where(same_angle, enhanced, r)


def mask(x: Float[Array, "3 h w"], masker: Float[Array, "3 h w"]) -> Float[Array, "3 h w"]:
    """What of `x` exceeds the masker's sum: a 30th of each sample around, a 15th of the one there.

    The three bands mask together: one threshold serves them all.
    """
    itself = around = jnp.abs(masker).sum(0)
    for _ in range(2):  # three rows, then three columns
        rows = extend(around, 1)
        around = (rows[:-2] + rows[1:-1] + rows[2:]).T
    return jnp.maximum(jnp.abs(x) - (around + itself)[None] / 30, 0.0)


def pool(x: Float[Array, "3 h w"], p: float, noise_weight: float | Array) -> Float[Array, ""]:
    """p-norms of the bands without a tenth along every border; noise tames flat pictures."""
    top, left = (max(int(0.1 * size - 0.5), 0) for size in x.shape[1:])
    x = x[:, top : x.shape[1] - top, left : x.shape[2] - left]
    norms = safe.power(safe.power(jnp.abs(x), p).sum((1, 2)), 1 / p)
    noise = (x[0].size * noise_weight) ** (1 / p)
    return (norms + noise).sum()


def adm(
    ref: Float[Array, "height width"],
    dis: Float[Array, "height width"],
    *,
    enhancement_gain_limit: float | Array = 100.0,
    norm_view_dist: float = 3.0,
    ref_display_height: int = 1080,
    noise_weight: float | Array = 0.03125,
    dlm_weight: float | Array = 0.5,
    p_norm: float = 3.0,
    csf: Float[Array, "4 3"] | None = None,
) -> dict[str, Float[Array, ""]]:
    """Detail kept and impairment added in one frame.

    Args:
        ref: reference, luma as float code values on the 8-bit scale.
        dis: distorted frame of the same shape and dtype.
        enhancement_gain_limit: largest gain credited to the distorted frame; 1 is NEG.
        norm_view_dist: viewing distance in picture heights.
        ref_display_height: lines of the display.
        noise_weight: constant that keeps flat pictures from dominating.
        dlm_weight: share of adm2 in adm3.
        p_norm: exponent of the pooling.
        csf: sensitivity of each scale's bands h, v, d in place of Watson's.

    Returns:
        `{"adm2", "aim", "adm3", "adm_scale0", ..., "adm_scale3"}`, scalars. adm2 and adm3 are 1 for
        identical frames, higher is better, above 1 for enhanced ones; aim is 0 for identical
        frames, lower is better.
    """
    # sums below this are 0 in libvmaf: all that is left of a flat frame if noise_weight is 0
    least = 1e-10 * ref.size / (1920 * 1080)
    ref, dis = ref - 128.0, dis - 128.0
    scales, sums = {}, []
    for scale in range(SCALES):
        # the approximations are the pictures of the next scale
        (ref, o), (dis, t) = wavelet(ref), wavelet(dis)
        seen = watson(scale, norm_view_dist, ref_display_height) if csf is None else csf[scale]
        weight = jnp.asarray(seen, o.dtype)[:, None, None]
        r = decouple(o, t, enhancement_gain_limit)
        a = t - r
        detail = pool(mask(weight * r, weight * a), p_norm, noise_weight)
        impairment = pool(mask(weight * a, weight * r), p_norm, 0.0)
        reference = pool(weight * o, p_norm, noise_weight)
        scales[f"adm_scale{scale}"] = detail / reference
        sums.append(jnp.stack([detail, impairment, reference]))
    kept, added, whole = jnp.stack(sums).sum(0)
    aim = jnp.minimum(safe.divide(added, whole), 1.0)
    kept, whole = (jnp.where(x < least, 0.0, x) for x in (kept, whole))
    adm2 = safe.divide(kept, whole, otherwise=1.0)
    adm3 = dlm_weight * adm2 + (1 - dlm_weight) * (1 - aim)
    return {"adm2": adm2, "aim": aim, "adm3": adm3} | scales
