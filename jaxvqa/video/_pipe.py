"""Named pipes: a wait for the writer ends with an interrupt, or when it is no longer wanted."""

from __future__ import annotations

import io
import os
import select
import stat
import sys
from typing import Any

from jaxvqa import _interrupts
from jaxvqa._waiting import TICK
from jaxvqa.video._errors import CLOSED, VideoError


def open_stream(path: str) -> io.BufferedReader:
    """Opens a file or a pipe for reading."""
    if hasattr(select, "poll") and stat.S_ISFIFO(os.stat(path).st_mode):
        return io.BufferedReader(_Pipe(path, _open(path)))
    return open(path, "rb")


def stop(stream: io.BufferedReader) -> None:
    """Ends a wait of another thread that reads the stream; it raises VideoError there."""
    if isinstance(stream.raw, _Pipe):
        stream.raw.stopped = True


class _Pipe(io.RawIOBase):
    """The reading end of a named pipe."""

    def __init__(self, path: str, file: io.FileIO) -> None:
        self.stopped = False
        self._path = path
        self._file = file
        self._poll = select.poll()
        self._poll.register(self._file, select.POLLIN)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self.stopped:
            if self._poll.poll(1000 * TICK):
                count = self._file.readinto(buffer)
                if count is not None:
                    return count
        raise VideoError(self._path, CLOSED)

    def close(self) -> None:
        self._file.close()
        super().close()


def _open(path: str) -> io.FileIO:
    # Linux tells a pipe that nobody has written to yet from one that has ended
    return _open_at_once(path) if sys.platform == "linux" else io.FileIO(path)


@_interrupts.whole
def _open_at_once(path: str) -> io.FileIO:
    return io.FileIO(os.open(path, os.O_RDONLY | os.O_NONBLOCK))
