"""One view of a pair of clips, given as files or as arrays."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import jax
import numpy as np

from jaxvqa._notice import Notice
from jaxvqa._planes import Planes, VideoLike, as_pair, picture_form
from jaxvqa._scoring.arrays import align_arrays
from jaxvqa._scoring.result import ClipInfo, FileFacts, Preparation
from jaxvqa.video._formats import FrameMemory, FramePlanes
from jaxvqa.video._info import Reader, VideoInfo
from jaxvqa.video._inputs import InputOptions, check_for_files
from jaxvqa.video._pair.pairing import NumberedPair, open_pair
from jaxvqa.video._prefetch import prefetch
from jaxvqa.video._reader import Video

PairMemory = tuple[FrameMemory, FrameMemory]

# decoded frame pairs that may wait for the device
_READ_AHEAD = 8


@dataclass(frozen=True)
class Ahead:
    """How files are decoded ahead of their consumer.

    Args:
        depth: frame pairs that may wait.
        changed: told when the next is ready.
        shared_ref: opens the reference's reader where several clips share one.
    """

    depth: int = _READ_AHEAD
    changed: threading.Condition | None = None
    shared_ref: Callable[[], Reader] | None = None


@dataclass(frozen=True)
class ClipPair:
    """A reference and a distorted clip, ready to be read once.

    Args:
        info: what the frames look like.
        example: one picture with a frame axis, for static checks; not real samples.
        read: gives the pairs, numbered from 0, once; with or without chroma planes, and put where
            each side's memory says, if they have to be put anywhere.
        frame_count: number of pairs, or None if only the end will tell.
        expected_count: about how many there will be, or None.
        read_notices: gives what reading found out; complete after the last frame.
        read_preparation: gives what was done to files; complete after the last frame.
    """

    info: ClipInfo
    example: Planes
    read: Callable[[bool, PairMemory | None], Iterable[NumberedPair]]
    frame_count: int | None
    expected_count: int | None
    read_notices: Callable[[], list[Notice]]
    read_preparation: Callable[[], Preparation | None] = lambda: None

    @property
    def length(self) -> int | None:
        """Number of pairs, where it is not certain about how many; or None."""
        return self.expected_count if self.frame_count is None else self.frame_count


def is_path(x: Any) -> bool:
    """True for what names a file."""
    return isinstance(x, (str, os.PathLike))


def open_clips(
    ref: VideoLike | str | os.PathLike[str],
    dis: VideoLike | str | os.PathLike[str],
    inputs: InputOptions,
    ahead: Ahead = Ahead(),
) -> contextlib.AbstractContextManager[ClipPair]:
    """Opens two files or views two arrays.

    Args:
        ref: the reference.
        dis: the distorted clip.
        inputs: how they are read.
        ahead: how files are decoded ahead of the consumer.

    Raises:
        ValueError: files or arrays that can't be read as `inputs` says.
        TypeError: a file and an array.
    """
    if is_path(ref) and is_path(dis):
        return _open_files(ref, dis, inputs, ahead)
    if is_path(ref) or is_path(dis):
        raise TypeError("ref and dis must both be files or both be arrays.")
    return contextlib.nullcontext(_view_arrays(ref, dis, inputs))


def _file(video: Video) -> FileFacts:
    info, duration = video.info, video.duration
    seconds = None if duration is None else float(duration)
    return FileFacts(info.width, info.height, seconds, video.coded_bytes)


@contextlib.contextmanager
def _open_files(
    ref: Any, dis: Any, inputs: InputOptions, ahead: Ahead = Ahead()
) -> Iterator[ClipPair]:
    """Frames are decoded in a thread ahead of the consumer."""
    check_for_files(inputs)
    opened = open_pair(ref, dis, inputs, shared_ref=ahead.shared_ref)
    with opened as pair, contextlib.ExitStack() as reading:
        facts, alike = pair.ref.info, pair.alike
        info = ClipInfo(
            alike.width, alike.height, alike.bit_depth, facts.chroma,
            fps=_rate(facts, inputs), ref_path=os.fspath(ref), dis_path=os.fspath(dis),
            encoded=pair.encoded,
        )  # fmt: skip
        example = picture_form(info.height, info.width, info.chroma, info.bit_depth)

        def read(chroma: bool, memory: PairMemory | None) -> Iterable[NumberedPair]:
            promoted = inputs.promote_to_10bit
            frames = _raised(pair.read(chroma)) if promoted else pair.read(chroma, memory)
            return reading.enter_context(prefetch(frames, ahead.depth, ahead.changed))

        clip = ClipPair(
            info, example, read, pair.frame_count, pair.expected_count, lambda: pair.notices,
            lambda: Preparation(
                pair.ref.conversion, pair.dis.conversion, pair.pairing, _file(pair.ref),
                _file(pair.dis),
            ),
        )  # fmt: skip
        yield _promoted(clip) if inputs.promote_to_10bit else clip


def _rate(facts: VideoInfo, inputs: InputOptions) -> float | None:
    """Frames per second, by the file if it says them."""
    if facts.fps and inputs.fps is not None:
        raise ValueError(
            f"fps is for what does not say its rate, but {facts.path} says {float(facts.fps):.6g} "
            "frames per second: leave fps out."
        )
    return float(facts.fps) if facts.fps else inputs.fps


def _view_arrays(ref: Any, dis: Any, inputs: InputOptions) -> ClipPair:
    aligned = align_arrays(ref, dis, inputs)
    ref, dis = as_pair(aligned.ref, aligned.dis, inputs.bit_depth)
    notices = aligned.notices
    info = ClipInfo(ref.width, ref.height, ref.depth, ref.chroma, fps=aligned.fps)

    def frames() -> Iterator[NumberedPair]:
        for i in range(ref.frames):
            pair = (tuple(np.asarray(p[i]) for p in jax.tree.leaves(x)) for x in (ref, dis))
            yield i, next(pair), next(pair)

    def read(chroma: bool, memory: PairMemory | None) -> Iterable[NumberedPair]:
        del chroma, memory  # they are where they are
        return _raised(frames()) if inputs.promote_to_10bit else frames()

    report = aligned.pairing
    prepared = None if report is None else Preparation("", "", report)
    clip = ClipPair(info, ref, read, ref.frames, None, lambda: notices, lambda: prepared)
    return _promoted(clip) if inputs.promote_to_10bit else clip


def _promoted(clip: ClipPair) -> ClipPair:
    """The same clips as 10-bit video; what they read has 8-bit codes times 4 already."""
    if clip.info.bit_depth != 8:
        raise ValueError(
            f"promote_to_10bit is for 8-bit video, this has {clip.info.bit_depth} bits: leave it "
            "out."
        )

    def deeper(p: Any) -> Any:
        dtype = p.dtype if np.issubdtype(p.dtype, np.floating) else np.uint16
        return jax.ShapeDtypeStruct(p.shape, dtype)

    old = clip.example
    planes = [None if p is None else deeper(p) for p in (old.y, old.u, old.v)]
    example = Planes(planes[0], planes[1], planes[2], bit_depth=10)

    return replace(clip, info=replace(clip.info, bit_depth=10), example=example)


def _raised(frames: Iterator[NumberedPair]) -> Iterator[NumberedPair]:
    """Pairs with 8-bit codes times 4."""

    def up(planes: FramePlanes) -> FramePlanes:
        if any(np.issubdtype(p.dtype, np.floating) for p in planes):
            return tuple(p * p.dtype.type(4) for p in planes)
        return tuple(p.astype(np.uint16) << 2 for p in planes)

    try:
        for index, ref, dis in frames:
            yield index, up(ref), up(dis)
    finally:
        frames.close()  # type: ignore[attr-defined]
