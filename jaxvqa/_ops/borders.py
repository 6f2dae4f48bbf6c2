"""Border extension by name.

`reflect` mirrors about the edge sample without repeating it (3 2 1 | 1 is left out: index -k reads
k), `symmetric` mirrors between samples (index -1 reads 0), back and forth where the picture is
smaller than its border, `edge` repeats the last sample. The two ends of an axis may differ, as in
libvmaf's ADM.

A pad inside a filter's loop costs ten times the filter: pad once, then filter without borders. The
barrier behind each pad keeps accelerators from fusing it; on CPU a pad is a stage of its own.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from jaxvqa._ops.stages import cpu_stage
from jaxvqa._typing import Array

MODES = ("reflect", "symmetric", "edge")


def border_indices(size: int, before: int, after: int, mode: str, mode_after: str) -> np.ndarray:
    """Source index of every sample of an axis extended by `before` and `after` samples."""
    index = np.arange(-before, size + after)
    return np.where(
        index < 0,
        _mirror(-index, mode, size, low=True),
        np.where(index >= size, _mirror(index - (size - 1), mode_after, size, low=False), index),
    )


def _mirror(distance: np.ndarray, mode: str, size: int, *, low: bool) -> np.ndarray:
    """Index reached by going `distance` >= 1 samples beyond an edge sample."""
    inward = {"reflect": distance, "symmetric": distance - 1, "edge": 0 * distance}[mode]
    return inward if low else size - 1 - inward


def _extend(x: Array, axis: int, before: int, after: int, mode: str, mode_after: str) -> Array:
    size = x.shape[axis]
    parts = [x]
    if before:
        parts.insert(0, _edge_part(x, axis, before, mode, size, low=True))
    if after:
        parts.append(_edge_part(x, axis, after, mode_after, size, low=False))
    return jnp.concatenate(parts, axis) if len(parts) > 1 else x


def _edge_part(x: Array, axis: int, count: int, mode: str, size: int, *, low: bool) -> Array:
    if mode not in MODES:
        raise ValueError(f"border mode must be one of {MODES}, got {mode!r}.")
    if mode == "edge":
        edge = jax.lax.slice_in_dim(x, 0 if low else size - 1, 1 if low else size, axis=axis)
        return jnp.repeat(edge, count, axis)
    if mode == "symmetric" and count > size:
        turns = [x, jnp.flip(x, axis)] * (count // size + 1)
        if low:
            whole = jnp.concatenate(turns, axis)
            return jax.lax.slice_in_dim(whole, whole.shape[axis] - count, None, axis=axis)
        return jax.lax.slice_in_dim(jnp.concatenate(turns[1:], axis), 0, count, axis=axis)
    skip = 1 if mode == "reflect" else 0
    if count + skip > size:
        raise ValueError(
            f"a {mode} border of {count} samples needs at least {count + skip} samples, "
            f"the picture has {size}."
        )
    start = skip if low else size - skip - count
    return jnp.flip(jax.lax.slice_in_dim(x, start, start + count, axis=axis), axis)


def pad(
    x: Array,
    rows: tuple[int, int],
    columns: tuple[int, int],
    mode: str = "reflect",
    mode_after: str | None = None,
    *,
    row_axis: int = -2,
) -> Array:
    """Extends two axes of `x`, the last one and another.

    Args:
        x: `(..., height, width)`.
        rows: samples to add above and below.
        columns: samples to add left and right.
        mode: border rule, at the top and left and, unless `mode_after` says otherwise, at the
            bottom and right.
        mode_after: border rule at the bottom and right.
        row_axis: axis of the rows.

    Returns:
        The extended array.

    Raises:
        ValueError: an unknown mode, or a `reflect` border wider than the picture.
    """
    after = mode if mode_after is None else mode_after
    return cpu_stage(
        _extended, x, rows=rows, columns=columns, mode=mode, after=after, row_axis=row_axis
    )


def _extended(
    x: Array, *, rows: tuple[int, int], columns: tuple[int, int], mode: str, after: str,
    row_axis: int,
) -> Array:  # fmt: skip
    x = _extend(x, row_axis % x.ndim, rows[0], rows[1], mode, after)
    x = _extend(x, x.ndim - 1, columns[0], columns[1], mode, after)
    return jax.lax.optimization_barrier(x)
