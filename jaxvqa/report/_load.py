"""Reads result files in JSON and CSV, ours and libvmaf's."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any, NoReturn

import numpy as np

from jaxvqa._pooling import PooledScores
from jaxvqa._tables import Row, TableError, content_of, read_table

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


def read_rows(name: str) -> list[Row]:
    """The rows of a table that a program wrote.

    Raises:
        ResultFileError: a missing file, or one that holds no table.
    """
    try:
        return read_table(name, full=True)
    except TableError as error:
        raise ResultFileError(str(error)) from error


def _parse(name: str) -> Any:
    try:
        content = content_of(name)
    except TableError as error:
        raise ResultFileError(str(error)) from error
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        _fail(name, "is not JSON")


def _load_csv(name: str) -> SavedResult:
    """A CSV in libvmaf's layout: `Frame`, then a column a metric, every line ending in a comma.

    The vmaf tool leaves out a value that is missing, which shifts the rest of the line: such a file
    is refused. Ours leave the field empty.
    """
    rows = read_rows(name)
    first, *heading = rows[0].cells
    if first != "Frame" or not heading:
        _fail(name, "does not begin with a line of Frame and metrics")
    numbers, values = [], np.full((len(rows), len(heading)), np.nan)
    for i, row in enumerate(rows):
        number, *cells = row.cells.values()
        try:
            numbers.append(int(number or ""))
            values[i] = [np.nan if cell is None else float(cell) for cell in cells]
        except (ValueError, OverflowError):
            _fail(name, f"has something other than numbers in {row.place}")
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
