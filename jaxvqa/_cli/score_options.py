"""The options of `jaxvqa score`, ours and libvmaf's spellings."""

from __future__ import annotations

import argparse
from typing import Any

from jaxvqa import report
from jaxvqa._cli import runtime
from jaxvqa._cli.parser import natural, positive, size
from jaxvqa._scoring.score import DEFAULT_MODEL

EPILOG = """\
examples:
  jaxvqa score reference.mkv distorted.mkv
  jaxvqa score reference.mkv distorted.mkv --model vmaf_v1 --output scores.json
  jaxvqa score ref.y4m dis.y4m --no-model --feature float_vif --feature cambi
  jaxvqa score ref.yuv dis.yuv -w 1920 -h 1080 -p 420 -b 8
  jaxvqa score -r ref.y4m -d dis.y4m -m version=vmaf_v0.6.1 --json -o o.json

exit codes: 0 done, 2 wrong usage, 3 unreadable input, 130 interrupted.
Options may be spelt with underscores, as libvmaf's vmaf tool does.
"""


def add_options(parser: Any) -> None:
    """Adds all options in groups."""
    _add_inputs(parser)
    _add_measures(parser)
    _add_frames(parser)
    _add_outputs(parser)


def _add_inputs(parser: Any) -> None:
    group = parser.add_argument_group("videos")
    group.add_argument(
        "videos",
        nargs="*",
        metavar="REFERENCE DISTORTED",
        help="files of the same size, bit depth and length; y4m, or anything that FFmpeg reads",
    )
    group.add_argument("-r", "--reference", metavar="FILE", help="the same, by name")
    group.add_argument("-d", "--distorted", metavar="FILE", help="the same, by name")
    raw = parser.add_argument_group("raw video (files without a header; all four are needed)")
    raw.add_argument("-w", "--width", type=positive, metavar="N")
    raw.add_argument("-h", "--height", type=positive, metavar="N")
    raw.add_argument(
        "-p",
        "--pixel-format",
        metavar="FORMAT",
        help="420, 422, 444, 400, or FFmpeg's name, which brings the bit depth: yuv420p10le",
    )
    raw.add_argument(
        "-b",
        "--bitdepth",
        type=int,
        choices=(8, 9, 10, 12, 14, 16),
        metavar="N",
        help="bits a sample: 8, 10, 12 or 16",
    )


def _add_measures(parser: Any) -> None:
    group = parser.add_argument_group("what to measure")
    group.add_argument(
        "-m",
        "--model",
        action="append",
        default=[],
        metavar="MODEL",
        help="name, model file, auto (a VMAF v1 model by size and frame rate), or "
        f"libvmaf's syntax; may be repeated (default: {DEFAULT_MODEL}; "
        "see jaxvqa models)",
    )
    group.add_argument(
        "--feature",
        action="append",
        default=[],
        metavar="FEATURE",
        help="a further feature, NAME or NAME=OPTION=VALUE:OPTION=VALUE; may be "
        "repeated (see jaxvqa features)",
    )
    group.add_argument(
        "-n", "--no-model", "--no-prediction", action="store_true", help="features alone"
    )
    group.add_argument(
        "--arithmetic",
        choices=("auto", "float"),
        default="auto",
        help="float: replace a model's fixed-point features by their float twins, "
        "close but not equal (default: auto, what the model was trained with)",
    )
    group.add_argument(
        "--promote-to-10bit",
        action="store_true",
        help="measure 8-bit video at 10 bits, as VMAF v1 is meant to be",
    )
    group.add_argument(
        "--encode-size",
        type=size,
        metavar="WxH",
        help="size that the distorted video was encoded at, for CAMBI",
    )
    group.add_argument(
        "--encode-bitdepth",
        type=positive,
        metavar="N",
        help="bit depth that it was encoded at, for CAMBI",
    )


def _add_frames(parser: Any) -> None:
    group = parser.add_argument_group("frames")
    group.add_argument(
        "--subsample",
        type=positive,
        default=1,
        metavar="N",
        help="score every N-th frame; temporal features still read all",
    )
    group.add_argument(
        "--frame-count", "--frame-cnt", type=positive, metavar="N", help="score at most N frames"
    )
    group.add_argument(
        "--skip-ref",
        "--frame-skip-ref",
        type=natural,
        default=0,
        metavar="N",
        help="leave out the first N frames of the reference",
    )
    group.add_argument(
        "--skip-dis",
        "--frame-skip-dist",
        type=natural,
        default=0,
        metavar="N",
        help="leave out the first N frames of the distorted video",
    )
    group.add_argument(
        "--on-length-mismatch",
        choices=("error", "truncate"),
        default="error",
        help="videos of different length: refuse them, or score the common part (default: error)",
    )


def _add_outputs(parser: Any) -> None:
    group = parser.add_argument_group("output")
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
        "-q",
        "--quiet",
        action="store_true",
        help="no progress; without a format print the pooled score only",
    )
    group = parser.add_argument_group("running")
    group.add_argument(
        "--device", choices=runtime.DEVICES, help="where to compute (default: what JAX prefers)"
    )
    group.add_argument(
        "--threads",
        type=positive,
        metavar="N",
        help="frames that the processor scores at once (default: one per core)",
    )
    group.add_argument("--help", action="help", help="show this text")
