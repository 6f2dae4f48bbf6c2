"""Results as CSV in libvmaf's layout."""

from __future__ import annotations

import os

from jaxvqa._scoring.result import Result
from jaxvqa.report._atomic import write_atomically
from jaxvqa.report._numbers import format_number


def render_csv(result: Result, *, precision: int | None = None) -> str:
    """A result as CSV text: one row a frame, every line with a comma at its end, as in libvmaf.

    A value that is not finite leaves its field empty, so columns never shift.

    Args:
        result: what `jaxvqa.score` gave.
        precision: significant digits; None for libvmaf's six decimals.
    """
    lines = ["".join(f"{_field(name)}," for name in ("Frame", *result.frames))]
    columns = list(result.frames.values())
    for i, number in enumerate(result.frame_numbers):
        values = (format_number(float(column[i]), precision) or "" for column in columns)
        lines.append(f"{int(number)}," + "".join(f"{value}," for value in values))
    return "\n".join(lines) + "\n"


def write_csv(
    result: Result, file: str | os.PathLike[str], *, precision: int | None = None
) -> None:
    """Writes `render_csv` to a file, whole or not at all."""
    write_atomically(file, render_csv(result, precision=precision).encode(errors="replace"))


def _field(text: str) -> str:
    """A field, in quotes if it holds what separates fields; names of models are free text."""
    if not set(text) & set(',"\r\n'):
        return text
    return '"' + text.replace('"', '""') + '"'
