"""Pairs the frames of a reference and a distorted video, by index, and stacks them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future

import numpy as np

from jaxvqa import waiting
from jaxvqa.checks import one_of
from jaxvqa.video.errors import VideoError
from jaxvqa.video.formats import FramePlanes
from jaxvqa.video.prefetch import Beside
from jaxvqa.video.reader import Video, open_video

ON_LENGTH_MISMATCH = ("error", "truncate")

_SAME_RATE = 0.01

FramePair = tuple[int, FramePlanes, FramePlanes]


class Pair:
    """Two open videos read in step; see `open_pair`.

    A context manager, and an iterator, once, over `(index, ref_planes, dis_planes)` with the index
    counted from 0 after the skipped frames.

    Attributes:
        ref: the reference video; facts are in `ref.info`.
        dis: the distorted video.
        dropped: frames at the end that have no partner, `(of ref, of dis)`: set by the end of the
            iteration, and only under `on_length_mismatch="truncate"`.
    """

    def __init__(
        self, ref: Video, dis: Video, frame_count: int | None, on_length_mismatch: str
    ) -> None:
        self.ref = ref
        self.dis = dis
        self.dropped = (0, 0)
        self._limit = frame_count
        self._truncate = on_length_mismatch == "truncate"
        _check_alike(ref, dis)
        if frame_count is None:
            for video in (ref, dis):
                if video.incomplete:
                    raise VideoError(video.info.path, video.incomplete)
            counts = (ref.frames_left, dis.frames_left)
            if counts[0] is not None and counts[1] is not None:
                self._settle(counts[0], counts[1])

    @property
    def frame_count(self) -> int | None:
        """Pairs that the iteration gives, or None if that is not certain beforehand."""
        counts = (self.ref.frames_left, self.dis.frames_left)
        if counts[0] is None or counts[1] is None:
            return None
        shorter = min(counts[0], counts[1])
        return shorter if self._limit is None else min(shorter, self._limit)

    @property
    def expected_count(self) -> int | None:
        """About how many pairs there will be, or None; containers may announce it wrongly."""
        known = [] if self._limit is None else [self._limit]
        for video in (self.ref, self.dis):
            count = video.info.frame_count or video.info.expected_frames
            if count is not None:
                known.append(max(1, count - video.skip))
        return min(known, default=None)

    @property
    def warnings(self) -> list[str]:
        """Sentences about what may spoil the scores; complete after the last frame."""
        ref, dis = self.ref.info, self.dis.info
        found = self.ref.warnings + self.dis.warnings
        # containers with millisecond times give rates that are a little off
        if ref.fps and dis.fps and abs(ref.fps / dis.fps - 1) > _SAME_RATE:
            found.append(
                f"{dis.path}: its frame rate is {float(dis.fps):.3f}, the reference's "
                f"{float(ref.fps):.3f}: frames are paired by index, which is right only if both "
                "show the same frames."
            )
        if ref.color_range and dis.color_range and ref.color_range != dis.color_range:
            found.append(
                f"{dis.path}: its colour range is {_range(dis.color_range)}, the reference's "
                f"{_range(ref.color_range)}: code values are compared as they are."
            )
        if (ref.color_transfer and dis.color_transfer) and ref.is_hdr != dis.is_hdr:
            found.append(
                f"{dis.path}: its transfer function is {dis.color_transfer}, the reference's "
                f"{ref.color_transfer}: the scores mean little."
            )
        if any(self.dropped):
            name, count = ("reference", self.dropped[0])
            if self.dropped[1]:
                name, count = ("distorted video", self.dropped[1])
            frames = "frame" if count == 1 else "frames"
            found.append(
                f"{dis.path}: the last {count} {frames} of the {name} had no partner and were not "
                "scored."
            )
        return found

    def __iter__(self) -> Iterator[FramePair]:
        ref, index = iter(self.ref), 0
        with Beside(self.dis) as dis:
            while self._limit is None or index < self._limit:
                dis.ask()
                ref_planes = next(ref, None)  # of two errors the reference's is told
                dis_planes, error = dis.answer()
                if error is not None:
                    raise error
                if ref_planes is None or dis_planes is None:
                    self._end(index, ref_planes is not None, dis_planes is not None)
                    return
                yield index, ref_planes, dis_planes
                index += 1

    def _end(self, index: int, ref_goes_on: bool, dis_goes_on: bool) -> None:
        """One video, or both, has ended after `index` pairs."""
        ref, dis = index, index
        most = None if self._limit is None else self._limit - index - 1
        if ref_goes_on:
            ref += 1 + self.ref.count_rest(most)
        if dis_goes_on:
            dis += 1 + self.dis.count_rest(most)
        self._settle(ref, dis)

    def _settle(self, ref: int, dis: int) -> None:
        """Applies the policy to the numbers of frames."""
        if ref != dis and not self._truncate:
            skipped = ""
            if self.ref.skip or self.dis.skip:
                skipped = f" after skipping {self.ref.skip} and {self.dis.skip}"
            raise VideoError(
                self.dis.info.path,
                f"has {dis} frames, but the reference {self.ref.info.path} has {ref}{skipped}: cut "
                "the longer one, align them with skip_ref or skip_dis, or score the common part "
                "with --on-length-mismatch truncate.",
            )
        self.dropped = (max(ref - dis, 0), max(dis - ref, 0))

    def close(self) -> None:
        """Closes both videos; safe to repeat."""
        self.ref.close()
        self.dis.close()

    def __enter__(self) -> Pair:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _range(tag: str) -> str:
    return "full" if tag == "pc" else "limited"


def _check_alike(ref_video: Video, dis_video: Video) -> None:
    """Raises VideoError if the two videos differ in size, bit depth or chroma format."""
    ref, dis = ref_video.info, dis_video.info
    if (ref.width, ref.height) != (dis.width, dis.height):
        raise VideoError(
            dis.path,
            f"is {dis.width}x{dis.height}, but the reference {ref.path} is "
            f"{ref.width}x{ref.height}: scale it first, for example with ffmpeg -i DISTORTED -vf "
            f"scale={ref.width}:{ref.height}:flags=bicubic SCALED.y4m.",
        )
    if ref.bit_depth != dis.bit_depth:
        raise VideoError(
            dis.path,
            f"has {dis.bit_depth} bits a sample, but the reference {ref.path} has {ref.bit_depth}: "
            "convert one of them first, for example with ffmpeg -i INPUT -pix_fmt "
            f"{(ref if ref.bit_depth > dis.bit_depth else dis).pixel_format} OUTPUT.y4m.",
        )
    if ref.chroma != dis.chroma:
        raise VideoError(
            dis.path,
            f"has {':'.join(dis.chroma)} chroma, but the reference {ref.path} has "
            f"{':'.join(ref.chroma)}: convert one of them first, for example with ffmpeg -i INPUT "
            f"-pix_fmt {ref.pixel_format} OUTPUT.y4m.",
        )


def open_pair(
    ref: str | os.PathLike[str],
    dis: str | os.PathLike[str],
    *,
    width: int | None = None,
    height: int | None = None,
    pixel_format: str | None = None,
    bit_depth: int | None = None,
    skip_ref: int = 0,
    skip_dis: int = 0,
    frame_count: int | None = None,
    on_length_mismatch: str = "error",
) -> Pair:
    """Opens a reference and a distorted video for reading in step.

    Args:
        ref: the reference file.
        dis: the distorted file.
        width: luma columns, if both files are raw video; see `open_video`.
        height: luma rows, if both files are raw video.
        pixel_format: of raw video.
        bit_depth: of raw video.
        skip_ref: frames to leave out at the start of the reference.
        skip_dis: frames to leave out at the start of the distorted video.
        frame_count: the most pairs to read; None reads all.
        on_length_mismatch: "error" refuses videos of unequal length, at once if the lengths are
            known and else at the end; "truncate" reads the common part and sets `dropped`.

    Returns:
        The pair; use it in a `with` block.

    Raises:
        VideoError: a file that cannot be read, or files that do not fit each other.
        ValueError: a wrong policy or frame count.
    """
    one_of("on_length_mismatch", on_length_mismatch, ON_LENGTH_MISMATCH)
    if frame_count is not None and frame_count < 1:
        raise ValueError(f"frame_count must be at least 1, got {frame_count}.")
    raw = {
        "width": width,
        "height": height,
        "pixel_format": pixel_format,
        "bit_depth": bit_depth,
    }
    ref_video, dis_video = _open_both(
        lambda: open_video(ref, **raw, skip=skip_ref),  # type: ignore[arg-type]
        lambda: open_video(dis, **raw, skip=skip_dis),  # type: ignore[arg-type]
        at_once=os.path.isfile(ref) and os.path.isfile(dis),
    )
    try:
        return Pair(ref_video, dis_video, frame_count, on_length_mismatch)
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


def batches(
    pairs: Iterable[FramePair], size: int
) -> Iterator[tuple[int, FramePlanes, FramePlanes]]:
    """Stacks frames into arrays of `size` frames; the last batch may be shorter.

    Every batch has memory of its own, because arrays handed to a device may be used there without
    a copy.

    Args:
        pairs: a `Pair`, or an iterator of its items.
        size: frames a batch, at least 1.

    Yields:
        `(index of the first frame, ref planes, dis planes)`, each plane `(frames, height, width)`.

    Raises:
        ValueError: a size below 1.
    """
    if size < 1:
        raise ValueError(f"size must be at least 1, got {size}.")
    return _batches(pairs, size)


def _batches(
    pairs: Iterable[FramePair], size: int
) -> Iterator[tuple[int, FramePlanes, FramePlanes]]:
    first, filled = 0, 0
    ref_stack: FramePlanes = ()
    dis_stack: FramePlanes = ()
    for index, ref, dis in pairs:
        if filled == 0:
            first, ref_stack, dis_stack = index, _empty_stack(ref, size), _empty_stack(dis, size)
        for stack, plane in zip(ref_stack + dis_stack, ref + dis, strict=True):
            stack[filled] = plane
        filled += 1
        if filled == size:
            yield first, ref_stack, dis_stack
            filled, ref_stack, dis_stack = 0, (), ()
    if filled:
        yield first, _cut(ref_stack, filled), _cut(dis_stack, filled)


def _empty_stack(planes: FramePlanes, size: int) -> FramePlanes:
    return tuple(np.empty((size, *plane.shape), plane.dtype) for plane in planes)


def _cut(stack: FramePlanes, frames: int) -> FramePlanes:
    return tuple(plane[:frames] for plane in stack)
