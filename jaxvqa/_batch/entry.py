"""What the ledger keeps of a result, and a row of the table from it."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from typing import Any

from jaxvqa._batch.job import Job
from jaxvqa._pooling import POOLED
from jaxvqa._scoring.result import FileFacts, Result

_NOTICES = " | "
_NAMES = ";"

# columns after the tags, those of scores aside
STATUS = ("status", "error")
COUNTS = ("models", "frames")
FACTS = (
    "bitrate_kbps", "duration_s", "dis_bytes", "fps", "ref_width", "ref_height", "dis_width",
    "dis_height", "scored_width", "scored_height", "bits", "pairing", "unpaired_ref",
    "unpaired_dis", "ref_filters", "dis_filters", "notices", "frames_file",
)  # fmt: skip
SECONDS = "seconds"
FIRST = ("id", "ref", "dis")
OWN = frozenset({*FIRST, *STATUS, *COUNTS, *FACTS, SECONDS})


def entry_of(job: Job, key: str, result: Result, frames_file: str, seconds: float) -> dict:
    """The ledger's line of a job that is done; no more than JSON takes."""
    names = [*result.score_names, *(n for n in result.frames if n not in result.score_names)]
    return {
        "key": key,
        "id": job.id,
        "status": "done",
        "seconds": round(seconds, 6),
        "models": list(result.models),
        "frames": len(result.frame_numbers),
        "series": {n: [_finite(result.pooled[n][p]) for p in POOLED] for n in names},
        "clip": {n: _finite(x) for n, x in result.aggregate.items()},
        "facts": _facts(result) | {"frames_file": frames_file},
        "notices": [[notice.code, notice.text] for notice in result.notices],
    }


def failure_of(job: Job, key: str, sentence: str, seconds: float) -> dict:
    """The ledger's line of a job that failed."""
    about = {"key": key, "id": job.id, "status": "failed", "seconds": round(seconds, 6)}
    return about | {"error": sentence}


def _finite(x: float) -> float | None:
    return float(x) if math.isfinite(x) else None


def _size(path: str) -> int | None:
    return os.path.getsize(path) if os.path.isfile(path) else None


def _facts(result: Result) -> dict[str, Any]:
    clip, prepared = result.clip, result.preparation
    assert prepared is not None
    assert prepared.ref is not None
    assert prepared.dis is not None
    pairing, dis = prepared.pairing, prepared.dis
    return {
        "bitrate_kbps": _bitrate(dis, clip.dis_path),
        "duration_s": dis.duration,
        "dis_bytes": _size(clip.dis_path or ""),
        "fps": clip.fps,
        "ref_width": prepared.ref.width,
        "ref_height": prepared.ref.height,
        "dis_width": dis.width,
        "dis_height": dis.height,
        "scored_width": clip.width,
        "scored_height": clip.height,
        "bits": clip.bit_depth,
        "pairing": pairing.strategy,
        "unpaired_ref": pairing.unpaired_ref.total,
        "unpaired_dis": pairing.unpaired_dis.total,
        "ref_filters": prepared.ref_filters,
        "dis_filters": prepared.dis_filters,
    }


def _bitrate(file: FileFacts, path: str | None) -> float | None:
    """Kilobits per second of a video's stream; of a file without packets, of the whole file."""
    size = file.coded_bytes if file.coded_bytes is not None else _size(path or "")
    return None if not (size and file.duration) else size * 8 / 1000 / file.duration


def row_of(job: Job, entry: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    """A row of the table, without the columns that this job has no value for.

    Args:
        job: the job.
        entry: its ledger line.
        names: columns of the tags.
    """
    row: dict[str, Any] = {"id": job.id, "ref": job.ref, "dis": job.dis, **job.given}
    row |= {names[tag]: cell for tag, cell in job.tags.items()}
    row |= {"status": entry["status"], "error": entry.get("error")}
    if entry["status"] == "done":
        row |= {"models": _NAMES.join(entry["models"]), "frames": entry["frames"]}
        row |= {name if name not in row else f"clip_{name}": x for name, x in scores_of(entry)}
        row |= entry["facts"]
        row["notices"] = _NOTICES.join(f"{code}: {text}" for code, text in entry["notices"])
    return row | {SECONDS: entry["seconds"]}


def scores_of(entry: dict[str, Any]) -> Iterator[tuple[str, float | None]]:
    """Columns and values of everything measured."""
    for name, values in entry.get("series", {}).items():
        yield from zip((f"{name}_{pool}" for pool in POOLED), values, strict=True)
    yield from entry.get("clip", {}).items()


def tag_columns(tags: Sequence[str], options: Sequence[str]) -> dict[str, str]:
    """The column of each tag: its name, with `tag_` in front of one that the table may use itself.

    Args:
        tags: the manifest's tags.
        options: the manifest's options.
    """
    pools = tuple(f"_{pool}" for pool in POOLED)
    columns: dict[str, str] = {}
    used = OWN | set(options)
    for tag in tags:
        column = tag
        while column in used or (column.endswith(pools) and column == tag):
            column = f"tag_{column}"
        columns[tag] = column
        used = used | {column}
    return columns
