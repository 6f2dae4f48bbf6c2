"""Line charts of scores over time."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import numpy as np

from jaxvqa._optional import require
from jaxvqa._scoring.result import Result
from jaxvqa.report._atomic import write_atomically
from jaxvqa.report._load import SavedResult
from jaxvqa.report._style import COLOURS, GREY, PLOT_FORMATS, STYLE, rendered

AnyResult = Result | SavedResult

_MAX_DOTS = 48  # up to so many frames each one gets a dot


@dataclass(frozen=True)
class _Line:
    metric: str
    label: str
    frames: np.ndarray
    values: np.ndarray
    model: str

    @property
    def mean(self) -> float:
        known = self.values[np.isfinite(self.values)]
        return float(known.mean()) if known.size else float("nan")


def require_plot() -> None:
    """Raises MissingPackage if plots can't be drawn."""
    require("matplotlib.figure", "drawing plots", "plot")


def plot(
    results: AnyResult | Sequence[AnyResult],
    path: str | os.PathLike[str],
    names: Sequence[str] | None = None,
    *,
    metrics: Sequence[str] | None = None,
) -> None:
    """Draws scores over the frames of a clip.

    Args:
        results: what `jaxvqa.score` or `report.load` gave; several are drawn into one chart.
        path: the picture to write: .png, .svg or .pdf.
        names: what to call the results in the legend; by default their file names.
        metrics: which series to draw, one panel each; by default the models' scores in one panel,
            or the first feature of a result without a model.

    Raises:
        ValueError: an unknown metric or suffix, or as many names as results are not given.
        MissingPackage: matplotlib is not installed.
    """
    results = [results] if isinstance(results, (Result, SavedResult)) else list(results)
    kind = PurePath(path).suffix.lower().removeprefix(".")
    if kind not in PLOT_FORMATS:
        raise ValueError(
            f"plots are written as {', '.join(PLOT_FORMATS)}: {os.fspath(path)!r} ends in none of "
            "these."
        )
    if not results:
        raise ValueError("there is nothing to plot: give at least one result.")
    if names is not None and len(names) != len(results):
        raise ValueError(f"{len(results)} results need as many names, got {len(names)}.")
    require_plot()
    panels = _panels(results, names or default_names(results), metrics)
    write_atomically(path, _draw(panels, results, kind))


def default_names(results: Sequence[AnyResult]) -> list[str]:
    """File names, with as much of the folder as tells them apart."""
    paths = [PurePath(_path(result)) for result in results]
    for parts in range(1, max(len(p.parts) for p in paths) + 1):
        names = [str(PurePath(*p.parts[-parts:])) for p in paths]
        if len(set(names)) == len(names):
            return names
    return [f"{i + 1}: {path.name}" for i, path in enumerate(paths)]


def _path(result: AnyResult) -> str:
    path = result.path if isinstance(result, SavedResult) else result.clip.dis_path
    return path or "distorted"


def _panels(
    results: Sequence[AnyResult], names: Sequence[str], metrics: Sequence[str] | None
) -> list[list[_Line]]:
    if metrics:
        return [[_line(r, n, m, n) for r, n in zip(results, names, strict=True)] for m in metrics]
    lines = []
    for result, name in zip(results, names, strict=True):
        scores = result.score_names or (next(iter(result.frames)),)
        for metric in scores:
            parts = [name] if len(results) > 1 else []
            parts += [metric] if len(scores) > 1 or not parts else []
            lines.append(_line(result, name, metric, " ".join(parts)))
    return [lines]


def _line(result: AnyResult, name: str, metric: str, label: str) -> _Line:
    if metric not in result.frames:
        known = ", ".join(result.frames)
        raise ValueError(f"{name} has no metric {metric!r}; it has: {known}.")
    model = dict(zip(result.score_names, result.models, strict=False)).get(metric, "")
    values = np.asarray(result.frames[metric], float)
    return _Line(metric, label, result.frame_numbers, values, model)


def _draw(panels: list[list[_Line]], results: Sequence[AnyResult], kind: str) -> bytes:
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(STYLE):
        height = 3.6 if len(panels) == 1 else 1.0 + 2.3 * len(panels)
        figure = Figure(figsize=(8.4, height), dpi=150, facecolor="white", layout="constrained")
        figure.get_layout_engine().set(w_pad=0.12, h_pad=0.1)  # type: ignore[union-attr]
        axes = figure.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0]
        for axis, lines in zip(axes, panels, strict=True):
            _draw_panel(axis, lines)
        axes[-1].set_xlabel(_frame_label(results))
        return rendered(figure, kind)


def _draw_panel(axis: Any, lines: list[_Line]) -> None:
    from matplotlib.ticker import MaxNLocator

    single = len(lines) == 1
    for i, line in enumerate(lines):
        colour = COLOURS[i % len(COLOURS)]
        few = len(line.values) <= _MAX_DOTS
        marks = {"marker": "o", "markersize": 3.5} if few else {}
        style = ("-", "--", ":")[i // len(COLOURS) % 3]
        axis.plot(line.frames, line.values, style, color=colour, linewidth=1.6, zorder=3, **marks)
        if np.isfinite(line.mean):
            axis.axhline(line.mean, color=colour, linewidth=1, linestyle=(0, (4, 3)), alpha=0.55)
        if single:
            _mark_lowest(axis, line, colour)
    _set_limits(axis, lines)
    axis.margins(x=0.02)
    axis.xaxis.set_major_locator(MaxNLocator(nbins=10, integer=True, min_n_ticks=1))
    metrics = list(dict.fromkeys(line.metric for line in lines))
    axis.set_ylabel(metrics[0] if len(metrics) == 1 else "score")
    title = _title(lines, metrics)
    axis.set_title(title, loc="left", fontsize=11, fontweight="bold", pad=10)
    if not single:
        _legend(axis, lines)


def _title(lines: list[_Line], metrics: list[str]) -> str:
    if len(lines) > 1:
        return f"{', '.join(metrics)} per frame"
    line = lines[0]
    count = int(np.isfinite(line.values).sum())
    frames = "frame" if count == 1 else "frames"
    what = f"{line.metric} ({line.model})" if line.model not in ("", line.metric) else line.metric
    return f"{what}: mean {_short(line.mean)} over {count} {frames}"


def _legend(axis: Any, lines: list[_Line]) -> None:
    """The legend beside the chart, where it hides no line."""
    # a leading underscore would hide an entry
    labels = [f"\u200a{_cut(line.label)}\n\u200amean {_short(line.mean)}" for line in lines]
    handles = axis.get_lines()
    solid = [h for h in handles if len(h.get_xdata()) and h.get_zorder() == 3]
    axis.legend(
        solid, labels, loc="upper left", bbox_to_anchor=(1.01, 1.0), frameon=False, fontsize=9,
        handlelength=1.4, labelspacing=0.9, borderaxespad=0.0,
    )  # fmt: skip


def _cut(label: str, most: int = 30) -> str:
    half = (most - 3) // 2
    return label if len(label) <= most else f"{label[:half]}...{label[-half:]}"


def _mark_lowest(axis: Any, line: _Line, colour: str) -> None:
    """Names the lowest frame, unless all are about the same."""
    known = np.flatnonzero(np.isfinite(line.values))
    if known.size < 3 or np.ptp(line.values[known]) < 1e-6:
        return
    lowest = known[np.argmin(line.values[known])]
    x, y = int(line.frames[lowest]), float(line.values[lowest])
    axis.plot([x], [y], "o", color="white", markeredgecolor=colour, markersize=6, zorder=4)
    span = line.frames[-1] - line.frames[0]
    side = "right" if x - line.frames[0] > 0.7 * span else "left"
    axis.annotate(
        f"min {_short(y)} at frame {x}", (x, y), xytext=(-8 if side == "right" else 8, -11),
        textcoords="offset points", ha=side, va="center", fontsize=9, color=GREY,
    )  # fmt: skip


def _set_limits(axis: Any, lines: list[_Line]) -> None:
    """The range of the values with some air; never finer than makes noise look like a signal."""
    values = np.concatenate([line.values[np.isfinite(line.values)] for line in lines])
    if not values.size:
        return
    low, high = float(values.min()), float(values.max())
    least = 2.0 if high > 20 else 0.02 * max(abs(high), abs(low), 1e-3)
    room = max(high - low, least)
    middle = (high + low) / 2
    axis.set_ylim(middle - 0.68 * room, middle + 0.60 * room)


def _frame_label(results: Sequence[AnyResult]) -> str:
    rates = {r.fps if isinstance(r, SavedResult) else r.clip.fps for r in results}
    rate = rates.pop() if len(rates) == 1 else None
    return f"frame ({rate:.4g} frames per second)" if rate else "frame"


def _short(value: float) -> str:
    if not np.isfinite(value):
        return "undefined"
    return f"{value:.2f}" if abs(value) >= 10 else f"{value:.4g}"
