"""The table of a batch: one row per job, as CSV and as Parquet."""

from __future__ import annotations

import csv
import io
import itertools
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from jaxvqa._batch.entry import (
    COUNTS,
    FACTS,
    FIRST,
    SECONDS,
    STATUS,
    row_of,
    scores_of,
    tag_columns,
)
from jaxvqa._batch.job import Job, Manifest
from jaxvqa._batch.ledger import Ledger, shard_suffix
from jaxvqa._drafts import draft

_ROWS = 1000  # that are in memory at a time
_BUFFER = 1 << 20
_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?")
_WHOLE = re.compile(r"-?(0|[1-9]\d{0,17})")
_INTEGERS = frozenset({
    "frames", "dis_bytes", "ref_width", "ref_height", "dis_width", "dis_height", "scored_width",
    "scored_height", "bits", "unpaired_ref", "unpaired_dis",
})  # fmt: skip
_TEXTS = frozenset({
    *FIRST, *STATUS, "models", "pairing", "ref_filters", "dis_filters", "notices", "frames_file",
})  # fmt: skip


def table_paths(folder: Path, shard: tuple[int, int] | None = None) -> tuple[Path, Path]:
    """The table as CSV and as Parquet."""
    name = f"table{shard_suffix(shard)}"
    return folder / f"{name}.csv", folder / f"{name}.parquet"


class Table:
    """The table of jobs that a ledger knows all of; it is read twice, a few rows at a time.

    Args:
        manifest: the manifest, for its columns.
        jobs: the jobs in order, with their keys.
        ledger: what came out.
        timing: False leaves out the one column that differs from run to run.
    """

    def __init__(
        self,
        manifest: Manifest,
        jobs: Sequence[tuple[Job, str]],
        ledger: Ledger,
        *,
        timing: bool = True,
    ) -> None:
        self._jobs = jobs
        self._ledger = ledger
        self._tags = tag_columns(manifest.tags, manifest.options)
        self._timing = timing
        self._options = manifest.options
        self._scores = self._find_scores()

    def _entries(self) -> Iterator[tuple[Job, dict[str, Any]]]:
        entries = self._ledger.entries([key for _, key in self._jobs])
        for (job, _), entry in zip(self._jobs, entries, strict=True):
            assert entry is not None, "a table is made of jobs that were tried"
            yield job, entry

    def _find_scores(self) -> tuple[str, ...]:
        """Columns of what was measured: series in order of their first row, then single numbers."""
        series: dict[str, None] = {}
        single: dict[str, None] = {}
        taken = {*FIRST, *self._options, *self._tags.values(), *STATUS, *COUNTS}
        for _, entry in self._entries():
            names = [name for name, _ in scores_of(entry)]
            most = len(names) - len(entry.get("clip", {}))
            series |= dict.fromkeys(names[:most])
            single |= dict.fromkeys(n if n not in taken else f"clip_{n}" for n in names[most:])
        return (*series, *single)

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns in order."""
        timing = (SECONDS,) if self._timing else ()
        before = (*FIRST, *self._options, *self._tags.values(), *STATUS, *COUNTS)
        return (*before, *self._scores, *FACTS, *timing)

    def rows(self) -> Iterator[dict[str, Any]]:
        """The rows in order."""
        for job, entry in self._entries():
            yield row_of(job, entry, self._tags)

    def write(self, folder: Path, shard: tuple[int, int] | None = None) -> tuple[Path, Path]:
        """Writes both files; each appears whole or not at all.

        Raises:
            OSError: they can't be written.
        """
        paths = table_paths(folder, shard)
        for path, write in zip(paths, (self._write_csv, self._write_parquet), strict=True):
            with draft(folder, path.name) as (file, name):
                write(file)
                file.flush()
                os.fsync(file.fileno())
                os.chmod(name, 0o644)
                os.replace(name, path)
        return paths

    def _write_csv(self, file: Any) -> None:
        columns = self.columns
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(columns)
        for row in self.rows():
            writer.writerow(["" if row.get(c) is None else row[c] for c in columns])
            if text.tell() > _BUFFER:
                file.write(text.getvalue().encode())
                text.seek(0)
                text.truncate()
        file.write(text.getvalue().encode())

    def _write_parquet(self, file: Any) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        kinds = {"text": pa.string(), "whole": pa.int64(), "number": pa.float64()}
        found = {c: self._kind(c) for c in self.columns}
        schema = pa.schema([(column, kinds[kind]) for column, kind in found.items()])
        with pq.ParquetWriter(file, schema) as writer:
            rows = self.rows()
            while some := list(itertools.islice(rows, _ROWS)):
                columns = {c: [_as(k, row.get(c)) for row in some] for c, k in found.items()}
                writer.write_table(pa.table(columns, schema=schema))

    def _kind(self, column: str) -> str:
        if column in _INTEGERS:
            return "whole"
        if column in _TEXTS or column in self._options:
            return "text"
        tags = {name: tag for tag, name in self._tags.items()}
        if column not in tags:
            return "number"
        return _kind_of([job.tags.get(tags[column]) for job, _ in self._jobs])


def _kind_of(cells: Sequence[Any]) -> str:
    """What a column of tags holds: whole numbers, numbers, or else text."""
    there = ["" if isinstance(cell, bool) else str(cell) for cell in cells if cell is not None]
    if there and all(_WHOLE.fullmatch(cell) for cell in there):
        return "whole"
    return "number" if there and all(_NUMBER.fullmatch(cell) for cell in there) else "text"


def _as(kind: str, cell: Any) -> Any:
    if cell is None:
        return None
    return {"text": str, "whole": int, "number": float}[kind](cell)
