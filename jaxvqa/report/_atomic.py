"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import stat

from jaxvqa._drafts import draft


def write_atomically(path: str | os.PathLike[str], data: bytes) -> None:
    """Writes a file through a temporary one beside it, which is then renamed.

    A reader never sees half a file, and an error leaves what was there before. Pipes and devices
    are written directly; a link is followed.

    Args:
        path: the file.
        data: its whole content.

    Raises:
        OSError: the folder is missing or not writable, or the disk is full.
    """
    target = os.path.realpath(path)
    mode = _mode(target)
    if mode is not None and not stat.S_ISREG(mode):
        with open(target, "wb") as file:
            file.write(data)
        return
    folder, name = os.path.split(target)
    with draft(folder, name) as (file, path):
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
        os.chmod(path, 0o666 & ~_umask() if mode is None else stat.S_IMODE(mode))
        os.replace(path, target)


def _mode(path: str) -> int | None:
    try:
        return os.stat(path).st_mode
    except FileNotFoundError:
        return None


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
