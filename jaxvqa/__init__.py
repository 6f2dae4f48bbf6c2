"""Full-reference video quality metrics as JAX array programs.

`score` takes files or arrays and gives per-frame and pooled scores; `features` holds the metrics as
pure functions that `jit`, `vmap` and `grad` accept, `losses` turns them into training losses and
`color` brings RGB there; `load_model` reads fusion models.
"""

from jaxvqa import color as color
from jaxvqa import features as features
from jaxvqa import losses as losses
from jaxvqa._planes import Planes as Planes
from jaxvqa._pooling import pool as pool
from jaxvqa._scoring.result import Result as Result
from jaxvqa._scoring.score import score as score
from jaxvqa.fusion._registry import load_model as load_model

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
