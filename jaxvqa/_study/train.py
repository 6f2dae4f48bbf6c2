"""A request and a study in, a model and what is known of it out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from jaxvqa._pooling import pool as pool_scores
from jaxvqa._study.feature_names import resolve_features
from jaxvqa._study.measure import Measuring
from jaxvqa._study.series import model_of, printed_name, read_series, score_of
from jaxvqa._study.study import Study
from jaxvqa._study.train_request import TrainRequest
from jaxvqa._tables import TableError
from jaxvqa._version import __version__
from jaxvqa.evaluation import Evaluation, evaluate
from jaxvqa.features._registry import find
from jaxvqa.fusion import FeatureRef, ModelInfo
from jaxvqa.fusion._model import AnyModel, Collection
from jaxvqa.training import (
    Recipe,
    TrainingData,
    Validation,
    WarmStart,
    choose,
    cross_validate,
    fit_model,
    folds,
)
from jaxvqa.training._predict import predict_rows

RESAMPLES = 300  # of contents, for the intervals of held-out predictions
_ENOUGH = 20  # held-out clips that a typical error needs: it speaks of one in 20


@dataclass(frozen=True)
class Trained:
    """A model and what is known of it.

    Args:
        model: the model.
        recipe: what it was fitted with.
        data: what it was fitted to.
        study: where the ratings come from.
        validation: predictions of held-out contents, or None.
        held_out: `(clips,)` means of these, NaN for clips that no fold held out.
        evaluation: held-out predictions against the ratings, the start model's beside them; None
            without cross validation.
        fitted: `(clips,)` scores of the model on the clips it was fitted to.
        started: `(clips,)` scores of the model it started from, or None.
    """

    model: AnyModel
    recipe: Recipe
    data: TrainingData
    study: Study
    validation: Validation | None
    held_out: np.ndarray
    evaluation: Evaluation | None
    fitted: np.ndarray
    started: np.ndarray | None


Progress = Callable[[int, int], None]


def train(
    study: Study,
    request: TrainRequest,
    measuring: Measuring,
    name: str,
    progress: Progress | None = None,
) -> Trained:
    """Trains a model on rated clips.

    Args:
        study: the clips.
        request: what is fitted.
        measuring: how features are measured, where results do not have them.
        name: of the model.
        progress: called with (folds done, folds in all).

    Raises:
        TableError: clips without what is needed. ValueError: a request that can't be met.
    """
    stock = None if request.start is None else model_of(request.start)
    if stock is not None and request.features:
        raise ValueError("a model to start from brings its features: leave out `features`.")
    refs = stock.features if stock is not None else resolve_features(request.features)
    if request.cv != "none":
        folds(request.cv, study.contents, request.seed)  # refuses before anything is measured
    data = training_data(study, refs, measuring)
    start = None if stock is None else WarmStart(stock, data)
    recipe, seed = request.recipe, request.seed

    def pooled(scores: np.ndarray) -> float:
        return pool_scores(scores)[request.pool]

    validation = None
    if request.cv != "none":
        validation = cross_validate(
            data, recipe, request.cv, search=request.search, start=start, pool=pooled,
            score_clip=request.clip, seed=seed,
            progress=progress,
        )  # fmt: skip
    chosen = choose(data, recipe, search=request.search, start=start, seed=seed)
    model = fit_model(
        data,
        chosen,
        start=start,
        bootstrap=request.bootstrap,
        score_clip=request.clip,
        info=_info(name, data, study, request, validation),
    )
    single = model.main if isinstance(model, Collection) else model
    fitted = np.array([pooled(predict_rows(single, rows)) for rows in data.frames])
    started = None
    if stock is not None:  # as it scores by itself, with its transform and clip
        text = str(request.start)
        started = np.array([pooled(score_of(text, stock, list(rows.T))) for rows in data.frames])
    held_out = np.full(data.size, np.nan)
    if validation is not None:
        held_out = validation.mean_predictions(data.size)
    judged = None if validation is None else _judged(name, study, request, held_out, started)
    return Trained(model, chosen, data, study, validation, held_out, judged, fitted, started)


def training_data(study: Study, refs: tuple[FeatureRef, ...], measuring: Measuring) -> TrainingData:
    """Features of every clip, from saved results where all have them, else measured."""
    frames = _saved(study, refs)
    if frames is None:
        frames = _measured(study, refs, measuring)
    try:
        return TrainingData(
            frames, study.ratings, study.contents, refs, [clip.name for clip in study.clips]
        )
    except ValueError as error:
        raise TableError(f"{study.source}: {error}") from None


def _saved(study: Study, refs: tuple[FeatureRef, ...]) -> list[np.ndarray] | None:
    if any(clip.results is None for clip in study.clips):
        return None
    names = [printed_name(ref) for ref in refs]
    found = []
    for clip in study.clips:
        series = read_series(str(clip.results)).frames
        missing = [name for name in names if name not in series]
        if missing:
            if all(c.ref is not None and c.dis is not None for c in study.clips):
                return None
            known = ", ".join(list(series)[:40])
            raise TableError(f"{clip.results}: has no {', '.join(missing)}; it has {known}.")
        found.append(np.stack([series[name] for name in names], axis=1))
    return found


def _measured(study: Study, refs: tuple[FeatureRef, ...], measuring: Measuring) -> list[np.ndarray]:
    texts = {ref: _text(ref) for ref in refs}
    wanted = list(dict.fromkeys(texts.values()))
    found = []
    for clip, series in zip(study.clips, measuring.series(study, (), wanted), strict=True):
        columns = []
        for ref, text in texts.items():
            name = printed_name(ref)
            # sets of FUNQUE share names: the second has its own in front
            spelt = (name, f"{ref.extractor}.{name}")
            there = [o for o in series.outputs[text] if o in spelt]
            if not there:
                raise TableError(f"{study.source}: clip {clip.name!r} has no {name}.")
            columns.append(series.frames[there[0]])
        found.append(np.stack(columns, axis=1))
    return found


def _text(ref: FeatureRef) -> str:
    """What a score request calls the feature of an input, with the switch that brings it."""
    feature = find(ref.extractor)
    _, options = feature.output(ref.key, feature.resolve(ref.settings), shown=True)
    pairs = ":".join(f"{name}={_value(value)}" for name, value in options.changed().items())
    return ref.extractor + (f"={pairs}" if pairs else "")


def _value(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _info(
    name: str,
    data: TrainingData,
    study: Study,
    request: TrainRequest,
    validation: Validation | None,
) -> ModelInfo:
    contents = len(set(data.contents))
    return ModelInfo(
        name=name,
        summary=f"trained on {data.size} clips of {contents} contents, ratings {study.rating}",
        direction="lower" if request.lower else "higher",
        source=f"jaxvqa train {__version__}, data sha256 {data.digest[:16]}, seed {request.seed}",
        typical_error=None if validation is None else _typical_error(validation, data),
    )


def _typical_error(validation: Validation, data: TrainingData) -> tuple[float, float] | None:
    """Of clips by models that never saw their contents, with three digits; see `ModelInfo`."""
    misses = np.concatenate([f.predictions - data.ratings[f.rows] for f in validation.folds])
    if len(misses) < _ENOUGH:
        return None
    sizes = np.abs(misses)
    mean, large = (float(f"{size:.3g}") for size in (sizes.mean(), np.percentile(sizes, 95)))
    return mean, large


def _judged(
    name: str,
    study: Study,
    request: TrainRequest,
    held_out: np.ndarray,
    started: np.ndarray | None,
) -> Evaluation | None:
    known = np.isfinite(held_out)
    if known.sum() < 3:
        return None
    predictions = {f"{name}, held out": held_out[known]}
    if started is not None:
        predictions[str(request.start)] = started[known]
    intervals = study.intervals
    contents = [content for content, there in zip(study.contents, known, strict=True) if there]
    return evaluate(
        predictions,
        study.ratings[known],
        contents,
        intervals=None if intervals is None else intervals[known],
        lower=list(predictions) if request.lower else (),
        ratings_lower=request.lower,
        bootstrap=RESAMPLES,
        seed=request.seed,
    )
