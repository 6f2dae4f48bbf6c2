"""Describes a file as the scorer sees it, without scoring it."""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Sequence

from jaxvqa.video._container.hdr_metadata import HdrMetadata
from jaxvqa.video._container.orientation import swaps_sides
from jaxvqa.video._convert.conform import colors_of
from jaxvqa.video._describe.look import Look, look_into
from jaxvqa.video._describe.report import (
    ASSUMED,
    CONSTANT,
    GAPS,
    TAGGED,
    UNKNOWN,
    VARIABLE,
    ColorTag,
    FileReport,
    Interlacing,
    Pacing,
    StreamReport,
)
from jaxvqa.video._info import HDR_TRANSFERS, VideoInfo
from jaxvqa.video._reader import Video, open_video
from jaxvqa.video._timeline import Timeline

_WORDS = {
    (): "upright",
    ("transpose=clock",): "turned 90 degrees clockwise",
    ("transpose=cclock",): "turned 90 degrees anticlockwise",
    ("transpose=clock_flip",): "turned 90 degrees clockwise, then flipped upside down",
    ("transpose=cclock_flip",): "turned 90 degrees anticlockwise, then flipped upside down",
    ("hflip",): "mirrored",
    ("vflip",): "flipped upside down",
    ("hflip", "vflip"): "turned 180 degrees",
}
# what the report says in places of its own
_SHOWN_ELSEWHERE = {"streams", "hdr", "interlaced"}
_CONTAINERS = {
    "y4m": ("YUV4MPEG2 (y4m)", "rawvideo"), "yuv": ("raw video", "rawvideo"),
    "av": ("a stream or pictures, which are not read ahead", "unknown"),
}  # fmt: skip


def describe_file(
    path: str | os.PathLike[str],
    *,
    width: int | None = None,
    height: int | None = None,
    pixel_format: str | None = None,
    bit_depth: int | None = None,
    stream: int | None = None,
) -> FileReport:
    """Describes a video file as the scorer sees it.

    All packets are read, and up to 120 frames are decoded: all of a short file, else some from
    four places. A pipe is not read further than its header.

    Args:
        path: the file.
        width: luma columns of raw video.
        height: luma rows of raw video.
        pixel_format: of raw video: "420", "422", "444", "400", or FFmpeg's name ("yuv420p10le").
        bit_depth: bits per sample of raw video.
        stream: index of the video stream in the file; None takes the film.

    Returns:
        The report; its `to_dict` is ready for JSON.

    Raises:
        VideoError: a file that is missing, empty, damaged from its first frame on or not a video,
            or wrong arguments.

    Example:
        >>> import numpy as np
        >>> from jaxvqa.video import VideoInfo, describe_file, write_y4m
        >>> grey = [np.full((48, 64), 128, np.uint8)]
        >>> write_y4m("grey.y4m", [grey] * 5, VideoInfo("", 64, 48, 8, "400"))
        5
        >>> report = describe_file("grey.y4m")
        >>> report.width, report.height, report.pacing.frame_count, report.color_range.source
        (64, 48, 5, 'assumed')
    """
    with open_video(
        path,
        width=width,
        height=height,
        pixel_format=pixel_format,
        bit_depth=bit_depth,
        stream=stream,
        on_damage="conceal",
    ) as video:
        timeline = video.timeline()
        info = video.info
        decoded = info.reader == "av" and video.is_file
        look = look_into(info, timeline) if decoded else _header_only(info)
        return _report(video, timeline, look)


def _header_only(info: VideoInfo) -> Look:
    """What is known of files without looking at their frames, and of what is read once only."""
    container, codec = _CONTAINERS[info.reader]
    stream = StreamReport(0, codec, info.width, info.height, info.fps)
    share = float(info.interlaced) if info.reader != "yuv" else None
    return Look(container, (stream,), False, Interlacing(share), None, HdrMetadata(), None)


def _report(video: Video, timeline: Timeline, look: Look) -> FileReport:
    info = video.info
    width, height = info.width, info.height
    stored = next(s for s in look.streams if s.taken)
    turned = (height, width) if swaps_sides(info.orientation) else (width, height)
    return FileReport(
        path=info.path,
        container=look.container,
        streams=look.streams,
        width=width,
        height=height,
        stored_width=stored.width or turned[0],
        stored_height=stored.height or turned[1],
        orientation=_in_words(info.orientation),
        pixel_aspect=info.pixel_aspect,
        display_width=round(width * info.pixel_aspect),
        display_height=height,
        bit_depth=info.bit_depth,
        chroma=info.chroma,
        pixel_format=info.pixel_format,
        is_rgb=info.is_rgb,
        alpha=look.alpha,
        color_range=_range(info),
        matrix=_tag(info.color_matrix),
        primaries=_tag(info.color_primaries),
        transfer=_tag(info.color_transfer),
        hdr=HDR_TRANSFERS.get(info.color_transfer or ""),
        hdr_metadata=look.hdr,
        pacing=_pacing(info, timeline, look.frame_count),
        interlacing=look.interlacing,
        film_grain=look.film_grain,
        notes=_notes(video),
    )


def _in_words(filters: Sequence[str]) -> str:
    """What the filters of an orientation do."""
    if known := _WORDS.get(tuple(filters)):
        return known
    turn = re.match(r"rotate=([\d.]+)", filters[0])
    return f"turned {float(turn[1]):g} degrees clockwise" if turn else ", ".join(filters)


def _tag(value: str | None) -> ColorTag:
    return ColorTag(value, ASSUMED if value is None else TAGGED)


def _range(info: VideoInfo) -> ColorTag:
    if info.color_range is not None:
        return ColorTag(info.color_range, TAGGED)
    # monochrome video without a tag is taken as the other side's
    value = None if info.chroma == "400" else colors_of(info).range
    return ColorTag(value, ASSUMED)


def _pacing(info: VideoInfo, timeline: Timeline, decoded: int | None) -> Pacing:
    rate, steps = timeline.rate or info.fps, timeline.steps
    kind = CONSTANT if timeline.constant else GAPS if timeline.gaps else VARIABLE
    if not timeline.constant and (steps is None or rate is None):
        kind = UNKNOWN
    by_file = "packets" if info.reader == "av" else "file size"
    count, by = (timeline.count, by_file) if decoded is None else (decoded, "decoding")
    first = shortest = longest = duration = None
    last = 1 / rate if rate else None
    if steps:
        first = timeline.start if info.reader == "av" else None
        if kind == VARIABLE:
            distances = [b - a for a, b in itertools.pairwise(steps)]
            shortest, longest = (f(distances) * timeline.unit for f in (min, max))
            last = distances[-1] * timeline.unit
        duration = None if last is None else steps[-1] * timeline.unit + last
    elif count and last:
        duration = count * last
    return Pacing(
        rate=rate,
        kind=kind,
        gaps=timeline.gaps,
        shortest=shortest,
        longest=longest,
        first_time=first,
        duration=duration,
        frame_count=count,
        counted_by=None if count is None else by,
        announced=info.announced_frames,
    )


def _notes(video: Video) -> tuple[str, ...]:
    """What spoils scores and is shown nowhere else; what a reader found at the end too."""
    prefix = f"{video.info.path}: "
    found = [n.text.removeprefix(prefix) for n in video.notices if n.code not in _SHOWN_ELSEWHERE]
    return tuple(dict.fromkeys(found))
