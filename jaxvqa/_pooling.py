"""Pooling of per-frame scores over time."""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import ArrayLike

PERCENTILES = (1, 5, 10, 25, 50)
POOLED = ("min", "max", "mean", "harmonic_mean", *(f"p{p}" for p in PERCENTILES), "std")


def pool(values: ArrayLike) -> dict[str, float]:
    """Summaries of a per-frame series.

    The harmonic mean is libvmaf's, `n / sum(1 / (s + 1)) - 1`: it weighs bad frames more and
    allows a score of 0. Percentiles interpolate linearly; `std` is the population's.

    Args:
        values: `(frames,)` scores of one metric.

    Returns:
        Floats under "min", "max", "mean", "harmonic_mean", "p1", "p5", "p10", "p25", "p50" and
        "std", in the unit of the scores. All are NaN if a frame has no finite score.

    Raises:
        ValueError: no frames, or more than one axis.

    Source: libvmaf f85a853, `libvmaf.c` (`vmaf_feature_score_pooled`). Matches it to 1e-9.
    """
    series = np.asarray(values, np.float64)
    if series.ndim != 1 or series.size == 0:
        raise ValueError(f"pooling needs a series of one or more frames, got shape {series.shape}.")
    if not np.isfinite(series).all():
        return dict.fromkeys(POOLED, float("nan"))
    with np.errstate(divide="ignore", invalid="ignore"):
        harmonic = series.size / np.sum(1 / (series + 1)) - 1
    pooled = {
        "min": series.min(),
        "max": series.max(),
        "mean": series.mean(),
        "harmonic_mean": harmonic,
    }
    pooled |= zip((f"p{p}" for p in PERCENTILES), np.percentile(series, PERCENTILES), strict=True)
    pooled["std"] = series.std()
    return {key: float(pooled[key]) for key in POOLED}


class PooledScores:
    """What results have in common: scores per frame that are pooled where somebody asks."""

    frames: dict[str, np.ndarray]
    score_names: tuple[str, ...]

    @functools.cached_property
    def pooled(self) -> dict[str, dict[str, float]]:
        """`pool` of every series."""
        return {name: pool(values) for name, values in self.frames.items()}

    @property
    def score(self) -> float | None:
        """Mean score of the first model over the scored frames; None without a model."""
        return self.pooled[self.score_names[0]]["mean"] if self.score_names else None
