"""Filters whose weights are a table, not the product of two rows.

The value has C's roundings of a float32 product added to a double: each product is rounded, their
sum once. So a program that feeds differences of large means gets the same samples as C code.
"""

from __future__ import annotations

import contextlib
import functools
import operator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.interpreters import ad, batching, mlir

from jaxvqa._ops.filters import filtered
from jaxvqa._ops.stages import keep_stages, stage, staging
from jaxvqa._typing import Array

Table = tuple[tuple[float, ...], ...]
_Shape = tuple[int, int]


def correlate_table(x: Array, table: Table, stride: int) -> Array:
    """Correlates the last two axes with a square table, VALID, keeping every `stride`-th output.

    The derivative is that of an exact sum. `stride` is at most the side of the table.
    """
    rows, columns = ((n - len(table)) // stride + 1 for n in x.shape[-2:])
    phases = [stage(_phase, x, first=first, stride=stride) for first in range(stride)]
    if x.dtype != jnp.float32:
        return _folded(*phases, table=table, shape=(rows, columns))
    return _table_sum().bind(*phases, table=table, shape=(rows, columns), staged=staging())


def _shifted(x: Array, start: int, count: int, step: int, axis: int) -> Array:
    return jax.lax.slice_in_dim(x, start, start + (count - 1) * step + 1, step, axis=axis)


def _phase(x: Array, *, first: int, stride: int) -> Array:
    """Every `stride`-th column: all later slices are then of neighbours."""
    count = -(-(x.shape[-1] - first) // stride)
    return _shifted(x, first, count, stride, x.ndim - 1)


def _exact(*phases: Array, table: Table, shape: _Shape, staged: bool = False) -> Array:
    """All products, added in float64 in the order of the table. No calls: see `_lowered`."""
    del staged  # which matters to the transpose alone
    stride, axis = len(phases), phases[0].ndim - 2
    total = None
    for v, line in enumerate(table):
        for u, weight in enumerate(line):
            part = _shifted(phases[u % stride], v, shape[0], stride, axis)
            part = _shifted(part, u // stride, shape[1], 1, axis + 1)
            term = jax.lax.convert_element_type(part * weight, np.float64)
            total = term if total is None else total + term
    assert total is not None
    return jax.lax.convert_element_type(total, phases[0].dtype)


def _folded(*phases: Array, table: Table, shape: _Shape) -> Array:
    """The same with few operations, rounded otherwise: rows of equal weights are added first."""
    stride, axis = len(phases), phases[0].ndim - 2
    terms = []
    for line in dict.fromkeys(table):
        rows = [v for v, other in enumerate(table) if other == line]
        for first, phase in enumerate(phases):
            taps = line[first::stride]
            used = _shifted(phase, 0, shape[1] + len(taps) - 1, 1, axis + 1)
            lines = (_shifted(used, v, shape[0], stride, axis) for v in rows)
            terms.append(filtered(functools.reduce(operator.add, lines), taps, -1))
    return functools.reduce(operator.add, terms)


def _abstract(*phases: Any, table: Table, shape: _Shape, staged: bool) -> Any:
    return phases[0].update(shape=(*phases[0].shape[:-2], *shape))


def _transpose(
    cotangent: Any, *phases: Any, table: Table, shape: _Shape, staged: bool
) -> list[Any]:
    if type(cotangent) is ad.Zero:
        return [ad.Zero(x.aval) for x in phases]
    fn = functools.partial(_folded, table=table, shape=shape)
    with keep_stages() if staged else contextlib.nullcontext():
        return list(jax.linear_transpose(fn, *(x.aval for x in phases))(cotangent))


def _jvp(phases: Any, tangents: Any, **how: Any) -> tuple[Array, Any]:
    """Linear in all phases together."""
    return _table_sum().bind(*phases, **how), _table_sum().bind(
        *(ad.instantiate_zeros(t) for t in tangents), **how
    )


def _batched(args: Any, dims: Any, **how: Any) -> tuple[Array, int]:
    # the filtered axes count from the end, so a batch axis in front is just one more
    return _table_sum().bind(
        *(jnp.moveaxis(x, d, 0) for x, d in zip(args, dims, strict=True)), **how
    ), 0


def _lowered(context: Any, *phases: Any, **how: Any) -> Any:
    # lowering may happen outside of any 64-bit scope; calls inside would get a platform index of
    # 64 bits where the program around has one of 32
    with jax.enable_x64(True):
        return mlir.lower_fun(_exact, multiple_results=False)(context, *phases, **how)


def _evaluated(*phases: Any, **how: Any) -> Any:
    with jax.enable_x64(True):
        return _compiled(*phases, **how)


_compiled = jax.jit(_exact, static_argnames=("table", "shape", "staged"))


@functools.cache
def _table_sum() -> Any:
    """The primitive of `correlate_table`; made late as that of `filters.correlate`."""
    from jax.extend.core import Primitive

    made = Primitive("jaxvqa_table_sum")
    made.def_impl(_evaluated)
    made.def_abstract_eval(_abstract)
    mlir.register_lowering(made, _lowered)
    ad.primitive_jvps[made] = _jvp
    ad.primitive_transposes[made] = _transpose
    batching.primitive_batchers[made] = _batched
    return made
