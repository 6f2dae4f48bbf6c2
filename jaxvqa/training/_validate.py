"""Cross validation over contents, with the search of a recipe inside each fold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from jaxvqa.evaluation import srocc
from jaxvqa.fusion import Model
from jaxvqa.training._data import TrainingData
from jaxvqa.training._fit import fit_model
from jaxvqa.training._folds import folds
from jaxvqa.training._predict import predict_rows
from jaxvqa.training._recipe import Recipe
from jaxvqa.training._warm_start import WarmStart

_INNER = 5  # parts of the search inside a fold


@dataclass(frozen=True)
class Fold:
    """One fold.

    Args:
        rows: the clips that were held out.
        predictions: their scores by a model that never saw their contents.
        recipe: what that model was fitted with.
    """

    rows: np.ndarray
    predictions: np.ndarray
    recipe: Recipe


@dataclass(frozen=True)
class Validation:
    """What cross validation found.

    Args:
        folds: the folds.
    """

    folds: tuple[Fold, ...]

    def mean_predictions(self, count: int) -> np.ndarray:
        """`(clips,)` means over the folds that held a clip out; NaN for clips that none did."""
        total, times = np.zeros(count), np.zeros(count)
        for fold in self.folds:
            total[fold.rows] += fold.predictions
            times[fold.rows] += 1
        with np.errstate(invalid="ignore"):
            return np.where(times > 0, total / times, np.nan)


def cross_validate(
    data: TrainingData,
    recipe: Recipe,
    cv: str,
    *,
    search: bool = False,
    start: WarmStart | None = None,
    pool: Callable[[np.ndarray], float] = np.mean,
    score_clip: tuple[float, float] | None = None,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Validation:
    """Predicts each clip by a model that never saw its content.

    Args:
        data: the clips.
        recipe: what is fitted.
        cv: which contents are held out, see `folds`.
        search: choose the recipe's numbers in each fold anew, by cross validation inside it.
        start: a model to start from; its penalty is always chosen inside a fold.
        pool: how the scores of a clip's frames become one.
        score_clip: smallest and largest score, or None.
        seed: of the folds.
        progress: called with (folds done, folds in all).
    """
    held_out = folds(cv, data.contents, seed)
    found = []
    for i, rows in enumerate(held_out):
        if progress is not None:
            progress(i, len(held_out))
        rest = np.setdiff1d(np.arange(data.size), rows)
        own = None if start is None else start.some(rest)
        train = data.take(rest)
        chosen = choose(train, recipe, search=search, start=own, seed=seed)
        model = fit_model(train, chosen, start=own, score_clip=score_clip)
        assert isinstance(model, Model)
        found.append(Fold(rows, predict_clips(model, data, rows, pool), chosen))
    if progress is not None:
        progress(len(held_out), len(held_out))
    return Validation(tuple(found))


def predict_clips(
    model: Model, data: TrainingData, rows: Sequence[int] | np.ndarray, pool: Callable[..., float]
) -> np.ndarray:
    """Scores of clips: of each frame, then pooled."""
    return np.array([pool(predict_rows(model, data.frames[i])) for i in rows])


def choose(
    data: TrainingData,
    recipe: Recipe,
    *,
    search: bool = False,
    start: WarmStart | None = None,
    seed: int = 0,
) -> Recipe:
    """The recipe whose predictions of held-out contents rank the clips best.

    Predictions inside a search are of pooled features, which is a hundredth of the work; the first
    of equals wins.

    Args:
        data: the clips to search on.
        recipe: where the search begins.
        search: False returns the recipe, unless there is a start.
        start: a model to start from, whose penalty is searched.
        seed: of the parts.
    """
    tried = recipe.starts() if start is not None else recipe.grid() if search else ()
    contents = len(set(data.contents))
    if len(tried) < 2 or contents < 2:
        return recipe
    parts = folds(str(min(_INNER, contents)), data.contents, seed)
    predicted = np.empty((len(tried), data.size))
    for rows in parts:
        rest = np.setdiff1d(np.arange(data.size), rows)
        if np.ptp(data.ratings[rest]) == 0:
            return recipe
        train, own = data.take(rest), None if start is None else start.some(rest)
        for i, one in enumerate(tried):
            model = fit_model(train, one, start=own)
            assert isinstance(model, Model)
            if start is None:
                predicted[i, rows] = predict_rows(model, data.pooled[rows])
            else:
                predicted[i, rows] = start.predict(model, rows)
    best, highest = recipe, -np.inf
    for one, found in zip(tried, predicted, strict=True):
        value = srocc(found, data.ratings)
        if value > highest + 1e-12:
            best, highest = one, value
    return best
