"""Small pictures of luma planes, for finding out which frames of two videos belong together."""

from __future__ import annotations

import itertools
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

# slow pans need this much detail: on 64x36 their offset is often found wrong
THUMB_HEIGHT, THUMB_WIDTH = 90, 160
# of sampled lines; more cost time and add little
_ROWS, _COLUMNS = 24, 160


def thumbnail_size(*shapes: tuple[int, ...]) -> tuple[int, int]:
    """The size of thumbnail that suits planes of different sizes.

    Args:
        *shapes: `(height, width)` of the planes of each video.

    Returns:
        (90, 160), or fewer rows or columns where a plane has fewer.
    """
    rows = min(THUMB_HEIGHT, *(shape[0] for shape in shapes))
    columns = min(THUMB_WIDTH, *(shape[1] for shape in shapes))
    return rows, columns


def thumbnail(
    y: NDArray[Any], bit_depth: int, size: tuple[int, int] | None = None
) -> NDArray[np.uint8]:
    """A luma plane as a small picture of 8-bit codes.

    Means over equal areas, so that videos of different sizes and depths compare.

    Args:
        y: luma codes, shape (height, width), uint8 or uint16.
        bit_depth: bits per sample of `y`.
        size: rows and columns of the result; None is `thumbnail_size(y.shape)`. Videos of different
            sizes need one that suits both.

    Returns:
        Rounded means, shape `size`, uint8; 14 kB at 90x160.

    Raises:
        ValueError: a `size` with more rows or columns than `y`.
    """
    return np.rint(area_means(y, bit_depth, size)).clip(0, 255).astype(np.uint8)


def area_means(
    y: NDArray[Any], bit_depth: int, size: tuple[int, int] | None = None
) -> NDArray[np.float32]:
    """As `thumbnail`, before rounding: float32 on the 8-bit scale."""
    rows, columns = thumbnail_size(y.shape) if size is None else size
    height, width = y.shape
    if rows > height or columns > width:
        raise ValueError(f"a {width}x{height} plane has no {columns}x{rows} thumbnail.")
    scale = 2.0 ** (8 - bit_depth) * rows * columns / (height * width)
    return _sum_areas(_sum_rows(y, rows), columns) * np.float32(scale)


def sampled_lines(y: NDArray[np.generic], bit_depth: int) -> NDArray[np.float32]:
    """Means along some lines of a plane on the 8-bit scale: a tenth of a thumbnail's cost.

    For planes of one size only: it is the same places of both that are compared.

    Args:
        y: luma codes, shape (height, width).
        bit_depth: bits per sample of `y`.
    """
    scale = 2.0 ** (8 - bit_depth)
    height, width = y.shape
    step, group = max(1, height // _ROWS), max(1, width // _COLUMNS)
    columns = width // group * group
    lines = y[step // 2 :: step, :columns].astype(np.float32)
    if step > 1:
        more = y[step // 2 + 1 :: step, :columns].astype(np.float32)
        lines = lines[: len(more)] + more[: len(lines)]
        scale = scale / 2
    if group > 1:
        lines = lines.reshape(len(lines), -1, group) @ np.full(group, 1 / group, np.float32)
    return lines * np.float32(scale)


def _sum_rows(y: NDArray[Any], count: int) -> NDArray[Any]:
    """Sums over `count` equal groups of rows; a row on a border is shared by its two groups."""
    height, width = y.shape
    each = -(-height // count)
    if y.dtype.kind == "f":
        dtype = np.dtype(np.float32)
    else:
        dtype = np.dtype(np.uint16 if y.dtype == np.uint8 and each <= 256 else np.uint32)
    if height % count == 0:
        return y.reshape(count, each, width).sum(1, dtype=dtype)
    groups, borders, shares = _group(height, count)
    whole = np.empty((count, width), dtype)
    for i, (first, last) in enumerate(groups):
        y[first:last].sum(0, dtype=dtype, out=whole[i])
    sums = whole.astype(np.float32)
    edges = y[borders].astype(np.float32)
    sums[:-1] += edges * shares
    sums[1:] -= edges * shares
    return sums


@lru_cache(maxsize=32)
def _group(length: int, count: int) -> tuple[list[tuple[int, int]], NDArray, NDArray]:
    """Groups of whole rows, the row on each border, and the share of the group before it."""
    starts = [i * length // count for i in range(count + 1)]
    shares = [i * length % count / count for i in range(1, count)]
    groups = list(itertools.pairwise(starts))
    return groups, np.array(starts[1:-1]), np.array(shares, np.float32)[:, None]


def _sum_areas(row_sums: NDArray[Any], count: int) -> NDArray[np.float32]:
    """Sums over `count` equal groups of columns."""
    rows, width = row_sums.shape
    if width % count == 0:
        # NumPy's own sum along so few columns takes ten times as long
        groups = row_sums.reshape(rows, count, width // count)
        total = groups[..., 0].astype(np.float32)
        for k in range(1, width // count):
            total += groups[..., k]
        return total
    turned = np.ascontiguousarray(row_sums.T, dtype=np.float32)
    return np.ascontiguousarray(_sum_rows(turned, count).T, dtype=np.float32)
