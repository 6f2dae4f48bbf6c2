"""The regressions of a model: from normalised features to a normalised score.

Each is a pytree of arrays. `decide` is their one evaluation, for `jit`, `vmap` and `grad`.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from jaxvqa._pytree import pytree
from jaxvqa._typing import Array, Float


@pytree(eq=False)
class Svr:
    """A support vector regression with Gaussian kernel.

    Args:
        support_vectors: `(n_sv, n)`, in normalised feature units.
        coefficients: `(n_sv,)`.
        gamma: kernel width parameter, scalar.
        rho: offset that is subtracted, scalar.
    """

    support_vectors: Any
    coefficients: Any
    gamma: Any
    rho: Any


@pytree(eq=False)
class Linear:
    """A weighted sum, as ridge regression fits it.

    Args:
        weights: `(n,)`, per normalised feature.
        bias: scalar that is added.
    """

    weights: Any
    bias: Any


@pytree(eq=False)
class Mlp:
    """A multi-layer perceptron: `tanh` after each layer but the last, which gives one number.

    Args:
        weights: one `(inputs, outputs)` array a layer.
        biases: one `(outputs,)` array a layer.
    """

    weights: tuple[Any, ...]
    biases: tuple[Any, ...]


Regression = Svr | Linear | Mlp


def inputs_of(regression: Regression) -> int:
    """Number of features that a regression takes."""
    if isinstance(regression, Svr):
        return regression.support_vectors.shape[-1]
    if isinstance(regression, Linear):
        return regression.weights.shape[-1]
    return regression.weights[0].shape[-2]


def decide(regression: Regression, z: Float[Array, "frames n"]) -> Float[Array, " frames"]:
    """Value of the regression for each row of normalised features, in the dtype of `z`.

    `sum_j alpha_j exp(-gamma |z - sv_j|^2) - rho`, `z @ w + b`, or the layers of a perceptron.
    """
    regression = cast(regression, z.dtype)
    if isinstance(regression, Svr):
        # differences first: the expanded square loses half the digits near a support vector
        offsets = z[:, None, :] - regression.support_vectors[None, :, :]
        kernel = jnp.exp(-regression.gamma * (offsets * offsets).sum(-1))
        return (kernel * regression.coefficients[None, :]).sum(-1) - regression.rho
    if isinstance(regression, Linear):
        return (z * regression.weights[None, :]).sum(-1) + regression.bias
    *hidden, last = zip(regression.weights, regression.biases, strict=True)
    for weights, bias in hidden:
        z = jnp.tanh(_layer(z, weights, bias))
    return _layer(z, *last)[:, 0]


def _layer(z: Array, weights: Array, bias: Array) -> Array:
    # full precision also where an accelerator would multiply in fewer bits
    return jnp.matmul(z, weights, precision=jax.lax.Precision.HIGHEST) + bias[None, :]


def cast(tree: Any, dtype: Any) -> Any:
    """A pytree whose numbers are JAX arrays of `dtype`."""
    return jax.tree.map(lambda leaf: jnp.asarray(leaf, dtype), tree)
