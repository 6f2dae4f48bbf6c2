"""What every loss does before and after its metric: float frames in, masked and reduced out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp

from jaxvqa._checks import one_of
from jaxvqa._planes import Planes, as_pair
from jaxvqa._typing import Array, Float
from jaxvqa.features._cambi.gradient import rounded_codes
from jaxvqa.features._feature import Feature, check_feature, run

REDUCTIONS = (None, "mean", "sum")


def float_pair(ref: Any, dis: Any, bit_depth: int | None) -> tuple[Planes, Planes]:
    """Checks a pair and makes both sides floats of one dtype.

    float64 if any plane is float64, else float32: a uint8 reference goes with the float output of a
    network, and bfloat16 is computed in float32.
    """
    pair = as_pair(ref, dis, bit_depth)
    double = any(plane.dtype == jnp.float64 for plane in jax.tree.leaves(pair))
    dtype = jnp.float64 if double else jnp.float32
    return jax.tree.map(lambda plane: jnp.asarray(plane).astype(dtype), pair)


def rounded(planes: Planes) -> Planes:
    """Luma as the integer codes that a file would store, without gradient."""
    return Planes(rounded_codes(planes.y, planes.depth), bit_depth=planes.depth)


def measure(
    feature: Feature, ref: Planes, dis: Planes, settings: Mapping[str, Any]
) -> dict[str, Array]:
    """Finished series of a feature: `{output name: (frames,)}`."""
    check_feature(feature, dis, feature.resolve(settings))
    return run(feature, ref, dis, None, {}, settings)


def reduce_frames(loss: Float[Array, " frames"], where: Any, reduction: str | None) -> Array:
    """Zeroes masked frames and reduces.

    Args:
        loss: one value a frame.
        where: `(frames,)` booleans, False for frames that do not count, or None for all.
        reduction: None, "mean" (over frames that count, 0 if none does) or "sum".

    Raises:
        ValueError: another shape or an unknown reduction. TypeError: a mask that is not boolean.
    """
    one_of("reduction", reduction, REDUCTIONS)
    count = loss.shape[0]
    if where is not None:
        where = jnp.asarray(where)
        if where.dtype != jnp.bool_:
            raise TypeError(f"where must hold booleans, got {where.dtype.name}.")
        if where.shape != loss.shape:
            raise ValueError(f"where must have shape {loss.shape}, got {where.shape}.")
        loss = jnp.where(where, loss, jnp.zeros_like(loss))
        count = jnp.maximum(where.sum(dtype=loss.dtype), 1)
    if reduction is None:
        return loss
    return loss.sum() if reduction == "sum" else loss.sum() / count
