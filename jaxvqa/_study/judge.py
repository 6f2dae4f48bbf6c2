"""A request and a study in, an evaluation out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from jaxvqa._study.measure import Measuring, Prediction, predictions
from jaxvqa._study.request import EvaluateRequest
from jaxvqa._study.series import read_series_names
from jaxvqa._study.study import Study
from jaxvqa._tables import TableError
from jaxvqa.evaluation import Evaluation, evaluate
from jaxvqa.fusion._catalog import DEFAULT


@dataclass(frozen=True)
class Judged:
    """An evaluation and what it was made of."""

    evaluation: Evaluation
    predictions: tuple[Prediction, ...]
    study: Study


def judge(study: Study, request: EvaluateRequest, measuring: Measuring) -> Judged:
    """Judges what a request names, or what the study suggests, on rated clips.

    Raises:
        TableError: something is not there for a clip. ValueError: no such model or feature.
    """
    request = _filled(study, request)
    found = predictions(
        study,
        measuring,
        metrics=request.metric,
        models=request.model,
        features=request.feature,
        pool=request.pool,
    )
    _check_lower(study, request, found)
    lower = [one.name for one in found if one.direction == "lower" or one.name in request.lower]
    try:
        evaluation = evaluate(
            {one.name: one.values for one in found},
            study.ratings,
            study.contents,
            intervals=study.intervals,
            lower=lower,
            ratings_lower=study.rating in request.lower,
            bootstrap=request.bootstrap,
            seed=request.seed,
        )
    except ValueError as error:
        raise TableError(f"{study.source}: {error}") from None
    return Judged(evaluation, tuple(found), study)


def _filled(study: Study, request: EvaluateRequest) -> EvaluateRequest:
    """The request with something to judge, where it names nothing."""
    if request.metric or request.model or request.feature:
        return request
    if all(clip.results is not None for clip in study.clips):
        return replace(request, metric=read_series_names(str(study.clips[0].results)))
    if all(clip.ref is not None and clip.dis is not None for clip in study.clips):
        return replace(request, model=(DEFAULT,))
    common = [n for n in study.clips[0].values if all(n in clip.values for clip in study.clips)]
    if not common:
        raise TableError(
            f"{study.source}: has nothing to judge: add columns of numbers, results, or ref and "
            "dis."
        )
    return replace(request, metric=tuple(common))


def _check_lower(study: Study, request: EvaluateRequest, found: Sequence[Prediction]) -> None:
    known = [*(one.name for one in found), study.rating]
    for name in request.lower:
        if name not in known:
            raise ValueError(
                f"`lower` names {name!r}, which is not judged here: there are {', '.join(known)}."
            )
