"""How two videos are read: stated once for files and arrays, Python and the command line."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from dataclasses import dataclass, fields
from fractions import Fraction
from typing import Any

from jaxvqa._checks import BIT_DEPTHS, as_text, shown
from jaxvqa._settings import (
    check_settings,
    choice,
    optional,
    positive_number,
    setting,
    size,
    switch,
    text,
    whole,
)

_RAW = "raw video (files without a header; all four are needed)"
_FRAMES = "frames"
_READING = "reading"
_ALIKE = "making both videos alike"
ON_LENGTH_MISMATCH = ("error", "truncate")
ON_DAMAGE = ("error", "conceal", "skip")
ON_OFF = ("on", "off")
DEINTERLACE = ("auto", "bwdif", "yadif", "none")
SCALE = ("distorted", "reference", "model", "none")
SCREENS = ("1080p", "2160p")
KERNELS = ("bicubic", "lanczos", "bilinear", "area", "spline")
COLOR = ("match", "as-is")
RANGES = ("limited", "full")
MATRICES = ("bt601", "bt709", "bt2020")
PAIR = ("auto", "index", "time", "pictures")
DRIVE = ("distorted", "reference")


def _size_or(*words: str) -> Callable[[Any], Any]:
    """Parses one of some words, or a size."""

    def parse(value: Any) -> Any:
        if isinstance(value, str) and value in words:
            return value
        try:
            return size(value)
        except ValueError:
            raise ValueError(
                f"must be one of {', '.join(words)}, or WIDTHxHEIGHT such as 1280x720; got "
                f"{shown(value)}."
            ) from None

    return parse


def _crop(value: Any) -> Any:
    """Parses WxH+X+Y, or auto."""
    if isinstance(value, str) and value == "auto":
        return value
    form = r"(\d{1,6})[xX](\d{1,6})\+(\d{1,6})\+(\d{1,6})"
    found = re.fullmatch(form, value) if isinstance(value, str) else None
    parts = found.groups() if found else value
    try:
        if isinstance(parts, str):
            raise ValueError
        width, height, left, top = (
            whole(least)(part) for part, least in zip(parts, (1, 1, 0, 0), strict=True)
        )
    except (TypeError, ValueError):
        raise ValueError(
            f"must be auto or WIDTHxHEIGHT+LEFT+TOP, such as 1920x800+0+140, got {shown(value)}."
        ) from None
    return width, height, left, top


def _offset(value: Any) -> Any:
    """Parses frames (12, -3), seconds (1.5s) or auto."""
    if isinstance(value, Fraction) or (isinstance(value, str) and value == "auto"):
        return value
    written = as_text(value)
    if not isinstance(value, bool):
        if re.fullmatch(r"[+-]?\d{1,9}", written):
            return int(written)
        if found := re.fullmatch(r"([+-]?(?:\d{1,9}(?:\.\d{0,9})?|\.\d{1,9}))s", written):
            return Fraction(found[1])
    raise ValueError(
        f"must be a number of frames, seconds such as 1.5s, or auto; got {shown(value)}."
    )


def _times(value: Any) -> tuple[Fraction, ...]:
    """Parses numbers that do not fall."""
    try:
        if isinstance(value, str):
            raise ValueError
        times = tuple(Fraction(time.item() if hasattr(time, "item") else time) for time in value)
    except (TypeError, ValueError, OverflowError, ZeroDivisionError):
        raise ValueError(
            f"must be the seconds at which each frame is shown, such as (0, 0.04), got "
            f"{shown(value)}."
        ) from None
    for before, after in itertools.pairwise(times):
        if after < before:
            raise ValueError(
                f"must not fall, but {float(after):g} comes after {float(before):g}: give the "
                "times in the order of the frames."
            )
    return times


@dataclass(frozen=True)
class InputOptions:
    """How a reference and a distorted video are read.

    Args:
        width: luma columns of raw video.
        height: luma rows of raw video.
        pixel_format: of raw video: "420", "422", "444", "400", or FFmpeg's name.
        bit_depth: bits per sample of raw video, or of arrays that don't say it.
        promote_to_10bit: multiply 8-bit codes by 4.
        skip_ref: frames to leave out at the start of the reference.
        skip_dis: frames to leave out at the start of the distorted video.
        frame_count: the most pairs to read.
        on_length_mismatch: "error" refuses videos of unequal length, "truncate" takes the common
            part.
        fps: frames per second of arrays, and of files that do not say them.
        ref_times: seconds at which each frame of an array is shown; files say it themselves.
        dis_times: the same of the distorted video; both arrays have them, or one and `fps`.
        ref_stream: index of the reference's video stream; None takes the film.
        dis_stream: index of the distorted video's stream.
        ref_range: "limited" or "full" range of the reference, whatever its tags say; None goes by
            them.
        dis_range: the same of the distorted video.
        ref_matrix: "bt601", "bt709" or "bt2020" as the reference's matrix, whatever its tags say.
        dis_matrix: the same of the distorted video.
        film_grain: "on" shows AV1's synthesised grain, "off" leaves it out.
        deinterlace: "auto" makes whole frames where one side alone is interlaced, "bwdif" and
            "yadif" on both sides, "none" never.
        crop: columns, rows, first column and first row to keep, in pixels of the reference, or
            "auto" to cut black bars off.
        scale: which side is scaled where sizes differ: "distorted", "reference", a size for both,
            "model" for the size that the model is made for, or "none" to refuse.
        kernel: kernel of the scaler.
        exact: scale to the same samples on every processor.
        at: scale both as shown on a screen of "1080p", "2160p" or this size.
        color: "match" takes the limited of two ranges and the reference's matrix, "as-is" compares
            code values.
        pair: "index" pairs frames by number, "time" by when they are shown, "pictures" by what
            they show, "auto" decides between number and time.
        drive: whose frames are scored, each once, where frames are paired by time.
        offset: frames or seconds ("1.5s") by which the distorted video starts later in the
            reference, or "auto" to find it.
        absolute_time: pair by the clocks of the files instead of counting from their starts.
        on_damage: "error" refuses damaged video, "conceal" scores what the decoder shows, "skip"
            leaves damaged frames out.

    Raises:
        ValueError: a value that makes no sense.
    """

    width: int | None = setting(
        None, "luma columns of raw video", optional(whole(1)), group=_RAW, metavar="N",
        flags=("--width", "-w"),
    )  # fmt: skip
    height: int | None = setting(
        None, "luma rows of raw video", optional(whole(1)), group=_RAW, metavar="N",
        flags=("--height", "-h"),
    )  # fmt: skip
    pixel_format: str | None = setting(
        None,
        "of raw video: 420, 422, 444, 400, or FFmpeg's name, which brings the bit depth "
        "(yuv420p10le)",
        optional(text),
        group=_RAW,
        metavar="FORMAT",
        flags=("--pixel-format", "-p"),
    )
    bit_depth: int | None = setting(
        None,
        "bits per sample of raw video, or of arrays of uint16 or floats: 8, 10, 12 or 16",
        optional(choice(*BIT_DEPTHS)),
        group=_RAW,
        metavar="N",
        flags=("--bitdepth", "--bit-depth", "-b"),
    )
    promote_to_10bit: bool = setting(
        False, "measure 8-bit video at 10 bits (codes times 4), as VMAF v1 is meant to be", switch,
        group="what to measure",
    )  # fmt: skip
    skip_ref: int = setting(
        0, "leave out the first N frames of the reference", whole(0), group=_FRAMES, metavar="N",
        flags=("--skip-ref", "--frame-skip-ref"),
    )  # fmt: skip
    skip_dis: int = setting(
        0, "leave out the first N frames of the distorted video", whole(0), group=_FRAMES,
        metavar="N", flags=("--skip-dis", "--frame-skip-dist"),
    )  # fmt: skip
    frame_count: int | None = setting(
        None, "score at most N frames", optional(whole(1)), group=_FRAMES, metavar="N",
        flags=("--frame-count", "--frame-cnt"),
    )  # fmt: skip
    on_length_mismatch: str = setting(
        "error",
        "videos of different length: error refuses them, truncate scores the common part",
        choice(*ON_LENGTH_MISMATCH),
        group=_FRAMES,
        choices=ON_LENGTH_MISMATCH,
    )
    fps: float | None = setting(
        None, "frames per second of arrays and of files that do not say them, for what depends on "
        "it", optional(positive_number), group=_FRAMES, metavar="N", flags=("",),
    )  # fmt: skip
    ref_times: Any = setting(
        None, "seconds at which each frame of an array is shown", optional(_times), group=_FRAMES,
        metavar="T", flags=("",),
    )  # fmt: skip
    dis_times: Any = setting(
        None, "seconds at which each frame of the distorted array is shown", optional(_times),
        group=_FRAMES, metavar="T", flags=("",),
    )  # fmt: skip
    ref_stream: int | None = setting(
        None, "index of the reference's video stream (see jaxvqa info)", optional(whole(0)),
        group=_READING, metavar="N",
    )  # fmt: skip
    dis_stream: int | None = setting(
        None, "index of the distorted video's stream", optional(whole(0)), group=_READING,
        metavar="N",
    )  # fmt: skip
    ref_range: str | None = setting(
        None, "range of the reference, where its tags do not say it or are wrong",
        optional(choice(*RANGES)), group=_READING, choices=RANGES,
    )  # fmt: skip
    dis_range: str | None = setting(
        None, "range of the distorted video", optional(choice(*RANGES)), group=_READING,
        choices=RANGES,
    )  # fmt: skip
    ref_matrix: str | None = setting(
        None, "matrix of the reference, where its tags do not say it or are wrong",
        optional(choice(*MATRICES)), group=_READING, choices=MATRICES,
    )  # fmt: skip
    dis_matrix: str | None = setting(
        None, "matrix of the distorted video", optional(choice(*MATRICES)), group=_READING,
        choices=MATRICES,
    )  # fmt: skip
    film_grain: str = setting(
        "on", "synthesised grain of AV1", choice(*ON_OFF), group=_READING, choices=ON_OFF
    )
    on_damage: str = setting(
        "error",
        "damaged video: error refuses it, conceal scores what the decoder shows, skip leaves "
        "damaged frames out",
        choice(*ON_DAMAGE),
        group=_READING,
        choices=ON_DAMAGE,
    )
    deinterlace: str = setting(
        "auto",
        "make whole frames of fields: auto where one side alone is interlaced, bwdif or yadif on "
        "both sides, none never",
        choice(*DEINTERLACE),
        group=_ALIKE,
        choices=DEINTERLACE,
    )
    crop: tuple[int, int, int, int] | str | None = setting(
        None,
        "part of the picture to keep, in pixels of the reference, or auto to cut black bars off",
        optional(_crop),
        group=_ALIKE,
        metavar="WxH+X+Y",
    )
    scale: tuple[int, int] | str = setting(
        "distorted",
        "which side is scaled where sizes differ: distorted, reference, WxH for both, model for "
        "the size that the model is made for, or none to refuse",
        _size_or(*SCALE),
        group=_ALIKE,
        metavar="SIDE",
    )
    kernel: str = setting(
        "bicubic", "kernel of the scaler", choice(*KERNELS), group=_ALIKE, choices=KERNELS
    )
    exact: bool = setting(
        False, "scale to the same samples on every kind of processor", switch, group=_ALIKE
    )
    at: tuple[int, int] | str | None = setting(
        None, "scale both as shown on a screen: 1080p, 2160p or WxH", optional(_size_or(*SCREENS)),
        group=_ALIKE, metavar="SCREEN",
    )  # fmt: skip
    color: str = setting(
        "match",
        "range and matrix: match takes the limited range and the reference's matrix, as-is "
        "compares code values",
        choice(*COLOR),
        group=_ALIKE,
        choices=COLOR,
    )
    pair: str = setting(
        "auto", "pair frames by number (index), by when they are shown (time), by what they show "
        "(pictures), or decide between number and time (auto)",
        choice(*PAIR), group=_FRAMES, choices=PAIR,
    )  # fmt: skip
    drive: str = setting(
        "distorted", "whose frames are scored, each once, where frames are paired by time",
        choice(*DRIVE), group=_FRAMES, choices=DRIVE,
    )  # fmt: skip
    offset: int | Fraction | str | None = setting(
        None,
        "frames, or seconds as in 1.5s, by which the distorted video starts later in the "
        "reference; auto finds it",
        optional(_offset),
        group=_FRAMES,
        metavar="N",
    )
    absolute_time: bool = setting(
        False, "pair by the clocks of the files instead of counting from their starts", switch,
        group=_FRAMES,
    )  # fmt: skip

    def __post_init__(self) -> None:
        """Parses and checks every field."""
        check_settings(self)

    @property
    def raw_format(self) -> dict[str, Any]:
        """The facts about raw video, as `open_video` takes them."""
        return {
            "width": self.width,
            "height": self.height,
            "pixel_format": self.pixel_format,
            "bit_depth": self.bit_depth,
        }


# what arrays take, and values that say what is done with them anyway
_FOR_ARRAYS = {
    "bit_depth", "promote_to_10bit", "skip_ref", "skip_dis", "frame_count", "on_length_mismatch",
    "fps", "ref_times", "dis_times", "offset", "on_damage",
}  # fmt: skip
_TRUE_OF_ARRAYS = {"pair": "index", "scale": "none", "color": "as-is", "deinterlace": "none"}
_FOR_TIMES = {"pair", "drive", "absolute_time"}


def check_for_arrays(inputs: InputOptions) -> None:
    """Raises ValueError for options that only files take."""
    timed = inputs.ref_times is not None or inputs.dis_times is not None
    takes = _FOR_ARRAYS | _FOR_TIMES if timed and inputs.pair != "pictures" else _FOR_ARRAYS
    for known in fields(inputs):
        value = getattr(inputs, known.name)
        if known.name in takes or value in (known.default, _TRUE_OF_ARRAYS.get(known.name)):
            continue
        if known.name in _FOR_TIMES and value != "pictures":
            raise ValueError(
                f"{known.name} is for files, and for arrays that come with times: give ref_times "
                "and dis_times."
            )
        raise ValueError(
            f"{known.name} is for files, and arrays are compared as they are: leave it out, or "
            "give files."
        )
    if inputs.offset == "auto":
        raise ValueError("offset='auto' looks into files: for arrays give frames or seconds.")


def check_for_files(inputs: InputOptions) -> None:
    """Raises ValueError for options that only arrays take."""
    for name in ("ref_times", "dis_times"):
        if getattr(inputs, name) is not None:
            raise ValueError(f"{name} is for arrays, as files say their own times: leave it out.")


def settle_lengths(ref: int, dis: int, inputs: InputOptions) -> tuple[int, str | None, str | None]:
    """Applies the policy for unequal lengths to frames after the skipped ones.

    Args:
        ref: frames of the reference.
        dis: frames of the distorted video.
        inputs: says the policy.

    Returns:
        Pairs to score; why they can't be, or None; a sentence about dropped frames, or None.
    """
    if ref == dis:
        return ref, None, None
    if inputs.on_length_mismatch == "error":
        skipped = ""
        if inputs.skip_ref or inputs.skip_dis:
            skipped = f" after skipping {inputs.skip_ref} and {inputs.skip_dis}"
        advice = (
            "cut the longer one, align them with skip_ref or skip_dis, or score the common part "
            "with on_length_mismatch='truncate'."
        )
        return min(ref, dis), f"has {ref}{skipped}: {advice}", None
    longer, count = ("reference", ref - dis) if ref > dis else ("distorted video", dis - ref)
    frames, verb = ("frame", "was") if count == 1 else (f"{count} frames", "were")
    dropped = f"the last {frames} of the {longer} had no partner and {verb} not scored."
    return min(ref, dis), None, dropped
