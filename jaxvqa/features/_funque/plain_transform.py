"""From frames to Haar pyramids: the one transform that serves all features of the FUNQUE family.

A frame is halved or not, cropped, brought to [0, 1], and seen with the contrast sensitivity of an
eye: by a filter before the transform, or by a weight for each detail subband after it.

Source: FUNQUE+ (funque_plus 65d0b88), FUNQUE 2022 (funque 74c0ea7).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxvqa._typing import Array, Float
from jaxvqa.features._funque.csf import SPATIAL_CSF, spatial_taps, wavelet_weights

HIGHEST = jax.lax.Precision.HIGHEST  # no short products on accelerators


class Setting(NamedTuple):
    """How frames become pyramids.

    Args:
        bit_depth: bits a sample.
        half: halve the frames first.
        rounded: round halved frames to whole codes, as the reference does.
        csf: name of a table in `csf.py`, or "none".
        levels: levels of the pyramid.
        multiple: the sides are cropped to a multiple of this.
    """

    bit_depth: int
    half: bool
    rounded: bool
    csf: str
    levels: int
    multiple: int


class Pyramid(NamedTuple):
    """Approximations A_1 to A_L, finest first, and details (H, V, D) of the same levels."""

    a: tuple[Array, ...]
    details: tuple[tuple[Array, Array, Array], ...]


def cubic_matrix(size: int, like: Array) -> Float[Array, "half size"]:
    """Keys' cubic (a = -3/4) from `size` samples to half as many; edge samples are repeated.

    For even sizes the taps are (-3, 19, 19, -3)/32, midway between two samples.
    """
    a, target = -0.75, size // 2
    row = jnp.arange(target)
    centre = (row.astype(like.dtype) + 0.5) * (size / target) - 0.5
    low = jnp.floor(centre)
    matrix = jnp.zeros((target, size), like.dtype)
    for k in (-1, 0, 1, 2):
        t = jnp.abs(low + k - centre)
        near = (a + 2) * t**3 - (a + 3) * t**2 + 1
        far = a * t**3 - 5 * a * t**2 + 8 * a * t - 4 * a
        column = jnp.clip(low + k, 0, size - 1).astype(row.dtype)
        matrix = matrix.at[row, column].add(jnp.where(t <= 1, near, far))
    return matrix


def halve(
    codes: Float[Array, "h w"], bit_depth: int, rounded: bool
) -> Float[Array, "rows columns"]:
    """Half the size, without a low-pass, saturated to the sample type (8 or 16 bits)."""
    down, along = (cubic_matrix(side, codes) for side in codes.shape)
    half = jnp.linalg.multi_dot([down, codes, along.T], precision=HIGHEST)
    half = jnp.rint(half) if rounded else half
    return jnp.clip(half, 0.0, 255.0 if bit_depth == 8 else 65535.0)


def separable(x: Float[Array, "h w"], taps: Sequence[float], border: str) -> Float[Array, "h w"]:
    """A symmetric filter along both axes; `border` is a mode of `jnp.pad`."""
    t = jnp.asarray(taps, x.dtype)
    x = jnp.pad(x, len(taps) // 2, mode=border)
    x = jax.scipy.signal.convolve2d(x, t[:, None], "valid", precision=HIGHEST)
    return jax.scipy.signal.convolve2d(x, t[None, :], "valid", precision=HIGHEST)


def haar(x: Float[Array, "h w"]) -> tuple[Array, tuple[Array, Array, Array]]:
    """A and (H, V, D) of 2x2 blocks `p q / r s`; an odd side gets its last sample twice."""
    x = jnp.pad(x, [(0, side % 2) for side in x.shape], mode="edge")
    p, q, r, s = x[::2, ::2], x[::2, 1::2], x[1::2, ::2], x[1::2, 1::2]
    details = ((p + q - r - s) / 2, (p - q + r - s) / 2, (p - q - r + s) / 2)
    return (p + q + r + s) / 2, details


def pyramid(
    x: Float[Array, "h w"], levels: int, weights: Sequence[tuple[float, float, float]] | None = None
) -> Pyramid:
    """Haar pyramid of a picture, with weights for the details of each level.

    A_l is 2^l times the mean of a 2^l x 2^l block. It is not weighted.
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


def frame_pyramid(
    plane: Float[Array, "rows columns"], luma_size: tuple[int, int], channel: str, setting: Setting
) -> Pyramid:
    """The pyramid of one plane of a frame; chroma is brought to luma's size by repetition."""
    height, width = luma_size
    plane = jnp.repeat(plane, -(-height // plane.shape[0]), 0)[:height]
    plane = jnp.repeat(plane, -(-width // plane.shape[1]), 1)[:, :width]
    if setting.half:
        plane = halve(plane, setting.bit_depth, setting.rounded)
    rows, columns = (side // setting.multiple * setting.multiple for side in plane.shape)
    x = plane[:rows, :columns] / (2**setting.bit_depth - 1)
    if setting.csf == "none":
        return pyramid(x, setting.levels)
    if setting.csf in SPATIAL_CSF:
        return pyramid(separable(x, spatial_taps(setting.csf), "symmetric"), setting.levels)
    return pyramid(x, setting.levels, wavelet_weights(setting.csf, setting.levels, channel))
