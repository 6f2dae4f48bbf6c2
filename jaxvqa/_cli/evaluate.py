"""`jaxvqa evaluate`: how well metrics predict people."""

from __future__ import annotations

import argparse
import sys
from pathlib import PurePath
from typing import Any

from jaxvqa._cli.errors import UsageError
from jaxvqa._cli.evaluate_tables import print_contents, print_differences, print_statistics
from jaxvqa._cli.flags import as_flags
from jaxvqa._cli.outputs import check_output, write
from jaxvqa._cli.study_options import (
    add_running,
    add_settings,
    asked,
    files_read,
    measuring_of,
    rated_clips,
)
from jaxvqa._cli.terminal import print_styled, warn
from jaxvqa._study.evaluation_json import render_evaluation
from jaxvqa._study.judge import Judged, judge
from jaxvqa._study.request import EvaluateRequest, StudyRequest
from jaxvqa._study.scatter import Panel, draw_scatter
from jaxvqa.report._plot import require_plot
from jaxvqa.report._style import PLOT_FORMATS

EPILOG = """\
examples:
  jaxvqa evaluate clips.csv                      VMAF of every clip against its mos
  jaxvqa evaluate clips.csv -m vmaf_v1 -m vmaf_v0.6.1 --feature psnr
  jaxvqa evaluate scores.csv --metric vmaf --metric psnr --plot scatter.png
  jaxvqa evaluate clips.csv --votes votes.csv --subjective p910 --output figures.json
  jaxvqa evaluate NFLX_dataset_public.py --rating dmos

CLIPS has a row a clip: ref, dis, content, mos or dmos, optionally ci or standard_error, results (a
file of saved scores), id, and the options of jaxvqa score. docs/training.md has all of it.
"""


def add_parser(commands: Any, help: str) -> Any:
    """Adds the command to the parser of `jaxvqa`."""
    parser = commands.add_parser(
        "evaluate",
        help=help,
        description="Judges metrics by what people think of the same clips: correlations, errors "
        "after fitted curves, pairs that people tell apart; intervals over contents.",
        usage="jaxvqa evaluate CLIPS [options]",
        epilog=EPILOG,
    )
    parser.add_argument(
        "clips",
        metavar="CLIPS",
        help="table (.csv, .tsv, .json, .jsonl, .parquet), or a data set file of libvmaf, sureal "
        "or funque_plus (.py, read as data and never run)",
    )
    add_settings(parser, StudyRequest, EvaluateRequest)
    group = parser.add_argument_group("output")
    group.add_argument("-o", "--output", metavar="FILE", help="write JSON; - is stdout")
    group.add_argument(
        "--plot", metavar="PICTURE", help="draw ratings over predictions: .png, .svg or .pdf"
    )
    group.add_argument(
        "--per-content", action="store_true", help="print the figures of each content too"
    )
    add_running(parser)
    parser.set_defaults(run=run)
    return parser


def run(args: argparse.Namespace) -> int:
    """Judges, prints, writes."""
    request = asked(args, EvaluateRequest)
    study = rated_clips(args)
    _check_outputs(args, files_read(args, study, request.model))
    judged = judge(study, request, measuring_of(args))
    for text in judged.evaluation.warnings:
        warn(as_flags(text))
    if args.plot:
        write(args.plot, _picture(judged, PurePath(args.plot).suffix.lower()[1:]))
    if args.output:
        text = render_evaluation(judged, request.pool)
        if args.output == "-":
            sys.stdout.write(text)
            return 0
        write(args.output, text)
    _print(judged, args.per_content)
    return 0


def _check_outputs(args: argparse.Namespace, read: list[str]) -> None:
    """Finds out before the work whether its results can be written."""
    if args.plot:
        if PurePath(args.plot).suffix.lower()[1:] not in PLOT_FORMATS:
            raise UsageError(f"--plot {args.plot}: pictures end in .png, .svg or .pdf.")
        require_plot()
        check_output("--plot", args.plot, read)
    if args.output and args.output != "-":
        check_output("--output", args.output, read)


def _print(judged: Judged, per_content: bool) -> None:
    evaluation, study = judged.evaluation, judged.study
    contents = len(evaluation.contents)
    line = f"{evaluation.clips} clips of {contents} contents; ratings {study.rating}"
    if evaluation.bootstrap:
        line += f"; 95 % intervals from {evaluation.bootstrap} resamples of contents"
    print_styled(line, "dim")
    print()
    print_statistics(evaluation)
    if per_content:
        print_contents(evaluation)
    print_differences(evaluation)


def _picture(judged: Judged, kind: str) -> bytes:
    panels = []
    for one, figures in zip(judged.predictions, judged.evaluation.metrics, strict=True):
        values = figures.statistics
        note = f"SROCC {values['srocc']:.3f}, PLCC {values['plcc_4pl']:.3f} after the curve"
        curve = figures.curves["4pl"]
        if curve is None:
            note = f"SROCC {values['srocc']:.3f}, PLCC {values['plcc']:.3f}"
        panels.append(Panel(one.name, one.values, note, curve))
    study = judged.study
    return draw_scatter(
        panels, study.ratings, study.contents, study.rating, kind, intervals=study.intervals
    )
