"""Reading of JSON that may come from anywhere: bounded, typed, finite, one-sentence errors."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from jaxvqa.fusion._model import OptionValue

MAX_BYTES = 16 * 1024 * 1024
_MAX_TEXT = 500
_MAX_OPTIONS = 64
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,120}")


class Block:
    """A JSON object with the file and place it came from, for error messages.

    Args:
        values: the object.
        where: file name and place, the beginning of every message.
    """

    def __init__(self, values: Any, where: str) -> None:
        """Checks that `values` is an object."""
        self.where = where
        if not isinstance(values, dict):
            self.fail("must be a JSON object")
        self.values: dict[str, Any] = values

    def fail(self, message: str) -> NoReturn:
        """Raises ValueError that names the file."""
        raise ValueError(f"{self.where}: {message}.")

    def __contains__(self, key: str) -> bool:
        return self.values.get(key) is not None

    def block(self, key: str) -> Block:
        """The object under `key`."""
        if key not in self:
            self.fail(f"{key} is missing")
        return Block(self.values[key], f"{self.where}, {key}")

    def items(self, key: str, most: int) -> list[Any]:
        """The list under `key`."""
        value = self.values.get(key)
        if not isinstance(value, list):
            self.fail(f"{key} must be a list")
        if not 1 <= len(value) <= most:
            self.fail(f"{key} must have 1 to {most} elements, it has {len(value)}")
        return value

    def text(self, key: str, default: str | None = None) -> str:
        """The string under `key`."""
        value = self.values.get(key, default)
        if not isinstance(value, str) or len(value) > _MAX_TEXT:
            self.fail(f"{key} must be a string of at most {_MAX_TEXT} characters")
        return value

    def identifier(self, key: str) -> str:
        """The name under `key`: letters, digits, underscore, dot and hyphen."""
        value = self.text(key)
        if not _NAME.fullmatch(value):
            self.fail(f"{key} must consist of letters, digits, '_', '.' and '-'")
        return value

    def flag(self, key: str, *, quoted: bool = False) -> bool:
        """The boolean under `key`, False if absent; `quoted` ones are "true" or "false"."""
        value = self.values.get(key)
        if value is None:
            return False
        true, false = ("true", "false") if quoted else (True, False)
        if type(value) is not type(true) or value not in (true, false):
            self.fail(f"{key} must be {json.dumps(true)} or {json.dumps(false)}")
        return value == true

    def number(self, key: str, default: float | None = None) -> float:
        """The finite number under `key`; `default` if it is absent or null."""
        value = self.values.get(key)
        if value is None and default is not None:
            return default
        return finite(value, f"{self.where}: {key}")

    def numbers(self, key: str, count: int) -> np.ndarray:
        """The list of `count` finite numbers under `key`, float64."""
        value = self.values.get(key)
        if not isinstance(value, list) or len(value) != count:
            self.fail(f"{key} must be a list of {count} numbers")
        return np.array([finite(v, f"{self.where}: {key}") for v in value], np.float64)


def finite(value: Any, what: str) -> float:
    """`value` as a finite float.

    Raises:
        ValueError: it is no number, or not finite; the message begins with `what`.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f"{what} must be a number, got {value!r:.40}.")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise ValueError(f"{what} must be finite.")
    return number


def finite_text(text: str, what: str) -> float:
    """A finite float from text; the message of the ValueError begins with `what`."""
    try:
        number = float(text)
    except ValueError:
        raise ValueError(f"{what} must be a number, got {text!r:.40}.") from None
    return finite(number, what)


def options(value: Any, where: str) -> tuple[tuple[str, OptionValue], ...]:
    """Options of one feature as `(name, value)` pairs; null means none."""
    block = Block({} if value is None else value, where)
    if len(block.values) > _MAX_OPTIONS:
        block.fail(f"at most {_MAX_OPTIONS} options are allowed, got {len(block.values)}")
    for name, option in block.values.items():
        if not _NAME.fullmatch(name):
            block.fail(f"{name!r:.40} is not an option name")
        if isinstance(option, str):
            block.text(name)
        elif not isinstance(option, bool):
            finite(option, f"{where}: {name}")
    return tuple(block.values.items())


def read_bytes(path: Path) -> bytes:
    """Content of a model file.

    Raises:
        ValueError: it can't be read, or is larger than a model can be.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ValueError(f"{path.name}: can't be read ({error.strerror}).") from None
    if len(content) > MAX_BYTES:
        raise ValueError(f"{path.name}: is larger than {MAX_BYTES >> 20} MiB, no model is.")
    return content


def parse(content: bytes | str, source: str) -> Block:
    """Parses a JSON object.

    Args:
        content: the file.
        source: its name, for messages.

    Raises:
        ValueError: too large, not JSON, not an object, a key twice, or NaN or infinity.
    """
    if len(content) > MAX_BYTES:
        raise ValueError(f"{source}: is larger than {MAX_BYTES >> 20} MiB, no model is.")
    try:
        text = content if isinstance(content, str) else content.decode("utf-8")
        values = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
    except RecursionError:
        raise ValueError(f"{source}: is nested too deeply.") from None
    except UnicodeDecodeError:
        raise ValueError(f"{source}: is not UTF-8 text.") from None
    except ValueError as error:
        raise ValueError(f"{source}: is not a JSON file we can read ({error}).") from None
    return Block(values, source)


def _unique(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) != len(pairs):
        raise ValueError("an object has the same key twice")
    return values


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a finite number")
