"""The error that every reader raises for a file it cannot use."""

from __future__ import annotations

import os

CLOSED = "was closed: open it again to read frames."


class VideoError(ValueError):
    """A video file that cannot be read or paired: one sentence that names the file.

    Args:
        path: the file.
        problem: what is wrong with it and what to do, as the rest of a sentence about the file.
    """

    def __init__(self, path: str | os.PathLike[str], problem: str) -> None:
        super().__init__(os.fspath(path), problem)

    @property
    def path(self) -> str:
        """The file at fault."""
        return self.args[0]

    @property
    def problem(self) -> str:
        """The sentence without the file name."""
        return self.args[1]

    def __str__(self) -> str:
        return f"{self.path}: {self.problem}"
