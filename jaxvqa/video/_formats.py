"""Pixel formats: how the samples of a frame lie in memory, and how they become planes.

One table serves every reader: a format is chroma layout, bit depth, and whether chroma samples are
interleaved (NV12, P010) or in planes of their own. Formats with red, green and blue, alpha, a
palette or other chroma layouts are not here: metrics are defined on Y'CbCr.
"""

from __future__ import annotations

import dataclasses
import re
import sys
from collections.abc import Callable, Sequence

import numpy as np

from jaxvqa._planes import CHROMA_FORMATS, chroma_size

FramePlanes = tuple[np.ndarray, ...]
# gives contiguous planes that the next frame may be put into; None: memory of its own
FrameMemory = Callable[[], FramePlanes | None]

_PLANAR = re.compile(r"yuv(j?)(420|422|444)p(9|10|12|14|16)?(le|be)?")
_GRAY = re.compile(r"gray(8|9|10|12|14|16)?(le|be)?")
_PACKED_DEEP = re.compile(r"p([024])(10|12|16)(le|be)?")
_INTERLEAVED = {"nv12": "420", "nv21": "420", "nv16": "422", "nv24": "444", "nv42": "444"}
_P_CHROMA = {"0": "420", "2": "422", "4": "444"}


@dataclasses.dataclass(frozen=True)
class PixelFormat:
    """Memory layout of one frame.

    Args:
        name: FFmpeg's name.
        chroma: "400", "420", "422" or "444".
        bit_depth: significant bits of a sample; above 8 a sample takes 16 bits.
        interleaved: Cb and Cr alternate in one plane.
        swapped: Cr comes before Cb.
        shift: unused low bits of a 16-bit sample.
        big_endian: byte order of 16-bit samples.
    """

    name: str
    chroma: str
    bit_depth: int
    interleaved: bool = False
    swapped: bool = False
    shift: int = 0
    big_endian: bool = False

    @property
    def sample_bytes(self) -> int:
        """Bytes a sample takes."""
        return 2 if self.bit_depth > 8 else 1

    def stored_shapes(
        self, height: int, width: int, *, floor: bool = False
    ) -> list[tuple[int, int]]:
        """Rows and samples per row of each stored plane.

        Args:
            height: luma rows.
            width: luma columns.
            floor: round odd chroma sizes down, as libvmaf's raw reader does.
        """
        luma = (height, width)
        if self.chroma == "400":
            return [luma]
        rows, columns = chroma_size(height, width, self.chroma)
        if floor and self.chroma in ("420", "422"):
            rows = height // 2 if self.chroma == "420" else height
            columns = width // 2
        if self.interleaved:
            return [luma, (rows, 2 * columns)]
        return [luma, (rows, columns), (rows, columns)]

    def frame_bytes(self, height: int, width: int, *, floor: bool = False) -> int:
        """Bytes of a frame whose rows follow each other without gaps."""
        shapes = self.stored_shapes(height, width, floor=floor)
        return self.sample_bytes * sum(rows * columns for rows, columns in shapes)

    def unpack(self, stored: Sequence[np.ndarray]) -> FramePlanes:
        """Stored planes, as rows of bytes, to contiguous uint8 or uint16 planes.

        Args:
            stored: one `(rows, bytes)` uint8 array a plane, without padding at the end of rows.

        Returns:
            `(y, u, v)`, or `(y,)` for a monochrome format.
        """
        return tuple(np.ascontiguousarray(plane) for plane in self.views(stored))

    def views(self, stored: Sequence[np.ndarray]) -> FramePlanes:
        """The same without copies, where that is possible."""
        planes = [self._samples(plane) for plane in stored]
        if self.interleaved:
            luma, pairs = planes
            planes = [luma, pairs[:, 0::2], pairs[:, 1::2]]
        if self.swapped:
            planes[1:] = planes[:0:-1]
        return tuple(planes)

    @property
    def is_plain(self) -> bool:
        """Whether the bytes of a stored plane are those of a contiguous array."""
        native = self.sample_bytes == 1 or self.big_endian == (sys.byteorder == "big")
        return native and not (self.interleaved or self.swapped or self.shift)

    def _samples(self, rows: np.ndarray) -> np.ndarray:
        if self.sample_bytes == 1:
            return rows
        samples = rows.view(">u2" if self.big_endian else "<u2").astype(np.uint16, copy=False)
        return samples >> np.uint16(self.shift) if self.shift else samples


def place_for(
    memory: FrameMemory | None, planes: Sequence[tuple[tuple[int, ...], np.dtype]]
) -> FramePlanes | None:
    """Memory for a frame with planes of such shapes and dtypes; None if it needs its own."""
    place = memory() if memory is not None else None
    if place is None or [(there.shape, there.dtype) for there in place] != list(planes):
        return None
    return place


def copied(planes: FramePlanes, memory: FrameMemory | None) -> FramePlanes:
    """A contiguous copy of planes, in the memory given if they fit."""
    place = place_for(memory, [(plane.shape, plane.dtype) for plane in planes])
    if place is None:
        return tuple(np.array(plane, order="C") for plane in planes)
    for there, plane in zip(place, planes, strict=True):
        there[...] = plane
    return place


def parse_pixel_format(name: str) -> PixelFormat | None:
    """The layout behind FFmpeg's name of a format, or None for one that is not supported."""
    name = name.lower()
    if name in _INTERLEAVED:
        swapped = name in ("nv21", "nv42")
        return PixelFormat(name, _INTERLEAVED[name], 8, interleaved=True, swapped=swapped)
    if found := re.fullmatch(r"nv20(le|be)?", name):
        return PixelFormat(name, "422", 10, interleaved=True, big_endian=found[1] == "be")
    if found := _PLANAR.fullmatch(name):
        depth = int(found[3] or 8)
        return PixelFormat(name, found[2], depth, big_endian=found[4] == "be")
    if found := _GRAY.fullmatch(name):
        return PixelFormat(name, "400", int(found[1] or 8), big_endian=found[2] == "be")
    if found := _PACKED_DEEP.fullmatch(name):
        depth, big = int(found[2]), found[3] == "be"
        chroma = _P_CHROMA[found[1]]
        return PixelFormat(name, chroma, depth, interleaved=True, shift=16 - depth, big_endian=big)
    return None


def planar_format(chroma: str, bit_depth: int) -> PixelFormat:
    """The planar little-endian format of a chroma layout and bit depth, under FFmpeg's name."""
    assert chroma in CHROMA_FORMATS
    stem = "gray" if chroma == "400" else f"yuv{chroma}p"
    return PixelFormat(stem if bit_depth == 8 else f"{stem}{bit_depth}le", chroma, bit_depth)


def planar_luma(layout: PixelFormat) -> PixelFormat:
    """The layout of the luma plane alone."""
    return dataclasses.replace(layout, chroma="400", interleaved=False, swapped=False)


def advice_for(name: str, bit_depth: int | None = None) -> str:
    """The end of a sentence that refuses a pixel format: what it is, and how to convert."""
    deep = bit_depth is not None and bit_depth > 8
    target = "yuv420p10le -strict -1" if deep else "yuv420p"
    return (
        f"pixel format {name} is not planar Y'CbCr in 4:0:0, 4:2:0, 4:2:2 or 4:4:4: convert both "
        f"videos first, for example with ffmpeg -i INPUT -pix_fmt {target} OUTPUT.y4m."
    )
