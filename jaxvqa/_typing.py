"""Array type names, real when jaxtyping is installed and plain placeholders when it is not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax

if TYPE_CHECKING:
    from jaxtyping import Array, Bool, Float, Int, Integer, Num, Shaped
else:
    Array = jax.Array
    try:
        from jaxtyping import Bool, Float, Int, Integer, Num, Shaped
    except ModuleNotFoundError:

        class _Plain:
            """Stands in for a jaxtyping annotation: `Float[Array, "h w"]` is just `Array`."""

            def __class_getitem__(cls, item: Any) -> Any:
                return item[0]

        Bool = Float = Int = Integer = Num = Shaped = _Plain

__all__ = ["Array", "Bool", "Float", "Int", "Integer", "Num", "Shaped"]
