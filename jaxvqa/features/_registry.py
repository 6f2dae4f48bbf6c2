"""The one registry: every metric by name, by key of a model file, and by name of its loss.

Listings, model files, losses, docs, tests and benchmarks read it. `register` adds a user's metric.
"""

from __future__ import annotations

import difflib
import functools
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from jaxvqa.features import _builtin
from jaxvqa.features._feature import Direction, Feature, Output, Part
from jaxvqa.features._options import Options

# the public functions of the metrics that ship
FUNCTIONS: Mapping[str, Any] = {
    function.feature.name: function
    for function in vars(_builtin).values()
    if isinstance(getattr(function, "feature", None), Feature)
}
_BUILTIN: dict[str, Feature[Any]] = {
    name: function.feature  # type: ignore[attr-defined]
    for name, function in FUNCTIONS.items()
}
_features: dict[str, Feature[Any]] = dict(_BUILTIN)

# losses that are made of models, not of one feature
MODEL_LOSSES = ("funque", "vmaf")
_RESERVED = (*MODEL_LOSSES, "names", "LossFunction")

FEATURES: Mapping[str, Feature[Any]] = MappingProxyType(_features)


def register(feature: Feature[Any]) -> Feature[Any]:
    """Makes a metric known everywhere: scores, model files, losses, listings.

    Args:
        feature: the record. One of the same name that was registered before gives way, so a cell
            of a notebook can run twice.

    Returns:
        The record.

    Raises:
        ValueError: a name that is no name, that a metric of jaxvqa has, a loss or key that
            another metric has, or a loss of an output that there is not.
        TypeError: not a `Feature`, or options that are not a dataclass of `Options`.

    docs/adding-a-metric.md walks through one.
    """
    if not isinstance(feature, Feature):
        raise TypeError(f"register takes a jaxvqa.Feature, got {type(feature).__name__}.")
    if not (isinstance(feature.options, type) and issubclass(feature.options, Options)):
        raise TypeError(f"options of {feature.name!r} must be a dataclass of jaxvqa.Options.")
    if not feature.name.replace("_", "").isalnum():
        raise ValueError(
            f"a feature's name consists of letters, digits and '_', got {feature.name!r}."
        )
    if feature.name in _BUILTIN:
        raise ValueError(f"jaxvqa has a feature named {feature.name!r}: choose another name.")
    others = [other for name, other in _features.items() if name != feature.name]
    for key in feature.model_keys():
        taken = next((other.name for other in others if key in other.model_keys()), None)
        if taken is not None:
            raise ValueError(f"key {key!r} belongs to {taken}: give the output another key.")
    if feature.loss is not None:
        taken = next((o.name for o in others if o.loss and o.loss.name == feature.loss.name), None)
        if taken is not None or feature.loss.name in _RESERVED:
            raise ValueError(f"there is a loss named {feature.loss.name!r}: choose another name.")
        outputs = [o.name for o in feature.outputs(feature.options())]
        if isinstance(feature.loss.value, str) and feature.loss.value not in outputs:
            raise ValueError(
                f"the loss of {feature.name} reads {feature.loss.value!r}, which is no output: "
                f"there are {', '.join(outputs)}."
            )
    _features[feature.name] = feature
    by_key.cache_clear()
    return feature


def forget(name: str) -> None:
    """Undoes `register`; for tests, which share one registry."""
    if name not in _BUILTIN:
        _features.pop(name, None)
        by_key.cache_clear()


def is_builtin(feature: Feature[Any]) -> bool:
    """True for a metric that ships, whose code is that of this package."""
    return _BUILTIN.get(feature.name) is feature


def find(name: str) -> Feature[Any]:
    """The feature called `name`.

    Raises:
        ValueError: there is none; names the closest.
    """
    if name in _features:
        return _features[name]
    if "," in name or "|" in name:
        raise ValueError(f"there is no feature named {name!r}: give each feature by itself.")
    close = difflib.get_close_matches(name.lower(), _features, n=3, cutoff=0.5)
    advice = (
        f"did you mean {' or '.join(close)}?" if close else f"known are {', '.join(_features)}."
    )
    raise ValueError(f"there is no feature named {name!r}: {advice}")


@functools.cache
def by_key() -> Mapping[str, tuple[Feature[Any], ...]]:
    """The features that provide each key of model files, in the order of the registry."""
    found: dict[str, tuple[Feature[Any], ...]] = {}
    for feature in _features.values():
        for key in feature.model_keys():
            found[key] = (*found.get(key, ()), feature)
    return found


def extractor_of(key: str) -> str:
    """Name of the one feature that provides `key`, for model files that don't name it.

    Raises:
        ValueError: none does, or several do.
    """
    known = by_key()
    providers = [feature.name for feature in known.get(key, ())]
    if len(providers) == 1:
        return providers[0]
    if providers:
        raise ValueError(
            f"{key!r} may be of {' or '.join(providers)}: use jaxvqa's model format, which names "
            "the feature."
        )
    names = dict.fromkeys(feature.name for features in known.values() for feature in features)
    raise ValueError(
        f"no feature extractor provides {key!r}; models may use the features of: "
        f"{', '.join(names)}."
    )


def differentiable(
    feature: Feature[Any], key: str, settings: Mapping[str, Any]
) -> tuple[Feature[Any], str, Options]:
    """The feature, key and options that stand for an output where a gradient is wanted.

    The feature's twin where it has one, else the feature itself.
    """
    options = feature.resolve(settings)
    twin = feature.twin(key, options) if feature.twin is not None else None
    return twin if twin is not None else (feature, key, options)


def part_of(key: str) -> Part | None:
    """What chroma correction of a model reads the output `key` as; see `Output.part`."""
    for feature in by_key().get(key, ()):
        return feature.output(key, feature.options())[0].part
    return None


def output_of(name: str) -> Output | None:
    """The output that a series of a result holds, with the suffixes of options or pools or without.

    None for what no feature has, whichever switch brings it, such as the score of a model.
    """
    own = (
        output
        for feature in _features.values()
        for output in feature.all_outputs()
        if name in (output.name, output.key) or name.startswith(f"{output.name}_")
    )
    return max(own, key=lambda output: len(output.name), default=None)


def direction_of(name: str) -> Direction:
    """Which way a series of a result is better; what is no output of a feature is "higher"."""
    output = output_of(name)
    return "higher" if output is None else output.direction


def losses() -> dict[str, Feature[Any]]:
    """The features with a loss, by the loss's name."""
    return {f.loss.name: f for f in _features.values() if f.loss is not None}
