"""Tables that users bring: CSV, JSON, JSON Lines and Parquet, one row a line or object."""

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
from jaxvqa.report._optional import require

TABLE_FORMATS = ("csv", "tsv", "json", "jsonl", "parquet")
_MAX_BYTES = 1 << 29
_MAX_ROWS = 1_000_000
_MAX_COLUMNS = 2000


class TableError(ValueError):
    """A table that can't be read or understood: one sentence that names the file."""


@dataclass(frozen=True)
class Row:
    """One row of a table.

    Args:
        table: the file, for messages.
        number: which row, from 1; the line of a CSV with its heading as line 1.
        cells: the values by column, empty ones left out. Text from CSV, else what the file has.
    """

    table: str
    number: int
    cells: dict[str, Any]

    def fail(self, problem: str) -> NoReturn:
        """Raises TableError that names the file and the row."""
        raise TableError(f"{self.table}, row {self.number}: {problem}")

    def text(self, column: str) -> str | None:
        """A cell as text, or None where it is empty."""
        value = self.cells.get(column)
        if value is None or isinstance(value, str):
            return value
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return f"{value:g}" if isinstance(value, float) else str(value)
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


def read_table(path: str | os.PathLike[str]) -> list[Row]:
    """The rows of a table.

    Args:
        path: a file whose ending says its format: .csv (comma, semicolon or tab between cells, a
            heading on top), .tsv, .json (a list of objects), .jsonl (an object a line), .parquet.

    Raises:
        TableError: a file that is missing, of another kind, too large, or no such table.
        MissingPackage: Parquet without pyarrow.
    """
    name = os.fspath(path)
    kind = PurePath(name).suffix.lower().removeprefix(".")
    if kind not in TABLE_FORMATS:
        raise TableError(
            f"{name}: tables end in {', '.join('.' + k for k in TABLE_FORMATS)}: rename or convert "
            "it."
        )
    if kind == "parquet":
        require("pyarrow.parquet", "reading Parquet", "parquet")
    readers: dict[str, Callable[[str, bytes], Iterator[tuple[int, Any]]]] = {
        "csv": _csv, "tsv": _csv, "json": _json, "jsonl": _jsonl, "parquet": _parquet,
    }  # fmt: skip
    rows = []
    for number, cells in readers[kind](name, _content(name)):
        if not isinstance(cells, dict):
            raise TableError(f"{name}, row {number}: must be an object of columns and values.")
        if len(rows) == _MAX_ROWS or len(cells) > _MAX_COLUMNS:
            raise TableError(f"{name}: has more than {_MAX_ROWS} rows or {_MAX_COLUMNS} columns.")
        known = {str(k).strip(): v for k, v in cells.items() if not _empty(v)}
        rows.append(Row(name, number, known))
    if not rows:
        raise TableError(f"{name}: has no rows below its heading.")
    return rows


def _empty(value: Any) -> bool:
    missing = isinstance(value, float) and math.isnan(value)
    return value is None or missing or (isinstance(value, str) and not value.strip())


def _content(name: str) -> bytes:
    try:
        size = os.path.getsize(name)
        if size > _MAX_BYTES:
            raise TableError(f"{name}: has {size} bytes, at most {_MAX_BYTES} are read.")
        return Path(name).read_bytes()
    except OSError as error:
        raise TableError(f"{name}: cannot be read: {error.strerror or error}.") from error


def _text(name: str, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise TableError(f"{name}: is not UTF-8 text: save it as UTF-8.") from None


def _csv(name: str, content: bytes) -> Iterator[tuple[int, Any]]:
    text = _text(name, content)
    heading = text.partition("\n")[0]
    separator = max(",;\t", key=heading.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        columns = [column.strip() for column in next(reader, [])]
        named = [column for column in columns if column]
        if len(set(named)) != len(named):
            raise TableError(f"{name}: has two columns of the same name in its first line.")
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if any(cell.strip() for cell in cells[len(columns) :]):
                raise TableError(
                    f"{name}, row {reader.line_num}: has more cells than the heading; put cells "
                    f"that hold {separator!r} in quotes."
                )
            pairs = zip(columns, cells, strict=False)
            yield reader.line_num, {c: cell.strip() for c, cell in pairs if c}
    except csv.Error as error:
        raise TableError(f"{name}, row {reader.line_num}: is no CSV ({error}).") from None


def _json(name: str, content: bytes) -> Iterator[tuple[int, Any]]:
    try:
        values = json.loads(_text(name, content))
    except (json.JSONDecodeError, RecursionError):
        raise TableError(f"{name}: is not JSON.") from None
    if not isinstance(values, list):
        raise TableError(f"{name}: must be a list of objects, one a row.")
    yield from enumerate(values, 1)


def _jsonl(name: str, content: bytes) -> Iterator[tuple[int, Any]]:
    for number, line in enumerate(_text(name, content).splitlines(), 1):
        if line.strip():
            try:
                yield number, json.loads(line)
            except (ValueError, RecursionError):
                raise TableError(f"{name}, row {number}: is not a JSON object.") from None


def _parquet(name: str, content: bytes) -> Iterator[tuple[int, Any]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(io.BytesIO(content))
        if table.num_rows > _MAX_ROWS:
            raise TableError(f"{name}: has more than {_MAX_ROWS} rows.")
        yield from enumerate(table.to_pylist(), 1)
    except (pa.ArrowException, OSError) as error:
        raise TableError(f"{name}: is not a Parquet file: {str(error)[:120]}.") from None
