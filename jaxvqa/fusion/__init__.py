"""Fusion models: per-frame features in, one score per frame out, and the files that hold them.

`Model`, `Collection`: pytrees of arrays; a collection is a model with its bootstrap members.
`Svr`, `Linear`, `Mlp`: regressions, one of which a model has.
`ScoreTransform`, `FeatureRef`, `ModelInfo`: the other parts of a model.
`load_model`: a model by name, or from a file in our format or libvmaf's.
`save_model`: a model into a file.
`MODEL_FORMATS`: the formats of model files.
`list_models`: a `ModelRecord` of each model that ships.
`fit`: a ridge regression or a perceptron from features that were pooled per clip.
`fit_jointly`: the same from clips, with gains and contrast sensitivity of the features as well.
`feature_refs`, `normalisation`: a model's inputs by name, and the scale of its numbers.
`predict`, `predict_collection`: scores from rows of features, for `jit`, `vmap` and `grad`.
"""

from jaxvqa.fusion._bootstrap import predict_collection as predict_collection
from jaxvqa.fusion._catalog import ModelRecord as ModelRecord
from jaxvqa.fusion._catalog import list_models as list_models
from jaxvqa.fusion._catalog import load_model as load_model
from jaxvqa.fusion._fit import fit as fit
from jaxvqa.fusion._fit import normalisation as normalisation
from jaxvqa.fusion._joint import fit_jointly as fit_jointly
from jaxvqa.fusion._model import Collection as Collection
from jaxvqa.fusion._model import FeatureRef as FeatureRef
from jaxvqa.fusion._model import Model as Model
from jaxvqa.fusion._model import ModelInfo as ModelInfo
from jaxvqa.fusion._model import ScoreTransform as ScoreTransform
from jaxvqa.fusion._predict import predict as predict
from jaxvqa.fusion._refs import feature_refs as feature_refs
from jaxvqa.fusion._regressions import Linear as Linear
from jaxvqa.fusion._regressions import Mlp as Mlp
from jaxvqa.fusion._regressions import Svr as Svr
from jaxvqa.fusion._save import MODEL_FORMATS as MODEL_FORMATS
from jaxvqa.fusion._save import save_model as save_model
