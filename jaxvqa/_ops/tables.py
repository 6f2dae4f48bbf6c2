"""Filters whose weights are a table that is no product of two rows.

The value has C's roundings of a float32 product added to a double: each product is rounded, their
sum once. So a program that feeds differences of large means gets the same samples as C code.
"""

from __future__ import annotations

import contextlib
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


def correlate_table(x: Array, table: Table) -> Array:
    """Correlates the last two axes with a table, VALID, keeping every other row and column.

    Args:
        x: `(..., rows, columns)`, floats.
        table: odd numbers of rows and of columns, equal to their mirror images.
    """
    return _table_p.bind(x, table=table, staged=staging())


def _outputs(shape: tuple[int, ...], table: Table) -> tuple[int, int]:
    rows, columns = shape[-2] - len(table), shape[-1] - len(table[0])
    return rows // 2 + 1, columns // 2 + 1


def _shifted(x: Array, start: int, count: int, step: int, axis: int) -> Array:
    return jax.lax.slice_in_dim(x, start, start + (count - 1) * step + 1, step, axis=axis)


def _every_other(x: Array, *, first: int) -> Array:
    return _shifted(x, first, (x.shape[-1] - first + 1) // 2, 2, x.ndim - 1)


def _exact(*halves: Array, table: Table, shape: tuple[int, int]) -> Array:
    """All products of even and odd columns, added in float64 in the order of the table."""
    rows = halves[0].ndim - 2
    total = None
    for v, line in enumerate(table):
        for u, weight in enumerate(line):
            part = _shifted(halves[u % 2], v, shape[0], 2, rows)
            part = _shifted(part, u // 2, shape[1], 1, rows + 1)
            term = jax.lax.convert_element_type(part * weight, np.float64)
            total = term if total is None else total + term
    return jax.lax.convert_element_type(total, halves[0].dtype)


def _folded(x: Array, *, table: Table) -> Array:
    """The same with few operations, rounded otherwise: mirrored rows are added first."""
    middle, (count, _) = len(table) // 2, _outputs(x.shape, table)
    total = None
    for v in range(middle + 1):
        lines = _shifted(x, v, count, 2, x.ndim - 2)
        if v < middle:
            lines = lines + _shifted(x, len(table) - 1 - v, count, 2, x.ndim - 2)
        term = filtered(lines, table[v], -1, stride=2)
        total = term if total is None else total + term
    assert total is not None
    return total


def _value(x: Array, *, table: Table, staged: bool) -> Array:
    with _staged(staged):
        if x.dtype != np.float32:
            return _folded(x, table=table)
        halves = [stage(_every_other, x, first=first) for first in (0, 1)]
        return stage(_exact, *halves, table=table, shape=_outputs(x.shape, table))


@contextlib.contextmanager
def _staged(staged: bool) -> Iterator[None]:
    with keep_stages() if staged else contextlib.nullcontext():
        yield


def _abstract(x: Any, *, table: Table, staged: bool) -> Any:
    return x.update(shape=(*x.shape[:-2], *_outputs(x.shape, table)))


def _transpose(cotangent: Any, x: Any, *, table: Table, staged: bool) -> list[Any]:
    if type(cotangent) is ad.Zero:
        return [ad.Zero(x.aval)]
    with _staged(staged):
        pull = jax.linear_transpose(lambda x: _folded(x, table=table), x.aval)
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


_compiled = jax.jit(_value, static_argnames=("table", "staged"))
_table_p = Primitive("jaxvqa_correlate_table")
_table_p.def_impl(_evaluated)
_table_p.def_abstract_eval(_abstract)
mlir.register_lowering(_table_p, _lowered)
ad.deflinear2(_table_p, _transpose)
batching.primitive_batchers[_table_p] = _batched
