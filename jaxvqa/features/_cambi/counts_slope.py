"""The direction in which each pixel lowers banding: the slope of the counts of `counts.py`.

Counts of whole codes have no slope, so one is chosen. Let a neighbour count 1 at exactly the code
difference asked for and fall to 0 one code away, in a straight line. At whole codes these soft
counts are the exact ones, and each has a corner there. Of the two slopes at the corner the one is
taken that closes the step between the two pixels: a smaller step is what lowers banding, a larger
one would only hide it from the count. The count of a pixel's own code gets no slope.

So two bands attract each other, each pixel in proportion to the windows in which it faces the other
band, which is what a debanding filter does. Only the contrast that gives a pixel its response has
a slope; where the codes above and below give the same, each gets half of it.

Nothing is approximated: counts are integers, and the slope at a pixel of code u is a box sum over
the neighbours that look for code u. The CPU walks through the codes of small tiles,
accelerators compare all offsets.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxvqa._ops.platforms import choose
from jaxvqa._ops.stages import stage
from jaxvqa._typing import Array, Float, Integer
from jaxvqa.features._cambi.counts import (
    Contrast,
    by_contrast,
    columns_of,
    contrast_response,
    count_offsets,
    counting_window,
)
from jaxvqa.features._cambi.sheet import SKIP, padded
from jaxvqa.features._cambi.sliding import over_pixels
from jaxvqa.features._cambi.tiles import (
    codes_upwards,
    flattened,
    over_tiles,
    shifted_sum,
    unflattened,
)


class Facing(NamedTuple):
    """What each pixel of a sheet sees in its window; 0 everywhere for pixels without contrast.

    Args:
        response: its response, as `counts.response`.
        slope: slope of the response by the larger count of the other code.
        others: that count.
        contrast: code difference of the contrast that gives the response.
        side: 1 if the brighter code is the more frequent one, -1 the darker, 0 both alike.
    """

    response: Float[Array, "h w"]
    slope: Float[Array, "h w"]
    others: Integer[Array, "h w"]
    contrast: Integer[Array, "h w"]
    side: Integer[Array, "h w"]


def facing(codes: Integer[Array, "h w"], half: int, contrasts: Sequence[Contrast]) -> Facing:
    """Counts once more, and keeps what the response of each pixel comes from.

    Args:
        codes: int16 codes of a sheet (`sheet.lay_out`).
        half: half window.
        contrasts: what counts for differences 1, 2, ...
    """
    contrasts = tuple(contrasts)
    return choose(
        codes,
        cpu=lambda c: facing_by_columns(c, half, contrasts),
        default=lambda c: facing_by_offsets(c, half, contrasts),
    )


def slopes_of_counts(
    codes: Integer[Array, "h w"], seen: Facing, given: Float[Array, "h w"], half: int
) -> Float[Array, "h w"]:
    """Slope of `(given * response).sum()` by the code of each pixel.

    Args:
        codes: the sheet that `seen` comes from.
        seen: what `facing` found.
        given: weight of each pixel's response.
        half: half window.
    """
    force = given * seen.slope
    side = seen.side.astype(force.dtype)
    own = side * force * seen.others.astype(force.dtype)
    step = seen.contrast
    # (code that is looked for, force): brighter ones are pulled down, darker ones up
    sources = (codes + step, force * (1 + side) / 2, codes - step, force * (side - 1) / 2)
    theirs = choose(
        codes,
        *sources,
        cpu=lambda c, *s: slopes_by_tiles(c, s, half),
        default=lambda c, *s: slopes_by_offsets(c, s, half),
    )
    return theirs - own


def _strongest(
    codes: Array, own: Array, sides: Sequence[tuple[Array, Array]], contrasts: Sequence[Contrast]
) -> Facing:
    """From the count of each pixel's own code and the counts (below, above) at each contrast."""
    nothing, zero = jnp.zeros(own.shape, jnp.float32), jnp.zeros(own.shape, jnp.int16)
    best = Facing(nothing, nothing, zero, zero, zero)
    for difference, (contrast, (below, above)) in enumerate(zip(contrasts, sides, strict=True), 1):
        other = jnp.maximum(below, above)
        response, share = contrast_response(codes, own, other, contrast)
        found = Facing(
            response,
            contrast.weight * share * share,
            other,
            jnp.full_like(zero, difference),
            jnp.sign(above - below),
        )
        better = response > best.response
        best = Facing(*(jnp.where(better, a, b) for a, b in zip(found, best, strict=True)))
    return best


def facing_by_offsets(codes: Array, half: int, contrasts: Sequence[Contrast]) -> Facing:
    """`facing` by comparing each pixel with every pixel of its window."""
    return _strongest(codes, *by_contrast(count_offsets(codes, half, len(contrasts))), contrasts)


def facing_by_columns(codes: Array, half: int, contrasts: Sequence[Contrast]) -> Facing:
    """`facing` with histograms of columns."""

    def of_pixels(codes: Array, counts: Array) -> Facing:
        found = by_contrast(columns_of(counts.astype(jnp.int16), contrasts))
        return _strongest(codes, *found, contrasts)

    return over_pixels(of_pixels, codes, counting_window(half, contrasts))


def slopes_by_offsets(codes: Array, sources: Sequence[Array], half: int) -> Array:
    """The slope at each pixel, by looking at every pixel of the window."""
    height, width = codes.shape
    around = [padded(x, half, 0) for x in sources]

    def add_row(row: Array, total: Array) -> Array:
        up, up_force, down, down_force = (
            jax.lax.dynamic_slice_in_dim(x, row, height) for x in around
        )
        for column in range(2 * half + 1):
            here = slice(column, column + width)
            total += jnp.where(up[:, here] == codes, up_force[:, here], 0)
            total += jnp.where(down[:, here] == codes, down_force[:, here], 0)
        return total

    return jax.lax.fori_loop(0, 2 * half + 1, add_row, jnp.zeros(codes.shape, sources[1].dtype))


def slopes_by_tiles(codes: Array, sources: Sequence[Array], half: int) -> Array:
    """The slope at each pixel, by box sums for each code that occurs in a tile."""

    def tile(area: Array, *around: Array) -> Array:
        _, core, stride = flattened(area, half)
        sources = [x.reshape(-1) for x in around]

        def keep(code: Array, total: Array) -> Array:
            looking = stage(_looking, *sources, code)
            across = stage(shifted_sum, looking, count=size, step=1, length=looking.size - 2 * half)
            force = stage(shifted_sum, across, count=size, step=stride, length=core.size)
            return jnp.where(core == code, force, total)

        zero = jnp.zeros(core.shape, sources[1].dtype)
        return unflattened(codes_upwards(core, keep, zero), half, stride)

    size = 2 * half + 1
    fills = (SKIP, 0, 0, 0, 0)
    around = [padded(x, half, fill) for x, fill in zip((codes, *sources), fills, strict=True)]
    return over_tiles(tile, around, half, sources[1].dtype)


def _looking(up: Array, up_force: Array, down: Array, down_force: Array, code: Array) -> Array:
    """The forces of pixels that look for a code."""
    return jnp.where(up == code, up_force, jnp.where(down == code, down_force, 0))
