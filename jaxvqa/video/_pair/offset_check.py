"""A found offset looked at once more, on a few whole frames instead of thumbnails."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from jaxvqa.video._pair.offset import OffsetWindow
from jaxvqa.video._pair.thumbnail import area_means

_PAIRS = 8
_FLOOR = 0.02  # squared 8-bit codes; rounding alone makes differences of this order
_NEAR: tuple[int, ...] = (-1, 0, 1)


def checked_frames(windows: Sequence[OffsetWindow], offset: int, counts: tuple[int, int]) -> list:
    """Distorted frames whose partners, and the frames beside them, are all in the reference.

    Args:
        windows: where the offset was found.
        offset: of the distorted video's frames.
        counts: frames of both videos, `(ref, dis)`.

    Returns:
        At most 8 frame numbers in rising order, spread over the windows.
    """
    numbers = [n for w in windows for n in w.dis if 1 <= n + offset < counts[0] - 1]
    places = np.linspace(0, len(numbers) - 1, min(_PAIRS, len(numbers))).round().astype(int)
    return [numbers[place] for place in places]


def better_neighbour(
    ref: Mapping[int, NDArray[np.generic]],
    dis: Mapping[int, NDArray[np.generic]],
    offset: int,
    bit_depths: tuple[int, int],
) -> int | None:
    """The offset one frame away that fits better than the one found; None where none does.

    The mean PSNR of luma over the frames decides, at the size of the smaller video.

    Args:
        ref: luma planes by frame number, with those beside each partner.
        dis: luma planes by frame number.
        offset: as found.
        bit_depths: bits per sample of both.
    """
    totals = dict.fromkeys(_NEAR, 0.0)
    for number, plane in dis.items():
        partners = {step: ref.get(number + offset + step) for step in _NEAR}
        if any(partner is None for partner in partners.values()):
            continue
        for step, partner in partners.items():
            assert partner is not None
            size = min(partner.shape[0], plane.shape[0]), min(partner.shape[1], plane.shape[1])
            difference = area_means(partner, bit_depths[0], size)
            difference -= area_means(plane, bit_depths[1], size)
            totals[step] -= np.log(np.square(difference).mean(dtype=np.float64) + _FLOOR)
    best = max(_NEAR, key=lambda step: (totals[step], step == 0))
    return offset + best if best else None
