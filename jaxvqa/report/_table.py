"""Reads tables of scored videos: CSV, JSON lines or Parquet."""

from __future__ import annotations

import csv
import io
import json
import os
from pathlib import Path, PurePath
from typing import Any, NoReturn

from jaxvqa.report._load import ResultFileError
from jaxvqa.report._optional import require

TABLE_SUFFIXES = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet", ".pq")
_OF_A_BATCH = "table.csv"
_MAX_BYTES = 1 << 29
_MAX_FIELD = 1 << 20

Row = dict[str, Any]


def is_table(path: str | os.PathLike[str]) -> bool:
    """The name is that of a table, or of the folder of a batch."""
    return os.path.isdir(path) or PurePath(path).suffix.lower() in TABLE_SUFFIXES


def load_table(path: str | os.PathLike[str]) -> list[Row]:
    """Reads a table with one row per scored video.

    Args:
        path: the file, .csv, .tsv, .jsonl, .ndjson, .parquet or .pq, or the folder of a batch.

    Returns:
        The rows by column name, in their order. Cells of CSV are text as it stands there; empty
        ones are None.

    Raises:
        ResultFileError: a missing file, or one that holds no table.
        MissingPackage: a Parquet file, and pyarrow is not installed.
    """
    name = os.fspath(path)
    if os.path.isdir(name):
        name = os.path.join(name, _OF_A_BATCH)
    suffix = PurePath(name).suffix.lower()
    if suffix not in TABLE_SUFFIXES:
        _fail(name, f"is not named as a table, which ends in one of {', '.join(TABLE_SUFFIXES)}")
    if suffix in (".parquet", ".pq"):
        return _parquet(name)
    text = _text(name)
    if suffix in (".jsonl", ".ndjson"):
        return _json_lines(name, text)
    return _delimited(name, text, "\t" if suffix == ".tsv" else ",")


def _fail(name: str, problem: str) -> NoReturn:
    raise ResultFileError(f"{name}: {problem}: give a table as jaxvqa batch writes it.")


def _text(name: str) -> str:
    try:
        size = os.path.getsize(name)
        if size > _MAX_BYTES:
            raise ResultFileError(f"{name}: has {size} bytes, at most {_MAX_BYTES} are read.")
        return Path(name).read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise ResultFileError(f"{name}: cannot be read: {error.strerror or error}.") from error
    except UnicodeDecodeError:
        _fail(name, "is not text in UTF-8")


def _delimited(name: str, text: str, delimiter: str) -> list[Row]:
    previous = csv.field_size_limit(_MAX_FIELD)
    try:
        lines = [*csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)]
    except csv.Error as error:
        _fail(name, f"is not CSV ({error})")
    finally:
        csv.field_size_limit(previous)
    lines = [line for line in lines if line]
    if not lines:
        _fail(name, "is empty")
    header = lines[0]
    doubled = sorted({c for c in header if header.count(c) > 1})
    if doubled:
        _fail(name, f"has two columns {doubled[0]!r}")
    rows = []
    for i, line in enumerate(lines[1:]):
        if len(line) != len(header):
            _fail(name, f"has {len(line)} cells in row {i + 1} under {len(header)} headings")
        rows.append({c: v if v != "" else None for c, v in zip(header, line, strict=True)})
    return rows


def _json_lines(name: str, text: str) -> list[Row]:
    rows = []
    for i, line in enumerate(text.splitlines()):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            row = None
        if not isinstance(row, dict):
            _fail(name, f"has no JSON object in line {i + 1}")
        rows.append(row)
    return rows


def _parquet(name: str) -> list[Row]:
    parquet = require("pyarrow.parquet", "reading Parquet", "parquet")
    import pyarrow as pa

    try:
        return parquet.ParquetFile(name).read().to_pylist()
    except FileNotFoundError as error:
        raise ResultFileError(f"{name}: cannot be read: {error.strerror or error}.") from error
    except (OSError, pa.ArrowException):
        _fail(name, "is not Parquet")
