"""What is known about a video before its frames are read, and the shape of a reader."""

from __future__ import annotations

import dataclasses
from fractions import Fraction
from typing import Protocol, runtime_checkable

from jaxvqa._notice import Notice
from jaxvqa.video._formats import FramePlanes

HDR_TRANSFERS = {"smpte2084": "PQ", "arib-std-b67": "HLG"}


@dataclasses.dataclass(frozen=True)
class VideoInfo:
    """Facts about a video file.

    Args:
        path: the file.
        width: luma columns.
        height: luma rows.
        bit_depth: bits per sample.
        chroma: "400", "420", "422" or "444".
        fps: frames per second, or None if the file does not say.
        frame_count: frames in the whole file if that is certain before reading, else None.
        pixel_format: FFmpeg's name of the layout in the file.
        reader: "av", "y4m" or "yuv".
        color_range: "tv" (limited) or "pc" (full), or None if the file does not say.
        color_transfer: FFmpeg's name of the transfer function, or None if the file does not say.
        interlaced: the file marks its frames as interlaced.
        announced_frames: the container's own frame count, which need not be right, or None.
        expected_frames: about how many frames there are, by that count or by the duration that the
            container announces, or None.
        note: how the file was understood where that is not obvious, or None.
    """

    path: str
    width: int
    height: int
    bit_depth: int
    chroma: str
    fps: Fraction | None = None
    frame_count: int | None = None
    pixel_format: str = ""
    reader: str = "y4m"
    color_range: str | None = None
    color_transfer: str | None = None
    interlaced: bool = False
    announced_frames: int | None = None
    expected_frames: int | None = None
    note: str | None = None

    @property
    def is_hdr(self) -> bool:
        """The transfer function is PQ or HLG."""
        return self.color_transfer in HDR_TRANSFERS


@runtime_checkable
class Reader(Protocol):
    """A reader of one kind of file: step to a frame, then take its planes.

    Attributes:
        info: facts about the file.
        incomplete: why the file is known to lack its end, or None.
        notices: what may spoil a score.
    """

    info: VideoInfo
    incomplete: str | None
    notices: list[Notice]

    def grab(self) -> bool:
        """Steps to the next frame; False at the end.

        Raises:
            VideoError: damaged data.
        """
        ...

    def check(self) -> None:
        """Raises VideoError if the frame stepped to is known to be damaged."""
        ...

    def retrieve(self) -> FramePlanes:
        """The planes of the frame stepped to, in memory of their own."""
        ...

    def stop(self) -> None:
        """Ends a wait for data in whatever thread; nothing more can be read."""
        ...

    def close(self) -> None:
        """Closes the file."""
        ...
