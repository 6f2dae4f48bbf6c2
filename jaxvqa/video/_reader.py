"""Opens a video file with the reader that fits it, and iterates over its frames."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator

import numpy as np

from jaxvqa._notice import Notice
from jaxvqa.video._av_reader import AvReader
from jaxvqa.video._errors import CLOSED, VideoError
from jaxvqa.video._formats import FramePlanes
from jaxvqa.video._info import HDR_TRANSFERS, Reader, VideoInfo
from jaxvqa.video._raw import RawReader, is_regular
from jaxvqa.video._y4m import MAGIC, Y4MReader

_RAW_SUFFIXES = (".yuv", ".raw", ".i420", ".nv12", ".p010", ".gray")


class Video:
    """An open video file: facts in `info`, then one pass over its frames.

    A context manager, and an iterator over tuples of planes: `(y, u, v)`, or `(y,)` for monochrome
    video; contiguous uint8 arrays at 8 bits, else uint16, each at its own size. A second pass needs
    a second `open_video`.

    Args:
        reader: the reader of the file.
        skip: frames to leave out at the start.
    """

    def __init__(self, reader: Reader, skip: int = 0) -> None:
        self._reader = reader
        self.skip = skip
        self._skipped = False
        # closing while another thread decodes would free memory under the decoder
        self._lock = threading.Lock()
        self._closed = False
        self._stopped = False
        self._ended = False
        self._read = 0
        self.info: VideoInfo = reader.info

    @property
    def frames_left(self) -> int | None:
        """Frames after the skipped ones in the whole file, or None before that is certain."""
        count = self.info.frame_count
        return None if count is None else count - self.skip

    @property
    def incomplete(self) -> str | None:
        """Why the file is known to lack its end, or None."""
        return self._reader.incomplete

    @property
    def notices(self) -> list[Notice]:
        """What may spoil a score; some of it is known only after the last frame."""
        info, found = self.info, []
        if info.is_hdr:
            kind = HDR_TRANSFERS[info.color_transfer or ""]
            text = (
                f"{info.path}: the video is HDR ({kind}), but the metrics and models were made for "
                "SDR: read the scores with care."
            )
            found.append(Notice("hdr", text))
        if info.interlaced:
            text = (
                f"{info.path}: the video is interlaced, but the metrics expect whole frames: "
                "deinterlace both videos the same way first."
            )
            found.append(Notice("interlaced", text))
        if info.note:
            found.append(Notice("format", f"{info.path}: {info.note}"))
        return found + self._reader.notices

    def __iter__(self) -> Iterator[FramePlanes]:
        if self._ended:
            raise VideoError(self.info.path, "was read to its end: open it again for another pass.")
        while (planes := self._next()) is not None:
            yield planes

    def count_rest(self, most: int | None = None) -> int:
        """Steps over the remaining frames, at most `most`, and returns how many there were."""
        count = 0
        while most is None or count < most:
            with self._lock:
                if not self._grab():
                    break
            count += 1
        return count

    def _next(self) -> FramePlanes | None:
        with self._lock:
            return self._retrieve() if self._grab() else None

    def _grab(self) -> bool:
        """Steps to the next frame after the skipped ones."""
        self._check_open()
        if self._ended:
            return False
        if not self._skipped:
            self._skipped = True
            for done in range(self.skip):
                self._check_open()
                if not self._reader.grab():
                    raise VideoError(self.info.path, _skip_problem(done, self.skip))
        if self._reader.grab():
            self._reader.check()
            self._read += 1
            return True
        self._ended = True
        if self.incomplete:
            raise VideoError(self.info.path, self.incomplete)
        if self.skip and not self._read:
            raise VideoError(self.info.path, _skip_problem(self.skip, self.skip))
        if not self._read:
            raise VideoError(self.info.path, "has no frames.")
        return False

    def _check_open(self) -> None:
        if self._stopped:
            raise VideoError(self.info.path, CLOSED)

    def _retrieve(self) -> FramePlanes:
        planes = self._reader.retrieve()
        depth = self.info.bit_depth
        if 8 < depth < 16:
            highest = max(int(np.max(plane)) for plane in planes)
            if highest >> depth:
                raise VideoError(
                    self.info.path,
                    f"frame {self.skip + self._read - 1} holds the sample value {highest}, more "
                    f"than {depth} bits allow: check the bit depth and pixel format.",
                )
        return planes

    def close(self) -> None:
        """Closes the file; safe to repeat. Reading that goes on in another thread ends."""
        self._stopped = True
        self._reader.stop()
        with self._lock:
            if not self._closed:
                self._closed = True
                self._reader.close()

    def __enter__(self) -> Video:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _skip_problem(count: int, skip: int) -> str:
    return f"has only {count} frames, so skipping {skip} leaves none: skip fewer."


def open_video(
    path: str | os.PathLike[str],
    *,
    width: int | None = None,
    height: int | None = None,
    pixel_format: str | None = None,
    bit_depth: int | None = None,
    skip: int = 0,
) -> Video:
    """Opens a video file.

    With any of `width`, `height`, `pixel_format` and `bit_depth` the file is read as raw video
    without a header, and all of them are needed (an FFmpeg pixel format brings its bit depth).
    Otherwise a y4m file is read directly, and every other file by FFmpeg through PyAV.

    Args:
        path: the file; y4m and raw video may also come through a pipe.
        width: luma columns of raw video.
        height: luma rows of raw video.
        pixel_format: of raw video: "420", "422", "444", "400", or FFmpeg's name ("yuv420p10le").
        bit_depth: bits per sample of raw video; above 8 a sample takes 16 bits, little endian.
        skip: frames to leave out at the start.

    Returns:
        The open video; use it in a `with` block.

    Raises:
        VideoError: a file that is missing, empty, damaged or not a video, or wrong arguments.
    """
    name = os.fspath(path)
    if skip < 0:
        raise VideoError(name, f"cannot skip {skip} frames: give 0 or more.")
    raw = any(value is not None for value in (width, height, pixel_format, bit_depth))
    try:
        is_y4m = _look_at(name)
        if raw and is_y4m:
            raise VideoError(
                name,
                "is a y4m file, which states its own format: leave out `width`, `height`, "
                "`pixel_format` and `bit_depth`.",
            )
        if raw:
            reader: Reader = RawReader(name, width, height, pixel_format, bit_depth)
        elif is_y4m or not is_regular(name) or name.lower().endswith(".y4m"):
            reader = Y4MReader(name)
        elif name.lower().endswith(_RAW_SUFFIXES):
            raise VideoError(
                name,
                "is raw video without a header: give `width`, `height`, `pixel_format` and "
                "`bit_depth`.",
            )
        else:
            reader = AvReader(name)
    except OSError as error:
        raise VideoError(name, f"cannot be read: {error.strerror or error}.") from error
    video = Video(reader, skip)
    count = video.info.frame_count
    if count is not None and skip >= count:
        video.close()
        raise VideoError(name, _skip_problem(count, skip))
    return video


def _look_at(name: str) -> bool:
    """Checks that there is a file with something in it; True if it begins like y4m."""
    if not os.path.exists(name):
        raise VideoError(name, "there is no such file: check the path.")
    if os.path.isdir(name):
        raise VideoError(name, "is a folder: give the path of a video file.")
    if not is_regular(name):
        return False
    if os.path.getsize(name) == 0:
        raise VideoError(name, "is empty: it has 0 bytes.")
    with open(name, "rb") as file:
        return file.read(len(MAGIC)) == MAGIC
