"""What can go wrong on a command line, and the exit code that says so."""

from __future__ import annotations

from jaxvqa.cli.interrupt import INTERRUPTED
from jaxvqa.report.load import ResultFileError
from jaxvqa.report.optional import MissingPackage
from jaxvqa.video.errors import VideoError

DONE = 0
FAILED = 1
USAGE = 2
UNREADABLE = 3


class UsageError(Exception):
    """A command line that can't be followed; the message is one sentence."""


class OutputError(Exception):
    """A result that can't be written; the message is one sentence."""


def exit_code(error: BaseException) -> int:
    """The exit code for an error that ended a command."""
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED
    if isinstance(error, (VideoError, ResultFileError)):
        return UNREADABLE
    if isinstance(error, (UsageError, MissingPackage, ValueError, TypeError)):
        return USAGE
    return FAILED


def sentence(error: BaseException) -> str:
    """One line that tells a user what happened."""
    text = " ".join(str(error).split())
    if "RESOURCE_EXHAUSTED" in text or isinstance(error, MemoryError):
        return (
            "the device ran out of memory: close other programs that use it, or score on the "
            "processor with --device cpu."
        )
    known = (UsageError, OutputError, MissingPackage, ValueError, TypeError)
    if isinstance(error, known) and text:
        return text
    kind = type(error).__name__
    return f"{kind}: {text or 'no further details'} (JAXVQA_DEBUG=1 shows where it happened)."
