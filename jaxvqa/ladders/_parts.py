"""What an analysis of ladders gives back."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Point:
    """One scored encode.

    Args:
        rate: its rate, in the unit of the table.
        quality: its score.
        size: columns and rows that it was encoded at, or None.
        name: what the table calls it.
    """

    rate: float
    quality: float
    size: tuple[int, int] | None = None
    name: str = ""

    @property
    def label(self) -> str:
        """A name for messages."""
        size = f"{self.size[0]}x{self.size[1]} " if self.size else ""
        return f"{size}at {self.rate:.10g}"


@dataclass(frozen=True)
class Curve:
    """The encodes of a title by one encoder.

    Args:
        encoder: its name.
        points: by rising rate.
        front: indices of the points that no other beats.
        hull: indices of the points on the convex hull over all sizes.
        dominated: index of a beaten point to the index of the one that beats it.
        knee: index of the point after which rate buys little, or None.
        rungs: indices of the suggested ladder, the best first.
    """

    encoder: str
    points: tuple[Point, ...]
    front: tuple[int, ...]
    hull: tuple[int, ...]
    dominated: dict[int, int] = field(default_factory=dict)
    knee: int | None = None
    rungs: tuple[int, ...] = ()

    @property
    def several_sizes(self) -> bool:
        """The points were encoded at more than one size."""
        return len({p.size for p in self.points}) > 1


@dataclass(frozen=True)
class Delta:
    """The average difference of an encoder from another.

    Args:
        anchor: what is compared with.
        test: what is compared.
        bd_rate: percent of rate; negative is better. None where it can't be told.
        bd_quality: points of quality; positive is better. None where it can't be told.
        quality_overlap: share of all qualities of both that both reach, 0 to 1.
        problem: why there is no number, or None.
    """

    anchor: str
    test: str
    bd_rate: float | None
    bd_quality: float | None
    quality_overlap: float
    problem: str | None = None


@dataclass(frozen=True)
class TitleLadder:
    """Everything about one title.

    Args:
        title: its name.
        curves: one for each encoder.
        deltas: one for each ordered pair of encoders.
        compared: which points the deltas rest on, "hull" or "front".
    """

    title: str
    curves: tuple[Curve, ...]
    deltas: tuple[Delta, ...]
    compared: str


@dataclass(frozen=True)
class Ladders:
    """Ladders of all titles of a table.

    Args:
        titles: one for each title, in the table's order.
        means: deltas of each ordered pair of encoders, averaged over the titles that have them;
            `problem` says what is missing.
        rate: the table's column of rates.
        quality: the table's column of scores.
        left_out: rows without a rate or a score, and why.
    """

    titles: tuple[TitleLadder, ...]
    means: tuple[Delta, ...]
    rate: str
    quality: str
    left_out: tuple[str, ...] = ()
