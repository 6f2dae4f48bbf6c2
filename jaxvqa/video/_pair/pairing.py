"""Reads two videos in step: made alike, paired, one pair after the other."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from fractions import Fraction
from typing import Any

from jaxvqa import _waiting as waiting
from jaxvqa._notice import Notice
from jaxvqa.video._convert.conform import Agreement, agree
from jaxvqa.video._decode.open import check_pair
from jaxvqa.video._errors import VideoError
from jaxvqa.video._formats import FrameMemory, FramePlanes
from jaxvqa.video._info import Reader, unlike_light
from jaxvqa.video._inputs import InputOptions, settle_lengths
from jaxvqa.video._pair.alignment import Reopen, align, more_alike
from jaxvqa.video._pair.choice import PairChoice, choose
from jaxvqa.video._pair.follow import choose_by_pictures
from jaxvqa.video._pair.in_step import InStep, unlike
from jaxvqa.video._pair.lag import LagCheck
from jaxvqa.video._pair.match import ByIndex
from jaxvqa.video._pair.range_check import RangeCheck
from jaxvqa.video._pair.report import PairingReport, apart_notice, report_notices
from jaxvqa.video._pair.starts import check_starts
from jaxvqa.video._reader import Video, open_video, video_of
from jaxvqa.video._timeline import Timeline, rates_differ

_WHOLE = Fraction(1, 20)  # of a frame

# index, planes of the reference, planes of the distorted video
NumberedPair = tuple[int, FramePlanes, FramePlanes]


class VideoPair:
    """Two open videos read in step; see `open_pair`.

    A context manager, and an iterator, once, over `(index, ref_planes, dis_planes)` with the index
    counted from 0 after the skipped frames.

    Attributes:
        ref: the reference video; facts are in `ref.info`.
        dis: the distorted video.
        alike: what both become: size, depth, and the filters of each.
        dropped: frames at the end that have no partner, `(of ref, of dis)`, set by the end of the
            iteration.
    """

    def __init__(
        self,
        ref: Video,
        dis: Video,
        inputs: InputOptions,
        reopen: tuple[Reopen, Reopen],
    ) -> None:
        self.ref = ref
        self.dis = dis
        self._inputs = inputs
        self._limit = inputs.frame_count
        self.dropped = (0, 0)
        self._end_notices: list[Notice] = []
        self._alignment = align(ref, dis, inputs, reopen)
        self.alike = self._agree(chroma=False)
        if self._limit is None:
            for video in (ref, dis):
                if video.incomplete:
                    raise VideoError(video.info.path, video.incomplete)
        self._start_notices = check_starts(ref, dis, inputs, reopen)
        self._choice = self._choose(reopen)
        if self._choice.rival is not None:
            self._choice = self._decided(self._choice, self._choice.rival, reopen)

    def _agree(self, chroma: bool) -> Agreement:
        return agree(
            self.ref.info, self.dis.info, self._inputs, chroma=chroma, crops=self._alignment.crops
        )

    def _choose(self, reopen: tuple[Reopen, Reopen]) -> PairChoice:
        inputs = self._inputs
        if inputs.pair == "pictures":
            return choose_by_pictures(self.ref, self.dis, reopen, self._alignment, self._limit)
        # how many frames a file lacks that was cut short only reading tells
        ref, dis = (
            Timeline.unknown(rate=v.info.fps, time_base=v.timeline().tick or None)
            if v.incomplete
            else v.timeline()
            for v in (self.ref, self.dis)
        )
        offset = self._alignment.offset
        if inputs.absolute_time:
            if isinstance(offset, int):
                offset = offset / ref.rate if ref.rate else Fraction(0)
            offset = (offset or Fraction(0)) + dis.start - ref.start
        return choose(
            ref,
            dis,
            pair=inputs.pair,
            drive=inputs.drive,
            offset=offset or None,
            on_length_mismatch=inputs.on_length_mismatch,
            limit=self._limit,
            skipped=(self.ref.skip, self.dis.skip),
            names=(self.ref.info.path, self.dis.info.path),
            unlike=unlike,
            lossy=inputs.on_damage != "error",
            others=(self.ref.info.other_streams, self.dis.info.other_streams),
        )

    def _decided(
        self, choice: PairChoice, rival: PairChoice, reopen: tuple[Reopen, Reopen]
    ) -> PairChoice:
        """Of two ways to pair, that which compares pictures that are more alike."""
        if not (self.ref.is_file and self.dis.is_file):
            return choice
        return rival if more_alike(self.ref, self.dis, reopen, choice.differing) else choice

    @property
    def pairing(self) -> PairingReport:
        """How the frames were paired; complete after the last."""
        return self._choice.strategy.report

    @property
    def encoded(self) -> tuple[int, int, int] | None:
        """Columns, rows and depth of the distorted picture, if it is scaled or raised."""
        info, crop = self.dis.info, self._alignment.crops[1]
        own = *(crop[:2] if crop else (info.width, info.height)), info.bit_depth
        now = self.alike.width, self.alike.height, self.alike.bit_depth
        return None if own == now else own

    @property
    def frame_count(self) -> int | None:
        """Pairs that the iteration gives, or None if that is not certain beforehand."""
        if self.ref.frames_left is None or self.dis.frames_left is None:
            return None
        if self._choice.pairs is not None:
            return self._choice.pairs
        shorter = min(self.ref.frames_left, self.dis.frames_left)
        return shorter if self._limit is None else min(shorter, self._limit)

    @property
    def expected_count(self) -> int | None:
        """About how many pairs there will be, or None; containers may announce it wrongly."""
        known = [] if self._limit is None else [self._limit]
        if self._choice.pairs is not None:
            return min([*known, self._choice.pairs])
        for video in (self.ref, self.dis):
            count = video.info.frame_count or video.info.expected_frames
            if count is not None:
                known.append(max(1, count - video.skip))
        return min(known, default=None)

    @property
    def notices(self) -> list[Notice]:
        """What may spoil the scores; complete after the last frame."""
        ref, dis = self.ref.info, self.dis.info
        found = [*self._alignment.notices, *self._start_notices, *self.alike.notices]
        found += [*self.ref.notices, *self.dis.notices]
        if unlike_light(ref, dis):
            text = (
                f"{dis.path}: its transfer function is {dis.color_transfer or 'not known'}, the "
                f"reference's {ref.color_transfer or 'not known'}: the scores mean little."
            )
            found.append(Notice("transfer", text))
        return found + self._end_notices

    def __iter__(self) -> Iterator[NumberedPair]:
        return self.read()

    def read(
        self, chroma: bool = True, memory: tuple[FrameMemory, FrameMemory] | None = None
    ) -> Iterator[NumberedPair]:
        """The pairs, once.

        Args:
            chroma: give chroma planes too, in the reference's format.
            memory: where to put the planes of each side.
        """
        self.alike = self._agree(chroma)
        size = self.alike.width, self.alike.height
        for video, steps, direct, places in zip(
            (self.ref, self.dis),
            (self.alike.ref, self.alike.dis),
            self.alike.direct,
            memory or (None, None),
            strict=True,
        ):
            video.convert(steps, size, direct=direct, luma_only=not chroma, memory=places)
        return self._pairs()

    def _pairs(self) -> Iterator[NumberedPair]:
        leaves_out = self._inputs.on_damage == "skip"
        lag = LagCheck(self.alike.bit_depth)
        ranges = RangeCheck.of(self.ref.info, self.dis.info, self._inputs, self.alike.bit_depth)
        index = left_out = 0
        with InStep(self.ref, self.dis) as frames:
            pairs = self._choice.strategy.pairs(
                frames.ref(),
                frames.dis(),
                limit=self._limit,
                count_ref=frames.count_ref,
                count_dis=frames.count_dis,
            )
            for ref, dis in pairs:
                if leaves_out and (ref.damaged or dis.damaged):
                    left_out += 1
                    continue
                lag.add(index, ref.planes[0], dis.planes[0])
                ranges.add(index, ref.planes[0], dis.planes[0])
                yield index, ref.planes, dis.planes
                index += 1
        self._end()
        if left_out:
            text = (
                f"{self.dis.info.path}: {left_out} of {index + left_out} pairs hold a damaged "
                "frame and were left out: those after them are numbered on, and features that "
                "compare frames in time take the pairs around them as neighbours."
            )
            self._end_notices.append(Notice("damage", text))
        self._end_notices += ranges.notices
        if (advice := lag.advice(self._shifted, self._following)) is not None:
            self._end_notices.append(Notice("lag", f"{self.dis.info.path}: {advice}"))

    @property
    def _following(self) -> str | None:
        """The option that follows shifts which change, if it can be used."""
        files = self.ref.is_file and self.dis.is_file
        differ = rates_differ(self.ref.timeline(), self.dis.timeline())
        known = self._inputs.pair == "pictures"
        return None if differ or known or not files else "pair='pictures'"

    def _shifted(self, pairs: int) -> str:
        """The option that moves the present pairing on by some pairs."""
        offset, rate = self._alignment.offset or 0, self.ref.timeline().rate
        assert not isinstance(offset, str)
        driver = self.ref if self.pairing.drive == "reference" else self.dis
        pace = driver.timeline().rate
        if rate is None or pace is None:
            return f"offset={offset + pairs}"
        frames = pairs if self.pairing.drive is None else pairs * rate / pace
        total = frames + (offset if isinstance(offset, int) else offset * rate)
        near = round(total)
        # rates that containers round are not quite whole multiples of each other
        if isinstance(offset, int) and abs(total - near) < _WHOLE:
            return f"offset={near}"
        return f"offset='{float(total / rate):.6f}s'"

    def _end(self) -> None:
        """Both videos have ended, or as many pairs were read as were wanted."""
        report, inputs = self.pairing, self._inputs
        ref, dis = report.unpaired_ref, report.unpaired_dis
        self.dropped = (ref.end, dis.end)
        names = self.ref.info.path, self.dis.info.path
        told = [*report_notices(report, names), *self._apart(report, names)]
        codes = {notice.code for notice in told}
        self._end_notices = told + [n for n in self._choice.notices if n.code not in codes]
        if report.strategy == "index" and self._alignment.offset is None:
            counts = report.pairs + ref.end, report.pairs + dis.end
            _, problem, _ = settle_lengths(*counts, inputs)
            if problem is not None:
                text = f"has {counts[1]} frames, but the reference {names[0]} {problem}"
                raise VideoError(names[1], text)
        if not report.pairs and self._limit != 0:
            raise VideoError(
                names[1], f"none of its frames has a partner in {names[0]}: try pair='index'."
            )

    def _apart(self, report: PairingReport, names: tuple[str, str]) -> Iterator[Notice]:
        """What only reading told: pairs by index that are shown at different times."""
        strategy, lines = self._choice.strategy, (self.ref.timeline(), self.dis.timeline())
        asked = self._inputs.pair != "auto" or not all(line.timed for line in lines)
        known = all(line.steps is not None for line in lines)
        if (
            report.first_apart is not None
            and isinstance(strategy, ByIndex)
            and not (asked or known)
        ):
            yield apart_notice(report.first_apart, strategy.offset, names)

    def close(self) -> None:
        """Closes both videos; safe to repeat."""
        self.ref.close()
        self.dis.close()

    def __enter__(self) -> VideoPair:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_pair(
    ref: str | os.PathLike[str],
    dis: str | os.PathLike[str],
    inputs: InputOptions | None = None,
    *,
    shared_ref: Callable[[], Reader] | None = None,
) -> VideoPair:
    """Opens a reference and a distorted video for reading in step.

    Args:
        ref: the reference file.
        dis: the distorted file.
        inputs: how to read them; unequal lengths are refused at once if they are known, else at
            the end.
        shared_ref: opens the reference's reader where several pairs share one.

    Returns:
        The pair; use it in a `with` block.

    Raises:
        VideoError: a file that cannot be read, or files that do not fit each other.
    """
    check_pair(ref, dis)
    inputs = InputOptions() if inputs is None else inputs
    ways: dict[str, Any] = inputs.raw_format | {"film_grain": inputs.film_grain}

    def opened(
        path: str | os.PathLike[str],
        skip: int,
        stream: int | None,
        colors: tuple[str | None, str | None],
        shared: Callable[[], Reader] | None = None,
    ) -> Video:
        if shared is not None:
            video = video_of(shared(), skip, inputs.on_damage)
        else:
            video = open_video(path, **ways, on_damage=inputs.on_damage, skip=skip, stream=stream)
        try:
            video.state_colors(*colors)
            video.timeline()  # reads the file's packets: here, where both files are read at once
        except BaseException:
            video.close()
            raise
        return video

    ref_way = ref, inputs.skip_ref, inputs.ref_stream, (inputs.ref_range, inputs.ref_matrix)
    dis_way = dis, inputs.skip_dis, inputs.dis_stream, (inputs.dis_range, inputs.dis_matrix)
    ref_video, dis_video = _open_both(
        lambda: opened(*ref_way, shared_ref),
        lambda: opened(*dis_way),
        at_once=os.path.isfile(ref) and os.path.isfile(dis),
    )
    try:
        again = lambda: opened(*ref_way), lambda: opened(*dis_way)
        return VideoPair(ref_video, dis_video, inputs, again)
    except BaseException:
        ref_video.close()
        dis_video.close()
        raise


def _open_both(
    ref: Callable[[], Video], dis: Callable[[], Video], at_once: bool
) -> tuple[Video, Video]:
    """Opens two videos; of two problems that of the first is raised.

    Side by side where both are ordinary files, because opening includes decoding a frame; a pipe
    may wait for its writer.
    """
    if not at_once:
        return _and_second(ref(), dis)
    opening = waiting.in_thread(dis, "jaxvqa-open")
    try:
        return _and_second(ref(), lambda: waiting.result_of(opening))
    except Exception:
        waiting.until_done(opening)
        _close_opened(opening)
        raise
    except BaseException:  # an interrupt waits for nothing
        opening.add_done_callback(_close_opened)
        raise


def _close_opened(opening: Future[Video]) -> None:
    if opening.exception() is None:
        opening.result().close()


def _and_second(ref: Video, dis: Callable[[], Video]) -> tuple[Video, Video]:
    """Both videos, or none open."""
    try:
        return ref, dis()
    except BaseException:
        ref.close()
        raise
