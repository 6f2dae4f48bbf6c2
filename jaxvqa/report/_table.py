"""Reads tables of scored videos."""

from __future__ import annotations

import os
from pathlib import PurePath
from typing import Any

from jaxvqa._tables import TABLE_SUFFIXES
from jaxvqa.report._load import read_rows

_OF_A_BATCH = "table.csv"
_OF_RESULTS = ".json"


def is_table(path: str | os.PathLike[str]) -> bool:
    """The name is that of a table, or of the folder of a batch; JSON is taken for a result."""
    suffix = PurePath(path).suffix.lower()
    return os.path.isdir(path) or (suffix in TABLE_SUFFIXES and suffix != _OF_RESULTS)


def load_table(path: str | os.PathLike[str]) -> list[dict[str, Any]]:
    """Reads a table with one row per scored video.

    Args:
        path: the file, .csv, .tsv, .json, .jsonl, .ndjson, .parquet or .pq, or the folder of a
            batch.

    Returns:
        The rows by column name, in their order. Cells of CSV are text as it stands there, without
        blanks around it; empty ones are None.

    Raises:
        ResultFileError: a missing file, or one that holds no table.
        MissingPackage: a Parquet file, and pyarrow is not installed.
    """
    file = os.path.join(path, _OF_A_BATCH) if os.path.isdir(path) else path
    return [row.cells for row in read_rows(os.fspath(file))]
