"""Quality scores of clips from the votes of people.

A vote of subject `i` on clip `j` is taken as the clip's quality, the subject's bias and noise. The
models differ in what they do about subjects.

Source: ITU-R BT.500, ITU-T P.910 Annex E and P.913; arithmetic as in sureal 0.9.0, which it equals
to 1e-9 (its MOS, DMOS, ZS_MOS, SR_MOS, BR_SR_MOS and MLE_CO_AP2).
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from jaxvqa._checks import one_of

VOTE_MODELS = ("mos", "dmos", "zscore", "bt500", "p913", "p910")

# half width of a 95 % interval, in standard errors, with the digits that sureal has
CONFIDENCE = 1.95996
_MAX_ITERATIONS = 1000
_CONVERGED = 1e-8
_LEAST_VARIANCE = 1e-8


@dataclass(frozen=True)
class Opinion:
    """What people think of clips.

    Args:
        model: one of `VOTE_MODELS`.
        scores: `(clips,)` quality, higher is better; in the unit of the votes, of the subjects'
            standard deviations for "zscore".
        standard_errors: `(clips,)` of the scores; NaN for a clip with one vote.
        intervals: `(clips,)` half widths of 95 % confidence intervals, as of a normal distribution.
        bias: `(subjects,)` how much higher than others a subject votes, or None.
        inconsistency: `(subjects,)` standard deviation of a subject's votes, or None.
        rejected: `(subjects,)` True for a subject whose votes were left out, or None.
    """

    model: str
    scores: np.ndarray
    standard_errors: np.ndarray
    intervals: np.ndarray = field(init=False)
    bias: np.ndarray | None = None
    inconsistency: np.ndarray | None = None
    rejected: np.ndarray | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "intervals", CONFIDENCE * self.standard_errors)


def score_votes(
    votes: ArrayLike,
    model: str = "p910",
    *,
    references: Sequence[int] | None = None,
    ref_score: float | None = None,
) -> Opinion:
    """Quality of clips from votes.

    Args:
        votes: `(clips, subjects)` or `(clips, subjects, repetitions)`, NaN where there is none.
        model: "mos": the mean. "dmos": the mean of the differences to the vote on the reference.
            "zscore": each subject's votes at mean 0 and spread 1. "bt500": the mean without the
            subjects that BT.500 rejects. "p913": each subject's bias is removed, then as "bt500".
            "p910": maximum likelihood of quality, bias and inconsistency (Annex E).
        references: for each clip, the row of its content's reference among the clips; with it,
            every model works on `vote + ref_score - mean vote on the reference`. "dmos" needs it.
        ref_score: the score of a reference, such as 5; needed with `references`.

    Returns:
        An `Opinion`.

    Raises:
        ValueError: an unknown model, a clip or subject without votes, or infinite votes.

    Example:
        >>> from jaxvqa.evaluation import score_votes
        >>> score_votes([[5, 4, 5], [2, 1, 3]], "mos").scores.round(3).tolist()
        [4.667, 2.0]
    """
    one_of("model", model, VOTE_MODELS)
    table = _checked(votes)
    if model == "dmos" and references is None:
        raise ValueError("model='dmos' needs the row of each clip's reference: give references.")
    with warnings.catch_warnings():
        # a clip with one vote has no spread; its NaN says so
        warnings.simplefilter("ignore", RuntimeWarning)
        if references is not None:
            table = _differences(table, references, ref_score)
        if model == "p910":
            return _maximum_likelihood(table)
        bias = rejected = None
        if model == "zscore":
            table = (table - _per_subject(table, np.nanmean)) / _per_subject(table, _sample_std)
        if model == "p913":
            offsets = _per_subject(table - _means(table)[:, None, None], np.nanmean)
            table, bias = table - offsets, offsets[0, :, 0]
        if model in ("bt500", "p913"):
            rejected = rejections(table)
            table = table[:, ~rejected]
        scores = _means(table)
        flat = table.reshape(len(table), -1)
        errors = np.nanstd(flat, axis=1, ddof=1) / np.sqrt((~np.isnan(flat)).sum(1))
    return Opinion(model, scores, errors, bias=bias, rejected=rejected)


def _checked(votes: ArrayLike) -> np.ndarray:
    table = np.array(votes, np.float64)
    if table.ndim == 2:
        table = table[:, :, None]
    if table.ndim != 3 or not table.size:
        raise ValueError(
            "votes must be (clips, subjects) or (clips, subjects, repetitions), "
            f"got shape {np.shape(votes)}."
        )
    if np.isinf(table).any():
        raise ValueError("votes must be finite, or NaN where there is none.")
    there = ~np.isnan(table)
    if not there.any((1, 2)).all():
        row = int(np.flatnonzero(~there.any((1, 2)))[0])
        raise ValueError(f"the clip in row {row} has no votes: leave it out.")
    if not there.any((0, 2)).all():
        column = int(np.flatnonzero(~there.any((0, 2)))[0])
        raise ValueError(f"the subject in column {column} has no votes: leave it out.")
    return table


def _means(table: np.ndarray) -> np.ndarray:
    return np.nanmean(table.reshape(len(table), -1), axis=1)


def _sample_std(values: np.ndarray, axis: int) -> np.ndarray:
    return np.nanstd(values, axis=axis, ddof=1)


def _per_subject(table: np.ndarray, summary: object) -> np.ndarray:
    """A summary of all votes of each subject, `(1, subjects, 1)`."""
    rows = table.transpose(0, 2, 1).reshape(-1, table.shape[1])
    return np.asarray(summary(rows, axis=0))[None, :, None]  # type: ignore[operator]


def _differences(
    table: np.ndarray, references: Sequence[int], ref_score: float | None
) -> np.ndarray:
    rows = np.asarray(references)
    if rows.shape != table.shape[:1] or not ((rows >= 0) & (rows < len(table))).all():
        raise ValueError("references must hold the row of a reference for each clip.")
    if ref_score is None:
        raise ValueError("differences need the score of a reference: give ref_score, such as 5.")
    return table + ref_score - _means(table)[rows][:, None, None]


def rejections(votes: np.ndarray) -> np.ndarray:
    """Which subjects BT.500 rejects, by how often their votes are far off on both sides.

    Args:
        votes: `(clips, subjects, repetitions)`, NaN where there is none.

    Returns:
        `(subjects,)` booleans; none where all would be rejected.

    Source: ITU-R BT.500-14, annex 2, 2.3.1, read as sureal 0.9.0 does: limits are included, so a
    clip that all agree on counts as above and below for everybody.
    """
    above, below = np.zeros(votes.shape[1]), np.zeros(votes.shape[1])
    for clip in votes:
        given = clip[~np.isnan(clip)]
        mean, spread = given.mean(), given.std()
        fourth = ((given - mean) ** 4).mean()
        # votes that are equal but for rounding have no shape
        flat = spread <= np.finfo(np.float64).eps * abs(mean)
        peaked = np.nan if flat else fourth / spread**4
        limit = (2.0 if 2 <= peaked <= 4 else np.sqrt(20)) * spread
        above += (clip >= mean + limit).sum(1)
        below += (clip <= mean - limit).sum(1)
    share = (above + below) / (votes.shape[0] * votes.shape[2])
    with np.errstate(invalid="ignore"):
        lopsided = np.abs((above - below) / (above + below))
    found = (share > 0.05) & (lopsided < 0.3)
    return np.zeros_like(found) if found.all() else found


def _maximum_likelihood(table: np.ndarray) -> Opinion:
    """Alternating projection: quality, bias and inconsistency in turn, until quality stays."""
    there = ~np.isnan(table)
    quality = _means(table)
    bias = _per_subject(table - quality[:, None, None], np.nanmean)
    rest = inconsistency = np.zeros(())
    for _ in range(_MAX_ITERATIONS):
        before = quality
        rest = table - quality[:, None, None] - bias
        inconsistency = _per_subject(rest, np.nanstd)
        weights = np.where(there, 1 / (inconsistency**2 + _LEAST_VARIANCE), 0.0)
        quality = np.nansum((table - bias) * weights, (1, 2)) / weights.sum((1, 2))
        bias = _per_subject(table - quality[:, None, None], np.nanmean)
        if np.linalg.norm(before - quality) < _CONVERGED:
            break
    # the spread of a clip's votes about the model of the step before, as the reference takes it
    spread = np.nanstd(rest.reshape(len(table), -1), axis=1)
    errors = spread / np.sqrt(there.sum((1, 2)))
    offset = bias.mean()
    return Opinion(
        "p910",
        quality + offset,
        errors,
        bias=(bias - offset)[0, :, 0],
        inconsistency=inconsistency[0, :, 0],
    )
