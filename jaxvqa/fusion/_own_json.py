"""Our model files: JSON with one setting, one feature and one support vector a line.

A file may take its numbers from a shipped model (`{"same_as": "vmaf_v0.6.1"}`) where only the
features' options, the transform or the clip differ.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from jaxvqa._checks import one_of
from jaxvqa.fusion._blocks import check_svr, plain, read_settings, write_settings
from jaxvqa.fusion._model import (
    MAX_FEATURES,
    MAX_MEMBERS,
    MAX_SUPPORT_VECTORS,
    AnyModel,
    Collection,
    FeatureRef,
    Model,
    ModelInfo,
    Svr,
    stack_members,
    unstack_members,
)
from jaxvqa.fusion._untrusted import Block, finite, options, parse

SCHEMA = "jaxvqa-model"
VERSION = 1
_SETTINGS = (
    "norm_type", "slopes", "intercepts", "chroma_correction_parameter", "score_transform",
    "score_clip",
)  # fmt: skip
_TEXTS = ("summary", "display", "viewing_distance", "bit_depth", "source", "revision", "license")

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
    main = replace(settings, svr=_read_main_svr(block, len(features), shared), info=_info(block))
    if "members" not in block:
        return main
    try:
        return Collection(main, _read_members(block, main, shared))
    except ValueError as error:
        message = str(error)
        prefix = "" if message.startswith(block.where) else f"{block.where}: "
        raise ValueError(prefix + message) from None


def _info(block: Block) -> ModelInfo:
    score_range = None
    if "score_range" in block:
        low, high = block.numbers("score_range", 2)
        score_range = (float(low), float(high))
    try:
        direction = one_of("direction", block.text("direction", "higher"), ("higher", "lower"))
    except ValueError as error:
        raise ValueError(f"{block.where}: {error}") from None
    return ModelInfo(
        name=block.identifier("name"),
        score_range=score_range,
        direction=direction,
        **{key: block.text(key, "") for key in _TEXTS},
    )


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


def _read_main_svr(block: Block, count: int, shared: Shared | None) -> Svr:
    other = _same_as(block, "svr", shared)
    if other is None:
        return _read_svr(block.block("svr"), count)
    svr = other.main.svr if isinstance(other, Collection) else other.svr
    return _fitting(svr, count, block)


def _fitting(svr: Svr, count: int, block: Block) -> Svr:
    if svr.support_vectors.shape[-1] != count:
        block.fail("same_as names a model with another number of features")
    return svr


def _read_svr(block: Block, count: int) -> Svr:
    rows = block.items("support_vectors", MAX_SUPPORT_VECTORS)
    if not all(isinstance(row, list) and len(row) == count + 1 for row in rows):
        block.fail(f"support_vectors must be rows of a coefficient and {count} features")
    what = f"{block.where}: a support vector"
    table = np.array([[finite(value, what) for value in row] for row in rows], np.float64)
    svr = Svr(
        support_vectors=table[:, 1:].copy(),
        coefficients=table[:, 0].copy(),
        gamma=np.float64(block.number("gamma")),
        rho=np.float64(block.number("rho")),
    )
    return check_svr(svr, block)


def _read_members(block: Block, main: Model, shared: Shared | None) -> Model:
    bare = replace(main, info=ModelInfo())
    other = _same_as(block, "members", shared)
    if other is not None:
        if not isinstance(other, Collection):
            block.fail("members: same_as must name a collection")
        singles = unstack_members(other.members)
        members = [replace(bare, svr=_fitting(m.svr, len(main.features), block)) for m in singles]
        return stack_members(members)
    members = []
    for index, values in enumerate(block.items("members", MAX_MEMBERS)):
        inner = Block(values, f"{block.where}, member {index + 1}")
        inherited = {key: block.values.get(key) for key in _SETTINGS}
        merged = Block(inherited | inner.values, inner.where)
        settings = read_settings(merged, main.features, quoted=False)
        members.append(replace(settings, svr=_read_svr(inner.block("svr"), len(main.features))))
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
    values["svr"] = {"same_as": svr_from} if svr_from else _write_svr(main.svr)
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
    return values | {"svr": _write_svr(member.svr)}


def _write_svr(svr: Svr) -> dict[str, Any]:
    rows = np.column_stack([svr.coefficients, svr.support_vectors])
    return {"gamma": plain(svr.gamma), "rho": plain(svr.rho), "support_vectors": plain(rows)}


def _layout(value: Any, depth: int) -> str:
    """JSON with an object's keys and a list's rows on lines of their own, short values inline."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    nested = any(isinstance(item, (dict, list)) for item in inner)
    listed = isinstance(value, dict) and ("schema" in value or "support_vectors" in value)
    rows = isinstance(value, list) and len(json.dumps(value)) > 90 and nested
    if not (listed or rows or (isinstance(value, dict) and "svr" in value)):
        return json.dumps(value, allow_nan=False, ensure_ascii=False)
    pad = " " * (depth + 1)
    if isinstance(value, dict):
        lines = [f"{pad}{json.dumps(k)}: {_layout(v, depth + 1)}" for k, v in value.items()]
        return "{\n" + ",\n".join(lines) + "\n" + " " * depth + "}"
    return "[\n" + ",\n".join(pad + _layout(v, depth + 1) for v in value) + "\n" + " " * depth + "]"
