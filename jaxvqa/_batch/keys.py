"""Whether a job is done already: a key of all that its result depends on."""

from __future__ import annotations

import os
from typing import Any

from jaxvqa._batch.job import Job
from jaxvqa._scoring.digests import digest_of, file_digest, request_digest
from jaxvqa.video._container.source import is_url
from jaxvqa.video._decode.pictures import find_pictures
from jaxvqa.video._errors import VideoError


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
        return digest_of(repr((*facts, self._file(job.dis), self._strict)))

    def _file(self, path: str) -> str:
        if path not in self._files:
            self._files[path] = _facts(path, self._strict)
        return self._files[path]


def _facts(path: str, strict: bool) -> str:
    if is_url(path):
        return "address"
    try:
        pictures = find_pictures(path)
        files = [path] if pictures is None else pictures
        return digest_of(repr([_one(file, strict) for file in files]))
    except (OSError, VideoError):
        return "missing"


def _one(file: str, strict: bool) -> tuple[Any, ...]:
    about = os.stat(file)
    return (about.st_size, file_digest(file) if strict else about.st_mtime_ns)
