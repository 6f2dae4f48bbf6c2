"""Reads result files in JSON and CSV, ours and libvmaf's."""

from __future__ import annotations

import csv
import io
import json
import os
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Any, NoReturn

import numpy as np

from jaxvqa._pooling import PooledScores

_MAX_BYTES = 1 << 29
_MAX_NAMES = 10_000


class ResultFileError(ValueError):
    """A result file that can't be read: one sentence that names the file."""


@dataclass(frozen=True)
class SavedResult(PooledScores):
    """Scores read from a file.

    Args:
        path: the file.
        frames: per-frame values by name, NaN where the file has none.
        frame_numbers: `(frames,)`, the index in the clip of every scored frame.
        score_names: names of the models' scores, as far as the file tells.
        models: names of the models in the same order; empty in libvmaf's files.
        fps: the clip's frame rate, or None.
        aggregate: numbers of the whole clip that are no pooled series; NaN where the file has null.
        details: what our file says beyond libvmaf's, as it stands there; empty for libvmaf's.
    """

    path: str
    frames: dict[str, np.ndarray]
    frame_numbers: np.ndarray
    score_names: tuple[str, ...]
    models: tuple[str, ...] = ()
    fps: float | None = None
    aggregate: dict[str, float] = field(default_factory=dict)
    details: dict[str, Any] = field(default_factory=dict)


def load(path: str | os.PathLike[str]) -> SavedResult:
    """Reads a result file of jaxvqa, libvmaf's `vmaf` tool, or FFmpeg's libvmaf filter.

    Args:
        path: the file, JSON; or CSV if it ends in .csv.

    Raises:
        ResultFileError: a missing file, or one that holds no result.
    """
    name = os.fspath(path)
    if PurePath(name).suffix.lower() == ".csv":
        return _load_csv(name)
    document = _parse(name)
    frames = document.get("frames") if isinstance(document, dict) else None
    if not isinstance(frames, list) or not frames:
        _fail(name, "has no list of frames")
    numbers, series = [], {}
    for i, frame in enumerate(frames):
        metrics = frame.get("metrics") if isinstance(frame, dict) else None
        number = frame.get("frameNum") if isinstance(frame, dict) else None
        if not isinstance(metrics, dict) or not isinstance(number, int):
            _fail(name, f"has no frameNum and metrics in its frame {i}")
        numbers.append(number)
        for key, value in metrics.items():
            if key not in series:
                if len(series) == _MAX_NAMES:
                    _fail(name, f"has more than {_MAX_NAMES} metrics")
                series[key] = np.full(len(frames), np.nan)
            series[key][i] = _number(name, key, value)
    if not series:
        _fail(name, "has no metrics in its frames")
    names, models, fps = _about(document.get("jaxvqa"), series)
    try:
        indices = np.array(numbers, np.int64)
    except OverflowError:
        _fail(name, "has a frameNum that is too large")
    aggregate = _aggregate(name, document.get("aggregate_metrics"))
    block = document.get("jaxvqa")
    details = block if isinstance(block, dict) else {}
    return SavedResult(name, series, indices, names, models, fps, aggregate, details)


def _fail(name: str, problem: str) -> NoReturn:
    raise ResultFileError(
        f"{name}: {problem}: give a JSON or CSV file that jaxvqa or the vmaf tool wrote."
    )


def _content(name: str) -> bytes:
    try:
        size = os.path.getsize(name)
        if size > _MAX_BYTES:
            raise ResultFileError(f"{name}: has {size} bytes, at most {_MAX_BYTES} are read.")
        return Path(name).read_bytes()
    except OSError as error:
        raise ResultFileError(f"{name}: cannot be read: {error.strerror or error}.") from error


def _parse(name: str) -> Any:
    content = _content(name)
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        _fail(name, "is not JSON")


def _load_csv(name: str) -> SavedResult:
    """A CSV in libvmaf's layout: `Frame`, then a column a metric, every line ending in a comma.

    The vmaf tool leaves out a value that is missing, which shifts the rest of the line: such a file
    is refused. Ours leave the field empty.
    """
    try:
        rows = list(csv.reader(io.StringIO(_content(name).decode("utf-8-sig"), newline="")))
    except (UnicodeDecodeError, csv.Error):
        _fail(name, "is not CSV text")
    rows = [row for row in rows if row]
    if len(rows) < 2 or rows[0][0] != "Frame":
        _fail(name, "does not begin with a line of Frame and metrics and go on with frames")
    heading = rows[0][1 : len(rows[0]) - (rows[0][-1] == "")]
    if not heading or len(heading) > _MAX_NAMES or len(set(heading)) != len(heading):
        _fail(name, f"has no metrics in its first line, one twice, or more than {_MAX_NAMES}")
    numbers, values = [], np.full((len(rows) - 1, len(heading)), np.nan)
    for i, row in enumerate(rows[1:]):
        cells = row[1 : 1 + len(heading)]
        if len(row) != len(rows[0]) or row[1 + len(heading) :] not in ([], [""]):
            _fail(name, f"has more or fewer values than metrics in line {i + 2}")
        try:
            numbers.append(int(row[0]))
            values[i] = [float(cell) if cell.strip() else np.nan for cell in cells]
        except (ValueError, OverflowError):
            _fail(name, f"has something other than numbers in line {i + 2}")
    series = {metric: values[:, i].copy() for i, metric in enumerate(heading)}
    names, models, fps = _about(None, series)
    try:
        indices = np.array(numbers, np.int64)
    except OverflowError:
        _fail(name, "has a frame number that is too large")
    return SavedResult(name, series, indices, names, models, fps)


def _number(name: str, key: str, value: Any) -> float:
    if value is None:
        return np.nan
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        _fail(name, f"has a value of {key!r} that is not a number")
    try:
        return float(value)
    except OverflowError:
        _fail(name, f"has a value of {key!r} that is too large")


def _aggregate(name: str, block: Any) -> dict[str, float]:
    """Numbers of the whole clip; not every file has the key."""
    if block is None:
        return {}
    if not isinstance(block, dict) or len(block) > _MAX_NAMES:
        _fail(name, f"has aggregate_metrics that are no object of at most {_MAX_NAMES} numbers")
    return {key: _number(name, key, value) for key, value in block.items()}


def _about(
    block: Any, series: dict[str, np.ndarray]
) -> tuple[tuple[str, ...], tuple[str, ...], float | None]:
    """Score names, models and frame rate: from our block, else guessed from the names."""
    if not isinstance(block, dict):
        found = ("vmaf",) if "vmaf" in series else tuple(k for k in series if k.startswith("vmaf"))
        return found, (), None
    entries = block.get("models")
    entries = [m for m in entries if isinstance(m, dict)] if isinstance(entries, list) else []
    used = [m for m in entries if isinstance(m.get("score"), str) and m["score"] in series]
    clip = block.get("clip")
    rate: Any = clip.get("fps") if isinstance(clip, dict) else None
    known = isinstance(rate, (int, float)) and not isinstance(rate, bool) and 0 < rate < 1e6
    fps = float(rate) if known else None
    return tuple(m["score"] for m in used), tuple(str(m.get("name")) for m in used), fps
