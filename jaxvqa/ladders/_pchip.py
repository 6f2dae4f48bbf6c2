"""Piecewise cubic Hermite interpolation that keeps a curve monotone (PCHIP).

Source: F. N. Fritsch and J. Butland, "A method for constructing local monotone piecewise cubic
interpolants", SIAM J. Sci. Stat. Comput. 5 (1984); the end slopes are the three-point formula of
C. Moler, "Numerical Computing with MATLAB" (2004), section 3.6.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def slopes(x: Floats, y: Floats) -> Floats:
    """Derivatives at the knots.

    Args:
        x: `(n,)` knots, strictly increasing, two or more.
        y: `(n,)` values.
    """
    width, secant = np.diff(x), np.diff(y) / np.diff(x)
    if len(x) == 2:
        return np.repeat(secant, 2)
    before, after = secant[:-1], secant[1:]
    heavy_before, heavy_after = width[:-1] + 2 * width[1:], 2 * width[:-1] + width[1:]
    same = before * after > 0
    safe = [np.where(same, s, 1.0) for s in (before, after)]
    # the weighted harmonic mean of the secants, and 0 at a turn
    inner = (heavy_before + heavy_after) / (heavy_before / safe[0] + heavy_after / safe[1])
    inner = np.where(same, inner, 0.0)
    first = _end_slope(width[0], width[1], secant[0], secant[1])
    last = _end_slope(width[-1], width[-2], secant[-1], secant[-2])
    return np.array([first, *inner, last])


def _end_slope(width: float, next_width: float, secant: float, next_secant: float) -> float:
    """The slope at an end from a parabola through three points, limited to keep the shape."""
    slope = ((2 * width + next_width) * secant - width * next_secant) / (width + next_width)
    if slope * secant <= 0:
        return 0.0
    if secant * next_secant <= 0 and abs(slope) > 3 * abs(secant):
        return float(3 * secant)
    return float(slope)


def integral(x: Floats, y: Floats, low: float, high: float) -> float:
    """The exact integral of the interpolant over an interval inside the knots.

    Args:
        x: `(n,)` knots, strictly increasing, two or more.
        y: `(n,)` values.
        low: where the interval begins, at least `x[0]`.
        high: where it ends, at most `x[-1]`.
    """
    tangents = slopes(x, y)
    total = 0.0
    for i in range(len(x) - 1):
        width = x[i + 1] - x[i]
        start, end = ((min(max(edge, x[i]), x[i + 1]) - x[i]) / width for edge in (low, high))
        if end <= start:
            continue
        rise = tangents[i] * width, tangents[i + 1] * width
        change = y[i + 1] - y[i]
        # y + a t + b t^2 + c t^3 over t from 0 to 1
        coefficients = (
            (rise[0] + rise[1] - 2 * change) / 4,
            (3 * change - 2 * rise[0] - rise[1]) / 3,
            rise[0] / 2,
            y[i],
            0.0,
        )
        total += width * float(np.polyval(coefficients, end) - np.polyval(coefficients, start))
    return total
