"""Pairs frames that show the same, found beforehand from the pictures of both files."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from fractions import Fraction

from jaxvqa._notice import Notice
from jaxvqa.video._pair.match import CountRest, Dis, Ref, rest_of
from jaxvqa.video._pair.report import SIDES, PairingReport, Tally, frames_text, listed

_NAMED = 4


class ByPictures:
    """Pairs each distorted frame with the reference frame that it shows.

    Args:
        shows: number of the reference frame that each distorted frame shows, not falling; those
            below 0 and beyond the end are none. Distorted frames after these go on in step.
        offset: frames by which the distorted video was said to start later, for the report.
    """

    name = "pictures"

    def __init__(self, shows: Sequence[int], offset: int = 0) -> None:
        self._shows = shows
        self._offset = offset
        self._tally = Tally()

    @property
    def report(self) -> PairingReport:
        """What the latest run of `pairs` did; complete when it has ended."""
        return self._tally.report(self.name, None, frames_text(self._offset))

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
        first: Fraction | None = None
        shown: tuple[Fraction | None, Ref] | None = None
        at, uses = -1, 0
        for wanted in itertools.chain(self._shows, _onwards(self._shows)):
            if limit is not None and tally.pairs >= limit:
                return
            most = None if limit is None else limit - tally.pairs - 1
            other = next(dis, None)
            if other is None:
                tally.miss(0, rest_of(ref, count_ref, most))
                return
            while at < wanted:
                shown, at, uses = next(ref, None), at + 1, 0
                if shown is None:
                    tally.miss(1, 1 + rest_of(dis, count_dis, most))
                    return
                tally.miss(0, at < wanted)
            if shown is None:  # before the reference's first
                tally.miss(1)
                continue
            difference = None
            if shown[0] is not None and other[0] is not None:
                difference = other[0] - shown[0]
                first = difference if first is None else first
                difference -= first
            uses += 1
            tally.reused += uses == 2
            tally.pair(difference)
            pair = shown[1], other[1]
            del other
            yield pair
            del pair


def _onwards(shows: Sequence[int]) -> Iterator[int]:
    return itertools.count(shows[-1] + 1 if shows else 0)


def pictures_notice(shows: Sequence[int], offset: int, names: Sequence[str]) -> Notice | None:
    """Says where pictures changed the pairing; None if frames go by their numbers.

    Args:
        shows: see `ByPictures`.
        offset: frames by which the distorted video was said to start later.
        names: the reference's and the distorted file.
    """
    shifts = [number - index for index, number in enumerate(shows)]
    starts = [i for i, shift in enumerate(shifts) if i == 0 or shift != shifts[i - 1]]
    if not starts or (len(starts) == 1 and shifts[0] == offset):
        return None
    texts = [f"from {start} on with {shows[start]}" for start in starts[:_NAMED]]
    if len(starts) > _NAMED:
        texts.append(f"so on at {len(starts) - _NAMED} more places")
    text = f"{names[1]}: paired by pictures: frames {listed(texts)} of the {SIDES[0]}."
    return Notice("pairing", text)
