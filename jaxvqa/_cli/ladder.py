"""`jaxvqa ladder`: encoders compared, and which encodes to offer."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jaxvqa import report
from jaxvqa._cli.errors import DONE, UsageError
from jaxvqa._cli.outputs import check_output, write, writing
from jaxvqa._cli.table_options import add_columns, columns_of, with_flags
from jaxvqa._cli.terminal import Column, print_folded, print_styled, print_table, warn
from jaxvqa.ladders import Curve, Delta, Ladders, build_ladders
from jaxvqa.report._ladder_files import render_deltas_csv, render_ladders_csv, render_ladders_json
from jaxvqa.report._plot import require_plot
from jaxvqa.report._style import PLOT_FORMATS

_RENDERERS = {".json": render_ladders_json, ".csv": render_ladders_csv}
_PICTURES = tuple(f".{kind}" for kind in PLOT_FORMATS)
_EPILOG = """\
examples:
  jaxvqa ladder results.csv --group title --rate bitrate --quality vmaf
  jaxvqa ladder results.csv --encoder codec --encoder preset -o rd.png
  jaxvqa ladder results.parquet --encoder codec -o all.json --deltas bd.csv

BD-rate: how much more rate the test needs for the same quality, on average;
negative is better. It rests on the convex hull over all sizes where an encoder
has several, else on the points that no other beats.
exit codes: 0 done, 2 wrong usage, 3 unreadable input.
"""


def add_parser(commands: Any, help: str) -> Any:
    """Adds the command to the parser of `jaxvqa`."""
    parser = commands.add_parser(
        "ladder",
        help=help,
        description="Rate and quality of many encodes: Bjontegaard deltas between encoders,\n"
        "convex hulls over sizes, knees, and a suggested ladder.",
        usage="jaxvqa ladder TABLE [options]",
        epilog=_EPILOG,
    )
    parser.add_argument(
        "table", metavar="TABLE", help="CSV, JSON lines or Parquet, a row per encode"
    )
    group = parser.add_argument_group("columns of the table")
    add_columns(group, "vmaf", "vmaf, its mean")
    group = parser.add_argument_group("suggested ladder")
    group.add_argument(
        "--step", type=float, metavar="X",
        help="least difference of quality between rungs (default: 6 for VMAF, else 0)",
    )  # fmt: skip
    group.add_argument(
        "--ratio", type=float, default=1.5, metavar="X",
        help="least ratio of rates between rungs (default: 1.5)",
    )  # fmt: skip
    group.add_argument(
        "--top", type=float, metavar="X",
        help="quality that is enough for the best rung (default: the best there is)",
    )  # fmt: skip
    group = parser.add_argument_group("output")
    group.add_argument(
        "-o", "--output", action="append", default=[], metavar="FILE",
        help="write .json (everything), .csv (the points), or a picture, .png, .svg or .pdf; may "
        "be repeated",
    )  # fmt: skip
    group.add_argument("--deltas", metavar="FILE", help="write the Bjontegaard deltas as CSV")
    parser.set_defaults(run=run)
    return parser


def run(args: argparse.Namespace) -> int:
    """Prints and writes the analysis."""
    _check_outputs(args)
    rows = report.load_table(args.table)
    try:
        found = build_ladders(
            rows, **columns_of(args), step=args.step, ratio=args.ratio, top=args.top
        )
    except ValueError as error:
        raise UsageError(f"{args.table}: {with_flags(str(error))}") from None
    if found.left_out:
        more = f" and {len(found.left_out) - 3} more" if len(found.left_out) > 3 else ""
        warn(f"left out {'; '.join(found.left_out[:3])}{more}.")
    # pictures first, since too many titles are refused there
    for file in sorted(args.output, key=lambda file: Path(file).suffix.lower() in _RENDERERS):
        _write(file, found)
    if args.deltas is not None:
        write(args.deltas, render_deltas_csv(found))
    _show(found)
    return DONE


def _check_outputs(args: argparse.Namespace) -> None:
    """Finds out before the work whether all that is asked for can be written."""
    for file in args.output:
        suffix = Path(file).suffix.lower()
        if suffix not in (*_RENDERERS, *_PICTURES):
            known = ", ".join((*_RENDERERS, *_PICTURES))
            raise UsageError(f"--output {file}: the suffix must be one of {known}.")
        if suffix in _PICTURES:
            require_plot()
        check_output("--output", file, [args.table])
    if args.deltas is not None:
        check_output("--deltas", args.deltas, [args.table])


def _write(file: str, found: Ladders) -> None:
    suffix = Path(file).suffix.lower()
    if suffix in _RENDERERS:
        write(file, _RENDERERS[suffix](found))
        return
    with writing(file):
        report.plot_ladders(found, file)


def _show(found: Ladders) -> None:
    for i, title in enumerate(found.titles):
        if i:
            print()
        if title.title:
            print_styled(title.title, "bold cyan")
        for curve in title.curves:
            _show_curve(curve, found)
        if title.deltas:
            _show_deltas(title.deltas)
    if len(found.titles) > 1 and found.means:
        print()
        print_styled(f"mean over {len(found.titles)} titles", "bold cyan")
        _show_deltas(found.means)


def _show_curve(curve: Curve, found: Ladders) -> None:
    count = len(curve.points)
    print_folded(
        f"{curve.encoder}: {count} encode{'s' * (count != 1)}, {len(curve.hull)} on the hull"
    )
    columns = [
        Column("rung", right=True),
        Column("size"),
        Column(found.rate, right=True),
        Column(found.quality, right=True),
        Column("encode", fold=True),
        Column(""),
    ]
    rows = []
    for n, i in enumerate(curve.rungs):
        point = curve.points[i]
        size = f"{point.size[0]}x{point.size[1]}" if point.size else "-"
        mark = "knee" if i == curve.knee else ""
        rows.append(
            [str(n + 1), size, f"{point.rate:.10g}", f"{point.quality:.2f}", point.name, mark]
        )
    print_table(columns, rows)
    if curve.knee is not None and curve.knee not in curve.rungs:
        point = curve.points[curve.knee]
        print_folded(f"knee: {point.label}, {point.quality:.2f} ({point.name})")
    if curve.dominated:
        pairs = [(curve.points[i].name, curve.points[j].name) for i, j in curve.dominated.items()]
        print_folded("dominated: " + ", ".join(f"{a} (by {b})" for a, b in pairs), hanging=11)
    print()


def _show_deltas(deltas: Sequence[Delta]) -> None:
    columns = [
        Column("anchor", style="cyan"), Column("test", style="cyan"), Column("BD-rate", right=True),
        Column("BD-quality", right=True), Column("overlap", right=True), Column("", fold=True),
    ]  # fmt: skip
    rows = [
        [
            d.anchor, d.test,
            "-" if d.bd_rate is None else f"{d.bd_rate:+.2f} %",
            "-" if d.bd_quality is None else f"{d.bd_quality:+.3f}",
            f"{100 * d.quality_overlap:.0f} %", d.problem or "",
        ]
        for d in deltas
    ]  # fmt: skip
    print_table(columns, rows)
