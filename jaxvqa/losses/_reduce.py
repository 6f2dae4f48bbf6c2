"""What every loss does before and after its metric: float frames in, masked and reduced out."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from jaxvqa._checks import one_of
from jaxvqa._planes import Planes, VideoLike, as_pair
from jaxvqa._typing import Array, Float

REDUCTIONS = (None, "mean", "sum")


def float_pair(ref: VideoLike, dis: VideoLike, bit_depth: int | None) -> tuple[Planes, Planes]:
    """Checks a pair and makes both sides floats of one dtype.

    float64 if any plane is float64, else float32: a uint8 reference goes with the float output of a
    network, and bfloat16 is computed in float32.
    """
    pair = as_pair(ref, dis, bit_depth)
    double = any(plane.dtype == jnp.float64 for plane in jax.tree.leaves(pair))
    dtype = jnp.float64 if double else jnp.float32
    return jax.tree.map(lambda plane: jnp.asarray(plane).astype(dtype), pair)


def reduce_frames(loss: Float[Array, " frames"], where: Any, reduction: str | None) -> Array:
    """Zeroes masked frames and reduces.

    Args:
        loss: one value per frame.
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
