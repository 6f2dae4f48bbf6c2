"""Atoms of the FUNQUE family that compare structure and sharpness: functions of Haar pyramids.

Each takes the pyramids (`haar.Pyramid`) of one frame, usually of the reference and the
distorted picture, with samples in [0, 1] before the transform, and gives one number; `jax.vmap`
serves stacks of frames. All are differentiable with finite gradients everywhere. The detail loss
measure is in `dlm.py`, VIF and ST-RRED are in `information.py`.

Source: FUNQUE+ (funque_plus 65d0b88).
"""

from __future__ import annotations

import jax.numpy as jnp

from jaxvqa._checks import one_of
from jaxvqa._ops import safe
from jaxvqa._typing import Array, Float
from jaxvqa.features._funque.haar import HaarDetails, Pyramid

POOLINGS = ("mean", "cov", "mink")

_C1, _C2 = 0.01**2, 0.03**2
_SCALE_EXPONENTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)


def mean(x: Float[Array, "h w"]) -> Float[Array, ""]:
    """Mean of a map; rows first, which keeps float32 sums accurate."""
    return x.mean(-1).mean(-1)


def deviation(x: Float[Array, "h w"]) -> Float[Array, ""]:
    """Population standard deviation of a map; 0 with zero slope where the map is constant."""
    return safe.sqrt(mean((x - mean(x)) ** 2))


def pool_loss(loss: Float[Array, "h w"], pooling: str) -> Float[Array, ""]:
    """Pools the quality map `1 - loss`.

    Args:
        loss: 1 minus a quality map; small where quality is high, so nothing is lost to rounding.
        pooling: "mean" of the quality; "cov", its standard deviation over its mean (lower is
            better, 0 for a perfect pair); "mink", 1 minus the cubic mean of the loss.

    The slope of "cov" is infinite at a perfect pair and is given as 0 there; for losses "mean" and
    "mink" behave better.
    """
    one_of("pooling", pooling, POOLINGS)
    if pooling == "mink":
        return 1.0 - safe.cbrt(mean(loss**3))
    average = 1.0 - mean(loss)
    return average if pooling == "mean" else safe.divide(deviation(loss), average)


def _mean_2x2(x: Array) -> Array:
    rows = x[0::2] + x[1::2]
    return (rows[:, 0::2] + rows[:, 1::2]) * 0.25


def _energy(bands: HaarDetails) -> Array:
    horizontal, vertical, diagonal = bands
    return horizontal**2 + vertical**2 + diagonal**2


def essim_losses(ref: Pyramid, dis: Pyramid) -> list[tuple[Array, Array]]:
    """(1 - contrast-structure, 1 - luminance * contrast-structure) maps of every level.

    Variances of a 2^l x 2^l block come from its details, all levels below included, by Parseval;
    means come from the approximation. With e = the variance of the difference,
    1 - cs = e / (var_ref + var_dis + C2): the difference is formed before it can cancel.
    """
    energy = error = None
    maps = []
    for level in range(1, ref.levels + 1):
        gain = 2.0**-level
        x, y = ref.bands(level), dis.bands(level)
        total = (_energy(x) + _energy(y)) * gain**2
        apart = _energy((x[0] - y[0], x[1] - y[1], x[2] - y[2])) * gain**2
        energy = total if energy is None else _mean_2x2(energy) + total
        error = apart if error is None else _mean_2x2(error) + apart
        structure = error / (energy + _C2)
        mu_x, mu_y = (p.approximations[level - 1] * gain for p in (ref, dis))
        luminance = (mu_x - mu_y) ** 2 / (mu_x * mu_x + mu_y * mu_y + _C1)
        maps.append((structure, structure + luminance - structure * luminance))
    return maps


def essim(ref: Pyramid, dis: Pyramid, *, pooling: str = "cov") -> Float[Array, ""]:
    """Enhanced SSIM of the coarsest level.

    Models the loss of local structure: SSIM whose windows are the blocks of the wavelet transform.

    Args:
        ref: pyramid of the reference; the details may be weighted.
        dis: pyramid of the distorted picture.
        pooling: "cov" as in FUNQUE (0 to about 1, lower is better), or "mean" or "mink" (1 for a
            perfect pair, higher is better).
    """
    return pool_loss(essim_losses(ref, dis)[-1][1], pooling)


def _signed_power(x: Array, exponent: float) -> Array:
    return jnp.sign(x) * safe.power(jnp.abs(x), exponent)


def ms_essim(ref: Pyramid, dis: Pyramid, *, pooling: str = "cov") -> Float[Array, ""]:
    """Multi-scale enhanced SSIM: product over levels of pooled values with MS-SSIM's exponents.

    Every level gives its contrast-structure term, the coarsest also its luminance term; each is
    pooled before the product.

    Args:
        ref: pyramid of the reference, 1 to 5 levels.
        dis: pyramid of the distorted picture.
        pooling: as for `essim`. With "cov" the value is steep near a perfect pair (a power of
            0.0448): its gradient is finite, but large there, and 0 at equal pictures.
    """
    losses = essim_losses(ref, dis)
    value = _signed_power(pool_loss(losses[-1][1], pooling), _SCALE_EXPONENTS[len(losses) - 1])
    for (structure, _), exponent in zip(losses[:-1], _SCALE_EXPONENTS, strict=False):
        value = value * _signed_power(pool_loss(structure, pooling), exponent)
    return value


def mad(first: Pyramid, second: Pyramid, *, level: int = -1) -> Float[Array, ""]:
    """Mean absolute difference of two approximations.

    Of a frame and the frame before it: motion of the reference (MAD-Ref) or of the distorted
    picture (MAD-Dis), neither good nor bad. Of the reference and the distorted picture: lower is
    better.

    Args:
        first: one pyramid.
        second: the other.
        level: which level, from 1, or -1 for the coarsest. Values carry its gain of 2^level.
    """
    index = level - 1 if level > 0 else level
    return mean(jnp.abs(first.approximations[index] - second.approximations[index]))


def _detail_loss(ref: Pyramid, dis: Pyramid, level: int) -> Array:
    """Sum over H, V, D of |reference| - |distorted|."""
    (xh, xv, xd), (yh, yv, yd) = ref.bands(level), dis.bands(level)
    return jnp.abs(xh) - jnp.abs(yh) + jnp.abs(xv) - jnp.abs(yv) + jnp.abs(xd) - jnp.abs(yd)


def blur(ref: Pyramid, dis: Pyramid, *, level: int = -1) -> Float[Array, ""]:
    """Mean amount of detail that the distorted picture lost at a level; lower is better."""
    return mean(jnp.maximum(_detail_loss(ref, dis, level), 0.0))


def edge(ref: Pyramid, dis: Pyramid, *, level: int = -1) -> Float[Array, ""]:
    """Mean amount of detail that the distorted picture gained at a level; lower is better."""
    return mean(jnp.maximum(-_detail_loss(ref, dis, level), 0.0))


def _edge_strength(picture: Pyramid, level: int) -> Array:
    horizontal, vertical, _ = picture.bands(level)
    return safe.sqrt(horizontal**2 + vertical**2)


def sai(picture: Pyramid, *, level: int = -1) -> Float[Array, ""]:
    """Spatial activity of one picture: fourth root of the spread of its edge strength."""
    return safe.power(deviation(_edge_strength(picture, level)), 0.25)


def sai_difference(ref: Pyramid, dis: Pyramid, *, level: int = -1) -> Float[Array, ""]:
    """Spatial activity of the reference minus that of the distorted picture (signed).

    Two nearly equal numbers would be subtracted. So the difference is formed where it is still
    exact, between bands, and carried along: `x^2 - y^2 = (x - y) (x + y)`, for samples, for
    variances and for their eighth roots.
    """
    (xh, xv, _), (yh, yv, _) = ref.bands(level), dis.bands(level)
    x, y = (_edge_strength(picture, level) for picture in (ref, dis))
    total = x + y
    apart = safe.divide((xh - yh) * (xh + yh) + (xv - yv) * (xv + yv), total)
    variances = mean((apart - mean(apart)) * (total - mean(total)))
    first, second = deviation(x), deviation(y)
    a, b = (safe.power(d, 0.25) for d in (first, second))
    return safe.divide(
        variances, (a + b) * (safe.sqrt(first) + safe.sqrt(second)) * (first + second)
    )
