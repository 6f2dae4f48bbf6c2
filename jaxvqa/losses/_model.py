"""Losses made of a fusion model: VMAF v0 and v1, FUNQUE.

The loss is how far a frame's score lies from that of its reference compared with itself, with the
float twins of the model's features, and without the clip, which would stop gradients.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from typing import Any, NamedTuple

import jax.numpy as jnp

from jaxvqa._checks import one_of
from jaxvqa._planes import Planes, VideoLike
from jaxvqa._typing import Array, Float
from jaxvqa.features._feature import Feature, Output
from jaxvqa.features._options import Options
from jaxvqa.features._registry import differentiable, find
from jaxvqa.features._run import check_pictures
from jaxvqa.fusion._catalog import load_model
from jaxvqa.fusion._model import AnyModel, Collection, FeatureRef, Model
from jaxvqa.fusion._predict import predict
from jaxvqa.losses._measure import Perfect, measure_floats
from jaxvqa.losses._reduce import float_pair, reduce_frames

ModelLike = str | os.PathLike[str] | AnyModel


def vmaf(
    ref: VideoLike,
    dis: VideoLike,
    *,
    bit_depth: int | None = None,
    model: ModelLike = "vmaf_v0.6.1",
    banding_gradient: bool = True,
    reduction: str | None = None,
    where: Any = None,
) -> Array:
    """VMAF points below a perfect picture: the score of (ref, ref) minus the score of (ref, dis).

    Both scores are unclipped and include the model's score transform if its file enables it. The
    score of the perfect picture costs no second extraction but for CAMBI: its features are 1 or 0
    by definition, motion depends on the reference alone.

    Args:
        ref: reference, luma code values `(frames, height, width)` or `(height, width)`, or a
            `Planes`; v1 models need a `Planes` with chroma. Any float or integer dtype.
        dis: distorted video of the same shape.
        bit_depth: bits per sample; needed unless both are uint8 or `Planes`.
        model: a shipped name (v0 or v1), a path, or a loaded model. Of a bootstrap collection the
            main model counts.
        banding_gradient: let the gradient pass through CAMBI (v1 models), as the slope of soft
            counts; False stops it there and saves its time. The value is the same.
        reduction: None for one value per frame, "mean" or "sum".
        where: `(frames,)` booleans; frames that are False count 0 and are left out of the mean.
            They are still neighbours of others in motion.

    Returns:
        `(frames,)`, or a scalar if reduced, in points of the model: 0 for an equal pair (within
        0.003 in float32; up to 0.006 on dull frames, see `vif`), lower is better, below 0 where the
        model credits enhancement.

    Raises:
        ValueError: no such model, missing chroma, or frames too small for one of the features.
        TypeError: bad dtypes.

    Computes in float32 (regression within 2e-3 points of float64), in float64 for float64 frames.
    Motion is that of the frames given: 0 for a single one. CAMBI in v1 models is exact on rounded
    codes and has a surrogate gradient; docs/losses.md lists where gradients vanish.

    Example:
        >>> import jax, jaxvqa
        >>> ref = jax.random.uniform(jax.random.key(0), (1, 64, 64), maxval=255.0)
        >>> loss = jaxvqa.losses.vmaf(ref, 0.5 * ref, model="vmaf_v0.6.1neg", bit_depth=8)
        >>> loss.shape, bool(loss[0] > 0)
        ((1,), True)
    """
    one_of("banding_gradient", banding_gradient, (True, False))
    loss = _model_loss(ref, dis, bit_depth, model, banding_gradient)
    return reduce_frames(loss, where, reduction)


def funque(
    ref: VideoLike,
    dis: VideoLike,
    *,
    bit_depth: int | None = None,
    model: ModelLike = "funque_2022",
    reduction: str | None = None,
    where: Any = None,
) -> Array:
    """FUNQUE of 2022: predicted DMOS of (ref, dis) above that of (ref, ref), unclipped.

    Args:
        ref: reference, luma code values `(frames, height, width)` or `(height, width)`, or a
            `Planes`.
        dis: distorted video of the same shape.
        bit_depth: bits per sample; needed unless both are uint8 or `Planes`.
        model: as for `vmaf`.
        reduction: None for one value per frame, "mean" or "sum".
        where: `(frames,)` booleans; frames that are False count 0 and are left out of the mean.

    Returns:
        `(frames,)`, or a scalar if reduced, in points of the model: 0 for an equal pair, lower is
        better. At an equal pair the structure feature has gradient 0, and just beside it a steep
        one.

    Raises:
        ValueError: no such model, or frames too small. TypeError: bad dtypes.

    Example:
        >>> import jax, jaxvqa
        >>> ref = jax.random.uniform(jax.random.key(0), (1, 64, 64), maxval=255.0)
        >>> loss = jaxvqa.losses.funque(ref, 0.5 * ref, bit_depth=8)
        >>> loss.shape, bool(loss[0] > 0)
        ((1,), True)
    """
    return reduce_frames(_model_loss(ref, dis, bit_depth, model), where, reduction)


def score_frames(
    ref: VideoLike,
    dis: VideoLike,
    *,
    bit_depth: int | None = None,
    model: ModelLike = "vmaf_v0.6.1",
    clip: bool = True,
) -> Float[Array, " frames"]:
    """Score of a fusion model from the float twins of its features, for use inside `jit`.

    Args:
        ref: reference, as for `vmaf`.
        dis: distorted video of the same shape.
        bit_depth: bits per sample; needed unless both are uint8 or `Planes`.
        model: as for `vmaf`.
        clip: keep the score within the model's range.

    Returns:
        `(frames,)`, in the direction that the model's `info.direction` names.

    Raises:
        ValueError: no such model, missing chroma, or frames too small. TypeError: bad dtypes.
    """
    ref, dis = float_pair(ref, dis, bit_depth)
    single = single_model(model)
    columns = _columns(single, ref, dis, banding_gradient=True)
    return predict(single, _stack([column.value for column in columns], ref), clip=clip)


def _model_loss(
    ref: VideoLike,
    dis: VideoLike,
    bit_depth: int | None,
    model: ModelLike,
    banding_gradient: bool = True,
) -> Float[Array, " frames"]:
    ref, dis = float_pair(ref, dis, bit_depth)
    single = single_model(model)
    columns = _columns(single, ref, dis, banding_gradient)
    score = predict(single, _stack([column.value for column in columns], ref), clip=False)
    best = predict(single, _stack([column.perfect() for column in columns], ref), clip=False)
    return score - best if single.info.direction == "lower" else best - score


def single_model(model: ModelLike) -> Model:
    """The model itself, loaded by name or path; of a bootstrap collection the main model."""
    if isinstance(model, (str, os.PathLike)):
        model = load_model(model)
    if isinstance(model, Collection):
        return model.main
    if not isinstance(model, Model):
        raise TypeError(f"model must be a name, a path or a model, got {type(model).__name__}.")
    return model


class _Column(NamedTuple):
    """One input of a model, measured."""

    value: Float[Array, " frames"]
    perfect: Callable[[], Float[Array, " frames"]]


def _columns(model: Model, ref: Planes, dis: Planes, banding_gradient: bool) -> list[_Column]:
    """The model's features of the pair."""
    inputs = [_resolve(wanted) for wanted in model.features]
    # everything is checked before anything is computed
    for feature, options, output in inputs:
        for side in (ref, dis):
            check_pictures(feature, side, options, output)
    measured: dict[tuple[str, Options], tuple[dict[str, Array], Perfect]] = {}
    columns = []
    for feature, options, output in inputs:
        key = (feature.name, options)
        if key not in measured:
            series = measure_floats(feature, ref, dis, options, gradient=banding_gradient)
            perfect = Perfect(feature, options, ref, series, gradient=banding_gradient)
            measured[key] = series, perfect
        series, perfect = measured[key]
        columns.append(_Column(series[output.name], functools.partial(perfect, output)))
    return columns


def _stack(columns: list[Array], like: Planes) -> Float[Array, "frames n"]:
    return jnp.stack([column.astype(like.y.dtype) for column in columns], axis=1)


def _resolve(wanted: FeatureRef) -> tuple[Feature[Any], Options, Output]:
    """The differentiable feature that stands for a model's input, where there is one."""
    feature, key, options = differentiable(find(wanted.extractor), wanted.key, wanted.settings)
    output, options = feature.output(key, options)
    return feature, options, output
