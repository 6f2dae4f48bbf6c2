"""One level of the db2 wavelet transform with libvmaf's borders.

Output i of an axis reads input 2i-1 .. 2i+2. Index -1 reads 1 (the edge is not repeated), index N
reads N-1 (it is). Source: libvmaf f85a853, `adm_tools.c`.
"""

from __future__ import annotations

from typing import NamedTuple

from jaxvqa._ops.borders import pad
from jaxvqa._ops.filters import correlate, filtered
from jaxvqa._ops.stages import stage
from jaxvqa._typing import Array, Float

LOW = (0.482962913144690, 0.836516303737469, 0.224143868041857, -0.129409522550921)
HIGH = (-0.129409522550921, -0.224143868041857, 0.836516303737469, -0.482962913144690)


class Bands(NamedTuple):
    """Approximation and details; h = high-pass down the columns, v = along the rows, d = both."""

    a: Array
    h: Array
    v: Array
    d: Array


def pad_for_transform(x: Array) -> Array:
    """Extends a picture so that every output of the transform has its four inputs."""
    rows, columns = ((1, 2 * -(-n // 2) + 1 - n) for n in x.shape[-2:])
    return pad(x, rows, columns, "reflect", "symmetric")


def _across(x: Array, *, taps: tuple[float, ...], first: int | None, stop: int | None) -> Array:
    return correlate(x[:, first:stop], taps, -1, stride=2)


def transform_rows(x: Float[Array, "rows width"], detail: tuple[int, int] | None = None) -> Bands:
    """Transforms an already extended picture or strip of it: `2n + 2` rows give `n`.

    `detail` are the columns of the detail bands that are wanted, from the first to behind the last.
    """
    first, stop = detail or (0, x.shape[-1] // 2 - 1)

    def across(taps: tuple[float, ...], down: Array, *, cut: bool) -> Array:
        inputs = slice(2 * first, 2 * stop + 2) if cut else slice(None)
        return stage(_across, down, taps=taps, first=inputs.start, stop=inputs.stop)

    low, high = filtered(x, LOW, -2, stride=2), filtered(x, HIGH, -2, stride=2)
    return Bands(
        a=across(LOW, low, cut=False),
        h=across(LOW, high, cut=True),
        v=across(HIGH, low, cut=True),
        d=across(HIGH, high, cut=True),
    )
