"""Whether a job is done already: a key of all that its result depends on."""

from __future__ import annotations

import functools
import hashlib
import os
from typing import Any

import jax
import numpy as np

from jaxvqa._batch.job import Job
from jaxvqa._scoring.request import ScoreRequest
from jaxvqa._settings import settings_of
from jaxvqa._version import __version__
from jaxvqa.fusion._catalog import ALIASES, load_request, model_folder, model_names
from jaxvqa.fusion._model import Collection, Model
from jaxvqa.fusion._request import parse_model_text
from jaxvqa.video._errors import VideoError
from jaxvqa.video._pictures import find_pictures
from jaxvqa.video._source import is_url

_AUTO = "auto"
_READ = 1 << 20


class Keys:
    """Keys of jobs; a file is looked at once for all jobs that read it.

    A key is the job's id with a digest of the request, its model files, this library's version, the
    names of both videos, and their sizes and times of change. What an address holds is not asked.

    Args:
        strict: read the videos and take their SHA-256 in place of the times.
    """

    def __init__(self, strict: bool = False) -> None:
        self._strict = strict
        self._files: dict[str, str] = {}
        self._requests: dict[int, str] = {}

    def of(self, job: Job) -> str:
        """A job's key, as text.

        Raises:
            ValueError: a model that doesn't exist.
        """
        number = id(job.request)
        if number not in self._requests:
            self._requests[number] = request_digest(job.request)
        facts = (job.id, job.named, self._requests[number], self._file(job.ref))
        return _digest(repr((*facts, self._file(job.dis), self._strict)))

    def _file(self, path: str) -> str:
        if path not in self._files:
            self._files[path] = _facts(path, self._strict)
        return self._files[path]


def request_digest(request: ScoreRequest) -> str:
    """A digest of a request with the contents of its models.

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
    return _digest(repr((__version__, values, models)))


def _model_facts(model: Any) -> tuple[str, str]:
    if isinstance(model, (Model, Collection)):
        leaves = [np.asarray(leaf) for leaf in jax.tree.leaves(model)]
        parts = [repr(jax.tree.structure(model)), *(repr((x.shape, x.dtype)) for x in leaves)]
        return "", _digest("".join(parts).encode() + b"".join(x.tobytes() for x in leaves))
    text = os.fspath(model)
    request = parse_model_text(text)
    if request.source == _AUTO:
        return text, ""
    load_request(request)  # tells of a model that isn't there
    name = ALIASES.get(request.source, request.source)
    shipped = request.kind != "path" and name in model_names()
    return text, _contents(str(model_folder() / f"{name}.json") if shipped else request.source)


def _facts(path: str, strict: bool) -> str:
    if is_url(path):
        return "address"
    try:
        pictures = find_pictures(path)
        files = [path] if pictures is None else pictures
        return _digest(repr([_one(file, strict) for file in files]))
    except (OSError, VideoError):
        return "missing"


def _one(file: str, strict: bool) -> tuple[Any, ...]:
    about = os.stat(file)
    return (about.st_size, _contents(file) if strict else about.st_mtime_ns)


def _contents(file: str) -> str:
    with open(file, "rb") as data:
        digest = hashlib.sha256()
        for part in iter(functools.partial(data.read, _READ), b""):
            digest.update(part)
    return digest.hexdigest()


def _digest(text: str | bytes) -> str:
    return hashlib.sha256(text.encode() if isinstance(text, str) else text).hexdigest()
