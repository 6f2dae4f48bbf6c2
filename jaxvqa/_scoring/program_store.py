"""Keeps compiled programs in a folder, so that a later run neither traces nor compiles them.

JAX's own cache saves compiling alone: a program must be traced and lowered before its key is known.
Here the key is what the program is made from: the extraction, the frames' layout, the devices, and
the versions of this package's source, of JAX and of the compiler. A program that can't be stored or
read is compiled as usual.

Stored programs are native code, so files of another user are not read. The folder keeps those that
were used last, within bounds of number and size.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import pickle
import platform
import time
from pathlib import Path
from typing import Any

import jax
import jaxlib.version
import numpy as np
from jax.experimental import serialize_executable

from jaxvqa import _drafts as drafts

# a model needs four or five for each frame size, of up to some megabytes together
_MAX_PROGRAMS = 400
_MAX_BYTES = 1 << 29
_STALE_DRAFT = 3600  # seconds; its process was killed

_SUFFIX = ".program"


class ProgramStore:
    """Compiled programs in a folder, which is made if it is missing.

    Stores of one folder are equal. Nothing is stored where JAX's own cache is on: that has the
    program already, and one that was read from there can't be written again whole.

    Args:
        folder: the folder; versions of JAX, of this package and processors may share it.

    Raises:
        ValueError: the folder can't be made or written.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(os.path.abspath(Path(folder).expanduser()))
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            reason = error.strerror or error
            raise ValueError(
                f"the cache {self.folder} can't be made ({reason}): choose another folder."
            ) from error
        if not os.access(self.folder, os.W_OK | os.X_OK):
            raise ValueError(f"the cache {self.folder} can't be written: choose another folder.")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ProgramStore) and self.folder == other.folder

    def __hash__(self) -> int:
        return hash(self.folder)

    def load(self, name: str, devices: tuple[Any, ...]) -> Any | None:
        """The program of that name for these devices, or None."""
        path = self.folder / name
        try:
            if hasattr(os, "getuid") and path.stat().st_uid != os.getuid():
                return None
            content = pickle.loads(path.read_bytes())
            os.utime(path)
            return serialize_executable.deserialize_and_load(
                *content, backend=devices[0].client, execution_devices=devices
            )
        except FileNotFoundError:
            return None
        except Exception:  # cut short, of another version: whatever it is, it is compiled again
            with contextlib.suppress(OSError):
                path.unlink()
            return None

    def save(self, name: str, compiled: Any) -> None:
        """Stores a program that was compiled just now; the file appears whole or not at all."""
        if jax.config.values["jax_compilation_cache_dir"]:
            return
        # a full disk, or a program that its platform can't serialise
        with contextlib.suppress(Exception):
            content = pickle.dumps(serialize_executable.serialize(compiled))
            with drafts.draft(self.folder, name) as (file, path):
                file.write(content)
                file.close()
                os.replace(path, self.folder / name)
            self._forget_oldest()

    def usage(self) -> tuple[int, int]:
        """Programs in the folder, and their bytes."""
        sizes = [size for _, size, _ in self._files(_SUFFIX)]
        return len(sizes), sum(sizes)

    def _files(self, suffix: str) -> list[tuple[float, int, Path]]:
        """Time of the last use, size and path of files, the latest first."""
        found = []
        for path in self.folder.glob(f"*{suffix}"):
            with contextlib.suppress(OSError):  # another process may have removed it
                facts = path.stat()
                found.append((facts.st_mtime, facts.st_size, path))
        return sorted(found, reverse=True)

    def _forget_oldest(self) -> None:
        number, total = 0, 0
        for _, size, path in self._files(_SUFFIX):
            number, total = number + 1, total + size
            if number > _MAX_PROGRAMS or total > _MAX_BYTES:
                path.unlink(missing_ok=True)
        for used, _, path in self._files(_SUFFIX + "*" + drafts.SUFFIX):
            if used < time.time() - _STALE_DRAFT:
                path.unlink(missing_ok=True)


def program_name(facts: tuple[Any, ...], devices: tuple[Any, ...]) -> str:
    """A file name for a program.

    Args:
        facts: what it is made from, as values whose `repr` says all of them.
        devices: what it runs on.
    """
    every = (
        _source(), jax.__version__, jaxlib.version.__version__, os.environ.get("XLA_FLAGS", ""),
        _processor(), devices[0].client.platform_version, wide_types(),
        [(device.device_kind, device.id) for device in devices], len(jax.devices()),
    )  # fmt: skip
    return hashlib.sha256(repr((facts, every)).encode()).hexdigest()[:32] + _SUFFIX


def wide_types() -> bool:
    """The caller's 64-bit mode, which is a part of every program, as it is for `jax.jit`."""
    return jax.dtypes.canonicalize_dtype(np.float64) == np.float64


@functools.cache
def _source() -> str:
    """A digest of this package's code."""
    root = Path(__file__).parent.parent
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        digest.update(path.relative_to(root).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()


@functools.cache
def _processor() -> str:
    """The processor with its extensions: its programs don't run on every other one."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return f"{platform.machine()} {platform.processor()}"
    extensions = (x for x in lines if x.lower().startswith(("flags", "features")))
    return f"{platform.machine()} {next(extensions, '')}"
