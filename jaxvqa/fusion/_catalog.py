"""Models by name or path, and the list of those that ship."""

from __future__ import annotations

import difflib
import functools
import os
from dataclasses import dataclass
from pathlib import Path

import jax
import numpy as np

from jaxvqa.features._registry import find
from jaxvqa.fusion import _libvmaf_json as libvmaf_json
from jaxvqa.fusion import _own_json as own_json
from jaxvqa.fusion._model import (
    AnyModel,
    Collection,
    FeatureRef,
    ModelInfo,
    with_options,
)
from jaxvqa.fusion._request import ModelRequest
from jaxvqa.fusion._untrusted import parse, read_bytes

DEFAULT = "vmaf_v0.6.1"

ALIASES = {
    "vmaf_v1": "vmaf_v1.0.16_3d0h",
    "vmaf_v1_phone": "vmaf_v1.0.16_5d0h",
    "vmaf_v1_4k": "vmaf_v1.0.16_1d5h_2160",
    "vmaf_v1_4k_3h": "vmaf_v1.0.16_3d0h_2160",
}


@dataclass(frozen=True)
class ModelRecord:
    """One shipped model in a listing.

    Args:
        name: its name.
        aliases: other names for it.
        info: description.
        features: its inputs.
        members: bootstrap members besides the main model, 0 for a single model.
    """

    name: str
    aliases: tuple[str, ...]
    info: ModelInfo
    features: tuple[FeatureRef, ...]
    members: int


@functools.cache
def model_folder() -> Path:
    """Folder of the shipped models: inside an installed package, beside it in a checkout.

    Raises:
        FileNotFoundError: the installation has no models.
    """
    package = Path(__file__).parents[1]
    for folder in (package / "_models", package.parent / "models"):
        if (folder / f"{DEFAULT}.json").is_file():
            return folder
    raise FileNotFoundError("this installation of jaxvqa has no model files: reinstall jaxvqa.")


@functools.cache
def model_names() -> tuple[str, ...]:
    """Names of the shipped models, sorted; aliases not included."""
    return tuple(sorted(path.name.removesuffix(".json") for path in model_folder().glob("*.json")))


def load_model(name_or_path: str | os.PathLike[str]) -> AnyModel:
    """A shipped model by name or alias, or a model file (ours or libvmaf's) by path.

    Args:
        name_or_path: e.g. "vmaf_v1.0.16_3d0h", "vmaf_v1", "my_models/best.json". A shipped name
            wins over a file of that name; write "./name" for the file.

    Returns:
        A `Model` or a `Collection` with read-only arrays.

    Raises:
        ValueError: no such model (the message suggests close names), or a file that is no model.
    """
    text = os.fspath(name_or_path)
    name = ALIASES.get(text, text)
    if name in model_names():
        return _shipped(name)
    path = Path(text)
    if path.is_file():
        return _load_file(path)
    known = [*model_names(), *ALIASES]
    close = difflib.get_close_matches(path.name.removesuffix(".json"), known, n=3, cutoff=0.5)
    advice = f"did you mean {' or '.join(close)}?" if close else f"known are {', '.join(known)}."
    raise ValueError(f"there is no model named {text!r} and no such file: {advice}")


def load_request(request: ModelRequest) -> AnyModel:
    """The model that a parsed `--model` text asks for, with its options merged in.

    Raises:
        ValueError: no such model, or an option for a feature that doesn't exist.
    """
    for extractor in request.overloads:
        find(extractor)
    if request.kind == "version":
        known = [*model_names(), *ALIASES]
        if request.source not in known:
            close = difflib.get_close_matches(request.source, known, n=3, cutoff=0.5)
            advice = f" did you mean {' or '.join(close)}?" if close else ""
            raise ValueError(f"there is no shipped model {request.source!r}:{advice}")
    if request.kind == "path":
        path = Path(request.source)
        if not path.is_file():
            raise ValueError(f"there is no model file {request.source!r}.")
        return with_options(_load_file(path), request.overloads)
    return with_options(load_model(request.source), request.overloads)


def list_models() -> tuple[ModelRecord, ...]:
    """Records of all shipped models, sorted by name."""
    records = []
    for name in model_names():
        model = _shipped(name)
        aliases = tuple(alias for alias, target in ALIASES.items() if target == name)
        members = model.size if isinstance(model, Collection) else 0
        records.append(ModelRecord(name, aliases, model.info, model.features, members))
    return tuple(records)


@functools.cache
def _shipped(name: str) -> AnyModel:
    return _load_file(model_folder() / f"{name}.json")


@functools.cache
def _numbers(name: str) -> AnyModel:
    """A shipped model that holds its numbers itself: what `same_as` may refer to."""
    if name not in model_names():
        raise ValueError(f"same_as names {name!r}, which is not a shipped model.")
    path = model_folder() / f"{name}.json"
    return _frozen(own_json.read(read_bytes(path), path.name))


def _load_file(path: Path) -> AnyModel:
    block = parse(read_bytes(path), path.name)
    if "schema" in block:
        return _frozen(own_json.from_block(block, shared=_numbers))
    return _frozen(libvmaf_json.from_block(block, path.name))


def _frozen(model: AnyModel) -> AnyModel:
    """The same model with arrays that nobody can change, since loaded models are shared."""
    for leaf in jax.tree.leaves(model):
        if isinstance(leaf, np.ndarray):
            leaf.flags.writeable = False
    return model
