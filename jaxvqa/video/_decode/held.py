"""Frames that outlive their reader's next step."""

from __future__ import annotations

from typing import Any

from jaxvqa.video._decode.picture import as_picture, copy_planes
from jaxvqa.video._formats import FrameMemory, FramePlanes, PixelFormat
from jaxvqa.video._info import VideoInfo


class HeldPicture:
    """A frame of a decoder, which keeps its memory.

    Args:
        frame: PyAV's frame.
        layout: of its planes, or None where planes cannot be taken from it.
        path: the file, for messages.
    """

    def __init__(self, frame: Any, layout: PixelFormat | None, path: str) -> None:
        self._frame = frame
        self._layout = layout
        self._path = path

    def retrieve(self, luma_only: bool = False, memory: FrameMemory | None = None) -> FramePlanes:
        """Its planes, copied."""
        assert self._layout is not None
        return copy_planes(self._frame, self._layout, self._path, luma_only, memory)

    def picture(self) -> Any:
        """The frame itself."""
        return self._frame


class HeldPlanes:
    """Planes that were read.

    Args:
        planes: the planes.
        info: facts about their file.
    """

    def __init__(self, planes: FramePlanes, info: VideoInfo) -> None:
        self._planes = planes
        self._info = info

    def retrieve(self, luma_only: bool = False, memory: FrameMemory | None = None) -> FramePlanes:
        """The planes as they are."""
        del memory
        return self._planes[:1] if luma_only else self._planes

    def picture(self) -> Any:
        """A frame with their samples."""
        return as_picture(self._planes, self._info)
