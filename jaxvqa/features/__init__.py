"""Metrics as pure functions from frames to per-frame values.

Every function takes `(ref, dis, *, bit_depth, options)`, luma arrays or `Planes`, and returns a
dict of `(frames,)` arrays. Each has its record as `.feature`; docs/metrics.md lists all outputs
and options.

{metrics}
`cambi_heatmaps`: where `cambi` sees banding.
`register`: adds a metric of your own.
`FEATURES`: the records of all metrics, by name.
`Feature`, `Output`, `Loss`, `Measurement`, `Options`, `option`: the parts of a record.

A metric of several files is a folder whose docstring is its map; `plain.py` there is the metric in
its shortest form.
"""

from jaxvqa.features import _registry
from jaxvqa.features._builtin import *  # noqa: F403
from jaxvqa.features._cambi.feature import cambi_heatmaps as cambi_heatmaps
from jaxvqa.features._feature import Feature as Feature
from jaxvqa.features._feature import Loss as Loss
from jaxvqa.features._feature import Measurement as Measurement
from jaxvqa.features._feature import Output as Output
from jaxvqa.features._options import Options as Options
from jaxvqa.features._options import option as option
from jaxvqa.features._registry import FEATURES as FEATURES
from jaxvqa.features._registry import register as register

__doc__ = (__doc__ or "").replace(
    "{metrics}",
    "\n".join(f"`{fn.__name__}`: {fn.feature.summary}." for fn in _registry.FUNCTIONS.values()),
)
