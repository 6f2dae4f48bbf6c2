"""Ratings over predictions, coloured by content, with the fitted curve."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from jaxvqa.evaluation import Mapping
from jaxvqa.report._style import COLOURS, GREY, STYLE, rendered

_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
_MAX_LEGEND = 24
_MAX_LABEL = 24


@dataclass(frozen=True)
class Panel:
    """One metric in a scatter plot.

    Args:
        name: label of the horizontal axis.
        values: `(clips,)`.
        note: figures to show, under the title.
        curve: the fitted curve, or None.
    """

    name: str
    values: np.ndarray
    note: str
    curve: Mapping | None = None


def draw_scatter(
    panels: Sequence[Panel],
    ratings: np.ndarray,
    contents: Sequence[str],
    rating_name: str,
    kind: str,
    *,
    intervals: np.ndarray | None = None,
    diagonal: bool = False,
) -> bytes:
    """A picture with one panel a metric.

    Args:
        panels: the metrics.
        ratings: `(clips,)` what people think.
        contents: content of each clip, which chooses its colour and mark.
        rating_name: label of the vertical axis.
        kind: "png", "svg" or "pdf".
        intervals: `(clips,)` half widths of 95 % intervals, drawn as bars.
        diagonal: draw where predictions equal ratings.
    """
    import matplotlib
    from matplotlib.figure import Figure

    names = list(dict.fromkeys(contents))
    legend = 1 < len(names) <= _MAX_LEGEND
    columns = min(len(panels), 2)
    rows = math.ceil(len(panels) / columns)
    size = (4.6 * columns + (2.4 if legend else 0.3), 4.2 * rows + 0.2)
    with matplotlib.rc_context({**STYLE, "axes.grid.axis": "both"}):
        figure = Figure(figsize=size, dpi=150, facecolor="white", layout="constrained")
        figure.get_layout_engine().set(w_pad=0.12, h_pad=0.12)  # type: ignore[union-attr]
        axes = figure.subplots(rows, columns, squeeze=False).ravel()
        for axis, panel in zip(axes, panels, strict=False):
            _draw_panel(axis, panel, ratings, contents, names, intervals)
            axis.set_ylabel(rating_name)
            if diagonal:
                axis.axline((ratings.mean(), ratings.mean()), slope=1, color=GREY, linewidth=1.2)
        for axis in axes[len(panels) :]:
            axis.set_visible(False)
        if legend:
            handles, _ = axes[0].get_legend_handles_labels()
            # a leading underscore would hide an entry
            labels = [f"\u200a{_cut(name)}" for name in names]
            figure.legend(
                handles[: len(names)], labels, loc="outside right upper", frameon=False, fontsize=9,
                handletextpad=0.2,
            )  # fmt: skip
        return rendered(figure, kind)


def _draw_panel(
    axis: Any,
    panel: Panel,
    ratings: np.ndarray,
    contents: Sequence[str],
    names: Sequence[str],
    intervals: np.ndarray | None,
) -> None:
    own = np.array(contents)
    if intervals is not None:
        axis.errorbar(
            panel.values, ratings, yerr=intervals, fmt="none", ecolor="#9ca3af", elinewidth=0.8,
            alpha=0.7, zorder=2,
        )  # fmt: skip
    for i, name in enumerate(names):
        there = own == name
        axis.plot(
            panel.values[there], ratings[there], linestyle="none", label=name, zorder=3, alpha=0.85,
            marker=_MARKERS[i // len(COLOURS) % len(_MARKERS)], color=COLOURS[i % len(COLOURS)],
            markersize=5, markeredgecolor="white", markeredgewidth=0.4,
        )  # fmt: skip
    if panel.curve is not None:
        line = np.linspace(panel.values.min(), panel.values.max(), 200)
        axis.plot(line, panel.curve(line), color=GREY, linewidth=1.4, zorder=4)
    axis.set_xlabel(panel.name)
    axis.margins(0.06)
    axis.set_title(panel.note, loc="left", fontsize=9, color=GREY, pad=8)


def _cut(label: str) -> str:
    half = (_MAX_LABEL - 3) // 2
    return label if len(label) <= _MAX_LABEL else f"{label[:half]}...{label[-half:]}"
