"""Pipes and standard input: a wait for data ends with an interrupt, or when it is not wanted."""

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

STDIN = "-"
_NOTHING_PIPED = (
    "stands for standard input, but nothing is piped into it: name a file, or pipe one."
)


def is_regular(path: str) -> bool:
    """True for a file with a size, False for a pipe, a device or standard input."""
    return path != STDIN and stat.S_ISREG(os.stat(path).st_mode)


def open_stream(path: str) -> io.BufferedReader:
    """Opens a file, a pipe, or standard input (`-`) for reading."""
    if path == STDIN:
        return _standard_input()
    if hasattr(select, "poll") and stat.S_ISFIFO(os.stat(path).st_mode):
        return io.BufferedReader(_Pipe(path, _open(path)))
    return open(path, "rb")


def _standard_input() -> io.BufferedReader:
    # where it was closed, the number belongs to some other file
    if sys.stdin is None or os.isatty(0):
        raise VideoError(STDIN, _NOTHING_PIPED)
    file = io.FileIO(os.dup(0))
    waits = hasattr(select, "poll") and not stat.S_ISREG(os.fstat(file.fileno()).st_mode)
    return io.BufferedReader(_Pipe(STDIN, file) if waits else file)


def take_head(stream: io.BufferedReader, count: int) -> tuple[bytes, io.BufferedReader]:
    """The first bytes of a stream, and one that gives all of them again.

    Args:
        stream: a stream just opened.
        count: bytes to look at; fewer come if it ends before.
    """
    try:
        head = stream.read(count)
    except BaseException:
        stream.close()
        raise
    return head, io.BufferedReader(_Rejoined(head, stream))


def stop(stream: io.BufferedReader) -> None:
    """Ends a wait of another thread that reads the stream; it raises VideoError there."""
    raw = stream.raw
    if isinstance(raw, _Rejoined):
        stop(raw.rest)
    elif isinstance(raw, _Pipe):
        raw.stopped = True


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


class _Rejoined(io.RawIOBase):
    """Bytes that were taken from a stream, then the stream."""

    def __init__(self, head: bytes, rest: io.BufferedReader) -> None:
        self.rest = rest
        self._head = head

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._head:
            return self.rest.readinto1(buffer)
        part, self._head = self._head[: len(buffer)], self._head[len(buffer) :]
        buffer[: len(part)] = part
        return len(part)

    def close(self) -> None:
        self.rest.close()
        super().close()


def _open(path: str) -> io.FileIO:
    # Linux tells a pipe that nobody has written to yet from one that has ended
    return _open_at_once(path) if sys.platform == "linux" else io.FileIO(path)


@_interrupts.whole
def _open_at_once(path: str) -> io.FileIO:
    return io.FileIO(os.open(path, os.O_RDONLY | os.O_NONBLOCK))
