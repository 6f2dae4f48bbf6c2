"""Fits models to pooled features and scores: ridge regression and a perceptron.

Arithmetic of libvmaf's training: features are pooled over time first, scores and every feature are
scaled by one slope and one intercept, and the regression is fitted in scaled units. So a model
predicts frames though it was fitted to clips.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from jaxvqa._checks import one_of
from jaxvqa._typing import Num
from jaxvqa.fusion._fit_mlp import fit_mlp
from jaxvqa.fusion._model import FeatureRef, Model, ModelInfo
from jaxvqa.fusion._regressions import Linear, Regression

REGRESSORS = ("ridge", "mlp")
NORMS = ("clip_0to1", "clip_minus1to1", "normalize", "none")


def normalisation(
    rows: Num[np.ndarray, "clips n"], scores: Num[np.ndarray, " clips"], norm: str = "clip_0to1"
) -> tuple[np.ndarray, np.ndarray]:
    """Slopes and intercepts that a model applies to its score (element 0) and its features.

    Args:
        rows: pooled features.
        scores: what is to be predicted.
        norm: libvmaf's `norm_type` of training: "clip_0to1" and "clip_minus1to1" map the range of
            each column to [0, 1] or [-1, 1], "normalize" gives mean 0 and standard deviation 1,
            "none" changes nothing. A column that never changes gets slope 1 and becomes 0.

    Returns:
        `(slopes, intercepts)`, `(n + 1,)` each: `scaled = slope * value + intercept`.

    Raises:
        ValueError: an unknown `norm`.
    """
    one_of("norm", norm, NORMS)
    columns = np.column_stack([scores, rows]).astype(np.float64)
    if norm == "none":
        return np.ones(columns.shape[1]), np.zeros(columns.shape[1])
    low, high = columns.min(0), columns.max(0)
    if norm == "normalize":
        centre, width, at_centre = columns.mean(0), columns.std(0), 0.0
    else:
        at_centre = 0.0 if norm == "clip_0to1" else -1.0
        centre, width = low, (high - low) / (1.0 - at_centre)
    constant = high == low
    slopes = 1 / np.where(constant, 1.0, width)
    intercepts = np.where(constant, 0.0, at_centre) - centre * slopes
    return slopes, intercepts


def fit(
    rows: Num[np.ndarray, "clips n"],
    scores: Num[np.ndarray, " scores"],
    features: Sequence[FeatureRef],
    *,
    regressor: str = "ridge",
    norm: str = "clip_0to1",
    weights: Num[np.ndarray, " weights"] | None = None,
    penalty: float = 1e-4,
    hidden: Sequence[int] = (16,),
    steps: int = 3000,
    learning_rate: float = 0.03,
    seed: int = 0,
    score_clip: tuple[float, float] | None = None,
    info: ModelInfo = ModelInfo(name="fitted"),  # noqa: B008
) -> Model:
    """Fits a model to features that were pooled per clip.

    Args:
        rows: one row per clip, the pooled values of `features`, in their own units.
        scores: what is to be predicted, one per clip.
        features: what the columns are; `feature_refs` makes them from names.
        regressor: "ridge", in closed form, or "mlp", by Adam over all clips at once (needs optax,
            from the extra `train`).
        norm: see `normalisation`.
        weights: how much each clip counts; all the same if None.
        penalty: what the sum of squared weights costs beside the mean squared error, both in
            normalised units; biases are free.
        hidden: units of each hidden layer of the perceptron.
        steps: of Adam.
        learning_rate: of Adam at the start; it falls to 0 along half a cosine.
        seed: of the perceptron's first weights.
        score_clip: smallest and largest score of the model, or None.
        info: the model's name and description, direction included.

    Returns:
        A `Model` that saves, scores and has a loss. The same arguments give the same bytes.

    Raises:
        ValueError: shapes that don't fit, numbers that are not finite, fewer than two clips,
            weights that can't be, or an option out of range.
        ImportError: "mlp" without optax.

    Source: ridge regression, Hoerl and Kennard 1970. Matches scikit-learn's `Ridge` with
    `alpha = penalty * clips` to 1e-9.

    Example:
        >>> import numpy as np
        >>> from jaxvqa import fusion
        >>> rows = np.random.default_rng(0).uniform(size=(20, 3))
        >>> model = fusion.fit(rows, 90 * rows[:, 1], fusion.feature_refs(["y_funque_plus"]))
        >>> bool(model.regression.weights[1] > 0.99)
        True
    """
    one_of("regressor", regressor, REGRESSORS)
    table, target, shares = checked(rows, scores, weights, len(features))
    if not penalty >= 0:
        raise ValueError(f"penalty must be at least 0, got {penalty}.")
    slopes, intercepts = normalisation(table, target, norm)
    x = table * slopes[1:] + intercepts[1:]
    y = target * slopes[0] + intercepts[0]
    regression: Regression
    if regressor == "ridge":
        regression = fit_ridge(x, y, shares, penalty)
    else:
        regression = fit_mlp(
            x, y, shares, penalty=penalty, hidden=hidden, steps=steps,
            learning_rate=learning_rate, seed=seed,
        )  # fmt: skip
    return Model(
        regression=jax.tree.map(lambda leaf: np.asarray(leaf, np.float64), regression),
        slopes=slopes,
        intercepts=intercepts,
        score_clip=None if score_clip is None else np.array(score_clip, np.float64),
        features=tuple(features),
        norm_type="none" if norm == "none" else "linear_rescale",
        info=info,
    )


def fit_ridge(x: np.ndarray, y: np.ndarray, shares: np.ndarray, penalty: float) -> Linear:
    """Ridge regression in closed form.

    Args:
        x: `(clips, n)` normalised features.
        y: `(clips,)` normalised scores.
        shares: `(clips,)` weights that sum to 1.
        penalty: what the sum of squared weights costs.
    """
    centre, level = shares @ x, shares @ y
    root = np.sqrt(shares)
    # least squares with rows for the penalty: keeps twice the digits that normal equations would
    system = np.vstack([root[:, None] * (x - centre), np.sqrt(penalty) * np.eye(x.shape[1])])
    target = np.concatenate([root * (y - level), np.zeros(x.shape[1])])
    weights = np.linalg.lstsq(system, target, rcond=None)[0]
    return Linear(weights, np.float64(level - centre @ weights))


def checked(
    rows: Any, scores: Any, weights: Any, count: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows, scores and weights that sum to 1, as float64."""
    rows, scores = np.asarray(rows, np.float64), np.asarray(scores, np.float64)
    if rows.ndim != 2 or rows.shape[1] != count:
        raise ValueError(f"rows must be (clips, {count}), one column a feature, got {rows.shape}.")
    if scores.shape != rows.shape[:1]:
        raise ValueError(f"scores must be ({len(rows)},), one a row, got {scores.shape}.")
    if len(rows) < 2:
        raise ValueError(f"a fit needs two or more clips, got {len(rows)}.")
    weights = np.ones(len(rows)) if weights is None else np.asarray(weights, np.float64)
    if weights.shape != scores.shape or not (weights >= 0).all() or not weights.any():
        raise ValueError(f"weights must be ({len(rows)},), none below 0 and not all 0.")
    for name, values in (("rows", rows), ("scores", scores), ("weights", weights)):
        if not np.isfinite(values).all():
            raise ValueError(f"{name} must be finite: leave clips with NaN or infinity out.")
    if scores.min() == scores.max():
        raise ValueError(f"all scores are {scores[0]:g}: a fit needs scores that differ.")
    return rows, scores, weights / weights.sum()
