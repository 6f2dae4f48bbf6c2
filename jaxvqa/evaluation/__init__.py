"""How well metrics predict people: correlations, curves, pairs, intervals, and scores from votes.

`evaluate`: figures of several metrics on rated clips, as an `Evaluation` of `MetricFigures`,
    `ContentFigures` and `Difference`.
`srocc`, `krocc`, `plcc`, `rmse`, `outlier_ratio`: single statistics.
`fit_mapping`: a curve from a metric to the scale of ratings, as a `Mapping`; `MAPPINGS` lists them.
`analyse_pairs`: how well a metric tells what people tell apart, as a `PairAnalysis`.
`score_votes`: quality of clips from votes, as an `Opinion`; `VOTE_MODELS` lists the ways.

Everything here is arrays in, numbers out; `jaxvqa evaluate` reads the files.
"""

from jaxvqa.evaluation._correlations import krocc as krocc
from jaxvqa.evaluation._correlations import outlier_ratio as outlier_ratio
from jaxvqa.evaluation._correlations import plcc as plcc
from jaxvqa.evaluation._correlations import rmse as rmse
from jaxvqa.evaluation._correlations import srocc as srocc
from jaxvqa.evaluation._evaluate import ContentFigures as ContentFigures
from jaxvqa.evaluation._evaluate import Difference as Difference
from jaxvqa.evaluation._evaluate import Evaluation as Evaluation
from jaxvqa.evaluation._evaluate import MetricFigures as MetricFigures
from jaxvqa.evaluation._evaluate import evaluate as evaluate
from jaxvqa.evaluation._mappings import MAPPINGS as MAPPINGS
from jaxvqa.evaluation._mappings import Mapping as Mapping
from jaxvqa.evaluation._mappings import fit_mapping as fit_mapping
from jaxvqa.evaluation._pairs import PairAnalysis as PairAnalysis
from jaxvqa.evaluation._pairs import analyse_pairs as analyse_pairs
from jaxvqa.evaluation._votes import VOTE_MODELS as VOTE_MODELS
from jaxvqa.evaluation._votes import Opinion as Opinion
from jaxvqa.evaluation._votes import score_votes as score_votes
