"""Which frame of one video is compared with which of another: by index or by time."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any, Generic, Protocol, TypeVar, runtime_checkable

from jaxvqa.video._pair.report import PairingReport, Tally, frames_text, seconds_text

Ref = TypeVar("Ref")
Dis = TypeVar("Dis")
Driver = TypeVar("Driver")
Held = TypeVar("Held")

DRIVE = ("distorted", "reference")
# of a frame's duration; a larger tolerance would reach the next frame
_MOST_SLACK = Fraction(1, 4)
# tolerances by which the later of two frames must be nearer; a start's own rounding counts twice
_TIE = 2
# of two differences of pictures; less would be chance where little moves
_CLEARLY = 0.9

# how much a frame of the distorted video and one of the reference differ
Unlike = Callable[[Any, Any], float]
# steps over the remaining frames, at most so many, and returns how many there were
CountRest = Callable[[int | None], int]


@runtime_checkable
class Strategy(Protocol):
    """A rule that pairs two streams of frames.

    Attributes:
        name: "index", "time" or "pictures".
    """

    name: str

    @property
    def report(self) -> PairingReport:
        """What the latest run of `pairs` did; complete when it has ended."""
        ...

    def pairs(
        self,
        ref: Iterator[tuple[Fraction | None, Ref]],
        dis: Iterator[tuple[Fraction | None, Dis]],
        *,
        limit: int | None = None,
        count_ref: CountRest | None = None,
        count_dis: CountRest | None = None,
    ) -> Iterator[tuple[Ref, Dis]]:
        """Pairs two streams, each read once and in step.

        Args:
            ref: time in seconds, from the first frame, and frame of the reference, sorted.
            dis: the same of the distorted video.
            limit: the most pairs; nothing is read or counted after it.
            count_ref: counts the rest of the reference cheaply; else the stream is read on.
            count_dis: the same of the distorted video.

        Yields:
            A frame of the reference and one of the distorted video.
        """
        ...


def rest_of(stream: Iterator[Any], count: CountRest | None, most: int | None) -> int:
    """Frames that remain in a stream, counted up to `most`."""
    if count is not None:
        return count(most)
    return sum(1 for _ in itertools.islice(stream, most))


class ByIndex:
    """Pairs the frames in their order; times are followed, and decide nothing.

    Args:
        offset: frames of the reference to leave out at its start; negative: of the distorted video.
        frame: seconds a frame of the reference, for `first_apart`, or None.
        lossy: frames may turn out to be missing, which would have been shown half a frame or more
            before that of the other side; that one is left out then.
    """

    name = "index"

    def __init__(self, offset: int = 0, frame: Fraction | None = None, lossy: bool = False) -> None:
        self.offset = offset
        self._frame = frame
        self._lossy = lossy
        self._tally = Tally()

    @property
    def report(self) -> PairingReport:
        """What the latest run of `pairs` did; complete when it has ended."""
        return self._tally.report(self.name, None, frames_text(self.offset))

    def pairs(
        self,
        ref: Iterator[tuple[Fraction | None, Ref]],
        dis: Iterator[tuple[Fraction | None, Dis]],
        *,
        limit: int | None = None,
        count_ref: CountRest | None = None,
        count_dis: CountRest | None = None,
    ) -> Iterator[tuple[Ref, Dis]]:
        """See `Strategy.pairs`; times are compared from the first pair on."""
        tally = self._tally = Tally()
        tally.miss(0, rest_of(ref, None, max(0, self.offset)))
        tally.miss(1, rest_of(dis, None, max(0, -self.offset)))
        first: Fraction | None = None
        shown = other = None
        while limit is None or tally.pairs < limit:
            shown = next(ref, None) if shown is None else shown
            other = next(dis, None) if other is None else other
            if shown is None or other is None:
                most = None if limit is None else limit - tally.pairs - 1
                if shown is not None:
                    tally.miss(0, 1 + rest_of(ref, count_ref, most))
                if other is not None:
                    tally.miss(1, 1 + rest_of(dis, count_dis, most))
                return
            difference = None
            if shown[0] is not None and other[0] is not None:
                difference = other[0] - shown[0]
                first = difference if first is None else first
                difference -= first
            apart = self._frame and difference and 2 * abs(difference) > self._frame
            if apart and self._lossy and difference is not None:
                tally.miss(int(difference < 0))
                shown, other = (None, other) if difference > 0 else (shown, None)
                continue
            if apart and tally.first_apart is None:
                tally.first_apart = tally.pairs
            tally.pair(difference)
            pair = shown[1], other[1]
            shown = other = None
            yield pair
            del pair


class _Window(Generic[Held]):
    """The frame of a stream that is compared now, and the one after it."""

    def __init__(self, stream: Iterator[tuple[Fraction | None, Held]], frame: Fraction) -> None:
        self.stream = stream
        self.shown = next(stream, None)
        self.following = None if self.shown is None else next(stream, None)
        self.first = True
        self.uses = 0
        self.following_uses = 0
        self._last = frame

    @property
    def distance(self) -> Fraction:
        """Seconds from the shown frame to the following; at the end, from the one before."""
        if self.shown is None or self.following is None:
            return self._last
        return seconds(self.following) - seconds(self.shown)

    @property
    def unused(self) -> int:
        """Frames in the window that are in no pair."""
        left = (self.shown, self.uses), (self.following, self.following_uses)
        return sum(frame is not None and not uses for frame, uses in left)

    def use(self, later: bool) -> int:
        """Counts a pair of the following or the shown frame; gives how many that one is in."""
        if later:
            self.following_uses += 1
            return self.following_uses
        self.uses += 1
        return self.uses

    def step(self) -> None:
        """Makes the following frame the shown one."""
        self._last = self.distance or self._last
        self.shown, self.first, self.uses = self.following, False, self.following_uses
        self.following_uses = 0
        self.following = next(self.stream, None)


def seconds(timed: tuple[Fraction | None, Any]) -> Fraction:
    """The time of a frame that must have one."""
    if timed[0] is None:
        raise ValueError("a frame has no time: pair the videos by index with pair='index'.")
    return timed[0]


def _rising(stream: Iterator[tuple[Fraction | None, Any]], side: str) -> Iterator[Any]:
    """The same stream, whose times must not go back."""
    before: Fraction | None = None
    for index, timed in enumerate(stream):
        time = seconds(timed)
        if before is not None and time < before:
            raise ValueError(
                f"frame {index} of the {side} says that it is shown before the one before it, so "
                "the file's times are wrong: pair the videos by index with pair='index'."
            )
        before = time
        yield timed
        del timed


class ByTime:
    """Pairs frames that are on screen at the same time.

    Driven by the distorted video, each of its frames is compared with the reference frame nearest
    in time; the later of two only if it is nearer by more than the tolerance, so that of two
    equally near the one on screen is taken. Before the first and after the last reference frame
    the nearest counts within half a frame. Driven by the reference, each of its frames is compared
    with the distorted frame on screen, which ends one frame after the last began. Nothing is
    repeated past an end. The tolerance is never more than a quarter of the frame it is applied to.

    Args:
        drive: the side that gives one pair a frame, "distorted" or "reference".
        tolerance: seconds by which a difference of times may be off, the sum of both ticks.
        offset: seconds from the start of the reference to that of the distorted video.
        frame: seconds a frame of the side that does not drive, used where it has one frame only.
        offset_text: the offset as it was given, or None for seconds.
        unlike: how much two frames differ; decides for a frame of the distorted video whose time
            lies between two of the reference. Encoders fill a gap with the frame before or after
            it, each in its way. None leaves it to the times.
    """

    name = "time"

    def __init__(
        self,
        drive: str = "distorted",
        tolerance: Fraction = Fraction(0),
        offset: Fraction = Fraction(0),
        frame: Fraction | None = None,
        offset_text: str | None = None,
        unlike: Unlike | None = None,
    ) -> None:
        if drive not in DRIVE:
            raise ValueError(f"drive must be one of {', '.join(DRIVE)}, not {drive!r}.")
        self.drive = drive
        self.offset = offset
        self._tolerance = tolerance
        self._frame = frame or Fraction(0)
        self._unlike = unlike if drive == "distorted" else None
        self._text = seconds_text(offset) if offset_text is None else offset_text
        self._tally = Tally()

    @property
    def report(self) -> PairingReport:
        """What the latest run of `pairs` did; complete when it has ended."""
        return self._tally.report(self.name, self.drive, self._text)

    def pairs(
        self,
        ref: Iterator[tuple[Fraction | None, Ref]],
        dis: Iterator[tuple[Fraction | None, Dis]],
        *,
        limit: int | None = None,
        count_ref: CountRest | None = None,
        count_dis: CountRest | None = None,
    ) -> Iterator[tuple[Ref, Dis]]:
        """See `Strategy.pairs`; of the side that does not drive one frame is read ahead.

        Raises:
            ValueError: a frame without a time, or with one before that of the frame before.
        """
        tally = self._tally = Tally()
        ref, dis = _rising(ref, "reference"), _rising(dis, "distorted video")
        counts = (count_ref, count_dis)
        if self.drive == "distorted":
            for driver, held in self._merge(dis, ref, 1, self.offset, tally, limit, counts):
                yield held, driver
                del driver, held
        else:
            for driver, held in self._merge(ref, dis, 0, -self.offset, tally, limit, counts):
                yield driver, held
                del driver, held

    def _merge(
        self,
        driver: Iterator[tuple[Fraction | None, Driver]],
        held: Iterator[tuple[Fraction | None, Held]],
        side: int,
        shift: Fraction,
        tally: Tally,
        limit: int | None,
        counts: tuple[CountRest | None, CountRest | None],
    ) -> Iterator[tuple[Driver, Held]]:
        """Pairs of the driving side, which is `side`, and the other, whose times are shifted."""
        window = _Window(held, self._frame)
        while limit is None or tally.pairs < limit:
            most = None if limit is None else limit - tally.pairs - 1
            current = next(driver, None)
            if current is None:
                left = window.unused
                rest = most if most is None else max(0, most + 1 - left)
                tally.miss(1 - side, left + rest_of(held, counts[1 - side], rest))
                return
            time = seconds(current) + shift
            while self._is_on_screen(time, window):
                if not window.uses:
                    tally.miss(1 - side)
                window.step()
            later = self._takes_following(time, window)
            if window.following_uses:
                later = True  # pairs never go back
            elif self._lies_between(time, window):
                later, told = self._by_picture(current[1], window, later)
                tally.by_picture += told
            shown = window.following if later else window.shown
            if shown is not None and (later or self._reaches(time, window)):
                if later and not window.uses:
                    tally.miss(1 - side)
                    window.uses = 1  # counted
                tally.reused += window.use(later) == 2
                tally.pair(time - seconds(shown))
                pair = current[1], shown[1]
                del current, shown
                yield pair
                del pair
                continue
            tally.miss(side)
            if window.following is None and (shown is None or time > seconds(shown)):
                tally.miss(side, rest_of(driver, counts[side], most))
                tally.miss(1 - side, window.unused)
                return

    def _slack(self, distance: Fraction, times: int = 1) -> Fraction:
        return min(times * self._tolerance, _MOST_SLACK * distance)

    def _is_on_screen(self, time: Fraction, window: _Window[Any]) -> bool:
        """The following frame has begun at a time."""
        if window.shown is None or window.following is None:
            return False
        slack = self._slack(window.distance) if self.drive == "reference" else Fraction(0)
        return seconds(window.following) <= time + slack

    def _takes_following(self, time: Fraction, window: _Window[Any]) -> bool:
        """The following frame is nearer to a time than the one on screen."""
        if self.drive == "reference" or window.shown is None or window.following is None:
            return False
        nearer = (time - seconds(window.shown)) - (seconds(window.following) - time)
        return nearer > self._slack(window.distance, _TIE)

    def _lies_between(self, time: Fraction, window: _Window[Any]) -> bool:
        """Neither of two frames is shown at a time, as far as times can tell."""
        if self._unlike is None or window.shown is None or window.following is None:
            return False
        slack = self._slack(window.distance)
        return seconds(window.shown) + slack < time < seconds(window.following) - slack

    def _by_picture(self, driver: Any, window: _Window[Any], later: bool) -> tuple[bool, bool]:
        """Whether the following frame is taken, and whether the pictures said so against time."""
        assert self._unlike is not None
        assert window.shown is not None
        assert window.following is not None
        shown = self._unlike(driver, window.shown[1])
        following = self._unlike(driver, window.following[1])
        other, mine = (shown, following) if later else (following, shown)
        turned = other < _CLEARLY * mine
        return later != turned, turned

    def _reaches(self, time: Fraction, window: _Window[Any]) -> bool:
        """The shown frame, the best there is, may be paired with a time."""
        if window.shown is None:
            return False
        difference = time - seconds(window.shown)
        distance = window.distance
        slack = self._slack(distance)
        if self.drive == "reference":
            if difference <= 0:
                return not window.first or difference >= -slack
            # a time within the tolerance of the end is nominally the end
            return window.following is not None or difference + slack < distance
        if difference > 0 and window.following is not None:
            return True
        if difference < 0 and not window.first:
            return True
        return abs(difference) <= distance / 2 + slack
