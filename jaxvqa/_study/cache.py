"""Measured series on disk, one Parquet file per clip and request, so that work can go on."""

from __future__ import annotations

import contextlib
import io
import json
import os
from pathlib import Path

import numpy as np

from jaxvqa._optional import require
from jaxvqa._scoring.digests import digest_of, file_digest, request_digest
from jaxvqa._scoring.request import ScoreRequest
from jaxvqa._study.series import Series
from jaxvqa._study.workfile import Works
from jaxvqa.report import write_atomically


class SeriesCache:
    """A folder of measured series.

    Args:
        folder: where the files are; made when the first is kept.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        require("pyarrow.parquet", "keeping features", "parquet")
        self.folder = Path(folder)

    def key(
        self, ref: str, dis: str, request: ScoreRequest, works: Works | None = None
    ) -> str | None:
        """Name of the file: from what both videos hold, what is asked, and our version.

        What they pass before they are measured counts as well.

        None where a video is no plain file, whose content can't be told beforehand.
        """
        if not (os.path.isfile(ref) and os.path.isfile(dis)):
            return None
        try:
            videos = [file_digest(path) for path in (ref, dis)]
        except OSError:
            return None
        facts = (request_digest(request), videos, *(works or ()))
        return digest_of(repr(facts))[:32]

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
