"""What a model is trained on: features of clips, per frame and pooled, and ratings."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from jaxvqa.fusion import FeatureRef


@dataclass(frozen=True)
class TrainingData:
    """Rated clips with features.

    Args:
        frames: for each clip its features, `(frames, n)`, in their own units.
        ratings: `(clips,)` what people think.
        contents: what each clip shows; clips of one content are held out together.
        features: what the columns are, sorted as `jaxvqa.fusion.feature_refs` sorts them.
        names: of the clips.

    Raises:
        ValueError: parts of unequal length, values that are not finite, or fewer than three clips.
    """

    frames: Sequence[np.ndarray]
    ratings: np.ndarray
    contents: Sequence[str]
    features: tuple[FeatureRef, ...]
    names: Sequence[str]

    def __post_init__(self) -> None:
        counts = {len(self.frames), len(self.ratings), len(self.contents), len(self.names)}
        if len(counts) != 1 or len(self.ratings) < 3:
            raise ValueError(
                "training needs frames, a rating, a content and a name of three clips or more, got "
                f"{', '.join(map(str, sorted(counts)))}."
            )
        for name, rows in zip(self.names, self.frames, strict=True):
            if rows.ndim != 2 or rows.shape[1] != len(self.features) or not len(rows):
                raise ValueError(
                    f"clip {name!r} must have (frames, {len(self.features)}) features, got shape "
                    f"{rows.shape}."
                )
            if not np.isfinite(rows).all():
                raise ValueError(f"clip {name!r} has features that are not finite: leave it out.")
        if not np.isfinite(self.ratings).all():
            raise ValueError("ratings must be finite: leave out clips without one.")

    @functools.cached_property
    def pooled(self) -> np.ndarray:
        """`(clips, n)` means over the frames."""
        return np.stack([rows.mean(0) for rows in self.frames])

    @property
    def size(self) -> int:
        """Number of clips."""
        return len(self.ratings)

    @property
    def digest(self) -> str:
        """Hash of everything that a model is made from."""
        found = hashlib.sha256()
        for ref in self.features:
            found.update(repr((ref.key, sorted(ref.options))).encode())
        for name, content, rating, rows in zip(
            self.names, self.contents, self.ratings, self.frames, strict=True
        ):
            found.update(repr((name, content, float(rating), rows.shape)).encode())
            found.update(np.ascontiguousarray(rows, np.float64).tobytes())
        return found.hexdigest()

    def take(self, rows: np.ndarray) -> TrainingData:
        """Some of the clips, or some of them several times."""
        return TrainingData(
            [self.frames[i] for i in rows],
            self.ratings[rows],
            [str(self.contents[i]) for i in rows],
            self.features,
            [str(self.names[i]) for i in rows],
        )
