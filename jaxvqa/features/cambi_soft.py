"""CAMBI with a gradient: the exact value, and the slope of a score that counts softly.

The soft score repeats CAMBI's steps on codes that need not be whole. What is a decision in CAMBI is
taken on the rounded picture and has no slope: which areas are flat, which neighbour the mode filter
picks, which codes are visible. Only the counts are soft (`ops.soft_banding`), and the worst
pixels are those of the soft responses. On whole codes it equals CAMBI within float rounding.

The gradient is that of the soft score at the rounded picture: rounding and clipping to the codes
are passed straight through. Seen from between the codes a smooth ramp has no bands, but the file
that it is stored in has.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp

from jaxvqa._typing import Array, Float
from jaxvqa.features.cambi import (
    FEATURE,
    SCALE_WEIGHTS,
    averages,
    examined,
    nearest,
    prepare,
    worst_count,
)
from jaxvqa.features.cambi_tables import Geometry, contrasts, geometries
from jaxvqa.features.options import Options
from jaxvqa.ops.banding import SKIP
from jaxvqa.ops.borders import pad
from jaxvqa.ops.soft_banding import soft_response
from jaxvqa.ops.tiling import map_frames
from jaxvqa.ops.topk import shares_of_largest
from jaxvqa.planes import Planes


@functools.partial(jax.custom_jvp, nondiff_argnums=(1, 2))
def banding(y: Float[Array, "frames h w"], depth: int, options: Options) -> Float[Array, " frames"]:
    """CAMBI of float frames, exact on rounded codes, with the slope of the soft score.

    Args:
        y: luma code values, rounded and clipped to `depth` bits for the value.
        depth: bits a sample.
        options: options of `features.cambi`; `full_ref` and the source's size change nothing.

    Returns:
        `(frames,)`, 0 to `max_val`, lower is better. Gradient 0 from `max_val` up. Forward and
        reverse derivatives; those of the gradient are 0.
    """
    codes = Planes(rounded_codes(y, depth), bit_depth=depth)
    return FEATURE.extract(codes, codes, options)["cambi"].astype(y.dtype)


@banding.defjvp
def _banding_jvp(depth: int, options: Options, primals: Any, tangents: Any) -> tuple[Array, Array]:
    (y,), (change,) = primals, tangents
    value = banding(y, depth, options)
    whole = rounded_codes(y, depth).astype(y.dtype)
    slopes = map_frames(jax.grad(lambda frame: soft_score(frame, depth, options)), whole)
    below = (value < options.cambi_max_val)[:, None, None]
    slopes = jax.lax.stop_gradient(jnp.where(below, slopes, jnp.zeros_like(slopes)))
    return value, (slopes * change).sum((-2, -1))


def rounded_codes(y: Float[Array, "*frames h w"], depth: int) -> Array:
    """Frames as the integer codes that a file would store, without gradient."""
    codes = jnp.clip(jnp.rint(jax.lax.stop_gradient(y)), 0, (1 << depth) - 1)
    return codes.astype(jnp.uint8 if depth == 8 else jnp.uint16)


def soft_score(y: Float[Array, "h w"], depth: int, options: Options) -> Float[Array, ""]:
    """CAMBI of one frame by soft counts, without the limit `max_val`.

    Args:
        y: luma code values, whole or not, in float32 or float64.
        depth: bits a sample.
        options: options of `features.cambi`.

    Returns:
        The score. Reverse derivatives only.
    """
    geometry, _ = geometries(y.shape[0], y.shape[1], options)
    responses = soft_response(
        _pictures(y, depth, geometry, options), geometry.window // 2, contrasts(options)
    )
    total = jnp.zeros((), y.dtype)
    for weight, found in zip(SCALE_WEIGHTS, responses, strict=True):
        shares = shares_of_largest(found, worst_count(found.size, options))
        total += weight * (shares * found).sum()
    return total / geometry.window**2


def _pictures(
    y: Float[Array, "h w"], depth: int, geometry: Geometry, options: Options
) -> list[Float[Array, "_h _w"]]:
    """CAMBI's pictures at the five scales, with the float codes in place of the whole ones."""
    exact = rounded_codes(y, depth)
    dither = averages(depth, options)
    codes, flat = prepare(exact, depth, dither, geometry)
    # whole where the samples are, also where the codes were rounded again on the way to 10 bits
    x = codes.astype(y.dtype) + _prepare(y - exact.astype(y.dtype), depth, dither, geometry)
    visible = contrasts(options)
    found = []
    for scale in range(len(SCALE_WEIGHTS)):
        if scale:
            codes, flat, x = codes[::2, ::2], flat[::2, ::2], x[::2, ::2]
        codes, x = _mode_filter(codes, x)
        takes_part = flat & examined(codes, visible)
        found.append(jnp.where(takes_part, x, jnp.full_like(x, SKIP)))
    return found


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
