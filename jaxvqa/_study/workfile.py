"""Videos as libvmaf's Python tools hand them to metrics: cut, cropped, padded, scaled, at a rate.

Each passes the filters that libvmaf's `Executor` gives to FFmpeg, in their order, and is written as
y4m, where libvmaf writes raw video.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from jaxvqa._own_folder import OwnFolder
from jaxvqa.video import VideoError, VideoInfo, open_video, write_y4m
from jaxvqa.video._decode.picture import as_picture, copy_planes, import_av
from jaxvqa.video._formats import parse_pixel_format

_RAW_RATE = Fraction(25)  # what FFmpeg takes for raw video, and so does libvmaf
_RANGES = {"tv": 1, "pc": 2}  # AVColorRange


@dataclass(frozen=True)
class Work:
    """What one video passes before it is measured.

    Args:
        raw: columns, rows and pixel format of a file without a header, or None.
        frames: the first and the last frame to keep, or None for all.
        filters: names and arguments of FFmpeg's filters.
        pixel_format: what comes out; None for the video's own.
    """

    raw: tuple[int, int, str] | None = None
    frames: tuple[int, int] | None = None
    filters: tuple[tuple[str, str], ...] = ()
    pixel_format: str | None = None

    @property
    def steps(self) -> list[tuple[str, str]]:
        """All filters, as libvmaf orders them."""
        found = list(self.filters)
        if self.frames is not None:
            first, last = self.frames
            chosen = f"gte(n,{first})*gte({last},n)"
            found = [("select", chosen), ("setpts", "PTS-STARTPTS"), *found]
        return found + ([("format", self.pixel_format)] if self.pixel_format else [])


Works = tuple[Work, Work]


@contextlib.contextmanager
def workfiles(ref: str, dis: str, works: Works) -> Iterator[tuple[str, str]]:
    """Both videos after their filters, as files that are gone after the block.

    Args:
        ref: the reference.
        dis: the distorted video.
        works: what they pass.

    Raises:
        VideoError: a video that can't be read, or filters that FFmpeg does not take.
    """
    folder = OwnFolder()
    try:
        made = []
        for side, path, work in zip(("ref", "dis"), (ref, dis), works, strict=True):
            target = folder.path / f"{side}_{Path(path).stem}.y4m"
            _write(path, work, target)
            made.append(str(target))
        yield made[0], made[1]
    finally:
        folder.remove()


def _write(path: str, work: Work, target: Path) -> None:
    raw: dict[str, Any] = {}
    if work.raw is not None:
        raw = dict(zip(("width", "height", "pixel_format"), work.raw, strict=True))
    with open_video(path, **raw) as video:
        frames = _filtered(video, work)
        first = next(frames, None)
        if first is None:
            raise VideoError(path, f"no frame is left by {_text(work)}.")
        layout = parse_pixel_format(first.format.name)
        if layout is None:
            raise VideoError(path, f"{_text(work)} gives {first.format.name}, which is not read.")
        info = VideoInfo(
            path, first.width, first.height, layout.bit_depth, layout.chroma,
            fps=_RAW_RATE, color_range=video.info.color_range,
        )  # fmt: skip
        count = None if work.frames is None else work.frames[1] - work.frames[0] + 1
        kept = itertools.islice(itertools.chain([first], frames), count)
        write_y4m(target, (copy_planes(frame, layout, path) for frame in kept), info)


def _filtered(video: Any, work: Work) -> Iterator[Any]:
    """PyAV's frames after the filters."""
    path = video.info.path
    av = import_av(path, "converting this video")
    timeline = video.timeline()
    rate = _RAW_RATE if work.raw is not None else timeline.rate or video.info.fps or _RAW_RATE
    unit = 1 / rate if work.raw is not None or not timeline.unit else timeline.unit
    graph, start = None, None
    try:
        for number, shown in enumerate(video.shown()):
            frame = as_picture(shown.planes, video.info)
            time = None if work.raw is not None else shown.time
            start = time if start is None else start
            seconds = number / rate if time is None or start is None else time - start
            frame.pts, frame.time_base = round(seconds / unit), unit
            frame.duration = int(1 / (rate * unit))  # demuxers round down
            if graph is None:
                graph = _graph(av, frame, video.info, work)
            graph.vpush(frame)
            yield from _pulled(av, graph)
        if graph is not None:
            graph.vpush(None)
            yield from _pulled(av, graph)
    except VideoError:
        raise
    except (av.error.FFmpegError, ValueError) as error:
        raise VideoError(path, f"FFmpeg does not take {_text(work)} for it ({error}).") from error


def _graph(av: Any, frame: Any, info: VideoInfo, work: Work) -> Any:
    graph = av.filter.Graph()
    color_range = _RANGES.get(info.color_range or "", 0)
    frame.color_range = color_range
    nodes = [
        graph.add(
            "buffer", video_size=f"{frame.width}x{frame.height}", pix_fmt=frame.format.name,
            time_base=str(frame.time_base), pixel_aspect="1/1", range=str(color_range),
        )
    ]  # fmt: skip
    nodes += [graph.add(name, arguments) for name, arguments in work.steps]
    graph.link_nodes(*nodes, graph.add("buffersink")).configure()
    return graph


def _pulled(av: Any, graph: Any) -> Iterator[Any]:
    while True:
        try:
            yield graph.vpull()
        except (av.error.BlockingIOError, av.error.EOFError, BlockingIOError, EOFError):
            return


def _text(work: Work) -> str:
    return ",".join(f"{name}={arguments}" for name, arguments in work.steps)
