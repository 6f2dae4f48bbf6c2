"""Frozen dataclasses that are pytrees.

As `flax.struct.dataclass`, which would bring in all of flax with every `import jaxvqa`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, dataclass_transform

import jax


def static(*, default: Any) -> Any:
    """A field that is part of the program, not data."""
    return dataclasses.field(default=default, metadata={"static": True})


@dataclass_transform(frozen_default=True, field_specifiers=(static, dataclasses.field))
def pytree(*, eq: bool = True) -> Callable[[type], Any]:
    """Makes a class a frozen dataclass whose fields are pytree leaves, but the `static` ones."""

    def made(cls: type) -> Any:
        return jax.tree_util.register_dataclass(dataclasses.dataclass(frozen=True, eq=eq)(cls))

    return made
