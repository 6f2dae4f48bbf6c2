"""Float64 values that leave a program as two float32 series: the nearest float32, and the rest."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxvqa._typing import Array, Float
from jaxvqa.features._feature import Series, series_namespace

_REST = "_rest"


def in_parts(name: str, value: Float[Array, "*shape"]) -> Series:
    """A float64 value as float32 parts under two names; call it in a 64-bit scope."""
    # the compiler may leave out a conversion there and back, but not this
    part = jax.lax.reduce_precision(value, exponent_bits=8, mantissa_bits=23)
    return {name: part.astype(jnp.float32), name + _REST: (value - part).astype(jnp.float32)}


def joined(series: Series) -> Series:
    """Puts values in parts together, to 48 bits of a float64 where there is one."""
    host = series_namespace(series) is np
    wide = np.dtype(np.float64) if host else jax.dtypes.canonicalize_dtype(np.float64)

    def whole(name: str) -> Any:
        rest = series.get(name + _REST)
        if rest is None or wide != np.float64:
            return series[name]
        return series[name].astype(wide) + rest.astype(wide)

    return {name: whole(name) for name in series if not name.endswith(_REST)}
