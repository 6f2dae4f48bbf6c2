"""Stage boundaries that XLA's CPU backend does not fuse across.

XLA on CPU fuses as much as it can, and two of its habits cost tenfold: it recomputes a first
filter pass for every tap of the second, and it runs a reduction, with the whole producer that was
fused into it, one element at a time. `optimization_barrier` does not help, it is removed before
fusion. A call that may not be inlined does. Accelerators want the opposite, large fusions, so
stages take effect only while the CPU branch of a program is traced (see `tiling.py`).
"""

from __future__ import annotations

import contextlib
import contextvars
import functools
from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental.xla_metadata import set_xla_metadata

from jaxvqa._ops.platforms import choose

_active: contextvars.ContextVar[bool] = contextvars.ContextVar("jaxvqa_stages", default=False)


@contextlib.contextmanager
def keep_stages() -> Iterator[None]:
    """Inside, `stage` makes boundaries; outside it does nothing."""
    token = _active.set(True)
    try:
        yield
    finally:
        _active.reset(token)


def staging() -> bool:
    """Whether `stage` makes boundaries here."""
    return _active.get()


def stage(fn: Callable[..., Any], *args: Any, **static: Any) -> Any:
    """Calls `fn(*args, **static)` as a unit of its own in CPU programs.

    A unit is traced once for all calls with the same `fn`, shapes and `static`, which saves much
    time where both pictures and all orientations go through the same steps: so rather a function
    of a module with `static` arguments than a new closure for each call.

    Args:
        fn: array function; what it closes over must not be traced arrays.
        args: arrays.
        static: further arguments of `fn`, hashable.

    Returns:
        What `fn` returns, materialised on CPU.
    """
    if not _active.get():
        return fn(*args, **static)
    with set_xla_metadata(inlineable="false"):
        return _unit(fn, tuple(static.items()))(*args)


@functools.lru_cache(maxsize=512)
def _unit(fn: Callable[..., Any], static: tuple[tuple[str, Any], ...]) -> Callable[..., Any]:
    return jax.jit(functools.partial(_inside, fn, static))


def _inside(fn: Callable[..., Any], static: tuple[tuple[str, Any], ...], *args: Any) -> Any:
    # the mark is for one call alone: parts of jax.numpy are calls too, and must be inlined
    with set_xla_metadata(inlineable="true"):
        return fn(*args, **dict(static))


def cpu_stage(fn: Callable[..., Any], *args: Any, **static: Any) -> Any:
    """`stage` for code outside of strips: a unit of its own on CPU, left to fuse elsewhere.

    What `fn` reads is materialised too. A frame taken out of a stack by a traced index must be,
    before anything reads it with borders or strides: fused, the index is checked for each sample.
    """
    unit = functools.partial(_kept_stage, fn, **static)
    return choose(*args, cpu=unit, default=functools.partial(fn, **static))


def _kept_stage(fn: Callable[..., Any], *args: Any, **static: Any) -> Any:
    with keep_stages():
        return stage(fn, *args, **static)


def row_sums(fn: Callable[..., jax.Array], *args: Any, **static: Any) -> jax.Array:
    """`stage(...).sum(-1)`: the terms are computed in SIMD lanes before they are added."""
    terms = stage(fn, *args, **static)
    return terms.sum(-1, dtype=terms.dtype)


def joint_row_sums(*terms: jax.Array) -> tuple[jax.Array, ...]:
    """`x.sum(-1)` of arrays of one shape, each in its own type, in one pass over them all.

    XLA breaks a sum of one array in two (sums of 32, sums of sums), each a kernel to compile; a sum
    of several arrays at once it leaves whole, and it is also the faster one for integers.
    """
    return stage(_joint_row_sums, *terms)


def _joint_row_sums(*terms: jax.Array) -> tuple[jax.Array, ...]:
    def add(totals: tuple[Any, ...], more: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(a + b for a, b in zip(totals, more, strict=True))

    zeros = tuple(np.zeros((), x.dtype) for x in terms)
    return jax.lax.reduce(terms, zeros, add, (terms[0].ndim - 1,))


# columns that a step of an ordered sum adds: a step of a loop costs a microsecond
_AT_A_TIME = 32


def ordered_row_sums(*terms: jax.Array) -> tuple[jax.Array, ...]:
    """`x.sum(-1)` of float arrays `(rows, columns)`, on CPUs from the first to the last.

    So each sum is rounded as a loop of C rounds it. A loop of XLA is all that promises an order; on
    other platforms, where it would be slow, they take their own.
    """
    if not _active.get():
        return tuple(x.sum(-1, dtype=x.dtype) for x in terms)
    return stage(_ordered_row_sums, *terms)


def _ordered_row_sums(*terms: jax.Array) -> tuple[jax.Array, ...]:
    columns = jnp.stack(terms).transpose(2, 0, 1)
    missing = -len(columns) % _AT_A_TIME
    columns = jnp.pad(columns, ((0, missing), (0, 0), (0, 0)))
    steps = columns.reshape(-1, _AT_A_TIME, *columns.shape[1:])

    def add(total: jax.Array, some: jax.Array) -> tuple[jax.Array, None]:
        for column in some:
            total = total + column
        return total, None

    total, _ = jax.lax.scan(add, jnp.zeros_like(columns[0]), steps)
    return tuple(total)
