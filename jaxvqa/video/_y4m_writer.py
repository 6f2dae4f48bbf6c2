"""Writes y4m files."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from jaxvqa._planes import chroma_size
from jaxvqa.video._errors import VideoError
from jaxvqa.video._info import VideoInfo


def _header(info: VideoInfo) -> bytes:
    deep = str(info.bit_depth) if info.bit_depth > 8 else ""
    if info.chroma == "400":
        color = f"mono{deep}"
    elif deep:
        color = f"{info.chroma}p{deep}"
    else:
        color = "420jpeg" if info.chroma == "420" else info.chroma
    rate = f"{info.fps.numerator}:{info.fps.denominator}" if info.fps else "0:0"
    scan = "t" if info.interlaced else "p"
    aspect = info.pixel_aspect
    shape = "0:0" if aspect == 1 else f"{aspect.numerator}:{aspect.denominator}"
    line = f"YUV4MPEG2 W{info.width} H{info.height} F{rate} I{scan} A{shape} C{color}"
    if info.color_range in ("tv", "pc"):
        line += f" XCOLORRANGE={'FULL' if info.color_range == 'pc' else 'LIMITED'}"
    return line.encode("ascii") + b"\n"


def _check_planes(path: Path, index: int, planes: Sequence[np.ndarray], info: VideoInfo) -> None:
    chroma = chroma_size(info.height, info.width, info.chroma)
    shapes = [(info.height, info.width)] + ([] if info.chroma == "400" else [chroma, chroma])
    dtype = np.dtype(np.uint8 if info.bit_depth == 8 else np.uint16)
    got = [(p.shape, p.dtype) for p in planes]
    if got != [(shape, dtype) for shape in shapes]:
        raise VideoError(
            path,
            f"frame {index} has planes {', '.join(f'{s} {d}' for s, d in got)}, but the file holds "
            f"{', '.join(map(str, shapes))} {dtype}.",
        )


def write_y4m(
    path: str | os.PathLike[str], frames: Iterable[Sequence[np.ndarray]], info: VideoInfo
) -> int:
    """Writes frames to a y4m file, which appears under its name only when it is whole.

    Args:
        path: the file to make or replace.
        frames: per frame the planes `(y, u, v)`, or `(y,)` for monochrome video; uint8 at 8 bits,
            else uint16.
        info: size, bit depth, chroma format, frame rate, scan, range and pixel aspect to state.

    Returns:
        The number of frames written.

    Raises:
        VideoError: planes that differ from `info` in shape or dtype, or no frames.
    """
    path = Path(path)
    part = path.with_name(f".{path.name}.{uuid.uuid4().hex}.part")
    count = 0
    try:
        with open(part, "wb") as file:
            file.write(_header(info))
            for planes in frames:
                _check_planes(path, count, planes, info)
                file.write(b"FRAME\n")
                for plane in planes:
                    little = plane.astype("<u2", copy=False) if plane.itemsize == 2 else plane
                    file.write(np.ascontiguousarray(little).data)
                count += 1
        if count == 0:
            raise VideoError(path, "no frames were given to write.")
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
    return count
