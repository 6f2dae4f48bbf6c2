"""Low-pass and decimation, as SSIM before it compares and MS-SSIM between its scales.

Source: libvmaf f85a853, `iqa/decimate.c`.
"""

from __future__ import annotations

from jaxvqa._ops.borders import pad
from jaxvqa._ops.stages import stage
from jaxvqa._ops.tables import Table, correlate_table
from jaxvqa._ops.tiling import STRIP_ROWS, map_rows
from jaxvqa._planes import to_float
from jaxvqa._typing import Array, Float, Num


def downsampled_size(height: int, width: int, factor: int) -> tuple[int, int]:
    """Height and width of the smaller picture.

    An odd size adds a sample, whatever the factor, as in the tool.
    """
    if factor == 1:
        return height, width
    return height // factor + height % 2, width // factor + width % 2


def downsampled(
    x: Num[Array, "h w"], table: Table, factor: int, bit_depth: int
) -> Float[Array, "h2 w2"]:
    """Every `factor`-th sample of a picture filtered with a square table, symmetric borders."""
    size = downsampled_size(x.shape[0], x.shape[1], factor)
    before = len(table) // 2
    after = [
        (n - 1) * factor + len(table) - before - old for n, old in zip(size, x.shape, strict=True)
    ]
    x = x[: x.shape[0] + min(after[0], 0), : x.shape[1] + min(after[1], 0)]
    padded = pad(x, (before, max(after[0], 0)), (before, max(after[1], 0)), "symmetric")

    def rows(x: Array) -> Array:
        return correlate_table(stage(to_float, x, bit_depth=bit_depth), table, factor)

    halo, strip = len(table) - factor, max(1, STRIP_ROWS // factor)
    return map_rows(rows, (padded,), height=size[0], halo=halo, stride=factor, rows=strip)
