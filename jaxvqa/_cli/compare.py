"""`jaxvqa compare`: are two results the same?"""

from __future__ import annotations

import argparse
import json
import math
from typing import Any

from jaxvqa import report
from jaxvqa._cli.errors import DONE, NOT_MET, UsageError
from jaxvqa._cli.summary import number
from jaxvqa._cli.terminal import Column, print_folded, print_styled, print_table

_EPILOG = """\
examples:
  jaxvqa compare before.json after.json
  jaxvqa compare libvmaf.json ours.json --metric vmaf --tolerance 1e-3

exit codes: 0 the same, 2 wrong usage, 3 unreadable input, 5 different.
"""


def add_parser(commands: Any, help: str) -> Any:
    """Adds the command to the parser of `jaxvqa`."""
    parser = commands.add_parser(
        "compare",
        help=help,
        description="Compares two JSON results, ours or the vmaf tool's, frame by frame.",
        usage="jaxvqa compare A.json B.json [options]",
        epilog=_EPILOG,
    )
    parser.add_argument("a", metavar="A.json", help="a JSON result")
    parser.add_argument("b", metavar="B.json", help="another one")
    parser.add_argument(
        "--metric",
        action="append",
        metavar="NAME",
        help="compare this metric alone; may be repeated (default: all, and what one file lacks "
        "is a difference)",
    )
    parser.add_argument(
        "--tolerance",
        type=_tolerance,
        default=1e-6,
        metavar="X",
        help="the largest difference that counts as none (default: 1e-6)",
    )
    shown = parser.add_mutually_exclusive_group()
    shown.add_argument("--per-frame", action="store_true", help="list the frames that differ")
    shown.add_argument("--json", action="store_true", help="print JSON, with every frame")
    shown.add_argument("-q", "--quiet", action="store_true", help="print nothing")
    parser.set_defaults(run=run)
    return parser


def run(args: argparse.Namespace) -> int:
    """Prints the comparison; returns 5 if there is a difference."""
    results = [report.load(file) for file in (args.a, args.b)]
    try:
        found = report.compare(*results, metrics=args.metric, tolerance=args.tolerance)
    except ValueError as error:
        raise UsageError(str(error)) from None
    if args.json:
        print(json.dumps(_as_json(found), indent=2, allow_nan=False))
    elif not args.quiet:
        _show(found, args.per_frame)
    return DONE if found.same else NOT_MET


def _tolerance(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value < math.inf:
        raise argparse.ArgumentTypeError(f"must be a number of 0 or more, got {text!r}")
    return value


def _small(value: float) -> str:
    if math.isnan(value):
        return "undefined"
    return "0" if value == 0 else f"{value:.3g}"


def _show(found: report.Comparison, per_frame: bool) -> None:
    columns = [
        Column("metric", fold=True, style="cyan"),
        *(Column(t, right=True) for t in ("largest", "at frame", "mean A", "mean B", "B - A")),
    ]
    rows = []
    for metric in found.metrics:
        largest, frame = metric.largest
        a, b = metric.pooled["mean"]
        at = "-" if largest == 0 else str(frame)
        rows.append([metric.name, _small(largest), at, number(a), number(b), _small(b - a)])
    for name, (a, b) in found.aggregate.items():
        rows.append([name, _small(abs(b - a)), "-", number(a), number(b), _small(b - a)])
    print_table(columns, rows)
    for metric in found.metrics if per_frame else ():
        _show_frames(metric, found.tolerance)
    print()
    for text in _missing(found):
        print_folded(text)
    print_styled(_verdict(found), "green" if found.same else "red bold")


def _show_frames(metric: report.MetricDifference, tolerance: float) -> None:
    if metric.same:
        return
    print()
    columns = [Column("frame", right=True, style="dim")]
    columns += [Column(f"{metric.name} {t}", right=True) for t in ("A", "B", "B - A")]
    values = zip(metric.frames, metric.a, metric.b, metric.differences, strict=True)
    rows = [
        [str(frame), number(a), number(b), _small(float(d))]
        for frame, a, b, d in values
        if not abs(d) <= tolerance
    ]
    print_table(columns, rows)


def _missing(found: report.Comparison) -> list[str]:
    lines = []
    for side, names in (("A", found.only_a), ("B", found.only_b)):
        if names:
            lines.append(f"only in {side}: {', '.join(names)}")
    for side, count in (("A", found.frames_only_a), ("B", found.frames_only_b)):
        if count:
            lines.append(f"only in {side}: {count} frame{'s' * (count > 1)}")
    return lines


def _verdict(found: report.Comparison) -> str:
    if found.same:
        return f"the same within {found.tolerance:g}"
    if not found.differing:
        return "different: one side has what the other lacks"
    return f"different by more than {found.tolerance:g}: {', '.join(found.differing)}"


def _as_json(found: report.Comparison) -> dict[str, Any]:
    def plain(value: float) -> float | None:
        return float(value) if math.isfinite(value) else None

    metrics = {}
    for metric in found.metrics:
        largest, frame = metric.largest
        metrics[metric.name] = {
            "same": metric.same,
            "largest": plain(largest),
            "at_frame": frame,
            "pooled": {k: [plain(a), plain(b)] for k, (a, b) in metric.pooled.items()},
            "frames": [int(n) for n in metric.frames],
            "differences": [plain(d) for d in metric.differences],
        }
    return {
        "same": found.same,
        "tolerance": found.tolerance,
        "metrics": metrics,
        "aggregate": {k: [plain(a), plain(b)] for k, (a, b) in found.aggregate.items()},
        "only_a": list(found.only_a),
        "only_b": list(found.only_b),
        "frames_only_a": found.frames_only_a,
        "frames_only_b": found.frames_only_b,
    }
