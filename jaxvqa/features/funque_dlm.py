"""Detail loss measure (DLM) of one wavelet level: the atom that FUNQUE shares with ADM.

Source: FUNQUE+ (funque_plus 65d0b88).
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from jaxvqa._typing import Array, Float
from jaxvqa.ops import safe
from jaxvqa.ops.box import box_sum, mirror
from jaxvqa.ops.haar import Bands, Pyramid

_TINY = 1e-30
_STABILISER = 1e-4
_BORDER = 0.2


def _angle(bands: Bands) -> Array:
    """Direction of (H, V) in (-pi/2, 3 pi/2], with the reference's cut and its rule for H = 0."""
    horizontal, vertical, _ = bands
    return jnp.arctan(vertical / (horizontal + _TINY)) + jnp.where(horizontal <= 0, np.pi, 0.0)


def _aligned(ref: Bands, dis: Bands) -> Array:
    """Where edges of both pictures point the same way within a degree: contrast changed, no more.

    A comparison, so no gradient passes.
    """
    ref, dis = jax.lax.stop_gradient((ref, dis))
    return jnp.abs(_angle(ref) - _angle(dis)) * (180.0 / np.pi) < 1.0


def decouple(ref: Bands, dis: Bands) -> tuple[Bands, Bands]:
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


def _masking(added: Bands) -> Array:
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
        ref, dis: pyramids; the details should carry contrast sensitivity weights.
        level: which level, from 1, or -1 for the coarsest.

    Returns:
        1 for equal pictures, towards 0 as detail is lost; higher is better, above 1 where contrast
        was raised. Levels under 5 samples wide or high give 1: the reference's crop is empty there.

    Source: FUNQUE+ (funque_plus 65d0b88). Where H is 0 in exact arithmetic, rounding decides the
    direction: two correct programs differ by up to 6e-4 relative.
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
