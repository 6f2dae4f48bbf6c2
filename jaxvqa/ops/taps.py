"""Linear maps along one axis as tables: which input samples make an output sample, with what weight.

Resizing, filtering with a mirrored border and decimation all are such maps. Their product is
another one, so a chain that keeps one sample in 256 costs only what those samples need.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxvqa._typing import Array
from jaxvqa.ops.borders import border_indices


class Taps(NamedTuple):
    """Output `i` is the sum over k of `weights[i, k] * input[index[i, k]]`.

    Args:
        index: `(outputs, taps)` positions in the input.
        weights: `(outputs, taps)`, float64.
    """

    index: np.ndarray
    weights: np.ndarray


def filtered(size: int, kernel: tuple[float, ...], stride: int, count: int) -> Taps:
    """Odd `kernel` centred on samples 0, stride, 2 stride, ...; `reflect` borders."""
    radius = len(kernel) // 2
    padded = border_indices(size, radius, radius, "reflect", "reflect")
    index = padded[np.arange(count)[:, None] * stride + np.arange(len(kernel))]
    return _merged(index, np.broadcast_to(np.asarray(kernel), index.shape), size)


def chain(first: Taps, second: Taps, size: int) -> Taps:
    """The map `first` (of `size` input samples) followed by `second`."""
    index = first.index[second.index].reshape(len(second.index), -1)
    weights = second.weights[..., None] * first.weights[second.index]
    return _merged(index, weights.reshape(index.shape), size)


def _merged(index: np.ndarray, weights: np.ndarray, size: int) -> Taps:
    """Adds up weights that fall on the same input sample; short rows are filled with weight 0."""
    outputs = len(index)
    dense = np.zeros((outputs, size))
    np.add.at(dense, (np.arange(outputs)[:, None], index), weights)
    most = max(int(np.count_nonzero(dense, axis=1).max()), 1)
    # a stable sort keeps the used positions first and in order
    order = np.argsort(dense == 0, axis=1, kind="stable")[:, :most]
    return Taps(order, np.take_along_axis(dense, order, axis=1))


def apply(x: Array, taps: Taps, axis: int) -> Array:
    """Applies a map along one axis; the result has the dtype that `x` is weighted in, float64."""
    shape = [1] * x.ndim
    shape[axis] = -1
    total = None
    for k in range(taps.index.shape[1]):
        # the tables never leave the array; other modes add a comparison per sample
        taken = jnp.take(x, taps.index[:, k], axis=axis, mode="clip")
        term = taken.astype(jnp.float64) * jnp.asarray(taps.weights[:, k]).reshape(shape)
        total = term if total is None else total + term
    assert total is not None
    return jax.lax.optimization_barrier(total)
