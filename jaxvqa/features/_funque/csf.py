"""Contrast sensitivity for the FUNQUE family: weights of Haar details, or a blur before it.

All tables assume a viewing distance of three picture heights at 1080 lines (56.5 pixels a degree);
level l of the pyramid then holds 56.5 / 2^l cycles a degree. Halving the picture first does not
change the table. The digits are the published ones, not the formulas behind them, so that values
match.

Source: FUNQUE+ (funque_plus 65d0b88); the exact 21-tap filter: FUNQUE 2022 (funque 74c0ea7).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from jaxvqa._checks import one_of
from jaxvqa._ops.borders import pad
from jaxvqa._ops.filters import separable
from jaxvqa._ops.stages import stage
from jaxvqa._ops.tiling import STRIP_ROWS, map_rows
from jaxvqa._typing import Array, Num

# (H and V, D) of the levels, finest first
_WAVELET: dict[str, tuple[tuple[float, float], ...]] = {
    "nadenau_weight": (
        (0.04299846, 0.00556257), (0.42474743, 0.18536903), (0.79592083, 0.63707782),
        (0.94104990, 0.88686180), (0.98396102, 0.96855064),
    ),
    "li": (
        (0.00544585178, 0.00023055401), (0.16683506215, 0.04074566701),
        (0.66786346496, 0.38921962529), (0.98626459244, 0.87735995465),
        (0.91608864363, 0.98675189575),
    ),
    "hill": (
        (0.08655904, 0.03830355), (-0.33820268, 0.10885236), (-0.06836095, -0.20426743),
        (-0.04262307, -0.0619592), (-0.03394834, -0.04074054),
    ),
    "mannos_weight": (
        (7.11828321e-3, 2.43358422e-4), (0.225003123, 0.0562679733), (0.782068784, 0.494193706),
        (0.981, 0.981), (0.981, 0.981),
    ),
}  # fmt: skip

# the only table that tells the channels apart
_WATSON: dict[str, tuple[tuple[float, float], ...]] = {
    "y": (
        (0.01738153, 0.00589069), (0.03198481, 0.01429907), (0.04337266, 0.02439691),
        (0.04567341, 0.03131274), (0.03867382, 0.03187392),
    ),
    "u": (
        (0.00513065, 0.00182899), (0.00831135, 0.00379459), (0.01040081, 0.00580073),
        (0.01059541, 0.00699261), (0.00909817, 0.00700816),
    ),
    "v": (
        (0.00599886, 0.00164671), (0.01253507, 0.00468441), (0.01886397, 0.00915396),
        (0.02154499, 0.01315086), (0.01933739, 0.014644),
    ),
}  # fmt: skip


def _ngan(k: int) -> float:
    """Tap k of the 21-tap filter from its formula."""
    step = 180 / (3 * 1080 * math.pi)
    a, b, c = 0.31, 0.69, 0.29
    square = (2 * math.pi * k * step) ** 2
    return 2 * ((a * c + b) * c * c + (a * c - b) * square) / (c * c + square) ** 2 * step


def _symmetric(half: tuple[float, ...]) -> tuple[float, ...]:
    """Outermost tap to centre, then back."""
    return (*half, *half[-2::-1])


# the gain of the 21 taps is 0.616 an axis: the filter also lowers the mean
_SPATIAL: dict[str, tuple[float, ...]] = {
    "nadenau_spat": _symmetric((0.02531332, 0.23100677, 0.47597679)),
    "ngan_spat": _symmetric((
        -0.01373464, -0.01608515, -0.01890698, -0.02215702, -0.02546262, -0.02742965,
        -0.02361034, -0.00100996, 0.07137023, 0.22121922, 0.3279824,
    )),
    "ngan_exact": _symmetric(tuple(_ngan(k) for k in range(10, -1, -1))),
}  # fmt: skip

WAVELET_CSF = (*_WAVELET, "watson")
SPATIAL_CSF = tuple(_SPATIAL)
MAX_LEVELS = 5


def wavelet_weights(
    name: str, levels: int, channel: str = "y"
) -> tuple[tuple[float, float, float], ...]:
    """Factors for the details (H, V, D) of each level, finest first.

    Args:
        name: one of `WAVELET_CSF`; the code names are those of FUNQUE+.
        levels: 1 to 5.
        channel: "y", "u" or "v"; only `watson` tells them apart.

    Raises:
        ValueError: an unknown name or channel, or more levels than the table has.
    """
    one_of("csf", name, WAVELET_CSF)
    one_of("channel", channel, ("y", "u", "v"))
    if not 1 <= levels <= MAX_LEVELS:
        raise ValueError(f"levels must lie between 1 and {MAX_LEVELS}, got {levels}.")
    table = _WATSON[channel] if name == "watson" else _WAVELET[name]
    return tuple((hv, hv, d) for hv, d in table[:levels])


def spatial_taps(name: str) -> tuple[float, ...]:
    """Taps along one axis of the filters `SPATIAL_CSF`.

    Args:
        name: one of `SPATIAL_CSF`.

    Raises:
        ValueError: an unknown name.
    """
    return _SPATIAL[one_of("csf", name, SPATIAL_CSF)]


def spatial_csf(
    x: Num[Array, "h w"],
    name: str,
    *,
    first: Callable[[Array], Array] = lambda x: x,
    then: Callable[[Array], Any] = lambda x: x,
    block: int = 1,
) -> Any:
    """Filters a picture with a separable contrast sensitivity filter before the transform.

    Args:
        x: samples; the border is mirrored between samples.
        name: `nadenau_spat` (5 taps), `ngan_spat` (21 taps) or `ngan_exact` (the same from its
            formula, as FUNQUE 2022 has it).
        first: what to do with samples before they are filtered, one by one.
        then: what to do with the filtered samples. It may get them in strips of whole blocks of
            rows, and returns arrays with one entry a block in front.
        block: rows of a block, a divisor of the picture's rows.

    Returns:
        The filtered picture, or what `then` makes of it.

    Raises:
        ValueError: an unknown name, or a picture smaller than half the filter.
    """
    taps = spatial_taps(name)
    radius = len(taps) // 2
    return map_rows(
        lambda strip: then(separable(stage(first, strip), taps)),
        (pad(x, (radius, radius), (radius, radius), "symmetric"),),
        height=x.shape[0] // block,
        halo=2 * radius,
        stride=block,
        rows=max(1, STRIP_ROWS // block),
    )
