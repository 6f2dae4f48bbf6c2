"""The tables that `jaxvqa evaluate` prints."""

from __future__ import annotations

import math

from jaxvqa._cli.terminal import Column, print_table
from jaxvqa.evaluation import Evaluation

_WORDS = {
    "srocc": "SROCC", "krocc": "KROCC", "plcc": "PLCC", "rmse": "RMSE",
    "outlier_ratio": "outlier ratio", "auc_different_similar": "AUC different/similar",
    "auc_better_worse": "AUC better/worse", "correct_pairs": "pairs in order",
}  # fmt: skip
_CURVES = {"logistic": "libvmaf's logistic", "4pl": "4 parameters", "5pl": "5 parameters"}
_SHOWN = ("srocc", "plcc", "rmse_4pl")


def label(name: str) -> str:
    """A statistic in words: `plcc_4pl` is `PLCC, 4 parameters`."""
    for kind, words in _CURVES.items():
        if name.endswith(f"_{kind}"):
            return f"{_WORDS[name.removesuffix(f'_{kind}')]}, {words}"
    return _WORDS[name]


def figure(value: float) -> str:
    """A statistic with four digits; `-` where it is undefined."""
    if not math.isfinite(value):
        return "-"
    return f"{value:.4f}" if abs(value) < 10 else f"{value:.2f}"


def _with_interval(value: float, interval: tuple[float, float] | None) -> str:
    if interval is None or not math.isfinite(value):
        return figure(value)
    return f"{figure(value)} [{figure(interval[0])}, {figure(interval[1])}]"


def print_statistics(evaluation: Evaluation) -> None:
    """A row per statistic, a column per metric."""
    columns = [Column("", style="cyan")]
    columns += [Column(one.name, right=True) for one in evaluation.metrics]
    rows = []
    for name in evaluation.metrics[0].statistics:
        cells = [
            _with_interval(one.statistics[name], one.intervals.get(name))
            for one in evaluation.metrics
        ]
        rows.append([label(name), *cells])
    for name in ("srocc", "plcc"):
        cells = [figure(one.content_means[name]) for one in evaluation.metrics]
        rows.append([f"{label(name)}, mean of contents", *cells])
    print_table(columns, rows)


def print_contents(evaluation: Evaluation) -> None:
    """A row per content: clips, and for each metric SROCC, PLCC and the mean error."""
    print()
    columns = [Column("content", style="cyan", fold=True), Column("clips", right=True)]
    for one in evaluation.metrics:
        columns += [Column(f"{one.name} {word}", right=True) for word in ("SROCC", "PLCC", "error")]
    rows = []
    for i, content in enumerate(evaluation.contents):
        own = [one.contents[i] for one in evaluation.metrics]
        cells = [figure(v) for c in own for v in (c.srocc, c.plcc, c.mean_error)]
        rows.append([content, str(own[0].clips), *cells])
    print_table(columns, rows)


def print_differences(evaluation: Evaluation) -> None:
    """A row per pair of metrics and statistic."""
    known = (one for one in evaluation.differences if math.isfinite(one.value))
    shown = [one for one in known if one.statistic in _SHOWN]
    if not shown:
        return
    print()
    titles = ("difference", "of", "value", "95 % interval", "first better")
    columns = [Column(t, right=i > 1, style="" if i else "cyan") for i, t in enumerate(titles)]
    rows = []
    for one in shown:
        interval = f"[{one.interval[0]:+.4f}, {one.interval[1]:+.4f}]"
        share = "-" if math.isnan(one.first_better) else f"{100 * one.first_better:.0f} %"
        name = f"{one.first} - {one.second}"
        rows.append([name, label(one.statistic), f"{one.value:+.4f}", interval, share])
    print_table(columns, rows)
