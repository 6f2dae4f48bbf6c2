"""Full-reference video quality metrics as JAX array programs.

Scoring:
    `score`: files or arrays in, a `Result` of per-frame and pooled scores out.
    `score_request`: the same from a `ScoreRequest`, which says what is measured, with
        `InputOptions`, which say how the videos are read.
    `batch`: scores the pairs of a manifest, resumes, and leaves one table.
    `pool`: mean, harmonic mean, percentiles of a per-frame series.
    `Planes`: luma and chroma of frames in memory, with their bit depth.
    `Notice`: what a user should know about a result.
    `load_model`: a fusion model by name or file.

Metrics of your own:
    `register`: makes a `Feature` known everywhere.
    `Feature`, `Output`, `Loss`, `Trainable`, `Options`, `option`: the parts of its record.

Namespaces:
    `features`: the metrics as pure functions for `jit`, `vmap` and `grad`.
    `losses`: the metrics as training losses.
    `color`: RGB to planes.
    `evaluation`: how well metrics predict people, and scores from votes.
    `fusion`: model types and files.
    `report`: result files, tables, pages and plots.
    `ladders`: rate and quality of many encodes: Bjontegaard deltas, hulls, ladders.
    `training`: fits of fusion models to rated clips.
    `video`: readers of video files.
    `nnx`: metrics and losses for flax, imported by name (`import jaxvqa.nnx`).
"""

from importlib import import_module
from typing import TYPE_CHECKING

from jaxvqa._lazy import loader
from jaxvqa._version import __version__ as __version__

if TYPE_CHECKING:
    from jaxvqa import color as color
    from jaxvqa import evaluation as evaluation
    from jaxvqa import features as features
    from jaxvqa import fusion as fusion
    from jaxvqa import ladders as ladders
    from jaxvqa import losses as losses
    from jaxvqa import report as report
    from jaxvqa import training as training
    from jaxvqa import video as video
    from jaxvqa._batch.batch import batch as batch
    from jaxvqa._notice import Notice as Notice
    from jaxvqa._planes import Planes as Planes
    from jaxvqa._pooling import pool as pool
    from jaxvqa._scoring.request import ScoreRequest as ScoreRequest
    from jaxvqa._scoring.result import Result as Result
    from jaxvqa._scoring.score import score as score
    from jaxvqa._scoring.score import score_request as score_request
    from jaxvqa.features._feature import Feature as Feature
    from jaxvqa.features._feature import Loss as Loss
    from jaxvqa.features._feature import Output as Output
    from jaxvqa.features._feature import Trainable as Trainable
    from jaxvqa.features._options import Options as Options
    from jaxvqa.features._options import option as option
    from jaxvqa.features._registry import register as register
    from jaxvqa.fusion._catalog import load_model as load_model
    from jaxvqa.video._inputs import InputOptions as InputOptions

# where each name comes from; JAX is loaded with the first of them
_NAMESPACES = (
    "color", "evaluation", "features", "fusion", "ladders", "losses", "report", "training", "video",
)  # fmt: skip
_HOMES = {
    "batch": "_batch.batch",
    "Notice": "_notice",
    "Planes": "_planes",
    "pool": "_pooling",
    "ScoreRequest": "_scoring.request",
    "Result": "_scoring.result",
    "score": "_scoring.score",
    "score_request": "_scoring.score",
    "Feature": "features._feature",
    "Loss": "features._feature",
    "Trainable": "features._feature",
    "Output": "features._feature",
    "Options": "features._options",
    "option": "features._options",
    "register": "features._registry",
    "load_model": "fusion._catalog",
    "InputOptions": "video._inputs",
}
_load = loader(__name__, _HOMES)
__all__ = [
    "Feature",
    "InputOptions",
    "Loss",
    "Notice",
    "Options",
    "Output",
    "Planes",
    "Result",
    "ScoreRequest",
    "Trainable",
    "__version__",
    "batch",
    "color",
    "evaluation",
    "features",
    "fusion",
    "ladders",
    "load_model",
    "losses",
    "option",
    "pool",
    "register",
    "report",
    "score",
    "score_request",
    "training",
    "video",
]


def __getattr__(name: str) -> object:
    return import_module(f"jaxvqa.{name}") if name in _NAMESPACES else _load(name)


def __dir__() -> list[str]:
    return sorted(__all__)
