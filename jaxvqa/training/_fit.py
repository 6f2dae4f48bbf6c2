"""One model from one recipe."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from jaxvqa._optional import require
from jaxvqa.fusion import Collection, Model, ModelInfo, Svr, fit, normalisation
from jaxvqa.fusion._model import AnyModel, stack_members
from jaxvqa.training._data import TrainingData
from jaxvqa.training._recipe import Recipe
from jaxvqa.training._warm_start import WarmStart

_TOLERANCE = 1e-3  # libsvm's, at which its solver ends


def fit_model(
    data: TrainingData,
    recipe: Recipe,
    *,
    start: WarmStart | None = None,
    bootstrap: int = 0,
    score_clip: tuple[float, float] | None = None,
    info: ModelInfo = ModelInfo(name="fitted"),  # noqa: B008
) -> AnyModel:
    """Fits a model to clips.

    As in libvmaf, features are pooled over time, scores and features are scaled by one vector of
    slopes and one of intercepts, and the regression is fitted in scaled units. Members of a
    bootstrap collection share that scale and see clips drawn with numpy's generator of before 1.17,
    seeded with their number, as libvmaf's do.

    Args:
        data: the clips.
        recipe: regressor and numbers.
        start: a model whose support vectors stay and whose coefficients change, in place of the
            recipe's regressor.
        bootstrap: number of members beside the model; 0 for a plain model.
        score_clip: smallest and largest score, or None.
        info: name and description.

    Returns:
        A `Model`, or a `Collection` with members.

    Raises:
        ValueError: scores that do not differ. MissingPackage: a support vector regression without
            scikit-learn.
    """
    everything = np.arange(data.size)
    if data.ratings.min() == data.ratings.max():
        raise ValueError(f"all ratings are {data.ratings[0]:g}: a fit needs ratings that differ.")
    main = replace(_fit(data, recipe, everything, start), info=info)
    if score_clip is not None:
        main = replace(main, score_clip=np.array(score_clip, np.float64))
        main = replace(main, info=replace(info, score_range=score_clip))
    if not bootstrap:
        return main
    members = []
    for number in range(1, bootstrap + 1):
        generator = np.random.RandomState(recipe.seed + number)
        drawn = generator.choice(data.size, size=data.size, replace=True)
        member = _fit(data, recipe, drawn, start)
        members.append(replace(member, score_clip=main.score_clip))
    return Collection(main, stack_members(members))


def _fit(data: TrainingData, recipe: Recipe, drawn: np.ndarray, start: WarmStart | None) -> Model:
    """A model from some clips, on the scale of all."""
    if start is not None:
        return start.fit(data, drawn, recipe.penalty)
    if recipe.regressor in ("ridge", "mlp"):
        counts = np.bincount(drawn, minlength=data.size).astype(np.float64)
        return fit(
            data.pooled, data.ratings, data.features, regressor=recipe.regressor, norm=recipe.norm,
            weights=counts, penalty=recipe.penalty, hidden=recipe.hidden, steps=recipe.steps,
            seed=recipe.seed,
        )  # fmt: skip
    slopes, intercepts = normalisation(data.pooled, data.ratings, recipe.norm)
    x = data.pooled * slopes[1:] + intercepts[1:]
    y = data.ratings * slopes[0] + intercepts[0]
    return Model(
        regression=_fit_svr(recipe, x[drawn], y[drawn]),
        slopes=slopes,
        intercepts=intercepts,
        features=data.features,
        norm_type="none" if recipe.norm == "none" else "linear_rescale",
    )


def _fit_svr(recipe: Recipe, x: np.ndarray, y: np.ndarray) -> Svr:
    svm: Any = require("sklearn.svm", "a support vector regression", "train")
    common = {"C": recipe.C, "gamma": recipe.gamma, "tol": _TOLERANCE, "kernel": "rbf"}
    if recipe.regressor == "nusvr":
        fitted = svm.NuSVR(nu=recipe.nu, **common).fit(x, y)
    else:
        fitted = svm.SVR(epsilon=recipe.epsilon, **common).fit(x, y)
    vectors = np.array(fitted.support_vectors_, np.float64)
    coefficients = np.array(fitted.dual_coef_[0], np.float64)
    if not len(vectors):  # every clip lies within epsilon of a constant
        vectors, coefficients = x[:1].copy(), np.zeros(1)
    return Svr(vectors, coefficients, np.float64(recipe.gamma), -np.float64(fitted.intercept_[0]))
