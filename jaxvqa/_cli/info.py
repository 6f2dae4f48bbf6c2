"""`jaxvqa info`: what the scorer sees of a video file."""

from __future__ import annotations

import argparse
import json
import sys
import traceback
from typing import Any

from jaxvqa._cli.errors import DONE, UNREADABLE, sentence
from jaxvqa._cli.info_text import facts_of
from jaxvqa._cli.interrupt import debugging
from jaxvqa._cli.score_options import as_argument, as_type, check_raw
from jaxvqa._cli.terminal import Column, print_styled, print_table
from jaxvqa._settings import settings_of, whole
from jaxvqa.video import FileReport, VideoError, describe_file
from jaxvqa.video._inputs import InputOptions

_RAW = ("width", "height", "pixel_format", "bit_depth")
_EPILOG = """\
examples:
  jaxvqa info reference.mkv distorted.mp4
  jaxvqa info clip.yuv -w 1920 -h 1080 -p 420 -b 8
  jaxvqa info film.mkv --stream 2 --json

"tagged" is what the file says; "assumed" is what scoring goes by where it says
nothing. At most 120 frames are decoded.
exit codes: 0 done, 2 wrong usage, 3 unreadable input (other files are shown).
"""


def add_parser(commands: Any, help: str) -> Any:
    """Adds the command to the parser of `jaxvqa`."""
    parser = commands.add_parser(
        "info",
        add_help=False,
        help=help,
        description="Shows what scoring sees of video files: streams, size, colours, timing, HDR.",
        usage="jaxvqa info FILE... [options]",
        epilog=_EPILOG,
    )
    parser.add_argument("files", nargs="+", metavar="FILE", help="y4m, or all that FFmpeg reads")
    parser.add_argument("--json", action="store_true", help="print a JSON list, an object per file")
    parser.add_argument(
        "--stream",
        type=as_type(whole(0)),
        metavar="N",
        help="index of the video stream to describe (default: the one that scoring takes)",
    )
    parser.add_argument("--help", action="help", help="show this text")
    group = parser.add_argument_group("raw video (files without a header; all four are needed)")
    for known in settings_of(InputOptions):
        if known.name in _RAW:
            group.add_argument(*known.flags, **as_argument(known))
    parser.set_defaults(run=run)
    return parser


def run(args: argparse.Namespace) -> int:
    """Prints a block or an object per file; returns 3 if one could not be read."""
    raw = {name: getattr(args, name) for name in _RAW if hasattr(args, name)}
    check_raw(raw)
    code, objects, blocks = DONE, [], 0
    for file in args.files:
        try:
            report = describe_file(file, stream=args.stream, **raw)
        except VideoError as error:
            if debugging():
                traceback.print_exc()
            sys.stdout.flush()  # the order of files, where both streams go to one place
            print(f"jaxvqa: error: {sentence(error)}", file=sys.stderr)
            objects.append({"path": error.path, "error": error.problem})
            code = UNREADABLE
            continue
        objects.append(report.to_dict())
        if not args.json:
            if blocks:
                print()
            blocks += 1
            _show(report)
    if args.json:
        print(json.dumps(objects, indent=2))
    return code


def _show(report: FileReport) -> None:
    print_styled(report.path, "bold cyan")
    rows = [[f"  {name:<12}", text] for name, text in facts_of(report)]
    print_table([Column("", style="dim"), Column("", fold=True)], rows)
