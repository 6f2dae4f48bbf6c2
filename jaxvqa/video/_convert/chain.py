"""One filter chain per video: deinterlacing, orientation, crop, scale and format, by libavfilter.

A frame's own colour tags are handed to the chain, because FFmpeg converts what it takes for
differently tagged. Tags may change within a file: the chain is built anew then.
"""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Iterator
from typing import Any

# AVColorRange and AVColorSpace
_RANGE_CODES = {"tv": 1, "pc": 2}
_MATRIX_CODES = {
    "rgb": 0, "bt709": 1, "fcc": 4, "bt470bg": 5, "smpte170m": 6, "smpte240m": 7, "bt2020nc": 9,
}  # fmt: skip
_UNKNOWN_MATRIX = 2
# libswscale's names of the matrices that it converts
SCALE_MATRICES = {
    "bt709": "bt709", "fcc": "fcc", "bt470bg": "bt601", "smpte170m": "bt601",
    "smpte240m": "smpte240m", "bt2020nc": "bt2020",
}  # fmt: skip

_GRAY = "gray"

# held while a frame's labels are changed for a chain, or read: chains may share frames
labelling = threading.Lock()


@dataclasses.dataclass(frozen=True)
class Colors:
    """How samples are to be read.

    Args:
        range: "tv" (limited) or "pc" (full).
        matrix: FFmpeg's name of the matrix, "rgb", or None where nobody says.
    """

    range: str
    matrix: str | None


@dataclasses.dataclass(frozen=True)
class Steps:
    """What a chain does to frames.

    Args:
        orientation: filters that turn a frame as a player shows it.
        deinterlace: filter that makes whole frames of interlaced ones, or None.
        crop: columns, rows, first column and first row to keep, or None.
        size: columns and rows to scale to, or None.
        flags: kernel and accuracy of the scaler.
        colors: range and matrix of what comes out; None leaves samples as they are.
        pixel_format: FFmpeg's name of the format that comes out.
        native: FFmpeg's name of the format of planes that is nearest to what goes in.
        fields: see `VideoInfo`.
    """

    orientation: tuple[str, ...] = ()
    deinterlace: str | None = None
    crop: tuple[int, int, int, int] | None = None
    size: tuple[int, int] | None = None
    flags: str = "bicubic"
    colors: Colors | None = None
    pixel_format: str | None = None
    native: str | None = None
    fields: str | None = None

    def filters(self, source: Colors) -> list[str]:
        """The filters in FFmpeg's notation, for frames of such colours."""
        found = []
        if self.deinterlace is not None and self.fields is not None:
            found.append(f"setfield={self.fields}")
        if self.deinterlace is not None:  # fields are rows of what was stored
            found.append(f"{self.deinterlace}=mode=send_frame:deint=interlaced")
        found += self.orientation
        if "vflip" in found:
            found.append("copy")  # a flip only turns the order of rows in memory round
        if self.crop is not None:
            width, height, left, top = self.crop
            found.append(f"crop={width}:{height}:{left}:{top}:exact=1")
        scale = [] if self.size is None else [str(side) for side in self.size]
        options = [f"flags={self.flags}", *self._colors(source)]
        if scale or len(options) > 1:
            found += self._with_chroma(source)
            found.append("scale=" + ":".join(scale + options))
        elif self.pixel_format != self.native:
            found += self._with_chroma(source)
        return found + self._formats("setparams=range=pc" in found)

    def _with_chroma(self, source: Colors) -> list[str]:
        """Gives monochrome frames flat chroma: FFmpeg takes all grey for full range."""
        if self.native is None or not self.native.startswith(_GRAY):
            return []
        formats = f"format={self.native}", f"format={self.native.replace(_GRAY, 'yuv420p')}"
        return [formats[0], "setparams=range=pc", formats[1], f"setparams=range={source.range}"]

    def _formats(self, has_flat_chroma: bool) -> list[str]:
        """The format that comes out; luma is taken from among its planes, not converted."""
        target, native = self.pixel_format, self.native
        if target is None:
            return []
        if native is None or not target.startswith(_GRAY):
            return [f"format={target}"]
        if native.startswith(_GRAY) and not has_flat_chroma:
            return [f"format={target}"]
        stem = "yuv420p" if has_flat_chroma else native[: len("yuv420p")]
        return [f"format={target.replace(_GRAY, stem)}", "extractplanes=y"]

    def _colors(self, source: Colors) -> list[str]:
        """Options of the scaler that convert range and matrix."""
        target, options = self.colors, []
        if target is None:
            return []
        if target.range != source.range or source.matrix == "rgb":
            options += [f"in_range={source.range}", f"out_range={target.range}"]
        if source.matrix in SCALE_MATRICES and target.matrix in SCALE_MATRICES:
            before, after = SCALE_MATRICES[source.matrix], SCALE_MATRICES[target.matrix]
            if before != after:
                options += [f"in_color_matrix={before}", f"out_color_matrix={after}"]
        elif source.matrix == "rgb" and target.matrix in SCALE_MATRICES:
            options.append(f"out_color_matrix={SCALE_MATRICES[target.matrix]}")
        return options


class Chain:
    """A configured filter graph for frames of one kind.

    Args:
        av: the module of PyAV.
        frame: a frame of the kind.
        source: its colours.
        steps: what to do.
    """

    def __init__(self, av: Any, frame: Any, source: Colors, steps: Steps) -> None:
        self._av = av
        self._source = source
        self.text = ",".join(steps.filters(source))
        self._graph = graph = av.filter.Graph()
        self._matrix = _MATRIX_CODES.get(source.matrix or "", _UNKNOWN_MATRIX)
        start = graph.add(
            "buffer",
            video_size=f"{frame.width}x{frame.height}",
            pix_fmt=frame.format.name,
            time_base="1/25",
            pixel_aspect="1/1",
            colorspace=str(self._matrix),
            range=str(_RANGE_CODES[source.range]),
        )
        nodes = [start]
        for text in steps.filters(source):
            name, _, arguments = text.partition("=")
            nodes.append(graph.add(name, arguments or None))
        nodes.append(graph.add("buffersink"))
        graph.link_nodes(*nodes)
        graph.configure()

    def push(self, frame: Any, number: int) -> list[Any]:
        """Takes a frame and gives those that are ready.

        Args:
            frame: the frame; it is as it was afterwards.
            number: its number in the video, which stands for its time.
        """
        # several chains may be given one frame; the filters run in the pull, outside of the lock
        with labelling:
            facts = frame.pts, frame.color_range, frame.colorspace
            frame.pts = number
            # a frame that says less than the chain was told would be taken for another kind
            frame.color_range = _RANGE_CODES[self._source.range]
            frame.colorspace = self._matrix
            self._graph.vpush(frame)
            frame.pts, frame.color_range, frame.colorspace = facts
        return list(self._pull())

    def flush(self) -> Iterator[Any]:
        """Gives the frames that were held back; nothing can be pushed after it."""
        self._graph.vpush(None)
        return self._pull()

    def _pull(self) -> Iterator[Any]:
        while True:
            try:
                yield self._graph.vpull()
            except (BlockingIOError, EOFError):
                return
            except self._av.error.FFmpegError as error:
                if isinstance(error, (self._av.error.BlockingIOError, self._av.error.EOFError)):
                    return
                raise
