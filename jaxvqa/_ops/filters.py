"""Separable filters as sums of shifted slices.

On CPU this form runs near the fused-multiply-add peak, where a one-channel convolution op is a
hundred times slower; on accelerators it fuses into one pass. All filters here are VALID: pad
first (`borders.py`), so that no border logic sits in the inner loop.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.interpreters import ad, batching, mlir

from jaxvqa._ops.stages import keep_stages, stage, staging
from jaxvqa._typing import Array


def gaussian(width: int, sigma: float) -> tuple[float, ...]:
    """Sampled Gaussian of odd `width`, normalised to sum 1."""
    x = np.arange(width) - (width - 1) / 2
    taps = np.exp(-0.5 * (x / sigma) ** 2)
    return tuple(float(t) for t in taps / taps.sum())


def correlate(
    x: Array, taps: Sequence[Any], axis: int, *, stride: int = 1, wide: bool = False
) -> Array:
    """Correlates one axis with `taps`, VALID, keeping every `stride`-th output.

    Taps equal to their mirror image are folded: the two samples are added before the product.
    Python-number taps keep the dtype of `x`, integers included. A `wide` sum has C's roundings of
    a float32 product added to a double: each product is rounded, their sum once. Its pull-back is
    an ordinary correlation.
    """
    # numbers, not arrays: they are part of the program, and of its cache key
    numbers = tuple(t if isinstance(t, (int, float)) else float(t) for t in taps)
    axis = axis % x.ndim - x.ndim
    return _correlation().bind(
        x, taps=numbers, axis=axis, stride=stride, wide=wide, staged=staging()
    )


@functools.partial(jax.custom_jvp, nondiff_argnums=(2, 3))
def correlate_product(x: Array, y: Array, taps: tuple[float, ...], axis: int) -> Array:
    """`correlate(x * y, taps, axis)` of symmetric taps, without storing the product.

    On CPU the product costs less to form anew for each pair of taps than to write and to read.
    """
    last, count = len(taps) - 1, x.shape[axis] - len(taps) + 1

    def shifted(k: int) -> Array:
        pair = (jax.lax.slice_in_dim(a, k, k + count, axis=axis) for a in (x, y))
        return next(pair) * next(pair)

    total = shifted(last // 2) * taps[last // 2]
    for k in range(last // 2):
        total = total + (shifted(k) + shifted(last - k)) * taps[k]
    return total


@correlate_product.defjvp
def _correlate_product_jvp(
    taps: tuple[float, ...], axis: int, primals: tuple[Array, Array], tangents: tuple[Array, Array]
) -> tuple[Array, Array]:
    (x, y), (dx, dy) = primals, tangents
    return correlate_product(x, y, taps, axis), correlate(dx * y + x * dy, taps, axis)


def _slices(
    x: Array,
    *,
    taps: tuple[float, ...],
    axis: int,
    stride: int,
    wide: bool = False,
    staged: bool = False,
) -> Array:
    """`correlate` written out: shifted slices, multiplied and added."""
    del staged  # which matters to the transpose alone
    axis = axis % x.ndim
    count = (x.shape[axis] - len(taps)) // stride + 1
    span = (count - 1) * stride + 1

    def shifted(k: int) -> Array:
        return jax.lax.slice_in_dim(x, k, k + span, stride, axis)

    n = len(taps)
    if wide and x.dtype == np.float32:
        # with no product in the type of the sum there is nothing for a compiler to fuse
        total = jax.lax.convert_element_type(shifted(0) * taps[0], np.float64)
        for k in range(1, n):
            total = total + jax.lax.convert_element_type(shifted(k) * taps[k], np.float64)
        return jax.lax.convert_element_type(total, np.float32)
    if n > 1 and all(taps[k] == taps[n - 1 - k] for k in range(n // 2)):
        total = shifted(n // 2) * taps[n // 2] if n % 2 else None
        for k in range(n // 2):
            term = (shifted(k) + shifted(n - 1 - k)) * taps[k]
            total = term if total is None else total + term
        assert total is not None
        return total
    total = shifted(0) * taps[0]
    for k in range(1, n):
        total = total + shifted(k) * taps[k]
    return total


def _abstract(
    x: Any, *, taps: tuple[float, ...], axis: int, stride: int, wide: bool, staged: bool
) -> Any:
    shape = list(x.shape)
    shape[axis] = (shape[axis] - len(taps)) // stride + 1
    return x.update(shape=tuple(shape))


def _transpose(
    cotangent: Any,
    x: Any,
    *,
    taps: tuple[float, ...],
    axis: int,
    stride: int,
    wide: bool,
    staged: bool,
) -> list[Any]:
    """Correlation with reversed taps of what comes back, spread out and surrounded by zeros."""
    if type(cotangent) is ad.Zero:
        return [ad.Zero(x.aval)]
    size, count = x.aval.shape[axis], cotangent.shape[axis]
    around = (len(taps) - 1, size - ((count - 1) * stride + 1))
    with keep_stages() if staged else contextlib.nullcontext():
        padded = stage(_in_zeros, cotangent, axis=axis, around=around, between=stride - 1)
    del wide  # a matter of the value alone
    how: dict[str, Any] = {"axis": axis, "stride": 1, "wide": False, "staged": staged}
    return [_correlation().bind(padded, taps=taps[::-1], **how)]


def _in_zeros(x: Array, *, axis: int, around: tuple[int, int], between: int) -> Array:
    """Zeros before, after and between the samples of one axis."""
    if between == 0:  # joined, which copies runs of samples; a pad asks for each where it lies
        sides = [(*x.shape[:axis], n, *x.shape[axis % x.ndim + 1 :]) for n in around]
        first, last = (jnp.zeros(side, x.dtype) for side in sides)
        return jnp.concatenate([first, x, last], axis)
    spread = [(0, 0, 0)] * x.ndim
    spread[axis] = (*around, between)
    return jax.lax.pad(x, np.zeros((), x.dtype), spread)


def _batched(args: Any, dims: Any, **how: Any) -> tuple[Array, int]:
    # the filtered axis counts from the end, so a batch axis in front is just one more
    return _correlation().bind(jnp.moveaxis(args[0], dims[0], 0), **how), 0


def _lowered(context: Any, x: Any, **how: Any) -> Any:
    # lowering may happen after a 64-bit scope has closed; it must not turn its arrays to 32 bits
    with jax.enable_x64(True):
        return mlir.lower_fun(_slices, multiple_results=False)(context, x, **how)


@functools.cache
def _correlation() -> Any:
    """The primitive of `correlate`.

    The derivative of many shifted slices is many padded pictures, which XLA evaluates one sample at
    a time; the derivative of a correlation is a correlation.

    Made when something is first traced: `jax.extend` loads Pallas, which stored programs can do
    without.
    """
    from jax.extend.core import Primitive

    made = Primitive("jaxvqa_correlate")
    made.def_impl(_evaluated)
    made.def_abstract_eval(_abstract)
    mlir.register_lowering(made, _lowered)
    ad.deflinear2(made, _transpose)
    batching.primitive_batchers[made] = _batched
    return made


def _evaluated(x: Any, **how: Any) -> Any:
    with jax.enable_x64(True):  # a wide sum needs it, and nothing else here has a type of its own
        return _compiled(x, **how)


_compiled = jax.jit(_slices, static_argnames=("taps", "axis", "stride", "wide", "staged"))


def filtered(x: Array, taps: Sequence[Any], axis: int, *, stride: int = 1) -> Array:
    """`correlate` as a stage of its own."""
    return stage(correlate, x, taps=tuple(taps), axis=axis, stride=stride)


def separable(x: Array, taps: Sequence[Any]) -> Array:
    """Vertical pass, then horizontal pass, VALID."""
    return filtered(filtered(x, taps, -2), taps, -1)
