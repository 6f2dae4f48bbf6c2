"""What the columns of a table of encodes mean."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any

Row = Mapping[str, Any]
# pairs of width and height, and single columns, that tables name the encoded size by
_SIZES: tuple[tuple[str, ...], ...] = (
    ("dis_width", "dis_height"), ("encoded_width", "encoded_height"), ("encode_size",),
    ("dis_size",), ("width", "height"), ("size",), ("resolution",),
)  # fmt: skip
# encodes of one reference show the same video, so it stands in for a title
_OTHERWISE = {"title": ("ref",)}
# bits per second as names of files have them: 900k, 2.5M, 1500kbps, 4 Mbit/s
_RATE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([kKmMgG])(?:b|bps|b/s|bit|bit/s|bits/s)?\s*", re.ASCII)
_UNITS = {"k": 1e3, "m": 1e6, "g": 1e9}
_NAMES = ("id", "dis", "distorted", "name", "file")


def column(known: Sequence[str], name: str, what: str) -> str:
    """The column that a caller means: by its name, its mean or unit, or what stands in for it.

    Args:
        known: the table's columns.
        name: what is asked for.
        what: the option that asks for it.

    Raises:
        ValueError: the table has none of these.
    """
    for candidate in (name, f"{name}_mean", f"{name}_kbps", *_OTHERWISE.get(name, ())):
        if candidate in known:
            return candidate
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    advice = f"did you mean {close[0]!r}?" if close else f"it has: {', '.join(known) or 'none'}."
    raise ValueError(f"{what}={name!r}: the table has no such column; {advice}")


def size_columns(known: Sequence[str], size: Sequence[str] | None) -> tuple[str, ...]:
    """The columns of the encoded size, of those that are known; empty where there are none.

    Raises:
        ValueError: one was named that the table does not have, or more than two.
    """
    if size is not None:
        if not 1 <= len(size) <= 2:
            raise ValueError("size must name one column, WIDTHxHEIGHT, or two, width and height.")
        return tuple(column(known, name, "size") for name in size)
    return next((names for names in _SIZES if set(names) <= set(known)), ())


def size_of(row: Row, columns: Sequence[str]) -> tuple[int, int] | None:
    """Columns and rows of an encode, or None."""
    if not columns:
        return None
    text = "x".join(text_of(row, c) for c in columns)
    found = re.fullmatch(r"\s*(\d{1,6})(?:\.0)?\s*[xX×,; ]\s*(\d{1,6})(?:\.0)?\s*", text)
    return (int(found[1]), int(found[2])) if found else None


def text_of(row: Row, column: str) -> str:
    """A cell as text; an empty one is empty, however the table says so."""
    value = row.get(column)
    return "" if value is None else str(value)


def number_of(value: Any) -> float | None:
    """A cell as a finite number, or None."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) and not isinstance(value, bool) else None


def rates_of(rows: Sequence[Row], column: str) -> list[float | None]:
    """The column of rates as numbers; text such as `900k` or `2.5Mbps` is in bits per second.

    Raises:
        ValueError: some have a unit and some have none, so what the latter are in is not known.
    """
    cells = [row.get(column) for row in rows]
    found = [_RATE.fullmatch(cell) if isinstance(cell, str) else None for cell in cells]
    with_unit = next((m[0] for m in found if m), None)
    if with_unit is None:
        return [number_of(cell) for cell in cells]
    plain = next((cell for cell in cells if number_of(cell) is not None), None)
    if plain is not None:
        raise ValueError(
            f"{column} is {with_unit!r} in one row and {plain!r} in another: give all a unit, or "
            "none."
        )
    return [None if m is None else float(m[1]) * _UNITS[m[2].lower()] for m in found]


def name_of(row: Row, index: int) -> str:
    """What to call a row."""
    for name in _NAMES:
        if row.get(name) not in (None, ""):
            return PurePath(str(row[name])).name
    return f"row {index + 1}"
