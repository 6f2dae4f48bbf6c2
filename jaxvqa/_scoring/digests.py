"""Digests of what scores depend on: files by content, requests with what their models hold."""

from __future__ import annotations

import functools
import hashlib
import os
from typing import Any

import jax
import numpy as np

from jaxvqa._scoring.auto import AUTO
from jaxvqa._scoring.request import ScoreRequest
from jaxvqa._settings import settings_of
from jaxvqa._version import __version__
from jaxvqa.fusion._catalog import ALIASES, load_request, model_folder, model_names
from jaxvqa.fusion._model import Collection, Model
from jaxvqa.fusion._request import parse_model_text

_READ = 1 << 20


def digest_of(content: str | bytes) -> str:
    """SHA-256 of a text or bytes."""
    return hashlib.sha256(content.encode() if isinstance(content, str) else content).hexdigest()


def file_digest(path: str) -> str:
    """SHA-256 of what a file holds.

    Raises:
        OSError: it can't be read.
    """
    with open(path, "rb") as data:
        digest = hashlib.sha256()
        for part in iter(functools.partial(data.read, _READ), b""):
            digest.update(part)
    return digest.hexdigest()


def request_digest(request: ScoreRequest) -> str:
    """A digest of a request with the contents of its models, and of this library's version.

    Raises:
        ValueError: a model that doesn't exist.
    """
    values = [
        (s.name, getattr(part, s.name))
        for part in (request, request.inputs)
        for s in settings_of(type(part))
        if s.name != "model"
    ]
    models = [_model_facts(model) for model in request.models]
    return digest_of(repr((__version__, values, models)))


def _model_facts(model: Any) -> tuple[str, str]:
    if isinstance(model, (Model, Collection)):
        leaves = [np.asarray(leaf) for leaf in jax.tree.leaves(model)]
        parts = [repr(jax.tree.structure(model)), *(repr((x.shape, x.dtype)) for x in leaves)]
        return "", digest_of("".join(parts).encode() + b"".join(x.tobytes() for x in leaves))
    text = os.fspath(model)
    request = parse_model_text(text)
    if request.source == AUTO:
        return text, ""
    load_request(request)  # tells of a model that isn't there
    name = ALIASES.get(request.source, request.source)
    shipped = request.kind != "path" and name in model_names()
    return text, file_digest(str(model_folder() / f"{name}.json") if shipped else request.source)
