"""Headerless .yuv files: frames of bytes, one after the other."""

from __future__ import annotations

import io
import os
from fractions import Fraction
from typing import Any

import numpy as np

from jaxvqa._checks import BIT_DEPTHS
from jaxvqa._notice import Notice
from jaxvqa._planes import CHROMA_FORMATS, chroma_size
from jaxvqa.video._container import pipe
from jaxvqa.video._decode.held import HeldPlanes
from jaxvqa.video._decode.picture import as_picture
from jaxvqa.video._errors import VideoError
from jaxvqa.video._formats import (
    FrameMemory,
    FramePlanes,
    PixelFormat,
    advice_for,
    copied,
    parse_pixel_format,
    place_for,
    planar_format,
    planar_luma,
)
from jaxvqa.video._info import VideoInfo
from jaxvqa.video._timeline import Timeline

_MAX_SIDE = 1 << 16
_GIVE_ALL = "raw video needs `width`, `height`, `pixel_format` and `bit_depth`"


def read_frame_bytes(file: io.BufferedReader, count: int) -> np.ndarray | None:
    """The next `count` bytes in memory of their own, None at the end, or fewer if the file ends."""
    buffer = np.empty(count, np.uint8)
    filled = _fill(file, buffer)
    return None if filled == 0 else buffer[:filled]


def _fill(file: io.BufferedReader, buffer: np.ndarray) -> int:
    """Reads the next bytes into a contiguous array; returns how many there were."""
    view = buffer.data.cast("B")
    filled = 0
    while filled < len(view):
        # pipes hand over what they have, so one read may bring less than was asked for
        got = file.readinto(view[filled:])
        if not got:
            break
        filled += got
    return filled


def read_planes(
    file: io.BufferedReader,
    layout: PixelFormat,
    height: int,
    width: int,
    memory: FrameMemory | None = None,
    *,
    floor: bool = False,
) -> FramePlanes | None:
    """The next frame, or None if the file ends before it does.

    Args:
        file: where its bytes are next.
        layout: the layout of the frame.
        height: luma rows.
        width: luma columns.
        memory: where to put the planes; read straight into it, if their bytes are as stored.
        floor: odd chroma sizes are rounded down.
    """
    if layout.is_plain:
        dtype = np.dtype(np.uint8 if layout.sample_bytes == 1 else np.uint16)
        shapes = layout.stored_shapes(height, width, floor=floor)
        place = place_for(memory, [(shape, dtype) for shape in shapes])
        if place is None:
            place = tuple(np.empty(shape, dtype) for shape in shapes)
        whole = all(_fill(file, plane) == plane.nbytes for plane in place)
        return place if whole else None
    count = layout.frame_bytes(height, width, floor=floor)
    data = read_frame_bytes(file, count)
    if data is None or data.size < count:
        return None
    return split_frame(data, layout, height, width, memory, floor=floor)


def split_frame(
    data: np.ndarray,
    layout: PixelFormat,
    height: int,
    width: int,
    memory: FrameMemory | None = None,
    *,
    floor: bool = False,
) -> FramePlanes:
    """Bytes of a frame without gaps to planes; without `memory`, plain ones are views of `data`."""
    stored, start = [], 0
    for rows, columns in layout.stored_shapes(height, width, floor=floor):
        row_bytes = columns * layout.sample_bytes
        stored.append(data[start : start + rows * row_bytes].reshape(rows, row_bytes))
        start += rows * row_bytes
    return layout.unpack(stored) if memory is None else copied(layout.views(stored), memory)


def check_size(path: str, width: int, height: int) -> None:
    """Raises VideoError for sizes that no frame has."""
    if not (0 < width <= _MAX_SIDE and 0 < height <= _MAX_SIDE):
        raise VideoError(
            path, f"a frame of {width}x{height} is not possible: sides are 1 to {_MAX_SIDE}."
        )


def raw_format(path: str, pixel_format: str | None, bit_depth: int | None) -> PixelFormat:
    """The layout that a user's pixel format and bit depth mean.

    Args:
        path: the file, for messages.
        pixel_format: libvmaf's spelling ("420", "422", "444", "400"), which needs a bit depth, or
            FFmpeg's ("yuv420p10le"), which brings its own.
        bit_depth: bits per sample, or None.
    """
    if pixel_format is None:
        raise VideoError(path, f"{_GIVE_ALL}; the pixel format is missing.")
    if bit_depth is not None and bit_depth not in BIT_DEPTHS:
        raise VideoError(path, f"bit depth must be one of {BIT_DEPTHS}, got {bit_depth!r}.")
    if pixel_format in CHROMA_FORMATS:
        if bit_depth is None:
            raise VideoError(path, f"{_GIVE_ALL}; the bit depth is missing.")
        return planar_format(pixel_format, bit_depth)
    layout = parse_pixel_format(pixel_format)
    if layout is None:
        raise VideoError(path, advice_for(pixel_format, bit_depth))
    if bit_depth not in (None, layout.bit_depth):
        raise VideoError(
            path,
            f"pixel format {pixel_format} has {layout.bit_depth} bits, but bit depth {bit_depth} "
            "was given: leave `bit_depth` out.",
        )
    return layout


class RawReader:
    """Frames of a headerless file; a `Reader`.

    Args:
        path: the file, or a pipe.
        width: luma columns.
        height: luma rows.
        pixel_format: see `raw_format`.
        bit_depth: see `raw_format`.

    Odd sizes: chroma is rounded up, as FFmpeg stores it. A file whose size fits only libvmaf's
    layout, where chroma is rounded down, is read in that layout; the missing last row or column of
    chroma repeats its neighbour, and `info.note` says so.

    Raises:
        VideoError: a missing argument, or a file that is no whole number of frames.
    """

    def __init__(
        self,
        path: str,
        width: int | None,
        height: int | None,
        pixel_format: str | None,
        bit_depth: int | None,
    ) -> None:
        self.incomplete: str | None = None
        self.time: Fraction | None = None
        self.interlaced_frames = 0
        self.leading = 0
        self.begins_damaged = False
        self.coded_bytes: int | None = None
        self.notices: list[Notice] = []
        self._layout = raw_format(path, pixel_format, bit_depth)
        if width is None or height is None:
            missing = "width" if width is None else "height"
            raise VideoError(path, f"{_GIVE_ALL}; the {missing} is missing.")
        check_size(path, width, height)
        self._floor, count = self._find_layout(path, height, width)
        self._frame_bytes = self._layout.frame_bytes(height, width, floor=self._floor)
        note = None
        if self._floor:
            note = (
                "chroma planes of this odd-sized raw file are rounded down, as libvmaf stores "
                "them; their last row or column is repeated."
            )
        self.info = VideoInfo(
            path=path,
            width=width,
            height=height,
            bit_depth=self._layout.bit_depth,
            chroma=self._layout.chroma,
            frame_count=count,
            pixel_format=self._layout.name,
            reader="yuv",
            note=note,
        )
        self._index = -1
        self._data: np.ndarray | None = None  # of the frame stepped to, from a pipe
        self._file = pipe.open_stream(path)

    def _find_layout(self, path: str, height: int, width: int) -> tuple[bool, int | None]:
        """Whether chroma is rounded down, and the number of frames (None for a pipe)."""
        if not pipe.is_regular(path):
            return False, None
        size = os.path.getsize(path)
        up = self._layout.frame_bytes(height, width)
        down = self._layout.frame_bytes(height, width, floor=True)
        if size % up == 0:
            return False, size // up
        if min(height, width) > 1 and size % down == 0:
            return True, size // down
        raise VideoError(
            path,
            f"its {size} bytes are not a whole number of {width}x{height} {self._layout.name} "
            f"frames of {up} bytes ({size / up:.2f} frames): check the width, height, pixel format "
            "and bit depth, or whether the file is cut short.",
        )

    def grab(self) -> bool:
        """Steps to the next frame; reads it, where it may be cut short."""
        self._index += 1
        if self.info.frame_count is not None:
            return self._index < self.info.frame_count
        self._data = read_frame_bytes(self._file, self._frame_bytes)
        if self._data is None:
            return False
        if self._data.size < self._frame_bytes:
            raise VideoError(
                self.info.path,
                f"ends inside frame {self._index}: {self._data.size} of {self._frame_bytes} bytes.",
            )
        return True

    def timeline(self) -> Timeline:
        """Raw video does not say when its frames are shown."""
        return Timeline.unknown(self.info.frame_count)

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
        height, width = self.info.height, self.info.width
        if self._data is not None:
            planes = split_frame(self._data, self._layout, height, width, floor=self._floor)
        else:
            layout = planar_luma(self._layout) if luma_only else self._layout
            self._file.seek(self._index * self._frame_bytes)
            planes = read_planes(self._file, layout, height, width, memory, floor=self._floor)
            if planes is None:
                raise VideoError(self.info.path, f"ends inside frame {self._index}.")
        if luma_only:
            return planes[:1]
        if not self._floor:
            return planes
        rows, columns = chroma_size(height, width, self.info.chroma)
        grow = lambda p: np.pad(p, ((0, rows - p.shape[0]), (0, columns - p.shape[1])), "edge")  # noqa: E731
        return (planes[0], grow(planes[1]), grow(planes[2]))

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
