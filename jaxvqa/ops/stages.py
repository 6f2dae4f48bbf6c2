"""Stage boundaries that XLA's CPU backend does not fuse across.

XLA on CPU fuses as much as it can, and two of its habits cost tenfold: it recomputes a first
filter pass for every tap of the second, and it runs a reduction, with the whole producer that was
fused into it, one element at a time. `optimization_barrier` does not help, it is removed before
fusion. A call that may not be inlined does. Accelerators want the opposite, large fusions, so
stages take effect only while the CPU branch of a program is traced (see `ops.tiling`).
"""

from __future__ import annotations

import contextlib
import contextvars
from collections.abc import Callable, Iterator
from typing import Any

import jax
from jax.experimental.xla_metadata import set_xla_metadata

from jaxvqa.ops.platforms import choose

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


def stage(fn: Callable[..., Any], *args: Any) -> Any:
    """Calls `fn(*args)` as a unit of its own in CPU programs.

    Args:
        fn: array function; what it closes over must not be traced arrays.
        args: arrays.

    Returns:
        What `fn` returns, materialised on CPU.
    """
    if not _active.get():
        return fn(*args)

    def inside(*args: Any) -> Any:
        # the mark is for this call alone: parts of jax.numpy are calls too, and must be inlined
        with set_xla_metadata(inlineable="true"):
            return fn(*args)

    with set_xla_metadata(inlineable="false"):
        return jax.jit(inside)(*args)


def cpu_stage(fn: Callable[..., Any], *args: Any) -> Any:
    """`stage` for code outside of strips: a unit of its own on CPU, left to fuse elsewhere.

    What `fn` reads is materialised too. A frame taken out of a stack by a traced index must be,
    before anything reads it with borders or strides: fused, the index is checked for each sample.
    """

    def unit(*args: Any) -> Any:
        with keep_stages():
            return stage(fn, *args)

    return choose(*args, cpu=unit, default=fn)


def row_sums(fn: Callable[..., jax.Array], *args: Any) -> jax.Array:
    """`fn(*args).sum(-1)` with the terms computed in SIMD lanes before they are added."""
    terms = stage(fn, *args)
    return terms.sum(-1, dtype=terms.dtype)
