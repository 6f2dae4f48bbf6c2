"""SpEED of libvmaf as the paper writes it: read this first.

A natural picture without its local mean is a Gaussian scale mixture. The 5x5 blocks Y_1, Y_2, ...
of such a band share one covariance K, and each has a scale of its own:

    Y_b = S_b U_b,                  U_b ~ N(0, K)
    S_b^2 = Y_b' K^-1 Y_b / N       the most likely scale, N = 25 samples
    h_b = log2 det(S_b^2 K + s I) + N log2(2 pi e)      entropy of the block seen through noise s
    gamma_b = log2(1 + S_b^2)                           weight: active blocks count more
    SpEED = mean over b of |gamma_b h_b of the reference - gamma_b h_b of the distorted plane|

libvmaf takes it of the chroma planes and of luma's frame differences, at a sixteenth of their size.

Every function takes one plane and works in its dtype; float64 is the yardstick. The inverse of K
amplifies rounding by the condition number of K: in float32 the scores of three real clips moved by
up to 1.2e-4 relative, and a singular K may pass for a regular one. The shipped features
(`features.speed_chroma`, `features.speed_temporal`) are the same formulas, arranged for speed.

Source: C. G. Bampis, P. Gupta, R. Soundararajan, A. C. Bovik, "SpEED-QA: Spatial Efficient Entropic
Differencing for Image and Video Quality", IEEE Signal Processing Letters 24(9), 2017, as libvmaf
f85a853 has it (`speed.c`, `speed_tools.c`) at its default options.
"""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp

from jaxvqa._typing import Array, Bool, Float

HIGHEST = jax.lax.Precision.HIGHEST  # no short products on accelerators
BLOCK = 5
STEP = 16
LEAST_EIGENVALUE = 1e-6  # of a covariance that can be inverted, in squared code values
MAX_VALUE = 1000.0  # upper limit of the chroma scores
LOG2_2PIE = math.log2(2 * math.pi * math.e)


def smooth(
    x: Float[Array, "h w"], width: int, sigma: float, border: str = "reflect"
) -> Float[Array, "h w"]:
    """Gaussian filter with `width` taps an axis; `border` is a mode of `jnp.pad`."""
    t = jnp.arange(width, dtype=x.dtype) - width // 2
    g = jnp.exp(-0.5 * (t / sigma) ** 2)
    g = g / g.sum()
    padded = jnp.pad(x, width // 2, mode=border)
    rows = jax.scipy.signal.convolve2d(padded, g[:, None], "valid", precision=HIGHEST)
    return jax.scipy.signal.convolve2d(rows, g[None, :], "valid", precision=HIGHEST)


def band(plane: Float[Array, "h w"], kernel_scale: float) -> Float[Array, "h//16 w//16"]:
    """A sixteenth of the plane's size, without the local mean."""
    height, width = plane.shape
    wide, narrow = (max(math.ceil(base * kernel_scale) // 2 * 2 + 1, 3) for base in (9, 2))
    low = smooth(plane, wide, 2 * wide / 5)
    low = low[: height // STEP * STEP : STEP, : width // STEP * STEP : STEP]
    return low - smooth(low, narrow, narrow / 5)


def patches(y: Float[Array, "h w"], block: int, stride: int) -> Float[Array, "p patches"]:
    """The p = block^2 samples of windows `stride` apart, as columns, from what blocks fill of y."""
    rows, columns = (size // block * block for size in y.shape)
    picture = y[None, None, :rows, :columns]
    side, step = (block, block), (stride, stride)
    found = jax.lax.conv_general_dilated_patches(picture, side, step, "VALID", precision=HIGHEST)
    return found.reshape(block**2, -1)


def covariance(samples: Float[Array, "p n"]) -> Float[Array, "p p"]:
    """Population covariance of p variables; K of the model."""
    centred = samples - samples.mean(axis=1, keepdims=True)
    return jnp.matmul(centred, centred.T, precision=HIGHEST) / samples.shape[1]


def scale_squared(y: Float[Array, "p b"], k: Float[Array, "p p"]) -> Float[Array, " b"]:
    """S^2 = Y' K^-1 Y / N of every block; the block's own mean stays in."""
    return (y * jnp.linalg.solve(k, y)).mean(axis=0)


def statistics(
    y: Float[Array, "h w"], sigma_nn: float
) -> tuple[Float[Array, " b"], Float[Array, " b"], Bool[Array, ""]]:
    """(S^2, h) of every block of a band, and whether the covariance is singular."""
    samples = patches(y, BLOCK, stride=1)
    k = covariance(samples)
    eigenvalues = jnp.linalg.eigvalsh(k)
    # n samples span n - 1 dimensions, whatever rounding makes of the eigenvalues
    singular = (eigenvalues.min() < LEAST_EIGENVALUE) | (samples.shape[1] <= BLOCK**2)
    s2 = jnp.where(singular, 0.0, scale_squared(patches(y, BLOCK, stride=BLOCK), k))
    # log2 det(S^2 K + s I) is the sum over the eigenvalues L of K of log2(S^2 L + s)
    power = jnp.outer(jnp.maximum(eigenvalues, 0.0), s2)
    return s2, (jnp.log2(power + sigma_nn) + LOG2_2PIE).sum(axis=0), singular


def speed(
    ref: Float[Array, "h w"],
    dis: Float[Array, "h w"],
    *,
    kernel_scale: float,
    sigma_nn: float,
    nn_floor: float,
) -> tuple[Float[Array, ""], Bool[Array, ""]]:
    """SpEED of one pair of planes, and whether a covariance was singular (flat, too small)."""
    s2_ref, h_ref, singular_ref = statistics(band(ref, kernel_scale), sigma_nn)
    s2_dis, h_dis, singular_dis = statistics(band(dis, kernel_scale), sigma_nn)
    gamma_ref, gamma_dis = jnp.log2(1 + s2_ref), jnp.log2(1 + s2_dis)
    # blocks that hardly rise above the noise in both planes don't count
    h_noise = BLOCK**2 * (math.log2((1 + nn_floor) * sigma_nn) + LOG2_2PIE)
    unseen = (h_ref < h_noise) & (h_dis < h_noise)
    difference = jnp.where(unseen, 0.0, jnp.abs(gamma_ref * h_ref - gamma_dis * h_dis)).mean()
    # two singular planes have S = 0, so gamma = 0 and no difference; one alone can't be compared
    score = jnp.where(singular_ref ^ singular_dis, 0.0, difference)
    return score, singular_ref | singular_dis


def speed_chroma(
    ref_u: Float[Array, "frames h w"],
    ref_v: Float[Array, "frames h w"],
    dis_u: Float[Array, "frames h w"],
    dis_v: Float[Array, "frames h w"],
    *,
    kernel_scale: float = 1.0,
    sigma_nn: float = 0.29,
    nn_floor: float = 0.0,
) -> dict[str, Float[Array, " frames"]]:
    """SpEED of the chroma planes, `speed_chroma` of libvmaf.

    Args:
        ref_u: Cb of the reference on the 8-bit scale, code / 2^(bit_depth - 8).
        ref_v: Cr of the reference.
        dis_u: Cb of the distorted video.
        dis_v: Cr of the distorted video.
        kernel_scale: width of the filters.
        sigma_nn: variance of the neural noise.
        nn_floor: raises the noise entropy below which a block of both planes counts as equal.

    Returns:
        `{"speed_chroma_u", "speed_chroma_v", "speed_chroma_uv"}`, from 0 (equal) up; smaller is
        better. A plane with a singular covariance scores 0, and `uv` is the other plane then.
    """

    def frame(r: Array, d: Array) -> tuple[Array, Array]:
        return speed(r, d, kernel_scale=kernel_scale, sigma_nn=sigma_nn, nn_floor=nn_floor)

    u, singular_u = jax.vmap(frame)(ref_u, dis_u)
    v, singular_v = jax.vmap(frame)(ref_v, dis_v)
    one = jnp.where(singular_u, v, u)
    uv = jnp.where(singular_u ^ singular_v, one, (u + v) / 2)
    scores = {"speed_chroma_u": u, "speed_chroma_v": v, "speed_chroma_uv": uv}
    return {name: jnp.minimum(score, MAX_VALUE) for name, score in scores.items()}


def speed_temporal(
    ref: Float[Array, "frames h w"],
    dis: Float[Array, "frames h w"],
    *,
    kernel_scale: float = 1.0,
    sigma_nn: float = 0.29,
    nn_floor: float = 0.0,
) -> dict[str, Float[Array, " frames"]]:
    """SpEED of luma's frame differences, `speed_temporal` of libvmaf.

    Args:
        ref: luma of the reference on the 8-bit scale, code / 2^(bit_depth - 8).
        dis: luma of the distorted video.
        kernel_scale: width of the filters.
        sigma_nn: variance of the neural noise.
        nn_floor: raises the noise entropy below which a block of both planes counts as equal.

    Returns:
        `{"speed_temporal"}`, from 0 (equal) up; smaller is better. 0 for the first frame and where
        a difference has a singular covariance.
    """

    def frame(r: Array, d: Array) -> Array:
        return speed(r, d, kernel_scale=kernel_scale, sigma_nn=sigma_nn, nn_floor=nn_floor)[0]

    scores = jax.vmap(frame)(ref[:-1] - ref[1:], dis[:-1] - dis[1:])
    return {"speed_temporal": jnp.pad(scores, (1, 0))}
