"""When the frames of a video are shown, in exact seconds."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

_NTSC = tuple(Fraction(n) for n in (24, 30, 48, 60, 120, 240))
_COMMON_RATES = (*_NTSC, *(rate * 1000 / 1001 for rate in _NTSC), *map(Fraction, (25, 50, 100)))
_NEAR = Fraction(1, 20)
_SAME_RATE = Fraction(1, 1000)
_MICRO = Fraction(1, 1_000_000)


@dataclass(frozen=True)
class Gap:
    """A place where pictures of a constant rate are missing.

    Args:
        frame: the first frame after the gap, counted from 0.
        missing: pictures that are missing before it.
    """

    frame: int
    missing: int


@dataclass(frozen=True)
class Timeline:
    """When the shown frames of a video are on screen; the first is at 0.

    Times are whole numbers of `unit`. A container rounds them to its time base, so each may be off
    by `tick`; a rate is exact.

    Args:
        count: frames, or None if that is not known.
        timed: the frames have times; with an unknown count they are told by reading only.
        steps: times of the frames in units, not decreasing, or None if they are not known.
        unit: seconds a step.
        tick: seconds by which a time may be off; 0 for times that come from a rate.
        start: the container's time of the first frame in seconds.
        rate: frames per second, or None; of a variable rate the mean.
        constant: every frame is where the rate puts it.
        gaps: where pictures are missing in an otherwise constant rate.
    """

    count: int | None = None
    timed: bool = False
    steps: Sequence[int] | None = None
    unit: Fraction = Fraction(0)
    tick: Fraction = Fraction(0)
    start: Fraction = Fraction(0)
    rate: Fraction | None = None
    constant: bool = False
    gaps: tuple[Gap, ...] = ()

    @classmethod
    def from_pts(
        cls, pts: Iterable[int], time_base: Fraction, rates: Iterable[Fraction | None] = ()
    ) -> Timeline:
        """The timeline of a container.

        The rate is constant if some rate puts every frame within a tick of its time; the declared
        ones are tried first, then the usual ones, then the mean.

        Args:
            pts: raw times of all shown frames in units of the time base, sorted.
            time_base: seconds a unit.
            rates: frames per second that the container declares; None and 0 are ignored.

        Returns:
            The timeline.

        Raises:
            ValueError: times that are not sorted.
        """
        raw = tuple(pts)
        steps = tuple(p - raw[0] for p in raw)
        if any(b < a for a, b in itertools.pairwise(steps)):
            raise ValueError("pts must be sorted: give the times in the order of display.")
        declared = [Fraction(rate) for rate in rates if rate]
        rate, constant, gaps = _fit(steps, time_base, declared)
        start = raw[0] * time_base if raw else Fraction(0)
        return cls(len(raw), True, steps, time_base, time_base, start, rate, constant, gaps)

    @classmethod
    def from_seconds(cls, times: Sequence[Fraction]) -> Timeline:
        """The timeline of frames whose times are known in seconds, to a microsecond."""
        return cls.from_pts([round(time / _MICRO) for time in times], _MICRO)

    @classmethod
    def at_rate(cls, count: int | None, rate: Fraction) -> Timeline:
        """The timeline of a file that states a rate and no times, such as y4m.

        Args:
            count: frames, or None if that is not known, as in a pipe.
            rate: frames per second, above 0.

        Returns:
            The timeline; its times are exact.
        """
        steps = None if count is None else range(count)
        return cls(count, True, steps, 1 / Fraction(rate), rate=Fraction(rate), constant=True)

    @classmethod
    def unknown(
        cls,
        count: int | None = None,
        rate: Fraction | None = None,
        time_base: Fraction | None = None,
    ) -> Timeline:
        """The timeline of a file without times, or with times that only reading tells.

        Args:
            count: frames, or None if that is not known.
            rate: frames per second that the file declares, or None.
            time_base: seconds a unit of the times that reading will tell, or None if there are
                none.

        Returns:
            The timeline.
        """
        tick = Fraction(0) if time_base is None else time_base
        return cls(count, time_base is not None, tick=tick, rate=rate or None)

    @functools.cached_property
    def times(self) -> tuple[Fraction, ...] | None:
        """Seconds from the first frame to each frame, or None if they are not known."""
        return None if self.steps is None else tuple(step * self.unit for step in self.steps)

    def numbered(self) -> Iterator[tuple[Fraction | None, int]]:
        """Time and number of each frame."""
        times = self.times
        return ((None if times is None else times[i], i) for i in range(self.count or 0))

    @property
    def duration(self) -> Fraction | None:
        """Seconds of all frames, the last shown as long as the mean of the others, or None."""
        if self.steps is None or len(self.steps) < 2:
            return None
        return self.steps[-1] * self.unit * len(self.steps) / (len(self.steps) - 1)

    @property
    def frame(self) -> Fraction | None:
        """Seconds a frame by the rate, or None."""
        return None if self.rate is None else 1 / self.rate

    def part(self, skip: int = 0, most: int | None = None) -> Timeline:
        """The timeline of some of the frames, starting at 0 again.

        Args:
            skip: frames to leave out at the start.
            most: the most frames to keep, or None for all.

        Returns:
            The timeline; rate and tick stay.
        """
        if self.count is None or not (skip or (most is not None and most < self.count)):
            return self
        left = max(0, self.count - skip)
        left = left if most is None else min(left, most)
        if self.steps is None:
            return replace(self, count=left)
        kept = self.steps[skip : skip + left]
        first = kept[0] if kept else 0
        gaps = tuple(
            Gap(gap.frame - skip, gap.missing)
            for gap in self.gaps
            if skip < gap.frame < skip + left
        )
        return replace(
            self,
            count=left,
            steps=tuple(step - first for step in kept),
            start=self.start + first * self.unit,
            constant=self.constant or (bool(self.gaps) and not gaps),
            gaps=gaps,
        )


def same_rate(ref: Timeline, dis: Timeline) -> bool:
    """Two rates differ by no more than rounding; one frame has any rate."""
    if ref.count == 1 or dis.count == 1:
        return True
    if ref.rate is None or dis.rate is None:
        return False
    return abs(ref.rate - dis.rate) <= _SAME_RATE * max(ref.rate, dis.rate)


def rates_differ(ref: Timeline, dis: Timeline) -> bool:
    """Both rates are constant, and not the same."""
    return ref.constant and dis.constant and not same_rate(ref, dis)


_Fit = tuple[Fraction | None, bool, tuple[Gap, ...]]


def _fit(steps: Sequence[int], unit: Fraction, declared: Sequence[Fraction]) -> _Fit:
    """The rate of the times, whether it is constant, and its gaps."""
    if len(steps) < 2 or steps[-1] == 0:
        rate = next(iter(declared), None)
        return rate, rate is not None and len(steps) < 2, ()
    mean = (len(steps) - 1) / (steps[-1] * unit)
    for rate in (*declared, *_common_near(mean), mean):
        if _is_constant(steps, unit, rate):
            return rate, True, ()
    distances = sorted(b - a for a, b in itertools.pairwise(steps))
    usual = distances[len(distances) // 2] * unit
    best: tuple[Fraction, tuple[Gap, ...]] | None = None
    for rate in (*declared, *(_common_near(1 / usual) if usual else ())):
        gaps = _gaps(steps, unit, rate)
        # of a rate and its multiples the lowest leaves the fewest pictures out
        if gaps is not None and (best is None or _missing(gaps) < _missing(best[1])):
            best = rate, gaps
    return (mean, False, ()) if best is None else (best[0], False, best[1])


def _missing(gaps: Sequence[Gap]) -> int:
    return sum(gap.missing for gap in gaps)


def _common_near(rate: Fraction) -> list[Fraction]:
    """Usual rates near one, the nearest first."""
    near = [common for common in _COMMON_RATES if abs(common - rate) <= _NEAR * rate]
    return sorted(near, key=lambda common: abs(common - rate))


def _is_constant(steps: Sequence[int], unit: Fraction, rate: Fraction) -> bool:
    """Frame i is within a tick, and a quarter of a frame, of i / rate.

    In integers, since files have many frames.
    """
    tick = unit.numerator * rate.numerator
    frame = rate.denominator * unit.denominator
    allowed = min(4 * tick, frame)
    return all(4 * abs(step * tick - i * frame) <= allowed for i, step in enumerate(steps))


def _gaps(steps: Sequence[int], unit: Fraction, rate: Fraction) -> tuple[Gap, ...] | None:
    """The gaps if all frames are so near to some k / rate, k rising, else None.

    Most frames must follow each other: a fine enough grid fits everything.
    """
    tick = unit.numerator * rate.numerator
    frame = rate.denominator * unit.denominator
    allowed = min(4 * tick, frame)
    found: list[Gap] = []
    last = -1
    for i, step in enumerate(steps):
        k = (2 * step * tick + frame) // (2 * frame)
        if k <= last or 4 * abs(step * tick - k * frame) > allowed:
            return None
        if k > last + 1:
            found.append(Gap(i, k - last - 1))
        last = k
    return tuple(found) if 2 * len(found) < len(steps) else None
