"""`ops.banding` with counts that have a slope, for gradients only.

A neighbour counts as 1 at exactly the code difference asked for and falls to 0 one code away, in a
straight line (a tent). At whole codes that is the exact count, between them the count moves over
from one code to the next. At whole codes a tent has a corner, and there the slope is chosen:

- at its top, the slope of the side that closes the step between the two pixels. Both sides lower
  the count; a smaller step is what lowers banding, a larger one would only hide it from the count;
- at the top of the pixel's own code, and at its feet, 0.

So on a picture of whole codes two bands pull at each other, each pixel in proportion to the windows
in which it faces the other band, which is what a debanding filter does.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

import jax
import jax.numpy as jnp

from jaxvqa._typing import Array, Float
from jaxvqa.ops import safe
from jaxvqa.ops.banding import SKIP, Contrast, sheet_layout


def soft_response(
    pictures: Sequence[Float[Array, "_h _w"]], half: int, contrasts: Sequence[Contrast]
) -> list[Float[Array, "_h _w"]]:
    """Largest weighted contrast response of every pixel of several pictures.

    Args:
        pictures: codes below `SKIP`, whole or not, largest picture first; pixels that take no part
            are `SKIP`.
        half: half window; the window has `2 * half + 1` samples a side and is cut at the borders.
        contrasts: what counts for differences 1, 2, ...

    Returns:
        Responses in the dtype of the pictures, 0 for pixels that are `SKIP` or see no contrast; at
        whole codes those of `banding.response` within float rounding. Reverse derivatives only.

    Time grows with the area of the window, memory is a few dozen pictures, also in the backward
    pass, which counts again instead of keeping anything.
    """
    corners, size = sheet_layout([p.shape for p in pictures], half)
    # one sheet for all pictures, so that the counting is compiled once
    sheet = jnp.full(size, SKIP, pictures[0].dtype)
    for picture, corner in zip(pictures, corners, strict=True):
        sheet = jax.lax.dynamic_update_slice(sheet, picture, corner)
    found = _combine(sheet, soft_counts(sheet, half, len(contrasts)), contrasts)
    return [
        found[top : top + picture.shape[0], left : left + picture.shape[1]]
        for picture, (top, left) in zip(pictures, corners, strict=True)
    ]


def _combine(
    codes: Float[Array, "h w"], counts: Float[Array, "n h w"], contrasts: Sequence[Contrast]
) -> Float[Array, "h w"]:
    reach = len(contrasts)
    code = jnp.rint(jax.lax.stop_gradient(codes))
    own = counts[reach]
    best = jnp.zeros_like(codes)
    for d, contrast in enumerate(contrasts, start=1):
        other = jnp.maximum(counts[reach + d], counts[reach - d])
        value = contrast.weight * safe.divide(own * other, own + other)
        shows = (code >= contrast.low) & (code <= contrast.high) & (code < SKIP)
        best = jnp.maximum(best, jnp.where(shows, value, jnp.zeros_like(value)))
    return best


@functools.partial(jax.custom_vjp, nondiff_argnums=(1, 2))
def soft_counts(codes: Float[Array, "h w"], half: int, reach: int) -> Float[Array, "n h w"]:
    """How many neighbours differ from each pixel by -reach, ..., 0, ..., +reach codes."""
    height, width = codes.shape
    padded = _pad(codes, half, float(SKIP))
    differences = _differences(reach, codes.dtype)

    def add_row(row: Array, counts: Array) -> Array:
        rows = jax.lax.dynamic_slice_in_dim(padded, row, height)
        for column in range(2 * half + 1):
            step = rows[None, :, column : column + width] - codes[None] - differences
            counts += jnp.maximum(1 - jnp.abs(step), 0)
        return counts

    zero = jnp.zeros((2 * reach + 1, height, width), codes.dtype)
    return jax.lax.fori_loop(0, 2 * half + 1, add_row, zero)


def _forward(codes: Array, half: int, reach: int) -> tuple[Array, Array]:
    return soft_counts(codes, half, reach), codes


def _backward(half: int, reach: int, codes: Array, given: Array) -> tuple[Array]:
    """Pulls on each pixel: by the pixels in whose window it lies, and by its own window.

    A window is symmetric, so both are sums over the same neighbours, and nothing is scattered.
    """
    height, width = codes.shape
    padded, theirs = _pad(codes, half, float(SKIP)), _pad(given, half, 0.0)
    differences = _differences(reach, codes.dtype)

    def add_row(row: Array, pulls: Array) -> Array:
        rows = jax.lax.dynamic_slice_in_dim(padded, row, height)
        weights = jax.lax.dynamic_slice_in_dim(theirs, row, height, axis=1)
        for column in range(2 * half + 1):
            step = rows[None, :, column : column + width] - codes[None]
            as_neighbour = _slope(-step, differences) * weights[:, :, column : column + width]
            pulls += as_neighbour - _slope(step, differences) * given
        return pulls

    pulls = jax.lax.fori_loop(0, 2 * half + 1, add_row, jnp.zeros_like(given))
    return (pulls.sum(0),)


soft_counts.defvjp(_forward, _backward)


def _slope(step: Array, differences: Array) -> Array:
    """Slope of the tents over `differences`; the module's text says which at their corners."""
    beyond = step - differences
    side = jnp.where(beyond == 0, jnp.sign(differences), -jnp.sign(beyond))
    return jnp.where(jnp.abs(beyond) < 1, side, jnp.zeros_like(side))


def _differences(reach: int, dtype: jnp.dtype) -> Float[Array, "n 1 1"]:
    return jnp.arange(-reach, reach + 1, dtype=dtype)[:, None, None]


def _pad(x: Array, border: int, value: float) -> Array:
    """`x` with a border on its last two axes, written in place, as in `ops.banding`."""
    *batch, height, width = x.shape
    room = jnp.full((*batch, height + 2 * border, width + 2 * border), value, x.dtype)
    return jax.lax.dynamic_update_slice(room, x, (*(0 for _ in batch), border, border))
