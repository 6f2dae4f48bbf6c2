"""Correlations of predictions with people's ratings."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike


def plcc(predictions: ArrayLike, ratings: ArrayLike) -> float:
    """Pearson's linear correlation, -1 to 1.

    Args:
        predictions: `(clips,)` values of a metric.
        ratings: `(clips,)` scores of people.

    Returns:
        The coefficient; NaN for fewer than two clips, or where a side is constant.
    """
    x, y = checked_pair(predictions, ratings)
    if not _varies(x) or not _varies(y):
        return float("nan")
    # shifted and scaled first, so that neither tiny nor huge numbers lose digits
    x, y = ((side - side.mean()) / np.abs(side - side.mean()).max() for side in (x, y))
    value = float(x @ y / np.sqrt((x @ x) * (y @ y)))
    return min(max(value, -1.0), 1.0)


def srocc(predictions: ArrayLike, ratings: ArrayLike) -> float:
    """Spearman's rank correlation, -1 to 1; equal values share the mean of their ranks.

    Arguments and result as for `plcc`.
    """
    from scipy.stats import rankdata

    x, y = checked_pair(predictions, ratings)
    return plcc(rankdata(x), rankdata(y))


def krocc(predictions: ArrayLike, ratings: ArrayLike) -> float:
    """Kendall's rank correlation tau-b, -1 to 1, which allows for equal values.

    Arguments and result as for `plcc`.
    """
    from scipy.stats import kendalltau

    x, y = checked_pair(predictions, ratings)
    if not _varies(x) or not _varies(y):
        return float("nan")
    statistic: Any = kendalltau(x, y)
    return float(statistic[0])


def rmse(predictions: ArrayLike, ratings: ArrayLike) -> float:
    """Root mean square difference, in the unit of the ratings; 0 is best."""
    x, y = checked_pair(predictions, ratings)
    return float(np.sqrt(np.mean((x - y) ** 2)))


def outlier_ratio(predictions: ArrayLike, ratings: ArrayLike, intervals: ArrayLike) -> float:
    """Share of clips that are predicted outside the confidence interval of their rating.

    Args:
        predictions: `(clips,)` values in the unit of the ratings.
        ratings: `(clips,)` scores of people.
        intervals: `(clips,)` half widths of the ratings' 95 % confidence intervals.

    Returns:
        0 to 1, lower is better.

    Source: ITU-T P.1401, 7.5.3.
    """
    x, y = checked_pair(predictions, ratings)
    return float(np.mean(np.abs(x - y) > checked_spread("intervals", intervals, len(y))))


def _varies(values: np.ndarray) -> bool:
    return len(values) > 1 and bool(np.ptp(values) > 0)


def checked_pair(predictions: ArrayLike, ratings: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Both as float64.

    Raises:
        ValueError: other than `(clips,)` of one length, or values that are not finite.
    """
    x, y = np.asarray(predictions, np.float64), np.asarray(ratings, np.float64)
    if x.ndim != 1 or x.shape != y.shape or not len(x):
        raise ValueError(
            "predictions and ratings must be (clips,) arrays of one length, "
            f"got shapes {x.shape} and {y.shape}."
        )
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise ValueError("predictions and ratings must be finite: leave out clips without a value.")
    return x, y


def checked_spread(name: str, values: ArrayLike, clips: int) -> np.ndarray:
    """Intervals or standard errors as float64.

    Raises:
        ValueError: other than one for each clip, below 0, or not finite.
    """
    found = np.asarray(values, np.float64)
    if found.shape != (clips,):
        raise ValueError(f"{name} must be as many as ratings, {clips}, got shape {found.shape}.")
    if not np.isfinite(found).all():
        raise ValueError(f"{name} must be finite: leave out clips without a value.")
    if (found < 0).any():
        raise ValueError(f"{name} must be at least 0, got {found.min():g}.")
    return found
