"""Series of numbers as short text, for a page."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np

# levels of a coarse series; the last code stands for "no value"
_LEVELS = 4094
_NONE = 4095
_DIGITS = np.frombuffer(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", np.uint8
)


def pack(values: np.ndarray, *, coarse: bool = False) -> dict[str, Any]:
    """A series as an object for JSON.

    Args:
        values: `(frames,)`; NaN where there is no value.
        coarse: two characters per value, which keep 1/4094 of the range; else float32.
    """
    series = np.asarray(values, np.float64)
    known = np.isfinite(series)
    if not coarse:
        exact = np.where(known, series, np.nan).astype("<f4")
        return {"f": base64.b64encode(exact.tobytes()).decode()}
    low = float(series[known].min()) if known.any() else 0.0
    high = float(series[known].max()) if known.any() else 0.0
    span = (high - low) or 1.0
    codes = np.full(series.shape, _NONE, np.int64)
    codes[known] = np.rint((series[known] - low) / span * _LEVELS)
    digits = _DIGITS[np.stack([codes >> 6, codes & 63], axis=-1)]
    return {"q": digits.tobytes().decode(), "low": low, "step": span / _LEVELS}


def pack_frames(numbers: np.ndarray) -> Any:
    """Frame numbers: first, step and count where they are even, else all of them."""
    numbers = np.asarray(numbers)
    steps = np.unique(np.diff(numbers))
    if len(numbers) == 1 or len(steps) == 1:
        step = int(steps[0]) if len(steps) else 1
        return {"first": int(numbers[0]), "step": step, "count": len(numbers)}
    return [int(n) for n in numbers]
