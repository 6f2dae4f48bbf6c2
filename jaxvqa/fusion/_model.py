"""The model types: arrays as pytree leaves, names and file facts as static fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import jax
import numpy as np

from jaxvqa._pytree import pytree, static
from jaxvqa.features._feature import Part
from jaxvqa.features._registry import part_of
from jaxvqa.fusion._regressions import Regression, Svr

OptionValue = bool | int | float | str

MAX_FEATURES = 64
MAX_MEMBERS = 1000
MAX_KNOTS = 10


@dataclass(frozen=True)
class FeatureRef:
    """One input of a model.

    Args:
        extractor: the feature extractor that provides it (`adm`, `float_vif`, `cambi`).
        key: libvmaf's full key (`VMAF_integer_feature_adm2_score`).
        options: `(name, value)` pairs for the extractor, values as the file has them.
    """

    extractor: str
    key: str
    options: tuple[tuple[str, OptionValue], ...] = ()

    @property
    def settings(self) -> dict[str, OptionValue]:
        """The options as libvmaf hands them over: numbers keep six significant digits."""
        return {name: _six_digits(value) for name, value in self.options}


def _six_digits(value: OptionValue) -> OptionValue:
    if isinstance(value, (bool, str)):
        return value
    return type(value)(float(f"{value:g}"))


@dataclass(frozen=True)
class ModelInfo:
    """What a person wants to know about a model; nothing here changes a score.

    Args:
        name: the model's name; the key of its scores where several models run without names.
        summary: what it is for, one line.
        display: the screen it predicts for.
        viewing_distance: in picture heights, in words.
        score_range: smallest and largest score, or None if the model doesn't clip.
        bit_depth: which input depth suits it, in words.
        direction: "higher" or "lower" is better.
        source: where the numbers come from.
        revision: revision of that source.
        license: SPDX id of the numbers.
        typical_error: of an estimate, how far it is from what it predicts on contents that its fit
            did not see: the mean size of its errors per clip, and the size that one clip of 20
            exceeds; in points. Who scores with the model is told. None where it was not measured.
    """

    name: str = ""
    summary: str = ""
    display: str = ""
    viewing_distance: str = ""
    score_range: tuple[float, float] | None = None
    bit_depth: str = ""
    direction: str = "higher"
    source: str = ""
    revision: str = ""
    license: str = ""
    typical_error: tuple[float, float] | None = None


@pytree(eq=False)
class ScoreTransform:
    """Polynomial, then knots, then rectification against the polynomial's input.

    Args:
        p0, p1, p2: coefficients of the polynomial; 0, 1, 0 where a file has none.
        knots: `(k, 2)` points of a piecewise linear map, or None.
        out_lte_in: the result may not exceed the input.
        out_gte_in: the result may not fall below the input.
        enabled: applied unless the caller says otherwise.
    """

    p0: Any
    p1: Any
    p2: Any
    knots: Any = None
    out_lte_in: bool = static(default=False)
    out_gte_in: bool = static(default=False)
    enabled: bool = static(default=False)


@pytree(eq=False)
class Model:
    """One regression model with everything between features and published score.

    Args:
        regression: an `Svr`, a `Linear` or an `Mlp`.
        slopes, intercepts: `(n + 1,)`; element 0 belongs to the score, the others to the features.
            All 1 and all 0 where `norm_type` is "none".
        score_clip: `(2,)` smallest and largest score, or None.
        chroma_correction_parameter: scalar, or None; see `_predict.correct_chroma`.
        score_transform: or None.
        features: the inputs, in order.
        norm_type: "linear_rescale" or "none", as the file says.
        info: description.

    A `Model` is a pytree whose leaves are the arrays, so it can be stacked, mapped and trained.
    """

    regression: Regression
    slopes: Any
    intercepts: Any
    score_clip: Any = None
    chroma_correction_parameter: Any = None
    score_transform: ScoreTransform | None = None
    features: tuple[FeatureRef, ...] = static(default=())
    norm_type: str = static(default="linear_rescale")
    info: ModelInfo = static(default=ModelInfo())

    @property
    def name(self) -> str:
        """The model's name."""
        return self.info.name


@pytree(eq=False)
class Collection:
    """A bootstrap collection: the main model and its re-trained members.

    Args:
        main: the ordinary model, reported under the collection's name.
        members: a `Model` whose arrays have a leading member axis; missing support vectors are
            padded with coefficient 0.
    """

    main: Model
    members: Model

    @property
    def name(self) -> str:
        """The main model's name."""
        return self.main.name

    @property
    def info(self) -> ModelInfo:
        """The main model's description."""
        return self.main.info

    @property
    def features(self) -> tuple[FeatureRef, ...]:
        """The inputs, which all members share."""
        return self.main.features

    @property
    def size(self) -> int:
        """Number of members besides the main model."""
        return self.members.slopes.shape[0]


AnyModel = Model | Collection


def index_of(features: Sequence[FeatureRef], part: Part) -> int:
    """Position of the one feature that chroma correction reads as `part`; see `Output.part`.

    Raises:
        ValueError: none or several do.
    """
    positions = [i for i, feature in enumerate(features) if part_of(feature.key) == part]
    if len(positions) != 1:
        raise ValueError(
            f"chroma correction needs exactly one feature of {part}, this model has "
            f"{len(positions)}."
        )
    return positions[0]


def describe(model: AnyModel, **facts: Any) -> AnyModel:
    """The same model with some fields of its `ModelInfo` replaced."""
    if isinstance(model, Collection):
        info = replace(model.main.info, **facts)
        return replace(model, main=replace(model.main, info=info))
    return replace(model, info=replace(model.info, **facts))


def with_options(model: AnyModel, overloads: Mapping[str, Mapping[str, OptionValue]]) -> AnyModel:
    """Merges `{extractor: {option: value}}` over the options of that extractor's features.

    Those for extractors that the model doesn't use change nothing, as in libvmaf.
    """
    features = tuple(
        replace(f, options=tuple((dict(f.options) | dict(overloads.get(f.extractor, {}))).items()))
        for f in model.features
    )
    if isinstance(model, Collection):
        members = replace(model.members, features=features)
        return Collection(replace(model.main, features=features), members)
    return replace(model, features=features)


def numbers_only(model: AnyModel) -> AnyModel:
    """The same model without descriptions and options: models of equal shape compile once."""
    if isinstance(model, Collection):
        return Collection(_bare(model.main), _bare(model.members))
    return _bare(model)


def _bare(model: Model) -> Model:
    keys = tuple(FeatureRef("", feature.key) for feature in model.features)
    return replace(model, info=ModelInfo(), features=keys)


def stack_members(members: Sequence[Model]) -> Model:
    """Stacks models along a new leading axis, support vectors padded to the longest.

    Raises:
        ValueError: no members, or members that differ in features, clip or transform form.
    """
    if not members:
        raise ValueError("a collection needs at least one member besides the main model.")
    forms = {jax.tree.structure(replace(m, info=ModelInfo())) for m in members}
    sizes = {np.shape(m.score_transform.knots) if m.score_transform else () for m in members}
    if len(forms) != 1 or len(sizes) != 1:
        raise ValueError(
            "the members of a collection must agree in features, options, norm_type, and in the "
            "presence and flags of clip, transform and chroma correction."
        )
    svrs = [m.regression for m in members if isinstance(m.regression, Svr)]
    most = max((len(svr.coefficients) for svr in svrs), default=0)
    return jax.tree.map(lambda *leaves: np.stack(leaves), *(_padded(m, most) for m in members))


def _padded(model: Model, most: int) -> Model:
    svr = model.regression
    if not isinstance(svr, Svr):
        return replace(model, info=ModelInfo())
    extra = most - len(svr.coefficients)
    padded = replace(
        svr,
        support_vectors=np.pad(svr.support_vectors, ((0, extra), (0, 0))),
        coefficients=np.pad(svr.coefficients, (0, extra)),
    )
    return replace(model, regression=padded, info=ModelInfo())


def unstack_members(members: Model) -> list[Model]:
    """The members one by one, without the padding; the inverse of `stack_members`."""
    count = members.slopes.shape[0]
    return [
        _unpadded(jax.tree.map(lambda leaf, i=index: np.asarray(leaf)[i], members))
        for index in range(count)
    ]


def _unpadded(member: Model) -> Model:
    svr = member.regression
    if not isinstance(svr, Svr):
        return member
    count = len(np.trim_zeros(svr.coefficients, "b"))
    trimmed = replace(
        svr,
        support_vectors=svr.support_vectors[:count],
        coefficients=svr.coefficients[:count],
    )
    return replace(member, regression=trimmed)
