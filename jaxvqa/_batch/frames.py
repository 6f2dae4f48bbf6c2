"""Values of every frame, a Parquet file per job."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from pathlib import Path

import numpy as np

from jaxvqa._batch.errors import unwritable
from jaxvqa._scoring.result import Result
from jaxvqa.report._atomic import write_atomically
from jaxvqa.report._json_file import extra_block
from jaxvqa.report._parquet_file import render_parquet

FOLDER = "frames"
_MOST = 80


def frames_name(id: str, content: bytes) -> str:
    """The file of a job's values, within the folder of a batch: readable, and of no other values.

    What a job gave before stays, for its line in the ledger counts again if what has changed since
    is changed back.

    Args:
        id: of the job.
        content: says what the values are.
    """
    plain = re.sub(r"[^\w.-]+", "_", id).strip("._")[-_MOST:]
    digest = hashlib.sha256(id.encode(errors="surrogatepass") + b"\0" + content).hexdigest()[:16]
    return f"{FOLDER}/{plain}-{digest}.parquet"


def write_frames(folder: Path, id: str, result: Result, ref: str, dis: str) -> str:
    """Writes the file, which appears whole or not at all, and gives its name in the folder.

    Args:
        folder: of the batch.
        id: of the job.
        result: the values.
        ref: the reference's name in it.
        dis: the distorted video's.

    Raises:
        OutputError: it can't be written.
    """
    if (result.clip.ref_path, result.clip.dis_path) != (ref, dis):
        result = replace(result, clip=replace(result.clip, ref_path=ref, dis_path=dis))
    name = frames_name(id, _content(result))
    try:
        write_atomically(folder / name, render_parquet(result, timing=False))
    except OSError as error:
        raise unwritable(folder / name, error) from error
    return name


def _content(result: Result) -> bytes:
    """Values and what they are of, whatever devices gave them."""
    about = extra_block(result, timing=False)
    del about["devices"], about["jax"]
    values = [(name, np.asarray(v, np.float64).tobytes()) for name, v in result.frames.items()]
    return repr((about, np.asarray(result.frame_numbers).tolist(), values)).encode()
