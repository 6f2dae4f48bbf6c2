"""Full-reference video quality metrics as JAX array programs.

`score` takes files or arrays and gives per-frame and pooled scores; `features` holds the metrics as
pure functions that `jit`, `vmap` and `grad` accept, `losses` turns them into training losses and
`color` brings RGB there; `load_model` reads fusion models; `report` writes and plots results and
`video` reads files; `register` adds a metric of your own.
"""

from jaxvqa import color as color
from jaxvqa import features as features
from jaxvqa import losses as losses
from jaxvqa import report as report
from jaxvqa import video as video
from jaxvqa._notice import Notice as Notice
from jaxvqa._planes import Planes as Planes
from jaxvqa._pooling import pool as pool
from jaxvqa._scoring.request import ScoreRequest as ScoreRequest
from jaxvqa._scoring.result import Result as Result
from jaxvqa._scoring.score import score as score
from jaxvqa._scoring.score import score_request as score_request
from jaxvqa._version import __version__ as __version__
from jaxvqa.features._feature import Feature as Feature
from jaxvqa.features._feature import Loss as Loss
from jaxvqa.features._feature import Output as Output
from jaxvqa.features._options import Options as Options
from jaxvqa.features._options import option as option
from jaxvqa.features._registry import register as register
from jaxvqa.fusion._catalog import load_model as load_model
from jaxvqa.video._inputs import InputOptions as InputOptions
