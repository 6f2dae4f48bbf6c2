"""Bjontegaard deltas: the average difference of two rate-quality curves."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from jaxvqa.ladders._pchip import Floats, integral


def bd_rate(
    anchor_rate: ArrayLike, anchor_quality: ArrayLike, test_rate: ArrayLike, test_quality: ArrayLike
) -> float:
    """How much more rate the test needs for the same quality, on average (BD-rate).

    The logarithm of the rate as a function of quality, interpolated by PCHIP, averaged over the
    qualities that both curves reach.

    Args:
        anchor_rate: `(n,)` rates of the anchor, in any unit, above 0; two points or more.
        anchor_quality: `(n,)` qualities, which rise with the rate.
        test_rate: `(m,)` rates of the test in the same unit.
        test_quality: `(m,)` qualities on the same scale.

    Returns:
        Percent; negative where the test needs less rate.

    Raises:
        ValueError: fewer than two points, a point that another one beats, or no common quality.

    Source: G. Bjontegaard, VCEG-M33 (2001), with PCHIP as in JCTVC-L1100. Matches the `bjontegaard`
    package 1.3.0 (`method="pchip"`) to 1e-9.

    >>> from jaxvqa.ladders import bd_rate
    >>> round(bd_rate([1000, 2000, 4000], [70, 80, 90], [900, 1800, 3600], [70, 80, 90]), 6)
    -10.0
    """
    anchor = check_curve("anchor", anchor_rate, anchor_quality)
    test = check_curve("test", test_rate, test_quality)
    curves = [(quality, np.log(rate)) for rate, quality in (anchor, test)]
    difference = _mean_difference(curves, "qualities")
    return float(np.expm1(difference) * 100)


def bd_quality(
    anchor_rate: ArrayLike, anchor_quality: ArrayLike, test_rate: ArrayLike, test_quality: ArrayLike
) -> float:
    """How much better the test is at the same rate, on average (BD-PSNR of any quality).

    Quality as a function of the logarithm of the rate, interpolated by PCHIP, averaged over the
    rates that both curves cover. Arguments, errors and source are those of `bd_rate`.

    Returns:
        The difference on the scale of the qualities; positive where the test is better.

    >>> from jaxvqa.ladders import bd_quality
    >>> round(bd_quality([1000, 2000, 4000], [70, 80, 90], [1000, 2000, 4000], [71, 81, 91]), 6)
    1.0
    """
    anchor = check_curve("anchor", anchor_rate, anchor_quality)
    test = check_curve("test", test_rate, test_quality)
    curves = [(np.log(rate), quality) for rate, quality in (anchor, test)]
    return _mean_difference(curves, "rates")


def check_curve(name: str, rate: ArrayLike, quality: ArrayLike) -> tuple[Floats, Floats]:
    """A curve's points by rising rate.

    Raises:
        ValueError: points that make no curve to interpolate.
    """
    rates, qualities = (np.asarray(x, np.float64) for x in (rate, quality))
    if rates.ndim != 1 or rates.shape != qualities.shape:
        raise ValueError(
            f"{name}: rates and qualities must be two lists of equal length, got shapes "
            f"{rates.shape} and {qualities.shape}."
        )
    if rates.size < 2:
        raise ValueError(f"{name}: a curve needs two points or more, got {rates.size}.")
    if not (np.isfinite(rates).all() and np.isfinite(qualities).all() and (rates > 0).all()):
        raise ValueError(f"{name}: rates must be above 0, and all numbers finite.")
    order = np.argsort(rates, kind="stable")
    rates, qualities = rates[order], qualities[order]
    for i in range(1, rates.size):
        if rates[i] <= rates[i - 1] or qualities[i] <= qualities[i - 1]:
            raise ValueError(
                f"{name}: rate {rates[i]:g} with quality {qualities[i]:g} is not above rate "
                f"{rates[i - 1]:g} with quality {qualities[i - 1]:g} in both: leave out the points "
                "that others beat, see pareto_front."
            )
    return rates, qualities


def overlap(a: Floats, b: Floats) -> tuple[float, float]:
    """The interval that two sets of numbers share; empty where it ends before it begins."""
    return float(max(a.min(), b.min())), float(min(a.max(), b.max()))


def _mean_difference(curves: Sequence[tuple[Floats, Floats]], what: str) -> float:
    """Mean of the second curve less the first, over the arguments that both have."""
    (anchor_x, anchor_y), (test_x, test_y) = curves
    low, high = overlap(anchor_x, test_x)
    if high <= low:
        raise ValueError(
            f"the curves have no {what} in common, so there is no average: encode both so that "
            f"their {what} overlap."
        )
    areas = integral(anchor_x, anchor_y, low, high), integral(test_x, test_y, low, high)
    return float((areas[1] - areas[0]) / (high - low))
