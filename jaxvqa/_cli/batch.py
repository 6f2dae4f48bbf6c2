"""`jaxvqa batch`: a manifest of pairs in, one table out."""

from __future__ import annotations

import argparse
import contextlib
import re
import sys
from pathlib import Path
from typing import Any

from jaxvqa._batch.batch import BatchOptions, part_of, run_batch
from jaxvqa._batch.job import Manifest
from jaxvqa._batch.manifest import load_manifest
from jaxvqa._batch.names import by_pattern, one_reference
from jaxvqa._batch.ray_run import checked_runner
from jaxvqa._batch.scratch import LIMIT
from jaxvqa._batch.table import table_paths
from jaxvqa._cli import runtime
from jaxvqa._cli.batch_progress import shown_progress
from jaxvqa._cli.errors import DONE, SOME_FAILED, UsageError
from jaxvqa._cli.flags import as_flags
from jaxvqa._cli.score_options import add_settings, as_type, given_settings
from jaxvqa._cli.terminal import print_styled, warn
from jaxvqa._settings import whole

_EPILOG = """\
examples:
  jaxvqa batch catalogue.csv --out results
  jaxvqa batch --ref source.mkv --dis 'renditions/*.mp4' --out results
  jaxvqa batch --pattern '{title}/{width}x{height}_{bitrate}.mp4' --ref '{title}/source.mkv' \\
      --out results --model vmaf_v1
  jaxvqa batch catalogue.csv --out results --shard 3/8

A manifest (.csv, .tsv, .json, .jsonl, .parquet) has the columns ref and dis, perhaps id, and any
option of jaxvqa score under its name; other columns are kept as tags. The same command goes on
where it was ended. OUT/table.csv and OUT/table.parquet hold the results.

exit codes: 0 all done, 1 results can't be written, 2 wrong usage, 4 some jobs failed, 130
interrupted.
"""
_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}


def add_parser(commands: Any, help: str) -> Any:
    """Adds the command to the parser of `jaxvqa`."""
    parser = commands.add_parser(
        "batch",
        add_help=False,
        help=help,
        description="Scores the pairs of a manifest, those that are not done yet.",
        usage="jaxvqa batch MANIFEST --out FOLDER [options]",
        epilog=_EPILOG,
    )
    _add_jobs(parser)
    add_settings(parser)
    _add_running(parser)
    parser.set_defaults(run=run)
    return parser


def _add_jobs(parser: Any) -> None:
    group = parser.add_argument_group("jobs")
    group.add_argument("manifest", nargs="?", metavar="MANIFEST", help="table of the pairs")
    group.add_argument("--ref", metavar="FILE", help="the reference of --dis or --pattern")
    group.add_argument(
        "--dis", nargs="+", metavar="FILE", help="distorted videos, or patterns such as 'x/*.mp4'"
    )
    group.add_argument(
        "--pattern",
        metavar="PATH",
        help="distorted videos by name: {field} stands for a part without a slash, and is a tag",
    )
    group.add_argument("-o", "--out", metavar="FOLDER", required=True, help="folder of the results")
    group.add_argument(
        "--shard", type=as_type(_shard), metavar="I/N", help="do the I-th of N parts"
    )
    group.add_argument(
        "--strict", action="store_true", help="tell changed videos by SHA-256 instead of time"
    )
    group.add_argument("--retry-failed", action="store_true", help="try again what failed before")
    group.add_argument("--fail-fast", action="store_true", help="end with the first that fails")


def _add_running(parser: Any) -> None:
    group = parser.add_argument_group("running")
    group.add_argument(
        "--device", choices=runtime.DEVICES, help="where to compute (default: what JAX prefers)"
    )
    group.add_argument(
        "--jobs",
        type=as_type(whole(1)),
        metavar="N",
        help="workers on the processor (default 1); other devices have one each",
    )
    group.add_argument(
        "--threads", type=as_type(whole(1)), metavar="N", help="cores that all workers share"
    )
    group.add_argument(
        "--runner", type=as_type(checked_runner), metavar="RAY",
        help="ray for actors of Ray (RAY_ADDRESS, or a cluster on this machine), or "
        "ray://HOST:PORT; all hosts share the folder",
    )  # fmt: skip
    group.add_argument(
        "--scratch", metavar="FOLDER", help="where copies of videos at addresses go for a while"
    )
    group.add_argument(
        "--scratch-limit", type=as_type(_bytes), default=LIMIT, metavar="SIZE",
        help="bytes that these may take, such as 500M (default 20G)",
    )  # fmt: skip
    group.add_argument(
        "--no-timing", action="store_true", help="leave the seconds out: equal runs, equal bytes"
    )
    group.add_argument("-q", "--quiet", action="store_true", help="no progress")
    group.add_argument("--help", action="help", help="show this text")


def _shard(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text)
    if not found or not 1 <= int(found[1]) <= int(found[2]):
        raise ValueError(f"must be I/N with I from 1 to N, such as 3/8, got {text!r}.")
    return int(found[1]), int(found[2])


def _bytes(text: str) -> int:
    found = re.fullmatch(r"(\d{1,12})([KMGT]?)B?", text.upper())
    if not found or not int(found[1]):
        raise ValueError(f"must be a number of bytes such as 500M or 20G, got {text!r}.")
    return int(found[1]) * _UNITS[found[2]]


def run(args: argparse.Namespace) -> int:
    """Scores what is not done, and says how it went."""
    manifest = _manifest(args)
    for notice in manifest.notices:
        warn(as_flags(notice.text))
    runtime.configure(args.device, args.threads)
    with shown_progress(args.quiet) as progress:
        how = BatchOptions(
            jobs=args.jobs,
            devices=runtime.choose_devices(args.device, args.threads),
            cache=runtime.usable_cache(),
            shard=args.shard,
            strict=args.strict,
            retry_failed=args.retry_failed,
            fail_fast=args.fail_fast,
            timing=not args.no_timing,
            scratch=args.scratch,
            scratch_limit=args.scratch_limit,
            progress=progress,
            runner=args.runner,
        )
        failed = count = 0
        with contextlib.closing(run_batch(manifest, args.out, how)) as rows:
            for row in rows:
                count += 1
                failed += row["status"] != "done"
    _conclude(args, count, failed, left=len(part_of(manifest.jobs, args.shard)) - count)
    return SOME_FAILED if failed else DONE


def _manifest(args: argparse.Namespace) -> Manifest:
    base = given_settings(args, and_rows=args.manifest is not None)
    if args.manifest is not None:
        if args.ref or args.dis or args.pattern:
            raise UsageError("a manifest names the videos: leave out --ref, --dis and --pattern.")
        return load_manifest(args.manifest, base)
    if args.ref is None or (args.dis is None) == (args.pattern is None):
        raise UsageError(
            "batch needs its pairs: a MANIFEST, or --ref FILE with --dis FILE or with --pattern "
            "PATH."
        )
    if args.dis is not None:
        return one_reference(args.ref, args.dis, base)
    return by_pattern(args.pattern, args.ref, base)


def _conclude(args: argparse.Namespace, count: int, failed: int, left: int) -> None:
    if args.quiet:
        return
    said = f"{count - failed} of {count} jobs done" + (f", {failed} failed" if failed else "")
    if left:
        text = f"{said}; ended with the first that failed: the same command goes on from here."
    else:
        again = " (--retry-failed tries them again)" if failed and not args.retry_failed else ""
        text = f"{said}{again}; table written to {table_paths(Path(args.out), args.shard)[0]}"
    print_styled(text, "", sys.stderr)
