"""Metrics as pure functions from frames to per-frame values.

Every function takes `(ref, dis, *, bit_depth, options)`, luma arrays or `Planes`, and returns a
dict of `(frames,)` arrays. Each has its record as `.feature`; docs/metrics.md lists all outputs
and options.

`vif`, `adm`, `motion`: the float forms of libvmaf, differentiable.
`vif_integer`, `adm_integer`, `motion_integer`: libvmaf's fixed-point extractors.
`cambi`, `cambi_heatmaps`: banding, and where it is.
`speed_chroma`, `speed_temporal`, `speed_qa`: entropy differences of blocks.
`funque`, `funque_2022`, `y_funque_plus`, `funque_plus_3c`, `fs_y_funque_plus`,
    `fs_funque_plus_3c`: feature sets on one Haar pyramid.
`strred`, `ms_essim`: two metrics on the same pyramid.
`register`: adds a metric of your own; `FEATURES` has all records by name.
`Feature`, `Output`, `Loss`, `Measurement`, `Options`, `option`: the parts of a record.

A metric of several files is a folder whose docstring is its map; `plain.py` there is the metric in
its shortest form.
"""

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
