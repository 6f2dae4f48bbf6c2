"""Notices while scoring that video which counts as limited is of full range.

Some containers keep no tag of the range, some decoders say limited of everything. If such video is
full, the luma of the two sides differs as the ranges do: by 255/219 from 16 on, which no encoder
does by itself. Means over blocks tell, because what an encoder leaves out has no part in them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from jaxvqa._notice import Notice
from jaxvqa.video._convert.conform import colors_of
from jaxvqa.video._info import VideoInfo
from jaxvqa.video._inputs import InputOptions
from jaxvqa.video._pair.thumbnail import sampled_lines

_GAIN = 219 / 255
# slope and offset of the distorted luma over the reference's, where the reference or the distorted
# is full and was not converted
_MODELS = ((_GAIN, 16.0), (1 / _GAIN, -16.0 / _GAIN))
_SAMES = (1.0, 0.0)
_EVERY = 61  # pairs; the first ones more often
_FIRST = (0, 3, 9, 27)
_SPREAD = 60.0  # codes between dark and bright parts that must be there
_ENDS = (5, 95)  # percentiles that stand for these
_NEAR = 1.0  # codes by which the fit may miss a model at both ends
_CLEAR = 4.0  # ratio of squared errors
_ALIKE = 0.1  # of the variance that may be left by the fit
_FLOOR = 0.1  # squared codes
_BLOCK = 6  # sampled lines, and samples along them


class RangeCheck:
    """Compares the luma of pairs that should be of one range.

    Args:
        sides: the reference and the distorted video; None for one whose range is known.
        bit_depth: bits per sample of both.
    """

    def __init__(self, sides: tuple[VideoInfo | None, VideoInfo | None], bit_depth: int) -> None:
        self._sides = sides
        self._bit_depth = bit_depth
        self._sums = np.zeros((3, 3))  # of products of 1, reference and distorted luma
        self._bins = np.zeros(256, np.int64)  # of the reference's luma

    @classmethod
    def of(cls, ref: VideoInfo, dis: VideoInfo, inputs: InputOptions, bit_depth: int) -> RangeCheck:
        """The check for two videos that are scored in limited range."""
        open_sides: list[VideoInfo | None] = [None, None]
        # monochrome video without a tag has the other side's range
        known = [v for v in (ref, dis) if v.color_range is not None or v.chroma != "400"] or [ref]
        if inputs.color == "match" and any(colors_of(v).range == "tv" for v in known):
            for side, (video, stated) in enumerate(
                ((ref, inputs.ref_range), (dis, inputs.dis_range))
            ):
                if stated is None and video.color_range != "pc" and not video.is_rgb:
                    open_sides[side] = video
        return cls((open_sides[0], open_sides[1]), bit_depth)

    def add(self, index: int, ref_y: NDArray[np.generic], dis_y: NDArray[np.generic]) -> None:
        """Takes a pair; most are passed over.

        Args:
            index: number of the pair.
            ref_y: luma codes of the reference, shape (height, width).
            dis_y: luma codes of the distorted video.
        """
        if (index % _EVERY and index not in _FIRST) or self._sides == (None, None):
            return
        ref, dis = (_block_means(y, self._bit_depth) for y in (ref_y, dis_y))
        rows = np.stack([np.ones_like(ref), ref, dis]).astype(np.float64)
        self._sums += np.vecdot(rows[:, None], rows[None])
        self._bins += np.bincount(ref.astype(np.intp).clip(0, 255), minlength=256)

    @property
    def full_side(self) -> int | None:
        """The side that looks full and says nothing, 0 for the reference or 1, or None."""
        count = self._sums[0, 0]
        if not count:
            return None
        parts = np.cumsum(self._bins) / count * 100
        ends = [int(np.searchsorted(parts, end)) for end in _ENDS]
        if ends[1] - ends[0] < _SPREAD:
            return None
        (_, mean_ref, mean_dis), rows = self._sums[0] / count, self._sums / count
        variances = rows[1, 1] - mean_ref**2, rows[2, 2] - mean_dis**2
        slope = (rows[1, 2] - mean_ref * mean_dis) / variances[0]
        fit = slope, mean_dis - slope * mean_ref
        if self._error(fit) > _ALIKE * variances[1]:
            return None
        for side, model in enumerate(_MODELS):
            misses = [abs((fit[0] - model[0]) * end + fit[1] - model[1]) for end in ends]
            clear = self._error(_SAMES) > _CLEAR * (self._error(model) + _FLOOR)
            if self._sides[side] is not None and max(misses) <= _NEAR and clear:
                return side
        return None

    def _error(self, model: tuple[float, float]) -> float:
        """Mean squared error of the distorted luma after slope and offset of the reference's."""
        weights = np.array([-model[1], -model[0], 1.0])
        return float(weights @ self._sums @ weights / self._sums[0, 0])

    @property
    def notices(self) -> list[Notice]:
        """What to tell, at the end."""
        side = self.full_side
        video = None if side is None else self._sides[side]
        if video is None or side is None:
            return []
        tag = "has no tag of its range" if video.color_range is None else "is tagged as limited"
        option = ("ref_range", "dis_range")[side]
        text = (
            f"{video.path}: {tag}, but beside the other video its luma looks like full range: if "
            f"it is, say so with {option}='full'."
        )
        return [Notice("range", text)]


def _block_means(y: NDArray[np.generic], bit_depth: int) -> NDArray[np.float32]:
    lines = sampled_lines(y, bit_depth)
    rows, columns = (max(1, size // _BLOCK) for size in lines.shape)
    lines = lines[: rows * _BLOCK, : columns * _BLOCK]
    if rows * columns * _BLOCK**2 != lines.size:  # smaller than a block
        return lines.ravel()
    return lines.reshape(rows, _BLOCK, columns, _BLOCK).mean((1, 3)).ravel()
