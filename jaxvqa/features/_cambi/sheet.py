"""The pictures of all scales on one sheet, so that what follows is compiled once."""

from __future__ import annotations

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np

from jaxvqa._typing import Array, Shaped

# code of pixels that take no part: above every real code, and far enough that no contrast meets it
SKIP = 1 << 14


def lay_out(pictures: Sequence[Shaped[Array, "_h _w"]], gap: int, fill: float) -> Array:
    """All pictures, largest first, on one sheet, `gap` samples apart.

    So that what follows is compiled once and not for every size.
    """
    corners, size = _layout([p.shape for p in pictures], gap)
    sheet = jnp.full(size, fill, pictures[0].dtype)
    for picture, corner in zip(pictures, corners, strict=True):
        sheet = jax.lax.dynamic_update_slice(sheet, picture, corner)
    return sheet


def cut_out(
    sheet: Shaped[Array, "h w"], shapes: Sequence[tuple[int, ...]], gap: int
) -> list[Array]:
    """The pictures of a sheet."""
    corners, _ = _layout(shapes, gap)
    return [
        sheet[top : top + shape[0], left : left + shape[1]]
        for shape, (top, left) in zip(shapes, corners, strict=True)
    ]


def rows_by_scale(
    sheet: Shaped[Array, "h w"], shapes: Sequence[tuple[int, ...]], gap: int
) -> list[tuple[Array, np.ndarray]]:
    """The first picture of a sheet, and all others side by side: each with who owns which columns.

    Returns:
        Two arrays, and for each a bool table `(pictures, columns)`.
    """
    corners, _ = _layout(shapes, gap)
    found = []
    for part in (slice(0, 1), slice(1, None)):
        edges = [
            (left, left + s[1]) for s, (_, left) in zip(shapes[part], corners[part], strict=True)
        ]
        columns = np.arange(edges[-1][1])
        top, height = corners[part][0][0], shapes[part][0][0]
        owners = np.array([(columns >= left) & (columns < right) for left, right in edges])
        found.append((sheet[top : top + height, : columns.size], owners))
    return found


def _layout(shapes: Sequence[tuple[int, ...]], gap: int) -> tuple[list[tuple[int, int]], list[int]]:
    """Corners of pictures on a sheet, the first above the others side by side, and its size."""
    corners, left = [(0, 0)], 0
    for _, width in shapes[1:]:
        corners.append((shapes[0][0] + gap, left))
        left += width + gap
    size = [
        max(corner[axis] + shape[axis] for corner, shape in zip(corners, shapes, strict=True))
        for axis in (0, 1)
    ]
    return corners, size


def padded(x: Shaped[Array, "h w"], border: int, fill: float) -> Array:
    """`x` with a border; written in place, because a fused pad is slow to read."""
    room = jnp.full([n + 2 * border for n in x.shape], fill, x.dtype)
    return jax.lax.dynamic_update_slice(room, x, (border, border))
