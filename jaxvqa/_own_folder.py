"""A temporary folder that goes with its process, or with the next one if that was killed."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
from pathlib import Path

from jaxvqa import _drafts as drafts

try:
    import fcntl
except ImportError:  # no such locks on this system: what a killed process leaves stays
    fcntl = None

_PREFIX = "jaxvqa-copies-"
_LOCK = "lock"
_YOUNG = 2.0  # seconds in which a folder may be without its lock, as it is being made


class OwnFolder:
    """A new folder; those of processes that were killed are removed first.

    Args:
        parent: where it is made; the system's folder for temporary files if None.

    Raises:
        OSError: it can't be made.
    """

    def __init__(self, parent: str | os.PathLike[str] | None = None) -> None:
        parent = Path(tempfile.gettempdir() if parent is None else parent)
        parent.mkdir(parents=True, exist_ok=True)
        remove_left(parent)
        self.path = drafts.new_folder(_PREFIX, parent)
        self._lock = open(self.path / _LOCK, "wb")  # noqa: SIM115
        if fcntl is not None:
            with contextlib.suppress(OSError):
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def remove(self) -> None:
        """Removes it with all that it holds."""
        drafts.remove_folder(self.path)
        self._lock.close()


def remove_left(parent: str | os.PathLike[str] | None = None) -> None:
    """Removes folders of processes that were killed.

    Args:
        parent: where they were made.
    """
    for folder in Path(tempfile.gettempdir() if parent is None else parent).glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):
            if fcntl is not None and os.stat(folder / _LOCK).st_mtime < time.time() - _YOUNG:
                with open(folder / _LOCK, "r+b") as lock:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    shutil.rmtree(folder, ignore_errors=True)
