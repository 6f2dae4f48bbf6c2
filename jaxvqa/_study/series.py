"""Series of scores and features of one clip, measured or read from a file."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from jaxvqa._pooling import pool
from jaxvqa._tables import TableError
from jaxvqa.features._registry import find
from jaxvqa.fusion._catalog import load_request
from jaxvqa.fusion._model import AnyModel, FeatureRef
from jaxvqa.fusion._request import parse_model_text
from jaxvqa.fusion._series import score_rows
from jaxvqa.report import load


@dataclass(frozen=True)
class Series:
    """Per-frame values of one clip.

    Args:
        frames: by name.
        outputs: names in `frames` by the model or feature that was asked for.
        directions: "higher", "lower" or "neither" is better, by name, as far as known.
    """

    frames: Mapping[str, np.ndarray]
    outputs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    directions: Mapping[str, str] = field(default_factory=dict)


def pooled(values: np.ndarray, how: str, what: str) -> float:
    """One number of a series.

    Raises:
        TableError: the series is undefined on some frame.
    """
    value = pool(values)[how]
    if not np.isfinite(value):
        raise TableError(f"{what} has no finite value on some frame: leave the clip out.")
    return value


def read_series(path: str | os.PathLike[str]) -> Series:
    """Series from a file of saved results, JSON or CSV, ours or libvmaf's."""
    return Series(load(path).frames)


def printed_name(feature: FeatureRef) -> str:
    """The name under which results have an input of a model."""
    extractor = find(feature.extractor)
    output, options = extractor.output(feature.key, extractor.resolve(feature.settings))
    return output.name + options.suffix


def lacking(model: AnyModel, frames: Mapping[str, np.ndarray]) -> list[str]:
    """The inputs of a model that series don't have, by their printed names."""
    names = (printed_name(feature) for feature in model.features)
    return [name for name in names if name not in frames]


def saved_score(text: str, model: AnyModel, frames: Mapping[str, np.ndarray]) -> np.ndarray:
    """Scores of a model from saved features.

    Args:
        text: how the model was asked for, with its switches.
        model: the model.
        frames: saved series that it lacks nothing of.
    """
    return score_of(text, model, [frames[printed_name(feature)] for feature in model.features])


def score_of(text: str, model: AnyModel, columns: Sequence[np.ndarray]) -> np.ndarray:
    """The same from one series per feature of the model, in its order."""
    request = parse_model_text(text)
    scores = score_rows(
        model,
        columns,
        "score",
        transform=True if request.enable_transform else None,
        clip=not request.disable_clip,
    )
    return scores["score"]


def model_of(text: str) -> AnyModel:
    """The model that a text in libvmaf's `--model` form asks for."""
    return load_request(parse_model_text(text))


def read_series_names(path: str | os.PathLike[str]) -> tuple[str, ...]:
    """Names of the scores in a file of saved results; of all series where it has no score."""
    saved = load(path)
    return saved.score_names or tuple(saved.frames)
