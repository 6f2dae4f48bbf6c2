"""Losses made of a fusion model: VMAF v0 and v1, FUNQUE.

The loss is how far a frame's score lies from that of its reference compared with itself, with the
float twins of the model's features, and without the clip, which would stop gradients.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp

from jaxvqa import catalog
from jaxvqa._typing import Array, Float
from jaxvqa.checks import one_of
from jaxvqa.features.base import Feature, Output, check_feature
from jaxvqa.features.cambi_pull import banding
from jaxvqa.features.options import Options
from jaxvqa.fusion.model import AnyModel, Collection, FeatureRef, Model
from jaxvqa.fusion.registry import load_model
from jaxvqa.fusion.svr import predict
from jaxvqa.fusion.twins import float_twin
from jaxvqa.losses.frames import float_pair, measure, reduce_frames, rounded
from jaxvqa.planes import Planes

ModelLike = str | os.PathLike[str] | AnyModel


def vmaf(
    ref: Any,
    dis: Any,
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
        bit_depth: bits a sample; needed unless both are uint8 or `Planes`.
        model: a shipped name (v0 or v1), a path, or a loaded model. Of a bootstrap collection the
            main model counts.
        banding_gradient: let the gradient pass through CAMBI (v1 models), as the slope of soft
            counts; False stops it there and saves its time. The value is the same.
        reduction: None for one value a frame, "mean" or "sum".
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
    """
    one_of("banding_gradient", banding_gradient, (True, False))
    loss = _model_loss(ref, dis, bit_depth, model, banding_gradient)
    return reduce_frames(loss, where, reduction)


def funque(
    ref: Any,
    dis: Any,
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
        bit_depth: bits a sample; needed unless both are uint8 or `Planes`.
        model: as for `vmaf`.
        reduction: None for one value a frame, "mean" or "sum".
        where: `(frames,)` booleans; frames that are False count 0 and are left out of the mean.

    Returns:
        `(frames,)`, or a scalar if reduced, in points of the model: 0 for an equal pair, lower is
        better. At an equal pair the structure feature has gradient 0, and just beside it a steep
        one.

    Raises:
        ValueError: no such model, or frames too small. TypeError: bad dtypes.
    """
    return reduce_frames(_model_loss(ref, dis, bit_depth, model), where, reduction)


def score_frames(
    ref: Any,
    dis: Any,
    *,
    bit_depth: int | None = None,
    model: ModelLike = "vmaf_v0.6.1",
    clip: bool = True,
) -> Float[Array, " frames"]:
    """Score of a fusion model from the float twins of its features, for use inside `jit`.

    Args:
        ref: reference, as for `vmaf`.
        dis: distorted video of the same shape.
        bit_depth: bits a sample; needed unless both are uint8 or `Planes`.
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
    ref: Any, dis: Any, bit_depth: int | None, model: ModelLike, banding_gradient: bool = True
) -> Float[Array, " frames"]:
    ref, dis = float_pair(ref, dis, bit_depth)
    single = single_model(model)
    columns = _columns(single, ref, dis, banding_gradient)
    ideal = [_perfect(column, ref, banding_gradient) for column in columns]
    score = predict(single, _stack([column.value for column in columns], ref), clip=False)
    best = predict(single, _stack(ideal, ref), clip=False)
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


@dataclass(frozen=True)
class _Column:
    """One input of a model, measured."""

    feature: Feature
    options: Options
    output: Output
    value: Float[Array, " frames"]


def _columns(model: Model, ref: Planes, dis: Planes, banding_gradient: bool) -> list[_Column]:
    """The model's features of the pair."""
    resolved = [_resolve(wanted) for wanted in model.features]
    # everything is checked before anything is computed
    for feature, options, _ in resolved:
        for side in (ref, dis):
            if feature.integer:
                feature.check(side, options)
            else:
                check_feature(feature, side, options)
    series: dict[tuple[str, Options], dict[str, Array]] = {}
    for feature, options, _ in resolved:
        key = (feature.name, options)
        if key not in series:
            series[key] = _extract(feature, options, ref, dis, banding_gradient)
    return [_Column(f, opts, out, series[f.name, opts][out.name]) for f, opts, out in resolved]


def _stack(columns: list[Array], like: Planes) -> Float[Array, "frames n"]:
    return jnp.stack([column.astype(like.y.dtype) for column in columns], axis=1)


def _resolve(wanted: FeatureRef) -> tuple[Feature, Options, Output]:
    """The differentiable feature that stands for a model's input, where there is one."""
    extractor, key, settings = float_twin(wanted.extractor, wanted.key, wanted.settings)
    feature = catalog.find(extractor)
    options = feature.resolve(settings)
    for output in feature.outputs(options):
        if output.raw == key:
            return feature, options, output
    raise ValueError(f"{extractor} has no output {key}.")


def _extract(
    feature: Feature, options: Options, ref: Planes, dis: Planes, banding_gradient: bool
) -> dict[str, Array]:
    if feature.name == "cambi":
        return {"cambi": _banding(dis, options, banding_gradient)}
    if feature.integer:
        ref, dis = rounded(ref), rounded(dis)
    return measure(feature, ref, dis, options.changed())


def _banding(planes: Planes, options: Options, gradient: bool) -> Float[Array, " frames"]:
    y = planes.y if gradient else jax.lax.stop_gradient(planes.y)
    return banding(y, planes.depth, options)


def _perfect(column: _Column, ref: Planes, banding_gradient: bool) -> Float[Array, " frames"]:
    """Value of an input where the distorted picture equals the reference."""
    value, output, options = column.value, column.output, column.options
    if output.name == "cambi":
        # banding is no difference to the reference: a perfect picture has the reference's own
        return _banding(ref, options, banding_gradient)
    if output.direction == "neither":
        return value
    left_out = output.name.endswith("scale0") and (
        options.get("vif_skip_scale0", False) or options.get("adm_skip_scale0", False)
    )
    mixed = output.name == "adm3" and options.get("adm_adm3_apply_hm", False)
    if left_out:
        return value
    if mixed:
        return jnp.full_like(value, options.adm_min_val)
    return jnp.full_like(value, 1.0 if output.direction == "higher" else 0.0)
