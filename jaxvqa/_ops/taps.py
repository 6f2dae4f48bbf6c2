"""Linear maps along one axis as tables of input positions and weights for each output sample.

Resizing, filtering with a mirrored border and decimation all are such maps. Their product is
another one, so a chain that keeps one sample in 256 costs only what those samples need.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxvqa._ops.borders import border_indices
from jaxvqa._typing import Array


class Taps(NamedTuple):
    """Output `i` is the sum over k of `weights[i, k] * input[positions[i, k]]`.

    Args:
        positions: `(outputs, taps)`, in the input.
        weights: `(outputs, taps)`, float64.
    """

    positions: np.ndarray
    weights: np.ndarray


def filtered(size: int, kernel: tuple[float, ...], stride: int, count: int) -> Taps:
    """Odd `kernel` centred on samples 0, stride, 2 stride, ...; `reflect` borders."""
    radius = len(kernel) // 2
    padded = border_indices(size, radius, radius, "reflect", "reflect")
    positions = padded[np.arange(count)[:, None] * stride + np.arange(len(kernel))]
    return _merged(positions, np.broadcast_to(np.asarray(kernel), positions.shape), size)


def chain(first: Taps, second: Taps, size: int) -> Taps:
    """The map `first` (of `size` input samples) followed by `second`."""
    positions = first.positions[second.positions].reshape(len(second.positions), -1)
    weights = second.weights[..., None] * first.weights[second.positions]
    return _merged(positions, weights.reshape(positions.shape), size)


def _merged(positions: np.ndarray, weights: np.ndarray, size: int) -> Taps:
    """Adds up weights that fall on the same input sample; short rows are filled with weight 0."""
    outputs = len(positions)
    dense = np.zeros((outputs, size))
    np.add.at(dense, (np.arange(outputs)[:, None], positions), weights)
    most = max(int(np.count_nonzero(dense, axis=1).max()), 1)
    # a stable sort keeps the used positions first and in order
    order = np.argsort(dense == 0, axis=1, kind="stable")[:, :most]
    return Taps(order, np.take_along_axis(dense, order, axis=1))


def apply(x: Array, taps: Taps, axis: int) -> Array:
    """Applies a map along one axis, in float64 (so inside a 64-bit scope)."""
    shape = [1] * x.ndim
    shape[axis] = -1
    total = None
    for k in range(taps.positions.shape[1]):
        # 32-bit positions: a scatter-add, the transpose, is lowered outside the scope
        positions = taps.positions[:, k].astype(np.int32)
        where = (*[slice(None)] * axis, positions)
        # the tables never leave the array; other modes add a comparison per sample
        taken = x.at[where].get(mode="promise_in_bounds")
        term = taken.astype(jnp.float64) * jnp.asarray(taps.weights[:, k]).reshape(shape)
        total = term if total is None else total + term
    assert total is not None
    return jax.lax.optimization_barrier(total)
