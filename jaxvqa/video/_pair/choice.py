"""Decides how two videos are paired, and says what a user must know about it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from jaxvqa._notice import Notice
from jaxvqa.video._errors import VideoError
from jaxvqa.video._inputs import InputOptions, settle_lengths
from jaxvqa.video._pair.match import ByIndex, ByTime, Strategy, Unlike
from jaxvqa.video._pair.report import (
    SIDES,
    PairingReport,
    Unpaired,
    apart_notice,
    frames_text,
    listed,
    places,
    report_notices,
    seconds_text,
)
from jaxvqa.video._timeline import Timeline, rates_differ, same_rate

# a container's rounding may cost a frame at an end
_LOST_AT_AN_END = 1
_NAMED = 3
_BY_TIMES = ("auto", "index", "time")


@dataclass(frozen=True)
class PairChoice:
    """How two videos will be paired.

    Args:
        strategy: pairs the frames.
        notices: what a user must know; empty where the lengths are not known beforehand.
        report: what the pairing will report if all times are known, else None.
        pairs: how many there will be, or None if that is not certain.
        rival: pairing by time where it differs from this one by index, which pictures can decide.
        differing: frame numbers of pairs where both differ, of this choice and of its rival.
    """

    strategy: Strategy
    notices: tuple[Notice, ...] = ()
    report: PairingReport | None = None
    pairs: int | None = None
    rival: PairChoice | None = None
    differing: tuple[tuple[tuple[int, int], ...], tuple[tuple[int, int], ...]] = ((), ())


@dataclass(frozen=True)
class _Case:
    """The question: see `choose`."""

    ref: Timeline
    dis: Timeline
    drive: str
    offset: int | Fraction | None
    truncate: bool
    limit: int | None
    skipped: tuple[int, int]
    names: tuple[str, str]
    lossy: bool
    others: tuple[Sequence[int], Sequence[int]] = ((), ())

    @property
    def counted(self) -> bool:
        """Both counts are known."""
        return self.ref.count is not None and self.dis.count is not None

    @property
    def known(self) -> bool:
        """All times of both are known."""
        return self.ref.steps is not None and self.dis.steps is not None

    @property
    def counts(self) -> tuple[int, int]:
        """Frames of both sides that take part by index: without the offset, up to the limit."""
        skip = self.offset_frames
        left = ((self.ref.count or 0) - max(0, skip), (self.dis.count or 0) - max(0, -skip))
        most = max(left) if self.limit is None else self.limit
        return max(0, min(left[0], most)), max(0, min(left[1], most))

    @property
    def rate(self) -> Fraction | None:
        """The rate that turns frames into seconds."""
        return self.ref.rate or self.dis.rate

    @property
    def offset_frames(self) -> int:
        """The offset in frames of the reference."""
        if self.offset is None or isinstance(self.offset, int):
            return self.offset or 0
        if self.rate is None:
            raise VideoError(
                self.names[0],
                "has no frame rate, so an offset in seconds has no meaning: give it in frames.",
            )
        return round(self.offset * self.rate)

    @property
    def offset_seconds(self) -> Fraction:
        """The offset in seconds."""
        if not isinstance(self.offset, int):
            return self.offset or Fraction(0)
        if self.offset and self.rate is None:
            raise VideoError(
                self.names[0],
                "has no frame rate, so an offset in frames has no time: give it in seconds.",
            )
        return self.offset / self.rate if self.rate else Fraction(0)

    def error(self, problem: str) -> VideoError:
        """An error about the distorted video."""
        return VideoError(self.names[1], problem)


def choose(
    ref: Timeline,
    dis: Timeline,
    *,
    pair: str = "auto",
    drive: str = "distorted",
    offset: int | Fraction | None = None,
    on_length_mismatch: str = "error",
    limit: int | None = None,
    skipped: tuple[int, int] = (0, 0),
    names: tuple[str, str] = ("reference", "distorted"),
    unlike: Unlike | None = None,
    lossy: bool = False,
    others: tuple[Sequence[int], Sequence[int]] = ((), ()),
) -> PairChoice:
    """Decides how two videos are paired.

    "auto" pairs by index what has the same number of frames at the same rate, or no times; by time
    where no more than a frame at an end is left without partner; all else is refused. Where as many
    frames are shown at other times, pairing by time is a rival that pictures have to decide on.

    Args:
        ref: the reference's frames after the skipped ones.
        dis: the distorted video's.
        pair: "auto", "index" or "time".
        drive: of "time", the side that gives one pair a frame, "distorted" or "reference".
        offset: frames (int) or seconds (Fraction) by which the distorted video starts later in the
            reference; negative: earlier. Frames without partner at the ends are then expected.
        on_length_mismatch: "truncate" pairs the common part of unequal lengths by index.
        limit: the most pairs.
        skipped: frames of both sides that were left out before, for messages.
        names: both files, for messages.
        unlike: see `ByTime`.
        lossy: frames that are announced may turn out to be missing, as damage is accepted.
        others: other streams of each file that could be meant, for messages.

    Returns:
        The choice.

    Raises:
        VideoError: videos that do not fit each other, with what would help.
        ValueError: an unknown `pair` or `drive`.
    """
    if pair not in _BY_TIMES:
        raise ValueError(f"pair must be one of {', '.join(_BY_TIMES)}, not {pair!r}.")
    truncate = on_length_mismatch == "truncate"
    case = _Case(ref, dis, drive, offset, truncate, limit, skipped, names, lossy, others)
    by_time = _by_time(case, None)
    if pair == "time":
        return _with_pictures(_timed(case, by_time), case, unlike)
    if pair == "index" or not (ref.timed and dis.timed):
        return _indexed(case, check_times=False)
    same = same_rate(ref, dis)
    if rates_differ(ref, dis):
        raise case.error(_rates_differ(case))
    if not case.known:
        return _indexed(case, check_times=False)
    equal = ref.count == dis.count
    # with a limit or an offset, the frames that take part may be as many
    even = case.counts[0] == case.counts[1] and not _apart(case)
    if (same and (equal or even)) or (truncate and not equal):
        choice = _indexed(case, check_times=True)
        apart = choice.report is not None and choice.report.first_apart is not None
        return _with_rival(choice, case, unlike) if apart and equal else choice
    return _with_pictures(_fitting(case, by_time), case, unlike)


def _with_pictures(choice: PairChoice, case: _Case, unlike: Unlike | None) -> PairChoice:
    """The same choice, with pictures to decide between frames; times alone were simulated."""
    return replace(choice, strategy=_by_time(case, unlike))


def _with_rival(choice: PairChoice, case: _Case, unlike: Unlike | None) -> PairChoice:
    """A choice by index whose pairs are shown at different times, and pairing by time beside it."""
    report, timed = _simulate(case, _by_time(case, None))
    if not timed:
        return choice
    _, indexed = _simulate(case, choice.strategy)
    by_dis = {pair[1]: pair for pair in timed}
    differing = [(p, by_dis[p[1]]) for p in indexed if by_dis.get(p[1], p) != p]
    if not differing:
        return choice
    text = (
        f"{case.names[1]}: has as many frames as the reference {case.names[0]}, at other times; "
        "paired by time, as pictures are more alike so than by index."
    )
    notices = (Notice("pairing", text), *report_notices(report, case.names))
    rival = PairChoice(_by_time(case, unlike), notices, report, len(timed))
    mine, others = zip(*differing, strict=True)
    return replace(choice, rival=rival, differing=(mine, others))


def _by_time(case: _Case, unlike: Unlike | None) -> ByTime:
    """The pairing by time of two timelines."""
    offset = case.offset
    text = frames_text(offset) if isinstance(offset, int) else seconds_text(offset or Fraction(0))
    held = case.ref if case.drive == "distorted" else case.dis
    # without a rate the offset is of use by index only
    known = not isinstance(offset, int) or case.rate is not None
    shift = case.offset_seconds if known else Fraction(0)
    return ByTime(case.drive, case.ref.tick + case.dis.tick, shift, held.frame, text, unlike)


def _simulate(case: _Case, strategy: Strategy) -> tuple[PairingReport, list[tuple[int, int]]]:
    """Pairs the frame numbers of both timelines."""
    numbers = strategy.pairs(case.ref.numbered(), case.dis.numbered(), limit=case.limit)
    pairs = list(numbers)
    return strategy.report, pairs


def _indexed(case: _Case, check_times: bool) -> PairChoice:
    """By index, if the lengths allow it."""
    strategy = ByIndex(case.offset_frames, case.ref.frame or case.dis.frame)
    if not case.counted:
        return PairChoice(strategy)
    ref, dis = case.counts
    notices: list[Notice] = []
    if case.offset is None:
        _, problem, dropped = settle_lengths(ref, dis, _lengths(case))
        if problem is not None:
            raise case.error(f"has {dis} frames, but the reference {case.names[0]} {problem}")
        if dropped is not None:
            notices.append(Notice("dropped-frames", f"{case.names[1]}: {dropped}"))
    elif min(ref, dis) == 0:
        raise _no_pair(case)
    report = None
    if case.offset is not None or case.known:
        report, _ = _simulate(case, strategy)
    if case.lossy and case.known and report is not None and report.first_apart is None:
        strategy = ByIndex(strategy.offset, case.ref.frame or case.dis.frame, lossy=True)
    if case.offset is not None and report is not None:
        notices += report_notices(report, case.names)
    if check_times and report is not None and report.first_apart is not None:
        notices.append(apart_notice(report.first_apart, case.offset_frames, case.names))
    return PairChoice(strategy, tuple(notices), report, min(ref, dis))


def _lengths(case: _Case) -> InputOptions:
    policy = "truncate" if case.truncate else "error"
    skip_ref, skip_dis = case.skipped
    return InputOptions(skip_ref=skip_ref, skip_dis=skip_dis, on_length_mismatch=policy)


def _apart(case: _Case) -> bool:
    strategy = ByIndex(case.offset_frames, case.ref.frame or case.dis.frame)
    return _simulate(case, strategy)[0].first_apart is not None


def _no_pair(case: _Case) -> VideoError:
    return case.error(
        f"no frame has a partner in the reference {case.names[0]}: check the offset."
        if case.offset is not None
        else f"no frame has a partner in the reference {case.names[0]}: pair='index' pairs the "
        "frames in their order."
    )


def _timed(case: _Case, strategy: ByTime) -> PairChoice:
    """By time, because that was asked for."""
    for name, timeline in zip(case.names, (case.ref, case.dis), strict=True):
        if not timeline.timed:
            raise VideoError(name, "has no times, so it can't be paired by time: use pair='index'.")
    if isinstance(case.offset, int):
        case.offset_seconds  # noqa: B018 -- raises if frames have no time
    if not case.known:
        return PairChoice(strategy)
    report, pairs = _simulate(case, strategy)
    if not pairs:
        raise _no_pair(case)
    return PairChoice(strategy, report_notices(report, case.names), report, len(pairs))


def _fitting(case: _Case, strategy: ByTime) -> PairChoice:
    """By time, if hardly a frame is left without partner; else the reason why not."""
    report, pairs = _simulate(case, strategy)
    missed = (report.unpaired_ref, report.unpaired_dis)
    inside = sum(side.inside for side in missed)
    ends = sum(side.start + side.end for side in missed)
    # files that count frames instead of timing them lose none
    rounded = case.ref.tick + case.dis.tick > 0
    expected = case.offset is not None or ends <= rounded * _LOST_AT_AN_END
    if not pairs or inside or not expected:
        raise case.error(_misfit(case, report, pairs))
    return PairChoice(strategy, report_notices(report, case.names), report, len(pairs))


def _rates_differ(case: _Case) -> str:
    dis, ref = (float(side.rate or 0) for side in (case.dis, case.ref))
    other = "" if case.drive == "reference" else ", or with drive='reference' one a reference frame"
    gives = "reference" if case.drive == "reference" else "distorted"
    return (
        f"has {dis:.3f} frames a second, but the reference {case.names[0]} has {ref:.3f}: pair "
        f"them by time with pair='time' (a score a {gives} frame{other}), or, if both show the "
        f"same frames, by index with pair='index'{''.join(_other_streams(case))}."
    )


def _other_streams(case: _Case) -> Iterator[str]:
    """What to do if a stream was taken that was not meant."""
    for name, side, others in zip(case.names, ("ref", "dis"), case.others, strict=True):
        if others:
            ways = " or ".join(f"{side}_stream={index}" for index in others[:_NAMED])
            yield f"; if another stream of {name} is meant, take it with {ways}"


def _misfit(case: _Case, report: PairingReport, pairs: Sequence[tuple[int, int]]) -> str:
    """What is missing where, and what would help."""
    ref, dis = case.ref.count or 0, case.dis.count or 0
    so_many = f"has {dis} frames, but the reference {case.names[0]} has {ref}"
    if ref == dis:
        so_many = f"has {dis} frames as the reference {case.names[0]}, but at other times"
    if not pairs:
        return f"{so_many}: none of them is shown at the time of another; use pair='index'."
    missed = (report.unpaired_ref, report.unpaired_dis)
    missing = [text for side in (0, 1) for text in _missing(case, side, missed[side], pairs)]
    one = sum(side.total for side in missed) == 1
    cures = ["score the pairs that there are with pair='time'"]
    if case.offset is None and ref != dis and not any(side.inside for side in missed):
        cures += [
            "the common part from the first frame on with on_length_mismatch='truncate'",
            "or say where the distorted video starts in the reference with offset=N (frames)",
        ]
    elif ref == dis:
        cures.append("or pair the frames in their order with pair='index'")
    join = ", " if len(cures) > 2 else " "
    return (
        f"{so_many}: {listed(missing)} {'has' if one else 'have'} no partner; {join.join(cures)}."
    )


def _missing(
    case: _Case, side: int, unpaired: Unpaired, pairs: Sequence[tuple[int, int]]
) -> Iterator[str]:
    """Frames of a side without partner: the ends counted, those inside named."""
    yield from places(side, Unpaired(unpaired.start, 0, unpaired.end))
    if not unpaired.inside:
        return
    used = sorted({pair[side] for pair in pairs})
    runs = [(a + 1, b - 1) for a, b in itertools.pairwise(used) if b > a + 1]
    named = [f"{a}" if a == b else f"{a} to {b}" for a, b in runs[:_NAMED]]
    more = unpaired.inside - sum(b - a + 1 for a, b in runs[:_NAMED])
    if more:
        named.append(f"{more} more")
    word = "frame" if unpaired.inside == 1 else "frames"
    yield f"{word} {listed(named)} of the {SIDES[side]}"
