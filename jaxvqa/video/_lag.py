"""Notices while scoring that the frames of two videos are paired a frame or two apart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jaxvqa.video._thumbnail import area_means, thumbnail_size

_REACH = 2
_SHIFTS = range(-_REACH, _REACH + 1)
# primes, so that frames repeated in some cadence are not always met at the same point of it
_DENSE, _SPARSE = 11, 31
_DENSE_UNTIL = 77
_ROWS, _COLUMNS = 360, 640  # that are looked at; more cost time and add little
_FEWEST = 6  # samples that must speak for a shift
_CLEAR = 1.1  # ratio of errors from which a sample speaks for one of two shifts
_SHARE = 0.9  # of the samples that speak
_RATIO = 1.25  # of the mean errors
# heavy compression makes slow pictures trail by a little more with every shift looked at, so a
# minimum must be seen from both sides, or at the last shift be plain
_OUTER_RATIO = 2.0
_RISE = 1.05
_FLOOR = 0.02  # squared 8-bit codes


@dataclass(frozen=True)
class _Sample:
    """Errors of one distorted frame against the reference frames around it, one per shift."""

    index: int
    errors: NDArray[np.float64]


class LagCheck:
    """Watches the pairs being scored for a constant shift of one or two frames.

    Now and then a distorted frame is compared with the five reference frames around it, as
    thumbnails. The error is what remains after the best linear change of tone, so brightness,
    range and fades count for nothing, and neither do static pictures. Speaks only if the samples
    agree and the gain is clear; silence does not say that the pairing is right. Needs 60 pairs
    at the least.

    Args:
        bit_depth: bits per sample of both videos.
    """

    def __init__(self, bit_depth: int) -> None:
        self._bit_depth = bit_depth
        self._centre = _REACH
        self._refs: list[NDArray[np.float32]] = []
        self._dis: NDArray[np.float32] | None = None
        self._samples: list[_Sample] = []

    def add(self, index: int, ref_y: NDArray[np.generic], dis_y: NDArray[np.generic]) -> None:
        """Takes a pair; most are passed over.

        Args:
            index: number of the pair; they come in order.
            ref_y: luma codes of the reference, shape (height, width).
            dis_y: luma codes of the distorted video.
        """
        if index > self._centre + len(self._refs) - _REACH:  # a pair is missing
            self._start(index + _REACH)
        if index < self._centre + len(self._refs) - _REACH:
            return
        ref_y, dis_y = _some(ref_y), _some(dis_y)
        size = thumbnail_size(ref_y.shape, dis_y.shape)
        self._refs.append(area_means(ref_y, self._bit_depth, size))
        if index == self._centre:
            self._dis = area_means(dis_y, self._bit_depth, size)
        if len(self._refs) == len(_SHIFTS) and self._dis is not None:
            errors = np.array([_misfit(ref, self._dis) for ref in self._refs])
            self._samples.append(_Sample(self._centre, errors + _FLOOR))
            self._start(self._centre + (_DENSE if self._centre < _DENSE_UNTIL else _SPARSE))

    def _start(self, centre: int) -> None:
        self._centre, self._refs, self._dis = centre, [], None

    @property
    def frames(self) -> int | None:
        """The offset that the pairs seen so far call for, or None.

        Counted on top of the present pairing, in the sign of `find_offset`: distorted frame i looks
        like reference frame i + `frames`.
        """
        if len(self._samples) < _FEWEST:
            return None
        errors = np.array([sample.errors for sample in self._samples])
        now = errors[:, _REACH]
        means = errors.mean(0)
        best = int(means.argmin())
        outer = best in (0, len(means) - 1)
        if means[_REACH] < (_OUTER_RATIO if outer else _RATIO) * means[best]:
            return None
        if not outer and np.delete(means, best).min() < _RISE * means[best]:
            return None
        pro = int((now >= _CLEAR * errors[:, best]).sum())
        # any shift that beats the best one speaks against it
        con = int((errors[:, best] >= _CLEAR * errors.min(1)).sum())
        return _SHIFTS[best] if pro >= max(_FEWEST, _SHARE * (pro + con)) else None

    def advice(self, option: Callable[[int], str]) -> str | None:
        """What to do about it, or None.

        Args:
            option: what brings that many frames on top of the present pairing.
        """
        if (shift := self.frames) is None:
            return None
        many = "1 frame" if abs(shift) == 1 else f"{abs(shift)} frames"
        side = "later in the reference" if shift > 0 else "before the reference"
        return (
            f"distorted frames look like the reference's {many} {'on' if shift > 0 else 'back'}, "
            f"as if the distorted started {many} {side}: try {option(shift)}."
        )


def _some(y: NDArray[np.generic]) -> NDArray[np.generic]:
    return y[:: max(1, y.shape[0] // _ROWS), :: max(1, y.shape[1] // _COLUMNS)]


def _misfit(ref: NDArray[np.float32], dis: NDArray[np.float32]) -> float:
    """Mean squared error of `dis` after the best fit of `a + b * ref` to it."""
    x, y = ref.ravel() - ref.mean(), dis.ravel() - dis.mean()
    power, common = float(x @ x), float(x @ y)
    gain = max(common, 0.0) / power if power > 0 else 0.0
    rest = y - np.float32(gain) * x
    return float(rest @ rest) / rest.size
