"""The files that a training leaves: models, folds, report, picture."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np

from jaxvqa._study.evaluation_json import difference_block, finite, metric_block
from jaxvqa._study.scatter import Panel, draw_scatter
from jaxvqa._study.train import Trained
from jaxvqa._study.train_request import TrainRequest
from jaxvqa._version import __version__
from jaxvqa.evaluation import plcc, rmse, srocc
from jaxvqa.fusion import Svr
from jaxvqa.fusion import _libvmaf_json as libvmaf_json
from jaxvqa.fusion import _own_json as own_json
from jaxvqa.fusion._model import AnyModel, Collection
from jaxvqa.training import Fold

_BESIDE = (".libvmaf.json", ".folds.csv", ".report.json", ".png")


def files_of(output: Path) -> list[Path]:
    """The model file and all that may come beside it."""
    return [output, *(_beside(output, ending) for ending in _BESIDE)]


def _beside(output: Path, ending: str) -> Path:
    return output.with_name(output.stem + ending)


def render_files(trained: Trained, request: TrainRequest, output: Path) -> dict[Path, bytes]:
    """What to write, by path; nothing is written yet.

    Args:
        trained: the model and what is known of it.
        request: what was asked for.
        output: the model file; the others have its name with other endings.

    Raises:
        ValueError: a model that could not be read again.
    """
    libvmaf, folds, report, _ = (_beside(output, ending) for ending in _BESIDE)
    text = own_json.write(trained.model)
    own_json.read(text, output.name)
    found = {output: text.encode()}
    if libvmaf_reads(trained.model):
        theirs = libvmaf_json.write(trained.model)
        libvmaf_json.read(theirs, libvmaf.name)
        found[libvmaf] = theirs.encode()
    if trained.validation is not None:
        found[folds] = _folds(trained).encode()
    text = json.dumps(finite(_report(trained, request)), indent=1, ensure_ascii=False) + "\n"
    found[report] = text.encode()
    return found


def picture(trained: Trained, kind: str) -> bytes:
    """Ratings over the model's predictions: held out, and of what it was fitted to."""
    ratings = trained.study.ratings
    known = np.isfinite(trained.held_out)
    panels = []
    if known.all():
        name = f"{trained.model.name}, contents held out"
        panels.append(Panel(name, trained.held_out, _note(trained.held_out, ratings)))
    fitted = f"{trained.model.name}, on the clips it was fitted to"
    panels.append(Panel(fitted, trained.fitted, _note(trained.fitted, ratings)))
    return draw_scatter(
        panels, ratings, trained.study.contents, trained.study.rating, kind,
        intervals=trained.study.intervals, diagonal=True,
    )  # fmt: skip


def _note(values: np.ndarray, ratings: np.ndarray) -> str:
    return (
        f"SROCC {srocc(values, ratings):.3f}, PLCC {plcc(values, ratings):.3f}, "
        f"RMSE {rmse(values, ratings):.3g}"
    )


def libvmaf_reads(model: AnyModel) -> bool:
    """True for a support vector regression on values that libvmaf gives to models."""
    single = model.main if isinstance(model, Collection) else model
    known = all(libvmaf_json.provided(ref) for ref in single.features)
    return known and isinstance(single.regression, Svr)


def _folds(trained: Trained) -> str:
    """A row per fold and held-out clip."""
    assert trained.validation is not None
    sink = io.StringIO()
    writer = csv.writer(sink, lineterminator="\n")
    writer.writerow(["fold", "id", "content", "rating", "prediction"])
    data = trained.data
    for number, fold in enumerate(trained.validation.folds, 1):
        for row, value in zip(fold.rows, fold.predictions, strict=True):
            clip = [data.names[row], data.contents[row], repr(float(data.ratings[row]))]
            writer.writerow([number, *clip, repr(float(value))])
    return sink.getvalue()


def _report(trained: Trained, request: TrainRequest) -> dict[str, Any]:
    data, model = trained.data, trained.model
    document: dict[str, Any] = {
        "schema": "jaxvqa-training",
        "version": 1,
        "jaxvqa": __version__,
        "name": model.name,
        "source": trained.study.source,
        "ratings": trained.study.rating,
        "data_sha256": data.digest,
        "clips": data.size,
        "contents": list(dict.fromkeys(data.contents)),
        "features": [
            {"extractor": f.extractor, "key": f.key, "options": dict(f.options)}
            for f in data.features
        ],
        "start": request.start,
        "recipe": _recipe(trained, request),
        "bootstrap": request.bootstrap,
        "cv": request.cv,
        "search": request.search,
        "pool": request.pool,
        "seed": request.seed,
        "fitted": _figures(trained.fitted, data.ratings),
    }
    if trained.validation is not None:
        folds = [_fold(trained, fold, request) for fold in trained.validation.folds]
        document["folds"] = folds
        document["median_of_folds"] = {
            name: _median([fold[name] for fold in folds]) for name in ("srocc", "plcc", "rmse")
        }
    if trained.evaluation is not None:
        found = trained.evaluation
        document["held_out"] = {one.name: metric_block(one) for one in found.metrics}
        document["differences"] = [difference_block(one) for one in found.differences]
        document["warnings"] = list(found.warnings)
    return document


def _recipe(trained: Trained, request: TrainRequest) -> dict[str, Any]:
    if request.start is not None:
        return {"regressor": "warm start", "penalty": trained.recipe.penalty}
    return trained.recipe.numbers


def _figures(values: np.ndarray, ratings: np.ndarray) -> dict[str, float]:
    return {
        "srocc": srocc(values, ratings),
        "plcc": plcc(values, ratings),
        "rmse": rmse(values, ratings),
    }


def _median(values: list[float]) -> float:
    """Of those that are defined."""
    known = [value for value in values if np.isfinite(value)]
    return float(np.median(known)) if known else float("nan")


def _fold(trained: Trained, fold: Fold, request: TrainRequest) -> dict[str, Any]:
    data = trained.data
    held = list(dict.fromkeys(data.contents[row] for row in fold.rows))
    numbers = {"penalty": fold.recipe.penalty} if request.start else fold.recipe.numbers
    return {
        "contents": held,
        "recipe": numbers,
        **_figures(fold.predictions, data.ratings[fold.rows]),
    }
