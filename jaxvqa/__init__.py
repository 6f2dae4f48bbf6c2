"""Full-reference video quality metrics as JAX array programs.

`score` takes files or arrays and gives per-frame and pooled scores; `features` holds the metrics as
pure functions that `jit`, `vmap` and `grad` accept, `losses` turns them into training losses and
`color` brings RGB there; `load_model` reads fusion models.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jaxvqa import color as color
    from jaxvqa import features as features
    from jaxvqa import losses as losses
    from jaxvqa.fusion.registry import load_model as load_model
    from jaxvqa.planes import Planes as Planes
    from jaxvqa.pooling import pool as pool
    from jaxvqa.scoring.result import Result as Result
    from jaxvqa.scoring.score import score as score

__version__ = "0.1.0"
__all__ = [
    "Planes",
    "Result",
    "__version__",
    "color",
    "features",
    "load_model",
    "losses",
    "pool",
    "score",
]

_HOMES = {
    "Planes": "planes",
    "Result": "scoring.result",
    "load_model": "fusion.registry",
    "pool": "pooling",
    "score": "scoring.score",
}


def __getattr__(name: str) -> Any:
    """Loads what is asked for, and JAX with it, at its first use."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name not in _HOMES:
        return import_module(f"{__name__}.{name}")
    found = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
