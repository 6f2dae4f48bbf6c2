"""Which of many encodes are worth keeping: Pareto front, convex hull, knee."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def pareto_front(rate: ArrayLike, quality: ArrayLike) -> list[int]:
    """The points that no other beats: none has less or equal rate and more or equal quality.

    Of equal points the first stays.

    Args:
        rate: `(n,)` rates.
        quality: `(n,)` qualities, higher is better.

    Returns:
        Indices by rising rate; quality rises too.

    >>> from jaxvqa.ladders import pareto_front
    >>> pareto_front([100, 200, 300], [50, 40, 60])
    [0, 2]
    """
    rates, qualities = np.asarray(rate, np.float64), np.asarray(quality, np.float64)
    best, front = -np.inf, []
    for i in np.lexsort((-qualities, rates)):
        if qualities[i] > best:
            best = qualities[i]
            front.append(int(i))
    return front


def convex_hull(rate: ArrayLike, quality: ArrayLike) -> list[int]:
    """The points that no mix of others beats: the upper convex hull of the Pareto front.

    Rate and quality are both linear here: a video that is shown partly in one encode and partly in
    another has the mean of both, so what lies under the hull is never the best choice. Points on a
    straight line between others stay.

    Args:
        rate: `(n,)` rates.
        quality: `(n,)` qualities, higher is better.

    Returns:
        Indices by rising rate, from the cheapest point of the front to the best.

    Source: I. Katsavounidis and L. Guo, "Video codec comparison using the dynamic optimizer
    framework", SPIE 10752 (2018), section 2.

    >>> from jaxvqa.ladders import convex_hull
    >>> convex_hull([100, 200, 300], [50, 52, 60])
    [0, 2]
    """
    rates, qualities = np.asarray(rate, np.float64), np.asarray(quality, np.float64)
    hull: list[int] = []
    for i in pareto_front(rates, qualities):
        while len(hull) > 1 and _turns_up(rates, qualities, hull[-2], hull[-1], i):
            hull.pop()
        hull.append(i)
    return hull


def _turns_up(x: np.ndarray, y: np.ndarray, a: int, b: int, c: int) -> bool:
    """The middle one of three points lies under the line through the others."""
    return bool((y[b] - y[a]) * (x[c] - x[a]) < (y[c] - y[a]) * (x[b] - x[a]))


def knee(rate: ArrayLike, quality: ArrayLike) -> int | None:
    """The point of a hull after which rate buys little: the largest distance over its chord.

    The logarithm of the rate and the quality are both scaled to 0 to 1 first.

    Args:
        rate: `(n,)` rates of a hull, rising.
        quality: `(n,)` qualities, rising.

    Returns:
        Its index, or None where no point lies over the chord.

    Source: V. Satopaa et al., "Finding a kneedle in a haystack", ICDCS Workshops (2011), for a
    curve whose knee is known to be one.

    >>> from jaxvqa.ladders import knee
    >>> knee([100, 200, 400, 800], [50, 80, 85, 88])
    1
    """
    rates, qualities = np.log(np.asarray(rate, np.float64)), np.asarray(quality, np.float64)
    if rates.size < 3:
        return None
    x = (rates - rates[0]) / (rates[-1] - rates[0])
    y = (qualities - qualities[0]) / (qualities[-1] - qualities[0])
    best = int(np.argmax(y - x))
    return best if y[best] - x[best] > 1e-9 else None
