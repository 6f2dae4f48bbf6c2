"""Sentences of the library in the spelling of the command line."""

from __future__ import annotations

import functools
import re

from jaxvqa._scoring.request import ScoreRequest
from jaxvqa._settings import Setting, settings_of
from jaxvqa.video._inputs import InputOptions

# what stands before or after a name that is part of a path, a feature's options or a quotation
_BEFORE = r"(?<![\w./:,='\"-])"
_AFTER = r"(?![\w/='\"-]|\.\w)"
# unquoted are numbers, seconds, True and names such as N; more is a filter or a file's name
_PLAIN = r"(?:[+-]?\d+(?:\.\d+)?s?|[A-Z]\w*)(?![\w/='\"+-]|[.:]\w)"
_VALUE = rf"'[^']*'|\"[^\"]*\"|\(\d+, \d+\)|{_PLAIN}"
# of one name the last counts
_classes: list[type] = [ScoreRequest, InputOptions]


def know(*classes: type) -> None:
    """Adds the settings that a command has beside those of scoring."""
    _classes[:0] = [cls for cls in classes if cls not in _classes]
    _settings.cache_clear()
    _patterns.cache_clear()


@functools.cache
def _settings() -> dict[str, Setting]:
    """The settings that have a flag, by name."""
    known = (setting for cls in _classes for setting in settings_of(cls))
    return {s.name: s for s in known if any(s.flags)}


@functools.cache
def _patterns() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """A setting with a value; a setting alone, in backquotes or as a word that is no English."""
    names = "|".join(_settings())
    words = "|".join(name for name in _settings() if "_" in name)
    given = re.compile(rf"{_BEFORE}(`?)({names})=({_VALUE})\1")
    return given, re.compile(rf"`({names})`|{_BEFORE}({words}){_AFTER}")


def as_flags(text: str) -> str:
    """The same sentence with flags for the keywords of settings.

    `on_length_mismatch='truncate'` becomes `--on-length-mismatch truncate`.
    """
    given, alone = _patterns()

    def with_value(found: re.Match[str]) -> str:
        known, value = _settings()[found[2]], found[3].strip("'\"")
        size = re.fullmatch(r"\((\d+), (\d+)\)", value)
        value = f"{size[1]}x{size[2]}" if size else value
        switched = isinstance(known.default, bool) and value == "True"
        return known.flags[0] if switched else f"{known.flags[0]} {value}"

    text = given.sub(with_value, text)
    return alone.sub(lambda found: _settings()[found[1] or found[2]].flags[0], text)
