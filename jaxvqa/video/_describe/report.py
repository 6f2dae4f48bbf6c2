"""What is known about a video file before it is scored, as plain data."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from jaxvqa.video._container.hdr_metadata import HdrMetadata
from jaxvqa.video._timeline import Gap

TAGGED, ASSUMED = "tagged", "assumed"
CONSTANT, GAPS, VARIABLE, UNKNOWN = "constant", "constant with gaps", "variable", "unknown"

_SECONDS = {"first_time", "duration", "shortest", "longest"}


@dataclass(frozen=True)
class ColorTag:
    """One property of colour, and how it is known.

    Args:
        value: FFmpeg's name; None where an untagged property is taken to be that of the other
            video.
        source: "tagged" if the file or its pixel format says so, "assumed" if nothing does.
    """

    value: str | None
    source: str


@dataclass(frozen=True)
class StreamReport:
    """A video stream of a file.

    Args:
        index: its number in the file.
        codec: FFmpeg's name of the codec.
        width: stored columns.
        height: stored rows.
        rate: frames per second as the container states or implies it, or None.
        default: marked as the one to play.
        cover: a cover picture or thumbnails.
        taken: the one that is scored.
    """

    index: int
    codec: str
    width: int
    height: int
    rate: Fraction | None = None
    default: bool = False
    cover: bool = False
    taken: bool = True


@dataclass(frozen=True)
class Pacing:
    """When the frames are shown.

    Args:
        rate: frames per second, or None; of a variable rate the mean.
        kind: "constant", "constant with gaps", "variable" or "unknown".
        gaps: where pictures of an otherwise constant rate are missing.
        shortest: seconds of the shortest time between frames of a variable rate, or None.
        longest: seconds of the longest.
        first_time: the file's time of the first frame in seconds, or None without times.
        duration: seconds from the first frame to the end of the last, or None if not known.
        frame_count: frames, or None if not known.
        counted_by: "decoding", "packets", "file size", or None.
        announced: the container's own frame count, which need not be right, or None.
    """

    rate: Fraction | None
    kind: str
    gaps: tuple[Gap, ...] = ()
    shortest: Fraction | None = None
    longest: Fraction | None = None
    first_time: Fraction | None = None
    duration: Fraction | None = None
    frame_count: int | None = None
    counted_by: str | None = None
    announced: int | None = None


@dataclass(frozen=True)
class Interlacing:
    """How many frames are marked as interlaced.

    Args:
        share: share of the frames looked at, 0 to 1, or None if nothing tells.
        frames: frames that are marked.
        looked_at: frames that were looked at; 0 where the file's header tells for all.
    """

    share: float | None = None
    frames: int = 0
    looked_at: int = 0


@dataclass(frozen=True)
class FileReport:
    """What scoring would see of a video file.

    Args:
        path: the file.
        container: its format.
        streams: its video streams.
        width: columns as shown, after rotation and the container's crop.
        height: rows as shown.
        stored_width: columns as stored.
        stored_height: rows as stored.
        orientation: how stored frames are turned to be shown, in words.
        pixel_aspect: width of a shown pixel over its height.
        display_width: columns on a screen with square pixels.
        display_height: rows on such a screen.
        bit_depth: bits per sample.
        chroma: "400", "420", "422" or "444"; of RGB what it is converted to.
        pixel_format: FFmpeg's name of the layout.
        is_rgb: samples are red, green and blue, and are converted.
        alpha: it has a channel of transparency, which is left out.
        color_range: "tv" (limited) or "pc" (full).
        matrix: between RGB and Y'CbCr; "rgb" for RGB itself.
        primaries: of colour.
        transfer: from code values to light.
        hdr: "PQ", "HLG", or None for a video that counts as SDR.
        hdr_metadata: what it says about its light.
        pacing: when frames are shown, and how many there are.
        interlacing: how many frames are marked interlaced.
        film_grain: the decoder adds grain that the file describes; None if that is not known.
        notes: what else matters, such as a missing end; sentences without the path.
    """

    path: str
    container: str
    streams: tuple[StreamReport, ...]
    width: int
    height: int
    stored_width: int
    stored_height: int
    orientation: str
    pixel_aspect: Fraction
    display_width: int
    display_height: int
    bit_depth: int
    chroma: str
    pixel_format: str
    is_rgb: bool
    alpha: bool
    color_range: ColorTag
    matrix: ColorTag
    primaries: ColorTag
    transfer: ColorTag
    hdr: str | None
    hdr_metadata: HdrMetadata
    pacing: Pacing
    interlacing: Interlacing
    film_grain: bool | None
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON has it: seconds as floats, rates and aspects as "30000/1001"."""
        return _plain(dataclasses.asdict(self))


def _plain(value: Any, name: str = "") -> Any:
    if isinstance(value, Fraction):
        return float(value) if name in _SECONDS else str(value)
    if isinstance(value, dict):
        return {key: _plain(part, key) for key, part in value.items()}
    return [_plain(part) for part in value] if isinstance(value, (list, tuple)) else value
