"""One form of a piece of program for CPUs, another for accelerators.

A program that may be lowered for several platforms has to hold both forms until then. Who knows the
platform beforehand, as the scoring engine does, traces one of them, which takes half the time.
"""

from __future__ import annotations

import contextlib
import contextvars
from collections.abc import Callable, Iterator
from typing import Any

import jax

_known: contextvars.ContextVar[str | None] = contextvars.ContextVar("platform", default=None)


@contextlib.contextmanager
def traced_for(platform: str) -> Iterator[None]:
    """Inside, `choose` takes the form for this platform ("cpu", "gpu", "tpu") while tracing.

    What is traced inside must be lowered for that platform only.
    """
    token = _known.set(platform)
    try:
        yield
    finally:
        _known.reset(token)


def choose(*args: Any, cpu: Callable[..., Any], default: Callable[..., Any]) -> Any:
    """`cpu(*args)` on CPUs, `default(*args)` on all other platforms."""
    platform = _known.get()
    if platform is None:
        return jax.lax.platform_dependent(*args, cpu=cpu, default=default)
    return (cpu if platform == "cpu" else default)(*args)
