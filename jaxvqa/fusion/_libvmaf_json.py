"""libvmaf's own model files: single models and bootstrap collections.

Source: libvmaf f85a853, `read_json_model.c`, `svm.cpp`.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np

from jaxvqa.features._feature import Output
from jaxvqa.features._options import Options
from jaxvqa.features._registry import extractor_of, find
from jaxvqa.fusion._blocks import check_svr, plain, read_settings, write_settings
from jaxvqa.fusion._model import (
    MAX_FEATURES,
    MAX_MEMBERS,
    AnyModel,
    Collection,
    FeatureRef,
    Model,
    describe,
    stack_members,
    unstack_members,
)
from jaxvqa.fusion._regression_json import MAX_SUPPORT_VECTORS
from jaxvqa.fusion._regressions import Svr
from jaxvqa.fusion._untrusted import Block, finite_text, options, parse

MODEL_TYPES = ("LIBSVMNUSVR", "BOOTSTRAP_LIBSVMNUSVR", "RESIDUEBOOTSTRAP_LIBSVMNUSVR")
_NEEDED = {"svm_type": "nu_svr", "kernel_type": "rbf"}


def read(content: bytes | str, source: str) -> AnyModel:
    """Reads a model file of libvmaf.

    Args:
        content: the file, treated as untrusted input.
        source: the file's name; without its ending it becomes the model's name.

    Returns:
        A `Model`, or a `Collection` if the file holds members "0", "1" and so on.

    Raises:
        ValueError: anything that is not a model we can evaluate, in one sentence.
    """
    return from_block(parse(content, source), source)


def from_block(block: Block, source: str) -> AnyModel:
    """`read` of a file that is parsed already."""
    if "model_dict" in block:
        model: AnyModel = _read_single(block)
    else:
        model = _read_collection(block)
    clip = model.main.score_clip if isinstance(model, Collection) else model.score_clip
    score_range = None if clip is None else (float(clip[0]), float(clip[1]))
    name = source.removesuffix(".json")
    return describe(model, name=name, score_range=score_range, source=f"libvmaf file {source}")


def _read_collection(block: Block) -> Collection:
    keys = [key for key in block.values if key.isascii() and key.isdigit()]
    if len(keys) < 2 or keys != [str(i) for i in range(len(keys))]:
        block.fail(
            'is neither a model (an object with "model_dict") nor a collection '
            '(models under "0", "1", ... in this order)'
        )
    if len(keys) > MAX_MEMBERS + 1:
        block.fail(f"has more than {MAX_MEMBERS} members")
    singles = [_read_single(block.block(key)) for key in keys]
    if any(single.features != singles[0].features for single in singles):
        block.fail("the members of a collection must use the same features with the same options")
    try:
        return Collection(singles[0], stack_members(singles[1:]))
    except ValueError as error:
        raise ValueError(f"{block.where}: {error}") from None


def _read_single(block: Block) -> Model:
    inner = block.block("model_dict")
    if inner.text("model_type", "") not in MODEL_TYPES:
        inner.fail(f"model_type must be one of {', '.join(MODEL_TYPES)}")
    features = _read_features(inner)
    settings = read_settings(inner, features, quoted=True)
    return replace(settings, regression=read_svr(inner, len(features)))


def _read_features(block: Block) -> tuple[FeatureRef, ...]:
    keys = block.items("feature_names", MAX_FEATURES)
    given = [None] * len(keys)
    if "feature_opts_dicts" in block:
        given = block.items("feature_opts_dicts", MAX_FEATURES)
    if len(given) != len(keys):
        block.fail("feature_opts_dicts must have as many elements as feature_names")
    features = []
    for key, opts in zip(keys, given, strict=True):
        if not isinstance(key, str):
            block.fail("feature_names must be strings")
        try:
            extractor = extractor_of(key)
        except ValueError as error:
            raise ValueError(f"{block.where}: {error}") from None
        features.append(FeatureRef(extractor, key, options(opts, f"{block.where}, {key}")))
    return tuple(features)


def read_svr(block: Block, count: int) -> Svr:
    """Parses the libsvm text under "model" for `count` features."""
    text = block.values.get("model")
    if not isinstance(text, str):
        block.fail("model must be the text of a libsvm model")
    head, mark, body = text.replace("\r\n", "\n").partition("\nSV\n")
    if not mark:
        block.fail("model has no SV section")
    header = _header(head)
    for key, value in _NEEDED.items():
        if header.get(key) != value:
            block.fail(f"model must have {key} {value}, it has {header.get(key)!r:.40}")
    rows = [line for line in body.split("\n") if line.strip()]
    if not 1 <= len(rows) <= MAX_SUPPORT_VECTORS:
        block.fail(f"model must have 1 to {MAX_SUPPORT_VECTORS} support vectors, got {len(rows)}")
    total = header.get("total_sv", "")
    if total != str(len(rows)):
        block.fail(f"model announces {total!r:.40} support vectors, {len(rows)} follow")
    where = f"{block.where}, model"
    vectors, coefficients = np.zeros((len(rows), count)), np.zeros(len(rows))
    for index, row in enumerate(rows):
        first, *pairs = row.split()
        coefficients[index] = finite_text(first, f"{where}: a coefficient")
        _fill(vectors[index], pairs, where)
    svr = Svr(
        support_vectors=vectors,
        coefficients=coefficients,
        gamma=np.float64(finite_text(header.get("gamma", ""), f"{where}: gamma")),
        rho=np.float64(finite_text(header.get("rho", ""), f"{where}: rho")),
    )
    return check_svr(svr, block)


def _header(text: str) -> dict[str, str]:
    """The "key value" lines before the support vectors."""
    pairs = (line.strip().partition(" ") for line in text.split("\n"))
    return {key: value.strip() for key, _, value in pairs}


def _fill(vector: np.ndarray, pairs: list[str], where: str) -> None:
    """Writes sparse "index:value" pairs into a row; indices that are left out stay 0."""
    last = 0
    for pair in pairs:
        index, _, value = pair.partition(":")
        position = int(index) if index.isascii() and index.isdigit() and len(index) < 6 else 0
        if not last < position <= len(vector):
            raise ValueError(
                f"{where}: support vectors must list indices from 1 to {len(vector)} in "
                f"increasing order, got {pair!r:.40}."
            )
        vector[position - 1] = finite_text(value, f"{where}: a support vector")
        last = position


def provided(feature: FeatureRef) -> bool:
    """Whether libvmaf has the feature and gives the value to models."""
    return find(feature.extractor).libvmaf and _output(feature)[0].for_models


def write(model: AnyModel) -> str:
    """The model as a file that libvmaf reads; description and name are not part of the format.

    Raises:
        ValueError: a regression or an input that libvmaf's models can't have.
    """
    if isinstance(model, Collection):
        members = unstack_members(model.members)
        kind = "BOOTSTRAP_LIBSVMNUSVR"
        singles = {str(i): _write_single(m, kind) for i, m in enumerate([model.main, *members])}
        return json.dumps(singles, indent=1) + "\n"
    return json.dumps(_write_single(model, "LIBSVMNUSVR"), indent=1) + "\n"


def _write_single(model: Model, model_type: str) -> dict[str, Any]:
    for feature in model.features:
        if not _output(feature)[0].for_models:
            raise ValueError(
                f"model {model.name} has the input {feature.key}, which libvmaf gives to no model: "
                'save it with file_format="jaxvqa".'
            )
    options = [_options(feature) for feature in model.features]
    values: dict[str, Any] = {
        "model_type": model_type,
        "feature_names": [feature.key for feature in model.features],
    }
    if any(options):
        values["feature_opts_dicts"] = options
    values |= write_settings(model, quoted=True)
    values["model"] = _write_svr(model)
    return {"model_dict": values}


def _options(feature: FeatureRef) -> dict[str, Any]:
    """The options of an input, and the switch without which libvmaf does not compute it."""
    return _output(feature)[1].changed() | dict(feature.options)


def _output(feature: FeatureRef) -> tuple[Output, Options]:
    """The output that an input is, and the options that switch it on."""
    extractor = find(feature.extractor)
    return extractor.output(feature.key, extractor.options(), shown=True)


def _write_svr(model: Model) -> str:
    svr = model.regression
    if not isinstance(svr, Svr):
        raise ValueError(
            f"model {model.name} is no support vector regression, and libvmaf reads no other: "
            'save it with file_format="jaxvqa".'
        )
    lines = [
        "svm_type nu_svr",
        "kernel_type rbf",
        f"gamma {float(svr.gamma)!r}",
        "nr_class 2",
        f"total_sv {len(svr.coefficients)}",
        f"rho {float(svr.rho)!r}",
        "SV",
    ]
    for alpha, vector in zip(plain(svr.coefficients), plain(svr.support_vectors), strict=True):
        pairs = [f"{i + 1}:{value!r}" for i, value in enumerate(vector) if value != 0]
        lines.append(" ".join([repr(alpha), *pairs, ""]))
    return "\n".join(lines) + "\n"
