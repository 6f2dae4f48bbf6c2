"""Training of fusion models: fits, cross validation over contents, searches, warm starts.

`TrainingData`: rated clips with their features.
`Recipe`: a regressor and its numbers; `REGRESSORS` lists them.
`fit_model`: a model, or a bootstrap collection, from data and a recipe.
`WarmStart`: a model whose support vectors a fit keeps.
`cross_validate`: predictions of held-out contents, as a `Validation` of `Fold`.
`choose`: the recipe that ranks held-out contents best.
`folds`: which clips are held out.

`jaxvqa train` reads the files. Support vector regressions need scikit-learn and the perceptron
needs optax, both from the extra `train`.
"""

from jaxvqa.training._data import TrainingData as TrainingData
from jaxvqa.training._fit import fit_model as fit_model
from jaxvqa.training._folds import folds as folds
from jaxvqa.training._recipe import REGRESSORS as REGRESSORS
from jaxvqa.training._recipe import Recipe as Recipe
from jaxvqa.training._validate import Fold as Fold
from jaxvqa.training._validate import Validation as Validation
from jaxvqa.training._validate import choose as choose
from jaxvqa.training._validate import cross_validate as cross_validate
from jaxvqa.training._warm_start import WarmStart as WarmStart
