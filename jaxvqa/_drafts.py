"""Temporary files and folders; none stays behind, also where the process is ended."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

SUFFIX = ".part"

_paths: set[str] = set()
_folders: set[Path] = set()
_beginning = threading.Lock()


@contextlib.contextmanager
def draft(folder: str | os.PathLike[str], name: str) -> Iterator[tuple[BinaryIO, str]]:
    """A new file, open for writing, and its path; removed after the block if it is still there.

    Args:
        folder: where it is made.
        name: of the file that it is to become, by `os.replace` in the block.
    """
    with _beginning:
        handle, path = tempfile.mkstemp(prefix=f".{name[:100]}.", suffix=SUFFIX, dir=folder)
        _paths.add(path)
    try:
        with open(handle, "wb") as file:
            yield file, path
    finally:
        with contextlib.suppress(OSError):
            os.unlink(path)
        _paths.discard(path)


def remove_left(folder: str | os.PathLike[str], age: float = 0.0) -> None:
    """Removes the drafts of processes that were killed.

    Args:
        folder: where they are.
        age: seconds since they were written last, at the least.
    """
    until = time.time() - age
    with os.scandir(folder) as entries:
        left = [e.path for e in entries if e.name.startswith(".") and e.name.endswith(SUFFIX)]
    for path in set(left) - _paths:
        with contextlib.suppress(OSError):
            if os.stat(path).st_mtime <= until:
                os.unlink(path)


def new_folder(prefix: str, parent: str | os.PathLike[str]) -> Path:
    """A new folder for what is needed for a while; see `remove_folder`.

    Args:
        prefix: of its name.
        parent: where it is made.
    """
    with _beginning:
        folder = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
        _folders.add(folder)
    return folder


def remove_folder(folder: Path) -> None:
    """Removes a folder with all that it holds."""
    shutil.rmtree(folder, ignore_errors=True)
    _folders.discard(folder)


def abandon() -> None:
    """Removes all of these and lets none begin, in a process that is about to be ended."""
    _beginning.acquire()
    for folder in list(_folders):
        shutil.rmtree(folder, ignore_errors=True)
    for path in list(_paths):
        with contextlib.suppress(OSError):
            os.unlink(path)
