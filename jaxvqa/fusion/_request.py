"""libvmaf's `--model` syntax."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from jaxvqa._checks import truth

_KEYS = "path, version, name, enable_transform, disable_clip and <extractor>.<option>"


@dataclass(frozen=True)
class ModelRequest:
    """A model as asked for on a command line.

    Args:
        source: shipped name or file.
        kind: "version" for a shipped name, "path" for a file, "any" for either.
        name: key of the scores, or None for the default.
        enable_transform: apply the score transform though the file leaves it off.
        disable_clip: don't clip the score.
        overloads: `{extractor: {option: value}}` over the file's feature options.
    """

    source: str
    kind: str = "any"
    name: str | None = None
    enable_transform: bool = False
    disable_clip: bool = False
    overloads: dict[str, dict[str, str]] = field(default_factory=dict)


def parse_model_text(text: str) -> ModelRequest:
    r"""Parses `version=NAME:name=N:enable_transform:disable_clip:adm.option=value`.

    `path=FILE` in place of `version=NAME` reads a file; a plain first part (`NAME` or `FILE.json`)
    is taken as either. A file's name may hold `:` and `=` (`path=C:\models\mine.json`): it goes on
    to the end of `.json`, or to the next part that is known.

    Raises:
        ValueError: an unknown or repeated part, or no model.
    """
    if "|" in text and not text.endswith(_FILE_END):
        raise ValueError(f"model {text!r}: give each model by itself.")
    parts = _with_file(text.split(":"))
    values: dict[str, str] = {}
    overloads: dict[str, dict[str, str]] = {}
    if _is_plain(parts[0]):
        values["any"] = parts.pop(0)
    for part in parts:
        key, _, value = part.partition("=")
        extractor, dot, option = key.partition(".")
        group, entry = (overloads.setdefault(extractor, {}), option) if dot else (values, key)
        if entry in group:
            raise ValueError(f"model {text!r} gives {key} twice.")
        if dot and not (extractor and option and value):
            raise ValueError(f"model {text!r}: {part!r} is not <extractor>.<option>=<value>.")
        if not dot and key not in ("path", "version", "name", *_FLAGS):
            raise ValueError(f"model {text!r} has an unknown part {part!r}; known are {_KEYS}.")
        group[entry] = value
    kinds = [kind for kind in ("any", "version", "path") if kind in values]
    if len(kinds) != 1 or not values[kinds[0]]:
        raise ValueError(
            f"model {text!r} must name one model: write NAME, version=NAME or path=FILE."
        )
    if values.get("name") == "":
        raise ValueError(f"model {text!r} has an empty name.")
    return ModelRequest(
        source=values[kinds[0]],
        kind=kinds[0],
        name=values.get("name"),
        overloads=overloads,
        **{flag: _flag(text, flag, values) for flag in _FLAGS},
    )


_FLAGS = ("enable_transform", "disable_clip")
_FILE_END = ".json"
_KNOWN = re.compile(r"(path|version|name)=|(enable_transform|disable_clip)(=|$)|\w+\.\w+=")


def _is_plain(part: str) -> bool:
    """A name or a file that stands for itself."""
    known = _KNOWN.match(part) is not None
    return not known and ("=" not in part or part.endswith(_FILE_END))


def _with_file(parts: list[str]) -> list[str]:
    """The same parts, those of a file's name joined again."""
    found: list[str] = []
    for part in parts:
        if found and not _KNOWN.match(part) and _goes_on(found[-1], part, first=len(found) == 1):
            found[-1] += f":{part}"
        else:
            found.append(part)
    return found


def _goes_on(before: str, part: str, *, first: bool) -> bool:
    """Whether a part that is no option belongs to the file that the part before it names."""
    is_file = before.startswith("path=") or (first and part.endswith(_FILE_END))
    return is_file and not before.endswith(_FILE_END)


def _flag(text: str, flag: str, values: dict[str, str]) -> bool:
    if flag not in values:
        return False
    found = truth(values[flag] or "true")  # the flag alone switches it on
    if found is None:
        raise ValueError(f"model {text!r}: {flag} must be true or false, got {values[flag]!r}.")
    return found
