"""Information atoms of the FUNQUE family: VIF on approximations, ST-RRED on details.

Both model 9x9 windows of subbands as Gaussian. Like the other atoms they take Haar pyramids of one
frame with samples in [0, 1].

Source: FUNQUE+ (funque_plus 65d0b88).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import jax.numpy as jnp

from jaxvqa._ops.stages import stage
from jaxvqa._ops.tiling import map_rows
from jaxvqa._typing import Array, Float
from jaxvqa.features._funque.atoms import mean
from jaxvqa.features._funque.box import mirror, window_mean, window_variance
from jaxvqa.features._funque.haar import HaarDetails, Pyramid

_WINDOW = 9
_RADIUS = _WINDOW // 2
_LOG_2PI_E = math.log(2 * math.pi * math.e)

_VIF_NOISE = 5.0
_VIF_FLOOR = 1e-10
_VIF_OFFSET = 1e-4
_RRED_NOISE = 0.1


def _moments(x: Array, y: Array) -> tuple[Array, Array, Array]:
    """Window variances of x and y and their covariance, before any repair."""
    # variances don't see a common offset; near zero mean float32 keeps them
    x, y = mirror(x - mean(x), _RADIUS), mirror(y - mean(y), _RADIUS)
    mean_x, mean_y = window_mean(x, _WINDOW), window_mean(y, _WINDOW)
    return (
        window_mean(x * x, _WINDOW) - mean_x * mean_x,
        window_mean(y * y, _WINDOW) - mean_y * mean_y,
        window_mean(x * y, _WINDOW) - mean_x * mean_y,
    )


def _gain_and_noise(var_x: Array, var_y: Array, cov: Array) -> tuple[Array, Array, Array]:
    """(gain, noise variance, variance of x) of y = gain x + noise, repaired as the source does."""
    negative = (var_x < 0) | (var_y < 0)
    var_x, var_y = jnp.maximum(var_x, 0.0), jnp.maximum(var_y, 0.0)
    cov = jnp.where(negative, 0.0, cov)
    flat_x, flat_y = var_x < _VIF_FLOOR, var_y < _VIF_FLOOR
    gain = jnp.where(flat_x, 0.0, cov / jnp.where(flat_x, 1.0, var_x + _VIF_FLOOR))
    noise = jnp.where(flat_x, var_y, var_y - gain * cov)
    var_x = jnp.where(flat_x, 0.0, var_x)
    gain, noise = jnp.where(flat_y, 0.0, gain), jnp.where(flat_y, 0.0, noise)
    opposed = gain < 0
    # the source takes the variance of x here, not that of y
    noise, gain = jnp.where(opposed, var_x, noise), jnp.where(opposed, 0.0, gain)
    return gain, jnp.maximum(noise, _VIF_FLOOR), var_x


def vif_approximation(ref: Pyramid, dis: Pyramid, *, level: int = -1) -> Float[Array, ""]:
    """Visual information fidelity of the approximations of one level.

    Models how much of the information that an observer takes from the reference the distorted
    picture still carries, in 9x9 windows of a Gaussian scale mixture, one scale alone.

    Args:
        ref: pyramid of the reference.
        dis: pyramid of the distorted picture.
        level: which level, from 1, or -1 for the coarsest.

    Returns:
        1 for equal pictures, towards 0 as information is lost; higher is better, above 1 where
        contrast was raised. The noise variance is 5 on samples in [0, 1], so the constant 1e-4 that
        each window adds to both sums is a large share of the value.

    Source: FUNQUE+ (funque_plus 65d0b88), natural logarithm.
    """
    index = level - 1 if level > 0 else level
    moments = _moments(ref.approximations[index], dis.approximations[index])

    def rows(var_x: Array, var_y: Array, cov: Array) -> tuple[Array, Array]:
        gain, noise, variance = _gain_and_noise(var_x, var_y, cov)
        carried = jnp.log1p(gain * gain * variance / (noise + _VIF_NOISE))
        return carried.sum(-1), jnp.log1p(variance * (1.0 / _VIF_NOISE)).sum(-1)

    height, width = moments[0].shape
    carried, available = (x.sum() for x in map_rows(rows, moments, height=height))
    offset = _VIF_OFFSET * height * width
    return (carried + offset) / (available + offset)


class EntropyDifferences(NamedTuple):
    """What `st_rred` gives: means over the levels, all 0 for equal pairs, lower is better.

    Args:
        srred: spatial entropy difference.
        trred: temporal entropy difference, of frame differences.
        strred: mean of the levels' products of the two.
    """

    srred: Array
    trred: Array
    strred: Array


def _entropy(variance: Array) -> tuple[Array, Array]:
    """(scaling factor, entropy) of windows with the given variances."""
    return jnp.log1p(variance), jnp.log(variance + _RRED_NOISE) + _LOG_2PI_E


def _product_difference(a: Array, b: Array, c: Array, d: Array) -> Array:
    """`a b - c d` from differences: exactly 0 for equal factors, fused multiply-adds or not."""
    return (a - c) * b + c * (b - d)


def _differences(x: Array, y: Array, change_x: Array, change_y: Array) -> tuple[Array, Array]:
    """Spatial and temporal entropy difference of each window, from window variances."""
    (scale_x, entropy_x), (scale_y, entropy_y) = _entropy(x), _entropy(y)
    (rate_x, change_x), (rate_y, change_y) = _entropy(change_x), _entropy(change_y)
    spatial = _product_difference(scale_x, entropy_x, scale_y, entropy_y)
    change = _product_difference(rate_x, change_x, rate_y, change_y)
    temporal = (scale_x - scale_y) * rate_x * change_x + scale_y * change
    return jnp.abs(spatial), jnp.abs(temporal)


def _changes(x: Array, y: Array, x_before: Array, y_before: Array) -> tuple[Array, Array]:
    return x - x_before, y - y_before


def _row_differences(x: Array, y: Array, x_before: Array, y_before: Array) -> tuple[Array, Array]:
    """Row sums of the entropy differences, from bands with a border of the window's radius."""
    changes = stage(_changes, x, y, x_before, y_before)
    variances = [window_variance(field, _WINDOW) for field in (x, y, *changes)]
    spatial, temporal = stage(_differences, *variances)
    return spatial.sum(-1), temporal.sum(-1)


def _level_differences(
    ref: HaarDetails, dis: HaarDetails, ref_before: HaarDetails, dis_before: HaarDetails
) -> Array:
    """[spatial, temporal] entropy difference of one level, means over H, V and D."""
    height, width = ref[0].shape
    total = jnp.zeros((2,), ref[0].dtype)
    for bands in zip(ref, dis, ref_before, dis_before, strict=True):
        padded = tuple(mirror(band, _RADIUS) for band in bands)
        sums = map_rows(_row_differences, padded, height=height, halo=2 * _RADIUS)
        total = total + jnp.stack([s.sum() for s in sums])
    return total * (1.0 / (3 * height * width))


def st_rred(
    ref: Pyramid, dis: Pyramid, ref_before: Pyramid, dis_before: Pyramid
) -> EntropyDifferences:
    """Spatio-temporal reduced-reference entropic differences on Haar details.

    Models how far local entropies of subbands, and of their change since the frame before, drift
    from the reference's; windows with more energy weigh more.

    Args:
        ref: pyramid of the reference frame; only the details are read, here and below.
        dis: pyramid of the distorted frame.
        ref_before: pyramid of the reference's frame before.
        dis_before: pyramid of the distorted side's frame before.

    Returns:
        The three means over all levels. With no change since the frame before, trred and strred
        are 0. Values are small, 1e-9 to 1e-4 with the weights of FUNQUE+.

    Source: FUNQUE+ (funque_plus 65d0b88), scalar form (block size 1).
    """
    levels = []
    for quartet in zip(
        ref.details, dis.details, ref_before.details, dis_before.details, strict=True
    ):
        x, y, x_before, y_before = quartet
        if x is None or y is None or x_before is None or y_before is None:
            levels.append(None)  # details that are exactly zero carry no entropy difference
        else:
            levels.append(_level_differences(x, y, x_before, y_before))
    present = [level for level in levels if level is not None]
    if not present:
        zero = jnp.zeros((), ref.approximations[0].dtype)
        return EntropyDifferences(zero, zero, zero)
    both = jnp.stack(present)
    share = 1.0 / len(levels)
    spatial, temporal = both[:, 0], both[:, 1]
    return EntropyDifferences(
        spatial.sum() * share, temporal.sum() * share, (spatial * temporal).sum() * share
    )
