"""Prediction of a bootstrap collection: every member, their mean, spread and 95 % interval.

Source: libvmaf f85a853, `predict.c` (`vmaf_predict_score_at_index_model_collection`).
"""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp

from jaxvqa._ops import safe
from jaxvqa._typing import Array, Float
from jaxvqa.fusion._model import Collection, Model
from jaxvqa.fusion._predict import at_least_single, predict, publish, raw_scores
from jaxvqa.fusion._regressions import cast

_STEP = 0.01  # half width of the difference that carries the spread through the transform


def percentile(ordered: Float[Array, "members frames"], percent: float) -> Float[Array, " frames"]:
    """Percentile along the first axis of sorted values, by linear interpolation."""
    position = percent * (ordered.shape[0] - 1) / 100
    below, above = math.floor(position), math.ceil(position)
    share = position - below
    return ordered[below] * (1 - share) + ordered[above] * share


def predict_collection(
    collection: Collection,
    features: Float[Array, "frames n"],
    *,
    transform: bool | None = None,
    clip: bool = True,
) -> dict[str, Float[Array, " frames"]]:
    """Scores of a collection; all members are one `vmap`.

    Args:
        collection: the models.
        features: as for `_predict.predict`.
        transform: as for `_predict.predict`.
        clip: as for `_predict.predict`.

    Returns:
        `(frames,)` arrays under what each adds to the collection's name: "" the main model, "_0001"
        and on the members, "_bagging" their mean, "_stddev" their spread, "_ci_p95_lo" and
        "_ci_p95_hi" the interval. Mean, spread and interval are taken before transform and clip
        and carried through those of the first member.
    """
    features = at_least_single(features)
    members = cast(collection.members, features.dtype)

    def both(member: Model) -> tuple[Array, Array]:
        raw = raw_scores(member, features)
        return raw, publish(member, raw, transform=transform, clip=clip)

    raw, published = jax.vmap(both)(members)
    first = jax.tree.map(lambda leaf: leaf[0], members)

    def carry(scores: Array) -> Array:
        return publish(first, scores, transform=transform, clip=clip)

    mean = raw.mean(0)
    spread = safe.sqrt(((raw - mean[None, :]) ** 2).mean(0))
    ordered = jnp.sort(raw, axis=0)
    slope = (carry(mean + _STEP) - carry(mean - _STEP)) / (2 * _STEP)
    scores = {"": predict(collection.main, features, transform=transform, clip=clip)}
    scores |= {f"_{i + 1:04d}": published[i] for i in range(published.shape[0])}
    scores["_bagging"] = carry(mean)
    scores["_stddev"] = spread * slope
    scores["_ci_p95_lo"] = carry(percentile(ordered, 2.5))
    scores["_ci_p95_hi"] = carry(percentile(ordered, 97.5))
    return scores
