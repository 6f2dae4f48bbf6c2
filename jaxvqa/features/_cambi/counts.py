"""Contrast of a pixel's code value against nearby codes in a square window, by exact counting.

For a pixel of code v, n(u) counts the pixels of code u in the window around it, and its response is
the largest `weight * n(v) * m / (n(v) + m)` with m = max(n(v + d), n(v - d)) over the contrasts d.
Two forms give the same integers; the platform picks one when the program is lowered:

- `response_by_columns` (CPU): a histogram per column slides down the picture (`sliding.py`). Its
  cost is that of the pixels that take part.
- `response_by_offsets` (accelerators): compares every pixel with each pixel of its window, with no
  step that depends on the data.

docs/cambi.md has the measurements behind the choice.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import jax
import jax.numpy as jnp

from jaxvqa._ops.platforms import choose
from jaxvqa._typing import Array, Float, Integer
from jaxvqa.features._cambi.sheet import SKIP, padded
from jaxvqa.features._cambi.sliding import Window, over_pixels


@dataclass(frozen=True)
class Contrast:
    """One code difference that may be visible.

    Args:
        weight: its weight in the response.
        low, high: codes v for which it counts, both included.
    """

    weight: int
    low: int
    high: int


def response(
    sheet: Integer[Array, "h w"], half: int, contrasts: Sequence[Contrast]
) -> Float[Array, "h w"]:
    """Largest weighted contrast response of every pixel of several pictures.

    Args:
        sheet: int16 codes, laid out by `lay_out` with a gap of `half`; `SKIP` for pixels that take
            no part and between pictures, less elsewhere.
        half: half window; the window has `2 * half + 1` samples a side and is cut at the borders.
        contrasts: what counts for differences 1, 2, ...

    Returns:
        float32 responses, 0 for pixels that are `SKIP` or see no contrast.
    """
    contrasts = tuple(contrasts)
    return choose(
        sheet,
        cpu=lambda c: response_by_columns(c, half, contrasts),
        default=lambda c: response_by_offsets(c, half, contrasts),
    )


def contrast_response(
    codes: Array, own: Array, other: Array, contrast: Contrast
) -> tuple[Array, Array]:
    """Response of each pixel to one contrast, and the share of its own code among the two counts.

    Args:
        codes: codes of the pixels.
        own: count of each pixel's own code in its window.
        other: the larger count of the codes at the contrast.
        contrast: its weight and the codes it counts for; for others both results are 0.
    """
    code, own, other = (x.astype(jnp.int32) for x in (codes, own, other))
    # one rounding for the reciprocal and one for the product, as in the reference tool
    inverse = 1.0 / jnp.maximum(own + other, 1).astype(jnp.float32)
    product = (contrast.weight * own * other).astype(jnp.float32)
    counts = (code >= contrast.low) & (code <= contrast.high)
    response = jnp.where(counts, product * inverse, 0.0)
    return response, jnp.where(counts, own.astype(jnp.float32) * inverse, 0.0)


def combined(
    codes: Array, own: Array, others: Sequence[Array], contrasts: Sequence[Contrast]
) -> Array:
    """Largest response, from the count of each pixel's own code and the larger at each contrast."""
    found = [contrast_response(codes, own, o, c)[0] for o, c in zip(others, contrasts, strict=True)]
    return functools.reduce(jnp.maximum, found)


def response_by_offsets(
    codes: Integer[Array, "h w"], half: int, contrasts: Sequence[Contrast]
) -> Float[Array, "h w"]:
    """`response` of one picture by comparing each pixel with every pixel of its window."""
    own, sides = by_contrast(count_offsets(codes, half, len(contrasts)))
    return combined(codes, own, [jnp.maximum(*pair) for pair in sides], contrasts)


def count_offsets(codes: Integer[Array, "h w"], half: int, reach: int) -> tuple[Array, ...]:
    """How many neighbours differ from each pixel by -reach, ..., 0, ..., +reach codes."""
    height, width = codes.shape
    around = padded(codes, half, SKIP)

    def add_row(row: Array, counts: tuple[Array, ...]) -> tuple[Array, ...]:
        rows = jax.lax.dynamic_slice_in_dim(around, row, height)
        found = list(counts)
        for column in range(2 * half + 1):
            difference = rows[:, column : column + width] - codes
            for i in range(2 * reach + 1):
                found[i] += (difference == i - reach).astype(jnp.int16)
        return tuple(found)

    zero = jnp.zeros((height, width), jnp.int16)
    return jax.lax.fori_loop(0, 2 * half + 1, add_row, (zero,) * (2 * reach + 1))


def counting_window(half: int, contrasts: Sequence[Contrast]) -> Window:
    """What has to be counted for some contrasts: the codes that any pixel compares itself with."""
    reach = len(contrasts)
    return Window(half, reach, *code_range(contrasts))


def code_range(contrasts: Sequence[Contrast]) -> tuple[int, int]:
    """The lowest and the highest code that some pixel may compare itself with."""
    reach = len(contrasts)
    lowest = min(c.low for c in contrasts) - reach
    return max(lowest, 0), max(c.high for c in contrasts) + reach


def response_by_columns(
    codes: Integer[Array, "h w"], half: int, contrasts: Sequence[Contrast]
) -> Float[Array, "h w"]:
    """`response` of one picture with histograms of columns."""

    def of_pixels(codes: Array, counts: Array) -> Array:
        own, sides = by_contrast(columns_of(counts, contrasts))
        return combined(codes, own, [jnp.maximum(*pair) for pair in sides], contrasts)

    return over_pixels(of_pixels, codes, counting_window(half, contrasts))


def columns_of(counts: Array, contrasts: Sequence[Contrast]) -> list[Array]:
    """What `over_pixels` counted, by code difference as `count_offsets` has it."""
    return [counts[:, k] for k in range(2 * len(contrasts) + 1)]


def by_contrast(counts: Sequence[Array]) -> tuple[Array, list[tuple[Array, Array]]]:
    """Of counts by code difference that of the own code, and (below, above) at each contrast."""
    reach = len(counts) // 2
    return counts[reach], [(counts[reach - d], counts[reach + d]) for d in range(1, reach + 1)]
