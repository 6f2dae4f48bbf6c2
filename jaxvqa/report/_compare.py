"""Two results of the same clip, value by value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from jaxvqa._pooling import POOLED, pool
from jaxvqa.report._plot import AnyResult

# numbers in files are decimals: what lies one unit apart there may be a hair more in binary
_STEPS = 4


@dataclass(frozen=True)
class MetricDifference:
    """How one metric differs between two results.

    Args:
        name: of the metric.
        frames: `(frames,)` numbers of the frames that both results have.
        a: `(frames,)` values of the first.
        b: `(frames,)` values of the second.
        same: no frame and no pool differs by more than the tolerance.
    """

    name: str
    frames: np.ndarray
    a: np.ndarray
    b: np.ndarray
    same: bool

    @property
    def differences(self) -> np.ndarray:
        """`(frames,)` second less first; 0 where neither is finite, NaN where one is not."""
        a, b = (np.where(np.isfinite(x), x, np.nan) for x in (self.a, self.b))
        return np.where(np.isnan(a) & np.isnan(b), 0.0, b - a)

    @property
    def largest(self) -> tuple[float, int]:
        """The largest difference in size and its frame; NaN where one value is undefined."""
        sizes = np.abs(self.differences)
        worst = int(np.argmax(np.where(np.isnan(sizes), np.inf, sizes)))
        return float(sizes[worst]), int(self.frames[worst])

    @property
    def pooled(self) -> dict[str, tuple[float, float]]:
        """Each pool of both."""
        first, second = pool(self.a), pool(self.b)
        return {name: (first[name], second[name]) for name in POOLED}


@dataclass(frozen=True)
class Comparison:
    """How two results differ.

    Args:
        metrics: what both have.
        aggregate: numbers of the whole clip that both have.
        only_a: metrics that the first alone has.
        only_b: metrics that the second alone has.
        frames_only_a: how many frames the first alone has.
        frames_only_b: how many frames the second alone has.
        tolerance: the largest difference that counts as none.
        differing: names of metrics and of numbers of the clip that differ by more.
    """

    metrics: tuple[MetricDifference, ...]
    aggregate: dict[str, tuple[float, float]]
    only_a: tuple[str, ...]
    only_b: tuple[str, ...]
    frames_only_a: int
    frames_only_b: int
    tolerance: float
    differing: tuple[str, ...]

    @property
    def same(self) -> bool:
        """All of it is equal within the tolerance, and nothing is missing on a side."""
        lone = self.only_a, self.only_b, self.frames_only_a, self.frames_only_b
        return bool(self.metrics) and not (self.differing or any(lone))


def compare(
    a: AnyResult,
    b: AnyResult,
    *,
    metrics: Sequence[str] | None = None,
    tolerance: float = 1e-6,
) -> Comparison:
    """Compares two results of a clip frame by frame and pool by pool.

    Args:
        a: what `jaxvqa.score` or `report.load` gave.
        b: the other one.
        metrics: what to compare; None takes all, and counts what one side lacks as a difference.
        tolerance: the largest difference that counts as none, in the unit of the metric. Decimals
            exactly that far apart are equal too, whatever their binary form.

    Returns:
        The comparison; its `same` says whether anything differs.

    Raises:
        ValueError: an unknown metric, a tolerance below 0, or no frame that both have.

    >>> import numpy as np
    >>> from jaxvqa.report import SavedResult, compare
    >>> numbers = np.arange(2)
    >>> a = SavedResult("a.json", {"vmaf": np.array([90.0, 80.0])}, numbers, ("vmaf",))
    >>> b = SavedResult("b.json", {"vmaf": np.array([90.0, 80.5])}, numbers, ("vmaf",))
    >>> found = compare(a, b)
    >>> found.same, found.metrics[0].largest
    (False, (0.5, 1))
    """
    if not tolerance >= 0:
        raise ValueError(f"tolerance must be 0 or more, got {tolerance!r}.")
    for name in metrics or ():
        for side, result in (("first", a), ("second", b)):
            if name not in result.frames:
                raise ValueError(
                    f"the {side} result has no metric {name!r}; it has: {', '.join(result.frames)}."
                )
    common, at_a, at_b = np.intersect1d(a.frame_numbers, b.frame_numbers, return_indices=True)
    if not common.size:
        raise ValueError("the results have no frame in common: compare results of the same frames.")
    names = [n for n in a.frames if n in b.frames and (metrics is None or n in metrics)]
    found = []
    for name in names:
        first, second = np.asarray(a.frames[name])[at_a], np.asarray(b.frames[name])[at_b]
        first, second = first.astype(np.float64), second.astype(np.float64)
        found.append(_difference(name, common, first, second, tolerance))
    aggregate, only_a, only_b = {}, (), ()
    if metrics is None:
        aggregate = {n: (a.aggregate[n], b.aggregate[n]) for n in a.aggregate if n in b.aggregate}
        only_a, only_b = _missing(a, b), _missing(b, a)
    differing = [m.name for m in found if not m.same]
    differing += [
        n for n, (x, y) in aggregate.items() if not _close(np.array([x]), np.array([y]), tolerance)
    ]
    lone = len(a.frame_numbers) - len(common), len(b.frame_numbers) - len(common)
    return Comparison(tuple(found), aggregate, only_a, only_b, *lone, tolerance, tuple(differing))


def _missing(of: AnyResult, other: AnyResult) -> tuple[str, ...]:
    """What the other result lacks."""
    return tuple(
        name
        for names, others in ((of.frames, other.frames), (of.aggregate, other.aggregate))
        for name in names
        if name not in others
    )


def _difference(
    name: str, frames: np.ndarray, a: np.ndarray, b: np.ndarray, tolerance: float
) -> MetricDifference:
    pools = [np.array([p[name] for name in POOLED]) for p in (pool(a), pool(b))]
    same = _close(a, b, tolerance) and _close(pools[0], pools[1], tolerance)
    return MetricDifference(name, frames, a, b, same)


def _close(a: np.ndarray, b: np.ndarray, tolerance: float) -> bool:
    """Equal within the tolerance; what is undefined equals only what is undefined."""
    undefined = ~np.isfinite(a), ~np.isfinite(b)
    if (undefined[0] != undefined[1]).any():
        return False
    known = ~undefined[0]
    room = tolerance + _STEPS * np.spacing(np.maximum(np.abs(a[known]), np.abs(b[known])))
    return bool((np.abs(a[known] - b[known]) <= room).all())
