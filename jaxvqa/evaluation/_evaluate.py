"""How well metrics predict people, with intervals over contents."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from jaxvqa._checks import shown
from jaxvqa.evaluation._bootstrap import interval_of, resample
from jaxvqa.evaluation._correlations import checked_spread, krocc, plcc, srocc
from jaxvqa.evaluation._mappings import Mapping as Curve
from jaxvqa.evaluation._pairs import Pairs, PairScores
from jaxvqa.evaluation._statistics import Clips, correlations, fit_all, pair_statistics
from jaxvqa.evaluation._votes import CONFIDENCE


@dataclass(frozen=True)
class ContentFigures:
    """One metric on the clips of one content; correlations are NaN for a single clip.

    Args:
        content: its name.
        clips: how many clips it has.
        srocc, krocc, plcc: correlations with the ratings.
        mean_error: mean of the 4-parameter curve's prediction minus the rating, in the unit of the
            ratings; NaN without the curve.
    """

    content: str
    clips: int
    srocc: float
    krocc: float
    plcc: float
    mean_error: float


@dataclass(frozen=True)
class MetricFigures:
    """One metric.

    Args:
        name: its name.
        statistics: by name: `srocc`, `krocc`, `plcc`, `rmse`, `plcc_logistic` and so on,
            `outlier_ratio` where intervals are known, `auc_different_similar`, `auc_better_worse`
            and `correct_pairs` where standard errors are. NaN where undefined.
        intervals: 95 % bootstrap intervals of the same, `(low, high)`; empty without bootstrap.
        curves: the fitted curves by kind; None where there are too few clips.
        contents: figures of each content.
    """

    name: str
    statistics: dict[str, float]
    intervals: dict[str, tuple[float, float]]
    curves: dict[str, Curve | None]
    contents: tuple[ContentFigures, ...]

    @property
    def content_means(self) -> dict[str, float]:
        """Means over contents of the correlations inside each, those that are undefined left out.

        Contents weigh the same however many clips they have.
        """
        found = {}
        for name in ("srocc", "krocc", "plcc"):
            values = np.array([getattr(figures, name) for figures in self.contents])
            known = values[np.isfinite(values)]
            found[name] = float(known.mean()) if known.size else float("nan")
        return found


@dataclass(frozen=True)
class Difference:
    """Two metrics on the same clips and the same resamples.

    Args:
        first, second: their names.
        statistic: which statistic.
        value: the first's minus the second's, of the amount of a correlation.
        interval: its 95 % bootstrap interval.
        first_better: share of resamples in which the first is better; ties count half.
    """

    first: str
    second: str
    statistic: str
    value: float
    interval: tuple[float, float]
    first_better: float


@dataclass(frozen=True)
class Evaluation:
    """What `evaluate` found.

    Args:
        clips: number of clips.
        contents: names of the contents.
        metrics: figures of each metric.
        differences: paired differences of every two metrics; empty without bootstrap.
        bootstrap: number of resamples.
        seed: of the resamples.
        warnings: what a reader should know, as sentences.
    """

    clips: int
    contents: tuple[str, ...]
    metrics: tuple[MetricFigures, ...]
    differences: tuple[Difference, ...]
    bootstrap: int
    seed: int
    warnings: tuple[str, ...]


def evaluate(
    predictions: Mapping[str, ArrayLike],
    ratings: ArrayLike,
    contents: Iterable[object],
    *,
    intervals: ArrayLike | None = None,
    standard_errors: ArrayLike | None = None,
    lower: Iterable[str] = (),
    ratings_lower: bool = False,
    bootstrap: int = 1000,
    seed: int = 0,
) -> Evaluation:
    """Judges metrics by what people think of the same clips.

    Correlations keep their sign. Differences of metrics compare amounts, so that a metric where
    lower is better meets one where higher is.

    Args:
        predictions: `(clips,)` values of each metric by its name.
        ratings: `(clips,)` scores of people.
        contents: of each clip, what was filmed; resamples are drawn from these, since clips of one
            content are not independent.
        intervals: `(clips,)` half widths of the ratings' 95 % confidence intervals, for outlier
            ratios; by default of the standard errors.
        standard_errors: `(clips,)` of the ratings, for the analysis of pairs; by default of the
            intervals.
        lower: names of the metrics where lower is better.
        ratings_lower: True for ratings where lower is better, as some DMOS are.
        bootstrap: number of resamples; 0 for none.
        seed: of the resamples.

    Returns:
        An `Evaluation`.

    Raises:
        ValueError: arrays of unequal length, values that are not finite, intervals or errors below
            0, fewer than three clips, or a name in `lower` that no metric has.

    Example:
        >>> from jaxvqa.evaluation import evaluate
        >>> values = {"psnr": [30.0, 34.0, 41.0, 28.0, 35.0, 38.0]}
        >>> mos = [2.1, 3.0, 4.6, 1.9, 3.5, 4.1]
        >>> found = evaluate(values, mos, ["a", "a", "a", "b", "b", "b"], bootstrap=0)
        >>> round(found.metrics[0].statistics["srocc"], 3)
        1.0
    """
    clips = _checked(ratings, contents, intervals, standard_errors)
    table = {name: _values(name, values, clips) for name, values in predictions.items()}
    errors = standard_errors if standard_errors is not None else _errors_of(clips)
    sign = -1.0 if ratings_lower else 1.0
    pairs = None if errors is None else Pairs(sign * clips.ratings, errors)
    lower = set(lower)
    if unknown := lower.difference(table):
        raise ValueError(f"lower names {', '.join(sorted(unknown))}, which predictions lack.")
    figures, draws = [], {}
    rows = resample(clips.contents, bootstrap, seed)
    for name, values in table.items():
        turned = -values if name in lower else values
        scores = None if pairs is None else PairScores(pairs, turned)
        curves = fit_all(values, clips.ratings)
        statistics = correlations(values, clips, curves)
        statistics |= {} if scores is None else pair_statistics(scores)
        draws[name] = _draw(values, clips, curves, scores, rows, statistics)
        spread = {key: interval_of(column) for key, column in draws[name].items()}
        inside = _by_content(values, clips, curves["4pl"])
        figures.append(MetricFigures(name, statistics, spread, curves, inside))
    names = tuple(dict.fromkeys(map(str, clips.contents)))
    notes = _warnings(figures, lower, ratings_lower, len(names), bootstrap)
    differences = _differences(figures, draws) if bootstrap else ()
    return Evaluation(
        len(clips.ratings), names, tuple(figures), differences, bootstrap, seed, notes
    )


def _checked(
    ratings: ArrayLike,
    contents: Iterable[object],
    intervals: ArrayLike | None,
    standard_errors: ArrayLike | None,
) -> Clips:
    y = np.asarray(ratings, np.float64)
    if y.ndim != 1 or len(y) < 3:
        raise ValueError(f"ratings must be (clips,) of three clips or more, got {shown(y.shape)}.")
    if not np.isfinite(y).all():
        raise ValueError("ratings must be finite: leave out clips without a value.")
    names = np.array([str(content) for content in contents])
    if names.shape != y.shape:
        raise ValueError(f"contents must be as many as ratings, {len(y)}, got {len(names)}.")
    if standard_errors is not None:
        errors = checked_spread("standard_errors", standard_errors, len(y))
        intervals = CONFIDENCE * errors if intervals is None else intervals
    if intervals is not None:
        intervals = checked_spread("intervals", intervals, len(y))
    return Clips(y, names, intervals)


def _values(name: str, values: ArrayLike, clips: Clips) -> np.ndarray:
    x = np.asarray(values, np.float64)
    if x.shape != clips.ratings.shape:
        raise ValueError(f"{name} must have a value for each of {len(clips.ratings)} clips.")
    if not np.isfinite(x).all():
        row = int(np.flatnonzero(~np.isfinite(x))[0])
        raise ValueError(f"{name} has no finite value for clip {row + 1}: leave the clip out.")
    return x


def _errors_of(clips: Clips) -> np.ndarray | None:
    return None if clips.intervals is None else clips.intervals / CONFIDENCE


def _draw(
    values: np.ndarray,
    clips: Clips,
    curves: dict[str, Curve | None],
    scores: PairScores | None,
    rows: list[np.ndarray],
    statistics: dict[str, float],
) -> dict[str, np.ndarray]:
    """Every statistic on every resample, curves fitted anew to each."""
    found = {name: np.full(len(rows), np.nan) for name in statistics} if rows else {}
    for i, drawn in enumerate(rows):
        part = clips.take(drawn)
        fitted = fit_all(values[drawn], part.ratings, curves)
        one = correlations(values[drawn], part, fitted)
        if scores is not None:
            one |= pair_statistics(scores, np.bincount(drawn, minlength=len(values)))
        for name, value in one.items():
            found[name][i] = value
    return found


def _by_content(
    values: np.ndarray, clips: Clips, curve: Curve | None
) -> tuple[ContentFigures, ...]:
    errors = np.full(len(values), np.nan) if curve is None else curve(values) - clips.ratings
    found = []
    for content in dict.fromkeys(clips.contents.tolist()):
        own = clips.contents == content
        x, y = values[own], clips.ratings[own]
        one = ContentFigures(
            content, len(x), srocc(x, y), krocc(x, y), plcc(x, y), float(errors[own].mean())
        )
        found.append(one)
    return tuple(found)


# statistics that two metrics are compared by, and whether lower is better
_COMPARED = {
    "srocc": False, "krocc": False, "plcc": False, "plcc_logistic": False, "rmse_logistic": True,
    "plcc_4pl": False, "rmse_4pl": True, "auc_different_similar": False, "auc_better_worse": False,
}  # fmt: skip
_SIGNED = ("srocc", "krocc", "plcc")


def _differences(
    figures: list[MetricFigures], draws: dict[str, dict[str, np.ndarray]]
) -> tuple[Difference, ...]:
    found = []
    for i, first in enumerate(figures):
        for second in figures[i + 1 :]:
            for name, low_is_better in _COMPARED.items():
                if name not in first.statistics:
                    continue
                sides = [(m.statistics[name], draws[m.name][name]) for m in (first, second)]
                if name in _SIGNED:  # each along the sign that it has on all clips
                    sides = [(abs(v), np.sign(v) * column) for v, column in sides]
                (value, column), (other, others) = sides
                gaps = column - others
                gaps = gaps[np.isfinite(gaps)]
                wins = gaps < 0 if low_is_better else gaps > 0
                share = float((wins + (gaps == 0) / 2).mean()) if gaps.size else float("nan")
                found.append(
                    Difference(
                        first.name, second.name, name, value - other, interval_of(gaps), share
                    )
                )
    return tuple(found)


def _warnings(
    figures: list[MetricFigures],
    lower: set[str],
    ratings_lower: bool,
    contents: int,
    bootstrap: int,
) -> tuple[str, ...]:
    notes = []
    for one in figures:
        if np.isnan(one.statistics["srocc"]):
            notes.append(f"{one.name} has one value for all clips, so that nothing correlates.")
        expected = -1 if (one.name in lower) != ratings_lower else 1
        if expected * one.statistics["srocc"] < 0:
            better = "lower" if one.name in lower else "higher"
            notes.append(
                f"{one.name} goes against the ratings, although {better} is taken for better: "
                f"say with `lower` what is lower where it is better."
            )
    if bootstrap and contents < 10:
        notes.append(
            f"the clips have {contents} contents: intervals over so few are rough and rather too "
            "narrow."
        )
    return tuple(notes)
