"""`jaxvqa report`: a page to look at."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from jaxvqa import report
from jaxvqa._cli.errors import DONE, UsageError
from jaxvqa._cli.outputs import check_output, write
from jaxvqa._cli.score_options import as_type
from jaxvqa._cli.table_options import add_columns, columns_of
from jaxvqa._cli.terminal import print_styled, progress_bar
from jaxvqa._settings import whole
from jaxvqa.report._table import is_table

_EPILOG = """\
examples:
  jaxvqa report scores.json
  jaxvqa report x264.json x265.json --name x264 --name x265 -o both.html
  jaxvqa report libvmaf.json --reference ref.mkv --distorted dis.mkv
  jaxvqa report results/ --encoder codec -o catalogue.html

The page is one file that loads nothing from elsewhere. Pictures of the worst
frames are taken from the videos, if they can still be read.
exit codes: 0 done, 2 wrong usage, 3 unreadable input.
"""


def add_parser(commands: Any, help: str) -> Any:
    """Adds the command to the parser of `jaxvqa`."""
    parser = commands.add_parser(
        "report",
        help=help,
        description="Makes an HTML page of JSON results, ours or the vmaf tool's, or of a table.",
        usage="jaxvqa report FILE... [options]",
        epilog=_EPILOG,
    )
    parser.add_argument(
        "files", nargs="+", metavar="FILE",
        help="JSON results of one clip, or one table: CSV, JSON lines, Parquet or a batch's folder",
    )  # fmt: skip
    parser.add_argument(
        "-o", "--output", metavar="PAGE",
        help="the page to write (default: the first file's name with .html; of a folder, "
        "table.html in it)",
    )  # fmt: skip
    parser.add_argument("--title", metavar="TEXT", help="heading of the page")
    group = parser.add_argument_group("results")
    group.add_argument(
        "--name", action="append", metavar="TEXT",
        help="what to call a result, once a file (default: its name)",
    )  # fmt: skip
    group.add_argument(
        "--moments", type=as_type(whole(0)), default=5, metavar="N",
        help="worst frames to show of each result; 0 reads no video (default: 5)",
    )  # fmt: skip
    group.add_argument(
        "-r", "--reference", metavar="FILE",
        help="the reference, where the results do not name it or it has moved",
    )  # fmt: skip
    group.add_argument(
        "-d", "--distorted", action="append", metavar="FILE",
        help="the distorted video, once a result",
    )  # fmt: skip
    group = parser.add_argument_group("columns of a table (for curves of rate and quality)")
    add_columns(group, None, "the table's first")
    parser.set_defaults(run=run)
    return parser


def run(args: argparse.Namespace) -> int:
    """Makes the page and says where it is."""
    tables = [file for file in args.files if is_table(file)]
    if tables and len(args.files) > 1:
        raise UsageError("a page shows either results or one table: make a page of each.")
    output = args.output or _beside(args.files[0])
    videos = [file for file in (args.reference, *(args.distorted or ())) if file]
    check_output("--output", output, [*args.files, *videos])
    write(output, _of_table(args) if tables else _of_results(args))
    print_styled(output, "")
    return DONE


def _beside(file: str) -> str:
    """The page of a file: its name with another suffix; of a folder, a page in it."""
    return str((Path(file, "table") if Path(file).is_dir() else Path(file)).with_suffix(".html"))


def _of_table(args: argparse.Namespace) -> str:
    if args.name or args.reference or args.distorted:
        raise UsageError("--name, --reference and --distorted are for results, not for a table.")
    rows = report.load_table(args.files[0])
    return report.render_table_html(rows, title=args.title, **columns_of(args))


def _of_results(args: argparse.Namespace) -> str:
    results = [report.load(file) for file in args.files]
    if (args.reference is None) != (args.distorted is None):
        raise UsageError("--reference and --distorted go together: give both.")
    videos = None
    if args.distorted is not None:
        if len(args.distorted) != len(results):
            raise UsageError(
                f"{len(results)} results need as many --distorted, got {len(args.distorted)}."
            )
        videos = [(args.reference, file) for file in args.distorted]
    with progress_bar() as progress:
        return report.render_html(
            results, args.name, title=args.title, moments=args.moments, videos=videos,
            progress=progress,
        )  # fmt: skip
