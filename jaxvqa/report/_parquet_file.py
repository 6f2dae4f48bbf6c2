"""Results as Parquet, one row per frame and feature."""

from __future__ import annotations

import io
import json
import os
from typing import Any

import numpy as np

from jaxvqa._optional import require
from jaxvqa._scoring.result import Result
from jaxvqa.report._atomic import write_atomically
from jaxvqa.report._json_file import extra_block
from jaxvqa.report._numbers import format_number


def require_parquet() -> None:
    """Raises MissingPackage if Parquet can't be written."""
    require("pyarrow.parquet", "writing Parquet", "parquet")


def render_parquet(result: Result, *, timing: bool = True) -> bytes:
    """A result as a Parquet file in memory.

    Long form: columns `reference` and `distorted` (file names, null for arrays), `frame` (int64),
    `feature` (text) and `value` (float64, null where a value is not finite), so that tables of many
    clips and models can be stacked. The file's metadata holds under `jaxvqa` what our JSON holds
    there.

    Args:
        result: what `jaxvqa.score` gave.
        timing: False leaves out everything that differs from run to run.

    Raises:
        MissingPackage: pyarrow is not installed.
    """
    require_parquet()
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = list(result.frames)
    values = np.concatenate([np.asarray(v, np.float64) for v in result.frames.values()])
    frames = np.tile(np.asarray(result.frame_numbers, np.int64), len(names))
    features = pa.DictionaryArray.from_arrays(
        np.repeat(np.arange(len(names), dtype=np.int32), len(result.frame_numbers)), names
    )
    rows = len(values)
    columns = {
        "reference": _repeated(result.clip.ref_path, rows),
        "distorted": _repeated(result.clip.dis_path, rows),
        "frame": pa.array(frames),
        "feature": features,
        "value": pa.array(values, mask=~np.isfinite(values)),
    }
    table = pa.table(columns)
    about = json.dumps(_finite(extra_block(result, timing=timing)))
    sink = io.BytesIO()
    pq.write_table(table.replace_schema_metadata({"jaxvqa": about}), sink)
    return sink.getvalue()


def write_parquet(result: Result, file: str | os.PathLike[str], *, timing: bool = True) -> None:
    """Writes `render_parquet` to a file, whole or not at all."""
    write_atomically(file, render_parquet(result, timing=timing))


def _repeated(text: str | None, rows: int) -> Any:
    """A column of one text, stored once."""
    import pyarrow as pa

    index = pa.array(np.zeros(rows, np.int32), mask=np.full(rows, text is None))
    return pa.DictionaryArray.from_arrays(index, pa.array([text or ""]))


def _finite(value: object) -> object:
    """The same JSON values with None for numbers that are not finite."""
    if isinstance(value, dict):
        return {k: _finite(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_finite(v) for v in value]
    if isinstance(value, float) and format_number(value) is None:
        return None
    return value
