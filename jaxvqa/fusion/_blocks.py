"""What both file formats share: normalisation, clip, transform, and the checks on a model."""

from __future__ import annotations

from typing import Any

import numpy as np

from jaxvqa._checks import one_of
from jaxvqa.fusion._model import MAX_KNOTS, FeatureRef, Model, ScoreTransform, index_of
from jaxvqa.fusion._regressions import Svr
from jaxvqa.fusion._untrusted import Block, finite

NORM_TYPES = ("linear_rescale", "none")


def read_settings(block: Block, features: tuple[FeatureRef, ...], *, quoted: bool) -> Model:
    """Everything of a model but its regression, from an object with libvmaf's keys.

    Args:
        block: the object.
        features: the model's inputs.
        quoted: the transform's `out_*` flags are strings, as in libvmaf's files.

    Returns:
        A model whose regression is still empty.

    Raises:
        ValueError: a wrong type, or numbers that make no model.
    """
    try:
        norm_type = one_of("norm_type", block.text("norm_type"), NORM_TYPES)
    except ValueError as error:
        raise ValueError(f"{block.where}: {error}") from None
    count = len(features) + 1
    slopes, intercepts = np.ones(count), np.zeros(count)
    if norm_type == "linear_rescale":
        slopes, intercepts = block.numbers("slopes", count), block.numbers("intercepts", count)
    if slopes[0] == 0:
        block.fail("slopes[0] divides the score and must not be 0")
    empty = Svr(np.zeros((0, count - 1)), np.zeros(0), np.float64(0), np.float64(0))
    return Model(
        regression=empty,
        slopes=slopes,
        intercepts=intercepts,
        score_clip=_read_clip(block),
        chroma_correction_parameter=_read_chroma(block, features),
        score_transform=_read_transform(block, quoted=quoted),
        features=features,
        norm_type=norm_type,
    )


def _read_clip(block: Block) -> np.ndarray | None:
    if "score_clip" not in block:
        return None
    clip = block.numbers("score_clip", 2)
    if clip[0] > clip[1]:
        block.fail("score_clip must be [smallest, largest]")
    return clip


def _read_chroma(block: Block, features: tuple[FeatureRef, ...]) -> np.float64 | None:
    key = "chroma_correction_parameter"
    if key not in block:
        return None
    value = block.number(key)
    if value == 0:
        block.fail(f"{key} must not be 0: leave it out where no correction is wanted")
    try:
        index_of(features, "detail")
        index_of(features, "chroma")
    except ValueError as error:
        raise ValueError(f"{block.where}: {error}") from None
    return np.float64(value)


def _read_transform(block: Block, *, quoted: bool) -> ScoreTransform | None:
    if "score_transform" not in block:
        return None
    inner = block.block("score_transform")
    # a file without any coefficient leaves the score alone, one with some takes the others as 0
    present = any(key in inner for key in ("p0", "p1", "p2"))
    return ScoreTransform(
        p0=np.float64(inner.number("p0", 0.0)),
        p1=np.float64(inner.number("p1", 0.0 if present else 1.0)),
        p2=np.float64(inner.number("p2", 0.0)),
        knots=_read_knots(inner) if "knots" in inner else None,
        out_lte_in=inner.flag("out_lte_in", quoted=quoted),
        out_gte_in=inner.flag("out_gte_in", quoted=quoted),
        enabled=inner.flag("enabled"),
    )


def _read_knots(block: Block) -> np.ndarray:
    points = block.items("knots", MAX_KNOTS)
    if len(points) < 2 or not all(isinstance(p, list) and len(p) == 2 for p in points):
        block.fail("knots must be two or more [x, y] pairs")
    what = f"{block.where}: knots"
    knots = np.array([[finite(value, what) for value in point] for point in points], np.float64)
    if (np.diff(knots[:, 0]) <= 0).any() or (np.diff(knots[:, 1]) < 0).any():
        block.fail("knots must have increasing x and must not fall in y")
    return knots


def write_settings(model: Model, *, quoted: bool) -> dict[str, Any]:
    """The inverse of `read_settings`; absent settings are left out."""
    values: dict[str, Any] = {"norm_type": model.norm_type}
    if model.norm_type != "none":
        values["slopes"] = plain(model.slopes)
        values["intercepts"] = plain(model.intercepts)
    if model.chroma_correction_parameter is not None:
        values["chroma_correction_parameter"] = plain(model.chroma_correction_parameter)
    if model.score_transform is not None:
        values["score_transform"] = _write_transform(model.score_transform, quoted=quoted)
    if model.score_clip is not None:
        values["score_clip"] = plain(model.score_clip)
    return values


def _write_transform(transform: ScoreTransform, *, quoted: bool) -> dict[str, Any]:
    values: dict[str, Any] = {key: plain(getattr(transform, key)) for key in ("p0", "p1", "p2")}
    if transform.knots is not None:
        values["knots"] = plain(transform.knots)
    for key in ("out_lte_in", "out_gte_in"):
        if getattr(transform, key):
            values[key] = "true" if quoted else True
    if transform.enabled:
        values["enabled"] = True
    return values


def check_svr(svr: Svr, block: Block) -> Svr:
    """Returns `svr` as it came.

    Raises:
        ValueError: a kernel that grows with distance.
    """
    if svr.gamma <= 0:
        block.fail("gamma must be positive")
    return svr


def plain(array: Any) -> Any:
    """An array as nested lists of Python floats, exact in JSON."""
    return np.asarray(array, np.float64).tolist()
