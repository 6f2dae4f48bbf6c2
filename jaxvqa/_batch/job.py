"""A job of a batch, and all of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from jaxvqa._notice import Notice
from jaxvqa._scoring.request import ScoreRequest


@dataclass(frozen=True)
class Job:
    """One pair with what is wanted of it.

    Args:
        id: names it; unique.
        named: reference and distorted video as the manifest writes them.
        ref: the reference as an absolute path, or its address.
        dis: the distorted video, likewise.
        request: what to measure.
        given: options that the manifest gives, as text.
        tags: other columns of the manifest.
    """

    id: str
    named: tuple[str, str]
    ref: str
    dis: str
    request: ScoreRequest
    given: dict[str, str]
    tags: dict[str, Any]


@dataclass(frozen=True)
class Manifest:
    """All jobs.

    Args:
        jobs: in order.
        options: columns that are options, in order.
        tags: columns that are kept as tags.
        notices: what a user should know of the columns.
    """

    jobs: tuple[Job, ...]
    options: tuple[str, ...]
    tags: tuple[str, ...]
    notices: tuple[Notice, ...] = ()
