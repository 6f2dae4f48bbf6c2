"""Scores of a whole clip on the host, in float64, from per-frame feature series."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import numpy as np

from jaxvqa._typing import Array, Float
from jaxvqa.fusion._bootstrap import predict_collection
from jaxvqa.fusion._model import AnyModel, Collection, numbers_only
from jaxvqa.fusion._predict import predict

_BLOCK = 1024  # rows per call: bounds the memory of long clips
_MIN_ROWS = 16


def _scores(
    model: AnyModel, rows: Float[Array, "frames n"], transform: bool | None, clip: bool
) -> dict[str, Float[Array, " frames"]]:
    if isinstance(model, Collection):
        return predict_collection(model, rows, transform=transform, clip=clip)
    return {"": predict(model, rows, transform=transform, clip=clip)}


PREDICTION_STATICS = 3


@functools.partial(jax.jit, static_argnums=range(PREDICTION_STATICS))
def predictions(
    structure: Any,
    transform: bool | None,
    clip: bool,
    rows: Float[Array, "frames n"],
    *numbers: Any,
) -> dict[str, Float[Array, " frames"]]:
    """Scores of rows by the suffix of their names, from a model taken apart by `jax.tree`."""
    return _scores(jax.tree.unflatten(structure, numbers), rows, transform, clip)


def score_series(
    model: AnyModel,
    series: Mapping[str, np.ndarray],
    name: str,
    *,
    transform: bool | None = None,
    clip: bool = True,
) -> dict[str, np.ndarray]:
    """Scores a clip from its feature series.

    Args:
        model: a model or a collection.
        series: per-frame values under libvmaf's full keys; more keys than needed are fine.
        name: key of the score, e.g. "vmaf".
        transform: as for `_predict.predict`.
        clip: as for `_predict.predict`.

    Returns:
        As for `score_rows`.

    Raises:
        ValueError: a feature is missing, or series differ in length.
    """
    keys = [feature.key for feature in model.features]
    missing = [key for key in keys if key not in series]
    if missing:
        raise ValueError(f"model {model.name} needs the features {', '.join(missing)}.")
    return score_rows(model, [series[key] for key in keys], name, transform=transform, clip=clip)


def score_rows(
    model: AnyModel,
    columns: Sequence[np.ndarray],
    name: str,
    *,
    transform: bool | None = None,
    clip: bool = True,
    program: Callable[..., Any] = predictions,
) -> dict[str, np.ndarray]:
    """Scores a clip from one series per feature of the model, in the model's order.

    Runs in float64 whatever the caller's setting. Rows are padded to a power of two and taken in
    blocks, so that clips of all lengths share a few compiled programs: those of `predictions`, or
    of what gives the same.

    Returns:
        float64 arrays `(frames,)`: `{name: ...}`, for a collection also `name_0001` and so on.

    Raises:
        ValueError: series differ in length.
    """
    rows = _rows(model, columns)
    numbers, structure = jax.tree.flatten(numbers_only(model))
    found: dict[str, list[np.ndarray]] = {}
    with jax.enable_x64(True), jax.default_device(prediction_device()):
        for start in range(0, max(len(rows), 1), _BLOCK):
            block = rows[start : start + _BLOCK]
            size = max(_MIN_ROWS, 1 << (len(block) - 1).bit_length()) if len(block) else _MIN_ROWS
            padded = np.pad(block, ((0, size - len(block)), (0, 0)))
            for suffix, values in program(structure, transform, clip, padded, *numbers).items():
                found.setdefault(suffix, []).append(np.asarray(values)[: len(block)])
    return {name + suffix: np.concatenate(parts) for suffix, parts in found.items()}


def prediction_device() -> Any:
    """Small programs in float64 are a CPU's work, also where JAX has an accelerator."""
    try:
        return jax.local_devices(backend="cpu")[0]
    except RuntimeError:  # JAX was told to have no CPU backend
        return jax.local_devices()[0]


def _rows(model: AnyModel, columns: Sequence[np.ndarray]) -> np.ndarray:
    columns = [np.asarray(column, np.float64) for column in columns]
    shapes = {column.shape for column in columns}
    if len(shapes) != 1 or columns[0].ndim != 1:
        raise ValueError(
            f"the features of model {model.name} must be (frames,) arrays of one length, "
            f"got shapes {', '.join(map(str, sorted(shapes)))}."
        )
    return np.stack(columns, axis=1)
