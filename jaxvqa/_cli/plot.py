"""`jaxvqa plot`: charts of saved results."""

from __future__ import annotations

import argparse
from typing import Any

from jaxvqa import report
from jaxvqa._cli.outputs import check_output, writing


def add_parser(commands: Any, help: str) -> Any:
    """Adds the command to the parser of `jaxvqa`."""
    parser = commands.add_parser(
        "plot",
        help=help,
        description="Draws the scores of JSON results, ours or the vmaf tool's, over the frames.",
        usage="jaxvqa plot FILE... --output PICTURE [options]",
    )
    parser.add_argument("files", nargs="+", metavar="FILE", help="JSON results, ours or libvmaf's")
    parser.add_argument(
        "-o",
        "--output",
        required=True,
        metavar="PICTURE",
        help="the picture to write: .png, .svg or .pdf",
    )
    parser.add_argument(
        "--metric",
        action="append",
        metavar="NAME",
        help="what to draw, one panel each; may be repeated (default: the models' scores)",
    )
    parser.add_argument(
        "--name",
        action="append",
        metavar="TEXT",
        help="what to call a file in the legend, once a file (default: its name)",
    )
    parser.set_defaults(run=run)
    return parser


def run(args: argparse.Namespace) -> int:
    """Draws the picture."""
    check_output("--output", args.output, args.files)
    results = [report.load(file) for file in args.files]
    with writing(args.output):
        report.plot(results, args.output, args.name, metrics=args.metric)
    return 0
