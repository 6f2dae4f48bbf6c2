"""Tables of files: CSV, JSON, JSON Lines and Parquet, one row a line or object."""

from __future__ import annotations

import csv
import io
import json
import math
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any, NoReturn

from jaxvqa._checks import shown
from jaxvqa._optional import require

_MAX_BYTES = 1 << 29
_MAX_COLUMNS = 10_000
_MAX_FIELD = 1 << 20
_ROWS = 10_000  # of Parquet that become Python's at a time

# where a row stands, for messages, and its cells by column
_Placed = tuple[str, Any]


class TableError(ValueError):
    """A table that can't be read or understood: one sentence that names the file."""


@dataclass(frozen=True)
class Row:
    """One row of a table.

    Args:
        table: the file, for messages.
        place: where the row stands, such as "line 2".
        cells: the values by column, None for empty ones. Text from CSV, else what the file has.
    """

    table: str
    place: str
    cells: dict[str, Any]

    def fail(self, problem: str) -> NoReturn:
        """Raises TableError that names the file and the row."""
        raise TableError(f"{self.table}, {self.place}: {problem}")

    def text(self, column: str) -> str | None:
        """A cell as text, whole numbers without a point; None where it is empty."""
        value = self.cells.get(column)
        if value is None or isinstance(value, str):
            return value
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            whole = isinstance(value, float) and value.is_integer()
            return str(int(value) if whole else value)
        self.fail(f"{column} must be text, got {shown(value)}.")

    def number_of(self, column: str) -> float | None:
        """A cell as a finite number, or None where it is empty."""
        value = self.cells.get(column)
        if value is None:
            return None
        found = as_number(value)
        if found is None:
            self.fail(f"{column} must be a number, got {shown(value)}.")
        return found


def as_number(value: Any) -> float | None:
    """A cell as a finite float, or None if it is none."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def is_empty(value: Any) -> bool:
    """A cell that says nothing: None, NaN, or text of blanks."""
    missing = isinstance(value, float) and math.isnan(value)
    return value is None or missing or (isinstance(value, str) and not value.strip())


def read_table(path: str | os.PathLike[str], *, full: bool = False) -> list[Row]:
    """The rows of a table.

    Args:
        path: a file whose ending says its format: .csv (comma, semicolon or tab between cells, a
            heading on top), .tsv, .json (a list of objects), .jsonl or .ndjson (an object a line),
            .parquet or .pq. Columns of a CSV without a heading are left out.
        full: refuse lines of a CSV that have fewer cells than its heading, or more, or some in
            columns without one, as files that programs write have only where they are damaged.

    Raises:
        TableError: a file that is missing, of another kind, too large, or no such table.
        MissingPackage: Parquet without pyarrow.
    """
    name = os.fspath(path)
    reader = _READERS.get(PurePath(name).suffix.lower())
    if reader is None:
        *endings, last = TABLE_SUFFIXES
        raise TableError(
            f"{name}: must end in {', '.join(endings)} or {last}: rename or convert it."
        )
    rows = []
    for place, cells in reader(name, full):
        if not isinstance(cells, dict):
            raise TableError(f"{name}, {place}: is no JSON object of columns and values.")
        if len(cells) > _MAX_COLUMNS:
            raise TableError(f"{name}: has more than {_MAX_COLUMNS} columns.")
        known = {str(k).strip(): None if is_empty(v) else v for k, v in cells.items()}
        rows.append(Row(name, place, known))
    if not rows:
        raise TableError(f"{name}: has no rows.")
    return rows


def content_of(name: str) -> bytes:
    """The bytes of a file of a size that is read whole.

    Raises:
        TableError: a file that can't be read, or is larger.
    """
    try:
        size = os.path.getsize(name)
        if size > _MAX_BYTES:
            raise TableError(f"{name}: has {size} bytes, at most {_MAX_BYTES} are read.")
        return Path(name).read_bytes()
    except OSError as error:
        raise TableError(f"{name}: cannot be read: {error.strerror or error}.") from error


def _text(name: str) -> str:
    try:
        return content_of(name).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise TableError(f"{name}: is not UTF-8 text: save it as UTF-8.") from None


def _csv(name: str, full: bool) -> Iterator[_Placed]:
    text = _text(name)
    heading = text.partition("\n")[0]
    separator = "\t" if name.lower().endswith(".tsv") else max(",;\t", key=heading.count)
    lines = _lines(name, text, separator)
    columns = [column.strip() for column in lines[0][1]] if lines else []
    named = [column for column in columns if column]
    twice = next((column for column in named if named.count(column) > 1), None)
    if twice is not None:
        raise TableError(f"{name}: has two columns {twice!r}: rename one.")
    for number, cells in lines[1:]:
        unnamed = [cell for column, cell in zip(columns, cells, strict=False) if not column]
        more = any(cell.strip() for cell in cells[len(columns) :])
        if full and any(unnamed):
            raise TableError(f"{name}, line {number}: has a cell in a column without a heading.")
        if more or (full and len(cells) != len(columns)):
            advice = "give each column one, empty where there is nothing"
            if len(cells) > len(columns):
                advice = f"put a cell that holds {separator!r} in quotes"
            raise TableError(
                f"{name}, line {number}: has {len(cells)} cells, but there are {len(columns)} "
                f"columns: {advice}."
            )
        pairs = zip(columns, cells, strict=False)
        yield f"line {number}", {c: cell.strip() for c, cell in pairs if c}


def _lines(name: str, text: str, separator: str) -> list[tuple[int, list[str]]]:
    """Lines that are not empty, with their numbers."""
    previous = csv.field_size_limit(_MAX_FIELD)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        return [(reader.line_num, cells) for cells in reader if any(c.strip() for c in cells)]
    except csv.Error as error:
        raise TableError(f"{name}, line {reader.line_num}: is not CSV ({error}).") from None
    finally:
        csv.field_size_limit(previous)


def _json(name: str, full: bool) -> Iterator[_Placed]:
    del full
    text = _text(name)
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        raise TableError(f"{name}: is not JSON.") from None
    if not isinstance(values, list):
        raise TableError(f"{name}: must be a list of objects, one a row.")
    for number, cells in enumerate(values, 1):
        yield f"row {number}", cells


def _json_lines(name: str, full: bool) -> Iterator[_Placed]:
    del full
    # only a line feed ends a line: text within may hold what Python also takes for an end
    for number, line in enumerate(_text(name).split("\n"), 1):
        if line.strip():
            try:
                cells = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise TableError(f"{name}, line {number}: is not JSON ({error}).") from None
            yield f"line {number}", cells


def _parquet(name: str, full: bool) -> Iterator[_Placed]:
    del full
    parquet = require("pyarrow.parquet", "reading Parquet", "parquet")
    import pyarrow as pa

    number = 0
    try:
        table = parquet.ParquetFile(io.BytesIO(content_of(name))).read()
        for batch in table.to_batches(max_chunksize=_ROWS):
            for cells in batch.to_pylist():
                number += 1
                yield f"row {number}", cells
    except (pa.ArrowException, OSError):
        raise TableError(f"{name}: is not a Parquet file, or it is damaged.") from None


_READERS: dict[str, Callable[[str, bool], Iterator[_Placed]]] = {
    ".csv": _csv,
    ".tsv": _csv,
    ".json": _json,
    ".jsonl": _json_lines,
    ".ndjson": _json_lines,
    ".parquet": _parquet,
    ".pq": _parquet,
}
TABLE_SUFFIXES = tuple(_READERS)
