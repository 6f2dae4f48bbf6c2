"""Finds the reader that fits a file, a pipe, an address or pictures."""

from __future__ import annotations

import os
from dataclasses import dataclass

from jaxvqa.video._container import pipe
from jaxvqa.video._container.source import Source, is_url
from jaxvqa.video._decode.av_reader import AvReader
from jaxvqa.video._decode.pictures import PictureReader, find_pictures
from jaxvqa.video._decode.raw import RawReader
from jaxvqa.video._decode.y4m import MAGIC, Y4MReader
from jaxvqa.video._errors import VideoError
from jaxvqa.video._info import Reader

_RAW_SUFFIXES = (".yuv", ".raw", ".i420", ".nv12", ".p010", ".gray")


@dataclass(frozen=True)
class RawFormat:
    """What a user says of raw video; nothing for other files. See `open_video`."""

    width: int | None = None
    height: int | None = None
    pixel_format: str | None = None
    bit_depth: int | None = None

    @property
    def given(self) -> bool:
        """Whether anything is said."""
        said = (self.width, self.height, self.pixel_format, self.bit_depth)
        return any(value is not None for value in said)


def check_pair(ref: str | os.PathLike[str], dis: str | os.PathLike[str]) -> None:
    """Raises VideoError where both videos are to come from standard input."""
    if os.fspath(ref) == os.fspath(dis) == pipe.STDIN:
        raise VideoError(
            pipe.STDIN,
            "stands for standard input, which holds one video only: name a file or a pipe for the "
            "other.",
        )


def open_reader(
    name: str, raw: RawFormat, stream: int | None, film_grain: str, *, conceal: bool
) -> Reader:
    """Opens a video with the reader that fits it.

    Args:
        name: the video as a user named it.
        raw: the format of raw video.
        stream: index of the video stream in the file; None takes the film.
        film_grain: "off" leaves AV1's synthesised grain out.
        conceal: go on where data is damaged.

    Raises:
        VideoError: a video that is missing, empty, damaged or none, or wrong arguments.
        OSError: a file that may not be read.
    """
    if is_url(name):
        if raw.given:
            raise VideoError(name, "is an address, but raw video is read from files and pipes.")
        return AvReader(Source.of(name), stream, film_grain, conceal)
    if not raw.given and (files := find_pictures(name)) is not None:
        return PictureReader(name, files, conceal)
    _check_exists(name)
    if pipe.is_regular(name):
        is_y4m = _begins_like_y4m(name)
        if raw.given:
            return _open_raw(name, raw, is_y4m)
        if is_y4m or name.lower().endswith(".y4m"):
            return Y4MReader(name)
        if name.lower().endswith(_RAW_SUFFIXES):
            raise VideoError(
                name,
                "is raw video without a header: give `width`, `height`, `pixel_format` and "
                "`bit_depth`.",
            )
        return AvReader(Source.of(name), stream, film_grain, conceal)
    if raw.given:
        return _open_raw(name, raw, is_y4m=False)
    head, file = pipe.take_head(pipe.open_stream(name), len(MAGIC))
    if not head or head == MAGIC:
        return Y4MReader(name, file)
    return AvReader(Source.of(name, file), stream, film_grain, conceal)


def _open_raw(name: str, raw: RawFormat, is_y4m: bool) -> Reader:
    if is_y4m:
        raise VideoError(
            name,
            "is a y4m file, which states its own format: leave out `width`, `height`, "
            "`pixel_format` and `bit_depth`.",
        )
    return RawReader(name, raw.width, raw.height, raw.pixel_format, raw.bit_depth)


def _check_exists(name: str) -> None:
    """Raises VideoError if there is nothing of this name, or nothing in it."""
    if name == pipe.STDIN:
        return
    if not os.path.exists(name):
        raise VideoError(name, "there is no such file: check the path.")
    if os.path.isdir(name):
        raise VideoError(name, "is a folder: give the path of a video file.")
    if pipe.is_regular(name) and os.path.getsize(name) == 0:
        raise VideoError(name, "is empty: it has 0 bytes.")


def _begins_like_y4m(name: str) -> bool:
    with open(name, "rb") as file:
        return file.read(len(MAGIC)) == MAGIC
