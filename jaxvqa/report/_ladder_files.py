"""Ladders as JSON, CSV and a picture."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import math
import os
from collections.abc import Iterable, Sequence
from pathlib import PurePath
from typing import Any

import numpy as np

from jaxvqa.ladders import Curve, Ladders, TitleLadder
from jaxvqa.report._atomic import write_atomically
from jaxvqa.report._plot import require_plot
from jaxvqa.report._style import COLOURS, GREY, PLOT_FORMATS, STYLE, rendered

_POINTS = (
    "title", "encoder", "name", "width", "height", "rate", "quality", "dominated_by", "on_front",
    "on_hull", "knee", "rung",
)  # fmt: skip
_DELTAS = ("title", "anchor", "test", "bd_rate", "bd_quality", "quality_overlap", "problem")
_MOST_PANELS = 24
_PLAIN_RATE = 1e5


def render_ladders_json(ladders: Ladders) -> str:
    """All of an analysis as JSON text; indices count a curve's points from 0."""
    document = dataclasses.asdict(ladders)
    for title in document["titles"]:
        for curve in title["curves"]:
            curve["dominated"] = {str(k): v for k, v in curve["dominated"].items()}
    return json.dumps(document, indent=2, allow_nan=False) + "\n"


def render_ladders_csv(ladders: Ladders) -> str:
    """The points as CSV, a row each; `rung` counts the suggested ladder from its best."""
    rows = []
    for title in ladders.titles:
        for curve in title.curves:
            for i, point in enumerate(curve.points):
                beaten = curve.dominated.get(i)
                rows.append([
                    title.title, curve.encoder, point.name, *(point.size or ("", "")),
                    repr(point.rate), repr(point.quality),
                    "" if beaten is None else curve.points[beaten].name,
                    int(i in curve.front), int(i in curve.hull), int(i == curve.knee),
                    curve.rungs.index(i) + 1 if i in curve.rungs else "",
                ])  # fmt: skip
    return _csv(_POINTS, rows)


def render_deltas_csv(ladders: Ladders) -> str:
    """The Bjontegaard deltas as CSV; rows without a title are means over the titles."""
    rows = []
    for title, deltas in [*((t.title, t.deltas) for t in ladders.titles), ("", ladders.means)]:
        for d in deltas:
            numbers = ("" if v is None else repr(v) for v in (d.bd_rate, d.bd_quality))
            rows.append([
                title, d.anchor, d.test, *numbers, f"{d.quality_overlap:.4f}", d.problem or "",
            ])  # fmt: skip
    return _csv(_DELTAS, rows)


def _csv(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    sink = io.StringIO()
    writer = csv.writer(sink, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return sink.getvalue()


def plot_ladders(ladders: Ladders, path: str | os.PathLike[str]) -> None:
    """Draws rate-quality curves, a panel for each title.

    Lines join the points on the convex hull; hollow points are not on it, crosses are beaten by
    others, and rings are the suggested rungs.

    Args:
        ladders: what `ladders.build_ladders` gave.
        path: the picture to write: .png, .svg or .pdf.

    Raises:
        ValueError: an unknown suffix, or more titles than a picture can hold.
        MissingPackage: matplotlib is not installed.
    """
    kind = PurePath(path).suffix.lower().removeprefix(".")
    if kind not in PLOT_FORMATS:
        raise ValueError(
            f"plots are written as {', '.join(PLOT_FORMATS)}: {os.fspath(path)!r} ends in none of "
            "these."
        )
    if len(ladders.titles) > _MOST_PANELS:
        raise ValueError(
            f"a picture holds up to {_MOST_PANELS} titles, this table has {len(ladders.titles)}: "
            "take a part of it, or make a page with jaxvqa report."
        )
    require_plot()
    write_atomically(path, _draw(ladders, kind))


def _draw(ladders: Ladders, kind: str) -> bytes:
    import matplotlib
    from matplotlib.figure import Figure

    count = len(ladders.titles)
    across = min(count, 2)
    down = math.ceil(count / across)
    with matplotlib.rc_context(STYLE):
        figure = Figure(
            figsize=(8.4 if across == 1 else 12.0, 1.0 + 3.6 * down), dpi=150, facecolor="white",
            layout="constrained",
        )  # fmt: skip
        figure.get_layout_engine().set(w_pad=0.12, h_pad=0.1)  # type: ignore[union-attr]
        axes = list(figure.subplots(down, across, squeeze=False).flat)
        encoders = list(dict.fromkeys(c.encoder for t in ladders.titles for c in t.curves))
        for axis in axes:
            axis.set_visible(False)
        for axis, title in zip(axes, ladders.titles, strict=False):
            axis.set_visible(True)
            _draw_title(axis, title, ladders, encoders)
        return rendered(figure, kind)


def _draw_title(axis: Any, title: TitleLadder, ladders: Ladders, encoders: Sequence[str]) -> None:
    from matplotlib.ticker import EngFormatter, FuncFormatter, LogLocator, NullFormatter

    for curve in title.curves:
        _draw_curve(axis, curve, COLOURS[encoders.index(curve.encoder) % len(COLOURS)])
    axis.set_xscale("log")
    axis.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    plain = max(p.rate for c in title.curves for p in c.points) < _PLAIN_RATE
    axis.xaxis.set_major_formatter(
        FuncFormatter(lambda x, _: f"{x:g}") if plain else EngFormatter(sep="")
    )
    axis.xaxis.set_minor_formatter(NullFormatter())
    axis.set_xlabel(ladders.rate)
    axis.set_ylabel(ladders.quality)
    axis.set_title(title.title or "all", loc="left", fontsize=11, fontweight="bold", pad=10)
    if len(title.curves) > 1:
        axis.legend(loc="lower right", frameon=False, fontsize=9)


def _draw_curve(axis: Any, curve: Curve, colour: str) -> None:
    rates = np.array([p.rate for p in curve.points])
    qualities = np.array([p.quality for p in curve.points])
    hull, rungs = list(curve.hull), list(curve.rungs)
    x, y = straight(rates[hull], qualities[hull])
    axis.plot(x, y, color=colour, linewidth=1.6, zorder=2)
    label = f"\u200a{curve.encoder}"  # a leading underscore would hide it
    dots = {"marker": "o", "linestyle": "", "markersize": 4.5, "markeredgecolor": colour}
    axis.plot(rates[hull], qualities[hull], color=colour, zorder=3, label=label, **dots)
    off = [i for i in curve.front if i not in curve.hull]
    axis.plot(
        rates[off], qualities[off], "o", color="white", markeredgecolor=colour, markersize=4.5
    )
    beaten = list(curve.dominated)
    axis.plot(rates[beaten], qualities[beaten], "x", color=GREY, markersize=5)
    axis.plot(
        rates[rungs], qualities[rungs], "o", markerfacecolor="none", markeredgecolor=colour,
        markersize=9, zorder=3,
    )  # fmt: skip


def straight(rates: np.ndarray, qualities: np.ndarray, steps: int = 24) -> tuple[Any, Any]:
    """Lines that are straight in the rate, for a logarithmic axis."""
    places = np.linspace(0, len(rates) - 1, (len(rates) - 1) * steps + 1)
    known = np.arange(len(rates))
    return np.interp(places, known, rates), np.interp(places, known, qualities)
