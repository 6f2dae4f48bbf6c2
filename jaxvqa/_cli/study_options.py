"""What `jaxvqa evaluate` and `jaxvqa train` have in common: options, clips, measuring, paths."""

from __future__ import annotations

import argparse
import functools
import importlib.util
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from jaxvqa._cli import runtime
from jaxvqa._cli.errors import UsageError
from jaxvqa._cli.flags import know
from jaxvqa._cli.score_options import as_argument, as_type
from jaxvqa._cli.terminal import warn
from jaxvqa._scoring.score import score_request
from jaxvqa._settings import settings_of, whole
from jaxvqa._study.cache import SeriesCache
from jaxvqa._study.load import load_study
from jaxvqa._study.measure import Measuring
from jaxvqa._study.request import StudyRequest
from jaxvqa._study.study import Study
from jaxvqa.fusion._request import parse_model_text

Request = TypeVar("Request")


def add_settings(parser: Any, *classes: type) -> None:
    """Options for the settings of classes, in their groups."""
    know(*classes)
    groups: dict[str, Any] = {}
    for known in (s for cls in classes for s in settings_of(cls)):
        if known.group not in groups:
            groups[known.group] = parser.add_argument_group(known.group)
        groups[known.group].add_argument(*known.flags, **as_argument(known))


def asked(args: argparse.Namespace, cls: type[Request]) -> Request:
    """The request of a class that a command line makes."""
    given = vars(args)
    return cls(**{s.name: given[s.name] for s in settings_of(cls) if s.name in given})


def rated_clips(args: argparse.Namespace) -> Study:
    """The clips that a command line names, with their ratings."""
    return load_study(args.clips, **vars(asked(args, StudyRequest)))


def files_read(args: argparse.Namespace, study: Study, models: Sequence[str] = ()) -> list[str]:
    """Files that a command reads, which it must not write over.

    Args:
        args: the command line.
        study: its clips.
        models: models as they are asked for.
    """
    files = [args.clips, getattr(args, "votes", None)]
    files += [parse_model_text(text).source for text in models]
    files += [file for clip in study.clips for file in (clip.ref, clip.dis, clip.results)]
    return list(dict.fromkeys(file for file in files if file is not None))


def add_running(parser: Any) -> None:
    """Options of how clips are measured."""
    group = parser.add_argument_group("measuring")
    group.add_argument(
        "--cache",
        metavar="FOLDER",
        help="keep measured features here, so that a run that was cut off goes on "
        "(default: with the compiled programs; needs pyarrow)",
    )
    group.add_argument("--device", choices=runtime.DEVICES, help="where to compute")
    group.add_argument(
        "--threads",
        type=as_type(whole(0)),
        metavar="N",
        help="frames scored at once on the processor",
    )


def measuring_of(args: argparse.Namespace) -> Measuring:
    """How clips are measured, with a line of progress on stderr."""
    runtime.configure(args.device, args.threads)
    return Measuring(functools.partial(_score, args), _cache(args), counting("clips measured"))


def _score(args: argparse.Namespace, *job: Any) -> Any:
    devices = runtime.choose_devices(args.device, args.threads)
    result = score_request(*job, devices=devices, cache=runtime.usable_cache())
    for notice in result.notices:
        warn(f"{job[1]}: {notice.text}")
    return result


def _cache(args: argparse.Namespace) -> SeriesCache | None:
    if args.cache:
        if Path(args.cache).exists() and not Path(args.cache).is_dir():
            raise UsageError(f"--cache {args.cache} is no folder: name a folder.")
        return SeriesCache(args.cache)
    folder = runtime.cache_folder()
    if folder is None or importlib.util.find_spec("pyarrow") is None:
        return None
    return SeriesCache(folder / "features")


def counting(what: str) -> Callable[[int, int], None]:
    """Shows `12 of 79 clips measured`, on one line of a terminal."""

    def show(done: int, total: int) -> None:
        if sys.stderr.isatty():
            end = "\n" if done == total else ""
            print(f"\r{done} of {total} {what}", end=end, file=sys.stderr, flush=True)

    return show
