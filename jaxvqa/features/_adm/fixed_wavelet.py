"""Wavelet of libvmaf's fixed-point `adm`, and the region of its bands that the scores look at.

Reference and distorted picture go together, `(rows, 2, columns)`: half the programs to compile.

Source: libvmaf f85a853, `integer_adm.c`. Call `wavelet` inside `jax.enable_x64(True)`.
"""

from __future__ import annotations

from dataclasses import dataclass

import jax
import jax.numpy as jnp

from jaxvqa._ops.borders import pad
from jaxvqa._ops.filters import correlate
from jaxvqa._ops.fixed import round_shift
from jaxvqa._ops.stages import stage
from jaxvqa._ops.tiling import map_rows
from jaxvqa._typing import Array, Integer

SCALES = 4
# db2 analysis filters times 2^15
LOW = (15826, 27411, 7345, -4240)
HIGH = (-4240, -7345, 27411, -15826)
# rounding shifts after the two passes; the vertical one of scale 0 is the bit depth
_VERTICAL_SHIFT = (None, 0, 16, 16)
_HORIZONTAL_SHIFT = (16, 15, 16, 15)

# horizontal, vertical, diagonal detail of both pictures, each `(rows, 2, columns)`
FixedBands = tuple[Array, Array, Array]


@dataclass(frozen=True)
class Region:
    """Rows `top` to `bottom`, columns `left` to `right` of a band: what the scores look at."""

    top: int
    bottom: int
    left: int
    right: int

    @classmethod
    def of(cls, height: int, width: int) -> Region:
        """A tenth of the band is left out along every border."""
        top, left = int(height * 0.1 - 0.5), int(width * 0.1 - 0.5)
        return cls(top, height - top, left, width - left)

    @property
    def height(self) -> int:
        """Rows."""
        return self.bottom - self.top

    @property
    def width(self) -> int:
        """Columns."""
        return self.right - self.left


def band_sizes(height: int, width: int) -> list[tuple[int, int]]:
    """Height and width of the bands at scales 0 to 3."""
    sizes = []
    for _ in range(SCALES):
        height, width = (height + 1) // 2, (width + 1) // 2
        sizes.append((height, width))
    return sizes


def _vertical(x: Integer[Array, "h 2 w"], *, taps: tuple[int, ...], scale: int, bits: int) -> Array:
    if scale == 0:
        # from mid-grey: the sum stays below 2^15 * 1.7 * 2^15, the result below 2^15
        total = correlate(x.astype(jnp.int32) - (1 << (bits - 1)), taps, 0, stride=2)
        return round_shift(total, bits).astype(jnp.int16)
    shift = _VERTICAL_SHIFT[scale]
    if not shift:  # scale 1: |x| < 2^15, the sum fits
        return correlate(x, taps, 0, stride=2)
    return round_shift(correlate(x.astype(jnp.int64), taps, 0, stride=2), shift).astype(jnp.int32)


def _horizontal(
    x: Integer[Array, "h 2 w"], *, taps: tuple[int, ...], scale: int, first: int, stop: int
) -> Array:
    x = x[..., 2 * first : 2 * stop + 2]
    wide = x.astype(jnp.int32 if scale == 0 else jnp.int64)
    total = round_shift(correlate(wide, taps, -1, stride=2), _HORIZONTAL_SHIFT[scale])
    return total.astype(jnp.int16 if scale == 0 else jnp.int32)


def _halo_cut(x: Array, start: int, stop: int, axis: int) -> Array:
    """Samples `start - 1` to `stop` of a band; beyond it, index -1 reads 1 and n reads n - 1."""
    low, high = max(start - 1, 0), min(stop + 1, x.shape[axis])
    cut = jax.lax.slice_in_dim(x, low, high, axis=axis)
    if (low, high) == (start - 1, stop + 1):
        return cut
    more = (low - (start - 1), stop + 1 - high)
    rows, columns = (more, (0, 0)) if axis == 0 else ((0, 0), more)
    return pad(cut, rows, columns, "reflect", "symmetric", row_axis=0)


def wavelet(x: Integer[Array, "h 2 w"], scale: int, bits: int) -> tuple[Array, FixedBands]:
    """One db2 analysis step.

    Args:
        x: the pictures (code values) at scale 0, else the approximation of the scale before.
        scale: 0 to 3.
        bits: bit depth of the picture.

    Returns:
        The approximation band, and the detail bands: columns of the scored region and one on either
        side; rows likewise from row `max(top - 1, 0)` on. Bands are int16 at scale 0 (6 fractional
        bits), int32 at the others.
    """
    height, width = ((x.shape[axis] + 1) // 2 for axis in (0, 2))
    region = Region.of(height, width)

    # where the region has a border of its own to spare, nothing else is worked out
    spare_columns = region.left > 0
    first, stop = (region.left - 1, region.right + 1) if spare_columns else (0, width)

    def down(x: Array, taps: tuple[int, ...]) -> Array:
        return stage(_vertical, x, taps=taps, scale=scale, bits=bits)

    def across(x: Array, taps: tuple[int, ...], first: int = first, stop: int = stop) -> Array:
        return stage(_horizontal, x, taps=taps, scale=scale, first=first, stop=stop)

    def rows(x: Array) -> tuple[Array, ...]:
        low, high = down(x, LOW), down(x, HIGH)
        approximation = across(low, LOW, 0, width)
        return approximation, across(high, LOW), across(low, HIGH), across(high, HIGH)

    # index -1 reads 1, index n reads n - 1, n + 1 reads n - 2
    odd_rows, odd_columns = (x.shape[axis] % 2 for axis in (0, 2))
    around = (1, 1 + odd_rows), (1, 1 + odd_columns)
    padded = pad(x, *around, "reflect", "symmetric", row_axis=0)
    a, h, v, d = map_rows(rows, (padded,), height=height, halo=2, stride=2)

    def cut(band: Array) -> Array:
        if region.top <= 0:
            band = _halo_cut(band, region.top, region.bottom, 0)
        return band if spare_columns else _halo_cut(band, region.left, region.right, 2)

    return a.astype(jnp.int32), (cut(h), cut(v), cut(d))
