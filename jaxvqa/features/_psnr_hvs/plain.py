"""PSNR-HVS-M as its authors tell it, on one plane: the page to read first.

A picture is cut into blocks of 8x8 samples, here every 7 samples, and each goes through a DCT. An
error of a coefficient is seen as far as the eye is sensitive to its frequency, and only if it is
larger than what the texture of the block hides. What is left is squared and averaged:

    visible = max(|ref - dis| - hidden / sensitivity', 0) * sensitivity

Whole codes go through the transform in integer steps, as in libvmaf. Between them the picture moves
as the same transform without rounding does, so that there is a gradient.

Source: Ponomarenko et al., "On between-coefficient contrast masking of DCT basis functions", VPQM
2007; libvmaf f85a853, `third_party/xiph/psnr_hvs.c`.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from jaxvqa._ops import safe
from jaxvqa._typing import Array, Float
from jaxvqa.features._psnr_hvs.dct import lifted

SIZE, STEP = 8, 7
# turns the sensitivity to an error into the share of a coefficient that hides others
MASKING = 0.3885746225901003

Blocks = Float[Array, "down across 8 8"]


def counts(height: int, width: int) -> tuple[int, int]:
    """Number of blocks down and across."""
    return (height - SIZE) // STEP + 1, (width - SIZE) // STEP + 1


def blocks_of(plane: Float[Array, "height width"]) -> Blocks:
    """All blocks of a plane."""
    down, across = (STEP * np.arange(n)[:, None] + np.arange(SIZE) for n in counts(*plane.shape))
    return plane[down][:, :, across].transpose(0, 2, 1, 3)


def lifted_along(blocks: Array, axis: int) -> Array:
    """The transform along one axis of all blocks."""
    return jnp.stack(lifted([jnp.take(blocks, k, axis) for k in range(SIZE)]), axis)


def transform(blocks: Array) -> Array:
    """The transform of all blocks: columns first, then rows."""
    return lifted_along(lifted_along(blocks, -2), -1)


def coefficients(blocks: Blocks) -> tuple[Blocks, Blocks]:
    """What the transform makes of the nearest whole codes, and of the rest."""
    codes = jnp.rint(jax.lax.stop_gradient(blocks))
    whole = transform(codes.astype(jnp.int32)).astype(blocks.dtype)
    return whole, transform(blocks - codes)


def spread(samples: Array) -> Array:
    """Sum of squared distances from the mean of a block, times n / (n - 1)."""
    count = samples.shape[-2] * samples.shape[-1]
    away = samples - samples.mean((-2, -1), keepdims=True)
    return (away * away).sum((-2, -1)) * (count / (count - 1))


def hidden(blocks: Blocks, coefs: Blocks, mask: np.ndarray) -> Float[Array, "down across"]:
    """Square of what the texture of a block hides: much in even texture, little beside edges."""
    quarters = [blocks[..., i : i + 4, j : j + 4] for i in (0, 4) for j in (0, 4)]
    evenness = safe.divide(sum(spread(q) for q in quarters), spread(blocks))
    return evenness * (coefs * coefs * mask).sum((-2, -1)) / 32**2


def visible_error(
    ref: Float[Array, "height width"],
    dis: Float[Array, "height width"],
    sensitivity: np.ndarray,
    peak: float,
) -> Float[Array, ""]:
    """Mean squared visible error of a plane, relative to the peak; 0 for equal planes.

    Args:
        ref: reference, code values as floats.
        dis: distorted plane.
        sensitivity: the table of the plane, `(8, 8)`.
        peak: largest code value.
    """
    sensitivity = sensitivity[None, None]
    no_mean = np.ones_like(sensitivity)
    no_mean[..., 0, 0] = 0  # the mean of a block hides nothing, and nothing hides its error
    share = (MASKING * sensitivity) ** 2
    sides = [blocks_of(ref), blocks_of(dis)]
    (whole_r, rest_r), (whole_d, rest_d) = (coefficients(side) for side in sides)
    limit = safe.sqrt(
        jnp.maximum(
            hidden(sides[0], whole_r + rest_r, no_mean * share),
            hidden(sides[1], whole_d + rest_d, no_mean * share),
        )
    )
    error = jnp.abs((whole_r - whole_d) + (rest_r - rest_d))
    seen = jnp.maximum(error - limit[..., None, None] * (no_mean / share), 0.0)
    return ((seen * (sensitivity / peak)) ** 2).mean()
