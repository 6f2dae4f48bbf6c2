"""Ladders of a table: points, hulls, deltas, and which encodes to offer."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from jaxvqa.ladders._bd import bd_quality, bd_rate, overlap
from jaxvqa.ladders._columns import (
    column,
    name_of,
    number_of,
    rates_of,
    size_columns,
    size_of,
    text_of,
)
from jaxvqa.ladders._hull import convex_hull, knee, pareto_front
from jaxvqa.ladders._parts import Curve, Delta, Ladders, Point, TitleLadder

Row = Mapping[str, Any]
_MAX_NAMED = 5


def build_ladders(
    rows: Iterable[Row],
    *,
    group: str = "title",
    rate: str = "bitrate",
    quality: str = "vmaf",
    encoder: Sequence[str] = (),
    size: Sequence[str] | None = None,
    step: float | None = None,
    ratio: float = 1.5,
    top: float | None = None,
) -> Ladders:
    """Rate-quality curves of a table of scored encodes, and what follows from them.

    Args:
        rows: one mapping for each encode, as `report.load_table` gives them.
        group: the column that says which encodes show the same video; a table without `title` is
            grouped by `ref`.
        rate: the column of rates, in any unit; `900k` and `2.5Mbps` are bits per second.
        quality: the column of scores that rise with quality; `vmaf` also finds `vmaf_mean`.
        encoder: columns that together name the encoder; none takes all encodes as one's.
        size: the column `WIDTHxHEIGHT`, or the two of width and height, that an encode has in its
            file; None finds them.
        step: least difference of quality between rungs; None is 6 for VMAF, which Netflix counts as
            a difference that is just noticeable, and 0 for other scores.
        ratio: least ratio of rates between rungs.
        top: quality that the best rung need not exceed; None takes the best point.

    Returns:
        The ladders.

    Raises:
        ValueError: a column that is not there, no row that has a rate and a score, or a score of
            which higher is not better.

    >>> from jaxvqa.ladders import build_ladders
    >>> rows = [dict(title="a", bitrate=r, vmaf=q) for r, q in [(1, 60), (2, 80), (4, 90)]]
    >>> [p.rate for p in build_ladders(rows).titles[0].curves[0].points]
    [1.0, 2.0, 4.0]
    """
    rows = list(rows)
    known = list(dict.fromkeys(name for row in rows for name in row))
    quality = column(known, quality, "quality")
    _check_direction(quality)
    columns = {"group": column(known, group, "group"), "rate": column(known, rate, "rate")}
    encoders = [column(known, name, "encoder") for name in encoder]
    sizes = size_columns(known, size)
    if step is None:
        step = 6.0 if quality.lower().startswith("vmaf") else 0.0
    if not (step >= 0 and ratio >= 1):
        raise ValueError("step must be 0 or more, and ratio 1 or more.")
    points: dict[str, dict[str, list[Point]]] = {}
    left_out = []
    for i, (row, value) in enumerate(zip(rows, rates_of(rows, columns["rate"]), strict=True)):
        name = name_of(row, i)
        score = number_of(row.get(quality))
        if value is None or value <= 0 or score is None:
            lacking = [columns["rate"]] if value is None or value <= 0 else []
            lacking += [quality] if score is None else []
            left_out.append(f"{name}: has no {' and no '.join(lacking)}")
            continue
        point = Point(value, score, size_of(row, sizes), name)
        title = text_of(row, columns["group"])
        label = " ".join(text_of(row, c) for c in encoders).strip() or "all"
        points.setdefault(title, {}).setdefault(label, []).append(point)
    if not points:
        raise ValueError(
            f"no row has a number in both {columns['rate']} and {quality}: "
            f"{'; '.join(left_out[:_MAX_NAMED]) or 'the table is empty'}."
        )
    _check_rises(points, columns["rate"], quality)
    titles = tuple(_title(t, found, step, ratio, top) for t, found in points.items())
    return Ladders(titles, _means(titles), columns["rate"], quality, tuple(left_out))


def _check_direction(quality: str) -> None:
    from jaxvqa.features._registry import direction_of  # loads all metrics

    way = direction_of(quality)
    if way != "higher":
        told = "lower is better" if way == "lower" else "higher is no better than lower"
        raise ValueError(f"of {quality}, {told}: take a score that rises with quality.")


def _check_rises(
    points: Mapping[str, Mapping[str, Sequence[Point]]], rate: str, quality: str
) -> None:
    """Refuses unknown scores of which lower is better: every hull would be one point."""
    curves = [p for title in points.values() for p in title.values() if len(p) > 2]
    fronts = [pareto_front([p.rate for p in c], [p.quality for p in c]) for c in curves]
    if fronts and all(len(front) == 1 for front in fronts):
        raise ValueError(
            f"{quality} falls where {rate} rises: take a score that rises with quality."
        )


def _title(
    title: str, points: Mapping[str, list[Point]], step: float, ratio: float, top: float | None
) -> TitleLadder:
    curves = tuple(_curve(e, p, step, ratio, top) for e, p in points.items())
    compared = "hull" if any(c.several_sizes for c in curves) else "front"
    deltas = tuple(_delta(a, b, compared) for a, b in itertools.permutations(curves, 2))
    return TitleLadder(title, curves, deltas, compared)


def _curve(
    encoder: str, points: Sequence[Point], step: float, ratio: float, top: float | None
) -> Curve:
    points = sorted(points, key=lambda p: (p.rate, -p.quality))
    rates, qualities = [p.rate for p in points], [p.quality for p in points]
    front, hull = pareto_front(rates, qualities), convex_hull(rates, qualities)
    dominated = {}
    for i in set(range(len(points))) - set(front):
        # the last of the front that costs no more is the best of those that beat it
        dominated[i] = max(j for j in front if rates[j] <= rates[i])
    bend = knee([rates[i] for i in hull], [qualities[i] for i in hull])
    return Curve(
        encoder, tuple(points), tuple(front), tuple(hull), dict(sorted(dominated.items())),
        None if bend is None else hull[bend], tuple(_rungs(points, hull, step, ratio, top)),
    )  # fmt: skip


def _rungs(
    points: Sequence[Point], hull: Sequence[int], step: float, ratio: float, top: float | None
) -> list[int]:
    """From the top down, the dearest point that is far enough below the rung before."""
    enough = [i for i in hull if top is not None and points[i].quality >= top]
    rungs = [enough[0] if enough else hull[-1]]
    for i in reversed(hull):
        above = points[rungs[-1]]
        # rates such as 3000 and 2000 are written as floats: a ratio of 1.5 must hold
        cheaper = points[i].rate * ratio <= above.rate * (1 + 1e-9)
        if i != rungs[-1] and cheaper and points[i].quality <= above.quality - step:
            rungs.append(i)
    return rungs


def _delta(anchor: Curve, test: Curve, compared: str) -> Delta:
    sides = []
    for curve in (anchor, test):
        kept = [curve.points[i] for i in getattr(curve, compared)]
        sides.append((np.array([p.rate for p in kept]), np.array([p.quality for p in kept])))
    low, high = overlap(sides[0][1], sides[1][1])
    span = max(q.max() for _, q in sides) - min(q.min() for _, q in sides)
    share = max(0.0, (high - low) / span) if span > 0 else 0.0
    found: list[float | None] = []
    problems = []
    for measure in (bd_rate, bd_quality):
        try:
            found.append(measure(*sides[0], *sides[1]))
        except ValueError as error:
            found.append(None)
            problems.append(str(error))
    problem = " ".join(dict.fromkeys(problems)) or None
    return Delta(anchor.encoder, test.encoder, found[0], found[1], share, problem)


def _means(titles: Sequence[TitleLadder]) -> tuple[Delta, ...]:
    """Deltas averaged over titles, each title with the same weight."""
    by_pair: dict[tuple[str, str], list[Delta]] = {}
    for title in titles:
        for delta in title.deltas:
            by_pair.setdefault((delta.anchor, delta.test), []).append(delta)
    return tuple(_mean(pair, deltas, len(titles)) for pair, deltas in by_pair.items())


def _mean(pair: tuple[str, str], deltas: Sequence[Delta], titles: int) -> Delta:
    def average(name: str) -> float | None:
        values = [v for d in deltas if (v := getattr(d, name)) is not None]
        return math.fsum(values) / len(values) if values else None

    told = sum(d.bd_rate is not None for d in deltas)
    problem = None if told == titles else f"over {told} of {titles} titles"
    share = math.fsum(d.quality_overlap for d in deltas) / len(deltas)
    return Delta(*pair, average("bd_rate"), average("bd_quality"), share, problem)
