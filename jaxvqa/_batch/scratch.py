"""Copies of objects that are elsewhere (s3://, gs://, https://), in a folder of bounded size."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from jaxvqa import _waiting as waiting
from jaxvqa._batch.errors import unwritable
from jaxvqa._optional import require
from jaxvqa._own_folder import OwnFolder
from jaxvqa._scoring.result import Result
from jaxvqa.video._container.source import is_playlist, is_url
from jaxvqa.video._errors import VideoError

LIMIT = 20 * 10**9  # bytes
_PART_BYTES = 1 << 22
_PART = ".part"
_STREAMED = ("rtmp", "rtsp", "udp", "srt", "rtp", "tcp")


class Copies:
    """Names of files and where they are here; copies stay until `release`."""

    def __init__(self, scratch: Scratch, paths: dict[str, str]) -> None:
        self._scratch = scratch
        self.paths = paths
        self._held = True

    def release(self) -> None:
        """The copies may go; safe to repeat."""
        if self._held:
            self._held = False
            self._scratch.release([name for name, path in self.paths.items() if name != path])

    def named(self, what: Any) -> Any:
        """A text or a result with the names of the files in place of the copies'."""
        names = [(path, name) for name, path in self.paths.items() if name != path]
        if not names:
            return what
        if isinstance(what, Result):
            notices = tuple(replace(n, text=self.named(n.text)) for n in what.notices)
            return replace(what, notices=notices)
        for path, name in names:
            what = what.replace(path, name)
        return what


class Scratch:
    """Copies objects into a folder and removes those that were used longest ago.

    Args:
        folder: where to; a folder of its own is made in it, and in the system's for None.
        limit: bytes that copies may take together.
    """

    def __init__(self, folder: str | os.PathLike[str] | None = None, limit: int = LIMIT) -> None:
        self._parent = folder
        self._limit = limit
        self._folder: OwnFolder | None = None
        self._closed = False
        self._sizes: OrderedDict[str, int] = OrderedDict()
        self._uses: dict[str, int] = {}
        self._changed = threading.Condition()
        self._copying = threading.Lock()

    def copies(self, names: Sequence[str]) -> Copies:
        """Files as they are, and objects as copies; waits for room.

        Raises:
            ValueError: they are larger than the limit together.
            VideoError: an object that can't be copied.
            OutputError: the folder is full, or can't be written.
            MissingPackage: fsspec, or what it needs for this kind of address, is not installed.
        """
        objects = [name for name in names if is_object(name)]
        paths = {name: name for name in names}
        if not objects:
            return Copies(self, paths)
        places = {name: self._place(name) for name in objects}
        if not self._are_here(places):
            with self._copying:  # of two that wait for room, each could hold what the other needs
                self._make_room(objects)
                try:
                    for name in objects:
                        self._copy(name, objects)
                except BaseException:
                    self.release(objects)
                    raise
        return Copies(self, paths | places)

    def _are_here(self, places: dict[str, str]) -> bool:
        """Counts objects as used if all are copied; who has them does not wait for others' room."""
        with self._changed:
            here = all(name in self._sizes and os.path.exists(p) for name, p in places.items())
            for name in places if here else ():
                self._uses[name] = self._uses.get(name, 0) + 1
                self._sizes.move_to_end(name)
            return here

    def _make_room(self, objects: Sequence[str]) -> None:
        """Counts objects as used, and waits until there is room for those that are not here."""
        with self._changed:
            for name in objects:
                self._uses[name] = self._uses.get(name, 0) + 1
            missing = [name for name in objects if name not in self._sizes]
        try:
            sizes = {name: _size(name) for name in missing}
            with self._changed:
                self._wait_for_room(objects, sizes)
                self._sizes |= sizes
        except BaseException:
            self.release(objects)
            raise

    def _wait_for_room(self, objects: Sequence[str], sizes: dict[str, int]) -> None:
        """Waits until objects fit beside what others use; `sizes` are those that are not here."""
        here = sum(self._sizes.get(name, 0) for name in objects)
        needed = here + sum(sizes.values())
        if needed > self._limit:
            raise ValueError(
                f"{objects[0]} and what is scored with it need {needed} bytes of scratch "
                f"space, but scratch_limit is {self._limit}: raise it."
            )
        while not self._changed.wait_for(lambda: self._fits(sizes), waiting.TICK):
            self._check_open()

    def _fits(self, sizes: dict[str, int]) -> bool:
        """Removes what nobody uses until there is room; False if that is not enough."""
        needed = sum(sizes.values())
        for name in list(self._sizes):
            if sum(self._sizes.values()) + needed <= self._limit:
                break
            if not self._uses.get(name):
                self._remove(name)
        return sum(self._sizes.values()) + needed <= self._limit

    def _remove(self, name: str) -> None:
        del self._sizes[name]
        with contextlib.suppress(OSError):
            os.unlink(self._place(name))

    def _place(self, name: str) -> str:
        with self._changed:
            self._check_open()
            if self._folder is None:
                try:
                    self._folder = OwnFolder(self._parent)
                except OSError as error:
                    raise unwritable(self._parent or tempfile.gettempdir(), error) from error
            folder = self._folder.path
        digest = hashlib.sha256(name.encode()).hexdigest()[:16]
        return os.fspath(folder / f"{digest}-{os.path.basename(name.split('?')[0])[-80:]}")

    def _copy(self, name: str, objects: Sequence[str]) -> None:
        path = self._place(name)
        if os.path.exists(path):
            self._sizes.move_to_end(name)
            return
        size = 0
        try:
            with open(path + _PART, "wb", buffering=0) as copy:
                for data in _content(name):
                    self._check_open()
                    size += len(data)
                    self._grow(name, size, objects)
                    written = 0
                    while written < len(data):
                        written += copy.write(data[written:])
            self._sizes[name] = size
            os.replace(path + _PART, path)
        except OSError as error:
            raise unwritable(os.path.dirname(path), error) from error
        finally:
            with contextlib.suppress(OSError):
                os.unlink(path + _PART)

    def _grow(self, name: str, size: int, objects: Sequence[str]) -> None:
        """Makes room for an object that is larger than was told, or of which no size was."""
        if size > self._sizes[name]:
            with self._changed:
                self._sizes[name] = size
                self._wait_for_room(objects, {})

    def _check_open(self) -> None:
        if self._closed:
            raise _Closed("the copies are not wanted any more.")

    def release(self, names: Sequence[str]) -> None:
        """Copies are used once less."""
        with self._changed:
            for name in names:
                self._uses[name] = self._uses.get(name, 1) - 1
                there = not self._closed and os.path.exists(self._place(name))
                if name in self._sizes and not there:
                    del self._sizes[name]  # it was to be copied, and was not
            self._changed.notify_all()

    def close(self) -> None:
        """Removes all copies; who is at making some gets an error."""
        with self._changed:
            self._closed = True
            self._sizes.clear()
            if self._folder is not None:
                self._folder.remove()
                self._folder = None
            self._changed.notify_all()


class _Closed(Exception):
    """The batch has ended meanwhile."""


def is_object(name: str) -> bool:
    """An address whose bytes can be copied: no playlist, and no stream."""
    return is_url(name) and not is_playlist(name) and name.partition(":")[0] not in _STREAMED


def _fsspec() -> Any:
    return require("fsspec", "reading addresses in a batch", "batch")


def _size(name: str) -> int:
    """Bytes of an object; 0 where that is not told."""
    try:
        files, path = _fsspec().core.url_to_fs(name)
        return int(files.size(path) or 0)
    except Exception as error:
        raise _uncopied(name, error) from error


def _content(name: str) -> Iterator[bytes]:
    """What an object holds, in parts."""
    with contextlib.ExitStack() as opened:
        try:
            source = opened.enter_context(_fsspec().open(name, "rb"))
            while data := source.read(_PART_BYTES):
                yield data
        except GeneratorExit:
            raise
        except Exception as error:
            raise _uncopied(name, error) from error


def _uncopied(name: str, error: Exception) -> Exception:
    if isinstance(error, FileNotFoundError):
        return VideoError(name, "there is no such object: check the address.")
    if isinstance(error, ImportError):
        return VideoError(name, f"fsspec can't read it ({error}).")
    reason = " ".join(str(error).split()) or type(error).__name__
    return VideoError(name, f"cannot be copied ({reason}): check the address and the network.")
