"""A study: clips with what people think of them, from whichever file holds it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from jaxvqa._tables import TableError
from jaxvqa.evaluation import VOTE_MODELS, Opinion, score_votes
from jaxvqa.evaluation._votes import CONFIDENCE


@dataclass(frozen=True)
class Clip:
    """One clip of a study.

    Args:
        name: tells it from the others.
        content: what was filmed.
        ref, dis: the files, or None.
        results: file of saved results, or None.
        options: how the files are read and measured, settings of `ScoreRequest` and `InputOptions`.
        values: other numbers of its row, by column.
        rating: what people think of it, NaN where only votes tell.
        interval: half width of the rating's 95 % confidence interval, NaN if unknown.
        is_reference: it shows the reference itself.
    """

    name: str
    content: str
    ref: str | None = None
    dis: str | None = None
    results: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    values: Mapping[str, float] = field(default_factory=dict)
    rating: float = float("nan")
    interval: float = float("nan")
    is_reference: bool = False


@dataclass(frozen=True)
class Study:
    """Clips, and what their ratings are.

    Args:
        source: the file they come from.
        clips: the clips.
        rating: name of the ratings: "mos", "dmos", a column.
        votes: `(clips, subjects, repetitions)`, NaN where there is none, or None.
        subjects: names of the subjects.
        ref_score: the score that references count as, or None.
        opinion: what became of the votes, or None.
    """

    source: str
    clips: tuple[Clip, ...]
    rating: str
    votes: np.ndarray | None = None
    subjects: tuple[str, ...] = ()
    ref_score: float | None = None
    opinion: Opinion | None = None

    def __post_init__(self) -> None:
        known: set[str] = set()
        for clip in self.clips:
            if clip.name in known:
                raise TableError(
                    f"{self.source}: two clips are named {clip.name!r}: give each an id of its own."
                )
            known.add(clip.name)

    def rated(self, model: str | None = None) -> Study:
        """The study with ratings from its votes, where it has some.

        Args:
            model: one of `VOTE_MODELS`; None takes "p910" where the file has no ratings.

        Raises:
            TableError: neither ratings nor votes, or a model without votes.
        """
        if model is None and all(np.isfinite(clip.rating) for clip in self.clips):
            return self
        if self.votes is None:
            if model is not None:
                raise TableError(
                    f"{self.source}: has no votes, only ratings: leave out subjective={model!r}."
                )
            missing = next(c.name for c in self.clips if not np.isfinite(c.rating))
            raise TableError(f"{self.source}: clip {missing!r} has neither a rating nor votes.")
        model = "p910" if model is None else model
        references = self._references() if model == "dmos" else None
        try:
            opinion = score_votes(
                self.votes, model, references=references, ref_score=self._reference_score(model)
            )
        except ValueError as error:
            raise TableError(f"{self.source}: {error}") from None
        clips = tuple(
            replace(clip, rating=float(score), interval=float(interval))
            for clip, score, interval in zip(
                self.clips, opinion.scores, opinion.intervals, strict=True
            )
        )
        return replace(self, clips=clips, rating=f"{model} of votes", opinion=opinion)

    def _reference_score(self, model: str) -> float | None:
        if model != "dmos":
            return None
        if self.ref_score is None:
            raise TableError(
                f"{self.source}: a DMOS needs the score that a reference counts as: give ref_score."
            )
        return self.ref_score

    def _references(self) -> list[int]:
        """The row of each clip's reference."""
        rows: dict[str, int] = {}
        for i, clip in enumerate(self.clips):
            if clip.is_reference:
                if clip.content in rows:
                    raise TableError(
                        f"{self.source}: content {clip.content!r} has two references that people "
                        "voted on, a DMOS needs one."
                    )
                rows[clip.content] = i
        for clip in self.clips:
            if clip.content not in rows:
                raise TableError(
                    f"{self.source}: nobody voted on the reference of content {clip.content!r}, "
                    "which a DMOS needs: mark its clip in a column is_reference, or in a data set "
                    "file give dis_videos one with the path of the reference."
                )
        return [rows[clip.content] for clip in self.clips]

    @property
    def ratings(self) -> np.ndarray:
        """`(clips,)` what people think."""
        return np.array([clip.rating for clip in self.clips])

    @property
    def contents(self) -> list[str]:
        """The content of each clip."""
        return [clip.content for clip in self.clips]

    @property
    def intervals(self) -> np.ndarray | None:
        """`(clips,)` half widths of 95 % intervals, or None where one is not known."""
        found = np.array([clip.interval for clip in self.clips])
        return found if np.isfinite(found).all() else None


def interval_of(interval: float | None, error: float | None) -> float:
    """The half width of a 95 % interval from what a row has: itself, or a standard error.

    Raises:
        ValueError: one below 0, with its name.
    """
    for name, value in (("ci", interval), ("standard_error", error)):
        if value is not None and value < 0:
            raise ValueError(f"{name} must be at least 0, got {value:g}.")
    if interval is not None:
        return interval
    return float("nan") if error is None else CONFIDENCE * error


def vote_table(
    source: str, clips: Sequence[str], votes: Mapping[tuple[str, str], Sequence[float]]
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Votes by clip and subject as an array, and the subjects in order of appearance.

    Args:
        source: the file, for messages.
        clips: names of the clips.
        votes: for each clip and subject the votes, one or repeated.

    Raises:
        TableError: a clip nobody voted on, or a vote on a clip that there is not.
    """
    subjects = tuple(dict.fromkeys(subject for _, subject in votes))
    repetitions = max((len(given) for given in votes.values()), default=1)
    table = np.full((len(clips), len(subjects), max(repetitions, 1)), np.nan)
    row = {name: i for i, name in enumerate(clips)}
    column = {name: i for i, name in enumerate(subjects)}
    for (clip, subject), given in votes.items():
        if clip not in row:
            raise TableError(f"{source}: there are votes on {clip!r}, which is no clip's id.")
        table[row[clip], column[subject], : len(given)] = given
    silent = np.flatnonzero(np.isnan(table).all((1, 2)))
    if silent.size:
        raise TableError(f"{source}: nobody voted on {clips[silent[0]]!r}: leave the clip out.")
    return table, subjects


def check_model(model: str | None) -> None:
    """Raises ValueError for something that is none of `VOTE_MODELS`."""
    if model is not None and model not in VOTE_MODELS:
        raise ValueError(f"subjective must be one of {', '.join(VOTE_MODELS)}; got {model!r}.")
