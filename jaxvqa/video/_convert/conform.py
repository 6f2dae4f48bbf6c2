"""How two videos that differ are made alike: which filters each side gets, and what is said of it.

The distorted video is brought to the reference's size, matrix and chroma format. Depth goes up to
the deeper side's, which loses nothing, and of two ranges the limited one stays, which models were
trained on.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from jaxvqa._notice import Notice
from jaxvqa.video._convert.chain import SCALE_MATRICES, Colors, Steps
from jaxvqa.video._errors import VideoError
from jaxvqa.video._formats import planar_format
from jaxvqa.video._info import VideoInfo
from jaxvqa.video._inputs import InputOptions

Crop = tuple[int, int, int, int]

_DISPLAYS = {"1080p": (1920, 1080), "2160p": (3840, 2160)}
_HD_LINES = 720
_SAME_SHAPE = 0.02
_RANGES = {"tv": "limited", "pc": "full"}
_MATRICES = {"bt601": "smpte170m", "bt709": "bt709", "bt2020": "bt2020nc"}


@dataclass(frozen=True)
class Agreement:
    """What two videos become.

    Args:
        width: columns of both.
        height: rows of both.
        bit_depth: bits per sample of both.
        ref: what is done to the reference.
        dis: what is done to the distorted video.
        direct: whether nothing at all has to be done to frames of each side.
        notices: conversions that a user should know of.
    """

    width: int
    height: int
    bit_depth: int
    ref: Steps
    dis: Steps
    direct: tuple[bool, bool]
    notices: tuple[Notice, ...]


def agree(
    ref: VideoInfo,
    dis: VideoInfo,
    inputs: InputOptions,
    *,
    chroma: bool = True,
    crops: tuple[Crop | None, Crop | None] = (None, None),
) -> Agreement:
    """Decides how two videos are made alike.

    Args:
        ref: facts about the reference.
        dis: facts about the distorted video.
        inputs: what a user wants.
        chroma: whether a metric reads chroma; if not, chroma formats may differ.
        crops: the part of each side to keep.

    Raises:
        VideoError: sizes that differ and may not be scaled.
    """
    sizes = [c[:2] if c else (v.width, v.height) for v, c in zip((ref, dis), crops, strict=True)]
    targets = _target_sizes(ref, dis, sizes, inputs)
    depth = _even_depth(max(ref.bit_depth, dis.bit_depth))
    target, differing, notices = _target_colors(ref, dis, inputs)
    layout = ref.chroma if chroma else None
    sides: list[Steps] = []
    direct: list[bool] = []
    deinterlaced = _deinterlaced(ref, dis, inputs)
    for i, video in enumerate((ref, dis)):
        steps = Steps(
            orientation=video.orientation,
            deinterlace=deinterlaced[i],
            crop=crops[i],
            size=None if targets[i] == sizes[i] else targets[i],
            flags=inputs.kernel + ("+accurate_rnd" if inputs.exact else ""),
            colors=_colors_after(video, target, differing[i]),
            pixel_format=planar_format(layout or video.chroma, depth).name,
            native=planar_format(video.chroma, video.bit_depth).name,
            fields=video.fields,
        )
        sides.append(steps)
        direct.append(not (differing[i] or _changed(steps, video, depth, layout)))
        notices += _told(video, steps, sizes[i], depth, layout)
    notices += _shapes(ref, dis, sizes, targets)
    return Agreement(*targets[0], depth, sides[0], sides[1], (direct[0], direct[1]), tuple(notices))


def own_steps(info: VideoInfo) -> Steps:
    """What a video alone passes: turned upright, and in a format of planes."""
    name = planar_format(info.chroma, info.bit_depth).name
    # as samples of RGB are understood where nothing says how
    colors = Colors("tv", "smpte170m") if info.is_rgb else None
    return Steps(orientation=info.orientation, colors=colors, pixel_format=name, native=name)


def stated_colors(color_range: str | None, matrix: str | None) -> tuple[str | None, str | None]:
    """A range and a matrix as options name them, by FFmpeg's names."""
    ranges = {name: code for code, name in _RANGES.items()}
    return ranges.get(color_range or ""), _MATRICES.get(matrix or "")


def colors_of(video: VideoInfo) -> Colors:
    """How the samples of a video are read: its tags, and FFmpeg's defaults where it has none."""
    return Colors(video.color_range or ("pc" if video.is_rgb else "tv"), video.color_matrix)


def _even_depth(depth: int) -> int:
    """Depths between those that metrics know go up."""
    return next(known for known in (8, 10, 12, 16) if depth <= known)


def _changed(steps: Steps, video: VideoInfo, depth: int, layout: str | None) -> bool:
    """Whether anything but colours has to be done."""
    other_layout = layout is not None and layout != video.chroma
    shape = steps.orientation or steps.deinterlace or steps.crop or steps.size
    return bool(shape) or other_layout or depth != video.bit_depth or not video.direct


def _target_sizes(
    ref: VideoInfo, dis: VideoInfo, sizes: list[tuple[int, int]], inputs: InputOptions
) -> list[tuple[int, int]]:
    """Size of each side after scaling."""
    if inputs.at is not None:
        box = _DISPLAYS.get(inputs.at) if isinstance(inputs.at, str) else inputs.at
        assert box is not None
        shown = _as_displayed(sizes[0], ref.pixel_aspect, box)
        return [shown, shown]
    if isinstance(inputs.scale, tuple):
        return [inputs.scale, inputs.scale]
    if sizes[0] != sizes[1] and inputs.scale == "none":
        (width, height), (needed, rows) = sizes[1], sizes[0]
        raise VideoError(
            dis.path,
            f"is {width}x{height}, but the reference {ref.path} is {needed}x{rows}: leave out "
            "scale='none', and it is scaled to the reference's size.",
        )
    return [sizes[1] if inputs.scale == "reference" else sizes[0]] * 2


def _as_displayed(
    size: tuple[int, int], pixel_aspect: Fraction, box: tuple[int, int]
) -> tuple[int, int]:
    """The largest size within a screen that keeps the shape of the shown picture; even sides."""
    width, height = size[0] * pixel_aspect, Fraction(size[1])
    factor = min(box[0] / width, box[1] / height)
    columns, rows = (max(2, 2 * round(side * factor / 2)) for side in (width, height))
    return columns, rows


def _target_colors(
    ref: VideoInfo, dis: VideoInfo, inputs: InputOptions
) -> tuple[Colors | None, tuple[list[str], list[str]], list[Notice]]:
    """Range and matrix of both, what each side has to convert, and what is said of it."""
    anchor = dis if ref.is_rgb and not dis.is_rgb else ref
    default = Colors("tv", "bt709" if anchor.height >= _HD_LINES else "smpte170m")
    target = default if anchor.is_rgb else colors_of(anchor)
    # monochrome video without a tag is taken as the other side's
    ranges = {colors_of(v).range for v in (ref, dis) if not (v.is_rgb or _unknown_range(v))}
    if len(ranges) == 1:
        target = Colors(next(iter(ranges)), target.matrix)
    elif ranges:
        target = Colors("tv", target.matrix)
    rgb = ref.is_rgb or dis.is_rgb
    if rgb and target.matrix not in SCALE_MATRICES:
        target = Colors(target.range, default.matrix)
    found, notices = [], []
    for video in (ref, dis):
        source = colors_of(video)
        differing = _differing(video, source, target, ref.is_hdr == dis.is_hdr)
        if differing and (video.is_rgb or inputs.color == "match"):
            notices.append(_converted(video, source, target, differing))
        elif "range" in differing:
            notices.append(_as_is(dis, ref))
        found.append(differing)
    if inputs.color == "match":
        notices += _matrix_stays(ref, dis)
    else:
        found = [d if v.is_rgb else [] for d, v in zip(found, (ref, dis), strict=True)]
        target = target if rgb else None
    return target, (found[0], found[1]), notices


def _matrix_stays(ref: VideoInfo, dis: VideoInfo) -> list[Notice]:
    """Says that matrices differ of which FFmpeg does not convert one, such as ICtCp's."""
    first, second = ref.color_matrix, dis.color_matrix
    unlike = first is not None and second is not None and first != second
    plain = any(v.is_rgb or v.chroma == "400" for v in (ref, dis))
    if not unlike or plain or (first in SCALE_MATRICES and second in SCALE_MATRICES):
        return []
    text = (
        f"its matrix {second} cannot be converted to the reference's {first}: code values are "
        "compared as they are, and the scores mean little."
    )
    return [Notice("matrix", f"{dis.path}: {text}")]


def _differing(video: VideoInfo, source: Colors, target: Colors, alike: bool) -> list[str]:
    """Which of range and matrix have to be converted."""
    if video.is_rgb:
        return ["rgb"]
    found = []
    if source.range != target.range and not _unknown_range(video):
        found.append("range")
    before, after = SCALE_MATRICES.get(source.matrix or ""), SCALE_MATRICES.get(target.matrix or "")
    if before and after and before != after and alike and video.chroma != "400":
        found.append("matrix")
    return found


def _colors_after(video: VideoInfo, target: Colors | None, differing: list[str]) -> Colors | None:
    """What one side's colours become: only what was found to differ changes, whatever else does."""
    if target is None or differing == ["rgb"]:
        return target
    own = colors_of(video)
    return Colors(
        target.range if "range" in differing else own.range,
        target.matrix if "matrix" in differing else own.matrix,
    )


def _unknown_range(video: VideoInfo) -> bool:
    return video.chroma == "400" and video.color_range is None


def _converted(video: VideoInfo, source: Colors, target: Colors, differing: list[str]) -> Notice:
    if differing == ["rgb"]:
        text = f"its RGB samples were converted to Y'CbCr, {_named(target)}."
        return Notice("rgb", f"{video.path}: {text}")
    assumed = " (assumed, as it has no tag)" if video.color_range is None else ""
    parts = {
        "range": f"its {_RANGES[source.range]} range{assumed} was converted to "
        f"{_RANGES[target.range]}",
        "matrix": f"its matrix {source.matrix} was converted to {target.matrix}",
    }
    text = " and ".join(parts[name] for name in differing)
    return Notice(
        differing[0],
        f"{video.path}: {text}, as in the other video; color='as-is' compares code values.",
    )


def _as_is(dis: VideoInfo, ref: VideoInfo) -> Notice:
    text = (
        f"{dis.path}: its colour range is {_RANGES[colors_of(dis).range]}, the reference's "
        f"{_RANGES[colors_of(ref).range]}: code values are compared as they are."
    )
    return Notice("range", text)


def _named(colors: Colors) -> str:
    return f"{colors.matrix}, {_RANGES[colors.range]} range"


def _told(
    video: VideoInfo, steps: Steps, size: tuple[int, int], depth: int, layout: str | None
) -> list[Notice]:
    """What a user should know of one side's conversions, colours left out."""
    found = []
    if steps.size is not None:
        to = f"{steps.size[0]}x{steps.size[1]}"
        text = f"was scaled from {size[0]}x{size[1]} to {to} ({steps.flags})."
        found.append(Notice("scaled", f"{video.path}: {text}"))
    if video.bit_depth != depth and not video.is_rgb:
        text = f"its {video.bit_depth} bits per sample were raised to {depth}."
        found.append(Notice("depth", f"{video.path}: {text}"))
    if video.has_alpha:
        text = "its channel of transparency was left out."
        found.append(Notice("alpha", f"{video.path}: {text}"))
    if layout is not None and layout != video.chroma and not video.is_rgb:
        text = f"its {':'.join(video.chroma)} chroma was converted to {':'.join(layout)}."
        found.append(Notice("chroma", f"{video.path}: {text}"))
    if steps.deinterlace is not None and video.interlaced:
        text = f"its interlaced frames were made whole by {steps.deinterlace}."
        found.append(Notice("deinterlaced", f"{video.path}: {text}"))
    return found


def _shapes(
    ref: VideoInfo,
    dis: VideoInfo,
    sizes: list[tuple[int, int]],
    targets: list[tuple[int, int]],
) -> list[Notice]:
    """Says when a picture is stretched: one side has bars, or was turned or cut."""
    if sizes[0] == sizes[1] and targets[0] == sizes[0]:
        return []
    shapes = [Fraction(w, h) * v.pixel_aspect for (w, h), v in zip(sizes, (ref, dis), strict=True)]
    if abs(shapes[1] / shapes[0] - 1) <= _SAME_SHAPE:
        return []
    text = (
        f"{dis.path}: its picture is {float(shapes[1]):.3f} times as wide as high, the "
        f"reference's {float(shapes[0]):.3f}, and scaling stretches it: if one side has black "
        "bars, cut them off with crop='auto'."
    )
    return [Notice("shape", text)]


def _deinterlaced(
    ref: VideoInfo, dis: VideoInfo, inputs: InputOptions
) -> tuple[str | None, str | None]:
    """The filter that makes whole frames, for each side; auto where one side alone has fields."""
    wanted = inputs.deinterlace
    if wanted == "none" or (wanted == "auto" and ref.interlaced == dis.interlaced):
        return None, None
    name = "bwdif" if wanted == "auto" else wanted
    return (name if ref.interlaced or wanted != "auto" else None), (
        name if dis.interlaced or wanted != "auto" else None
    )
