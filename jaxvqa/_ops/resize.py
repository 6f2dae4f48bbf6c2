"""The four picture resizers of libvmaf's prescale options.

They are not the usual ones: nothing is low-passed before shrinking, `nearest` has no half-pixel
shift, and `bilinear` extrapolates at the first samples when it enlarges. All are reproduced as
gathers with static indices and weights, one axis after the other.

Source: libvmaf f85a853, `vif_tools.c` (scaling functions).
"""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np

from jaxvqa._typing import Array, Float

METHODS = ("nearest", "bilinear", "bicubic", "lanczos4")

_BICUBIC_A = -0.75


def scaled_size(height: int, width: int, scale: float) -> tuple[int, int]:
    """Size after scaling both axes, rounded half up."""
    return int(height * scale + 0.5), int(width * scale + 0.5)


def resize(x: Float[Array, "h w"], height: int, width: int, method: str) -> Float[Array, "H W"]:
    """Resizes one picture to `height` x `width` as libvmaf does; equal sizes are copied."""
    if x.shape == (height, width):
        return x
    # both axes are resampled even where only one changes, as in the source
    for axis, size in ((0, height), (1, width)):
        index, weights = axis_taps(x.shape[axis], size, method)
        x = _resample(x, axis, index, weights)
    return x


def _resample(x: Array, axis: int, index: np.ndarray, weights: np.ndarray) -> Array:
    shape = [1, 1]
    shape[axis] = -1
    total = None
    for k in range(index.shape[1]):
        taken = jnp.take(x, index[:, k], axis=axis)
        term = taken * jnp.asarray(weights[:, k], x.dtype).reshape(shape)
        total = term if total is None else total + term
    assert total is not None
    return total


def axis_taps(size: int, target: int, method: str) -> tuple[np.ndarray, np.ndarray]:
    """Source indices and weights, both `(target, taps)`, for one axis."""
    ratio = np.float32(np.float32(size) / np.float32(target))
    if method == "nearest":
        index = (np.arange(target, dtype=np.float32) * ratio).astype(np.int64)
        return index[:, None], np.ones((target, 1))
    centre = ((np.arange(target) + 0.5) * float(ratio) - 0.5).astype(np.float32).astype(float)
    low = np.floor(centre)
    if method == "bilinear":
        first, second = _mirror(low, size), _mirror(np.ceil(centre), size)
        fraction = centre - first  # from the mirrored index: extrapolates left of sample 0
        return np.stack([first, second], 1), np.stack([1 - fraction, fraction], 1)
    if method == "bicubic":
        offsets, kernel, normalise = np.arange(-1, 3), _bicubic, False
    elif method == "lanczos4":
        offsets, kernel, normalise = np.arange(-4, 5), _lanczos4, True
    else:
        raise ValueError(f"resize method must be one of {METHODS}, got {method!r}.")
    weights = kernel(offsets - (centre - low)[:, None])
    if normalise:
        weights = weights / weights.sum(1, keepdims=True)
    return _mirror(low[:, None] + offsets, size), weights


def _mirror(index: np.ndarray, size: int) -> np.ndarray:
    last = size - 1
    index = np.where(index < 0, -index, np.where(index > last, 2 * last - index, index))
    return np.clip(index, 0, last).astype(np.int64)


def _bicubic(t: np.ndarray) -> np.ndarray:
    t, a = np.abs(t), _BICUBIC_A
    near = ((a + 2) * t - (a + 3)) * t * t + 1
    far = (((t - 5) * t + 8) * t - 4) * a
    return np.where(t < 1, near, np.where(t < 2, far, 0.0))


def _lanczos4(t: np.ndarray) -> np.ndarray:
    return np.where(np.abs(t) < 4, np.sinc(t) * np.sinc(t / 4), 0.0)
