"""Keeps compiled programs in a folder, so that a later run neither traces nor compiles them.

JAX's own cache saves compiling alone: the program must be traced and lowered before its key is
known. Here the key is what the program is made from: the extraction, the frames' layout, the
devices, and the versions of this package's source, of JAX and of the compiler. Off until a folder
is set, which the command line does; a program that can't be stored or read is compiled as usual.

Stored programs are native code, so files of another user are not read. The folder keeps those that
were used last.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import pickle
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jax
import jaxlib.version
from jax.experimental import serialize_executable

from jaxvqa.features._registry import is_builtin

if TYPE_CHECKING:
    from jaxvqa._scoring.plan import Extraction
    from jaxvqa._scoring.programs import ChunkLayout

# a program takes some megabytes; a model needs three or four for each frame size
_MAX_PROGRAMS = 200

_folder: Path | None = None


def use(folder: Path | None) -> None:
    """Sets the folder; it must exist. None switches the store off."""
    global _folder
    _folder = folder


def key(extraction: Extraction, layout: ChunkLayout, wide: bool) -> str:
    """A file name for a program; `wide` if it is traced in 64-bit mode.

    Empty where nothing is stored: without a folder, and for a user's own feature, whose code may
    have changed without a trace.
    """
    if _folder is None or not is_builtin(extraction.feature):
        return ""
    facts = (
        _source(), jax.__version__, jaxlib.version.__version__, os.environ.get("XLA_FLAGS", ""),
        wide, layout.devices[0].client.platform_version,
        extraction.feature.name, extraction.options, layout.bit_depth, layout.history,
        [(shape, dtype.str) for shape, dtype in layout.planes],
        [(device.device_kind, device.id) for device in layout.devices], len(jax.devices()),
    )  # fmt: skip
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:32] + ".program"


@functools.cache
def _source() -> str:
    """A digest of this package's code."""
    root = Path(__file__).parent.parent
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        digest.update(path.relative_to(root).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()


def load(name: str, devices: tuple[Any, ...]) -> Any | None:
    """The program of that key, or None."""
    if _folder is None or not name:
        return None
    path = _folder / name
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


def save(name: str, compiled: Any) -> None:
    """Stores a program; the file appears whole or not at all."""
    if _folder is None or not name:
        return
    part = _folder / f"{name}.{os.getpid()}.part"
    try:
        part.write_bytes(pickle.dumps(serialize_executable.serialize(compiled)))
        part.replace(_folder / name)
        _forget_oldest(_folder)
    except Exception:  # a full disk, or a program that its platform can't serialise
        with contextlib.suppress(OSError):
            part.unlink()


def _forget_oldest(folder: Path) -> None:
    files = sorted(folder.glob("*.program"), key=lambda path: path.stat().st_mtime)
    for path in files[:-_MAX_PROGRAMS]:
        path.unlink()
