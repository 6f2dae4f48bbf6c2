"""What can go wrong on a command line, and the exit code that says so."""

from __future__ import annotations

from jaxvqa._batch.errors import OutputError as OutputError
from jaxvqa._cli.flags import as_flags
from jaxvqa._cli.interrupt import INTERRUPTED
from jaxvqa._optional import MissingPackage
from jaxvqa._tables import TableError
from jaxvqa.report._load import ResultFileError
from jaxvqa.video._errors import VideoError

DONE = 0
FAILED = 1
USAGE = 2
UNREADABLE = 3
SOME_FAILED = 4
NOT_MET = 5


class UsageError(Exception):
    """A command line that can't be followed; the message is one sentence."""


class NotMet(Exception):
    """Everything was done, and a condition of the command line does not hold; one sentence."""


def exit_code(error: BaseException) -> int:
    """The exit code for an error that ended a command."""
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED
    if isinstance(error, (VideoError, ResultFileError, TableError)):
        return UNREADABLE
    if isinstance(error, (UsageError, MissingPackage, ValueError, TypeError)):
        return USAGE
    if isinstance(error, NotMet):
        return NOT_MET
    return FAILED


def sentence(error: BaseException) -> str:
    """One line that tells a user what happened, in the command line's spelling."""
    text = str(error)
    if isinstance(error, VideoError):  # the path stays as it is
        text = f"{error.path}: {as_flags(error.problem)}"
    elif isinstance(error, (ValueError, TypeError)):
        text = as_flags(text)
    text = " ".join(text.split())
    if "RESOURCE_EXHAUSTED" in text or isinstance(error, MemoryError):
        return (
            "the device ran out of memory: close other programs that use it, or score on the "
            "processor with --device cpu."
        )
    known = (UsageError, OutputError, NotMet, MissingPackage, ValueError, TypeError)
    if isinstance(error, known) and text:
        return text
    kind = type(error).__name__
    return f"{kind}: {text or 'no further details'} (JAXVQA_DEBUG=1 shows where it happened)."
