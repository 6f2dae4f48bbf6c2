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
    """Makes a class a frozen dataclass whose fields are pytree leaves, but the `static` ones.

    The constructor checks what a caller gives; JAX's transformations rebuild objects without it,
    since they put placeholders where arrays were.
    """

    def made(cls: type) -> Any:
        cls = dataclasses.dataclass(frozen=True, eq=eq)(cls)
        fields = dataclasses.fields(cls)
        data = tuple(f.name for f in fields if not f.metadata.get("static"))
        meta = tuple(f.name for f in fields if f.metadata.get("static"))

        def flatten(x: Any) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
            return tuple(getattr(x, n) for n in data), tuple(getattr(x, n) for n in meta)

        def flatten_with_keys(x: Any) -> tuple[tuple[tuple[Any, Any], ...], tuple[Any, ...]]:
            keyed = tuple((jax.tree_util.GetAttrKey(n), getattr(x, n)) for n in data)
            return keyed, tuple(getattr(x, n) for n in meta)

        def unflatten(aux: Any, leaves: Any) -> Any:
            x = object.__new__(cls)
            for name, value in zip((*data, *meta), (*leaves, *aux), strict=True):
                object.__setattr__(x, name, value)
            return x

        jax.tree_util.register_pytree_with_keys(cls, flatten_with_keys, unflatten, flatten)
        return cls

    return made
