"""How numbers are written in result files."""

from __future__ import annotations

import math
from typing import Any

from jaxvqa._checks import as_text, shown

_SHIFTS = 6


MOST_DIGITS = 17


def parse_precision(value: Any) -> int | None:
    """Significant digits from a number or text: 1 to 17, "max" for 17, None for libvmaf's form.

    Raises:
        ValueError: anything else; the rest of a sentence about it.
    """
    named = {"max": MOST_DIGITS, "full": MOST_DIGITS, "legacy": None}
    if value is None or value in named:
        return None if value is None else named[value]
    text = as_text(value)
    if isinstance(value, bool) or not text.isdecimal() or not 1 <= int(text) <= MOST_DIGITS:
        raise ValueError(f"must be a whole number from 1 to 17, or max; got {shown(value)}.")
    return int(text)


def format_number(value: float, precision: int | None = None) -> str | None:
    """A number as libvmaf writes it: 6 decimals, or 16 where 6 would lose the fraction.

    The fractional part is shifted left by decimal places until it reaches 1; more than six shifts
    ask for 16 decimals.

    Args:
        value: any float.
        precision: significant digits instead; 17 tell any two floats apart.

    Returns:
        The text, or None for infinities and NaN, which have no form in JSON.

    Source: libvmaf f85a853, `output.c`.
    """
    value = float(value)
    if not math.isfinite(value):
        return None
    if precision is not None:
        return f"{value:.{precision}g}"
    fraction, shifts = abs(math.fmod(value, 1.0)), 0
    while 0.0 < fraction < 1.0 and shifts <= _SHIFTS:
        fraction, shifts = fraction * 10.0, shifts + 1
    return f"{value:.6f}" if shifts <= _SHIFTS else f"{value:.16f}"


def clock(seconds: float) -> str:
    """A place in a clip as minutes and seconds: 83.5 is `1:23.50`."""
    minutes, rest = divmod(round(seconds, 2), 60)
    hours, minutes = divmod(int(minutes), 60)
    return f"{hours}:{minutes:02d}:{rest:05.2f}" if hours else f"{minutes}:{rest:05.2f}"
