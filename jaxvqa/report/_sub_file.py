"""Results as MicroDVD subtitles in libvmaf's layout, to be shown over the video."""

from __future__ import annotations

import os

from jaxvqa._scoring.result import Result
from jaxvqa.report._atomic import write_atomically
from jaxvqa.report._numbers import format_number


def render_sub(result: Result, *, precision: int | None = None) -> str:
    """A result as subtitles: one line a frame, `{0}{1}frame: 0|vmaf: 93.124000|`.

    A value that is not finite is left out.

    Args:
        result: what `jaxvqa.score` gave.
        precision: significant digits; None for libvmaf's six decimals.
    """
    lines = []
    for i, number in enumerate(map(int, result.frame_numbers)):
        texts = {k: format_number(float(v[i]), precision) for k, v in result.frames.items()}
        shown = "".join(f"{key}: {text}|" for key, text in texts.items() if text is not None)
        lines.append(f"{{{number}}}{{{number + 1}}}frame: {number}|{shown}\n")
    return "".join(lines)


def write_sub(
    result: Result, file: str | os.PathLike[str], *, precision: int | None = None
) -> None:
    """Writes `render_sub` to a file, whole or not at all."""
    write_atomically(file, render_sub(result, precision=precision).encode(errors="replace"))
