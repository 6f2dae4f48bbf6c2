"""CAMBI with a gradient: the exact value, and the way each pixel would have to go for a lower one.

What is a decision in CAMBI has no slope: which areas are flat, which neighbour the mode filter
picks, which codes are visible, which pixels are the worst. Only the counts have one
(`counts_slope.py`), and from the codes that are counted it goes back through what is linear: the
sample that the mode filter picked, decimation, the average of neighbours, resizing.

The gradient is that at the rounded picture: rounding and clipping to the codes are passed straight
through. Seen from between the codes a smooth ramp has no bands, but the file that it is stored in
has.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp

from jaxvqa._ops.borders import pad
from jaxvqa._ops.tiling import map_frames
from jaxvqa._ops.topk import shares_of_largest
from jaxvqa._planes import to_codes
from jaxvqa._typing import Array, Float
from jaxvqa.features._cambi.counts_slope import facing, slopes_of_counts
from jaxvqa.features._cambi.options import CambiOptions
from jaxvqa.features._cambi.score import (
    SCALE_WEIGHTS,
    averages,
    examined,
    limited_scores,
    nearest,
    prepare,
    response_bound,
    worst_count,
)
from jaxvqa.features._cambi.sheet import SKIP, cut_out, lay_out
from jaxvqa.features._cambi.tables import Geometry, contrasts


@functools.partial(jax.custom_jvp, nondiff_argnums=(1, 2, 3))
def banding(
    y: Float[Array, "frames h w"], depth: int, options: CambiOptions, geometry: Geometry
) -> Float[Array, " frames"]:
    """CAMBI of float frames, exact on rounded codes, with the slope of `banding_slope`.

    Args:
        y: luma code values, rounded and clipped to `depth` bits for the value.
        depth: bits per sample.
        options: options of `features.cambi`.
        geometry: the size at which frames are examined.

    Returns:
        `(frames,)`, 0 to `max_val`, lower is better. Gradient 0 from `max_val` up. Forward and
        reverse derivatives; those of the gradient are 0.
    """
    return limited_scores(to_codes(y, depth), depth, geometry, options).astype(y.dtype)


@banding.defjvp
def _banding_jvp(
    depth: int, options: CambiOptions, geometry: Geometry, primals: Any, tangents: Any
) -> tuple[Array, Array]:
    (y,), (change,) = primals, tangents
    value = banding(y, depth, options, geometry)
    slope = functools.partial(banding_slope, depth=depth, options=options, geometry=geometry)
    slopes = map_frames(slope, to_codes(y, depth))
    below = (value < options.max_val)[:, None, None]
    slopes = jax.lax.stop_gradient(jnp.where(below, slopes, jnp.zeros_like(slopes)))
    return value, (slopes.astype(y.dtype) * change).sum((-2, -1))


def banding_slope(
    codes: Array, depth: int, options: CambiOptions, geometry: Geometry
) -> Float[Array, "h w"]:
    """Slope of the score of one frame, without the limit `max_val`, in float32.

    Args:
        codes: luma codes, uint8 or uint16 `(h, w)`.
        depth: bits per sample.
        options: options of `features.cambi`.
        geometry: the size at which the frame is examined.
    """
    half = geometry.window // 2
    examined_codes = functools.partial(_pictures, codes, depth, geometry, options)
    pictures, back, found = jax.vjp(
        examined_codes, jnp.zeros(codes.shape, jnp.float32), has_aux=True
    )
    shapes = [p.shape for p in pictures]
    sheet = lay_out(found, half, SKIP)
    seen = facing(sheet, half, contrasts(options))
    bound = response_bound(geometry, options)
    given = [
        weight / geometry.window**2 * shares_of_largest(r, worst_count(r.size, options), bound)
        for weight, r in zip(SCALE_WEIGHTS, cut_out(seen.response, shapes, half), strict=True)
    ]
    slope = slopes_of_counts(sheet, seen, lay_out(given, half, 0), half)
    (slope,) = back(cut_out(slope, shapes, half))
    return slope


def _pictures(
    exact: Array, depth: int, geometry: Geometry, options: CambiOptions, move: Float[Array, "h w"]
) -> tuple[list[Array], list[Array]]:
    """How the codes at the five scales move with the samples, and the codes themselves.

    Returns:
        Float pictures, linear in `move` and 0 for codes that take no part; int16 pictures of the
        codes as `cambi` counts them.
    """
    dither = averages(depth, options)
    codes, flat = prepare(exact, depth, dither, geometry)
    x = _prepare(move, depth, dither, geometry)
    visible = contrasts(options)
    moved, counted = [], []
    for scale in range(len(SCALE_WEIGHTS)):
        if scale:
            codes, flat, x = codes[::2, ::2], flat[::2, ::2], x[::2, ::2]
        codes, x = _mode_filter(codes, x)
        takes_part = flat & examined(codes, visible)
        moved.append(jnp.where(takes_part, x, jnp.zeros_like(x)))
        counted.append(jnp.where(takes_part, codes, SKIP))
    return moved, counted


def _prepare(
    y: Float[Array, "h w"], depth: int, dither: bool, geometry: Geometry
) -> Float[Array, "H W"]:
    """The linear part of `cambi.prepare`."""
    height, width = geometry.height, geometry.width
    step = 2 if geometry.halved else 1
    x = y * 2.0 ** (10 - depth)
    x = pad(nearest(x, height, width), (0, 2), (0, 2), "edge")
    if dither:
        x = (x[:-1, :-1] + x[:-1, 1:] + x[1:, :-1] + x[1:, 1:]) * 0.25
    return x[:height:step, :width:step]


def _mode_filter(codes: Array, x: Array) -> tuple[Array, Array]:
    """`cambi`'s mode filter of whole codes, and the float codes of the samples that it picks."""
    rows, columns = codes.shape
    if rows < 3:
        return codes, x
    across = codes, x
    if columns > 2:
        picked = _mode(*([p[:, k : columns - 2 + k] for p in across] for k in range(3)))
        across = [p.at[:, 1:-1].set(q) for p, q in zip((codes, x), picked, strict=True)]
    picked = _mode(*([p[k : rows - 2 + k] for p in across] for k in range(3)))
    return codes.at[1:-1].set(picked[0]), x.at[1:-1].set(picked[1])


def _mode(*three: Sequence[Array]) -> tuple[Array, Array]:
    (a, xa), (b, xb), (c, xc) = three
    first = (a == b) | (a == c) | ((b != c) & (a < b) & (a < c))
    second = (b == c) | (b < c)
    pick = lambda a, b, c: jnp.where(first, a, jnp.where(second, b, c))  # noqa: E731
    return pick(a, b, c), pick(xa, xb, xc)
