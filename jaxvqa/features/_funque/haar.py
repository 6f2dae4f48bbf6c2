"""The Haar wavelet pyramid: one orthonormal transform that every atom of the FUNQUE family reads.

A 2x2 block `a b / c d` becomes A = (a+b+c+d)/2, H = (a+b-c-d)/2, V = (a-b+c-d)/2 and
D = (a-b-c+d)/2. A level doubles the approximation's gain: A_l is 2^l times the mean of a
2^l x 2^l block, so with samples in [0, 1] it lies in [0, 2^l].
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxvqa._ops.stages import stage
from jaxvqa._typing import Array, Float

HaarDetails = tuple[Array, Array, Array]

_HALF_ROOT = 0.7071067811865476


class Pyramid(NamedTuple):
    """The subbands of one picture, finest level first; a pytree of `(h, w)` arrays.

    Args:
        approximations: A_1 to A_L, never weighted.
        details: (H, V, D) of levels 1 to L, after the contrast sensitivity weights. None stands
            for a level whose details are exactly zero, as in a plane enlarged by repetition.
    """

    approximations: tuple[Array, ...]
    details: tuple[HaarDetails | None, ...]

    @property
    def levels(self) -> int:
        """How many levels there are."""
        return len(self.approximations)

    def finest(self, levels: int) -> Pyramid:
        """The pyramid cut off above its first `levels` levels."""
        return Pyramid(self.approximations[:levels], self.details[:levels])

    def coarsest_approximation(self) -> Pyramid:
        """A pyramid that holds A_L and nothing else."""
        return Pyramid(self.approximations[-1:], (None,))

    def bands(self, level: int) -> HaarDetails:
        """(H, V, D) of a level counted from 1, or from -1 at the coarsest; zeros where None."""
        index = level - 1 if level > 0 else level
        found = self.details[index]
        if found is None:
            zero = jnp.zeros_like(self.approximations[index])
            found = (zero, zero, zero)
        return found


def _even_length(x: Array, axis: int) -> Array:
    """Repeats the last sample of an axis of odd length."""
    size = x.shape[axis]
    if size % 2 == 0:
        return x
    return jnp.concatenate([x, jax.lax.slice_in_dim(x, size - 1, size, axis=axis)], axis)


def _halves(x: Array, axis: int) -> tuple[Array, Array]:
    """One 1-D step: (low, high) halves of an axis.

    The products are rounded before they are added, as in pywt. Contracted to fused multiply-adds,
    as XLA would, equal neighbours give 1e-17 instead of 0, and DLM reads the sign of such values.
    """
    x = _even_length(x, axis)
    size = x.shape[axis]
    # a bound that no sample reaches stands between product and sum: barriers don't survive to LLVM
    scaled = jnp.maximum(x * _HALF_ROOT, float(jnp.finfo(x.dtype).min))
    even = jax.lax.slice_in_dim(scaled, 0, size, 2, axis)
    odd = jax.lax.slice_in_dim(scaled, 1, size, 2, axis)
    return odd + even, even - odd


def haar(x: Float[Array, "h w"]) -> tuple[Array, HaarDetails]:
    """One level of the Haar transform: rows, then columns.

    Args:
        x: a picture; an odd axis gets its last sample twice.

    Returns:
        The approximation and its details (H, V, D), each `(ceil(h/2), ceil(w/2))`.

    Source: pywt 1.8 `dwt2("haar", "periodization")`, bit for bit in float64.
    """
    low, high = stage(_halves, x, axis=0)
    approximation, vertical = stage(_halves, low, axis=1)
    horizontal, diagonal = stage(_halves, high, axis=1)
    return approximation, (horizontal, vertical, diagonal)


def pyramid(
    x: Float[Array, "h w"], levels: int, weights: Sequence[tuple[float, float, float]] | None = None
) -> Pyramid:
    """Transforms one picture.

    Args:
        x: samples, usually in [0, 1].
        levels: how many levels, at least 1.
        weights: factors for (H, V, D) of each level, finest first (`csf.wavelet_weights`);
            None leaves the details as they are. The next level always continues from the
            unweighted approximation.

    Returns:
        The pyramid with `levels` levels.
    """
    approximations, details = [], []
    for level in range(levels):
        x, bands = haar(x)
        if weights is not None:
            h, v, d = (band * w for band, w in zip(bands, weights[level], strict=True))
            bands = (h, v, d)
        approximations.append(x)
        details.append(bands)
    return Pyramid(tuple(approximations), tuple(details))


def repeated_pyramid(
    x: Float[Array, "h w"], levels: int, weights: Sequence[tuple[float, float, float]] | None = None
) -> Pyramid:
    """The pyramid of a plane enlarged by 2x2 repetition, from the plane before enlargement.

    Repetition leaves nothing for level 1: A_1 is twice the small plane and its details are zero.
    """
    if levels == 1:
        return Pyramid((2 * x,), (None,))
    rest = pyramid(2 * x, levels - 1, None if weights is None else weights[1:])
    return Pyramid((2 * x, *rest.approximations), (None, *rest.details))
