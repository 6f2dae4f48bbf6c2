"""Measured series on disk, one Parquet file per clip and request, so that work can go on."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from jaxvqa._optional import require
from jaxvqa._scoring.request import ScoreRequest
from jaxvqa._settings import settings_of
from jaxvqa._study.series import Series
from jaxvqa._version import __version__
from jaxvqa.report import write_atomically
from jaxvqa.video._inputs import InputOptions

_BLOCK = 1 << 20


class SeriesCache:
    """A folder of measured series.

    Args:
        folder: where the files are; made when the first is kept.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        require("pyarrow.parquet", "keeping features", "parquet")
        self.folder = Path(folder)

    def key(self, ref: str, dis: str, request: ScoreRequest) -> str | None:
        """Name of the file: from what both videos hold, what is asked, and our version.

        None where a video is no plain file, whose content can't be told beforehand.
        """
        contents = [_digest(path) for path in (ref, dis)]
        if None in contents:
            return None
        asked: dict[str, Any] = {
            s.name: _plain(getattr(request, s.name)) for s in settings_of(ScoreRequest)
        }
        inputs = request.inputs
        asked |= {s.name: _plain(getattr(inputs, s.name)) for s in settings_of(InputOptions)}
        facts = [__version__, *contents, asked]
        text = json.dumps(facts, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    def load(self, key: str) -> Series | None:
        """What is kept under a key; None if there is nothing that can be read."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            table = pq.read_table(io.BytesIO((self.folder / f"{key}.parquet").read_bytes()))
            about = json.loads((table.schema.metadata or {})[b"jaxvqa"])
            frames = {
                name: table[name].to_numpy().astype(np.float64)
                for name in table.column_names
                if name != "frame"
            }
            return Series(
                frames,
                {name: tuple(outputs) for name, outputs in about["outputs"].items()},
                dict(about["directions"]),
            )
        except (OSError, KeyError, ValueError, TypeError, AttributeError, pa.ArrowException):
            return None

    def keep(self, key: str, series: Series) -> None:
        """Keeps series under a key; a disk that is full or read-only keeps nothing."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        count = len(next(iter(series.frames.values())))
        columns = {"frame": np.arange(count), **series.frames}
        about = json.dumps({"outputs": series.outputs, "directions": series.directions})
        table = pa.table(columns).replace_schema_metadata({"jaxvqa": about})
        sink = io.BytesIO()
        pq.write_table(table, sink)
        with contextlib.suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True)
            write_atomically(self.folder / f"{key}.parquet", sink.getvalue())


def _digest(path: str) -> str | None:
    """Hash of a file's content."""
    if not os.path.isfile(path):
        return None
    digest = hashlib.sha256()
    try:
        with open(path, "rb") as file:
            while block := file.read(_BLOCK):
                digest.update(block)
    except OSError:
        return None
    return digest.hexdigest()


def _plain(value: Any) -> Any:
    """A setting as JSON; files of models by what they hold."""
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, (bool, int, float)):
        return value
    text = os.fspath(value) if isinstance(value, os.PathLike) else str(value)
    return [text, _digest(text)] if text.endswith(".json") else text
