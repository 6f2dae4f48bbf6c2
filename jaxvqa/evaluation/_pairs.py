"""How well differences of a metric tell what people can tell apart (Krasula's analysis)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from jaxvqa.evaluation._correlations import checked_pair, checked_spread

_Z = 2.0  # libvmaf's limit of a significant difference
_LEAST = 1e-8  # libvmaf's variance of a difference between two unanimous ratings


@dataclass(frozen=True)
class PairAnalysis:
    """Figures of all pairs of clips.

    Args:
        different_similar: area under the ROC curve of telling pairs that people tell apart from
            those that they don't, by the size of the metric's difference; 0.5 to 1.
        better_worse: area under the curve of telling which clip of a differing pair is better.
        correct: share of the differing pairs that the metric orders as people do; equal values
            count as wrong.
    """

    different_similar: float
    better_worse: float
    correct: float


class Pairs:
    """All pairs of clips with what people say of them, once for many metrics and resamples.

    Args:
        ratings: `(clips,)` scores of people, higher is better.
        standard_errors: `(clips,)` of the ratings.
    """

    def __init__(self, ratings: ArrayLike, standard_errors: ArrayLike) -> None:
        y, error = np.asarray(ratings, np.float64), np.asarray(standard_errors, np.float64)
        self.first, self.second = np.triu_indices(len(y), 1)
        variance = error[self.first] ** 2 + error[self.second] ** 2
        spread = np.sqrt(np.where(variance == 0, _LEAST, variance))
        z = (y[self.first] - y[self.second]) / spread
        self.verdict = (z > _Z).astype(np.int8) - (z < -_Z).astype(np.int8)


def analyse_pairs(
    predictions: ArrayLike,
    ratings: ArrayLike,
    standard_errors: ArrayLike,
) -> PairAnalysis:
    """Areas under the ROC curves "different or similar" and "better or worse".

    Args:
        predictions: `(clips,)` values of a metric where higher is better; negate others.
        ratings: `(clips,)` scores of people where higher is better.
        standard_errors: `(clips,)` standard errors of the ratings.

    Returns:
        The analysis; NaN where no pair differs, or none is similar.

    Two ratings differ where their distance exceeds twice its standard error. Each pair counts once;
    libvmaf's tool counts it twice and each clip against itself as a similar pair, which raises
    `different_similar` by about its share of 1 in the number of clips, and leaves the others.

    Raises:
        ValueError: arrays of unequal length, values that are not finite, errors below 0.

    Source: Krasula, Fliegel, Le Callet, Klima, "On the accuracy of objective image and video
    quality models: new methodology for performance evaluation", QoMEX 2016.
    """
    x, y = checked_pair(predictions, ratings)
    errors = checked_spread("standard_errors", standard_errors, len(y))
    return PairScores(Pairs(y, errors), x).analysis()


class PairScores:
    """A metric's differences of all pairs, sorted once.

    Args:
        pairs: the pairs.
        predictions: `(clips,)` values of the metric, higher is better.
    """

    def __init__(self, pairs: Pairs, predictions: ArrayLike) -> None:
        x = np.asarray(predictions, np.float64)
        first, second, verdict = pairs.first, pairs.second, pairs.verdict
        difference = x[first] - x[second]
        apart = verdict != 0
        self._clips = len(x)
        self._separation = _Roc(np.abs(difference), apart, first, second)
        first, second, verdict = first[apart], second[apart], verdict[apart]
        signed = difference[apart] * verdict
        self._order = _Roc(
            np.concatenate([signed, -signed]),
            np.arange(2 * len(signed)) < len(signed),
            np.concatenate([first, first]),
            np.concatenate([second, second]),
        )
        right = signed > 0
        self._apart, self._right = (first, second), (first[right], second[right])

    def analysis(self, weights: np.ndarray | None = None) -> PairAnalysis:
        """The figures where clip `i` is there `weights[i]` times."""
        each = np.ones(self._clips) if weights is None else np.asarray(weights, np.float64)
        # not `@`: its threads cost more than they save at this size
        total, right = (float((each[a] * each[b]).sum()) for a, b in (self._apart, self._right))
        return PairAnalysis(
            different_similar=self._separation.area(each),
            better_worse=self._order.area(each),
            correct=right / total if total else float("nan"),
        )


class _Roc:
    """The area under a ROC curve for weights that change and values that don't.

    Args:
        values: of the pairs.
        positive: which of them should lie above the others.
        first, second: the clips of each pair.
    """

    def __init__(
        self, values: np.ndarray, positive: np.ndarray, first: np.ndarray, second: np.ndarray
    ) -> None:
        order = np.argsort(values, kind="stable")
        ordered = values[order]
        # equal values are one step of the curve
        step = np.r_[True, ordered[1:] != ordered[:-1]][: len(ordered)]
        self._step = np.cumsum(step) - 1
        self._first, self._second = first[order].astype(np.int32), second[order].astype(np.int32)
        self._positive = positive[order].astype(np.float64)
        self._tied = not step.all()

    def area(self, weights: np.ndarray) -> float:
        """Chance that a positive lies above a negative, ties counting half."""
        if not len(self._first):
            return float("nan")
        each = weights[self._first] * weights[self._second]
        good = each * self._positive
        bad = each - good
        if self._tied:
            good, bad = np.bincount(self._step, good), np.bincount(self._step, bad)
        below = np.cumsum(bad)
        total = good.sum() * below[-1]
        return float((good * (below - bad / 2)).sum() / total) if total else float("nan")
