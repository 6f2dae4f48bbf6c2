"""Detail loss measure (DLM) of one wavelet level: the atom that FUNQUE shares with ADM.

Source: FUNQUE+ (funque_plus 65d0b88).
"""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp

from jaxvqa._ops import safe
from jaxvqa._typing import Array, Float
from jaxvqa.features._funque.box import box_sum, mirror
from jaxvqa.features._funque.haar import HaarDetails, Pyramid

_TAN_ONE_DEGREE = math.tan(math.pi / 180)
_STABILISER = 1e-4
_BORDER = 0.2


def _direction(bands: HaarDetails) -> tuple[Array, Array]:
    """(H, V) as the reference's angle, arctan(V / (H + 1e-30)) + pi [H <= 0], understands it.

    That angle runs from -90 to 270 degrees and is the true one except where H is 0: V > 0 counts
    as 270 degrees, V < 0 as 90, and an empty vector as 180.
    """
    horizontal, vertical, _ = bands
    none = horizontal == 0
    return (
        jnp.where(none & (vertical == 0), -1.0, horizontal),
        jnp.where(none, -vertical, vertical),
    )


def _aligned(ref: HaarDetails, dis: HaarDetails) -> Array:
    """Where edges of both pictures point the same way within a degree: contrast changed, no more.

    By cross and dot product instead of angles. The reference doesn't wrap angles around, so
    directions on different sides of straight down are never aligned. A comparison: no gradient
    passes.
    """
    ref, dis = jax.lax.stop_gradient((ref, dis))
    (xh, xv), (yh, yv) = _direction(ref), _direction(dis)
    dot, cross = xh * yh + xv * yv, xh * yv - xv * yh
    across = (xv < 0) & (yv < 0) & ((xh > 0) != (yh > 0))
    return (jnp.abs(cross) < _TAN_ONE_DEGREE * dot) & ~across


def decouple(ref: HaarDetails, dis: HaarDetails) -> tuple[HaarDetails, HaarDetails]:
    """Splits distorted details into what is restored of the reference and what is added.

    The restored part is the distorted coefficient held between 0 and the reference coefficient,
    or all of it where the edge directions agree. Written without the division of the usual form,
    so that its gradient exists at empty coefficients.
    """
    aligned = _aligned(ref, dis)

    def restored(x: Array, y: Array) -> Array:
        held = jnp.minimum(jnp.maximum(y, jnp.minimum(x, 0.0)), jnp.maximum(x, 0.0))
        return jnp.where(aligned, y, held)

    (xh, xv, xd), (yh, yv, yd) = ref, dis
    rest = (restored(xh, yh), restored(xv, yv), restored(xd, yd))
    return rest, (yh - rest[0], yv - rest[1], yd - rest[2])


def _masking(added: HaarDetails) -> Array:
    """How much added detail hides around a sample: 3x3 sums, the centre counted twice."""
    size = [jnp.abs(band) for band in added]
    total = size[0] + size[1] + size[2]
    return (box_sum(mirror(total, 1), 3) + total) * (1.0 / 30.0)


def _cube_root_of_cubes(band: Array) -> Array:
    height, width = band.shape
    rows, columns = int(_BORDER * height), int(_BORDER * width)
    inner = band[rows : height - rows, columns : width - columns]
    return safe.cbrt((inner**3).sum(-1).sum(-1))


def dlm(ref: Pyramid, dis: Pyramid, *, level: int = -1) -> Float[Array, ""]:
    """Detail loss measure: how much of the reference's visible detail survives.

    Details that follow the reference are separated from details that were added; the added ones
    mask the others; what remains is pooled by a cubic norm over the middle 60 % of each side and
    divided by the reference's own.

    Args:
        ref: pyramid of the reference; the details should carry contrast sensitivity weights.
        dis: pyramid of the distorted picture.
        level: which level, from 1, or -1 for the coarsest.

    Returns:
        1 for equal pictures, towards 0 as detail is lost; higher is better, above 1 where contrast
        was raised. Levels under 5 samples wide or high give 1: the reference's crop is empty there.

    Source: FUNQUE+ (funque_plus 65d0b88). Matches it to 1e-6 where the pyramid was made in
    float64. Where H is 0 in exact arithmetic, rounding decides its sign and so the direction;
    from float32 pyramids that costs up to 4e-4 relative.
    """
    x, y = ref.bands(level), dis.bands(level)
    height, width = x[0].shape
    if min(int(_BORDER * height), int(_BORDER * width)) == 0:
        return jnp.ones((), x[0].dtype)
    rest, added = decouple(x, y)
    threshold = _masking(added)
    kept = jnp.zeros((), x[0].dtype)
    full = jnp.zeros((), x[0].dtype)
    for restored, original in zip(rest, x, strict=True):
        kept = kept + _cube_root_of_cubes(jnp.maximum(jnp.abs(restored) - threshold, 0.0))
        full = full + _cube_root_of_cubes(jnp.abs(original))
    return (kept + _STABILISER) / (full + _STABILISER)
