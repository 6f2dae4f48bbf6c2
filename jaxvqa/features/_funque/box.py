"""Uniform windows at stride 1 with a mirrored border.

A box sum is separable and is taken as sums of sums of three samples; an integral image would lose
what float32 has, because neighbouring windows would be differences of huge sums.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from jaxvqa._ops.borders import pad
from jaxvqa._ops.stages import stage
from jaxvqa._typing import Array, Float


def mirror(x: Array, radius: int) -> Array:
    """Extends the last two axes by `radius`, mirrored about the edge sample.

    A picture narrower than the border is mirrored to and fro, as `numpy.pad` does.
    """
    if min(x.shape[-2:]) > radius:
        return pad(x, (radius, radius), (radius, radius))
    for axis in (-2, -1):
        index = np.pad(np.arange(x.shape[axis]), radius, "reflect")
        x = jnp.take(x, index, axis=axis)
    return jax.lax.optimization_barrier(x)


def _shifted_sum(x: Array, count: int, step: int, axis: int) -> Array:
    span = x.shape[axis] - (count - 1) * step
    total = jax.lax.slice_in_dim(x, 0, span, axis=axis)
    for k in range(1, count):
        total = total + jax.lax.slice_in_dim(x, k * step, k * step + span, axis=axis)
    return total


def _run_sum(x: Array, side: int, axis: int) -> Array:
    """Sums of `side` neighbours along one axis, VALID."""
    if side == 9:
        return _shifted_sum(_shifted_sum(x, 3, 1, axis), 3, 3, axis)
    return _shifted_sum(x, side, 1, axis)


def box_sum(x: Float[Array, "*batch h w"], side: int) -> Float[Array, "*batch rows columns"]:
    """Sums over `side` x `side` windows, VALID: pad with `mirror` first to keep the size."""
    axis = x.ndim - 2
    down = stage(_run_sum, x, side=side, axis=axis)
    return stage(_run_sum, jax.lax.optimization_barrier(down), side=side, axis=axis + 1)


def window_mean(x: Float[Array, "*batch h w"], side: int) -> Float[Array, "*batch rows columns"]:
    """Means over `side` x `side` windows, VALID."""
    return box_sum(x, side) * (1.0 / side**2)


def window_variance(
    x: Float[Array, "*batch h w"], side: int
) -> Float[Array, "*batch rows columns"]:
    """Population variances over `side` x `side` windows, VALID, never below 0."""
    mean = window_mean(x, side)
    return jnp.maximum(window_mean(x * x, side) - mean * mean, 0.0)
