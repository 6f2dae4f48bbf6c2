"""Planes as PyAV's frames, for filters, and the module of PyAV itself, which is an extra."""

from __future__ import annotations

from typing import Any

import numpy as np

from jaxvqa.video._errors import VideoError
from jaxvqa.video._formats import (
    FrameMemory,
    FramePlanes,
    PixelFormat,
    copied,
    planar_format,
    planar_luma,
)
from jaxvqa.video._info import VideoInfo


def import_av(path: str, why: str = "reading this file") -> Any:
    """The module of PyAV.

    Args:
        path: the file that needs it, for the message.
        why: what needs it.

    Raises:
        VideoError: it is not installed.
    """
    try:
        import av
    except ImportError:
        instead = (
            "convert the file to .y4m, which needs nothing"
            if why == "reading this file"
            else "convert the file first"
        )
        raise VideoError(
            path, f'{why} needs PyAV, so run pip install "jaxvqa[video]" or {instead}.'
        ) from None
    return av


def as_picture(planes: FramePlanes, info: VideoInfo) -> Any:
    """Planes as a PyAV frame with memory of its own."""
    av = import_av(info.path, "converting this video")
    layout = planar_format(info.chroma, info.bit_depth)
    frame = av.VideoFrame(info.width, info.height, layout.name)
    for plane, samples in zip(frame.planes, planes, strict=True):
        rows, columns = samples.shape[0], samples.shape[1] * layout.sample_bytes
        memory = np.frombuffer(plane, np.uint8)[: rows * plane.line_size]
        memory.reshape(rows, plane.line_size)[:, :columns] = samples.view(np.uint8)
    return frame


def copy_planes(
    frame: Any,
    layout: PixelFormat,
    path: str,
    luma_only: bool = False,
    memory: FrameMemory | None = None,
) -> FramePlanes:
    """Planes of a PyAV frame, copied out of the decoder's memory, which it uses again.

    Args:
        frame: the `av.VideoFrame`.
        layout: the layout of the frame's format.
        path: the file, for messages.
        luma_only: leave chroma out.
        memory: where to put the copy.
    """
    stored = []
    shapes = layout.stored_shapes(frame.height, frame.width)
    if luma_only:
        shapes, layout = shapes[:1], planar_luma(layout)
    for plane, (rows, columns) in zip(frame.planes, shapes, strict=not luma_only):
        stride, row_bytes = plane.line_size, columns * layout.sample_bytes
        if stride < row_bytes:
            raise VideoError(
                path,
                "its frames are stored bottom-up: convert the file first, for example with "
                "ffmpeg -i INPUT -c:v ffv1 OUTPUT.mkv.",
            )
        lines = np.frombuffer(plane, np.uint8, count=rows * stride).reshape(rows, stride)
        stored.append(lines[:, :row_bytes])
    return copied(layout.views(stored), memory)
