"""What an evaluation is asked for: one dataclass that the command line makes options of."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from jaxvqa._checks import as_text, shown
from jaxvqa._pooling import POOLED
from jaxvqa._settings import check_settings, choice, optional, setting, text, whole
from jaxvqa.evaluation import VOTE_MODELS

RATED = "what people think"
JUDGED = "what is judged"


def finite_number(value: Any) -> float:
    """Parses a finite number."""
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if isinstance(value, bool) or not math.isfinite(number):
        raise ValueError(f"must be a number, got {shown(value)}.")
    return number


def names(value: Any) -> tuple[str, ...]:
    """Parses a name, or several."""
    if value is None:
        return ()
    given = tuple(value) if isinstance(value, (list, tuple)) else (value,)
    for name in given:
        if not isinstance(name, str) or not name:
            raise ValueError(f"must be text, got {shown(as_text(name))}.")
    return given


@dataclass(frozen=True)
class StudyRequest:
    """Whose ratings count.

    Args:
        votes: a table of votes.
        subjective: how votes become ratings.
        rating: the column of the ratings.
        ref_score: the score that references count as.
        root: the folder that relative paths begin at.
    """

    votes: str | None = setting(
        None, "table of votes with the columns id, subject, score and, for repeated votes, "
        "repetition", optional(text), group=RATED, metavar="FILE",
    )  # fmt: skip
    subjective: str | None = setting(
        None,
        "how votes become ratings: mos, dmos, zscore, bt500, p913 (both reject subjects) or p910 "
        "(maximum likelihood, the default)",
        optional(choice(*VOTE_MODELS)),
        group=RATED,
        choices=VOTE_MODELS,
    )
    rating: str | None = setting(
        None, "column of the ratings (default: mos, dmos, score or groundtruth)", optional(text),
        group=RATED, metavar="COLUMN",
    )  # fmt: skip
    ref_score: float | None = setting(
        None, "score that a reference counts as, for dmos", optional(finite_number), group=RATED,
        metavar="N",
    )  # fmt: skip
    root: str | None = setting(
        None,
        "folder that relative paths of CLIPS begin at, and that libvmaf's VmafConfig stands for "
        "(default: that of CLIPS)",
        optional(text),
        group=RATED,
        metavar="FOLDER",
    )

    def __post_init__(self) -> None:
        """Parses and checks every field."""
        check_settings(self)


@dataclass(frozen=True)
class EvaluateRequest:
    """What is judged and how.

    Args:
        metric: columns of the table, or series of saved results.
        model: fusion models.
        feature: features to measure.
        pool: how frames become one number.
        lower: what is lower where it is better: metrics, or the ratings' column.
        bootstrap: number of resamples of contents.
        seed: of the resamples.
    """

    metric: Any = setting(
        (), "column of the table, or series of the saved results", names, group=JUDGED,
        metavar="NAME",
    )  # fmt: skip
    model: Any = setting(
        (),
        "model by shipped name, file or libvmaf's text; on saved features where they suffice, else "
        "the videos are measured",
        names,
        group=JUDGED,
        metavar="MODEL",
        flags=("--model", "-m"),
    )
    feature: Any = setting(
        (), "feature to measure, NAME or NAME=OPTION=VALUE:OPTION=VALUE", names, group=JUDGED,
        metavar="FEATURE",
    )  # fmt: skip
    pool: str = setting(
        "mean", "how frames become one number", choice(*POOLED), group=JUDGED, choices=POOLED
    )
    lower: Any = setting(
        (), "metric, or column of the ratings, where lower is better", names, group=JUDGED,
        metavar="NAME",
    )  # fmt: skip
    bootstrap: int = setting(
        1000, "resamples of contents for intervals, 0 for none", whole(0), group=JUDGED,
        metavar="N",
    )  # fmt: skip
    seed: int = setting(0, "seed of the resamples", whole(0), group=JUDGED, metavar="N")

    def __post_init__(self) -> None:
        """Parses and checks every field."""
        check_settings(self)
