"""Frames of one video through its filter chain, or past it where nothing has to be done."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from jaxvqa._notice import Notice
from jaxvqa.video._container.orientation import swaps_sides
from jaxvqa.video._convert.chain import Chain, Colors, Steps, labelling
from jaxvqa.video._decode.frame_info import frame_colors
from jaxvqa.video._decode.picture import copy_planes, import_av
from jaxvqa.video._errors import VideoError
from jaxvqa.video._formats import FrameMemory, FramePlanes, PixelFormat, parse_pixel_format
from jaxvqa.video._info import Reader, VideoInfo

# what frames are told apart by: size, format, range and matrix
_Kind = tuple[Any, ...]

_CLOCK = 25  # frames per second of a chain's own clock; pts are frame numbers


class Converter:
    """Gives the planes of frames, converted.

    Args:
        info: facts about the video.
        steps: what frames pass.
        size: columns and rows that come out.
        stated: range and matrix that count whatever frames say, or None for each.
        direct: frames like the first pass nothing.
        luma_only: leave chroma out.
        memory: where to put the planes.
    """

    def __init__(
        self,
        info: VideoInfo,
        steps: Steps,
        size: tuple[int, int],
        stated: tuple[str | None, str | None] = (None, None),
        *,
        direct: bool,
        luma_only: bool = False,
        memory: FrameMemory | None = None,
    ) -> None:
        self._stated = stated
        self._size = size
        self._memory = memory
        self._info = info
        self._steps = steps
        self.direct = direct
        self._luma_only = luma_only
        self._kind: _Kind | None = None
        self._first: _Kind = ()
        self._chain: Chain | None = None
        self.notices: list[Notice] = []
        self.text = ""

    @property
    def deinterlaces(self) -> bool:
        """Whether whole frames are made of interlaced ones."""
        return self._steps.deinterlace is not None

    def convert(self, reader: Reader, number: int) -> list[tuple[int, FramePlanes]]:
        """Takes the frame that a reader stepped to; gives numbered frames that are ready."""
        kind = ()
        if self._info.reader == "av":
            with labelling:
                kind = _kind_of(reader.picture())
        ready: list[tuple[int, FramePlanes]] = []
        if kind != self._kind:
            if self._kind is None:
                self._first = kind
            else:
                self._tell_change(kind, number)
                ready = self.flush()
            self._kind = kind
        if self.direct and kind == self._first:
            return [*ready, (number, reader.retrieve(self._luma_only, self._memory))]
        return ready + self._through_chain(reader.picture(), number)

    def _through_chain(self, frame: Any, number: int) -> list[tuple[int, FramePlanes]]:
        with labelling:
            source = self._colors(frame)
        if self._chain is None:
            av = import_av(self._info.path, "converting this video")
            self._chain = self._build(av, frame, source, number)
        ready = self._chain.push(frame, number)
        return [self._numbered(out) for out in ready]

    def _build(self, av: Any, frame: Any, source: Colors, number: int) -> Chain:
        steps = self._steps
        if self._kind != self._first and self._kind[:2] != self._first[:2]:  # type: ignore[index]
            crop = None if steps.crop is None else self._rescaled(steps.crop, frame, number)
            steps = dataclasses.replace(steps, crop=crop, size=self._size)
        try:
            chain = Chain(av, frame, source, steps)
        except (av.error.FFmpegError, OSError, ValueError) as error:
            raise VideoError(
                self._info.path,
                f"cannot be converted by FFmpeg's filters {','.join(steps.filters(source))} "
                f"({error}): check crop and scale.",
            ) from error
        self.text = self.text or chain.text
        return chain

    def _rescaled(self, crop: tuple[int, ...], frame: Any, number: int) -> tuple[int, ...]:
        """A crop in the pixels of a frame that is larger or smaller than the first."""
        first = self._first[:2]
        factors = [Fraction(n, m) for n, m in zip((frame.width, frame.height), first, strict=True)]
        if swaps_sides(self._steps.orientation):
            factors.reverse()
        parts = [side * factor for side, factor in zip(crop, factors * 2, strict=True)]
        if any(part.denominator != 1 for part in parts):
            raise VideoError(
                self._info.path,
                f"becomes {frame.width}x{frame.height} at frame {number}, where the crop would "
                "begin or end inside a pixel: leave crop out, or score only the frames before with "
                "frame_count.",
            )
        return tuple(int(part) for part in parts)

    def _colors(self, frame: Any) -> Colors:
        """How the frame's samples are to be read."""
        info = self._info
        if info.reader != "av":
            return Colors(info.color_range or "tv", info.color_matrix)
        color_range, matrix = frame_colors(frame, None)
        fallback = "pc" if info.is_rgb else "tv"
        return Colors(
            self._stated[0] or color_range or info.color_range or fallback,
            "rgb" if info.is_rgb else self._stated[1] or matrix or info.color_matrix,
        )

    def flush(self) -> list[tuple[int, FramePlanes]]:
        """The frames that filters held back to the end."""
        return list(self._drain())

    def _drain(self) -> Iterator[tuple[int, FramePlanes]]:
        chain, self._chain = self._chain, None
        if chain is not None:
            for out in chain.flush():
                yield self._numbered(out)

    def _numbered(self, out: Any) -> tuple[int, FramePlanes]:
        number = round(out.pts * out.time_base * _CLOCK)
        return number, copy_planes(
            out, _layout(out), self._info.path, self._luma_only, self._memory
        )

    def _tell_change(self, kind: _Kind, number: int) -> None:
        if any(n.code == "changed" for n in self.notices):
            return
        if kind[:3] == self._kind[:3] and self._steps.colors is None:  # type: ignore[index]
            return
        before, after = (f"{k[0]}x{k[1]} {k[2]}" for k in (self._kind, kind))  # type: ignore[union-attr]
        what = f"from {before} to {after}" if before != after else "its colour tags"
        text = (
            f"{self._info.path}: changes {what} at frame {number}; all frames were converted to "
            "the first's form."
        )
        self.notices.append(Notice("changed", text))

    def close(self) -> None:
        """Lets go of the filters."""
        self._chain = None


def _kind_of(frame: Any) -> _Kind:
    return frame.width, frame.height, frame.format.name, frame.color_range, frame.colorspace


def _layout(frame: Any) -> PixelFormat:
    layout = parse_pixel_format(frame.format.name)
    assert layout is not None
    return layout
