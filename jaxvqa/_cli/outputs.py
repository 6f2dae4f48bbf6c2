"""Files that commands write: looked at before the work, and whole or not there."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from jaxvqa import report
from jaxvqa._cli.errors import OutputError, UsageError
from jaxvqa.report._atomic import descriptor_of


def check_output(flag: str, path: str, inputs: Sequence[str] = (), kind: str = "inputs") -> None:
    """Finds out before the work whether a file can be written.

    Args:
        flag: the option that names it.
        path: the file.
        inputs: what the command reads, which it must not be.
        kind: what these are.

    Raises:
        UsageError: it can't, or an input would be lost.
    """
    if not path:
        raise UsageError(f"{flag} needs a file name.")
    if descriptor_of(path) is not None:
        return
    file = Path(path)
    if file.is_dir():
        raise UsageError(f"{flag} {path} is a folder: give a file name in it.")
    folder = file.resolve().parent
    if not folder.is_dir():
        raise UsageError(f"{flag} {path}: there is no folder {folder}: create it first.")
    if not os.access(file if file.exists() and not file.is_file() else folder, os.W_OK):
        raise UsageError(f"{flag} {path}: you may not write there: choose another folder.")
    for other in inputs:
        if file.is_file() and os.path.exists(other) and os.path.samefile(file, other):
            raise UsageError(f"{flag} {path} is one of the {kind}: choose another name.")


@contextlib.contextmanager
def writing(path: str) -> Iterator[None]:
    """Turns errors of writing a file into OutputError, which names it."""
    try:
        yield
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {error.strerror or error}.") from error


def write(path: str, content: str | bytes) -> None:
    """Writes a file, whole or not at all.

    Raises:
        OutputError: it can't be written.
    """
    data = content if isinstance(content, bytes) else content.encode(errors="replace")
    with writing(path):
        report.write_atomically(path, data)
