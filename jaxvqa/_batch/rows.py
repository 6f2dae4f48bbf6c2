"""Rows of a manifest's file: CSV, JSON lines or Parquet."""

from __future__ import annotations

import csv
import json
import math
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from jaxvqa.report._optional import require

# a place in a file, for messages, and the cells that are not empty
PlacedRow = tuple[str, dict[str, Any]]


def read_rows(path: str | os.PathLike[str]) -> Iterator[PlacedRow]:
    """The rows of a file by its suffix: .csv, .tsv, .jsonl, .ndjson or .parquet.

    Raises:
        ValueError: a file that can't be read, or of another kind.
    """
    file = Path(path)
    reader = _READERS.get(file.suffix.lower())
    if reader is None:
        raise ValueError(
            f"manifest {file}: its name must end in .csv, .tsv, .jsonl, .ndjson or .parquet."
        )
    try:
        yield from reader(file)
    except OSError as error:
        raise ValueError(f"manifest {file} can't be read: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise ValueError(f"manifest {file} is not UTF-8 text: save it as UTF-8.") from error


def filled(row: dict[str, Any]) -> dict[str, Any]:
    """The cells that are not empty."""
    return {name: cell for name, cell in row.items() if not _is_empty(cell)}


def _is_empty(cell: Any) -> bool:
    return cell is None or cell == "" or (isinstance(cell, float) and math.isnan(cell))


def _csv(file: Path) -> Iterator[PlacedRow]:
    separator = "\t" if file.suffix.lower() == ".tsv" else ","
    with open(file, encoding="utf-8-sig", newline="") as text:
        rows = csv.reader(text, delimiter=separator)
        try:
            header = [name.strip() for name in next(rows, [])]
            twice = sorted({name for name in header if header.count(name) > 1})
            if twice:
                raise ValueError(f"manifest {file} has two columns {twice[0]!r}: rename one.")
            for cells in rows:
                if not any(cells):
                    continue
                place = f"{file}, line {rows.line_num}"
                if len(cells) > len(header):
                    raise ValueError(
                        f"{place}: has {len(cells)} cells, but there are {len(header)} columns: "
                        'put a cell that holds a comma in quotes (").'
                    )
                yield place, filled(dict(zip(header, cells, strict=False)))
        except csv.Error as error:
            raise ValueError(f"{file}, line {rows.line_num}: is not CSV ({error}).") from error


def _json_lines(file: Path) -> Iterator[PlacedRow]:
    with open(file, encoding="utf-8-sig") as text:
        for number, line in enumerate(text, 1):
            if not line.strip():
                continue
            place = f"{file}, line {number}"
            try:
                row = json.loads(line)
            except json.JSONDecodeError as error:
                raise ValueError(f"{place}: is not JSON ({error}).") from error
            if not isinstance(row, dict):
                raise ValueError(f'{place}: is no JSON object such as {{"ref": …, "dis": …}}.')
            yield place, filled(row)


def _parquet(file: Path) -> Iterator[PlacedRow]:
    parquet = require("pyarrow.parquet", "reading a Parquet manifest", "batch")
    import pyarrow as pa

    try:
        table = parquet.read_table(file)
    except pa.ArrowInvalid as error:
        raise ValueError(f"manifest {file} is no Parquet file, or it is damaged.") from error
    number = 0
    for batch in table.to_batches(max_chunksize=10_000):
        for row in batch.to_pylist():
            number += 1
            yield f"{file}, row {number}", filled(row)


_READERS: dict[str, Callable[[Path], Iterator[PlacedRow]]] = {
    ".csv": _csv,
    ".tsv": _csv,
    ".jsonl": _json_lines,
    ".ndjson": _json_lines,
    ".parquet": _parquet,
}
