"""Resamples of whole contents.

Clips of one content share what makes it easy or hard, so they are drawn together: intervals over
clips would be far too narrow.
"""

from __future__ import annotations

import numpy as np


def resample(contents: np.ndarray, count: int, seed: int) -> list[np.ndarray]:
    """Rows of `count` resamples: as many contents as there are, drawn with replacement.

    Args:
        contents: `(clips,)` the content of each clip.
        count: number of resamples.
        seed: of the draws; equal seeds give equal rows.
    """
    names = dict.fromkeys(contents.tolist())
    rows = [np.flatnonzero(contents == name) for name in names]
    generator = np.random.default_rng(seed)
    drawn = generator.integers(0, len(rows), (count, len(rows)))
    return [np.concatenate([rows[i] for i in one]) for one in drawn]


def interval_of(values: np.ndarray) -> tuple[float, float]:
    """The 2.5th and 97.5th percentile of what is finite; NaN without any."""
    known = values[np.isfinite(values)]
    if not known.size:
        return float("nan"), float("nan")
    low, high = np.percentile(known, (2.5, 97.5))
    return float(low), float(high)
