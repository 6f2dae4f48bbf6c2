"""What a first decoded frame tells about a video: format, size as shown, colours, orientation."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from jaxvqa.video._container.crop import crop_filter
from jaxvqa.video._container.exif import exif_matrix
from jaxvqa.video._container.orientation import filters_for, matrix_of, swaps_sides
from jaxvqa.video._container.streams import is_still
from jaxvqa.video._formats import PixelFormat, parse_pixel_format
from jaxvqa.video._info import VideoInfo

_RANGES = {1: "tv", 2: "pc"}
_MATRICES = {
    0: "rgb", 1: "bt709", 4: "fcc", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 8: "ycgco",
    9: "bt2020nc", 10: "bt2020c", 14: "ictcp",
}  # fmt: skip
_PRIMARIES = {
    1: "bt709", 4: "bt470m", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 8: "film", 9: "bt2020",
    10: "smpte428", 11: "smpte431", 12: "smpte432", 22: "ebu3213",
}  # fmt: skip
_TRANSFERS = {
    1: "bt709",
    4: "gamma22",
    5: "gamma28",
    6: "smpte170m",
    7: "smpte240m",
    8: "linear",
    11: "iec61966-2-4",
    13: "iec61966-2-1",
    14: "bt2020-10",
    15: "bt2020-12",
    16: "smpte2084",
    18: "arib-std-b67",
}
# AVFieldOrder
_FIELDS = {2: "tff", 3: "bff", 4: "tff", 5: "bff"}
# decoders that do not mark frames as interlaced, whatever the container says
_SILENT_ON_FIELDS = {"mjpeg", "huffyuv", "ffvhuff", "png", "qtrle", "jpeg2000", "magicyuv"}
_DISPLAY_MATRIX = "DISPLAYMATRIX"


def describe(
    av: Any,
    path: str,
    frame: Any,
    stream: Any,
    *,
    fps: Fraction | None,
    announced_frames: int | None,
    expected_frames: int | None,
    container: Any = None,
    head: Callable[[], bytes] = bytes,
) -> tuple[VideoInfo, PixelFormat | None]:
    """Facts about a video, and the layout of its frames, None where they have to be converted.

    Args:
        av: the module of PyAV.
        path: the file.
        frame: its first frame.
        stream: the stream that the frame is of.
        fps: frames per second, or None.
        announced_frames: how many frames the container counts, or None.
        expected_frames: about how many there are, or None.
        container: the open file, which may ask for a crop, or None.
        head: gives the first bytes of the file, which may hold Exif data.
    """
    layout = parse_pixel_format(frame.format.name)
    context = stream.codec_context
    name = frame.format.name
    chroma, depth, is_rgb = _samples(av, name)
    color_range, matrix = frame_colors(frame, context)
    if color_range is None and chroma == "400" and container and is_still(container, stream):
        color_range = "pc"  # formats of pictures know no other
    fields = None
    if not frame.interlaced_frame and context.name in _SILENT_ON_FIELDS:
        fields = _FIELDS.get(int(getattr(context, "field_order", 0)))
    orientation = filters_for(_display_matrix(frame, head))
    chroma = layout.chroma if layout else chroma
    width, height = frame.width, frame.height
    cropped = container and crop_filter(av, container, stream, (width, height), chroma)
    if cropped:
        orientation = (cropped[0], *orientation)
        width, height = cropped[1:]
    aspect = Fraction(stream.sample_aspect_ratio or 1) or Fraction(1)
    if swaps_sides(orientation):
        width, height, aspect = height, width, 1 / aspect
    info = VideoInfo(
        path=path,
        width=width,
        height=height,
        bit_depth=layout.bit_depth if layout else depth,
        chroma=chroma,
        fps=fps,
        pixel_format=name,
        reader="av",
        color_range=color_range,
        color_transfer=_tag(_TRANSFERS, "color_trc", frame, context),
        color_matrix="rgb" if is_rgb else matrix,
        color_primaries=_tag(_PRIMARIES, "color_primaries", frame, context),
        orientation=orientation,
        pixel_aspect=aspect,
        stream=stream.index,
        is_rgb=is_rgb,
        direct=layout is not None,
        has_alpha=layout is None and has_alpha(av, name),
        interlaced=bool(frame.interlaced_frame or fields),
        fields=fields,
        announced_frames=announced_frames,
        expected_frames=expected_frames,
    )
    return info, layout


def frame_colors(frame: Any, context: Any) -> tuple[str | None, str | None]:
    """Range and matrix of a frame by its own tags, else by the stream's; None where neither says.

    Args:
        frame: PyAV's frame.
        context: the stream's codec context.
    """
    full_by_name = frame.format.name.startswith("yuvj")
    color_range = "pc" if full_by_name else _tag(_RANGES, "color_range", frame, context)
    # 0 says RGB and is no tag of Y'CbCr
    matrix = _tag({k: v for k, v in _MATRICES.items() if k}, "colorspace", frame, context)
    return color_range, matrix


def _tag(names: dict[int, str], attribute: str, frame: Any, context: Any) -> str | None:
    """A colour tag by FFmpeg's name: the frame's own, else the stream's."""
    for owner in (frame, context):
        if name := names.get(int(getattr(owner, attribute, None) or 0)):
            return name
    return None


def _samples(av: Any, name: str) -> tuple[str, int, bool]:
    """Chroma, depth and whether it is RGB of what a format becomes."""
    form = av.VideoFormat(name, 64, 64)
    is_rgb = bool(form.is_rgb or form.has_palette or name.startswith("xyz"))
    bits = max((c.bits for c in form.components), default=8)
    depth = next((known for known in (8, 10, 12, 16) if bits <= known), 16)
    colors = [c for c in form.components if not c.is_alpha]
    if is_rgb:
        return "444", depth, True
    if len(colors) == 1:
        return "400", depth, False
    size = form.chroma_width(64), form.chroma_height(64)
    # 4:1:1 goes up to 4:2:2, 4:4:0 to 4:4:4, 4:1:0 to 4:2:0: nothing is lost
    layouts = {(64, 64): "444", (64, 32): "444", (32, 64): "422", (16, 64): "422"}
    return layouts.get(size, "420"), depth, False


def has_alpha(av: Any, name: str) -> bool:
    """Whether a format has a channel of transparency."""
    return any(c.is_alpha for c in av.VideoFormat(name, 64, 64).components)


def _display_matrix(frame: Any, head: Callable[[], bytes]) -> bytes | None:
    try:
        found = frame.side_data
    except ValueError:  # PyAV knows no Exif data, and its `rotation` no mirrors
        return exif_matrix(head()) or matrix_of(getattr(frame, "rotation", 0))
    for data in found:
        if getattr(data.type, "name", "") == _DISPLAY_MATRIX:
            return bytes(data)
    return None
