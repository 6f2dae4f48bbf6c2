"""Fusion models: per-frame features in, one score per frame out, and the files that hold them.

`Model` and `Collection` are pytrees of arrays; `Svr`, `ScoreTransform`, `FeatureRef` and
`ModelInfo` are their parts. `load_model` reads our format and libvmaf's, `save_model` writes both,
`list_models` lists those that ship. `predict` and `predict_collection` score rows of features and
work under `jit`, `vmap` and `grad`.
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
