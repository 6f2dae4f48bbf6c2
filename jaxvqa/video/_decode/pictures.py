"""Numbered pictures and folders of pictures, read as a video without a frame rate."""

from __future__ import annotations

import dataclasses
import itertools
import os
import re
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from jaxvqa._notice import Notice
from jaxvqa.video._container.source import Source
from jaxvqa.video._decode.av_reader import AvReader
from jaxvqa.video._decode.held import HeldPicture
from jaxvqa.video._errors import VideoError
from jaxvqa.video._formats import FrameMemory, FramePlanes
from jaxvqa.video._info import VideoInfo
from jaxvqa.video._timeline import Timeline

_SUFFIXES = {
    ".png", ".apng", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp", ".avif", ".heic", ".heif",
    ".exr", ".dpx", ".ppm", ".pgm", ".pnm", ".pam", ".pfm", ".jp2", ".j2k", ".jxl", ".gif", ".tga",
    ".qoi", ".hdr", ".jls",
}  # fmt: skip
_SAME = {".jpeg": ".jpg", ".tiff": ".tif", ".heif": ".heic"}
_NUMBER = re.compile(r"%(0?)(\d*)d")


def find_pictures(name: str) -> list[str] | None:
    """The files behind a folder or a name with a number in it; None for other names.

    Args:
        name: a folder, or a name such as `frame_%03d.png`, which begins at the first number that
            exists.

    Raises:
        VideoError: no pictures, pictures of several kinds, or a number that is missing.
    """
    if os.path.isdir(name):
        return _in_folder(name)
    base = os.path.basename(name)
    if os.path.exists(name) or len(_NUMBER.findall(base)) != 1:
        return None
    return _numbered(name, os.path.dirname(name), base)


def _in_folder(name: str) -> list[str]:
    kinds: dict[str, list[str]] = {}
    for file in os.listdir(name):
        suffix = os.path.splitext(file)[1].lower()
        if suffix in _SUFFIXES and not file.startswith("."):
            kinds.setdefault(_SAME.get(suffix, suffix), []).append(file)
    if not kinds:
        raise VideoError(name, "is a folder without pictures: give the path of a video file.")
    if len(kinds) > 1:
        raise VideoError(
            name,
            f"is a folder with pictures of several kinds ({', '.join(sorted(kinds))}): keep one "
            "kind in it, or name numbered pictures as in frame_%03d.png.",
        )
    (files,) = kinds.values()
    return [os.path.join(name, file) for file in sorted(files, key=_natural)]


def _natural(file: str) -> list[Any]:
    """A key by which 10.png comes after 9.png."""
    parts = re.split(r"(\d+)", file.lower())
    return [int(part) if i % 2 else part for i, part in enumerate(parts)]


def _numbered(name: str, folder: str, base: str) -> list[str]:
    found = _NUMBER.search(base)
    assert found is not None
    width = int(found[2] or 0) if found[1] else 0
    digits = rf"\d{{{width},}}" if width else r"\d+"
    pattern = re.compile(
        re.escape(base[: found.start()].replace("%%", "%"))
        + rf"({digits})"
        + re.escape(base[found.end() :].replace("%%", "%"))
    )
    files: dict[int, str] = {}
    for file in os.listdir(folder or ".") if os.path.isdir(folder or ".") else ():
        match = pattern.fullmatch(file)
        # 007 is no number of %d, and 0001 none of %03d
        if match and len(match[1]) == max(width, len(str(int(match[1])))):
            files[int(match[1])] = os.path.join(folder, file)
    if not files:
        raise VideoError(name, "there are no such pictures: check the path.")
    numbers = sorted(files)
    for before, after in itertools.pairwise(numbers):
        if after != before + 1:
            raise VideoError(
                name,
                f"number {before + 1} is missing, though {before} and {after} are there: add it, "
                "or name the folder to take all pictures in it.",
            )
    return [files[number] for number in numbers]


def missing_numbers(files: Sequence[str]) -> str | None:
    """Where numbers are left out in the names of a folder's pictures, as text; None for nowhere.

    Args:
        files: the pictures in order, of which nothing is said unless only one number differs.
    """
    found = [re.split(r"(\d+)", os.path.splitext(os.path.basename(file))[0]) for file in files]
    if len({len(parts) for parts in found}) != 1:
        return None
    changing = [i for i in range(1, len(found[0]), 2) if len({parts[i] for parts in found}) > 1]
    if len(changing) != 1:
        return None
    numbers = [(parts[changing[0]], int(parts[changing[0]])) for parts in found]
    gaps = [
        f"between {before[0]} and {after[0]}"
        for before, after in itertools.pairwise(numbers)
        if after[1] != before[1] + 1
    ]
    return " and ".join(gaps[:3]) if gaps else None


class PictureReader:
    """Pictures one after the other; a `Reader`.

    Args:
        name: the folder or the name with a number.
        files: the pictures, at least one.
        conceal: go on where data is damaged.

    Raises:
        VideoError: a first picture that cannot be read.
    """

    def __init__(self, name: str, files: list[str], conceal: bool = False) -> None:
        self.incomplete: str | None = None
        self.notices: list[Notice] = []
        self.time: Fraction | None = None
        self.interlaced_frames = 0
        self.leading = 0
        self.begins_damaged = False
        self.coded_bytes: int | None = None
        if gap := missing_numbers(files):
            text = f"{name}: pictures are missing {gap}; those that are there follow each other."
            self.notices.append(Notice("missing-frames", text))
        self._files = files
        self._conceal = conceal
        self._index = -1
        self._picture = self._open(files[0])
        self.info: VideoInfo = dataclasses.replace(
            self._picture.info,
            path=name,
            fps=None,
            frame_count=len(files),
            announced_frames=None,
            expected_frames=len(files),
        )

    def _open(self, file: str) -> AvReader:
        reader = AvReader(Source.of(file), conceal=self._conceal)
        reader.grab()
        return reader

    def grab(self) -> bool:
        """Opens the next picture."""
        self._index += 1
        if self._index >= len(self._files):
            return False
        if self._index:
            self._picture.close()
            self._picture = self._open(self._files[self._index])
        return True

    def timeline(self) -> Timeline:
        """Pictures do not say when they are shown."""
        return Timeline.unknown(len(self._files))

    @property
    def can_seek(self) -> bool:
        """Frames are read in their order."""
        return False

    def seek(self, time: Fraction) -> None:
        """Not possible, see `can_seek`."""
        raise NotImplementedError

    def damage(self) -> str | None:
        """What is wrong with the picture, or None."""
        return self._picture.damage()

    def retrieve(self, luma_only: bool = False, memory: FrameMemory | None = None) -> FramePlanes:
        """Planes of the picture."""
        return self._picture.retrieve(luma_only, memory)

    def picture(self) -> Any:
        """The picture."""
        return self._picture.picture()

    def hold(self) -> HeldPicture:
        """The picture, which outlives its file."""
        return self._picture.hold()

    def stop(self) -> None:
        """Nothing to end: files don't let one wait."""

    def close(self) -> None:
        """Closes the picture."""
        self._picture.close()
