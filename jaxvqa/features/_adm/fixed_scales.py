"""What the fixed-point `adm` does differently at its scales: the finest, and the other three.

The three coarse scales follow one recipe with other numbers, so their bands lie on one sheet and
are worked on together: that is compiled once instead of for every size, and loops are longer.
Numbers that differ are chosen by where a sample lies.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxvqa._typing import Array, Bool
from jaxvqa.features._adm.fixed_wavelet import FixedBands, Region

# by orientation (horizontal, vertical, diagonal), at scale 0
_SQUARE_SHIFT = (29, 29, 30)
_CUBE_SHIFT_OFFSET = (4, 4, 3)
# by scale: shift of the reference's squares
_REFERENCE_SQUARE_SHIFT = (0, 31, 30, 31)
# larger weights overflow, on pictures of full contrast, what the reference keeps in 16 and 32 bits.
# Bands reach 22,841 at scale 0: 16-bit maskers, their thirtieths, 32-bit squares. They reach 2.1e9
# at the others: 32-bit squares
_WRAPS_ABOVE = (44_000, int(0.045 * 2**32))


def log2_ceil(n: int) -> int:
    """The bits that numbers below `n` take."""
    return (n - 1).bit_length()


def cube_shifts(scale: int, orientation: int, width: int) -> tuple[int, int]:
    """Shifts of the square and of the cube in a band of `width` columns."""
    if scale == 0:
        return _SQUARE_SHIFT[orientation], log2_ceil(width) - _CUBE_SHIFT_OFFSET[orientation]
    return 30, log2_ceil(width)


@dataclass(frozen=True)
class Finest:
    """Scale 0.

    Args:
        width: columns of the whole bands.
        weights: contrast sensitivity of each orientation, in fixed point.
    """

    width: int
    weights: tuple[int, ...]

    finest = True
    # orientations that one array holds
    groups = ((0,), (1,), (2,))

    @property
    def wraps(self) -> bool:
        """True if the weights can overflow more than the reference's centre term."""
        return max(self.weights[:2]) > _WRAPS_ABOVE[0]

    def weight(self, group: tuple[int, ...], first: Any, inner: bool) -> Any:
        """The weight of an orientation."""
        del first, inner
        return self.weights[group[0]]

    def cube_shifts(self, group: tuple[int, ...], first: Any) -> tuple[Any, Any]:
        """Shifts of the square and of the cube."""
        del first
        return cube_shifts(0, group[0], self.width)

    def parts(self, cubes: Array) -> Array:
        """What is summed along its last axis."""
        return cubes


@dataclass(frozen=True)
class Coarse:
    """Scales 1 to 3 on a sheet: the first above, the second and the third below it.

    A sheet is `(rows, 3, 2, columns)`, with the orientations and the pictures.

    Args:
        sizes: height and width of the whole bands.
        weights: contrast sensitivity of each orientation at each scale, in fixed point.

    Methods take `first`, which is True in the rows of scale 1; with `inner` they are about a sheet
    without its outermost samples.
    """

    sizes: tuple[tuple[int, int], ...]
    weights: tuple[tuple[int, ...], ...]

    finest = False
    groups = ((0, 1, 2),)

    @property
    def wraps(self) -> bool:
        """True if the weights can overflow the reference's squares."""
        return max(map(max, self.weights)) > _WRAPS_ABOVE[1]

    @property
    def regions(self) -> list[Region]:
        """What is scored of each band."""
        return [Region.of(*size) for size in self.sizes]

    @property
    def half(self) -> int:
        """The column where scale 3 begins; half of the columns without the outermost."""
        one, two, three = (region.width for region in self.regions)
        return max(two + 2, three, -(-one // 2))

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the sheet."""
        one, two, three = (region.height + 2 for region in self.regions)
        return one + max(two, three), 2 * self.half + 2

    def sheet(self, bands: Sequence[FixedBands]) -> Array:
        """The bands of every scale, as `wavelet` gives them, on one sheet."""
        below = self.regions[0].height + 2
        rows, columns = self.shape
        sheet = jnp.zeros((rows, 3, 2, columns), bands[0][0].dtype)
        places = ((0, 0), (below, 0), (below, self.half))
        for same, region, (row, column) in zip(bands, self.regions, places, strict=True):
            top = max(region.top - 1, 0)
            for b, band in enumerate(same):
                part = jax.lax.slice_in_dim(band, top, top + region.height + 2)[:, None]
                corner = [np.int32(i) for i in (row, b, 0, column)]
                sheet = jax.lax.dynamic_update_slice(sheet, part, corner)
        return sheet

    def first_rows(self) -> Bool[np.ndarray, "rows 1 1"]:
        """True in the rows of scale 1."""
        return np.arange(self.shape[0])[:, None, None] < self.regions[0].height + 2

    def _by_scale(self, values: Any, first: Array, dtype: Any, inner: bool) -> Array:
        """`values[scale]`, or `values[scale][orientation]`, of each sample."""
        one, two, three = (np.reshape(np.asarray(x, dtype), (1, -1, 1)) for x in values)
        column = np.arange(self.shape[1])[1:-1] if inner else np.arange(self.shape[1])
        return jnp.where(first, one, np.where(column < self.half, two, three))

    def weight(self, group: tuple[int, ...], first: Array, inner: bool) -> Array:
        """The weights of the orientations; 64 bits of which 32 are visibly sign, if they can."""
        del group
        wide = np.int32 if max(map(max, self.weights)) < 1 << 31 else np.int64
        return self._by_scale(self.weights, first, wide, inner).astype(jnp.int64)

    def cube_shifts(self, group: tuple[int, ...], first: Array) -> tuple[Any, Any]:
        """Shifts of the square and of the cube, inside the sheet's border."""
        shifts = [cube_shifts(scale, group[0], size[1]) for scale, size in enumerate(self.sizes, 1)]
        square, cubes = shifts[0][0], [cube for _, cube in shifts]
        return square, self._by_scale(cubes, first, np.uint64, True)

    def reference_shifts(self, first: Array) -> tuple[Array, Array]:
        """The same for the cubes of the reference."""
        widths = [log2_ceil(region.width) for region in self.regions]
        square = self._by_scale(_REFERENCE_SQUARE_SHIFT[1:], first, np.uint64, True)
        return square, self._by_scale(widths, first, np.uint64, True)

    def scored(self, first: Array) -> Array:
        """True for samples, inside the sheet's border, that lie in a scored region."""
        one, two, three = (region.width for region in self.regions)
        column = np.arange(2 * self.half)[None, None]
        below = np.where(column < self.half, column < two, column - self.half < three)
        return jnp.where(first, column < one, below)

    def parts(self, cubes: Array) -> Array:
        """What is summed along its last axis: left and right of the middle apart."""
        return cubes.reshape(*cubes.shape[:2], 2, self.half)

    def rows_of(self, sums: Array) -> list[Array]:
        """The rows of each scale from the sums of `parts`."""
        one, two, three = (region.height for region in self.regions)
        below = sums[one + 2 :]
        return [sums[:one].sum(-1), below[:two, :, 0], below[:three, :, 1]]
