"""Regressions in our model files: `svr`, `linear` or `mlp`, an object of numbers each."""

from __future__ import annotations

from typing import Any

import numpy as np

from jaxvqa.fusion._blocks import check_svr, plain
from jaxvqa.fusion._regressions import Linear, Mlp, Regression, Svr
from jaxvqa.fusion._untrusted import Block, finite

MAX_SUPPORT_VECTORS = 10_000
MAX_LAYERS = 8
MAX_UNITS = 1024
KINDS = ("svr", "linear", "mlp")


def kind_of(block: Block) -> str:
    """Which regression the object of a model holds.

    Raises:
        ValueError: none, or several.
    """
    found = [kind for kind in KINDS if kind in block]
    if len(found) != 1:
        block.fail(f"a model has one of {', '.join(KINDS)}, this one has {len(found)} of them")
    return found[0]


def read_regression(block: Block, count: int) -> Regression:
    """The regression of a model of `count` features.

    Args:
        block: the model's object.
        count: number of features.

    Raises:
        ValueError: none or several, wrong types, numbers that are not finite, or shapes that don't
            fit.
    """
    kind = kind_of(block)
    inner = block.block(kind)
    return {"svr": _read_svr, "linear": _read_linear, "mlp": _read_mlp}[kind](inner, count)


def _read_svr(block: Block, count: int) -> Svr:
    table = _table(block, "support_vectors", MAX_SUPPORT_VECTORS, count + 1)
    svr = Svr(
        support_vectors=table[:, 1:].copy(),
        coefficients=table[:, 0].copy(),
        gamma=np.float64(block.number("gamma")),
        rho=np.float64(block.number("rho")),
    )
    return check_svr(svr, block)


def _read_linear(block: Block, count: int) -> Linear:
    return Linear(block.numbers("weights", count), np.float64(block.number("bias")))


def _read_mlp(block: Block, count: int) -> Mlp:
    weights, biases = [], []
    layers = block.items("layers", MAX_LAYERS)
    for index, values in enumerate(layers):
        inner = Block(values, f"{block.where}, layer {index + 1}")
        units = len(inner.items("biases", MAX_UNITS))
        if index == len(layers) - 1 and units != 1:
            inner.fail("the last layer must have 1 unit")
        biases.append(inner.numbers("biases", units))
        rows = _table(inner, "weights", count, units)
        if len(rows) != count:
            inner.fail(f"weights must have a row for each of {count} inputs")
        weights.append(rows)
        count = units
    return Mlp(tuple(weights), tuple(biases))


def _table(block: Block, key: str, most: int, width: int) -> np.ndarray:
    """Rows of `width` numbers each."""
    rows = block.items(key, most)
    if not all(isinstance(row, list) and len(row) == width for row in rows):
        block.fail(f"{key} must be rows of {width} numbers")
    what = f"{block.where}: {key}"
    return np.array([[finite(value, what) for value in row] for row in rows], np.float64)


def write_regression(regression: Regression) -> dict[str, Any]:
    """The object with one key that `read_regression` takes."""
    if isinstance(regression, Svr):
        rows = np.column_stack([regression.coefficients, regression.support_vectors])
        numbers = {"gamma": plain(regression.gamma), "rho": plain(regression.rho)}
        return {"svr": numbers | {"support_vectors": plain(rows)}}
    if isinstance(regression, Linear):
        return {"linear": {"weights": plain(regression.weights), "bias": plain(regression.bias)}}
    pairs = zip(regression.weights, regression.biases, strict=True)
    return {"mlp": {"layers": [{"weights": plain(w), "biases": plain(b)} for w, b in pairs]}}
