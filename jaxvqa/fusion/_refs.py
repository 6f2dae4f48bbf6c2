"""Inputs of a model by name, as `features` of a score request has them."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

from jaxvqa.features._options import parse_text
from jaxvqa.features._registry import by_key, extractor_of, find
from jaxvqa.fusion._model import FeatureRef


def feature_refs(names: Iterable[str]) -> tuple[FeatureRef, ...]:
    """Inputs of a model from names, sorted by key as libvmaf sorts them.

    Args:
        names: each a feature with all the outputs that models may use (`y_funque_plus`,
            `float_vif=vif_enhn_gain_limit=1`), or a key of one output
            (`VMAF_integer_feature_adm2_score`).

    Raises:
        ValueError: no such feature, key or option, or the same input twice.
    """
    found: list[FeatureRef] = []
    for text in names:
        name, given = parse_text(text)
        is_key = name in by_key()
        feature = find(extractor_of(name) if is_key else name)
        options = feature.resolve(given)
        keys = [name] if is_key else [o.key for o in feature.outputs(options) if o.key]
        if not keys:
            raise ValueError(f"{name} has no output that a model may use.")
        pairs = tuple(options.changed().items())
        found += [FeatureRef(feature.name, key, pairs) for key in keys]
    return in_order(found)


def in_order(refs: Iterable[FeatureRef]) -> tuple[FeatureRef, ...]:
    """Inputs sorted by key as libvmaf sorts them.

    Raises:
        ValueError: the same input twice.
    """
    ordered = sorted(refs, key=lambda ref: (ref.key, str(ref.options)))
    for one, other in itertools.pairwise(ordered):
        if one == other:
            raise ValueError(f"{one.key} is given twice.")
    return tuple(ordered)
