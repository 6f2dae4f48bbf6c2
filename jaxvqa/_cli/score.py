"""`jaxvqa score`: files in, scores out."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from jaxvqa import report
from jaxvqa._cli import runtime
from jaxvqa._cli.errors import NotMet, UsageError
from jaxvqa._cli.flags import as_flags
from jaxvqa._cli.libvmaf_options import INSTEAD, tell_useless
from jaxvqa._cli.outputs import check_output, write
from jaxvqa._cli.score_options import EPILOG, add_options, request_of
from jaxvqa._cli.summary import frame_count, number, print_frames, print_summary
from jaxvqa._cli.terminal import print_styled, progress_bar, warn
from jaxvqa._cli.thresholds import unmet
from jaxvqa._scoring.request import ScoreRequest
from jaxvqa._scoring.result import Result
from jaxvqa._scoring.score import score_request
from jaxvqa.report._numbers import format_number
from jaxvqa.report._parquet_file import require_parquet


def add_parser(commands: Any, help: str) -> Any:
    """Adds the command to the parser of `jaxvqa`."""
    parser = commands.add_parser(
        "score",
        add_help=False,
        help=help,
        description="Scores a distorted video against its reference, frame by frame.",
        usage="jaxvqa score REFERENCE DISTORTED [options]",
        epilog=EPILOG,
    )
    add_options(parser)
    parser.instead = INSTEAD
    parser.set_defaults(run=run)
    return parser


def run(args: argparse.Namespace) -> int:
    """Scores, then prints or writes the result."""
    reference, distorted = _videos(args)
    request = request_of(args)
    to_stdout = args.output in (None, "-")
    if args.per_frame and (args.output or args.format or args.quiet):
        raise UsageError(
            "--per-frame adds to the printed table: leave it out with --output, a format or "
            "--quiet; files hold every frame anyway."
        )
    file_format = args.format
    if args.output and not file_format:
        file_format = "json" if to_stdout else report.format_of(args.output)
    if args.precision and not args.quiet and file_format in (None, "parquet"):
        raise UsageError(
            "--precision is for text: leave it out, since Parquet holds full precision."
            if file_format
            else "--precision is for files: add --output FILE, or --json for stdout."
        )
    _check_output(args.output, file_format, (reference, distorted))
    runtime.configure(args.device, args.threads)
    devices = runtime.choose_devices(args.device, args.threads)
    with progress_bar(not args.quiet) as progress:
        result = score_request(
            reference,
            distorted,
            request,
            devices=devices,
            cache=runtime.usable_cache(),
            progress=progress,
        )
    tell_useless(args)
    for notice in result.notices:
        warn(as_flags(notice.text))
    _deliver(result, request, args, file_format, to_stdout)
    if missed := unmet(result, args.min):
        sys.stdout.flush()
        raise NotMet("; ".join(missed) + ".")
    return 0


def _videos(args: argparse.Namespace) -> tuple[str, str]:
    """The two files, given by place or by name."""
    named = [args.reference, args.distorted]
    if len(args.videos) + sum(name is not None for name in named) != 2:
        raise UsageError(
            "two videos are needed, the reference and the distorted one: "
            "jaxvqa score REFERENCE DISTORTED."
        )
    rest = iter(args.videos)
    reference, distorted = (next(rest) if name is None else name for name in named)
    return reference, distorted


def _check_output(output: str | None, file_format: str | None, inputs: tuple[str, str]) -> None:
    """Finds out before the work whether its result can be written."""
    if file_format == "parquet":
        require_parquet()
        if output in (None, "-") and sys.stdout.isatty():
            raise UsageError("Parquet is not text for a terminal: add --output FILE.")
    if output not in (None, "-"):
        check_output("--output", output, inputs, "videos")


def _deliver(
    result: Result,
    request: ScoreRequest,
    args: argparse.Namespace,
    file_format: str | None,
    to_stdout: bool,
) -> None:
    if file_format is not None:
        timing, precision = not args.no_timing, args.precision
        content = report.render(result, file_format, timing=timing, precision=precision)
        if to_stdout:
            _write_stdout(content, file_format)
            return
        write(args.output, content)
    if args.quiet:
        print("\n".join(_brief(result, args.precision)))
    elif file_format is None:
        print_summary(result, request.subsample)
        print_frames(result, args.per_frame)
    else:
        name, value = _main_value(result)
        text = f"{name} {number(value)} (mean of {frame_count(result)}), written to {args.output}"
        print_styled(text, "", sys.stderr)


def _write_stdout(content: bytes, file_format: str) -> None:
    if file_format == "parquet":
        sys.stdout.buffer.write(content)
    else:
        sys.stdout.write(content.decode())


def _main_value(result: Result) -> tuple[str, float]:
    name = (*result.score_names, *result.frames)[0]
    return name, result.pooled[name]["mean"]


def _brief(result: Result, precision: int | None) -> list[str]:
    """The pooled score; names stand before the numbers only where there are several."""
    names = result.score_names or tuple(result.frames)
    means = {n: format_number(result.pooled[n]["mean"], precision) for n in names}
    values = {n: text or "undefined" for n, text in means.items()}
    return list(values.values()) if len(values) == 1 else [f"{n} {v}" for n, v in values.items()]
