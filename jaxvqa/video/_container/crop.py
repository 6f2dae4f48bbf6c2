"""The crop that a container asks a player for: clean aperture of MP4, PixelCrop of Matroska.

FFmpeg's library keeps it beside the stream, where PyAV does not show it. So the head of a Matroska
file is written for the stream, in memory, and its crop read from there.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

_CONTAINERS = ("mov", "matroska")
# Segment, Tracks, TrackEntry, Video
_MASTERS = {0x18538067, 0x1654AE6B, 0xAE, 0xE0}
_SIDES = {0x54CC: "left", 0x54BB: "top", 0x54DD: "right", 0x54AA: "bottom"}


def crop_filter(
    av: Any, container: Any, stream: Any, size: tuple[int, int], chroma: str
) -> tuple[str, int, int] | None:
    """FFmpeg's filter for a container's crop, and columns and rows that it leaves; None for none.

    Args:
        av: the module of PyAV.
        container: the open file.
        stream: its stream.
        size: columns and rows of a frame.
        chroma: of the frames; the crop is rounded to whole chroma samples, as FFmpeg's program
            does.
    """
    if not container.format.name.startswith(_CONTAINERS):
        return None
    sides = dict(_sides(_matroska_head(av, stream)))
    if not any(sides.values()):
        return None
    left, top, right, bottom = (sides.get(side, 0) for side in _SIDES.values())
    across, down = 2 if chroma in ("420", "422") else 1, 2 if chroma == "420" else 1
    width = (size[0] - left - right) // across * across
    height = (size[1] - top - bottom) // down * down
    if width < 1 or height < 1:
        return None
    left, top = left // across * across, top // down * down
    return f"crop={width}:{height}:{left}:{top}", width, height


def _matroska_head(av: Any, stream: Any) -> bytes:
    """The head of a Matroska file with this stream; empty if it can't hold it."""
    memory = io.BytesIO()
    try:
        with av.open(memory, "w", format="matroska") as copy:
            copy.add_stream_from_template(stream, opaque=True)
            copy.start_encoding()
    except (av.error.FFmpegError, ValueError, TypeError, AttributeError):
        return b""
    return memory.getvalue()


def _sides(data: bytes) -> Iterator[tuple[str, int]]:
    """The sides that an EBML document crops."""
    position = 0
    while position < len(data):
        kind, position = _number(data, position, keep_marker=True)
        size, position = _number(data, position)
        if kind in _MASTERS:
            # the outermost element's size may be open
            yield from _sides(data[position : position + size])
        elif kind in _SIDES:
            yield _SIDES[kind], int.from_bytes(data[position : position + size], "big")
        position += size


def _number(data: bytes, position: int, *, keep_marker: bool = False) -> tuple[int, int]:
    """A number of EBML's variable length, and the position after it."""
    length = 9 - data[position].bit_length()
    value = int.from_bytes(data[position : position + length], "big")
    return value if keep_marker else value & ((1 << 7 * length) - 1), position + length
