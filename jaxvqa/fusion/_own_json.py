"""Our model files: JSON with one setting, one feature and one row of numbers a line.

A file may take its numbers from a shipped model (`{"same_as": "vmaf_v0.6.1"}`) where only the
features' options, the transform or the clip differ.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

from jaxvqa._checks import one_of
from jaxvqa.fusion._blocks import read_settings, write_settings
from jaxvqa.fusion._model import (
    MAX_FEATURES,
    MAX_MEMBERS,
    AnyModel,
    Collection,
    FeatureRef,
    Model,
    ModelInfo,
    stack_members,
    unstack_members,
)
from jaxvqa.fusion._regression_json import KINDS, kind_of, read_regression, write_regression
from jaxvqa.fusion._regressions import Regression, inputs_of
from jaxvqa.fusion._untrusted import Block, options, parse

SCHEMA = "jaxvqa-model"
VERSION = 1
_SETTINGS = (
    "norm_type", "slopes", "intercepts", "chroma_correction_parameter", "score_transform",
    "score_clip",
)  # fmt: skip
_TEXTS = ("summary", "display", "viewing_distance", "bit_depth", "source", "revision", "license")

# objects with these keys have a line for each of them
_LISTED = ("schema", "support_vectors", "layers", "biases", *KINDS)

Shared = Callable[[str], AnyModel]


def read(content: bytes | str, source: str, *, shared: Shared | None = None) -> AnyModel:
    """Reads a model file of ours.

    Args:
        content: the file, treated as untrusted input.
        source: the file's name, for messages.
        shared: gives the shipped model that a `same_as` names; None refuses `same_as`.

    Raises:
        ValueError: anything that is not a model we can evaluate, in one sentence.
    """
    return from_block(parse(content, source), shared=shared)


def from_block(block: Block, *, shared: Shared | None = None) -> AnyModel:
    """`read` of a file that is parsed already."""
    if block.values.get("schema") != SCHEMA:
        block.fail(f'schema must be "{SCHEMA}"')
    if block.number("version") != VERSION:
        block.fail(f"version must be {VERSION}: a newer jaxvqa may read this file")
    features = _read_features(block)
    settings = read_settings(block, features, quoted=False)
    main = replace(settings, regression=_read_main(block, len(features), shared), info=_info(block))
    if "members" not in block:
        return main
    try:
        return Collection(main, _read_members(block, main, shared))
    except ValueError as error:
        message = str(error)
        prefix = "" if message.startswith(block.where) else f"{block.where}: "
        raise ValueError(prefix + message) from None


def _info(block: Block) -> ModelInfo:
    typical_error = _two(block, "typical_error")
    if typical_error is not None and min(typical_error) < 0:
        block.fail("typical_error must not be below 0")
    try:
        direction = one_of("direction", block.text("direction", "higher"), ("higher", "lower"))
    except ValueError as error:
        raise ValueError(f"{block.where}: {error}") from None
    return ModelInfo(
        name=block.identifier("name"),
        direction=direction,
        score_range=_two(block, "score_range"),
        typical_error=typical_error,
        **{key: block.text(key, "") for key in _TEXTS},
    )


def _two(block: Block, key: str) -> tuple[float, float] | None:
    """A pair of numbers, or None where there is none."""
    if key not in block:
        return None
    first, second = block.numbers(key, 2)
    return float(first), float(second)


def _read_features(block: Block) -> tuple[FeatureRef, ...]:
    features = []
    for index, values in enumerate(block.items("features", MAX_FEATURES)):
        inner = Block(values, f"{block.where}, feature {index + 1}")
        given = options(inner.values.get("options"), f"{inner.where}, options")
        features.append(FeatureRef(inner.identifier("extractor"), inner.identifier("key"), given))
    return tuple(features)


def _same_as(block: Block, key: str, shared: Shared | None) -> AnyModel | None:
    """The shipped model that the object under `key` refers to, or None if it holds numbers."""
    values = block.values.get(key)
    if not isinstance(values, dict) or "same_as" not in values:
        return None
    name = block.block(key).identifier("same_as")
    if shared is None:
        block.fail(f"{key} must hold its numbers itself")
    try:
        return shared(name)
    except ValueError as error:
        raise ValueError(f"{block.where}, {key}: {error}") from None


def _read_main(block: Block, count: int, shared: Shared | None) -> Regression:
    other = _same_as(block, kind_of(block), shared)
    if other is None:
        return read_regression(block, count)
    single = other.main if isinstance(other, Collection) else other
    return _fitting(single.regression, count, block)


def _fitting(regression: Regression, count: int, block: Block) -> Regression:
    if inputs_of(regression) != count:
        block.fail("same_as names a model with another number of features")
    return regression


def _read_members(block: Block, main: Model, shared: Shared | None) -> Model:
    bare = replace(main, info=ModelInfo())
    other = _same_as(block, "members", shared)
    if other is not None:
        if not isinstance(other, Collection):
            block.fail("members: same_as must name a collection")
        singles = unstack_members(other.members)
        count = len(main.features)
        members = [replace(bare, regression=_fitting(m.regression, count, block)) for m in singles]
        return stack_members(members)
    members = []
    for index, values in enumerate(block.items("members", MAX_MEMBERS)):
        inner = Block(values, f"{block.where}, member {index + 1}")
        inherited = {key: block.values.get(key) for key in _SETTINGS}
        merged = Block(inherited | inner.values, inner.where)
        settings = read_settings(merged, main.features, quoted=False)
        members.append(replace(settings, regression=read_regression(inner, len(main.features))))
    return stack_members(members)


def write(model: AnyModel, *, svr_from: str | None = None, members_from: str | None = None) -> str:
    """The model as a file of ours; `read` gives it back exactly.

    Args:
        model: what to write.
        svr_from: a shipped model with the same regression, referred to instead of repeated.
        members_from: a shipped collection with the same members' regressions, likewise.
    """
    main = model.main if isinstance(model, Collection) else model
    info = {k: v for k, v in asdict(main.info).items() if v not in ("", None)}
    values: dict[str, Any] = {"schema": SCHEMA, "version": VERSION, "name": main.name} | info
    values["features"] = [_write_feature(feature) for feature in main.features]
    settings = write_settings(main, quoted=False)
    values |= settings
    values |= {"svr": {"same_as": svr_from}} if svr_from else write_regression(main.regression)
    if isinstance(model, Collection):
        if members_from:
            values["members"] = {"same_as": members_from}
        else:
            singles = unstack_members(model.members)
            values["members"] = [_write_member(single, settings) for single in singles]
    return _layout(values, 0) + "\n"


def _write_feature(feature: FeatureRef) -> dict[str, Any]:
    values: dict[str, Any] = {"extractor": feature.extractor, "key": feature.key}
    if feature.options:
        values["options"] = dict(feature.options)
    return values


def _write_member(member: Model, inherited: dict[str, Any]) -> dict[str, Any]:
    own = write_settings(member, quoted=False)
    values = {k: own.get(k) for k in own | inherited if own.get(k) != inherited.get(k)}
    return values | write_regression(member.regression)


def _layout(value: Any, depth: int) -> str:
    """JSON with an object's keys and a list's rows on lines of their own, short values inline."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    nested = any(isinstance(item, (dict, list)) for item in inner)
    listed = isinstance(value, dict) and any(key in value for key in _LISTED)
    rows = isinstance(value, list) and len(json.dumps(value)) > 90 and nested
    if not (listed or rows):
        return json.dumps(value, allow_nan=False, ensure_ascii=False)
    pad = " " * (depth + 1)
    if isinstance(value, dict):
        lines = [f"{pad}{json.dumps(k)}: {_layout(v, depth + 1)}" for k, v in value.items()]
        return "{\n" + ",\n".join(lines) + "\n" + " " * depth + "}"
    return "[\n" + ",\n".join(pad + _layout(v, depth + 1) for v in value) + "\n" + " " * depth + "]"
