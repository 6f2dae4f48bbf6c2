"""Values of every frame, a Parquet file per job."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from pathlib import Path

from jaxvqa._scoring.result import Result
from jaxvqa.report._atomic import write_atomically
from jaxvqa.report._parquet_file import render_parquet

FOLDER = "frames"
_MOST = 80


def frames_name(id: str) -> str:
    """The file of a job, within the folder of a batch: readable, and no other job's."""
    plain = re.sub(r"[^\w.-]+", "_", id).strip("._")[-_MOST:]
    digest = hashlib.sha256(id.encode()).hexdigest()[:10]
    return f"{FOLDER}/{plain}-{digest}.parquet"


def write_frames(folder: Path, name: str, result: Result, ref: str, dis: str) -> None:
    """Writes the file; it appears whole or not at all.

    Args:
        folder: of the batch.
        name: of the file in it.
        result: the values.
        ref: the reference's name in it.
        dis: the distorted video's.

    Raises:
        OSError: it can't be written.
    """
    if (result.clip.ref_path, result.clip.dis_path) != (ref, dis):
        result = replace(result, clip=replace(result.clip, ref_path=ref, dis_path=dis))
    write_atomically(folder / name, render_parquet(result, timing=False))
