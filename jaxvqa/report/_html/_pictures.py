"""Pictures of single frames, from the files that were scored."""

from __future__ import annotations

import base64
import io
import os
import struct
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jaxvqa.color import MATRICES
from jaxvqa.video import InputOptions, VideoInfo, open_pair
from jaxvqa.video._formats import FramePlanes
from jaxvqa.video._pair.thumbnail import area_means, thumbnail

WIDTH = 480
GAIN = 4
Progress = Callable[[int, int | None], None]
Rgb = NDArray[np.uint8]

# shares of red and blue in luma, by the name that files give their matrix
_MATRICES = {
    "bt709": MATRICES["bt709"],
    "bt2020nc": MATRICES["bt2020"],
    "bt2020c": MATRICES["bt2020"],
    "smpte240m": (0.212, 0.087),
    "fcc": (0.30, 0.11),
}
_SD = MATRICES["bt601"]


@dataclass(frozen=True)
class Moment:
    """A frame as pictures.

    Args:
        frame: its number.
        ref: the reference as a `data:` address.
        dis: the distorted video's.
        difference: the difference of luma without sign, times `GAIN`.
        width: columns of the pictures.
        height: rows.
    """

    frame: int
    ref: str
    dis: str
    difference: str
    width: int
    height: int


def take_pictures(
    ref: str | os.PathLike[str],
    dis: str | os.PathLike[str],
    inputs: InputOptions,
    frames: Sequence[int],
    *,
    size: tuple[int, int] | None = None,
    changes: bool = False,
    progress: Progress | None = None,
) -> tuple[list[Moment], NDArray[np.float64] | None]:
    """Reads two files once, as scoring does, and keeps some frames.

    Args:
        ref: the reference file.
        dis: the distorted file.
        inputs: how they were read.
        frames: numbers of the pairs to keep.
        size: columns and rows that were scored; other files are refused.
        changes: read to the end and measure how much each reference frame differs from the one
            before.
        progress: called with (frames done, frames in all or None).

    Returns:
        The moments in the order of `frames`, and the mean differences in 8-bit codes, or None.

    Raises:
        ValueError: files that can't be read, are too short, or are not those that were scored.
    """
    wanted, found = set(frames), {}
    change: list[float] = []
    before: NDArray[np.uint8] | None = None
    with open_pair(ref, dis, inputs) as pair:
        alike = pair.alike
        if size is not None and (alike.width, alike.height) != tuple(size):
            raise ValueError(
                f"the files are {alike.width}x{alike.height} now, {size[0]}x{size[1]} was scored."
            )
        facts = pair.ref.info
        full = facts.color_range == "pc" == pair.dis.info.color_range
        for index, planes_ref, planes_dis in pair:
            if progress is not None:
                progress(index + 1, pair.expected_count)
            if changes:
                small = thumbnail(planes_ref[0], alike.bit_depth)
                moved = 0.0 if before is None else np.abs(small.astype(int) - before).mean()
                change.append(float(moved))
                before = small
            if index in wanted:
                found[index] = _moment(index, planes_ref, planes_dis, facts, alike.bit_depth, full)
                wanted.discard(index)
                if not wanted and not changes:
                    break
    if wanted:
        raise ValueError(f"the files have no frame {min(wanted)} now.")
    return [found[i] for i in frames], np.array(change) if changes else None


def _moment(
    index: int, ref: FramePlanes, dis: FramePlanes, facts: VideoInfo, bit_depth: int, full: bool
) -> Moment:
    height, width = ref[0].shape
    columns = min(WIDTH, width)
    size = max(1, round(height * columns / width)), columns
    pictures = [_rgb(planes, facts, bit_depth, full, size) for planes in (ref, dis)]
    apart = np.abs(ref[0].astype(np.float32) - dis[0].astype(np.float32))
    grey = np.clip(area_means(apart, bit_depth, size) * GAIN, 0, 255)
    pictures.append(np.repeat(np.rint(grey).astype(np.uint8)[..., None], 3, axis=-1))
    before, after, difference = (picture_address(p) for p in pictures)
    return Moment(index, before, after, difference, columns, size[0])


def _rgb(
    planes: FramePlanes, facts: VideoInfo, bit_depth: int, full: bool, size: tuple[int, int]
) -> Rgb:
    """A small picture; light and colours as coded, so HDR looks flat."""
    luma = area_means(planes[0], bit_depth, size)
    if len(planes) < 3:
        parts = [luma, np.full(size, 128.0), np.full(size, 128.0)]
    else:
        parts = [luma, *(_enlarged(plane, bit_depth, size) for plane in planes[1:3])]
    y, cb, cr = (p.astype(np.float64) for p in parts)
    if full:
        y, cb, cr = y / 255, (cb - 128) / 255, (cr - 128) / 255
    else:
        y, cb, cr = (y - 16) / 219, (cb - 128) / 224, (cr - 128) / 224
    default = _MATRICES["bt709"] if facts.height >= 720 else _SD
    red, blue = _MATRICES.get(facts.color_matrix or "", _SD if facts.color_matrix else default)
    r, b = y + 2 * (1 - red) * cr, y + 2 * (1 - blue) * cb
    g = (y - red * r - blue * b) / (1 - red - blue)
    return np.rint(np.clip(np.stack([r, g, b], axis=-1), 0, 1) * 255).astype(np.uint8)


def _enlarged(plane: NDArray[Any], bit_depth: int, size: tuple[int, int]) -> NDArray[np.float32]:
    """A chroma plane at the size of the picture: means, or repeated samples where it is smaller."""
    rows, columns = (min(a, b) for a, b in zip(size, plane.shape, strict=True))
    small = area_means(plane, bit_depth, (rows, columns))
    at_rows = np.arange(size[0]) * rows // size[0]
    at_columns = np.arange(size[1]) * columns // size[1]
    return small[at_rows[:, None], at_columns]


def picture_address(picture: Rgb) -> str:
    """A picture as a `data:` address: JPEG where PyAV is installed, else PNG."""
    try:
        kind, data = "jpeg", _jpeg(picture)
    except ImportError:
        kind, data = "png", _png(picture)
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


def _jpeg(picture: Rgb) -> bytes:
    import av

    encoder: Any = av.CodecContext.create("mjpeg", "w")
    encoder.height, encoder.width = picture.shape[:2]
    encoder.pix_fmt = "yuvj444p"
    encoder.time_base = Fraction(1, 25)
    encoder.options = {"qmin": "3", "qmax": "3"}
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
    frame = frame.reformat(
        format="yuvj444p", dst_colorspace="ITU601", src_color_range="JPEG", dst_color_range="JPEG"
    )
    frame.pts = 0
    sink = io.BytesIO()
    for packet in (*encoder.encode(frame), *encoder.encode(None)):
        sink.write(bytes(packet))
    return sink.getvalue()


def _png(picture: Rgb) -> bytes:
    height, width = picture.shape[:2]
    # filter 0 in front of every row
    rows = np.concatenate([np.zeros((height, 1), np.uint8), picture.reshape(height, -1)], axis=1)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows.tobytes(), 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
