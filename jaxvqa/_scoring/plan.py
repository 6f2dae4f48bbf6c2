"""Turns models and features as asked for into the extractions that have to run, each once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from jaxvqa.features import _registry as catalog
from jaxvqa.features._feature import Feature
from jaxvqa.features._options import Options, parse_text
from jaxvqa.fusion._frames import score_frames
from jaxvqa.fusion._model import AnyModel
from jaxvqa.fusion._twins import float_twin


@dataclass(frozen=True)
class Request:
    """One extraction: a feature with its options."""

    feature: Feature
    options: Options

    @property
    def key(self) -> tuple[str, str]:
        """Extractions with the same key publish under the same names."""
        return self.feature.name, self.options.suffix

    @property
    def before(self) -> int:
        """Earlier frames that it needs."""
        return self.feature.before(self.options)

    def merge(self, other: Request) -> Request:
        """One extraction that serves two requests of the same key.

        They can differ in switches that do not show in names (`debug`, `full_ref`): what either
        switches on is on.
        """
        on = {k: v for k, v in other.options.changed().items() if v is True}
        return Request(self.feature, self.options.replace(**on))

    def publish(self, series: Mapping[str, Any]) -> dict[str, Any]:
        """The series under the names that results show."""
        suffix = self.options.suffix
        return {o.name + suffix: series[o.name] for o in self.feature.outputs(self.options)}


@dataclass(frozen=True)
class ModelUse:
    """A model in a plan.

    Args:
        model: the model.
        name: key of its score.
        inputs: for each model feature, the key of the request and the output's name.
        transform: True to apply a score transform that the file leaves off.
        clip: False to leave the score unclipped.
    """

    model: AnyModel
    name: str
    inputs: tuple[tuple[tuple[str, str], str], ...]
    transform: bool | None
    clip: bool

    def score(self, series: Mapping[tuple[str, str], Mapping[str, Any]]) -> dict[str, np.ndarray]:
        """Scores from the finished series of all requests."""
        columns = {
            ref.key: np.asarray(series[key][output])
            for ref, (key, output) in zip(self.model.features, self.inputs, strict=True)
        }
        return score_frames(
            self.model, columns, self.name, transform=self.transform, clip=self.clip
        )


@dataclass(frozen=True)
class Plan:
    """What has to run for a set of models and features."""

    requests: tuple[Request, ...]
    models: tuple[ModelUse, ...]


class Planner:
    """Collects requests; models first, as libvmaf registers them, then single features."""

    def __init__(self, *, arithmetic: str = "auto") -> None:
        """Takes "auto" for what each model asks, "float" to replace integer extractors."""
        self._float = arithmetic == "float"
        self._requests: dict[tuple[str, str], Request] = {}
        self._models: list[ModelUse] = []

    def _add(self, feature: Feature, given: Mapping[str, Any]) -> Request:
        request = Request(feature, feature.resolve(given))
        known = self._requests.get(request.key)
        self._requests[request.key] = known.merge(request) if known else request
        return self._requests[request.key]

    def add_model(
        self, model: AnyModel, name: str, *, transform: bool | None = None, clip: bool = True
    ) -> None:
        """Adds a model whose score is reported under `name`."""
        if any(use.name == name for use in self._models):
            raise ValueError(
                f"two models would report their scores as {name!r}: give one of them another name."
            )
        inputs = []
        for ref in model.features:
            extractor, key, settings = ref.extractor, ref.key, ref.settings
            if self._float:
                extractor, key, settings = float_twin(extractor, key, settings)
            request = self._add(catalog.find(extractor), settings)
            found = [o.name for o in request.feature.outputs(request.options) if o.raw == key]
            if not found:
                raise ValueError(f"model {name}: {extractor} has no output {key}.")
            inputs.append((request.key, found[0]))
        self._models.append(ModelUse(model, name, tuple(inputs), transform, clip))

    def add_feature(self, text: str) -> None:
        """Adds a feature written as libvmaf does, `name=option=value:option=value`."""
        name, options = parse_text(text)
        self._add(catalog.find(name), options)

    def plan(self) -> Plan:
        """The plan of all that was added."""
        if not self._requests:
            raise ValueError("nothing to score: give a model, or at least one feature.")
        return Plan(tuple(self._requests.values()), tuple(self._models))
