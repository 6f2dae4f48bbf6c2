"""Division, roots, logarithms and powers that stay finite in value and in gradient.

A plain `where(x > 0, sqrt(x), 0)` has a NaN gradient at 0, because the branch not taken is still
differentiated. Each function here first replaces the bad argument and then the result (the
"double where").
"""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from jaxvqa._typing import Array


def divide(numerator: Any, denominator: Array, *, otherwise: float = 0.0) -> Array:
    """`numerator / denominator`, and `otherwise` where the denominator is 0."""
    bad = denominator == 0
    quotient = numerator / jnp.where(bad, jnp.ones_like(denominator), denominator)
    return jnp.where(bad, jnp.full_like(quotient, otherwise), quotient)


def sqrt(x: Array) -> Array:
    """Square root, 0 with zero slope where `x <= 0`."""
    bad = x <= 0
    return jnp.where(bad, jnp.zeros_like(x), jnp.sqrt(jnp.where(bad, jnp.ones_like(x), x)))


def power(x: Array, exponent: float) -> Array:
    """`x ** exponent`, 0 with zero slope where `x <= 0`."""
    bad = x <= 0
    return jnp.where(bad, jnp.zeros_like(x), jnp.where(bad, jnp.ones_like(x), x) ** exponent)


def cbrt(x: Array) -> Array:
    """Cube root of a non-negative number, 0 with zero slope where `x <= 0`."""
    bad = x <= 0
    return jnp.where(bad, jnp.zeros_like(x), jnp.cbrt(jnp.where(bad, jnp.ones_like(x), x)))


def log2(x: Array, *, otherwise: float = 0.0) -> Array:
    """Base-2 logarithm, `otherwise` with zero slope where `x <= 0`."""
    bad = x <= 0
    return jnp.where(
        bad, jnp.full_like(x, otherwise), jnp.log2(jnp.where(bad, jnp.ones_like(x), x))
    )
