"""Static checks that turn a caller's mistake into one sentence.

Everything here looks at shapes, dtypes and Python values only, so it runs at trace time and costs
nothing inside `jit`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import jax.numpy as jnp

BIT_DEPTHS = (8, 9, 10, 12, 14, 16)
_LONGEST = 60
_TRUTHS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


def shown(value: Any) -> str:
    """A caller's value for a message, cut where it is long."""
    try:
        text = " ".join(repr(value).split())
    except ValueError:  # Python writes whole numbers up to some length only
        return "a number of thousands of digits"
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."


def as_text(value: Any) -> str:
    """A caller's value as text, to compare with what is allowed; empty if Python can't write it."""
    try:
        return str(value)
    except ValueError:
        return ""


def truth(value: Any) -> bool | None:
    """What a caller's switch says: a boolean, or true, false, 1, 0, yes or no; None for others."""
    return value if isinstance(value, bool) else _TRUTHS.get(as_text(value).lower())


def check_bit_depth(bit_depth: Any, dtype: Any) -> int:
    """Returns the bit depth of samples of `dtype`; only uint8 may leave it out."""
    dtype = jnp.dtype(dtype)
    if bit_depth is None:
        if dtype == jnp.uint8:
            return 8
        raise ValueError(
            f"bit_depth is needed for {dtype.name} samples and is never guessed: "
            "pass bit_depth=8, 10, 12 or 16."
        )
    if isinstance(bit_depth, bool) or bit_depth not in BIT_DEPTHS:
        raise ValueError(f"bit_depth must be one of {BIT_DEPTHS}, got {bit_depth!r}.")
    if dtype == jnp.uint8 and bit_depth != 8:
        raise ValueError(
            f"uint8 samples hold 8 bits, but bit_depth={bit_depth} was given: "
            "pass uint16 samples, or bit_depth=8."
        )
    return int(bit_depth)


def check_sample_dtype(name: str, dtype: Any) -> None:
    """Raises TypeError unless `dtype` is uint8, uint16 or a float."""
    dtype = jnp.dtype(dtype)
    if dtype in (jnp.uint8, jnp.uint16) or jnp.issubdtype(dtype, jnp.floating):
        return
    raise TypeError(
        f"{name} has dtype {dtype.name}: pass code values as uint8 or uint16, or as floats "
        "on the same scale (0 to 255 at 8 bits) for training."
    )


def check_same(what: str, ref: Any, dis: Any, advice: str) -> None:
    """Raises ValueError if a property of the reference differs from the distorted one's."""
    if ref != dis:
        raise ValueError(f"reference and distorted differ in {what}: {ref} against {dis}; {advice}")


def check_min_size(metric: str, height: int, width: int, min_height: int, min_width: int) -> None:
    """Raises ValueError if a frame is smaller than a metric can measure."""
    if height < min_height or width < min_width:
        raise ValueError(
            f"{metric} needs frames of at least {min_width}x{min_height} (width x height), "
            f"got {width}x{height}."
        )


def check_max_depth(metric: str, bit_depth: int, most: int) -> None:
    """Raises ValueError if samples have more bits than a metric can measure."""
    if bit_depth > most:
        raise ValueError(
            f"{metric} takes at most {most} bits per sample, got {bit_depth}: convert both videos "
            "first."
        )


def one_of(name: str, value: Any, choices: Iterable[Any]) -> Any:
    """Returns `value` if it is among `choices`, else raises ValueError listing them."""
    choices = tuple(choices)
    if value not in choices:
        known = ", ".join(map(str, choices))
        raise ValueError(f"{name} must be one of {known}; got {shown(value)}.")
    return value
