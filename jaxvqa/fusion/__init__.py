"""Fusion models: per-frame features in, one score per frame out, and the files that hold them.

`Model`, `Collection`: pytrees of arrays; a collection is a model with its bootstrap members.
`Svr`, `ScoreTransform`, `FeatureRef`, `ModelInfo`: the parts of a model.
`load_model`: a model by name, or from a file in our format or libvmaf's.
`save_model`: a model into a file.
`MODEL_FORMATS`: the formats of model files.
`list_models`: a `ModelRecord` of each model that ships.
`predict`, `predict_collection`: scores from rows of features, for `jit`, `vmap` and `grad`.
"""

from jaxvqa.fusion._bootstrap import predict_collection as predict_collection
from jaxvqa.fusion._catalog import ModelRecord as ModelRecord
from jaxvqa.fusion._catalog import list_models as list_models
from jaxvqa.fusion._catalog import load_model as load_model
from jaxvqa.fusion._model import Collection as Collection
from jaxvqa.fusion._model import FeatureRef as FeatureRef
from jaxvqa.fusion._model import Model as Model
from jaxvqa.fusion._model import ModelInfo as ModelInfo
from jaxvqa.fusion._model import ScoreTransform as ScoreTransform
from jaxvqa.fusion._model import Svr as Svr
from jaxvqa.fusion._save import MODEL_FORMATS as MODEL_FORMATS
from jaxvqa.fusion._save import save_model as save_model
from jaxvqa.fusion._svr import predict as predict
