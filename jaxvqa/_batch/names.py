"""Jobs by the names of files: one reference and its renditions, or a pattern."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from jaxvqa._batch.job import Manifest
from jaxvqa._batch.manifest import PlacedRow, make_manifest

_FIELD = re.compile(r"\{(\w+)\}")


def one_reference(ref: str, dis: Sequence[str], base: Mapping[str, Any]) -> Manifest:
    """A job for each distorted file of one reference.

    Args:
        ref: the reference.
        dis: files, or patterns of the shell such as `x/*.mp4`.
        base: options of all jobs.

    Raises:
        ValueError: no such files.
    """
    files: dict[str, None] = {}
    for name in dis:
        found = sorted(glob.glob(name, recursive=True)) if glob.has_magic(name) else [name]
        found = found or ([name] if os.path.exists(name) else [])
        if not found:
            raise ValueError(f"no file fits {name!r}: check the path.")
        files |= dict.fromkeys(f for f in found if not _same(f, ref))
    if not files:
        raise ValueError(f"{ref} is the only file that fits: a reference needs distorted videos.")
    rows = ((file, {"ref": ref, "dis": file}) for file in files)
    return make_manifest(rows, os.getcwd(), base)


def by_pattern(pattern: str, ref: str, base: Mapping[str, Any]) -> Manifest:
    """A job for each file that fits a pattern; the pattern's fields are its tags.

    Args:
        pattern: a path with fields, such as `{title}/{width}x{height}_{bitrate}.mp4`. A field
            stands for any text without a slash, and has one value where it stands twice.
        ref: the reference of a job, with fields of the pattern, such as `{title}/source.mp4`.
        base: options of all jobs.

    Raises:
        ValueError: no field, a field that the pattern lacks, or no files.
    """
    fields = set(_FIELD.findall(pattern))
    if not fields:
        raise ValueError(
            f"pattern {pattern!r} has no field: write what differs as {{name}}, such as "
            "'{title}/{bitrate}.mp4'."
        )
    taken = sorted(fields & {"ref", "dis", "id"})
    if taken:
        raise ValueError(f"pattern {pattern!r}: a field can't be called {taken[0]}: rename it.")
    unknown = sorted(set(_FIELD.findall(ref)) - fields)
    if unknown:
        raise ValueError(
            f"ref {ref!r} has the field {{{unknown[0]}}}, which the pattern {pattern!r} lacks."
        )
    rows = list(_fitting(pattern, ref))
    if not rows:
        raise ValueError(f"no file fits the pattern {pattern!r}: check the path.")
    return make_manifest(rows, os.getcwd(), base, frozenset(fields))


def _fitting(pattern: str, ref: str) -> Iterable[PlacedRow]:
    fits = re.compile(_expression(pattern))
    for file in sorted(glob.glob(_shell_pattern(pattern))):
        found = fits.fullmatch(file)
        if found is None:
            continue
        tags = found.groupdict()
        reference = _FIELD.sub(lambda field, tags=tags: tags[field[1]], ref)
        if not _same(file, reference):
            yield file, {"ref": reference, "dis": file, **tags}


def _shell_pattern(pattern: str) -> str:
    """The pattern as one of the shell: a star is one, and brackets are part of a name."""
    parts = (glob.escape(part) for part in re.split(r"\*", _FIELD.sub("*", pattern)))
    return "*".join(parts)


def _expression(pattern: str) -> str:
    """The pattern as a regular expression."""

    def parts() -> Iterator[str]:
        seen: set[str] = set()
        position = 0
        for field in _FIELD.finditer(pattern):
            yield re.escape(pattern[position : field.start()]).replace(r"\*", "[^/]*")
            name = field[1]
            yield f"(?P={name})" if name in seen else f"(?P<{name}>[^/]+?)"
            seen.add(name)
            position = field.end()
        yield re.escape(pattern[position:]).replace(r"\*", "[^/]*")

    return "".join(parts())


def _same(a: str, b: str) -> bool:
    return os.path.exists(a) and os.path.exists(b) and os.path.samefile(a, b)
