"""Prediction of one score per frame, in libvmaf's order of operations.

normalise -> chroma correction -> regression -> de-normalise -> transform -> clip

Source: libvmaf f85a853, `predict.c`, `svm.cpp`. In float64 it equals the tool to 1e-9.
"""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from jaxvqa._typing import Array, Float
from jaxvqa.fusion._model import Model, ScoreTransform, index_of
from jaxvqa.fusion._regressions import cast, decide


def correct_chroma(model: Model, features: Float[Array, "frames n"]) -> Float[Array, "frames n"]:
    """Puts `P * (1 - detail)` in place of a chroma score of exactly 0.

    Chroma SpEED is 0 where it is undefined (flat or tiny chroma) and where chroma is untouched;
    the stand-in follows luma's loss of detail. The score jumps at 0, and the gradient there belongs
    to the detail score (adm3 in VMAF v1). libvmaf compares after normalising and back, which
    differs only below 3e-17.
    """
    detail = index_of(model.features, "detail")
    chroma = index_of(model.features, "chroma")
    score = features[:, chroma]
    stand_in = model.chroma_correction_parameter * (1 - features[:, detail])
    return features.at[:, chroma].set(jnp.where(score == 0, stand_in, score))


def piecewise_linear(
    knots: Float[Array, "k 2"], scores: Float[Array, " frames"]
) -> Float[Array, " frames"]:
    """Straight lines through the knots; the first and the last one go on beyond the ends.

    A knot that two segments share belongs to the later one.
    """
    x, y = knots[:, 0], knots[:, 1]
    inner = x[None, 1:-1] <= scores[:, None]
    segment = inner.sum(-1, dtype=jnp.int32)
    slopes = (y[1:] - y[:-1]) / (x[1:] - x[:-1])
    return y[segment] + slopes[segment] * (scores - x[segment])


def apply_transform(
    transform: ScoreTransform, scores: Float[Array, " frames"]
) -> Float[Array, " frames"]:
    """Polynomial, knots, then rectification against the scores that came in."""
    out = transform.p0 + transform.p1 * scores + transform.p2 * scores * scores
    if transform.knots is not None:
        out = piecewise_linear(transform.knots, out)
    if transform.out_lte_in:
        out = jnp.minimum(out, scores)
    if transform.out_gte_in:
        out = jnp.maximum(out, scores)
    return out


def raw_scores(model: Model, features: Float[Array, "frames n"]) -> Float[Array, " frames"]:
    """Scores before transform and clip, in the dtype of `features`.

    Args:
        model: the model.
        features: values of the model's features, in its order and in their own units.
    """
    features = at_least_single(features)
    model = cast(model, features.dtype)
    if features.shape[-1] != len(model.features):
        raise ValueError(
            f"model {model.name} takes {len(model.features)} features per frame, "
            f"got {features.shape[-1]}."
        )
    if model.chroma_correction_parameter is not None:
        features = correct_chroma(model, features)
    z = features * model.slopes[None, 1:] + model.intercepts[None, 1:]
    return (decide(model.regression, z) - model.intercepts[0]) / model.slopes[0]


def publish(
    model: Model, scores: Float[Array, " frames"], *, transform: bool | None, clip: bool
) -> Float[Array, " frames"]:
    """Transform and clip of raw scores; see `predict` for the switches."""
    model = cast(model, scores.dtype)
    own = model.score_transform
    if own is not None and (own.enabled if transform is None else transform):
        scores = apply_transform(own, scores)
    if clip and model.score_clip is not None:
        scores = jnp.minimum(jnp.maximum(scores, model.score_clip[0]), model.score_clip[1])
    return scores


def predict(
    model: Model,
    features: Float[Array, "frames n"],
    *,
    transform: bool | None = None,
    clip: bool = True,
) -> Float[Array, " frames"]:
    """Score of every frame.

    Args:
        model: the model.
        features: values of the model's features, in its order and in their own units. The
            arithmetic is theirs: float32 (about 1e-4 score points) or float64.
        transform: apply the model's score transform; None does what its file says. A model without
            a transform has nothing to apply, as in libvmaf.
        clip: keep the score within the model's range. A loss wants False: its gradient is 0 there.

    Returns:
        `(frames,)`, in the direction that `model.info.direction` names.

    Raises:
        ValueError: the number of features is not the model's.
    """
    return publish(model, raw_scores(model, features), transform=transform, clip=clip)


def at_least_single(features: Any) -> Array:
    """Features as float32, or float64 if they are that already."""
    features = jnp.asarray(features)
    return features if features.dtype == jnp.float64 else features.astype(jnp.float32)
