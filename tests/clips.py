"""Clips and golden numbers that the tests share."""

import functools
import json
from pathlib import Path

import av
import numpy as np

from jaxvqa._planes import Planes

DATA = Path(__file__).parent / "data"
SHIPPED = Path(__file__).parent.parent / "examples" / "clips"
CLIPS = ("bunny_640x360", "bunny_353x289_444_odd", "bunny_320x180_422_10b")


def path(name: str, side: str) -> Path:
    folder = SHIPPED if (SHIPPED / name).is_dir() else DATA
    return folder / name / f"{side}.mkv"


@functools.lru_cache
def golden(name: str) -> dict:
    """{run: {printed name: per-frame values}} as the reference tool printed them."""
    return json.loads((DATA / name / "golden.json").read_text())["runs"]


@functools.lru_cache
def load(name: str) -> tuple[Planes, Planes]:
    """Reference and distorted frames of a clip, decoded without jaxvqa's own reader."""
    return _decode(path(name, "ref")), _decode(path(name, "dis"))


def _decode(file: Path) -> Planes:
    frames = []
    with av.open(str(file)) as container:
        for frame in container.decode(video=0):
            deep = "10" in frame.format.name
            planes = []
            for plane in frame.planes:
                rows = np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)
                rows = rows[:, : plane.width * (2 if deep else 1)]
                planes.append(rows.view("<u2") if deep else rows)
            frames.append(planes)
    stacks = [np.stack([f[i] for f in frames]) for i in range(3)]
    return Planes(*stacks, bit_depth=10 if deep else 8)


def textured(rng: np.random.Generator, shape: tuple[int, ...], bit_depth: int = 8) -> np.ndarray:
    """Random frames with structure at several scales, as integer code values."""
    height, width = shape[-2:]
    rows, columns = np.mgrid[:height, :width]
    waves = np.sin(rows / 3.7) * np.cos(columns / 5.1) + np.sin((rows + 2 * columns) / 17.0)
    codes = 0.5 + 0.15 * waves + 0.08 * rng.standard_normal(shape)
    peak = (1 << bit_depth) - 1
    dtype = np.uint8 if bit_depth == 8 else np.uint16
    return np.clip(np.rint(codes * peak), 0, peak).astype(dtype)
