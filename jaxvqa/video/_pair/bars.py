"""Finds black bars above, below and beside the picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_MARGIN = 8  # 8-bit codes above black; 24 in limited range, as in FFmpeg's cropdetect
_THIN = 2  # pixels; dark edges this thin come from scaling and blanking
_EDGE = 4  # rows or columns in which the picture must set in
_LIT = 0.5  # of the picture's breadth, for an edge to be the picture's and not a subtitle's


@dataclass(frozen=True)
class Rectangle:
    """The part of a frame that holds the picture.

    Args:
        width: luma columns.
        height: luma rows.
        x: first column.
        y: first row.
    """

    width: int
    height: int
    x: int
    y: int


class Bars:
    """Collects frames and tells where in them the picture lies.

    A row or column is black if its largest code, over all frames, is at most 8 (of 255) above
    black; bars are the black rows and columns at the edges. Frames that are dark all over add
    nothing, so a few from all parts of the video should be given; without any bright one nothing is
    cropped.

    The picture must set in at a straight edge: in some frame half of one of its outermost four rows
    (columns) must be brighter than black, and a quarter of the frame at least. Otherwise that side
    stays whole. So title cards and dark scenes with one lamp are not cropped, nor is a bar that a
    subtitle or a logo is seen in. Bars of one or two pixels stay too. Heavy compression leaks into
    the bars, and less is cropped then: give the reference rather than the distorted video.

    Args:
        bit_depth: bits per sample.
        full_range: black is code 0, not 16 (of 255).
    """

    def __init__(self, bit_depth: int, full_range: bool = False) -> None:
        self._limit = ((0 if full_range else 16) + _MARGIN) << (bit_depth - 8)
        # most bright samples that any frame had, in each row and in each column
        self._rows: NDArray[np.int64] | None = None
        self._columns: NDArray[np.int64] | None = None

    def add(self, y: NDArray[np.generic]) -> None:
        """Takes a frame.

        Args:
            y: luma codes, shape (height, width), uint8 or uint16.

        Raises:
            ValueError: a frame of another size than those before.
        """
        bright = (np.greater(y, y.dtype.type(self._limit))).view(np.uint8)
        rows = bright.sum(1, dtype=np.uint32).astype(np.int64)
        columns = bright.sum(0, dtype=np.uint32).astype(np.int64)
        if self._rows is None or self._columns is None:
            self._rows, self._columns = rows, columns
            return
        if (len(rows), len(columns)) != (len(self._rows), len(self._columns)):
            raise ValueError(
                f"frames of {len(self._columns)}x{len(self._rows)} and "
                f"{len(columns)}x{len(rows)} in one video."
            )
        np.maximum(self._rows, rows, out=self._rows)
        np.maximum(self._columns, columns, out=self._columns)

    def rectangle(self) -> Rectangle | None:
        """Where the picture lies, or None if there are no bars to crop.

        Its edges lie at even numbers, so that chroma planes can be cut as well, or where the frame
        ends; an odd bar leaves one black row or column.
        """
        if self._rows is None or self._columns is None or not self._rows.any():
            return None
        height, width = len(self._rows), len(self._columns)
        top, bottom = _edges(self._rows, _least_lit(self._columns))
        left, right = _edges(self._columns, _least_lit(self._rows))
        if (top, bottom, left, right) == (0, height, 0, width):
            return None
        return Rectangle(right - left, bottom - top, left, top)


def _least_lit(across: NDArray[np.int64]) -> float:
    """Bright samples that the picture's edge has at the least, from the counts across it."""
    # a line of text is shorter than any picture
    return _LIT * max(np.ptp(np.flatnonzero(across)) + 1, len(across) / 2)


def _edges(bright: NDArray[np.int64], least: float) -> tuple[int, int]:
    """First row (column) of the picture and the one after its last."""
    length = len(bright)
    before = _bar(bright, least) // 2 * 2
    stop = length - _bar(bright[::-1], least)
    if stop < length:
        stop = min(stop + stop % 2, length)
    return before, stop


def _bar(bright: NDArray[np.int64], least: float) -> int:
    """Rows (columns) of the bar at the start, or 0 if none is certain."""
    first = int(np.flatnonzero(bright)[0])
    sets_in = bright[first : first + _EDGE].max() >= least
    return first if first > _THIN and sets_in else 0
