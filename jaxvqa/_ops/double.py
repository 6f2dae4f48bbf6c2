"""Float64 stages inside programs of any precision, with exact gradients.

A 64-bit scope composes with jit, loops and export, but not with transformations that come after it
has closed: reverse mode and `vmap` of a jitted function would add operations in 32 bits. So a stage
gets a backward pass and a batching rule of its own, which open the scope again. The backward pass
recomputes the stage and pulls the cotangents back in float64.
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


def _scoped(fn: Callable[..., Any]) -> Callable[..., Any]:
    """`fn` in a 64-bit scope, also where it is batched later."""

    @jax.custom_batching.custom_vmap
    def call(*args: Any) -> Any:
        with jax.enable_x64(True):
            return fn(*args)

    def batched(axis_size: int, in_batched: list[Any], *args: Any) -> tuple[Any, Any]:
        axes = jax.tree.map(lambda b: 0 if b else None, tuple(in_batched))
        out = _scoped(jax.vmap(fn, in_axes=axes, axis_size=axis_size))(*args)
        return out, jax.tree.map(lambda _: True, out)

    call.def_vmap(batched)
    return call


def _rounded(fn: Callable[..., Any], *arrays: Array) -> Any:
    def single(*arrays: Array) -> Any:
        return jax.tree.map(lambda x: x.astype(jnp.float32), fn(*arrays))

    return _scoped(single)(*arrays)


def _with_backward(fn: Callable[..., Any]) -> Callable[..., Any]:
    @jax.custom_vjp
    def stage(*arrays: Array) -> Any:
        return _rounded(fn, *arrays)

    def forward(*arrays: Array) -> tuple[Any, tuple[Array, ...]]:
        return _rounded(fn, *arrays), arrays

    def pull_back(arrays: tuple[Array, ...], cotangents: Any) -> tuple[Array, ...]:
        _, pull = jax.vjp(fn, *arrays)
        return pull(jax.tree.map(lambda c: c.astype(jnp.float64), cotangents))

    stage.defvjp(forward, _scoped(pull_back))
    return stage
