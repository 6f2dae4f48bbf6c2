"""By how many frames two videos are apart, judged from thumbnails of their frames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

Thumbs = Sequence[NDArray[np.uint8]] | Mapping[int, NDArray[np.uint8]] | NDArray[np.uint8]

_WINDOW = 48  # frames
_REACH = 10.0  # seconds to each side
_FEWEST = 3  # frames in a window of a short clip
_RATIO = 1.05  # wrong answers were seen up to 1.041
_FLOOR = 0.02  # squared 8-bit codes; rounding alone makes differences of this order
_RATE = 25.0  # frames per second, where the files do not say


@dataclass(frozen=True)
class Offset:
    """What is known about the offset of a distorted video.

    Args:
        frames: the offset, or None if it is undecided. Frame i of the distorted video shows frame
            i + `frames` of the reference: positive means that the distorted starts later in the
            reference.
        ratio: mean squared difference at the best other shift over that at the best one, in the
            least sure of the windows that the answer stands on; 1 says nothing.
        sentence: what was found, or why nothing was.
    """

    frames: int | None
    ratio: float
    sentence: str


@dataclass(frozen=True)
class OffsetWindow:
    """Frames that are compared with each other, as ranges of frame numbers.

    Args:
        dis: frames of the distorted video.
        ref: frames of the reference that they may show.
    """

    dis: range
    ref: range


def plan_windows(
    ref_count: int, dis_count: int, rate: float | Fraction | None, reach: float = _REACH
) -> tuple[OffsetWindow, ...]:
    """The frames that `find_offset` looks at, so that no others need be decoded or kept.

    Three windows of 48 distorted frames near the start, in the middle and near the end, each with
    the reference frames within `reach` around it; two shorter ones for clips under 144 frames.

    Args:
        ref_count: frames of the reference.
        dis_count: frames of the distorted video.
        rate: frames per second of both, or None.
        reach: offsets looked for, to either side, in seconds; half a window more is covered.

    Returns:
        The windows in order; none if a video has less than 6 frames.
    """
    count = min(ref_count, dis_count)
    around = max(1, round(float(rate or _RATE) * reach))
    windows = 3 if count >= 3 * _WINDOW else 2
    length = min(_WINDOW, count // windows)
    if length < _FEWEST:
        return ()
    # away from the ends a window finds partners for shifts to both sides
    first = min(around, (count - windows * length) // 4)
    last = count - length - first
    starts = (first, (count - length) // 2, last) if windows == 3 else (first, last)
    return tuple(
        OffsetWindow(
            range(start, start + length),
            range(max(0, start - around), min(ref_count, start + length + around)),
        )
        for start in starts
    )


def find_offset(
    ref_thumbs: Thumbs,
    dis_thumbs: Thumbs,
    rate: float | Fraction | None,
    *,
    counts: tuple[int, int] | None = None,
    reach: float = _REACH,
) -> Offset:
    """Finds by how many frames the distorted video is shifted against the reference.

    In each of two or three windows the shift with the least mean squared difference of thumbnails
    is taken; a window counts if every other shift is at least 5 % worse. The answer stands if at
    least two windows count and all that count agree; otherwise it is undecided. Static pictures
    and loops leave it undecided, and so does a frame that was dropped or repeated in between.

    A thumbnail takes 14 kB. Given whole videos as sequences, a minute at 25 frames per second takes
    22 MB a side. A longer video can be streamed: keep the frames that `plan_windows` names, in a
    dict from frame number to thumbnail, and give `counts`: at most 24 MB for the reference at 25
    frames per second, 54 MB at 60, and 2 MB for the distorted video, whatever their lengths.

    Args:
        ref_thumbs: `thumbnail` of each reference frame, uint8, by frame number.
        dis_thumbs: `thumbnail` of each distorted frame, of the same size.
        rate: frames per second of both, or None.
        counts: frames of both videos, `(ref, dis)`; None if all thumbnails are given.
        reach: offsets looked for, to either side, in seconds; half a window more is covered.

    Returns:
        The offset, or None with the reason.

    Raises:
        ValueError: thumbnails of different sizes.
    """
    ref_count, dis_count = (len(ref_thumbs), len(dis_thumbs)) if counts is None else counts
    windows = plan_windows(ref_count, dis_count, rate, reach)
    if not windows:
        few = f"offset undecided: the shorter video has {min(ref_count, dis_count)} frames"
        return Offset(None, 1.0, f"{few}, and {2 * _FEWEST} are needed.")
    found = [_search(window, ref_thumbs, dis_thumbs) for window in windows]
    return _judge(found)


def _judge(found: list[tuple[int, float]]) -> Offset:
    """The answer from the best shift of each window and its ratio."""
    sure = [(shift, ratio) for shift, ratio in found if ratio >= _RATIO]
    shifts = [shift for shift, _ in sure]
    if len(set(shifts)) > 1:
        listed = ", ".join(f"{shift:+d}" for shift in shifts)
        text = (
            f"offset undecided: from start to end the shifts are {listed}, as if frames were "
            "dropped or repeated in between; pair='pictures' follows them."
        )
        return Offset(None, min(ratio for _, ratio in sure), text)
    if len(sure) < 2:
        ratio = sorted((ratio for _, ratio in found), reverse=True)[1]
        text = (
            "offset undecided: other shifts fit almost as well, as in static, very slow or "
            "repeating pictures, or in videos that do not show the same."
        )
        return Offset(None, ratio, text)
    ratio = min(ratio for _, ratio in sure)
    where = f"{len(sure)} of {len(found)} windows agree, ratio {ratio:.2f}"
    text = f"distorted frame 0 shows reference frame {shifts[0]} ({where})."
    if shifts[0] < 0:
        text = f"distorted frame {-shifts[0]} shows reference frame 0 ({where})."
    return Offset(shifts[0], ratio, text)


def _search(window: OffsetWindow, ref_thumbs: Thumbs, dis_thumbs: Thumbs) -> tuple[int, float]:
    """Best shift of a window, and how much worse the best other one is; 1 if that is unknown."""
    errors = _errors(window, ref_thumbs, dis_thumbs)
    length, candidates = errors.shape
    least = (length + 1) // 2  # pairs that a shift must have
    steps = range(least - length, candidates - least + 1)
    means = np.array([errors.diagonal(step).mean() for step in steps]) + _FLOOR
    best = int(means.argmin())
    if best in (0, len(means) - 1):
        return window.ref.start - window.dis.start + steps[best], 1.0  # may lie further out
    other = np.delete(means, best).min()
    return window.ref.start - window.dis.start + steps[best], float(other / means[best])


def _errors(window: OffsetWindow, ref_thumbs: Thumbs, dis_thumbs: Thumbs) -> NDArray[np.float64]:
    """Mean squared difference of every distorted frame (rows) and reference frame (columns)."""
    dis = np.stack([dis_thumbs[i] for i in window.dis]).astype(np.float32)
    shape = dis.shape[1:]
    dis = dis.reshape(len(dis), -1)
    # squares of small numbers lose fewer digits when they are taken from each other
    mean = dis.mean(0)
    dis -= mean
    errors = np.empty((len(dis), len(window.ref)))
    for first in range(0, len(window.ref), 64):  # a few as floats at a time
        ref = np.stack([ref_thumbs[j] for j in window.ref[first : first + 64]])
        if ref.shape[1:] != shape:
            raise ValueError(
                f"thumbnails of {ref.shape[1:]} and {shape} do not compare: give both videos one "
                "size of thumbnail."
            )
        flat = ref.reshape(len(ref), -1).astype(np.float32) - mean
        squares = (dis**2).sum(1)[:, None] + (flat**2).sum(1)
        errors[:, first : first + 64] = squares - 2 * (dis @ flat.T)
    return np.maximum(errors / dis.shape[1], 0)
