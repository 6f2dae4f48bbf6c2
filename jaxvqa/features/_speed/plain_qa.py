"""SpEED-QA of the paper, spatial and temporal: read `plain` first.

The same model of blocks as in `plain`, with what the paper has and libvmaf has not: luma is halved
`band` times, the frame difference is taken of the halved frames, and the temporal weight is a
product of the frame's and the difference's:

    SpEED_s = mean |gamma_r h_r - gamma_d h_d|
    SpEED_t = mean |gamma_r delta_r h'_r - gamma_d delta_d h'_d|    delta, h' of the difference
    SpEED   = SpEED_s SpEED_t

As in the authors' MATLAB code, the constant N log(2 pi e) of the entropy has the natural logarithm
although everything else is in bits. The dtype is that of the frames; float64 is the yardstick, and
in float32 the scores of three real clips moved by up to 3.5e-4 relative. The shipped feature
(`features.speed_qa`) is the same, arranged for speed.

Source: C. G. Bampis, P. Gupta, R. Soundararajan, A. C. Bovik, "SpEED-QA: Spatial Efficient Entropic
Differencing for Image and Video Quality", IEEE Signal Processing Letters 24(9), 2017; the MATLAB
code `matlab/SpEED` of Netflix/vmaf f85a853. What to do about bands that the model doesn't fit, flat
or singular, is our choice: the original returns rounding noise there.
"""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp

from jaxvqa._typing import Array, Float
from jaxvqa.features._speed.plain import HIGHEST, covariance, patches, scale_squared, smooth

LN_2PIE = math.log(2 * math.pi * math.e)
# largest eigenvalue of a flat band, and smallest share of it that leaves K an inverse
FLAT, REGULAR = 1e-18, 1e-10


def halve(x: Float[Array, "h w"]) -> Float[Array, "rows columns"]:
    """Half the size by Keys' cubic (a = -1/2) stretched by two; the border is mirrored."""
    height, width = x.shape
    c = jnp.asarray([-3, -9, 29, 111, 111, 29, -9, -3], x.dtype) / 256
    x = jnp.pad(x, ((3, 3 + height % 2), (3, 3 + width % 2)), mode="symmetric")
    rows = jax.scipy.signal.convolve2d(x, c[:, None], "valid", precision=HIGHEST)[::2]
    return jax.scipy.signal.convolve2d(rows, c[None, :], "valid", precision=HIGHEST)[:, ::2]


def without_mean(x: Float[Array, "h w"]) -> Float[Array, "h w"]:
    """The picture without its local mean."""
    return x - smooth(x, 7, 7 / 6, border="edge")


def statistics(
    y: Float[Array, "h w"], block: int, sigma_nsq: float
) -> tuple[Float[Array, " b"], Float[Array, " b"]]:
    """(gamma, h) of every block of a band: 0 where it is flat, NaN where K is singular."""
    k = covariance(patches(y, block, stride=1))
    eigenvalues = jnp.linalg.eigvalsh(k)
    least, largest = eigenvalues[0], eigenvalues[-1]
    s2 = scale_squared(patches(y, block, stride=block), k)
    h = (jnp.log2(jnp.outer(eigenvalues, s2) + sigma_nsq) + LN_2PIE).sum(axis=0)
    otherwise = jnp.where(largest <= FLAT, 0.0, jnp.nan)
    # in float32 rounding alone leaves K an inverse
    share = max(REGULAR, 100 * float(jnp.finfo(y.dtype).eps))
    usable = (largest > FLAT) & (least >= share * largest)
    return jnp.where(usable, jnp.log2(1 + s2), otherwise), jnp.where(usable, h, otherwise)


def distance(
    ref: Float[Array, "h w"],
    dis: Float[Array, "h w"],
    change_ref: Float[Array, "h w"],
    change_dis: Float[Array, "h w"],
    block: int,
    sigma_nsq: float,
) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """(SpEED_s, SpEED_t) from halved frames and their changes since the frame before."""
    pictures = (ref, dis, change_ref, change_dis)
    of_ref, of_dis, of_change_ref, of_change_dis = (
        statistics(without_mean(x), block, sigma_nsq) for x in pictures
    )
    (gamma_r, h_r), (gamma_d, h_d) = of_ref, of_dis
    (delta_r, hh_r), (delta_d, hh_d) = of_change_ref, of_change_dis
    spatial = jnp.abs(gamma_r * h_r - gamma_d * h_d).mean()
    temporal = jnp.abs(gamma_r * delta_r * hh_r - gamma_d * delta_d * hh_d).mean()
    # equal pictures are equal, singular or not
    same = (ref == dis).all()
    still = same & (change_ref == change_dis).all()
    return jnp.where(same, 0.0, spatial), jnp.where(still, 0.0, temporal)


def speed_qa(
    ref: Float[Array, "frames h w"],
    dis: Float[Array, "frames h w"],
    *,
    band: int = 4,
    block: int = 5,
    sigma_nsq: float = 0.1,
) -> dict[str, Float[Array, " frames"]]:
    """SpEED-QA of a clip.

    Args:
        ref: luma of the reference on the 8-bit scale, code / 2^(bit_depth - 8); two frames or more.
        dis: luma of the distorted video.
        band: how often the frames are halved.
        block: side of a block, in samples of the band.
        sigma_nsq: variance of the neural noise.

    Returns:
        `{"speed_qa", "speed_qa_spatial", "speed_qa_temporal"}`, from 0 (equal) up; smaller is
        better. The first frame repeats the second one's values. NaN where a covariance is singular;
        `speed_qa` is the spatial value alone where only the temporal one is NaN.
    """
    for _ in range(band):
        ref, dis = jax.vmap(halve)(ref), jax.vmap(halve)(dis)
    pictures = (ref[1:], dis[1:], ref[:-1] - ref[1:], dis[:-1] - dis[1:])

    def frame(*pictures: Array) -> tuple[Array, Array]:
        return distance(*pictures, block=block, sigma_nsq=sigma_nsq)

    s, t = jax.vmap(frame)(*pictures)
    score = jnp.where(jnp.isnan(t), s, s * t)
    series = {"speed_qa": score, "speed_qa_spatial": s, "speed_qa_temporal": t}
    return {name: jnp.concatenate([x[:1], x]) for name, x in series.items()}
