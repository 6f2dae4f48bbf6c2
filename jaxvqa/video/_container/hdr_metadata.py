"""HDR metadata that a decoder attaches to frames: mastering display, light, dynamic kinds."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

_MASTERING_BYTES = 88  # AVMasteringDisplayMetadata: ten rationals and two flags
_LIGHT_BYTES = 8  # AVContentLightMetadata
_DOLBY = {"DOVI_METADATA", "DOVI_RPU_BUFFER"}

Point = tuple[float, float]


@dataclass(frozen=True)
class MasteringDisplay:
    """The display that a video was graded on (SMPTE ST 2086).

    Args:
        red: chromaticity x and y of red, or None if the file does not say.
        green: of green.
        blue: of blue.
        white: of the white point.
        min_luminance: of black, in cd/m², or None if the file does not say.
        max_luminance: of white, in cd/m².
    """

    red: Point | None = None
    green: Point | None = None
    blue: Point | None = None
    white: Point | None = None
    min_luminance: float | None = None
    max_luminance: float | None = None


@dataclass(frozen=True)
class HdrMetadata:
    """What a video says about its light.

    Args:
        mastering_display: the display that it was graded on, or None.
        max_cll: the brightest pixel of the film in cd/m² (MaxCLL), or None.
        max_fall: the highest mean of a frame in cd/m² (MaxFALL), or None.
        dolby_vision: frames carry Dolby Vision metadata.
        hdr10_plus: frames carry HDR10+ metadata.
    """

    mastering_display: MasteringDisplay | None = None
    max_cll: int | None = None
    max_fall: int | None = None
    dolby_vision: bool = False
    hdr10_plus: bool = False

    def with_side_data(self, entries: Iterable[tuple[str, bytes]]) -> HdrMetadata:
        """Adds what a frame carries; what is known already stays.

        Args:
            entries: FFmpeg's names of the frame's side data, without prefix, and their bytes.
        """
        found = self
        for name, data in entries:
            if name == "MASTERING_DISPLAY_METADATA" and found.mastering_display is None:
                found = replace(found, mastering_display=_mastering(data))
            elif name == "CONTENT_LIGHT_LEVEL" and len(data) >= _LIGHT_BYTES:
                cll, fall = struct.unpack("=2I", data[:_LIGHT_BYTES])
                # 0 stands for "unknown"
                found = replace(
                    found, max_cll=found.max_cll or cll or None,
                    max_fall=found.max_fall or fall or None,
                )  # fmt: skip
            elif name in _DOLBY:
                found = replace(found, dolby_vision=True)
            elif name == "DYNAMIC_HDR_PLUS":
                found = replace(found, hdr10_plus=True)
        return found


def side_data(frame: Any) -> list[tuple[str, bytes]]:
    """Names and bytes of what PyAV's frame carries beside its samples."""
    return [(getattr(d.type, "name", ""), bytes(d)) for d in getattr(frame, "side_data", ())]


def _mastering(data: bytes) -> MasteringDisplay | None:
    if len(data) < _MASTERING_BYTES:
        return None
    *numbers, has_primaries, has_luminance = struct.unpack("=22i", data[:_MASTERING_BYTES])
    values = [n / d if d else 0.0 for n, d in zip(numbers[::2], numbers[1::2], strict=True)]
    points = zip(values[0:8:2], values[1:8:2], strict=True) if has_primaries else [None] * 4
    red, green, blue, white = points
    dark, bright = values[8:] if has_luminance else (None, None)
    return MasteringDisplay(red, green, blue, white, dark, bright)
