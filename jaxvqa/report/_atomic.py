"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import re
import stat

from jaxvqa._drafts import draft

_STANDARD = {"/dev/stdout": 1, "/dev/stderr": 2} if os.name == "posix" else {}


def write_atomically(path: str | os.PathLike[str], data: bytes) -> None:
    """Writes a file through a temporary one beside it, which is then renamed.

    A reader never sees half a file, and an error leaves what was there before. Pipes, devices and
    open files (`/dev/stdout`, `/dev/fd/3`) are written directly; a link is followed.

    Args:
        path: the file.
        data: its whole content.

    Raises:
        OSError: the folder is missing or not writable, or the disk is full.
    """
    number = descriptor_of(path)
    mode = _mode(path)
    if number is not None or (mode is not None and not stat.S_ISREG(mode)):
        # a pipe without a name cannot be opened by what its link points to
        with open(path if number is None else os.dup(number), "wb") as file:
            file.write(data)
        return
    target = os.path.realpath(path)
    folder, name = os.path.split(target)
    with draft(folder, name) as (file, path):
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
        os.chmod(path, 0o666 & ~_umask() if mode is None else stat.S_IMODE(mode))
        os.replace(path, target)


def descriptor_of(path: str | os.PathLike[str]) -> int | None:
    """The number of an open file that a path such as `/dev/stdout` names, or None."""
    name = os.fspath(path)
    if name in _STANDARD:
        return _STANDARD[name]
    found = re.fullmatch(r"/(?:dev|proc/self)/fd/(\d{1,9})", name)
    return int(found[1]) if found and os.name == "posix" else None


def _mode(path: str | os.PathLike[str]) -> int | None:
    try:
        return os.stat(path).st_mode
    except FileNotFoundError:
        return None


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
