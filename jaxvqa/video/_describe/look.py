"""A look into a file that FFmpeg reads: its streams, and some frames for what only they tell."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from jaxvqa.video._container.hdr_metadata import HdrMetadata, side_data
from jaxvqa.video._container.source import Source
from jaxvqa.video._container.streams import is_cover, is_default
from jaxvqa.video._decode.frame_info import has_alpha
from jaxvqa.video._decode.picture import import_av
from jaxvqa.video._describe.report import Interlacing, StreamReport
from jaxvqa.video._info import VideoInfo
from jaxvqa.video._timeline import Timeline

MOST_FRAMES = 120
_PLACES = 4
_AV1 = "av1"


@dataclass(frozen=True)
class Look:
    """What was found.

    Args:
        container: format of the file.
        streams: its video streams.
        alpha: it has a channel of transparency.
        interlacing: frames that are marked interlaced.
        film_grain: grain that the decoder adds, or None if that is not known.
        hdr: metadata of the frames looked at.
        frame_count: frames, if all of them were decoded, else None.
    """

    container: str
    streams: tuple[StreamReport, ...]
    alpha: bool
    interlacing: Interlacing
    film_grain: bool | None
    hdr: HdrMetadata
    frame_count: int | None


def look_into(info: VideoInfo, timeline: Timeline) -> Look:
    """Lists the streams and decodes at most 120 frames, of long files at four places.

    Args:
        info: facts about the file, which say the stream.
        timeline: when its frames are shown.

    Returns:
        What was found, up to damage if there is any.

    Raises:
        VideoError: PyAV is not installed.
    """
    av = import_av(info.path)
    source = Source.of(info.path)
    with source.open(av) as container:
        streams = tuple(_stream(s, info.stream) for s in container.streams.video)
        stream = container.streams[info.stream]
        context = stream.codec_context
        stream.thread_type = "AUTO"
        # otherwise grain is added to the frames, and not told
        context.options = {"export_side_data": "film_grain"}
        # times must be known to tell frames apart that two places share
        long = timeline.steps is not None and len(timeline.steps) > MOST_FRAMES
        places = _spread(timeline) if long else [None]
        frames, interlaced, grain = 0, 0, False
        hdr, ended = HdrMetadata(), False
        try:
            for frame in _frames(container, stream, places):
                if frames == MOST_FRAMES:
                    break
                frames += 1
                interlaced += bool(frame.interlaced_frame or info.fields)
                entries = side_data(frame)
                hdr = hdr.with_side_data(entries)
                grain = grain or any(name == "FILM_GRAIN_PARAMS" for name, _ in entries)
            else:
                ended = not long
        except (av.error.FFmpegError, OSError):
            pass  # what was seen until then is shown; the reader tells of damage
        known = grain or _codec(stream) == _AV1
        return Look(
            source.manifest or container.format.long_name or container.format.name,
            streams,
            has_alpha(av, info.pixel_format),
            Interlacing(interlaced / frames if frames else None, interlaced, frames),
            grain if known else None,
            hdr,
            frames if ended else None,
        )


def _frames(container: Any, stream: Any, places: Sequence[int | None]) -> Iterator[Any]:
    """Frames from each place on, each frame once; from the start for a place of None."""
    seen: set[int] = set()
    quota = MOST_FRAMES // _PLACES
    for place in places:
        if place is not None:
            container.seek(place, stream=stream)
        found = 0
        for frame in container.decode(stream):
            if place is not None and frame.pts in seen:
                continue
            seen.add(frame.pts)
            found += 1
            yield frame
            if place is not None and found == quota:
                break


def _spread(timeline: Timeline) -> list[int]:
    """Times of frames at equal distances, in units of the stream's clock."""
    steps = timeline.steps
    assert steps is not None
    first = round(timeline.start / timeline.unit)
    return [first + steps[i * len(steps) // _PLACES] for i in range(_PLACES)]


def _stream(stream: Any, taken: int) -> StreamReport:
    context = stream.codec_context
    cover = is_cover(stream)
    # pictures that stand alone have a rate, which means nothing
    rate = None if cover else stream.guessed_rate or stream.average_rate
    return StreamReport(
        index=stream.index,
        codec=_codec(stream),
        width=context.width if context is not None else 0,
        height=context.height if context is not None else 0,
        rate=Fraction(rate) if rate else None,
        default=is_default(stream),
        cover=cover,
        taken=stream.index == taken,
    )


def _codec(stream: Any) -> str:
    """The codec's name; a context goes by the name of its decoder."""
    if stream.codec_context is None:
        return "unknown"
    codec = stream.codec_context.codec
    return getattr(codec, "canonical_name", None) or codec.name
