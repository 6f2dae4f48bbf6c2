"""Filters whose weights are a table, not the product of two rows.

The value has C's roundings of a float32 product added to a double: each product is rounded, their
sum once. So a program that feeds differences of large means gets the same samples as C code.
"""

from __future__ import annotations

import contextlib
import functools
import operator
from collections.abc import Iterator
from typing import Any

import jax
import numpy as np
from jax.extend.core import Primitive
from jax.interpreters import ad, batching, mlir

from jaxvqa._ops.filters import filtered
from jaxvqa._ops.stages import keep_stages, stage, staging
from jaxvqa._typing import Array

Table = tuple[tuple[float, ...], ...]


def correlate_table(x: Array, table: Table, stride: int) -> Array:
    """Correlates the last two axes with a square table, VALID, keeping every `stride`-th output."""
    return _table_p.bind(x, table=table, stride=stride, staged=staging())


def _outputs(shape: tuple[int, ...], table: Table, stride: int) -> tuple[int, int]:
    rows, columns = ((n - len(table)) // stride + 1 for n in shape[-2:])
    return rows, columns


def _shifted(x: Array, start: int, count: int, step: int, axis: int) -> Array:
    return jax.lax.slice_in_dim(x, start, start + (count - 1) * step + 1, step, axis=axis)


def _columns(x: Array, *, first: int, stride: int) -> Array:
    count = -(-(x.shape[-1] - first) // stride)
    return _shifted(x, first, count, stride, x.ndim - 1)


def _exact(*columns: Array, table: Table, shape: tuple[int, int]) -> Array:
    """All products of columns taken `stride` apart, added in float64 in the order of the table."""
    stride, axis = len(columns), columns[0].ndim - 2
    total = None
    for v, line in enumerate(table):
        for u, weight in enumerate(line):
            part = _shifted(columns[u % stride], v, shape[0], stride, axis)
            part = _shifted(part, u // stride, shape[1], 1, axis + 1)
            term = jax.lax.convert_element_type(part * weight, np.float64)
            total = term if total is None else total + term
    return jax.lax.convert_element_type(total, columns[0].dtype)


def _folded(x: Array, *, table: Table, stride: int) -> Array:
    """The same with few operations, rounded otherwise: rows of equal weights are added first."""
    count, _ = _outputs(x.shape, table, stride)
    total = None
    for line in dict.fromkeys(table):
        rows = [v for v, other in enumerate(table) if other == line]
        lines = functools.reduce(
            operator.add, (_shifted(x, v, count, stride, x.ndim - 2) for v in rows)
        )
        term = filtered(lines, line, -1, stride=stride)
        total = term if total is None else total + term
    assert total is not None
    return total


def _value(x: Array, *, table: Table, stride: int, staged: bool) -> Array:
    with _staged(staged):
        if x.dtype != np.float32:
            return _folded(x, table=table, stride=stride)
        columns = [stage(_columns, x, first=first, stride=stride) for first in range(stride)]
        return stage(_exact, *columns, table=table, shape=_outputs(x.shape, table, stride))


@contextlib.contextmanager
def _staged(staged: bool) -> Iterator[None]:
    with keep_stages() if staged else contextlib.nullcontext():
        yield


def _abstract(x: Any, *, table: Table, stride: int, staged: bool) -> Any:
    return x.update(shape=(*x.shape[:-2], *_outputs(x.shape, table, stride)))


def _transpose(cotangent: Any, x: Any, *, table: Table, stride: int, staged: bool) -> list[Any]:
    if type(cotangent) is ad.Zero:
        return [ad.Zero(x.aval)]
    with _staged(staged):
        pull = jax.linear_transpose(lambda x: _folded(x, table=table, stride=stride), x.aval)
        return list(pull(cotangent))


def _batched(args: Any, dims: Any, **how: Any) -> tuple[Array, int]:
    # the filtered axes count from the end, so a batch axis in front is just one more
    return _table_p.bind(jax.numpy.moveaxis(args[0], dims[0], 0), **how), 0


def _lowered(context: Any, x: Any, **how: Any) -> Any:
    # lowering may happen outside of any 64-bit scope
    with jax.enable_x64(True):
        return mlir.lower_fun(_value, multiple_results=False)(context, x, **how)


def _evaluated(x: Any, **how: Any) -> Any:
    with jax.enable_x64(True):
        return _compiled(x, **how)


_compiled = jax.jit(_value, static_argnames=("table", "stride", "staged"))
_table_p = Primitive("jaxvqa_correlate_table")
_table_p.def_impl(_evaluated)
_table_p.def_abstract_eval(_abstract)
mlir.register_lowering(_table_p, _lowered)
ad.deflinear2(_table_p, _transpose)
batching.primitive_batchers[_table_p] = _batched
