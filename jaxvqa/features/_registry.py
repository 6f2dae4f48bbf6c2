"""What exists: every feature by name. The CLI, the docs and the tests read this table."""

from __future__ import annotations

import difflib

from jaxvqa.features._adm.float_adm import FEATURE as FLOAT_ADM
from jaxvqa.features._adm.integer_adm import FEATURE as ADM
from jaxvqa.features._cambi.score import FEATURE as CAMBI
from jaxvqa.features._feature import Feature
from jaxvqa.features._funque.sets import FEATURES as FUNQUE_FAMILY
from jaxvqa.features._funque.st_rred import FEATURE as STRRED
from jaxvqa.features._motion.float_motion import FEATURE as FLOAT_MOTION
from jaxvqa.features._motion.integer_motion import FEATURE as MOTION
from jaxvqa.features._speed.qa import SPEED_QA
from jaxvqa.features._speed.speed import SPEED_CHROMA, SPEED_TEMPORAL
from jaxvqa.features._vif.float_vif import FEATURE as FLOAT_VIF
from jaxvqa.features._vif.integer_vif import FEATURE as VIF

FEATURES: dict[str, Feature] = {
    feature.name: feature
    for feature in (
        VIF,
        ADM,
        MOTION,
        FLOAT_VIF,
        FLOAT_ADM,
        FLOAT_MOTION,
        SPEED_CHROMA,
        SPEED_TEMPORAL,
        SPEED_QA,
        CAMBI,
        *FUNQUE_FAMILY,
        STRRED,
    )
}


def find(name: str) -> Feature:
    """The feature called `name`.

    Raises:
        ValueError: there is none; names the closest.
    """
    if name in FEATURES:
        return FEATURES[name]
    close = difflib.get_close_matches(name, FEATURES, n=3, cutoff=0.5)
    advice = f"did you mean {' or '.join(close)}?" if close else f"known are {', '.join(FEATURES)}."
    raise ValueError(f"there is no feature named {name!r}: {advice}")
