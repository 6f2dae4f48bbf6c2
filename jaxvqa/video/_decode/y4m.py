"""YUV4MPEG2 (.y4m) files: a text header, then frames of bytes, each after a line of its own."""

from __future__ import annotations

import dataclasses
import io
import os
import re
from fractions import Fraction
from typing import Any, BinaryIO

import numpy as np

from jaxvqa._notice import Notice
from jaxvqa.video._container import pipe
from jaxvqa.video._decode.held import HeldPlanes
from jaxvqa.video._decode.picture import as_picture
from jaxvqa.video._decode.raw import check_size, read_frame_bytes, read_planes, split_frame
from jaxvqa.video._errors import VideoError
from jaxvqa.video._formats import (
    FrameMemory,
    FramePlanes,
    PixelFormat,
    advice_for,
    planar_format,
    planar_luma,
)
from jaxvqa.video._info import VideoInfo
from jaxvqa.video._timeline import Timeline

MAGIC = b"YUV4MPEG2"
_LINE_LIMIT = 4096
_PLAIN_FRAME = b"FRAME\n"
_SITED = ("420jpeg", "420mpeg2", "420paldv")
_COLOR = re.compile(r"(420p?|422p?|444p?|mono)((?<=[po])(?:9|10|12|14|16))?")
_RANGES = {"LIMITED": "tv", "FULL": "pc"}


@dataclasses.dataclass(frozen=True)
class Y4MHeader:
    """What the first line of a y4m file says."""

    width: int
    height: int
    layout: PixelFormat
    fps: Fraction | None
    interlaced: bool
    color_range: str | None
    pixel_aspect: Fraction


def parse_header(path: str, line: bytes) -> Y4MHeader:
    """Reads the first line of a y4m file.

    Args:
        path: the file, for messages.
        line: the line with its newline.

    Raises:
        VideoError: not y4m, a missing or impossible size, or a chroma format without planes of
            4:0:0, 4:2:0, 4:2:2 or 4:4:4.
    """
    if not line.startswith(MAGIC):
        raise VideoError(path, "is not a y4m file: it does not begin with YUV4MPEG2.")
    if not line.endswith(b"\n"):
        raise VideoError(path, "is damaged: its y4m header line has no end.")
    tags: dict[str, str] = {}
    for token in line[len(MAGIC) :].decode("ascii", "replace").split():
        if token.startswith("X"):
            key, _, value = token.partition("=")
            tags[key] = value
        else:
            tags[token[0]] = token[1:]
    width, height = (_size(path, tags, key) for key in ("W", "H"))
    check_size(path, width, height)
    return Y4MHeader(
        width,
        height,
        _layout(path, tags),
        _quotient(tags.get("F", "")),
        tags.get("I", "p") in ("t", "b", "m"),
        _RANGES.get(tags.get("XCOLORRANGE", "").upper()),
        _quotient(tags.get("A", "")) or Fraction(1),
    )


def _size(path: str, tags: dict[str, str], key: str) -> int:
    value = tags.get(key, "")
    if not (value.isascii() and value.isdigit() and len(value) < 10):
        name = "width" if key == "W" else "height"
        raise VideoError(path, f"is damaged: its y4m header has no valid {name} ({key}{value}).")
    return int(value)


def _quotient(value: str) -> Fraction | None:
    found = re.fullmatch(r"([0-9]{1,9})(?::([0-9]{1,9}))?", value)
    if not found:
        return None
    over, under = int(found[1]), int(found[2] or 1)
    return Fraction(over, under) if over and under else None


def _layout(path: str, tags: dict[str, str]) -> PixelFormat:
    # files without C are 4:2:0; early deep files name their format in XYSCSS only
    color = (tags.get("C") or tags.get("XYSCSS") or "420jpeg").lower()
    found = _COLOR.fullmatch("420" if color in _SITED else color)
    if not found:
        raise VideoError(path, advice_for(f"C{color}"))
    return planar_format("400" if found[1] == "mono" else found[1][:3], int(found[2] or 8))


def _count_frames(file: BinaryIO, size: int, frame_bytes: int) -> tuple[int | None, str | None]:
    """Frames from the current position on, or what is wrong with the frames."""
    start = file.tell()
    stride = len(_PLAIN_FRAME) + frame_bytes
    plain = file.read(len(_PLAIN_FRAME)) == _PLAIN_FRAME
    if plain and (size - start) % stride == 0:
        return (size - start) // stride, None
    position, count = start, 0
    while position < size:
        file.seek(position)
        line = file.readline(_LINE_LIMIT)
        if not (line.startswith(b"FRAME") and line.endswith(b"\n")):
            return None, f"is damaged: frame {count} has no FRAME line."
        position += len(line) + frame_bytes
        if position > size:
            return None, f"is cut short: it ends inside frame {count}."
        count += 1
    return count, None


class Y4MReader:
    """Frames of a y4m file or pipe; a `Reader`.

    Args:
        path: the file.
        stream: the file if it is open already; it is closed with the reader.

    Raises:
        VideoError: a bad header, or no frames.
    """

    def __init__(self, path: str, stream: io.BufferedReader | None = None) -> None:
        self.incomplete: str | None = None
        self.time: Fraction | None = None
        self.interlaced_frames = 0
        self.leading = 0
        self.begins_damaged = False
        self.coded_bytes: int | None = None
        self.notices: list[Notice] = []
        self._index = -1
        self._data: np.ndarray | None = None
        # where the samples of the frame stepped to begin, in a file known to hold all of them
        self._start: int | None = None
        self._whole = False
        self._file = pipe.open_stream(path) if stream is None else stream
        try:
            self._open(path)
        except BaseException:
            self._file.close()
            raise

    def _open(self, path: str) -> None:
        header = parse_header(path, self._file.readline(_LINE_LIMIT))
        self._layout = header.layout
        self._frame_bytes = header.layout.frame_bytes(header.height, header.width)
        count = None
        if pipe.is_regular(path):
            start = self._file.tell()
            size = os.path.getsize(path)
            count, self.incomplete = _count_frames(self._file, size, self._frame_bytes)
            self._file.seek(start)
            self._whole = count is not None
            if count == 0:
                raise VideoError(path, "has no frames after its y4m header.")
        self.info = VideoInfo(
            path=path,
            width=header.width,
            height=header.height,
            bit_depth=header.layout.bit_depth,
            chroma=header.layout.chroma,
            fps=header.fps,
            frame_count=count,
            pixel_format=header.layout.name,
            reader="y4m",
            color_range=header.color_range,
            pixel_aspect=header.pixel_aspect,
            interlaced=header.interlaced,
        )

    def grab(self) -> bool:
        """Steps to the next frame; reads it, where it may be cut short."""
        self._index += 1
        self._data = None
        if self._start is not None:
            self._file.seek(self._start + self._frame_bytes)
            self._start = None
        self.time = self._index / self.info.fps if self.info.fps else None
        line = self._file.readline(_LINE_LIMIT)
        if not line:
            return False
        if not (line.startswith(b"FRAME") and line.endswith(b"\n")):
            raise VideoError(self.info.path, f"is damaged: frame {self._index} has no FRAME line.")
        if self._whole:
            self._start = self._file.tell()
        else:
            self._data = self._read(self._frame_bytes)
        self.interlaced_frames += self.info.interlaced
        return True

    def _read(self, count: int) -> np.ndarray:
        data = read_frame_bytes(self._file, count)
        if data is None or data.size < count:
            raise self._cut_short()
        return data

    def _cut_short(self) -> VideoError:
        return VideoError(self.info.path, f"is cut short: it ends inside frame {self._index}.")

    def timeline(self) -> Timeline:
        """A constant rate, where the header states it."""
        if self.info.fps is None:
            return Timeline.unknown(self.info.frame_count)
        return Timeline.at_rate(self.info.frame_count, self.info.fps)

    @property
    def can_seek(self) -> bool:
        """Frames are read in their order."""
        return False

    def seek(self, time: Fraction) -> None:
        """Not possible, see `can_seek`."""
        raise NotImplementedError

    def damage(self) -> None:
        """Nothing to check: every byte pattern is a frame."""

    def retrieve(self, luma_only: bool = False, memory: FrameMemory | None = None) -> FramePlanes:
        """Planes of the frame stepped to; of files, no more than is asked for is read."""
        layout, height, width = self._layout, self.info.height, self.info.width
        if luma_only:
            layout = planar_luma(layout)
        if self._data is not None:
            return split_frame(self._data, layout, height, width, memory)
        assert self._start is not None
        self._file.seek(self._start)
        planes = read_planes(self._file, layout, height, width, memory)
        if planes is None:
            raise self._cut_short()
        return planes

    def picture(self) -> Any:
        """The frame read last."""
        return as_picture(self.retrieve(), self.info)

    def hold(self) -> HeldPlanes:
        """The frame stepped to, read whole."""
        return HeldPlanes(self.retrieve(), self.info)

    def stop(self) -> None:
        """Ends a wait for a pipe's writer."""
        pipe.stop(self._file)

    def close(self) -> None:
        """Closes the file."""
        self._file.close()
