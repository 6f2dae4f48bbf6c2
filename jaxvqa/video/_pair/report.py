"""What a pairing of two videos did, and its texts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from jaxvqa._notice import Notice

SIDES = ("reference", "distorted video")


@dataclass(frozen=True)
class Unpaired:
    """Frames of one side that are in no pair.

    Args:
        start: before the first pair.
        inside: between two pairs.
        end: after the last pair.
    """

    start: int = 0
    inside: int = 0
    end: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return self.start + self.inside + self.end


@dataclass(frozen=True)
class PairingReport:
    """How two videos were paired.

    Args:
        strategy: "index", "time" or "pictures".
        drive: of "time", the side that gives one pair a frame, "distorted" or "reference".
        offset: where the distorted video starts in the reference, as text.
        pairs: how many there are.
        unpaired_ref: frames of the reference in no pair.
        unpaired_dis: frames of the distorted video in no pair.
        reused: frames of the side that does not drive in more than one pair.
        largest_time_difference: seconds between the two frames of a pair after the offset, the
            largest; None where a frame has no time.
        first_apart: of "index", the first pair more than half a frame apart in time, or None.
        by_picture: frames between two of the reference whose picture decided, against the times.
    """

    strategy: str
    drive: str | None
    offset: str
    pairs: int = 0
    unpaired_ref: Unpaired = Unpaired()
    unpaired_dis: Unpaired = Unpaired()
    reused: int = 0
    largest_time_difference: Fraction | None = None
    first_apart: int | None = None
    by_picture: int = 0


class Tally:
    """Counts pairs, and frames without one; a frame's place is known when the next pair comes."""

    def __init__(self) -> None:
        self.pairs = 0
        self.reused = 0
        self.largest: Fraction | None = None
        self.timed = True
        self.first_apart: int | None = None
        self.by_picture = 0
        self._start = [0, 0]
        self._inside = [0, 0]
        self._pending = [0, 0]

    def miss(self, side: int, count: int = 1) -> None:
        """Some frames of a side, 0 or 1, have no partner."""
        self._pending[side] += count

    def pair(self, difference: Fraction | None) -> None:
        """A pair, with the seconds between its frames."""
        place = self._inside if self.pairs else self._start
        for side in (0, 1):
            place[side] += self._pending[side]
            self._pending[side] = 0
        self.pairs += 1
        if difference is None:
            self.timed = False
        else:
            self.largest = max(abs(difference), self.largest or Fraction(0))

    def unpaired(self, side: int) -> Unpaired:
        """What a side has missed so far."""
        return Unpaired(self._start[side], self._inside[side], self._pending[side])

    def report(self, strategy: str, drive: str | None, offset: str) -> PairingReport:
        """The report of the run."""
        return PairingReport(
            strategy, drive, offset, self.pairs, self.unpaired(0), self.unpaired(1), self.reused,
            self.largest if self.timed else None, self.first_apart, self.by_picture,
        )  # fmt: skip


def report_notices(report: PairingReport, names: Sequence[str]) -> tuple[Notice, ...]:
    """What a user must know about a pairing that has ended.

    Args:
        report: of the pairing.
        names: the reference's and the distorted file, for messages.

    Returns:
        Notices with the codes "dropped-frames" and "pairing".
    """
    found: list[Notice] = []
    missed = [
        text
        for side, unpaired in enumerate((report.unpaired_ref, report.unpaired_dis))
        for text in places(side, unpaired)
    ]
    if missed:
        one = report.unpaired_ref.total + report.unpaired_dis.total == 1
        text = f"{listed(missed)} had no partner and {'was' if one else 'were'} not scored."
        found.append(Notice("dropped-frames", f"{names[1]}: {text}"))
    if report.reused and report.strategy != "pictures":  # which says where itself
        held, driver = "reference", "distorted"
        if report.drive == "reference":
            held, driver = "distorted video", "reference"
        are = "is" if report.reused == 1 else "are"
        text = (
            f"{report.pairs} pairs by time: {frames_text(report.reused)} of the {held} {are} "
            f"compared with more than one {driver} frame"
        )
        if report.by_picture:
            text += (
                f"; {frames_text(report.by_picture)} between two of the {held} with that which is "
                "more alike"
            )
        text += "."
        found.append(Notice("pairing", f"{names[1]}: {text}"))
    return tuple(found)


def apart_notice(pair: int, offset: int, names: Sequence[str]) -> Notice:
    """Says that pairs by index are not shown at the same time.

    Args:
        pair: number of the first such pair.
        offset: frames of the reference that were left out, negative: of the distorted video.
        names: the reference's and the distorted file.
    """
    ref, dis = pair + max(0, offset), pair + max(0, -offset)
    text = (
        f"{names[1]}: paired by index, but frame {dis} is shown more than half a frame away from "
        f"frame {ref} of the reference: frames may have been dropped, doubled or retimed; "
        "pair='time' pairs what is shown at the same time."
    )
    return Notice("pairing", text)


def places(side: int, unpaired: Unpaired) -> Iterator[str]:
    """Where frames have no partner, without the verb."""
    for place, count in (("first", unpaired.start), ("last", unpaired.end)):
        if count:
            frames = "frame" if count == 1 else frames_text(count)
            yield f"the {place} {frames} of the {SIDES[side]}"
    if unpaired.inside:
        yield f"{frames_text(unpaired.inside)} inside the {SIDES[side]}"


def frames_text(count: int) -> str:
    """A number of frames in words, "0" for none."""
    if not count:
        return "0"
    return f"{count} {'frame' if abs(count) == 1 else 'frames'}"


def seconds_text(duration: Fraction) -> str:
    """Seconds in words, "0" for none."""
    return f"{float(duration):g} s" if duration else "0"


def listed(parts: Sequence[str]) -> str:
    """Parts of a sentence joined as English does."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
