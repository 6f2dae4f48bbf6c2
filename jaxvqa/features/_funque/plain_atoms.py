"""What the FUNQUE family measures on Haar pyramids, as the papers write it.

Every atom takes pyramids of one frame with samples in [0, 1] and gives one number; the details may
carry contrast sensitivity weights. Levels count from 1, the finest.

Nothing is rearranged for speed or for float32: squares of means are subtracted from means of
squares, and quality near 1 is compared with 1.

Sources: FUNQUE+ (funque_plus 65d0b88) for all; behind it ESSIM: A. K. Venkataramanan and others,
"A Hitchhiker's Guide to Structural Similarity", IEEE Access 9, 2021; DLM: S. Li and others, "Image
Quality Assessment by Separately Evaluating Detail Losses and Additive Impairments", IEEE
Transactions on Multimedia 13(5), 2011; VIF: H. R. Sheikh, A. C. Bovik, "Image Information and
Visual Quality", IEEE Transactions on Image Processing 15(2), 2006; ST-RRED: R. Soundararajan,
A. C. Bovik, "Video Quality Assessment by Reduced Reference Spatio-Temporal Entropic Differencing",
IEEE Transactions on Circuits and Systems for Video Technology 23(4), 2013.
"""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp

from jaxvqa._typing import Array, Float
from jaxvqa.features._funque.plain_transform import Pyramid, separable

C1, C2 = 0.01**2, 0.03**2  # of SSIM
SCALE_EXPONENTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # of MS-SSIM
VIF_NOISE, VIF_FLOOR, VIF_OFFSET = 5.0, 1e-10, 1e-4
RRED_NOISE = 0.1
LN_2PIE = math.log(2 * math.pi * math.e)


def variation(quality: Float[Array, "h w"]) -> Float[Array, ""]:
    """Coefficient of variation of a quality map: 0 for a perfect pair, lower is better."""
    return quality.std() / quality.mean()


def window_mean(x: Float[Array, "h w"]) -> Float[Array, "h w"]:
    """Mean of the 9x9 window around each sample."""
    return separable(x, [1 / 9] * 9, "reflect")


def essim_maps(ref: Pyramid, dis: Pyramid, levels: int) -> list[tuple[Array, Array]]:
    """(luminance times contrast-structure, contrast-structure) maps of the levels.

    The windows of SSIM are the 2^l x 2^l blocks of the transform. By Parseval, the variance of a
    block is the energy of all its details over its area.
    """

    def mean_2x2(v: Array) -> Array:
        return (v[::2, ::2] + v[::2, 1::2] + v[1::2, ::2] + v[1::2, 1::2]) / 4

    maps = []
    moments: list[Array] = []
    for level in range(1, levels + 1):
        side = 2.0**level
        x, y = jnp.stack(ref.details[level - 1]), jnp.stack(dis.details[level - 1])
        here = [(p * q).sum(axis=0) / side**2 for p, q in ((x, x), (y, y), (x, y))]
        finer = [mean_2x2(m) for m in moments] or [jnp.zeros_like(m) for m in here]
        moments = [a + b for a, b in zip(finer, here, strict=True)]
        var_x, var_y, cov_xy = moments
        mu_x, mu_y = ref.a[level - 1] / side, dis.a[level - 1] / side
        luminance = (2 * mu_x * mu_y + C1) / (mu_x**2 + mu_y**2 + C1)
        structure = (2 * cov_xy + C2) / (var_x + var_y + C2)
        maps.append((luminance * structure, structure))
    return maps


def essim(ref: Pyramid, dis: Pyramid, level: int) -> Float[Array, ""]:
    """Enhanced SSIM of one level."""
    return variation(essim_maps(ref, dis, level)[-1][0])


def ms_essim(ref: Pyramid, dis: Pyramid, levels: int) -> Float[Array, ""]:
    """Multi-scale ESSIM: product over the levels of sign(m) |m|^exponent of the pooled maps m."""
    *finer, (coarsest, _) = essim_maps(ref, dis, levels)
    pooled = jnp.stack([variation(m) for m in (*(structure for _, structure in finer), coarsest)])
    exponents = jnp.asarray(SCALE_EXPONENTS[:levels], pooled.dtype)
    return (jnp.sign(pooled) * jnp.abs(pooled) ** exponents).prod()


def dlm(ref: Pyramid, dis: Pyramid, level: int) -> Float[Array, ""]:
    """Detail loss measure: 1 for equal pictures, towards 0 as detail is lost.

    Where H is 0 in exact arithmetic, rounding decides its sign and with it the angle: pyramids of
    whole codes, halved but not filtered, differ from the reference by up to 4e-4.
    """
    x, y = jnp.stack(ref.details[level - 1]), jnp.stack(dis.details[level - 1])
    # what is restored of a detail lies between 0 and the reference's, unless the edges of both
    # pictures point the same way within a degree: then only contrast has changed
    angle_x, angle_y = (jnp.arctan(b[1] / (b[0] + 1e-30)) for b in (x, y))
    turn_x, turn_y = (jnp.where(b[0] <= 0, jnp.pi, 0.0) for b in (x, y))
    aligned = jnp.abs((angle_x + turn_x) - (angle_y + turn_y)) < jnp.pi / 180
    restored = jnp.where(aligned[None], y, jnp.clip(y / (x + 1e-30), 0.0, 1.0) * x)
    # what is added hides what lies around: a 3x3 sum whose centre counts twice
    added = jnp.abs(y - restored).sum(axis=0)
    threshold = (separable(added, [1.0] * 3, "reflect") + added) / 30
    kept = jnp.maximum(jnp.abs(restored) - threshold[None], 0.0)

    rows, columns = (int(0.2 * side) for side in added.shape)
    if rows == 0 or columns == 0:  # the crop of the reference is empty then
        return jnp.ones((), x.dtype)

    def norms(bands: Array) -> Array:
        inner = jnp.abs(bands[:, rows:-rows, columns:-columns])
        return jnp.cbrt((inner**3).sum(axis=(1, 2))).sum()

    return (norms(kept) + 1e-4) / (norms(x) + 1e-4)


def vif(ref: Pyramid, dis: Pyramid, level: int) -> Float[Array, ""]:
    """Visual information fidelity of approximations: 1 for equal pictures, higher is better.

    In each window y = g x + v, and the observer adds noise: the information of y about the source
    is log(1 + g^2 var_x / (var_v + noise)), that of x is log(1 + var_x / noise).
    """
    x, y = ref.a[level - 1], dis.a[level - 1]
    mu_x, mu_y = window_mean(x), window_mean(y)
    var_x, var_y = window_mean(x * x) - mu_x**2, window_mean(y * y) - mu_y**2
    cov_xy = window_mean(x * y) - mu_x * mu_y
    # repairs, in the order of the reference
    cov_xy = jnp.where((var_x < 0) | (var_y < 0), 0.0, cov_xy)
    var_x, var_y = jnp.maximum(var_x, 0.0), jnp.maximum(var_y, 0.0)
    flat_x, flat_y = var_x < VIF_FLOOR, var_y < VIF_FLOOR
    g = jnp.where(flat_x | flat_y, 0.0, cov_xy / (var_x + VIF_FLOOR))
    var_v = jnp.where(flat_y, 0.0, var_y - g * cov_xy)
    var_x = jnp.where(flat_x, 0.0, var_x)
    var_v = jnp.where(g < 0, var_x, var_v)  # of x, where one would expect that of y
    g, var_v = jnp.maximum(g, 0.0), jnp.maximum(var_v, VIF_FLOOR)
    carried = jnp.log(1 + g**2 * var_x / (var_v + VIF_NOISE))
    available = jnp.log(1 + var_x / VIF_NOISE)
    return (carried + VIF_OFFSET).sum() / (available + VIF_OFFSET).sum()


@jax.vmap
def entropy(band: Float[Array, "h w"]) -> tuple[Float[Array, "h w"], Float[Array, "h w"]]:
    """(scaling factor, entropy) of the Gaussian windows of each subband, in noise."""
    variance = jnp.maximum(window_mean(band * band) - window_mean(band) ** 2, 0.0)
    return jnp.log1p(variance), jnp.log(variance + RRED_NOISE) + LN_2PIE


def st_rred(
    ref: Pyramid, dis: Pyramid, ref_before: Pyramid, dis_before: Pyramid
) -> tuple[Float[Array, ""], Float[Array, ""], Float[Array, ""]]:
    """(S-RRED, T-RRED, ST-RRED): means over the levels, the last of products; lower is better."""
    spatial, temporal = [], []
    for level in zip(ref.details, dis.details, ref_before.details, dis_before.details, strict=True):
        x, y, x_before, y_before = (jnp.stack(bands) for bands in level)
        (gamma_x, h_x), (gamma_y, h_y) = entropy(x), entropy(y)
        (delta_x, hh_x), (delta_y, hh_y) = entropy(x - x_before), entropy(y - y_before)
        spatial.append(jnp.abs(gamma_x * h_x - gamma_y * h_y).mean())
        temporal.append(jnp.abs(gamma_x * delta_x * hh_x - gamma_y * delta_y * hh_y).mean())
    s, t = jnp.stack(spatial), jnp.stack(temporal)
    return s.mean(), t.mean(), (s * t).mean()


def mad(first: Pyramid, second: Pyramid, level: int) -> Float[Array, ""]:
    """Mean absolute difference of approximations: motion between frames, or error."""
    return jnp.abs(first.a[level - 1] - second.a[level - 1]).mean()


def detail_loss(ref: Pyramid, dis: Pyramid, level: int) -> Float[Array, "h w"]:
    """How much less the details of the distorted picture are, summed over H, V and D."""
    x, y = jnp.stack(ref.details[level - 1]), jnp.stack(dis.details[level - 1])
    return (jnp.abs(x) - jnp.abs(y)).sum(axis=0)


def blur(ref: Pyramid, dis: Pyramid, level: int) -> Float[Array, ""]:
    """Mean of the detail that was lost; lower is better."""
    return jnp.maximum(detail_loss(ref, dis, level), 0.0).mean()


def edge(ref: Pyramid, dis: Pyramid, level: int) -> Float[Array, ""]:
    """Mean of the detail that was added; lower is better."""
    return jnp.maximum(-detail_loss(ref, dis, level), 0.0).mean()


def sai(picture: Pyramid, level: int) -> Float[Array, ""]:
    """Spatial activity: fourth root of the spread of edge strength."""
    h, v, _ = picture.details[level - 1]
    return jnp.sqrt(h**2 + v**2).std() ** 0.25
