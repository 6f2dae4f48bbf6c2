"""Frames of any file that FFmpeg decodes, through PyAV, in the planes the decoder made.

Planes are read from the decoder's memory with its line strides, and never through a conversion:
PyAV's own arrays repeat chroma for some formats and do not know others.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np

from jaxvqa._notice import Notice
from jaxvqa.video._errors import VideoError
from jaxvqa.video._ffv1 import SliceCheck
from jaxvqa.video._formats import FramePlanes, PixelFormat, advice_for, parse_pixel_format
from jaxvqa.video._info import VideoInfo
from jaxvqa.video._truncation import find_truncation

# AV_CODEC_FLAG_OUTPUT_CORRUPT: without it decoders drop damaged frames, and pairing slips
_OUTPUT_CORRUPT = 1 << 3
# AV_DISPOSITION_ATTACHED_PIC: the cover picture of an audio or video file
_COVER = 1 << 10
_RANGES = {1: "tv", 2: "pc"}
_TRANSFERS = {
    1: "bt709",
    4: "gamma22",
    5: "gamma28",
    6: "smpte170m",
    7: "smpte240m",
    8: "linear",
    11: "iec61966-2-4",
    13: "iec61966-2-1",
    14: "bt2020-10",
    15: "bt2020-12",
    16: "smpte2084",
    18: "arib-std-b67",
}


def _import_av(path: str) -> Any:
    try:
        import av
    except ImportError:
        raise VideoError(
            path,
            'reading this file needs PyAV, so run pip install "jaxvqa[video]" or convert the file '
            "to .y4m, which needs nothing.",
        ) from None
    return av


def _is_cover(stream: Any) -> bool:
    disposition = getattr(stream, "disposition", 0)  # PyAV 14.0 does not tell
    return bool(int(getattr(disposition, "value", disposition)) & _COVER)


def _tag(names: dict[int, str], attribute: str, frame: Any, context: Any) -> str | None:
    """A colour tag by FFmpeg's name: the frame's own, else the stream's."""
    for owner in (frame, context):
        if name := names.get(int(getattr(owner, attribute, None) or 0)):
            return name
    return None


def copy_planes(frame: Any, layout: PixelFormat, path: str) -> FramePlanes:
    """Planes of a PyAV frame, copied out of the decoder's memory, which it uses again.

    Args:
        frame: the `av.VideoFrame`.
        layout: the layout of the frame's format.
        path: the file, for messages.
    """
    stored = []
    shapes = layout.stored_shapes(frame.height, frame.width)
    for plane, (rows, columns) in zip(frame.planes, shapes, strict=True):
        stride, row_bytes = plane.line_size, columns * layout.sample_bytes
        if stride < row_bytes:
            raise VideoError(
                path,
                "its frames are stored bottom-up: convert the file first, for example with "
                "ffmpeg -i INPUT -c:v ffv1 OUTPUT.mkv.",
            )
        lines = np.frombuffer(plane, np.uint8, count=rows * stride).reshape(rows, stride)
        stored.append(lines[:, :row_bytes].copy())
    return layout.unpack(stored)


class AvReader:
    """Frames of a file decoded by FFmpeg; a `Reader`.

    The first frame is decoded at once: only a frame tells the true format, size, colour tags and
    whether it is interlaced.

    Args:
        path: the file.

    Raises:
        VideoError: no PyAV, not a video, damage, no frames, or an unsupported pixel format.
    """

    def __init__(self, path: str) -> None:
        self._av = _import_av(path)
        self._path = path
        self._frame: Any = None
        self._index = -1
        self._damaged = False
        self._damaged_from: int | None = None
        self._end_time: Fraction | None = None
        self.notices: list[Notice] = []
        self.incomplete = find_truncation(path)
        try:
            self._container = self._av.open(path)
        except (self._av.error.FFmpegError, OSError, ValueError) as error:
            raise VideoError(path, self._open_problem(error)) from error
        try:
            self._open()
        except BaseException:
            self.close()
            raise

    def _open_problem(self, error: Exception) -> str:
        if self.incomplete:
            return self.incomplete
        if isinstance(error, self._av.error.InvalidDataError):
            return "is not a video that FFmpeg can read, or it is damaged or cut short."
        return f"cannot be opened: {error}."

    def _open(self) -> None:
        path = self._path
        streams = [s for s in self._container.streams.video if not _is_cover(s)]
        # FFmpeg shows plain text as a picture of a terminal
        if not streams or self._container.format.name == "tty":
            raise VideoError(path, "has no video in it.")
        self._stream = streams[0]
        if self._stream.codec_context is None:
            raise VideoError(path, "holds video in a codec that this FFmpeg cannot decode.")
        self._stream.thread_type = "AUTO"
        self._stream.codec_context.flags |= _OUTPUT_CORRUPT
        self._decoded = self._decode()
        self._first: Any = next(self._decoded, None)
        if self._first is None:
            raise VideoError(path, self.incomplete or "has no frames that can be decoded.")
        self.info = self._describe(self._first)

    def _describe(self, frame: Any) -> VideoInfo:
        layout = parse_pixel_format(frame.format.name)
        if layout is None:
            raise VideoError(self._path, advice_for(frame.format.name))
        self._layout = layout
        full_by_name = frame.format.name.startswith("yuvj")
        context = self._stream.codec_context
        transfer = _tag(_TRANSFERS, "color_trc", frame, context)
        color_range = "pc" if full_by_name else _tag(_RANGES, "color_range", frame, context)
        # the guess undoes the rounding of times to milliseconds; an average does not
        rate = self._stream.guessed_rate or self._stream.average_rate
        return VideoInfo(
            path=self._path,
            width=frame.width,
            height=frame.height,
            bit_depth=layout.bit_depth,
            chroma=layout.chroma,
            fps=Fraction(rate) if rate else None,
            pixel_format=layout.name,
            reader="av",
            color_range=color_range,
            color_transfer=transfer,
            interlaced=bool(frame.interlaced_frame),
            announced_frames=self._stream.frames or None,
            expected_frames=self._stream.frames or self._frames_by_duration(rate),
        )

    def _decode(self) -> Iterator[Any]:
        """All frames in display order; damage that a demuxer reports is kept for `check`."""
        made = 0
        ffv1 = SliceCheck() if self._stream.codec_context.name == "ffv1" else None
        try:
            for packet in self._container.demux(self._stream):
                bad = packet.is_corrupt or (ffv1 is not None and ffv1.is_damaged(bytes(packet)))
                if bad and not self._damaged:
                    self._damaged, self._damaged_from = True, packet.pts
                for frame in packet.decode():
                    made += 1
                    yield frame
        except (self._av.error.FFmpegError, OSError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise VideoError(
                self._path,
                f"frame {made} or one soon after it cannot be decoded ({reason}): the file is "
                "damaged or cut short; make it again, or score only the frames before with "
                "frame_count.",
            ) from error

    def grab(self) -> bool:
        """Decodes the next frame."""
        self._frame, self._first = self._first, None
        if self._frame is None:
            self._frame = next(self._decoded, None)
        self._index += 1
        if self._frame is None:
            self._finish()
            return False
        frame = self._frame
        if frame.pts is not None and frame.time_base:
            self._end_time = (frame.pts + (getattr(frame, "duration", 0) or 0)) * frame.time_base
        return True

    def _finish(self) -> None:
        """At the end of the file: was that all of it?"""
        if self._damaged:
            raise VideoError(
                self._path,
                f"its data is damaged or cut short within its {self._index} frames: make the file "
                "again, or score fewer frames with frame_count.",
            )
        counted = self.info.announced_frames
        announced = self._announced_duration()
        if counted is not None and self._index < counted:
            text = (
                f"{self._path}: only {self._index} of the {counted} frames that the container "
                "announces could be read."
            )
            self.notices.append(Notice("missing-frames", text))
        elif announced is None or self._end_time is None:
            return
        # half a second covers the ways in which containers round and pad their durations
        elif announced - self._end_time > Fraction(1, 2):
            text = (
                f"{self._path}: its last frame ends at {float(self._end_time):.2f} s, but the "
                f"container announces {float(announced):.2f} s of video: frames may be missing."
            )
            self.notices.append(Notice("missing-frames", text))

    def _announced_duration(self) -> Fraction | None:
        """End time of the video as the container states it; None if other streams may define it."""
        stream = self._stream
        start = (stream.start_time or 0) * stream.time_base if stream.time_base else Fraction(0)
        if stream.duration is not None and stream.time_base:
            return Fraction(start + stream.duration * stream.time_base)
        if len(self._container.streams) == 1 and self._container.duration is not None:
            return Fraction(self._container.duration, 1_000_000)
        return None

    def _frames_by_duration(self, rate: Fraction | None) -> int | None:
        duration = self._announced_duration()
        if duration is None or not rate:
            return None
        return math.ceil(duration * Fraction(rate)) or None

    def check(self) -> None:
        """Refuses a frame that is damaged or differs in size or format from the first."""
        frame, info = self._frame, self.info
        # a packet cut short may still decode to a frame that looks whole to the decoder
        cut = self._damaged_from is not None and (frame.pts or 0) >= self._damaged_from
        if frame.is_corrupt or cut:
            raise VideoError(
                self._path,
                f"frame {self._index} is damaged: make the file again, skip the frame, or score "
                "only the frames before with frame_count.",
            )
        now = (frame.width, frame.height, frame.format.name)
        if now != (info.width, info.height, info.pixel_format):
            raise VideoError(
                self._path,
                f"changes from {info.width}x{info.height} {info.pixel_format} to "
                f"{now[0]}x{now[1]} {now[2]} at frame {self._index}: convert it to one size and "
                "format first.",
            )

    def retrieve(self) -> FramePlanes:
        """Planes of the frame decoded last, copied out of the decoder's memory."""
        return copy_planes(self._frame, self._layout, self._path)

    def stop(self) -> None:
        """Nothing to end: files don't let one wait."""

    def close(self) -> None:
        """Ends decoding and closes the file."""
        decoded = getattr(self, "_decoded", None)
        if decoded is not None:
            decoded.close()
        self._frame = self._first = None
        self._container.close()
