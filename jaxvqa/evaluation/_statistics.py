"""The figures of one metric on one set of clips."""

from __future__ import annotations

from collections.abc import Mapping as Table
from dataclasses import dataclass

import numpy as np

from jaxvqa.evaluation._correlations import krocc, outlier_ratio, plcc, rmse, srocc
from jaxvqa.evaluation._mappings import MAPPINGS, Mapping, fit_mapping
from jaxvqa.evaluation._pairs import PairScores


@dataclass(frozen=True)
class Clips:
    """The clips that metrics are judged on, as arrays of one length.

    Args:
        ratings: what people think of each.
        contents: the content of each, such as the name of its reference.
        intervals: half widths of the ratings' 95 % confidence intervals, or None.
    """

    ratings: np.ndarray
    contents: np.ndarray
    intervals: np.ndarray | None = None

    def take(self, rows: np.ndarray) -> Clips:
        """Some of the clips, or some of them several times."""
        intervals = None if self.intervals is None else self.intervals[rows]
        return Clips(self.ratings[rows], self.contents[rows], intervals)


def correlations(
    predictions: np.ndarray, clips: Clips, fitted: Table[str, Mapping | None]
) -> dict[str, float]:
    """All statistics but those of pairs, by name; NaN where one is undefined."""
    found = {
        "srocc": srocc(predictions, clips.ratings),
        "krocc": krocc(predictions, clips.ratings),
    }
    for kind, mapping in fitted.items():
        mapped = np.full(len(predictions), np.nan) if mapping is None else mapping(predictions)
        suffix = "" if kind == "none" else f"_{kind}"
        undefined = not np.isfinite(mapped).all()
        found[f"plcc{suffix}"] = np.nan if undefined else plcc(mapped, clips.ratings)
        found[f"rmse{suffix}"] = np.nan if undefined else rmse(mapped, clips.ratings)
        if clips.intervals is not None:
            found[f"outlier_ratio{suffix}"] = (
                np.nan if undefined else outlier_ratio(mapped, clips.ratings, clips.intervals)
            )
    return found


def fit_all(
    predictions: np.ndarray, ratings: np.ndarray, starts: Table[str, Mapping | None] | None = None
) -> dict[str, Mapping | None]:
    """The four curves; from `starts`, curves of nearly the same data, where given."""
    found = {}
    for kind in MAPPINGS:
        start = None if starts is None else starts[kind]
        if starts is not None and start is None:
            found[kind] = None
        else:
            found[kind] = fit_mapping(kind, predictions, ratings, start=start)
    return found


def pair_statistics(scores: PairScores, weights: np.ndarray | None = None) -> dict[str, float]:
    """The statistics of pairs by name."""
    analysis = scores.analysis(weights)
    return {
        "auc_different_similar": analysis.different_similar,
        "auc_better_worse": analysis.better_worse,
        "correct_pairs": analysis.correct,
    }
