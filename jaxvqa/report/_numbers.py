"""How numbers are written in result files."""

from __future__ import annotations

import math

_SHIFTS = 6


def format_number(value: float) -> str | None:
    """A number as libvmaf writes it: 6 decimals, or 16 where 6 would lose the fraction.

    The fractional part is shifted left by decimal places until it reaches 1; more than six shifts
    ask for 16 decimals.

    Args:
        value: any float.

    Returns:
        The text, or None for infinities and NaN, which have no form in JSON.

    Source: libvmaf f85a853, `output.c`.
    """
    value = float(value)
    if not math.isfinite(value):
        return None
    fraction, shifts = abs(math.fmod(value, 1.0)), 0
    while 0.0 < fraction < 1.0 and shifts <= _SHIFTS:
        fraction, shifts = fraction * 10.0, shifts + 1
    return f"{value:.6f}" if shifts <= _SHIFTS else f"{value:.16f}"
