"""Where a video is worst, and where its scenes change."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from jaxvqa.features._registry import output_of

# 8-bit codes; a pan or a shaking camera stays below
_LEAST_CUT = 8.0
_JUMP = 4.0
_AROUND = 8
_NEAR_FRAMES = 24


def worst_moments(
    numbers: np.ndarray, values: np.ndarray, count: int, *, fps: float | None, lowest: bool = True
) -> list[int]:
    """Places of the worst frames, not too close: a second apart, or less in a short clip.

    Args:
        numbers: `(frames,)` frame numbers.
        values: `(frames,)` scores.
        count: the most that are given.
        fps: frames per second; 24 if it is not known.
        lowest: low scores are bad.

    Returns:
        Indices into `values`, the worst first.
    """
    order = np.argsort(values if lowest else -values, kind="stable")
    span = int(numbers[-1]) - int(numbers[0]) + 1
    distance = min(fps or _NEAR_FRAMES, span / (2 * max(count, 1)))
    found: list[int] = []
    for i in order:
        if len(found) == count:
            break
        apart = all(abs(int(numbers[i]) - int(numbers[j])) >= distance for j in found)
        if np.isfinite(values[i]) and apart:
            found.append(int(i))
    return found


def motion_of(frames: Mapping[str, np.ndarray]) -> np.ndarray | None:
    """The series of a result that jumps at a cut, or None."""
    found = next((name for name in frames if (o := output_of(name)) and o.part == "change"), None)
    return None if found is None else np.asarray(frames[found], np.float64)


def cuts(change: np.ndarray) -> list[int]:
    """Indices of frames that begin a scene: they differ from the one before as no other around.

    Args:
        change: `(frames,)` mean difference of each frame from the one before, in 8-bit codes.
    """
    change = np.where(np.isfinite(change), change, 0.0)
    found = []
    for i in np.flatnonzero(change >= _LEAST_CUT):
        around = np.delete(change[max(0, i - _AROUND) : i + _AROUND + 1], min(i, _AROUND))
        if around.size and change[i] >= _JUMP * np.median(around) and change[i] > around.max():
            found.append(int(i))
    return found
