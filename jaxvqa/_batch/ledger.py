"""What has been done: a file of JSON lines that only grows, each line on the disk before the next.

A process may end at any moment. A last line without its end is none, and the next to write removes
it. Each line says all that the table needs to know of a job, under the job's key; of several lines
with one key the last counts, but none that failed after one that is done: what one ledger says of a
first try, another may say of a later one.
"""

from __future__ import annotations

import contextlib
import errno
import io
import json
import os
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from jaxvqa._batch.errors import OutputError, unwritable

try:
    import fcntl
except ImportError:  # no such locks on this system; nothing is refused
    fcntl = None

_NAME = "ledger"
_SUFFIX = ".jsonl"


@dataclass(frozen=True)
class Place:
    """Where a line begins.

    Args:
        file: the ledger.
        offset: of the line's first byte.
        done: it says that the job is done; if not, that it failed.
    """

    file: Path
    offset: int
    done: bool


def shard_suffix(shard: tuple[int, int] | None) -> str:
    """What the files of a shard have in their names, such as `.2-of-8`."""
    return "" if shard is None else f".{shard[0]}-of-{shard[1]}"


class Ledger:
    """The ledgers of a folder: all are read, one is written.

    A shard writes a ledger of its own. Use it in a `with` block, in which no other process writes
    the same one.

    Args:
        folder: the folder, which exists.
        shard: number of this shard and of all, or None.

    Raises:
        ValueError: another process writes it.
        OutputError: it can't be opened.
    """

    def __init__(self, folder: Path, shard: tuple[int, int] | None = None) -> None:
        self._folder = folder
        self._path = folder / f"{_NAME}{shard_suffix(shard)}{_SUFFIX}"
        self._shard = shard
        self._writing = threading.Lock()
        self._file: io.FileIO | None = None
        self._open = contextlib.ExitStack()
        self.places: dict[str, Place] = {}

    def __enter__(self) -> Ledger:
        try:
            # shards may run side by side, the whole runs alone
            whole = self._folder / f"{_NAME}.lock"
            self._open.enter_context(_locked(whole, shared=self._shard is not None))
            if self._shard is not None:
                own = self._folder / f"{_NAME}{shard_suffix(self._shard)}.lock"
                self._open.enter_context(_locked(own))
            self._file = self._open.enter_context(open(self._path, "ab", buffering=0))
            self.places = {}
            for path in sorted(self._folder.glob(f"{_NAME}*{_SUFFIX}")):
                self._read(path)
        except OSError as error:
            self._open.close()
            raise unwritable(self._folder, error) from error
        except BaseException:
            self._open.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()
        self._file = None

    def _read(self, path: Path) -> None:
        offset = 0
        with open(path, "rb") as lines:
            for line in lines:
                if not line.endswith(b"\n"):
                    break
                entry = _parsed(line)
                if entry is not None:
                    self._keep(entry, Place(path, offset, entry["status"] == "done"))
                offset += len(line)
        if path == self._path and os.path.getsize(path) > offset:
            os.truncate(path, offset)

    def _keep(self, entry: dict[str, Any], place: Place) -> None:
        known = self.places.get(entry["key"])
        if place.done or known is None or not known.done:
            self.places[entry["key"]] = place

    def append(self, entry: dict[str, Any]) -> None:
        """Writes a line, which is on the disk afterwards.

        Raises:
            OSError: it can't be written.
        """
        line = json.dumps(entry, ensure_ascii=False, allow_nan=False).encode() + b"\n"
        with self._writing:
            assert self._file is not None
            number = self._file.fileno()
            offset = os.fstat(number).st_size
            try:
                written = 0
                while written < len(line):
                    written += os.write(number, line[written:])
                os.fsync(number)
            except OSError:
                with contextlib.suppress(OSError):
                    os.truncate(self._path, offset)
                raise
            self._keep(entry, Place(self._path, offset, entry["status"] == "done"))

    def entry(self, key: str) -> dict[str, Any] | None:
        """What was written last under a key, or None."""
        place = self.places.get(key)
        if place is None:
            return None
        with open(place.file, "rb") as lines:
            lines.seek(place.offset)
            return _parsed(lines.readline())

    def entries(self, keys: list[str]) -> Iterator[dict[str, Any] | None]:
        """`entry` of each key."""
        with contextlib.ExitStack() as opened:
            files: dict[Path, BinaryIO] = {}
            for key in keys:
                place = self.places.get(key)
                if place is None:
                    yield None
                    continue
                if place.file not in files:
                    files[place.file] = opened.enter_context(open(place.file, "rb"))
                files[place.file].seek(place.offset)
                yield _parsed(files[place.file].readline())


def _parsed(line: bytes) -> dict[str, Any] | None:
    """A line's entry; None for what is no line of a ledger."""
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    if not isinstance(entry, dict):
        return None
    whole = all(isinstance(entry.get(name), str) for name in ("key", "id", "status"))
    return entry if whole else None


@contextlib.contextmanager
def _locked(path: Path, shared: bool = False) -> Iterator[None]:
    """Holds a lock file, which other processes see until this one ends, whatever way it ends."""
    with open(path, "a+b", buffering=0) as file:
        if fcntl is not None:
            _lock(file, path, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        with contextlib.suppress(OSError):  # it is there for messages alone
            file.truncate(0)
            holder = "of shards" if shared else f"process {os.getpid()} on {socket.gethostname()}"
            file.write(holder.encode())
        yield


def _lock(file: io.FileIO, path: Path, kind: int) -> None:
    assert fcntl is not None
    try:
        fcntl.flock(file, kind)
    except OSError as error:
        if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
            raise OutputError(
                f"{path}: cannot be locked: {error.strerror or error}; choose a folder on a file "
                "system that has locks."
            ) from error
        file.seek(0)
        holder = file.read().decode(errors="replace").strip()
        raise ValueError(
            f"{path.parent} is being written by another batch{f' ({holder})' if holder else ''}: "
            "wait until it has ended, or choose another folder."
        ) from error
