"""Powers of signal and noise of whole codes, with every rounding of the tool.

Where signal and noise are nearly equal, or the noise is a rounding, the ratio depends on the order
in which float32 terms are added. So kernels are applied and rows are summed as the tool does it,
one product after the other, and no product is fused with a sum.

Source: libvmaf f85a853, `ansnr_tools.c`.
"""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np

from jaxvqa._ops.stages import cpu_stage, ordered_row_sums, stage
from jaxvqa._ops.tiling import map_rows
from jaxvqa._planes import to_float
from jaxvqa._typing import Array, Float, Integer
from jaxvqa.features._ansnr.plain import GREY, NARROW, WIDE

# below any product: a maximum with it keeps compilers from fusing product and sum
_FAR_BELOW = -1e30


def powers(
    ref: Integer[Array, "rows columns"], dis: Integer[Array, "rows columns"], bit_depth: int
) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """Sums of squares of the signal and of the noise, on the 8-bit scale.

    Args:
        ref: reference codes with borders of two samples.
        dis: distorted, the same.
        bit_depth: bits per sample.
    """

    def strip(*sides: Array) -> tuple[Array, ...]:
        ref, dis = (stage(to_float, x, bit_depth=bit_depth, offset=-GREY) for x in sides)
        signal = stage(_across, ref[1:-1, 1:-1], kernel=NARROW)
        other = stage(_across, dis, kernel=WIDE)
        return ordered_row_sums(*stage(_squares, *signal, *other))

    halo = len(WIDE) - 1
    rows = map_rows(strip, (ref, dis), height=ref.shape[0] - halo, halo=halo)
    signal, noise = cpu_stage(_sums, *rows)
    return signal, noise


def _sums(*rows: Array) -> tuple[Array, ...]:
    return tuple(total[0] for total in ordered_row_sums(*(row[None] for row in rows)))


def _across(x: Array, *, kernel: tuple[tuple[int, ...], ...]) -> tuple[Array, ...]:
    """Sums along rows with each different row of a symmetric kernel."""
    total, side = sum(map(sum, kernel)), len(kernel)
    width = x.shape[-1] - side + 1
    found = []
    for line in kernel[: side // 2 + 1]:
        terms = [
            jnp.maximum(x[:, j : j + width] * _weight(weight, total), _FAR_BELOW)
            for j, weight in enumerate(line)
        ]
        found.append(_added(terms))
    return tuple(found)


def _weight(weight: int, total: int) -> float:
    return float(np.float32(weight / total))


def _added(terms: list[Any]) -> Any:
    found = terms[0]
    for term in terms[1:]:
        found = found + term
    return found


def _down(rows: tuple[Array, ...]) -> Array:
    """The sum of a kernel's rows, first to last; `rows` are the upper half and the middle."""
    around = len(rows) - 1
    height = rows[0].shape[0] - 2 * around
    lines = [*range(around), around, *range(around - 1, -1, -1)]
    return _added([rows[line][i : i + height] for i, line in enumerate(lines)])


def _squares(*rows: Array) -> tuple[Array, Array]:
    narrow = len(NARROW) // 2 + 1
    signal = _down(rows[:narrow])
    noise = signal - _down(rows[narrow:])
    return signal * signal, noise * noise
