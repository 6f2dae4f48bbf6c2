"""Notices while scoring that the frames of two videos are paired a frame or two apart."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jaxvqa.video._pair.likeness import FLOOR, against_best, centred, cheapest_path, misfits
from jaxvqa.video._pair.thumbnail import sampled_lines

_REACH = 2
_SHIFTS = range(-_REACH, _REACH + 1)
# primes, so that frames repeated in some cadence are not always met at the same point of it
_SOON, _APART = (11, 13, 7), (17, 19, 13)
_SOON_UNTIL = 77
_CLOSE = (3, 4)  # where samples disagree with those before
_CLOSE_SAMPLES, _REST_SAMPLES = 10, 5
_FEWEST = 6  # samples that must speak for a shift
_FEWEST_OF_PART = 8
_CLEAR = 1.1  # ratio of errors from which a sample speaks for one of two shifts
_SHARE = 0.9  # of the samples that speak
_RATIO = 1.5  # of the mean errors; encodes of very slow pans trail by up to a frame
# heavy compression makes slow pictures trail by a little more with every shift looked at, so a
# minimum must be seen from both sides, or at the last shift be plain
_OUTER_RATIO = 2.0
_RISE = 1.05
# logarithms of ratios: the most that a sample counts, and what a change of the shift has to save
_MOST, _CHANGE = 1.1, 1.8
_NAMED = 3


@dataclass(frozen=True)
class Part:
    """Pairs whose distorted frames look like other reference frames.

    Args:
        first: number of the first pair that was looked at and says so.
        last: number of the last.
        frames: how many frames on in the reference they look like.
    """

    first: int
    last: int
    frames: int


class LagCheck:
    """Watches the pairs being scored for a shift of one or two frames, in all or parts of them.

    Now and then a distorted frame is compared with the five reference frames around it, in some
    of their lines. The error is what remains after the best linear change of tone, so brightness,
    range and fades count for nothing, and neither do static pictures. Where a sample speaks for
    another shift than those before, the next lie closer. Speaks only if the samples agree and the
    gain is clear; silence does not say that the pairing is right. Needs 60 pairs at the least, and
    in a part about 50.

    Args:
        bit_depth: bits per sample of both videos.
    """

    def __init__(self, bit_depth: int) -> None:
        self._bit_depth = bit_depth
        self._refs: deque[tuple[int, NDArray[np.float32]]] = deque(maxlen=len(_SHIFTS))
        self._dis: NDArray[np.float32] | None = None
        self._centre = _REACH
        self._next = 0
        self._soon, self._apart = itertools.cycle(_SOON), itertools.cycle(_APART)
        self._close = itertools.cycle(_CLOSE)
        self._places: list[int] = []
        self._errors: list[NDArray[np.float64]] = []
        self._state: int | None = None
        self._votes: deque[int] = deque(maxlen=_FEWEST)
        self._hurry = 0

    def add(self, index: int, ref_y: NDArray[np.generic], dis_y: NDArray[np.generic]) -> None:
        """Takes a pair; most are passed over.

        Args:
            index: number of the pair; they come in order.
            ref_y: luma codes of the reference, shape (height, width).
            dis_y: luma codes of the distorted video.
        """
        missing, self._next = index != self._next, index + 1
        if missing:
            self._refs.clear()
            self._dis = None
            self._centre = max(self._centre, index + _REACH)
        if index < self._centre - _REACH:
            return
        self._refs.append((index, centred(sampled_lines(ref_y, self._bit_depth))))
        if index == self._centre:
            self._dis = centred(sampled_lines(dis_y, self._bit_depth))
        if index == self._centre + _REACH and self._dis is not None:
            if len(self._refs) == len(_SHIFTS):
                self._places.append(self._centre)
                errors = misfits(np.stack([ref for _, ref in self._refs]), self._dis) + FLOOR
                self._errors.append(errors)
                self._vote(errors)
            self._dis = None
            usual = self._soon if self._centre < _SOON_UNTIL else self._apart
            self._centre += next(self._close if self._hurry > 0 else usual)

    def _vote(self, errors: NDArray[np.float64]) -> None:
        """Follows what samples say, and looks closer for a while where that changes."""
        best = int(errors.argmin())
        self._hurry += (self._hurry < 0) - (self._hurry > 0)
        if np.delete(errors, best).min() < _CLEAR * errors[best]:
            return
        self._votes.append(best)
        if best == self._state:
            self._hurry = min(self._hurry, 0)
        elif self._state is None or self._votes.count(best) == _FEWEST:
            self._state, self._hurry = best, 0
        elif self._hurry == 0:
            self._hurry = _CLOSE_SAMPLES
        elif self._hurry == 1:  # what repeats frames in some cadence would go on so
            self._hurry = -_REST_SAMPLES

    @property
    def frames(self) -> int | None:
        """The offset that the pairs seen so far call for, or None.

        Counted on top of the present pairing, in the sign of `find_offset`: distorted frame i looks
        like reference frame i + `frames`.
        """
        return _shift_of(np.array(self._errors), _FEWEST) or None

    @property
    def parts(self) -> tuple[Part, ...]:
        """The parts of the pairs seen so far that call for an offset of their own."""
        if len(self._errors) < _FEWEST_OF_PART or self.frames is not None:
            return ()
        errors, places = np.array(self._errors), np.array(self._places)
        path = cheapest_path(against_best(errors, _MOST), _CHANGE)
        found = []
        ends = [0, *(np.flatnonzero(np.diff(path)) + 1), len(path)]
        for start, stop in itertools.pairwise(ends):
            part = errors[start:stop]
            shift = _shift_of(part, _FEWEST_OF_PART)
            if shift and _SHIFTS[path[start]] == shift:
                says = part[:, _REACH] >= _CLEAR * part[:, path[start]]
                sure = places[start:stop][says]
                found.append(Part(int(sure[0]), int(sure[-1]), shift))
        return tuple(found)

    def advice(self, option: Callable[[int], str], follow: str | None = None) -> str | None:
        """What to do about it, or None.

        Args:
            option: what brings that many frames on top of the present pairing.
            follow: what follows shifts that change, or None if nothing does.
        """
        if (shift := self.frames) is None:
            return self._advice_of_parts(follow)
        many = "1 frame" if abs(shift) == 1 else f"{abs(shift)} frames"
        side = "later in the reference" if shift > 0 else "before the reference"
        return (
            f"distorted frames look like the reference's {many} {'on' if shift > 0 else 'back'}, "
            f"as if the distorted started {many} {side}: try {option(shift)}."
        )

    def _advice_of_parts(self, follow: str | None) -> str | None:
        if not (parts := self.parts):
            return None
        end = self._places[-1]
        texts = list(itertools.islice(_part_texts(parts, end), _NAMED))
        if len(parts) > _NAMED:
            texts.append(f"and {len(parts) - _NAMED} more such parts")
        advice = "" if follow is None else f": {follow} follows the pictures"
        return (
            f"distorted frames look like other frames of the reference ({'; '.join(texts)}), as if "
            f"frames had been dropped or doubled before{advice}."
        )


def _part_texts(parts: tuple[Part, ...], end: int) -> Iterator[str]:
    for part in parts:
        many = "1 frame" if abs(part.frames) == 1 else f"{abs(part.frames)} frames"
        where = f"from pair {part.first} on" if part.last == end else None
        where = where or f"pairs {part.first} to {part.last}"
        yield f"{where}: {many} {'on' if part.frames > 0 else 'back'}"


def _shift_of(errors: NDArray[np.float64], fewest: int) -> int | None:
    """The shift that some samples agree on, 0 or None where they do not speak for another."""
    if len(errors) < fewest:
        return None
    now = errors[:, _REACH]
    means = errors.mean(0)
    best = int(means.argmin())
    outer = best in (0, len(means) - 1)
    if means[_REACH] < (_OUTER_RATIO if outer else _RATIO) * means[best]:
        return None
    if not outer and np.delete(means, best).min() < _RISE * means[best]:
        return None
    pro = int((now >= _CLEAR * errors[:, best]).sum())
    # any shift that beats the best one speaks against it
    con = int((errors[:, best] >= _CLEAR * errors.min(1)).sum())
    return _SHIFTS[best] if pro >= max(fewest, _SHARE * (pro + con)) else None
