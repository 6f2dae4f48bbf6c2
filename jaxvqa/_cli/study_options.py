"""What `jaxvqa evaluate` and `jaxvqa train` have in common: options, measuring, output paths."""

from __future__ import annotations

import argparse
import contextlib
import functools
import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jaxvqa._cli import runtime
from jaxvqa._cli.errors import UsageError
from jaxvqa._cli.flags import know
from jaxvqa._cli.score_options import as_type
from jaxvqa._cli.terminal import warn
from jaxvqa._scoring.score import score_request
from jaxvqa._settings import Setting, settings_of, whole
from jaxvqa._study.cache import SeriesCache
from jaxvqa._study.measure import Measuring


def add_settings(parser: Any, *classes: type) -> None:
    """Options for the settings of classes, in their groups."""
    know(*classes)
    groups: dict[str, Any] = {}
    for known in (s for cls in classes for s in settings_of(cls)):
        if known.group not in groups:
            groups[known.group] = parser.add_argument_group(known.group)
        groups[known.group].add_argument(*known.flags, **_as_argument(known))


def _as_argument(known: Setting) -> dict[str, Any]:
    about: dict[str, Any] = {"dest": known.name, "default": known.default, "help": known.help}
    if isinstance(known.default, bool):
        return about | {"action": "store_true"}
    if known.choices is not None:
        return about | {"choices": known.choices}
    if known.default == ():
        about["help"] += "; may be repeated"
        return about | {"metavar": known.metavar, "action": "append", "default": None}
    return about | {"metavar": known.metavar, "type": as_type(known.parse)}


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


@contextlib.contextmanager
def measuring_of(args: argparse.Namespace) -> Iterator[Measuring]:
    """How clips are measured, with a line of progress on stderr while that lasts."""
    scorer = functools.partial(_score, args)
    yield Measuring(scorer, _cache(args), _Progress())


def _score(args: argparse.Namespace, *asked: Any) -> Any:
    devices = runtime.choose_devices(args.device, args.threads)
    result = score_request(*asked, devices=devices, cache=runtime.usable_cache())
    for notice in result.notices:
        warn(f"{asked[1]}: {notice.text}")
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


class _Progress:
    """`12 of 79 clips measured`, on one line of a terminal."""

    def __call__(self, done: int, total: int) -> None:
        if sys.stderr.isatty():
            end = "\n" if done == total else ""
            print(f"\r{done} of {total} clips measured", end=end, file=sys.stderr, flush=True)
