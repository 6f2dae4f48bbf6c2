"""Block statistics of a Gaussian scale mixture: what SpEED measures of a band.

A band (a picture without its local mean) is taken as blocks of `block` x `block` samples. All
blocks share one covariance K; a block's own scale S (its variance) says how much stronger than K it
is. Its entropy is that of a Gaussian with covariance S K plus noise.

The entropies are log-determinants and come from the tridiagonal form (`spectrum.py`), so equal
eigenvalues do no harm to gradients.

Everything works on float64 bands with any leading axes; see `jaxvqa/_ops/double.py`.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from jaxvqa._typing import Array, Float
from jaxvqa.features._speed import spectrum

LN_2PIE = 2.8378770664093453
LOG2_2PIE = 4.094191170361511


def whole_blocks(band: Float[Array, "*n h w"], block: int) -> Float[Array, "*n H W"]:
    """The top-left part of a band that blocks fill."""
    height, width = (size // block * block for size in band.shape[-2:])
    return band[..., :height, :width]


def windows(height: int, width: int, block: int) -> int:
    """How many overlapping windows a band's whole blocks hold: the samples of its covariance."""
    rows, columns = (size // block * block - block + 1 for size in (height, width))
    return max(rows, 0) * max(columns, 0)


def covariance(band: Float[Array, "*n h w"], block: int) -> Float[Array, "*n p p"]:
    """Population covariance of the `block**2` samples of all overlapping windows."""
    *batch, height, width = band.shape
    rows, columns = height - block + 1, width - block + 1
    axis = len(batch)
    # one gather of windows instead of a slice for each: one kernel to compile and not block**2
    views = jax.lax.gather(
        band,
        np.array(list(np.ndindex(block, block)), np.int32),
        jax.lax.GatherDimensionNumbers(
            offset_dims=(*range(axis), axis + 1, axis + 2),
            collapsed_slice_dims=(),
            start_index_map=(axis, axis + 1),
        ),
        slice_sizes=(*batch, rows, columns),
        mode="promise_in_bounds",
    )
    samples = views.reshape(*batch, block**2, rows * columns)
    centred = samples - samples.mean(axis=-1, keepdims=True)
    product = jnp.matmul(
        centred, jnp.swapaxes(centred, -1, -2), precision=jax.lax.Precision.HIGHEST
    )
    return product / (rows * columns)


def block_variance(
    band: Float[Array, "*n h w"], matrix: Float[Array, "*n p p"], block: int
) -> Float[Array, "*n b"]:
    """Y' K^-1 Y / block^2 of every non-overlapping block Y (its mean is kept).

    `matrix` must be positive definite.
    """
    *batch, height, width = band.shape
    split = band.reshape(*batch, height // block, block, width // block, block)
    blocks = jnp.moveaxis(split, (-3, -1), (-4, -3)).reshape(*batch, block**2, -1)
    return spectrum.inverse_form(matrix, blocks) / block**2


def block_entropy(
    variance: Float[Array, "*n b"],
    form: spectrum.Tridiagonal,
    noise: float,
    constant: float,
) -> Float[Array, "*n b"]:
    """Entropy in bits of each block: sum over eigenvalues L of log2(S L + noise) + `constant`."""
    return spectrum.log2_det(form, variance, noise) + form.diagonal.shape[-1] * constant


def where_matrix(usable: Array, matrix: Float[Array, "*n p p"]) -> Float[Array, "*n p p"]:
    """`matrix` where it is usable, else the identity, which is safe to factor."""
    identity = jnp.broadcast_to(jnp.eye(matrix.shape[-1], dtype=matrix.dtype), matrix.shape)
    return jnp.where(usable[..., None, None], matrix, identity)
