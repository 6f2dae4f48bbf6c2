"""Float64 stages inside programs of any precision, with exact gradients.

A 64-bit scope composes with jit, vmap, loops and export, but not with reverse mode: JAX would run
the transposed operations after the scope is closed. So a stage gets a backward pass of its own,
which opens the scope again, recomputes the stage and pulls the cotangents back in float64.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from jaxvqa._typing import Array


def in_float64(fn: Callable[..., Any], *arrays: Array) -> Any:
    """Evaluates a float64 array program on arrays of any dtype.

    Args:
        fn: pure function of `arrays` that converts them to float64 itself, where it needs them (so
            that no float64 copy of a whole clip is made), and returns a pytree of float64 arrays.
        *arrays: integer or float arrays.

    Returns:
        What `fn` returns: float64 if any array is float64, else rounded to float32.

    If an array is float64 the caller already computes in 64 bits; then `fn` is called as it is and
    every derivative works. Otherwise the result has reverse derivatives for the float arrays, but
    no forward ones (`jax.jvp`), which would have to leave the scope as well.
    """
    if any(a.dtype == jnp.float64 for a in arrays):
        return fn(*arrays)
    floating = [jnp.issubdtype(a.dtype, jnp.floating) for a in arrays]
    if not any(floating):
        return _rounded(fn, *arrays)
    # a custom derivative wants a cotangent for every argument: integers become floats, exactly
    arrays = tuple(a if f else a.astype(jnp.float32) for a, f in zip(arrays, floating, strict=True))
    return _with_backward(fn)(*arrays)


def _rounded(fn: Callable[..., Any], *arrays: Array) -> Any:
    with jax.enable_x64(True):
        return jax.tree.map(lambda x: x.astype(jnp.float32), fn(*arrays))


def _with_backward(fn: Callable[..., Any]) -> Callable[..., Any]:
    @jax.custom_vjp
    def stage(*arrays: Array) -> Any:
        return _rounded(fn, *arrays)

    def forward(*arrays: Array) -> tuple[Any, tuple[Array, ...]]:
        return _rounded(fn, *arrays), arrays

    def backward(arrays: tuple[Array, ...], cotangents: Any) -> tuple[Array, ...]:
        with jax.enable_x64(True):
            _, pull_back = jax.vjp(fn, *arrays)
            return pull_back(jax.tree.map(lambda c: c.astype(jnp.float64), cotangents))

    stage.defvjp(forward, backward)
    return stage
