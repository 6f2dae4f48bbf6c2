"""Losses made of a fusion model: VMAF v0 and v1, FUNQUE.

The loss is how far a frame's score lies from that of its reference compared with itself, with the
float twins of the model's features, and without the clip, which would stop gradients.
"""

from __future__ import annotations

import os
from typing import Any

import jax.numpy as jnp

from jaxvqa import catalog
from jaxvqa._typing import Array, Float
from jaxvqa.features.base import Feature, Output, check_feature
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
        reduction: None for one value a frame, "mean" or "sum".
        where: `(frames,)` booleans; frames that are False count 0 and are left out of the mean.
            They are still neighbours of others in motion.

    Returns:
        `(frames,)`, or a scalar if reduced, in points of the model: 0 for an equal pair (within
        0.02: VIF of an equal pair is 1 within 1e-4), lower is better, below 0 where the model
        credits enhancement.

    Raises:
        ValueError: no such model, missing chroma, or frames too small for one of the features.
        TypeError: bad dtypes.

    Computes in float32 (regression within 2e-3 points of float64), in float64 for float64 frames.
    Motion is that of the frames given: 0 for a single one. CAMBI in v1 models is exact on rounded
    codes and has no gradient; docs/losses.md lists where else gradients vanish.
    """
    return _model_loss(ref, dis, bit_depth, model, reduction, where)


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
    return _model_loss(ref, dis, bit_depth, model, reduction, where)


def _model_loss(
    ref: Any, dis: Any, bit_depth: int | None, model: ModelLike, reduction: str | None, where: Any
) -> Array:
    ref, dis = float_pair(ref, dis, bit_depth)
    single = _single(model)
    measured, perfect = _inputs(single, ref, dis)
    score = predict(single, measured, clip=False)
    best = predict(single, perfect, clip=False)
    loss = score - best if single.info.direction == "lower" else best - score
    return reduce_frames(loss, where, reduction)


def _single(model: ModelLike) -> Model:
    if isinstance(model, (str, os.PathLike)):
        model = load_model(model)
    if isinstance(model, Collection):
        return model.main
    if not isinstance(model, Model):
        raise TypeError(f"model must be a name, a path or a model, got {type(model).__name__}.")
    return model


def _inputs(
    model: Model, ref: Planes, dis: Planes
) -> tuple[Float[Array, "frames n"], Float[Array, "frames n"]]:
    """The model's features of the pair, and those of the reference compared with itself."""
    resolved = [_resolve(wanted) for wanted in model.features]
    # everything is checked before anything is computed
    for feature, options, _ in resolved:
        for side in (ref, dis):
            if feature.integer:
                feature.check(side, options)
            else:
                check_feature(feature, side, options)
    series: dict[tuple[str, Options], dict[str, Array]] = {}
    columns: list[Array] = []
    perfect: list[Array] = []
    for feature, options, output in resolved:
        key = (feature.name, options)
        if key not in series:
            series[key] = _extract(feature, options, ref, dis)
        found = series[key]
        columns.append(found[output.name])
        perfect.append(_perfect(output, options, found))
    dtype = ref.y.dtype
    stacked = (jnp.stack([c.astype(dtype) for c in side], axis=1) for side in (columns, perfect))
    return next(stacked), next(stacked)


def _resolve(wanted: FeatureRef) -> tuple[Feature, Options, Output]:
    """The differentiable feature that stands for a model's input, where there is one."""
    extractor, key, settings = float_twin(wanted.extractor, wanted.key, wanted.settings)
    feature = catalog.find(extractor)
    options = feature.resolve(settings)
    for output in feature.outputs(options):
        if output.raw == key:
            return feature, options, output
    raise ValueError(f"{extractor} has no output {key}.")


def _extract(feature: Feature, options: Options, ref: Planes, dis: Planes) -> dict[str, Array]:
    settings = options.changed()
    if not feature.integer:
        return measure(feature, ref, dis, settings)
    ref, dis = rounded(ref), rounded(dis)
    found = measure(feature, ref, dis, settings)
    if feature.name == "cambi":
        # banding is no difference to the reference: a perfect picture has the reference's own
        found["cambi_of_reference"] = measure(feature, ref, ref, settings)["cambi"]
    return found


def _perfect(output: Output, options: Options, found: dict[str, Array]) -> Array:
    """Value of an output where the distorted picture equals the reference."""
    value = found[output.name]
    if output.name == "cambi":
        return found["cambi_of_reference"]
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
