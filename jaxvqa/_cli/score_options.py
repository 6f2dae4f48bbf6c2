"""The options of `jaxvqa score`, ours and libvmaf's spellings."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from typing import Any

from jaxvqa import report
from jaxvqa._cli import libvmaf_options, runtime
from jaxvqa._cli.errors import UsageError
from jaxvqa._cli.thresholds import parse_threshold
from jaxvqa._scoring.request import ScoreRequest
from jaxvqa._settings import Setting, settings_of, whole
from jaxvqa._version import __version__
from jaxvqa.video._inputs import InputOptions

EPILOG = """\
examples:
  jaxvqa score reference.mkv distorted.mkv
  jaxvqa score reference.mkv distorted.mkv --model vmaf_v1 --output scores.json
  jaxvqa score ref.y4m dis.y4m --no-model --feature float_vif --feature cambi
  jaxvqa score ref.yuv dis.yuv -w 1920 -h 1080 -p 420 -b 8
  jaxvqa score -r ref.y4m -d dis.y4m -m version=vmaf_v0.6.1 --json -o o.json
  jaxvqa score reference.mkv distorted.mkv --min vmaf=90 --min p5=80

exit codes: 0 done, 2 wrong usage, 3 unreadable input, 5 below a --min,
130 interrupted.
Options may be spelt with underscores, as libvmaf's vmaf tool does; all of its
options are taken.
"""


# spellings of libvmaf's tool that say "no model"
_NO_MODEL = ("-n", "--no-model", "--no-prediction")
_NO_MODEL_HELP = "features alone, with those that a named model reads"


def add_options(parser: Any) -> None:
    """Adds all options in groups: the videos, the settings of a request, output, running."""
    group = parser.add_argument_group("videos")
    group.add_argument(
        "videos",
        nargs="*",
        metavar="REFERENCE DISTORTED",
        help="y4m, anything that FFmpeg reads, a folder of pictures, an address, or - for stdin; "
        "what differs is made alike",
    )
    group.add_argument("-r", "--reference", metavar="FILE", help="reference file, by name")
    group.add_argument("-d", "--distorted", metavar="FILE", help="distorted file, by name")
    add_settings(parser)
    _add_outputs(parser.add_argument_group("output"))
    _add_running(parser.add_argument_group("running"))


def add_settings(parser: Any) -> None:
    """Options for every setting of `ScoreRequest` and `InputOptions` that files have."""
    groups: dict[str, Any] = {}
    for known in (*settings_of(ScoreRequest), *settings_of(InputOptions)):
        if not any(known.flags):
            continue  # arrays only
        if known.group not in groups:
            groups[known.group] = parser.add_argument_group(known.group)
        groups[known.group].add_argument(*known.flags, **as_argument(known))
        if known.name == "model":
            groups[known.group].add_argument(*_NO_MODEL, action="store_true", help=_NO_MODEL_HELP)
            libvmaf_options.add_sets(groups[known.group])


def as_argument(known: Setting) -> dict[str, Any]:
    """How argparse takes a setting; what is not given stays out of the namespace."""
    about: dict[str, Any] = {"dest": known.name, "default": argparse.SUPPRESS, "help": known.help}
    if isinstance(known.default, bool):
        return about | {"action": "store_true"}
    if known.choices is not None:
        return about | {"choices": known.choices}
    if known.default == () or known.name == "model":
        about["help"] += "; may be repeated"
        return about | {"metavar": known.metavar, "action": "append"}
    return about | {"metavar": known.metavar, "type": as_type(libvmaf_options.parse_of(known))}


def as_type(parse: Callable[[str], Any]) -> Callable[[str], Any]:
    def parsed(text: str) -> Any:
        try:
            return parse(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return parsed


def request_of(args: argparse.Namespace) -> ScoreRequest:
    """The request that a command line makes.

    Raises:
        UsageError: options that exclude each other or lack others.
    """
    given = given_settings(args)
    check_raw(given)
    return ScoreRequest.of(**given)


def given_settings(args: argparse.Namespace, *, and_rows: bool = False) -> dict[str, Any]:
    """The settings that a command line gives.

    Args:
        args: the command line.
        and_rows: rows of a manifest may give more, such as features.

    Raises:
        UsageError: options that exclude each other.
    """
    names = [s.name for s in (*settings_of(ScoreRequest), *settings_of(InputOptions))]
    given = {name: getattr(args, name) for name in names if hasattr(args, name)}
    libvmaf_options.add_metrics(args, given)
    if args.no_model:
        read = libvmaf_options.features_of(given.get("model", ()))
        given["model"] = None
        if features := [*read, *given.get("features", ())]:
            given["features"] = features
        elif not and_rows:
            raise UsageError("--no-model leaves nothing to measure: add --feature NAME.")
    return given


def check_raw(given: Mapping[str, Any]) -> None:
    """Raw video needs its whole format; FFmpeg's names bring the bit depth."""
    needed = {
        "width": "--width",
        "height": "--height",
        "pixel_format": "--pixel-format",
        "bit_depth": "--bitdepth",
    }
    if not any(name in given for name in needed):
        return
    if not str(given.get("pixel_format", "0")).isdigit():
        del needed["bit_depth"]
    missing = [flag for name, flag in needed.items() if name not in given]
    if missing:
        raise UsageError(
            f"raw video needs its whole format, {' and '.join(missing)} "
            f"{'is' if len(missing) == 1 else 'are'} missing: give it, or leave out all of "
            "--width, --height, --pixel-format and --bitdepth for a file with a header."
        )


def _add_outputs(group: Any) -> None:
    """Files that a score is written to, and what they and the terminal show of it."""
    group.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        help="write per-frame and pooled values to a file; - is stdout",
    )
    group.add_argument(
        "--format",
        choices=report.FORMATS,
        help="format of the output (default: by the file's suffix, else json)",
    )
    for name in report.FORMATS:
        group.add_argument(
            f"--{name}",
            dest="format",
            action="store_const",
            const=name,
            help=f"the same as --format {name}",
        )
    group.add_argument(
        "--precision",
        type=as_type(report.parse_precision),
        metavar="N",
        help="significant digits of numbers in files, 1 to 17 or max (default: six decimals, "
        "as libvmaf writes them)",
    )
    group.add_argument(
        "--per-frame",
        action=argparse.BooleanOptionalAction,
        help="print the values of every frame too (default: for short clips with --feature)",
    )
    group.add_argument(
        "--no-timing",
        action="store_true",
        help="leave speed out of the file: equal runs give equal bytes",
    )
    group.add_argument(
        "--min",
        action="append",
        default=[],
        type=parse_threshold,
        metavar="NAME=VALUE",
        help="end with code 5 if a score is lower: vmaf=90 for a mean, p5=80 for a pool of the "
        "first score, psnr_y:min=30 for both; may be repeated",
    )
    group.add_argument(
        "-q",
        "--quiet",
        action="store_true",
        help="no progress; without a format print the pooled score only",
    )


def _add_running(group: Any) -> None:
    """Where a score is computed, and what a command says of itself."""
    group.add_argument(
        "--device", choices=runtime.DEVICES, help="where to compute (default: what JAX prefers)"
    )
    group.add_argument(
        "--threads",
        type=as_type(whole(0)),
        metavar="N",
        help="frames that the processor scores at once (default, or 0: one per core)",
    )
    libvmaf_options.add_useless(group)
    group.add_argument("--help", action="help", help="show this text")
    group.add_argument("-v", "--version", action="version", version=f"jaxvqa {__version__}")
