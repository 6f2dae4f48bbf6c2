"""Half-size pictures for the FUNQUE family (SAST: self-adaptive scale transform).

The reference halves the *integer* picture with OpenCV's bicubic resize (a = -0.75, no low-pass),
so the result is rounded (half to even) and saturated to the sample type before any arithmetic:
uint8 clips at 255, uint16 at 65535 whatever the bit depth, so 10-bit overshoots survive.

Even sizes: the output lies midway between two samples and the taps are (-3, 19, 19, -3)/32. Chroma
is first enlarged to the luma size by repetition; repetition and halving together are the taps
(-3, 38, -3)/32 on the plane as stored. With the denominators left out, a two-dimensional sum is
an integer below 2^depth * 44^2 < 2^(depth + 11), so it is exact: in int32 up to 16 bits, in float32
(24 bits) up to 12 bits. Only the final rounding rounds.

Odd sizes: the reference's reader refuses them. Here a picture of `n` samples is resized to `n // 2`
with OpenCV's centre mapping, so the fraction varies along the axis, in float32 (float64 for float64
input). OpenCV's own result there depends on the CPU in about one sample of 1e4.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np

from jaxvqa._ops.borders import pad
from jaxvqa._ops.filters import correlate
from jaxvqa._ops.stages import stage
from jaxvqa._ops.tiling import STRIP_ROWS, map_rows
from jaxvqa._typing import Array, Num

_HALVE = (-3, 19, 19, -3)
_SHARPEN = (-3, 38, -3)
_UNIT_BITS = 10  # both axes' denominators, 32 * 32
_CUBIC_A = -0.75


def half_size(
    plane: Num[Array, "h w"],
    luma_size: tuple[int, int],
    bit_depth: int,
    *,
    rounded: bool,
    keep: tuple[int, int] | None = None,
    then: Callable[[Array], Any] = lambda codes: codes,
    block: int = 1,
) -> Any:
    """Halves a plane as FUNQUE does.

    Args:
        plane: code values, luma or chroma at its own size.
        luma_size: height and width of the luma plane.
        bit_depth: bits per sample; 8 saturates at 255, more at 65535.
        rounded: round to whole codes as the reference does. False gives the smooth twin for
            gradients, which still saturates.
        keep: rows and columns to keep of the half-size luma picture, top left; all by default.
        then: what to do with the codes. It may get them in strips of whole blocks of rows, so that
            what follows finds them in cache, and returns arrays with one entry a block in front.
        block: rows of a block, a divisor of the rows kept.

    Returns:
        float32 codes (float64 for float64 input) of shape `keep`, whatever the chroma format, or
        what `then` makes of them.

    Source: OpenCV 4 and 5 `resize(INTER_CUBIC)`, equal on every sample at even sizes.
    """
    height, width = luma_size
    keep = (height // 2, width // 2) if keep is None else keep
    top = 255 if bit_depth == 8 else 65535
    if height % 2 or width % 2:
        return then(_round(_resample(plane, luma_size, keep), 0, top, rounded))
    taps = tuple(
        _HALVE if own == luma else _SHARPEN
        for own, luma in zip(plane.shape, luma_size, strict=True)
    )
    stride = tuple(2 if t is _HALVE else 1 for t in taps)
    # one sample of border on all sides; what lies beyond the kept part is not read
    source = pad(plane, (1, 1), (1, 1), "edge")
    source = source[: keep[0] * stride[0] + 2, : keep[1] * stride[1] + 2]
    first, second = _exact_dtypes(plane.dtype)

    def down(strip: Array) -> Array:
        return correlate(strip.astype(first), taps[0], 0, stride=stride[0])

    def along(strip: Array) -> Array:
        sums = correlate(strip.astype(second), taps[1], 1, stride=stride[1])
        return _round(sums, _UNIT_BITS, top, rounded)

    return map_rows(
        lambda strip: then(stage(along, stage(down, strip))),
        (source,),
        height=keep[0] // block,
        halo=2,
        stride=stride[0] * block,
        rows=max(1, STRIP_ROWS // block),
    )


def _exact_dtypes(dtype: np.dtype) -> tuple[np.dtype, np.dtype]:
    """Types in which the sums down the columns, then those along the rows, are exact."""
    if dtype == np.uint8:
        return jnp.dtype(jnp.int16), jnp.dtype(jnp.int32)
    if jnp.issubdtype(dtype, jnp.integer):
        return jnp.dtype(jnp.int32), jnp.dtype(jnp.int32)
    real = jnp.dtype(jnp.float64 if dtype == np.float64 else jnp.float32)
    return real, real


def _round(sums: Array, bits: int, top: int, rounded: bool) -> Array:
    """`sums / 2^bits`, rounded half to even if asked, and clipped to 0..top."""
    if jnp.issubdtype(sums.dtype, jnp.integer):
        if not rounded:
            sums = sums.astype(jnp.float32)
        else:
            odd = (sums >> bits) & 1
            sums = (sums + ((1 << (bits - 1)) - 1) + odd) >> bits
            return jnp.clip(sums, 0, top).astype(jnp.float32)
    codes = sums * (1.0 / (1 << bits))
    return jnp.clip(jnp.rint(codes) if rounded else codes, 0.0, float(top))


def _resample(plane: Array, luma_size: tuple[int, int], keep: tuple[int, int]) -> Array:
    """Cubic resize with a fraction that varies along the axis: columns, then rows."""
    x = plane.astype(jnp.float64 if plane.dtype == np.float64 else jnp.float32)
    for axis in (1, 0):
        index, weights = cubic_taps(luma_size[axis], luma_size[axis] // 2)
        if plane.shape[axis] != luma_size[axis]:
            index = index // 2  # chroma: the sample that repetition would have put there
        shape = (-1, 1) if axis == 0 else (1, -1)
        total = None
        for k in range(4):
            taken = jnp.take(x, index[: keep[axis], k], axis=axis)
            weight = jnp.asarray(weights[: keep[axis], k], x.dtype).reshape(shape)
            total = taken * weight if total is None else total + taken * weight
        assert total is not None
        x = total
    return x


def cubic_taps(size: int, target: int) -> tuple[np.ndarray, np.ndarray]:
    """Source indices (clamped) and float32 weights, both `(target, 4)`, of OpenCV's bicubic."""
    centre = (np.arange(target) + 0.5) * (size / target) - 0.5
    low = np.floor(centre)
    distance = np.abs((centre - low)[:, None] - np.arange(-1, 3))
    a = _CUBIC_A
    near = ((a + 2) * distance - (a + 3)) * distance**2 + 1
    far = ((a * distance - 5 * a) * distance + 8 * a) * distance - 4 * a
    weights = np.where(distance <= 1, near, far).astype(np.float32)
    index = np.clip(low[:, None] + np.arange(-1, 3), 0, size - 1).astype(np.int64)
    return index, weights
