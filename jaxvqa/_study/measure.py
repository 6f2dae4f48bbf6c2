"""What metrics say of the clips of a study: columns, saved results, or measured now."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from jaxvqa._scoring.auto import AUTO
from jaxvqa._scoring.request import ScoreRequest
from jaxvqa._scoring.result import Result
from jaxvqa._scoring.score import score_request
from jaxvqa._study.cache import SeriesCache
from jaxvqa._study.dataset_format import works_of
from jaxvqa._study.series import (
    Series,
    lacking,
    model_of,
    pooled,
    read_series,
    saved_score,
)
from jaxvqa._study.study import Clip, Study
from jaxvqa._study.workfile import Works, workfiles
from jaxvqa._tables import TableError
from jaxvqa.features._registry import direction_of
from jaxvqa.fusion._model import AnyModel
from jaxvqa.fusion._request import parse_model_text


@dataclass(frozen=True)
class Prediction:
    """What one metric says of all clips.

    Args:
        name: its name.
        values: `(clips,)`.
        direction: "higher" or "lower" is better, or "neither".
    """

    name: str
    values: np.ndarray
    direction: str


@dataclass(frozen=True)
class Measuring:
    """How clips are measured.

    Args:
        scorer: `(ref, dis, request) -> Result`.
        cache: where series are kept, or None.
        progress: called with (clips done, clips in all) before each clip.
    """

    scorer: Callable[[str, str, ScoreRequest], Result] = score_request
    cache: SeriesCache | None = None
    progress: Callable[[int, int], None] | None = None

    def series(self, study: Study, models: Sequence[str], features: Sequence[str]) -> list[Series]:
        """Series of every clip.

        Args:
            study: the clips.
            models: `model` of a `ScoreRequest`.
            features: its `features`.

        Raises:
            TableError: a clip without videos, or that asks for what is not done.
        """
        for clip in study.clips:
            _check(study, clip)
        found = []
        for i, clip in enumerate(study.clips):
            if self.progress is not None:
                self.progress(i, len(study.clips))
            works, options = works_of(clip.options)
            request = ScoreRequest.of(model=models, features=features, **options)
            found.append(self._one(clip, request, works))
        if self.progress is not None:
            self.progress(len(study.clips), len(study.clips))
        return found

    def _one(self, clip: Clip, request: ScoreRequest, works: Works | None) -> Series:
        ref, dis = str(clip.ref), str(clip.dis)
        key = None if self.cache is None else self.cache.key(ref, dis, request, works)
        kept = None if key is None or self.cache is None else self.cache.load(key)
        if kept is not None:
            return kept
        with (
            contextlib.nullcontext((ref, dis))
            if works is None
            else workfiles(ref, dis, works) as paths
        ):
            series = _series_of(self.scorer(*paths, request), request)
        if key is not None and self.cache is not None:
            self.cache.keep(key, series)
        return series


def _check(study: Study, clip: Clip) -> None:
    if clip.ref is None or clip.dis is None:
        raise TableError(f"{study.source}: clip {clip.name!r} has no ref and dis to measure.")
    if "unsupported" in clip.options:
        raise TableError(
            f"{study.source}: clip {clip.name!r} has {clip.options['unsupported']}, which libvmaf "
            "does not take either: add what is missing."
        )


def _series_of(result: Result, request: ScoreRequest) -> Series:
    texts = [*map(str, request.models), *request.features]
    outputs = {text: asked.outputs for text, asked in zip(texts, result.requested, strict=True)}
    directions = {name: direction_of(name) for name in result.frames}
    for text, asked in zip(texts, result.requested, strict=True):
        if asked.kind == "model" and (model := _named(text)) is not None:
            directions |= dict.fromkeys(asked.outputs, model.info.direction)
    # as they come from the cache, so that a second run has the same bits
    frames = {name: np.asarray(values, np.float64) for name, values in result.frames.items()}
    return Series(frames, outputs, directions)


def _named(text: str) -> AnyModel | None:
    """The model that a text names; None where each clip gets the one that fits it."""
    return None if parse_model_text(text).source == AUTO else model_of(text)


def _title(text: str, model: AnyModel | None) -> str:
    """What a model is called in figures: as its text says, else by its own name."""
    return parse_model_text(text).name or (model.name if model is not None else "") or text


def predictions(
    study: Study,
    measuring: Measuring,
    *,
    metrics: Sequence[str] = (),
    models: Sequence[str] = (),
    features: Sequence[str] = (),
    pool: str = "mean",
) -> list[Prediction]:
    """What metrics, models and features say of the clips.

    Args:
        study: the clips.
        measuring: how clips are measured, where that is needed.
        metrics: columns of the table, or series of the saved results.
        models: fusion models; on saved features where the results have them, else measured.
        features: features to measure.
        pool: how frames become one number, one of `jaxvqa.pool`'s.

    Raises:
        TableError: something is not there for a clip. ValueError: no such model or feature.
    """
    found = []
    saved = _Saved(study)
    for name in metrics:
        values = [_value(study, clip, saved, name, pool) for clip in study.clips]
        found.append(Prediction(name, np.array(values), direction_of(name)))
    loaded = {text: _named(text) for text in models}
    to_measure = []
    for text in models:
        known = _from_saved(study, saved, text, loaded[text], pool)
        if known is None:
            to_measure.append(text)
        else:
            found.append(known)
    if to_measure or features:
        series = measuring.series(study, to_measure, features)
        found += _measured(study, series, loaded, pool)
    names = [one.name for one in found]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"{name} is asked for twice, or two things have this name.")
    return found


class _Saved:
    """The saved results of clips, each file read once."""

    def __init__(self, study: Study) -> None:
        self._study = study
        self._read: dict[str, Series] = {}

    def of(self, clip: Clip) -> Series | None:
        if clip.results is None:
            return None
        if clip.results not in self._read:
            self._read[clip.results] = read_series(clip.results)
        return self._read[clip.results]

    @property
    def all(self) -> list[Series] | None:
        """Of every clip; None if some clip has none."""
        found = [self.of(clip) for clip in self._study.clips]
        return None if None in found else [one for one in found if one is not None]


def _value(study: Study, clip: Clip, saved: _Saved, name: str, how: str) -> float:
    if name in clip.values:
        return clip.values[name]
    series = saved.of(clip)
    if series is not None and name in series.frames:
        return pooled(series.frames[name], how, f"{study.source}: {name} of clip {clip.name!r}")
    known = sorted({*clip.values, *(series.frames if series is not None else ())})
    there = ", ".join(known[:40]) if known else "no numbers besides ratings"
    raise TableError(f"{study.source}: clip {clip.name!r} has no {name}; it has {there}.")


def _from_saved(
    study: Study, saved: _Saved, text: str, model: AnyModel | None, how: str
) -> Prediction | None:
    """A model on saved features; None where videos have to be measured instead."""
    series = saved.all if model is not None else None
    if series is None or model is None:
        return None
    values = []
    for clip, one in zip(study.clips, series, strict=True):
        missing = lacking(model, one.frames)
        if missing:
            if all(c.ref is not None and c.dis is not None for c in study.clips):
                return None
            raise TableError(
                f"{clip.results}: has no {', '.join(missing)}, which model {text} needs."
            )
        what = f"{study.source}: {text} of clip {clip.name!r}"
        values.append(pooled(saved_score(text, model, one.frames), how, what))
    return Prediction(_title(text, model), np.array(values), model.info.direction)


def _measured(
    study: Study, series: Sequence[Series], loaded: Mapping[str, AnyModel | None], how: str
) -> list[Prediction]:
    found = []
    for text, outputs in series[0].outputs.items():
        is_model = text in loaded
        for output in outputs[:1] if is_model else outputs:
            values = []
            for clip, one in zip(study.clips, series, strict=True):
                # `auto` may choose models of other names for other clips
                name = one.outputs[text][0] if is_model else output
                what = f"{study.source}: {name} of clip {clip.name!r}"
                if name not in one.frames:
                    raise TableError(f"{what} is not there, as for video without chroma.")
                values.append(pooled(one.frames[name], how, what))
            name = _title(text, loaded[text]) if is_model else output
            direction = series[0].directions.get(output, "higher")
            found.append(Prediction(name, np.array(values), direction))
    return found
