"""Fields of request dataclasses that describe themselves: type, help, spellings.

A request is stated once, as a frozen dataclass of `setting` fields. The Python function takes the
fields as keywords, the command line makes options of them, a table of jobs has them as columns; all
three are parsed and checked by the same code, here.
"""

from __future__ import annotations

import dataclasses
import inspect
import math
import re
import textwrap
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from jaxvqa._checks import as_text, shown, truth

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True)
class Setting:
    """What is known about one field.

    Args:
        name: the field, the keyword of the Python function and the column of a table.
        default: the value where nothing is given.
        help: one line.
        parse: text or value to value; raises ValueError with the rest of a sentence about it.
        group: heading under which the command line lists it.
        metavar: placeholder of the value on the command line; None for a switch.
        choices: what may be given, or None if that is open.
        flags: spellings on the command line, the first for messages.
    """

    name: str
    default: Any
    help: str
    parse: Callable[[Any], Any]
    group: str
    metavar: str | None
    choices: tuple[str, ...] | None
    flags: tuple[str, ...]


def setting(
    default: Any,
    help: str,
    parse: Callable[[Any], Any],
    *,
    group: str,
    metavar: str | None = None,
    choices: Iterable[str] | None = None,
    flags: tuple[str, ...] = (),
) -> Any:
    """A field of a request; see `Setting`. Without flags, the flag is made of the name."""
    facts = {"help": help, "parse": parse, "group": group, "metavar": metavar, "flags": flags}
    choices = None if choices is None else tuple(choices)
    return dataclasses.field(default=default, metadata={**facts, "choices": choices})


def settings_of(cls: type) -> tuple[Setting, ...]:
    """The settings of a request class, in order; fields without `setting` are left out."""
    found = []
    for field in dataclasses.fields(cls):
        if "parse" not in field.metadata:
            continue
        facts = dict(field.metadata)
        flags = facts.pop("flags") or ("--" + field.name.replace("_", "-"),)
        found.append(Setting(name=field.name, default=field.default, flags=flags, **facts))
    return tuple(found)


def check_settings(request: Any) -> None:
    """Parses every setting in place, for the `__post_init__` of a frozen dataclass.

    Raises:
        ValueError: a value that its setting doesn't take.
    """
    for known in settings_of(type(request)):
        value = getattr(request, known.name)
        if type(value) is type(known.default) and value == known.default:
            continue
        try:
            parsed = known.parse(value)
        except ValueError as error:
            raise ValueError(f"{known.name} {error}") from None
        object.__setattr__(request, known.name, parsed)


def whole(least: int) -> Callable[[Any], int]:
    """Parses a whole number of at least `least`."""

    def parse(value: Any) -> int:
        text = as_text(value)
        if isinstance(value, bool) or not re.fullmatch(r"[+-]?\d{1,9}", text) or int(text) < least:
            raise ValueError(f"must be a whole number of at least {least}, got {shown(value)}.")
        return int(text)

    return parse


def optional(parse: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Parses as `parse` does, and takes None and an empty text for "not given"."""

    def parse_given(value: Any) -> Any:
        return None if value is None or (isinstance(value, str) and not value) else parse(value)

    return parse_given


def positive_number(value: Any) -> float:
    """Parses a finite number above 0; fractions such as 30000/1001 too."""
    parts = re.fullmatch(r"(\d{1,9})/(\d{1,9})", value) if isinstance(value, str) else None
    try:
        number = int(parts[1]) / int(parts[2]) if parts else float(value)
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        number = math.nan
    if isinstance(value, bool) or not (number > 0 and math.isfinite(number)):
        raise ValueError(f"must be a number above 0, got {shown(value)}.")
    return number


def text(value: Any) -> str:
    """Parses any text."""
    if not isinstance(value, str):
        raise ValueError(f"must be text, got {shown(value)}.")
    return value


def switch(value: Any) -> bool:
    """Parses true or false."""
    found = truth(value)
    if found is None:
        raise ValueError(f"must be true or false, got {shown(value)}.")
    return found


def choice(*choices: Any) -> Callable[[Any], Any]:
    """Parses one of some values; text stands for a number among them."""
    by_text = {str(c): c for c in choices}

    def parse(value: Any) -> Any:
        written = as_text(value)
        if isinstance(value, bool) or written not in by_text:
            raise ValueError(f"must be one of {', '.join(by_text)}; got {shown(value)}.")
        return by_text[written]

    return parse


def size(value: Any) -> tuple[int, int]:
    """Parses a size: 1280x720, or a pair of whole numbers."""
    parts = re.fullmatch(r"(\d{1,6})[xX](\d{1,6})", value) if isinstance(value, str) else None
    try:
        width, height = (whole(1)(side) for side in (parts.groups() if parts else tuple(value)))
        if parts is None and isinstance(value, str):
            raise ValueError
    except (TypeError, ValueError):
        raise ValueError(f"must be WIDTHxHEIGHT, such as 1280x720, got {shown(value)}.") from None
    return width, height


def with_settings(*classes: type) -> Callable[[F], F]:
    """Gives a function `(..., **keywords)` the settings of classes as its keywords.

    Its `__signature__` lists them, and `{settings}` in its docstring becomes a line for each.
    """
    known = [s for cls in classes for s in settings_of(cls)]

    def decorated(fn: F) -> F:
        lines = "\n".join(
            textwrap.fill(
                f"{s.name}: {s.help}.", 96, initial_indent="        ",
                subsequent_indent="            ",
            )
            for s in known
        ).lstrip()  # fmt: skip
        fn.__doc__ = (fn.__doc__ or "").replace("{settings}", lines)
        signature = inspect.signature(fn)
        own = [p for p in signature.parameters.values() if p.kind is not p.VAR_KEYWORD]
        keywords = [
            inspect.Parameter(s.name, inspect.Parameter.KEYWORD_ONLY, default=s.default)
            for s in known
        ]
        places = [p for p in own if p.kind is not p.KEYWORD_ONLY]
        named = [p for p in own if p.kind is p.KEYWORD_ONLY]
        fn.__signature__ = signature.replace(  # type: ignore[attr-defined]
            parameters=[*places, *keywords, *named]
        )
        return fn

    return decorated


def split_settings(keywords: Mapping[str, Any], *classes: type) -> list[dict[str, Any]]:
    """Keywords by the class that has them.

    Raises:
        TypeError: a keyword that none has.
    """
    found: list[dict[str, Any]] = [{} for _ in classes]
    names = [{s.name for s in settings_of(cls)} for cls in classes]
    for name, value in keywords.items():
        for part, known in zip(found, names, strict=True):
            if name in known:
                part[name] = value
                break
        else:
            every = ", ".join(sorted(set().union(*names)))
            raise TypeError(f"there is no option {name!r}; there are: {every}.")
    return found
