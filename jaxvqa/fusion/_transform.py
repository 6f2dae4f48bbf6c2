"""The map from a regression's score to the published scale.

Source: libvmaf f85a853, `predict.c` (`transform`).
"""

from __future__ import annotations

import jax.numpy as jnp

from jaxvqa._typing import Array, Float
from jaxvqa.fusion._model import ScoreTransform


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
