"""The perceptron's fit: Adam over all clips at once, in float64, on the CPU."""

from __future__ import annotations

import contextlib
import functools
import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxvqa._typing import Array, Float
from jaxvqa.fusion._regressions import Linear, Mlp, decide
from jaxvqa.fusion._series import prediction_device

MAX_STEPS = 1_000_000


def optimiser() -> Any:
    """The module optax.

    Raises:
        ImportError: it is not installed.
    """
    try:
        import optax
    except ImportError as error:
        raise ImportError("a fit by gradient needs optax: pip install 'jaxvqa[train]'.") from error
    return optax


@contextlib.contextmanager
def training() -> Iterator[None]:
    """Small programs in float64 on a CPU; optax mixes whole numbers with floats."""
    wide, device = jax.enable_x64(True), jax.default_device(prediction_device())
    with wide, device, jax.numpy_dtype_promotion("standard"):
        yield


def first_mlp(count: int, hidden: Sequence[int], seed: int) -> Mlp:
    """A perceptron before training: Glorot's uniform weights, biases 0.

    Args:
        count: number of features.
        hidden: units of each hidden layer.
        seed: of the weights.
    """
    rng = np.random.default_rng(seed)
    sizes = [count, *hidden, 1]
    weights = []
    for before, after in itertools.pairwise(sizes):
        limit = np.sqrt(6 / (before + after))
        weights.append(rng.uniform(-limit, limit, (before, after)))
    return Mlp(tuple(weights), tuple(np.zeros(size) for size in sizes[1:]))


def penalised_error(
    regression: Linear | Mlp,
    x: Float[Array, "clips n"],
    y: Float[Array, " clips"],
    shares: Float[Array, " clips"],
    penalty: Any,
) -> Array:
    """Mean squared error and the penalty on the weights."""
    error = decide(regression, x) - y
    cost = sum((w * w).sum() for w in jax.tree.leaves(regression.weights))
    return (shares * error * error).sum() + penalty * cost


def fit_mlp(
    x: np.ndarray,
    y: np.ndarray,
    shares: np.ndarray,
    *,
    penalty: float,
    hidden: Sequence[int],
    steps: int,
    learning_rate: float,
    seed: int,
) -> Mlp:
    """Trains a perceptron; arguments as for `fit` and `fit_ridge`.

    Raises:
        ValueError: an option out of range. ImportError: no optax.
    """
    sizes = check_hidden(hidden)
    check_descent(steps, learning_rate)
    optimiser()
    with training():
        start = jax.tree.map(jnp.asarray, first_mlp(x.shape[1], sizes, seed))
        data = tuple(jnp.asarray(part, jnp.float64) for part in (x, y, shares, penalty))
        return jax.device_get(_descend(steps, start, data, jnp.float64(learning_rate)))


def check_hidden(hidden: Sequence[int]) -> tuple[int, ...]:
    """Sizes of hidden layers as a tuple; raises ValueError for such as can't be."""
    sizes = tuple(hidden)
    if not sizes or not all(isinstance(size, int) and 1 <= size <= 1024 for size in sizes):
        raise ValueError(f"hidden must be sizes of layers from 1 to 1024, got {sizes}.")
    return sizes


def check_descent(steps: int, learning_rate: float) -> None:
    """Raises ValueError for a descent that can't be run."""
    if not (isinstance(steps, int) and 1 <= steps <= MAX_STEPS):
        raise ValueError(f"steps must be a whole number from 1 to {MAX_STEPS}, got {steps}.")
    if not 0 < learning_rate < float("inf"):
        raise ValueError(f"learning_rate must be above 0, got {learning_rate}.")


@functools.partial(jax.jit, static_argnums=0)
def _descend(steps: int, mlp: Mlp, data: tuple[Array, ...], learning_rate: Array) -> Mlp:
    optax = optimiser()
    adam = optax.adam(optax.cosine_decay_schedule(learning_rate, steps))

    def step(state: Any, _: None) -> tuple[Any, None]:
        mlp, memory = state
        change, memory = adam.update(jax.grad(penalised_error)(mlp, *data), memory)
        return (optax.apply_updates(mlp, change), memory), None

    (mlp, _), _ = jax.lax.scan(step, (mlp, adam.init(mlp)), length=steps)
    return mlp
