"""Symmetric matrices without a linear algebra library: what SpEED needs of their spectrum.

Everything is plain array arithmetic in short scans, batched over any leading axes. The usual
library calls are avoided on purpose: on CPU they wait inside the very thread pool that runs the
program, and two devices that wait at the same time wait for ever (seen with two host devices and
sixteen frames of 1080p).

Sums over eigenvalues are taken from the tridiagonal form, never from the eigenvalues themselves:
log det(S K + n I) is a smooth function of K, so equal eigenvalues need no care in its gradient.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxvqa._ops import safe
from jaxvqa._typing import Array, Bool, Float

_HIGHEST = jax.lax.Precision.HIGHEST


class Tridiagonal(NamedTuple):
    """A symmetric tridiagonal matrix: diagonal, and squares of the elements beside it."""

    diagonal: Array
    squares: Array


def _column(matrix: Array, k: Array) -> Array:
    return jax.lax.dynamic_index_in_dim(matrix, k, axis=-1, keepdims=False)


def _masks(matrix: Array, k: Array) -> tuple[Array, Array]:
    """1 for the rows below row `k`, and 1 for the first of them; shaped like a column."""
    shape = matrix.shape[:-1]
    row = jax.lax.broadcasted_iota(jnp.int32, shape, len(shape) - 1)
    return (row > k).astype(matrix.dtype), (row == k + 1).astype(matrix.dtype)


def tridiagonal(matrix: Float[Array, "*n p p"]) -> Tridiagonal:
    """Householder's reduction; the result has the eigenvalues of `matrix`."""
    size = matrix.shape[-1]

    def reflect(a: Array, k: Array) -> tuple[Array, Array]:
        below, first = _masks(a, k)
        x = _column(a, k) * below
        square = (x * x).sum(-1, keepdims=True)
        head = (x * first).sum(-1, keepdims=True)
        norm = safe.sqrt(square)
        v = x + jnp.where(head < 0, -norm, norm) * first
        scale = safe.divide(jnp.ones_like(norm), square + jnp.abs(head) * norm)
        p = scale * jnp.matmul(a, v[..., None], precision=_HIGHEST)[..., 0]
        w = p - 0.5 * scale * (v * p).sum(-1, keepdims=True) * v
        outer = v[..., :, None] * w[..., None, :]
        return a - outer - jnp.swapaxes(outer, -1, -2), square[..., 0]

    reduced, squares = jax.lax.scan(reflect, matrix, jnp.arange(size - 1, dtype=jnp.int32))
    return Tridiagonal(
        diagonal=jnp.diagonal(reduced, axis1=-2, axis2=-1), squares=jnp.moveaxis(squares, 0, -1)
    )


def _pivots(diagonal: Array, squares: Array) -> Array:
    """Pivots of the elimination of a tridiagonal matrix, along a new first axis."""
    least = jnp.finfo(diagonal.dtype).tiny
    before = jnp.concatenate([jnp.zeros_like(diagonal[:1]), squares])

    def step(pivot: Array, values: tuple[Array, Array]) -> tuple[Array, Array]:
        a, b = values
        pivot = a - b / jnp.where(jnp.abs(pivot) < least, jnp.full_like(pivot, least), pivot)
        return pivot, pivot

    _, pivots = jax.lax.scan(step, jnp.ones_like(diagonal[0]), (diagonal, before))
    return pivots


def all_above(form: Tridiagonal, bound: Float[Array, "*n"]) -> Bool[Array, "*n"]:
    """Whether every eigenvalue is larger than `bound`."""
    diagonal = jnp.moveaxis(form.diagonal, -1, 0) - bound[None]
    return (_pivots(diagonal, jnp.moveaxis(form.squares, -1, 0)) > 0).all(axis=0)


def log2_det(form: Tridiagonal, scale: Float[Array, "*n b"], noise: float) -> Float[Array, "*n b"]:
    """log2 det(scale K + noise I) for many scales of one positive definite K each."""
    diagonal = jnp.moveaxis(form.diagonal, -1, 0)[..., None] * scale[None] + noise
    squares = jnp.moveaxis(form.squares, -1, 0)[..., None] * (scale * scale)[None]
    return jnp.log2(_pivots(diagonal, squares)).sum(axis=0)


def inverse_form(
    matrix: Float[Array, "*n p p"], columns: Float[Array, "*n p b"]
) -> Float[Array, "*n b"]:
    """Y' K^-1 y of every column y, by elimination; K must be positive definite."""
    size = matrix.shape[-1]

    def eliminate(state: tuple[Array, Array], k: Array) -> tuple[tuple[Array, Array], Array]:
        a, y = state
        column = _column(a, k)
        pivot = jax.lax.dynamic_index_in_dim(column, k, axis=-1)
        factor = column / pivot * _masks(a, k)[0]
        top = jax.lax.dynamic_index_in_dim(y, k, axis=-2)
        a = a - factor[..., :, None] * factor[..., None, :] * pivot[..., None]
        return (a, y - factor[..., :, None] * top), (top * top / pivot[..., None])[..., 0, :]

    _, terms = jax.lax.scan(eliminate, (matrix, columns), jnp.arange(size, dtype=jnp.int32))
    return terms.sum(axis=0)
