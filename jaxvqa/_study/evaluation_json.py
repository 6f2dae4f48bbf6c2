"""An evaluation as JSON."""

from __future__ import annotations

import json
import math
from typing import Any

from jaxvqa._study.judge import Judged
from jaxvqa._study.study import Study
from jaxvqa._version import __version__
from jaxvqa.evaluation import Difference, MetricFigures


def render_evaluation(judged: Judged, pool: str) -> str:
    """The JSON text; what is undefined is null.

    Args:
        judged: the figures, and what they were made of.
        pool: how frames became one number.
    """
    evaluation, study = judged.evaluation, judged.study
    document = {
        "schema": "jaxvqa-evaluation",
        "version": 1,
        "jaxvqa": __version__,
        "source": study.source,
        "ratings": study.rating,
        "pool": pool,
        "contents": list(evaluation.contents),
        "bootstrap": {"resamples": evaluation.bootstrap, "seed": evaluation.seed},
        "metrics": {one.name: metric_block(one) for one in evaluation.metrics},
        "differences": [difference_block(one) for one in evaluation.differences],
        "warnings": list(evaluation.warnings),
        "clips": _clips(judged),
        "subjects": _subjects(study),
    }
    return json.dumps(finite(document), indent=1, ensure_ascii=False) + "\n"


def metric_block(one: MetricFigures) -> dict[str, Any]:
    """Figures of one metric as JSON values."""
    curves = {kind: None if c is None else list(c.parameters) for kind, c in one.curves.items()}
    return {
        "statistics": one.statistics,
        "intervals": {name: list(pair) for name, pair in one.intervals.items()},
        "curves": {kind: parameters for kind, parameters in curves.items() if kind != "none"},
        "content_means": one.content_means,
        "contents": {
            figures.content: {
                "clips": figures.clips,
                "srocc": figures.srocc,
                "krocc": figures.krocc,
                "plcc": figures.plcc,
                "mean_error": figures.mean_error,
            }
            for figures in one.contents
        },
    }


def _clips(judged: Judged) -> list[dict[str, Any]]:
    values = {one.name: one.values for one in judged.predictions}
    return [
        {
            "id": clip.name,
            "content": clip.content,
            "rating": clip.rating,
            "ci": clip.interval,
            "values": {name: float(column[i]) for name, column in values.items()},
        }
        for i, clip in enumerate(judged.study.clips)
    ]


def _subjects(study: Study) -> list[dict[str, Any]]:
    """What the model of votes found about each subject."""
    opinion = study.opinion
    if opinion is None:
        return []
    columns = {"bias": opinion.bias, "inconsistency": opinion.inconsistency}
    found = []
    for i, subject in enumerate(study.subjects):
        facts: dict[str, Any] = {k: float(v[i]) for k, v in columns.items() if v is not None}
        if opinion.rejected is not None:
            facts["rejected"] = bool(opinion.rejected[i])
        found.append({"subject": subject, **facts})
    return found


def difference_block(one: Difference) -> dict[str, Any]:
    """A paired difference as JSON values."""
    return {
        "first": one.first,
        "second": one.second,
        "statistic": one.statistic,
        "value": one.value,
        "interval": list(one.interval),
        "first_better": one.first_better,
    }


def finite(value: Any) -> Any:
    """The same JSON values with None for numbers that are not finite."""
    if isinstance(value, dict):
        return {k: finite(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
