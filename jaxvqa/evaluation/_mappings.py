"""Curves that map a metric's values onto the scale of the ratings.

"none" leaves them. "logistic" is what libvmaf's training tools print their figures after; "4pl" and
"5pl" are the logistic functions that the video quality experts group and most papers fit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from jaxvqa._checks import one_of

MAPPINGS = ("none", "logistic", "4pl", "5pl")
_PARAMETERS = {"none": 0, "logistic": 2, "4pl": 4, "5pl": 5}
_STEEPNESS = (0.3, 0.8, 2.0, 5.0)
_MIDDLES = (5, 25, 50, 75, 95)
_STARTS = 4  # curves that are refined, best first
# relative changes of error and parameters at which a fit ends: at rounding, and in resamples, which
# scatter by far more
_PRECISE, _ENOUGH = 1e-15, 1e-7
_MARGIN = 0.1  # libvmaf's, beyond the smallest and the largest rating


@dataclass(frozen=True)
class Mapping:
    """A fitted curve.

    Args:
        kind: one of `MAPPINGS`.
        parameters: "logistic": `(a, b, low, high)` of
            `low + (high - low) / (1 + exp(-(x - a) / b))`; "4pl": `(b1, b2, b3, b4)` of
            `b2 + (b1 - b2) / (1 + exp(-(x - b3) / b4))`; "5pl": `(b1, ..., b5)` of
            `b1 (1/2 - 1 / (1 + exp(b2 (x - b3)))) + b4 x + b5`.
    """

    kind: str
    parameters: tuple[float, ...] = ()

    def __call__(self, predictions: ArrayLike) -> np.ndarray:
        """Values `(clips,)` in the unit of the ratings."""
        x = np.asarray(predictions, np.float64)
        if self.kind == "none":
            return x
        p = self.parameters
        if self.kind == "logistic":
            return p[2] + (p[3] - p[2]) * _sigmoid((x - p[0]) / p[1])
        with np.errstate(over="ignore"):  # the best curve may be a step
            return _curve(self.kind, np.array(p), x)


def fit_mapping(
    kind: str, predictions: ArrayLike, ratings: ArrayLike, *, start: Mapping | None = None
) -> Mapping | None:
    """Fits a curve by least squares.

    "logistic" is fitted in closed form, as libvmaf does: predictions are regressed on the logits of
    the ratings, which is not the least squares of what is mapped. The others minimise the squared
    error of the mapped values, from several starts; where the best curve lies at infinity (data on
    a straight line), parameters are those where the error stopped to fall.

    Args:
        kind: one of `MAPPINGS`.
        predictions: `(clips,)` values of a metric, rising or falling with quality.
        ratings: `(clips,)` scores of people.
        start: a curve of nearly the same data to start from alone, as for a resample.

    Returns:
        The curve; None where there are too few clips for it, or a side is constant.

    Raises:
        ValueError: an unknown kind.

    Source: libvmaf f85a853, `perf_metric.py` (`sigmoid_adjust`); VQEG, final report of FR-TV
    phase II (4 parameters); Sheikh, Sabir, Bovik 2006, eq. 5 (5 parameters).
    """
    one_of("kind", kind, MAPPINGS)
    x, y = np.asarray(predictions, np.float64), np.asarray(ratings, np.float64)
    if kind == "none":
        return Mapping(kind)
    if len(x) <= _PARAMETERS[kind] or not np.ptp(x) > 0 or not np.ptp(y) > 0:
        return None
    if kind == "logistic":
        return _fit_logistic(x, y)
    return _fit_curve(kind, x, y, start)


def _fit_logistic(x: np.ndarray, y: np.ndarray) -> Mapping | None:
    low, high = y.min() - _MARGIN, y.max() + _MARGIN
    share = (y - low) / (high - low)
    logits = np.log(share / (1 - share))
    slope = np.polynomial.polynomial.polyfit(logits, x, 1)
    if slope[1] == 0:
        return None
    return Mapping("logistic", (float(slope[0]), float(slope[1]), float(low), float(high)))


def _fit_curve(kind: str, x: np.ndarray, y: np.ndarray, start: Mapping | None) -> Mapping:
    from scipy.optimize import leastsq

    limit = _PRECISE if start is None else _ENOUGH
    # both sides at mean 0 and spread 1: one set of starts and stopping rules serves all scales
    x_scale, y_scale = (x.mean(), x.std()), (y.mean(), y.std())
    u, v = (x - x_scale[0]) / x_scale[1], (y - y_scale[0]) / y_scale[1]
    starts = _starts(kind, u, v) if start is None else [_to_unit(start, x_scale, y_scale)]
    best, least = starts[0], np.inf
    with np.errstate(over="ignore", invalid="ignore"):
        for guess in starts:
            found, *_ = leastsq(
                lambda p: _curve(kind, p, u) - v, guess, Dfun=lambda p: _slopes(kind, p, u),
                ftol=limit, xtol=limit, gtol=0.0, maxfev=400, full_output=True,
            )  # fmt: skip
            error = float(((_curve(kind, found, u) - v) ** 2).sum())
            if np.isfinite(found).all() and error < least:
                best, least = found, error
    return _from_unit(kind, best, x_scale, y_scale)


def _curve(kind: str, p: np.ndarray, x: np.ndarray) -> np.ndarray:
    if kind == "4pl":
        return p[1] + (p[0] - p[1]) * _sigmoid((x - p[2]) / p[3])
    return p[0] * (_sigmoid(p[1] * (x - p[2])) - 0.5) + p[3] * x + p[4]


def _slopes(kind: str, p: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Derivatives of the curve by its parameters, `(clips, parameters)`."""
    if kind == "4pl":
        s = _sigmoid((x - p[2]) / p[3])
        steep = (p[0] - p[1]) * s * (1 - s) / p[3]
        columns = [s, 1 - s, -steep, -steep * (x - p[2]) / p[3]]
    else:
        s = _sigmoid(p[1] * (x - p[2]))
        steep = p[0] * s * (1 - s)
        columns = [s - 0.5, steep * (x - p[2]), -steep * p[1], x, np.ones_like(x)]
    return np.stack(columns, axis=1)


def _starts(kind: str, x: np.ndarray, y: np.ndarray) -> list[np.ndarray]:
    """The best curves of a grid of steepness and middle; the rest of a curve is linear in both."""
    found = []
    for steepness in _STEEPNESS:
        for middle in np.percentile(x, _MIDDLES):
            s = _sigmoid(steepness * (x - middle))
            columns = [s, 1 - s] if kind == "4pl" else [s - 0.5, x, np.ones_like(x)]
            basis = np.stack(columns, axis=1)
            weights = np.linalg.lstsq(basis, y, rcond=None)[0]
            error = float(((basis @ weights - y) ** 2).sum())
            if kind == "4pl":
                guess = [*weights, middle, 1 / steepness]
            else:
                guess = [weights[0], steepness, middle, *weights[1:]]
            found.append((error, np.array(guess)))
    found.sort(key=lambda pair: pair[0])
    return [guess for _, guess in found[:_STARTS]]


Scale = tuple[float, float]


def _from_unit(kind: str, p: np.ndarray, x_scale: Scale, y_scale: Scale) -> Mapping:
    (xm, xs), (ym, ys) = x_scale, y_scale
    if kind == "4pl":
        values = [p[0] * ys + ym, p[1] * ys + ym, p[2] * xs + xm, p[3] * xs]
    else:
        slope = p[3] * ys / xs
        values = [p[0] * ys, p[1] / xs, p[2] * xs + xm, slope, p[4] * ys + ym - slope * xm]
    return Mapping(kind, tuple(float(value) for value in values))


def _to_unit(mapping: Mapping, x_scale: Scale, y_scale: Scale) -> np.ndarray:
    (xm, xs), (ym, ys) = x_scale, y_scale
    p = mapping.parameters
    if mapping.kind == "4pl":
        return np.array([(p[0] - ym) / ys, (p[1] - ym) / ys, (p[2] - xm) / xs, p[3] / xs])
    level = (p[4] - ym + p[3] * xm) / ys
    return np.array([p[0] / ys, p[1] * xs, (p[2] - xm) / xs, p[3] * xs / ys, level])


def _sigmoid(values: np.ndarray) -> np.ndarray:
    from scipy.special import expit

    return expit(values)
