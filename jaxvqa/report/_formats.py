"""The formats of result files by name."""

from __future__ import annotations

import os
from pathlib import PurePath

from jaxvqa._checks import one_of
from jaxvqa._scoring.result import Result
from jaxvqa.report._atomic import write_atomically
from jaxvqa.report._csv_file import render_csv
from jaxvqa.report._json_file import render_json
from jaxvqa.report._parquet_file import render_parquet
from jaxvqa.report._sub_file import render_sub
from jaxvqa.report._xml_file import render_xml

FORMATS = ("json", "csv", "xml", "sub", "parquet")
_SUFFIXES = {f".{name}": name for name in FORMATS} | {".pq": "parquet"}


def format_of(path: str | os.PathLike[str]) -> str:
    """The format that a file name asks for; JSON if it asks for none."""
    return _SUFFIXES.get(PurePath(path).suffix.lower(), "json")


def render(
    result: Result, file_format: str, *, timing: bool = True, precision: int | None = None
) -> bytes:
    """The content of a result file.

    Args:
        result: what `jaxvqa.score` gave.
        file_format: one of `FORMATS`.
        timing: False leaves out everything that differs from run to run.
        precision: significant digits of numbers in text; None for libvmaf's six decimals.
    """
    one_of("format", file_format, FORMATS)
    if file_format == "parquet":
        return render_parquet(result, timing=timing)
    if file_format == "csv":
        text = render_csv(result, precision=precision)
    elif file_format == "sub":
        text = render_sub(result, precision=precision)
    elif file_format == "xml":
        text = render_xml(result, timing=timing, precision=precision)
    else:
        text = render_json(result, timing=timing, precision=precision)
    return text.encode(errors="replace")


def write(
    result: Result,
    file: str | os.PathLike[str],
    file_format: str | None = None,
    *,
    timing: bool = True,
    precision: int | None = None,
) -> None:
    """Writes a result file, whole or not at all, by default in the format of its suffix."""
    content = render(result, file_format or format_of(file), timing=timing, precision=precision)
    write_atomically(file, content)
