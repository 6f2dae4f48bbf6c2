"""Pairs the frames of a reference and a distorted video, by index."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future

from jaxvqa import _waiting as waiting
from jaxvqa._notice import Notice
from jaxvqa.video._errors import VideoError
from jaxvqa.video._formats import FramePlanes
from jaxvqa.video._inputs import InputOptions, settle_lengths
from jaxvqa.video._prefetch import ThreadedIterator
from jaxvqa.video._reader import Video, open_video

_SAME_RATE = 0.01

# index, planes of the reference, planes of the distorted video
NumberedPair = tuple[int, FramePlanes, FramePlanes]


class VideoPair:
    """Two open videos read in step; see `open_pair`.

    A context manager, and an iterator, once, over `(index, ref_planes, dis_planes)` with the index
    counted from 0 after the skipped frames.

    Attributes:
        ref: the reference video; facts are in `ref.info`.
        dis: the distorted video.
        dropped: frames at the end that have no partner, `(of ref, of dis)`, set by the end of the
            iteration.
    """

    def __init__(self, ref: Video, dis: Video, inputs: InputOptions) -> None:
        self.ref = ref
        self.dis = dis
        self._inputs = inputs
        self._limit = inputs.frame_count
        self.dropped = (0, 0)
        self._dropped: str | None = None
        _check_alike(ref, dis)
        if self._limit is None:
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
    def notices(self) -> list[Notice]:
        """What may spoil the scores; complete after the last frame."""
        ref, dis = self.ref.info, self.dis.info
        found = self.ref.notices + self.dis.notices
        # containers with millisecond times give rates that are a little off
        if ref.fps and dis.fps and abs(ref.fps / dis.fps - 1) > _SAME_RATE:
            text = (
                f"{dis.path}: its frame rate is {float(dis.fps):.3f}, the reference's "
                f"{float(ref.fps):.3f}: frames are paired by index, which is right only if both "
                "show the same frames."
            )
            found.append(Notice("frame-rate", text))
        if ref.color_range and dis.color_range and ref.color_range != dis.color_range:
            text = (
                f"{dis.path}: its colour range is {_range(dis.color_range)}, the reference's "
                f"{_range(ref.color_range)}: code values are compared as they are."
            )
            found.append(Notice("range", text))
        if (ref.color_transfer and dis.color_transfer) and ref.is_hdr != dis.is_hdr:
            text = (
                f"{dis.path}: its transfer function is {dis.color_transfer}, the reference's "
                f"{ref.color_transfer}: the scores mean little."
            )
            found.append(Notice("transfer", text))
        if self._dropped is not None:
            found.append(Notice("dropped-frames", f"{dis.path}: {self._dropped}"))
        return found

    def __iter__(self) -> Iterator[NumberedPair]:
        ref, index = iter(self.ref), 0
        with ThreadedIterator(self.dis) as dis:
            while self._limit is None or index < self._limit:
                dis.request()
                ref_planes = next(ref, None)  # of two errors the reference's is told
                dis_planes, error = dis.result()
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
        _, problem, self._dropped = settle_lengths(ref, dis, self._inputs)
        self.dropped = (max(ref - dis, 0), max(dis - ref, 0))
        if problem is not None:
            text = f"has {dis} frames, but the reference {self.ref.info.path} {problem}"
            raise VideoError(self.dis.info.path, text)

    def close(self) -> None:
        """Closes both videos; safe to repeat."""
        self.ref.close()
        self.dis.close()

    def __enter__(self) -> VideoPair:
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
            f"has {dis.bit_depth} bits per sample, but the reference {ref.path} has "
            f"{ref.bit_depth}: convert one of them first, for example with ffmpeg -i INPUT "
            f"-pix_fmt {(ref if ref.bit_depth > dis.bit_depth else dis).pixel_format} OUTPUT.y4m.",
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
    inputs: InputOptions | None = None,
) -> VideoPair:
    """Opens a reference and a distorted video for reading in step.

    Args:
        ref: the reference file.
        dis: the distorted file.
        inputs: how to read them; unequal lengths are refused at once if they are known, else at
            the end.

    Returns:
        The pair; use it in a `with` block.

    Raises:
        VideoError: a file that cannot be read, or files that do not fit each other.
    """
    inputs = InputOptions() if inputs is None else inputs
    raw = inputs.raw_format
    ref_video, dis_video = _open_both(
        lambda: open_video(ref, **raw, skip=inputs.skip_ref),
        lambda: open_video(dis, **raw, skip=inputs.skip_dis),
        at_once=os.path.isfile(ref) and os.path.isfile(dis),
    )
    try:
        return VideoPair(ref_video, dis_video, inputs)
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
