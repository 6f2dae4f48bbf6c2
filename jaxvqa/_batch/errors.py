"""What goes wrong in a batch: with a job, which is a row, or with the batch itself."""

from __future__ import annotations

import os

from jaxvqa.video._errors import VideoError


class OutputError(Exception):
    """A result that can't be written; the message is one sentence."""


def unwritable(path: str | os.PathLike[str], error: OSError) -> OutputError:
    """The error of a file that can't be written."""
    reason = error.strerror or error
    return OutputError(
        f"{os.fspath(path)}: cannot be written: {reason}; nothing that was done is lost, and the "
        "same call goes on from there."
    )


def sentence_of(error: BaseException) -> str:
    """One line that says why a job failed, with options as `jaxvqa.score` spells them."""
    text = " ".join(str(error).split())
    if isinstance(error, VideoError):
        return " ".join(f"{error.path}: {error.problem}".split())
    if "RESOURCE_EXHAUSTED" in text or isinstance(error, MemoryError):
        return "the device ran out of memory: close other programs that use it."
    if isinstance(error, (ValueError, TypeError)) and text:
        return text
    return f"{type(error).__name__}: {text or 'no further details'}"


def is_of_the_job(error: BaseException) -> bool:
    """The videos or options are at fault; nothing else would help than to change them."""
    return isinstance(error, (VideoError, ValueError, TypeError))
