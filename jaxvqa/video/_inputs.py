"""How two videos are read: stated once for files and arrays, Python and the command line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from jaxvqa._checks import BIT_DEPTHS
from jaxvqa._settings import (
    check_settings,
    choice,
    optional,
    positive_number,
    setting,
    switch,
    text,
    whole,
)

_RAW = "raw video (files without a header; all four are needed)"
_FRAMES = "frames"
ON_LENGTH_MISMATCH = ("error", "truncate")


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
        fps: frames per second of arrays.

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
        None, "frames per second of arrays, for the choice of a model", optional(positive_number),
        group=_FRAMES, metavar="N", flags=("",),
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
    frames, verb = ("frame", "was") if count == 1 else ("frames", "were")
    dropped = f"the last {count} {frames} of the {longer} had no partner and {verb} not scored."
    return min(ref, dis), None, dropped
