"""Turns a request into the extractions that have to run, each once, and the models that read them.

A plan knows nothing of frames: it can be made once and run over many clips.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from jaxvqa._notice import Notice
from jaxvqa._planes import Planes
from jaxvqa._scoring.auto import AUTO, choose_model
from jaxvqa._scoring.facts import Facts
from jaxvqa._scoring.kept import kept
from jaxvqa._scoring.program_store import ProgramStore
from jaxvqa._scoring.request import ModelLike, ScoreRequest
from jaxvqa._scoring.result import ClipInfo
from jaxvqa.features._feature import Feature
from jaxvqa.features._options import Options, parse_text
from jaxvqa.features._registry import differentiable, find
from jaxvqa.features._run import check_feature, check_pictures, finished
from jaxvqa.fusion._catalog import load_request
from jaxvqa.fusion._model import AnyModel, Collection, FeatureRef, Model, with_options
from jaxvqa.fusion._request import ModelRequest, parse_model_text
from jaxvqa.fusion._series import (
    PREDICTION_STATICS,
    prediction_device,
    predictions,
    score_rows,
)

# name of the feature, and its options as far as they decide values
ExtractionKey = tuple[str, Options]


@dataclass(frozen=True)
class Extraction:
    """A feature with its options: what one compiled program computes."""

    feature: Feature[Any]
    options: Options

    @functools.cached_property
    def key(self) -> ExtractionKey:
        """Extractions with the same key give the same values; one serves all."""
        return self.feature.name, self.options.without_additions()

    @property
    def before(self) -> int:
        """Earlier frames that it needs."""
        return self.feature.before(self.options)

    @property
    def reads_chroma(self) -> bool:
        """Whether it reads chroma planes, where the video has them."""
        return self.feature.reads_chroma(self.options)

    def merge(self, other: Extraction) -> Extraction:
        """One extraction with the outputs of two that have the same key."""
        on = {name: True for name in other.options.additions() if getattr(other.options, name)}
        return Extraction(self.feature, self.options.replace(**on))

    def finished(self, series: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The outputs of the whole clip from the raw series."""
        return finished(self.feature, series, self.options)


@dataclass(frozen=True)
class ModelUse:
    """A model in a plan.

    Args:
        model: the model.
        name: key of its score.
        inputs: for each model feature, the key of the extraction and the output's name.
        transform: True to apply a score transform that the file leaves off.
        clip: False to leave the score unclipped.
    """

    model: AnyModel
    name: str
    inputs: tuple[tuple[ExtractionKey, str], ...]
    transform: bool | None
    clip: bool

    def score(
        self,
        series: Mapping[ExtractionKey, Mapping[str, Any]],
        store: ProgramStore | None = None,
    ) -> dict[str, np.ndarray]:
        """Scores from the finished series of all extractions; the store keeps the program."""
        columns = [np.asarray(series[key][output]) for key, output in self.inputs]
        scores = score_rows(
            self.model,
            columns,
            self.name,
            transform=self.transform,
            clip=self.clip,
            program=kept(predictions, PREDICTION_STATICS, store, prediction_device()),
        )
        if self.as_quality is not None:
            name, total = self.as_quality
            scores[name] = total - scores[self.name]
        return scores

    @property
    def as_quality(self) -> tuple[str, float] | None:
        """Where lower is better: name of the score with its range turned round, and their sum."""
        span = self.model.info.score_range
        if self.model.info.direction != "lower" or span is None:
            return None
        return f"{self.name}_quality", sum(span)


@dataclass(frozen=True)
class Plan:
    """What has to run for a request.

    Args:
        extractions: everything to compute, each once.
        models: the models that read it.
        features: features as the request writes them, and the keys of their extractions.
        notices: what the user should know already.
    """

    extractions: tuple[Extraction, ...]
    models: tuple[ModelUse, ...]
    features: tuple[tuple[str, ExtractionKey], ...]
    notices: tuple[Notice, ...]

    @property
    def reads_chroma(self) -> bool:
        """Whether any extraction reads chroma planes; if not, they are not moved at all."""
        return any(extraction.reads_chroma for extraction in self.extractions)

    def check(self, example: Planes) -> None:
        """Raises ValueError or TypeError if something can't measure pictures like `example`."""
        for extraction in self.extractions:
            check_feature(extraction.feature, example, extraction.options)
            read = {
                name for use in self.models for key, name in use.inputs if key == extraction.key
            }
            outputs = extraction.feature.outputs(extraction.options)
            wanted = (output for output in outputs if output.name in read)
            check_pictures(extraction.feature, example, extraction.options, *wanted)

    def models_of(self, extraction: Extraction) -> tuple[str, ...]:
        """Names of the models that read an extraction."""
        return tuple(
            use.model.name or use.name
            for use in self.models
            if any(key == extraction.key for key, _ in use.inputs)
        )


def make_plan(request: ScoreRequest, clip: ClipInfo) -> Plan:
    """Plans a request for clips like `clip`, of which only `--model auto` reads anything.

    Models come first, as libvmaf registers them, then single features.

    Raises:
        ValueError: an unknown model, feature or option, or nothing to score.
    """
    planner = _Planner(request, clip)
    asked = [_model_request(item) for item in request.models]
    names = [each.name for each in asked]
    alone = names.count(None) == 1 and "vmaf" not in names
    for item, each in zip(request.models, asked, strict=True):
        planner.add_model(item, each, clip, alone=alone)
    for text in request.features:
        planner.add_feature(text)
    return planner.plan()


class _Planner:
    def __init__(self, request: ScoreRequest, clip: ClipInfo) -> None:
        self._float = request.arithmetic == "float"
        self._facts = Facts(request, clip)
        self._extractions: dict[ExtractionKey, Extraction] = {}
        self._models: list[ModelUse] = []
        self._features: list[tuple[str, ExtractionKey]] = []
        self._notices: list[Notice] = []

    def _add(self, extraction: Extraction) -> Extraction:
        known = self._extractions.get(extraction.key)
        merged = known.merge(extraction) if known else extraction
        self._extractions[extraction.key] = merged
        return merged

    def _filled_of(self, model: AnyModel) -> dict[str, dict[str, Any]]:
        """What facts fill in, by extractor; what the model or its request says stays."""
        refs: dict[str, list[FeatureRef]] = {}
        for ref in model.features:
            refs.setdefault(ref.extractor, []).append(ref)
        found = {}
        for extractor, own in refs.items():
            feature = find(extractor)
            options = [feature.resolve(ref.settings) for ref in own]
            said = {name for ref in own for name in ref.settings}
            spec = feature.options.spec()
            kept = {o.python for o in spec if said & {o.name, o.python, o.alias}}
            found[extractor] = self._facts.fill(feature, options, kept)
        return {extractor: filled for extractor, filled in found.items() if filled}

    def add_model(
        self, item: ModelLike, request: ModelRequest, clip: ClipInfo, *, alone: bool
    ) -> None:
        """Adds a model; alone if all others have names, none of them "vmaf"."""
        if request.source == AUTO:
            chosen, notice = choose_model(clip)
            request = replace(request, source=chosen)
            self._notices.append(notice)
        model = item if isinstance(item, (Model, Collection)) else load_request(request)
        self._tell_unused(request, model)
        with _naming(model):
            model = with_options(model, self._filled_of(model))
        # without a name of its own a single model of libvmaf's features reports "vmaf", as there
        default = "vmaf" if _of_libvmaf(model) else model.name
        name = request.name or (default if alone else model.name) or "vmaf"
        if any(use.name == name for use in self._models):
            raise ValueError(
                f"two models would report their scores as {name!r}: give one of them another name."
            )
        inputs, replaced = self._inputs(model)
        transform = True if request.enable_transform else None
        use = ModelUse(model, name, inputs, transform, not request.disable_clip)
        self._models.append(use)
        self._tell_about(use, replaced)

    def _inputs(self, model: AnyModel) -> tuple[tuple[tuple[ExtractionKey, str], ...], bool]:
        """Extraction and output of each input, and whether a twin stands for one of them."""
        inputs, replaced = [], False
        for ref in model.features:
            feature, key = find(ref.extractor), ref.key
            with _naming(model):
                options = feature.resolve(ref.settings)
                if self._float:
                    twin, key, options = differentiable(feature, key, ref.settings)
                    feature, replaced = twin, replaced or twin is not feature
                output, options = feature.output(key, options)
            extraction = self._add(Extraction(feature, options))
            inputs.append((extraction.key, output.name))
        return tuple(inputs), replaced

    def _tell_unused(self, request: ModelRequest, model: AnyModel) -> None:
        used = {f.extractor for f in model.features}
        for extractor in request.overloads:
            if extractor not in used:
                text = (
                    f"model {model.name} does not use {extractor}: its option "
                    f"{', '.join(request.overloads[extractor])} changes nothing."
                )
                self._notices.append(Notice("unused-option", text))

    def _tell_about(self, use: ModelUse, replaced: bool) -> None:
        model = use.model
        if replaced:
            text = (
                f"model {model.name} was trained on fixed-point features and is scored with their "
                "float twins here: expect differences of hundredths of a point, for NEG up to 0.2."
            )
            self._notices.append(Notice("float-twins", text))
        if model.info.direction == "lower":
            text = f"model {model.name} predicts impairment (DMOS): lower scores are better"
            if use.as_quality is not None:
                quality, total = use.as_quality
                text += f"; {quality} is the same turned round, {total:g} - {use.name}"
            text += "."
            self._notices.append(Notice("lower-is-better", text))

    def add_feature(self, text: str) -> None:
        """Adds a feature written as libvmaf does, `name=option=value:option=value`."""
        name, given = parse_text(text)
        feature = find(name)
        options = feature.resolve(given)
        kept = {o.python for o in feature.options.spec() if getattr(options, o.python) != 0}
        filled = self._facts.fill(feature, [options], kept)
        extraction = self._add(Extraction(feature, options.replace(**filled)))
        self._features.append((text, extraction.key))

    def plan(self) -> Plan:
        """The plan of all that was added."""
        if not self._extractions:
            raise ValueError("nothing to score: give a model, or at least one feature.")
        return Plan(
            tuple(self._extractions.values()),
            tuple(self._models),
            tuple(self._features),
            (*self._notices, *self._facts.notices),
        )


def _model_request(item: ModelLike) -> ModelRequest:
    """What is asked of a model; of one that is loaded, nothing."""
    loaded = isinstance(item, (Model, Collection))
    return ModelRequest("") if loaded else parse_model_text(str(item))


@contextlib.contextmanager
def _naming(model: AnyModel) -> Iterator[None]:
    """Puts the model's name in front of what is wrong with its features."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"model {model.name}: {error}") from None


def _of_libvmaf(model: AnyModel) -> bool:
    return all(find(f.extractor).libvmaf for f in model.features)
