"""Which reference frame each frame of a distorted video shows, by the pictures of all frames.

Where frames were dropped in one place and doubled in another, counts and times do not tell. What
tells is a shift that fits better for a while; a path of the least cost through the shifts finds
where each begins and ends.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jaxvqa.video._convert.conform import Crop
from jaxvqa.video._errors import VideoError
from jaxvqa.video._pair.alignment import Alignment, Reopen
from jaxvqa.video._pair.by_pictures import ByPictures, pictures_notice
from jaxvqa.video._pair.choice import PairChoice
from jaxvqa.video._pair.likeness import against_best, centred, cheapest_path, misfits
from jaxvqa.video._pair.report import report_notices
from jaxvqa.video._pair.thumbnail import area_means, thumbnail_size
from jaxvqa.video._reader import Video
from jaxvqa.video._timeline import rates_differ

REACH = 24  # frames to each side of the offset
# logarithms of ratios of errors. The most that a frame counts; what another shift has to save: two
# changes must pay, so that frames held in a cadence are no reason. A frame shown again costs as
# much as it can save by that alone.
_MOST, _CHANGE, _AGAIN = 1.4, 3.0, 1.4
_ALONE = 0.5  # of a frame without partner
# A frame that is held says nothing of the shift; a little, so that a change comes with it at once.
# It is far nearer to the frame before than to any of the reference.
_HELD, _HELD_WEIGHT = 0.3, 0.2


def choose_by_pictures(
    ref: Video,
    dis: Video,
    reopen: tuple[Reopen, Reopen],
    alignment: Alignment,
    limit: int | None = None,
) -> PairChoice:
    """How two videos are paired by what their frames show.

    Args:
        ref: the reference.
        dis: the distorted video.
        reopen: opens each file once more.
        alignment: how the files lie over each other.
        limit: the most pairs.

    Raises:
        VideoError: different rates, or no frame with a partner.
    """
    names = ref.info.path, dis.info.path
    lines = ref.timeline(), dis.timeline()
    if rates_differ(*lines):
        raise VideoError(
            names[1],
            f"has another frame rate than the reference {names[0]}, and pair='pictures' follows "
            "frames that were dropped or doubled at one rate: pair them by time with pair='time'.",
        )
    offset = _frames(alignment.offset, ref)
    most = None if limit is None else limit + max(0, -offset) + REACH
    with reopen[0]() as first, reopen[1]() as second:
        shows = follow(first, second, offset, alignment.crops, most)
    strategy = ByPictures(shows, offset)
    told = pictures_notice(shows, offset, names)
    notices = () if told is None else (told,)
    if any(line.count is None for line in lines):
        return PairChoice(strategy, notices)
    pairs = list(strategy.pairs(lines[0].numbered(), lines[1].numbered(), limit=limit))
    if not pairs:
        raise VideoError(names[1], f"no frame shows what one of the reference {names[0]} does.")
    report = strategy.report
    return PairChoice(strategy, (*notices, *report_notices(report, names)), report, len(pairs))


def _frames(offset: int | Fraction | None, ref: Video) -> int:
    """An offset in frames."""
    if not isinstance(offset, Fraction):
        return offset or 0
    if (rate := ref.timeline().rate) is None:
        raise VideoError(ref.info.path, "has no frame rate: give the offset in frames.")
    return round(offset * rate)


def follow(
    ref: Video,
    dis: Video,
    offset: int,
    crops: tuple[Crop | None, Crop | None],
    most: int | None = None,
) -> list[int]:
    """The number of the reference frame that each distorted frame shows, never falling.

    Numbers may lie before the first and after the last frame of the reference.

    Args:
        ref: the reference, of which nothing was read yet.
        dis: the distorted video, too.
        offset: frames by which the distorted video starts later in the reference; shifts up to
            `REACH` around it are tried.
        crops: the part of each that is compared.
        most: the most distorted frames to look at; None for all.
    """
    refs, others = _lumas(ref, crops[0]), _lumas(dis, crops[1])
    near = _Near(offset, refs, (ref.info.bit_depth, dis.info.bit_depth))
    found = [near.errors(luma) for luma in itertools.islice(others, most)]
    if not found:
        return []
    shifts = _path(np.array([errors for errors, _ in found]), np.array([held for _, held in found]))
    return [index + offset + int(shift) for index, shift in enumerate(shifts)]


def _path(errors: NDArray[np.float32], held: NDArray[np.bool_]) -> NDArray[np.intp]:
    """The shift of each frame, from errors of all shifts; NaN where there is no partner."""
    costs = against_best(errors, _MOST)
    costs[held] *= _HELD_WEIGHT
    costs[np.isnan(costs)] = _ALONE
    costs[0, np.arange(costs.shape[1]) != REACH] += _AGAIN  # a start elsewhere is no dearer
    return cheapest_path(costs, _CHANGE, _AGAIN) - REACH


class _Near:
    """The reference frames around the present place, as small pictures."""

    def __init__(self, offset: int, refs: Iterator[NDArray[Any]], depths: tuple[int, int]) -> None:
        self._offset, self._refs, self._depths = offset, refs, depths
        self._size: tuple[int, int] | None = None
        self._ring = np.zeros((2 * REACH + 1, 0), np.float32)
        self._power = np.zeros(len(self._ring))
        self._read = 0  # reference frames
        self._index = 0  # of the distorted frame
        self._ended = False
        self._before: NDArray[np.float32] | None = None

    def errors(self, luma: NDArray[Any]) -> tuple[NDArray[np.float32], bool]:
        """How far the next distorted frame is from each reference frame within reach, NaN for none.

        And whether it is the frame before, shown again.
        """
        around = self._index + self._offset + np.arange(-REACH, REACH + 1)
        self._index += 1
        while self._read <= around[-1] and not self._ended:
            self._take(luma.shape)
        found = np.full(len(around), np.nan, np.float32)
        there = (around >= 0) & (around < self._read)
        if self._size is None or not there.any():
            return found, False
        small = centred(area_means(luma, self._depths[1], self._size))
        found[there] = misfits(self._ring, small, self._power)[around[there] % len(around)]
        before, self._before = self._before, small
        if before is None:
            return found, False
        return found, bool(misfits(before[None], small)[0] < _HELD * np.nanmin(found))

    def _take(self, shape: tuple[int, ...]) -> None:
        luma = next(self._refs, None)
        if luma is None:
            self._ended = True
            return
        if self._size is None:
            self._size = thumbnail_size(luma.shape, shape)
            self._ring = np.zeros((len(self._ring), self._size[0] * self._size[1]), np.float32)
        small = centred(area_means(luma, self._depths[0], self._size))
        place = self._read % len(self._ring)
        self._ring[place], self._power[place] = small, small @ small
        self._read += 1


def _lumas(video: Video, crop: Crop | None) -> Iterator[NDArray[Any]]:
    width, height, left, top = crop or (video.info.width, video.info.height, 0, 0)
    for shown in video.shown():
        yield shown.planes[0][top : top + height, left : left + width]
