"""What has to be known of both files before they are read: where the picture lies, and the offset.

Both are looked for in a few frames of each file, which is opened once more for that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from jaxvqa._notice import Notice
from jaxvqa.video._convert.conform import Crop, colors_of
from jaxvqa.video._errors import VideoError
from jaxvqa.video._inputs import InputOptions
from jaxvqa.video._pair.bars import Bars
from jaxvqa.video._pair.offset import find_offset, plan_windows
from jaxvqa.video._pair.offset_check import better_neighbour, checked_frames
from jaxvqa.video._pair.thumbnail import thumbnail
from jaxvqa.video._reader import Video

_PLACES = 12
_RUN = 3  # frames at each place
_SHORT = 240  # frames that are read through rather than jumped in
# of the picture's sides: rounding to even numbers after scaling
_SAME_PART = 0.01
_DOUBTS = 24  # pairs that are looked at where two pairings differ
_CLEAR = 1.1  # of mean squared differences
_FLOOR = 0.02  # squared 8-bit codes; rounding alone makes differences of this order

Reopen = Callable[[], Video]
_Thumbs = Mapping[int, np.ndarray]


@dataclass(frozen=True)
class Alignment:
    """How two files lie over each other.

    Args:
        crops: columns, rows, first column and first row of each picture; None for all of it.
        offset: frames or seconds by which the distorted video starts later in the reference.
        notices: what was found.
    """

    crops: tuple[Crop | None, Crop | None] = (None, None)
    offset: int | Fraction | None = None
    notices: tuple[Notice, ...] = ()


def align(ref: Video, dis: Video, inputs: InputOptions, reopen: tuple[Reopen, Reopen]) -> Alignment:
    """Finds the crop and the offset that a user asks for.

    Args:
        ref: the reference.
        dis: the distorted video.
        inputs: what a user wants.
        reopen: opens each file once more.

    Raises:
        VideoError: bars of both sides that don't fit each other, or files that can't be read twice.
    """
    crops: tuple[Crop | None, Crop | None] = (None, None)
    notices: list[Notice] = []
    wanted = {
        "crop='auto'": inputs.crop == "auto",
        "offset='auto'": inputs.offset == "auto",
        "pair='pictures'": inputs.pair == "pictures",
    }
    for video in (ref, dis):
        for name in (option for option, given in wanted.items() if given and video.is_pipe):
            raise VideoError(
                video.info.path,
                f"comes through a pipe, which can be read only once, but {name} has to look at it "
                "first: name a file.",
            )
    if inputs.crop == "auto":
        crops, notices = _without_bars(ref, dis, reopen)
    elif isinstance(inputs.crop, tuple):
        crops = _checked(ref, inputs.crop), _scaled(ref, dis, inputs.crop)
        notices = _split_chroma((ref, dis), crops)
    offset = inputs.offset
    if isinstance(offset, str):
        offset, notice = _find_offset(ref, dis, reopen)
        notices.append(notice)
    return Alignment(crops, offset, tuple(notices))


def _checked(video: Video, crop: Crop) -> Crop:
    """A crop that lies in the picture."""
    (width, height, left, top), info = crop, video.info
    if left + width > info.width or top + height > info.height:
        raise VideoError(
            info.path,
            f"is {info.width}x{info.height}, so a crop of {width}x{height}+{left}+{top} reaches "
            "out of it: give WIDTHxHEIGHT+LEFT+TOP of a part of it.",
        )
    return crop


def _scaled(ref: Video, dis: Video, crop: Crop) -> Crop:
    """The reference's crop in the distorted video's pixels."""
    across = Fraction(dis.info.width, ref.info.width)
    down = Fraction(dis.info.height, ref.info.height)
    parts = [part * factor for part, factor in zip(crop, (across, down, across, down), strict=True)]
    if any(part.denominator != 1 for part in parts):
        raise VideoError(
            dis.info.path,
            f"is {dis.info.width}x{dis.info.height}, where the crop of the reference's "
            f"{ref.info.width}x{ref.info.height} would begin or end inside a pixel: give a crop "
            "whose numbers scale to whole ones.",
        )
    width, height, left, top = (int(part) for part in parts)
    return _checked(dis, (width, height, left, top))


def _split_chroma(videos: tuple[Video, Video], crops: tuple[Crop, Crop]) -> list[Notice]:
    """What to tell where crops begin inside chroma samples, by other parts of the picture."""
    shifts = []
    for video, crop in zip(videos, crops, strict=True):
        info = video.info
        across = 2 if info.chroma in ("420", "422") else 1
        down = 2 if info.chroma == "420" else 1
        size = info.width, info.height
        steps = zip(crop[2:], (across, down), size, strict=True)
        shifts.append([Fraction(start % step, side) for start, step, side in steps])
    if shifts[0] == shifts[1] or any(video.info.chroma == "400" for video in videos):
        return []
    text = (
        f"{videos[1].info.path}: the crop begins inside a chroma sample of one video and not of "
        "the other, so their chroma is compared up to a pixel apart; luma is not: begin it where "
        "columns and rows of both are even."
    )
    return [Notice("chroma", text)]


def _without_bars(
    ref: Video, dis: Video, reopen: tuple[Reopen, Reopen]
) -> tuple[tuple[Crop | None, Crop | None], list[Notice]]:
    """The picture of each side without its black bars."""
    found = [_picture(video, again) for video, again in zip((ref, dis), reopen, strict=True)]
    whole = [(v.info.width, v.info.height, 0, 0) for v in (ref, dis)]
    shapes = [
        Fraction(c[0], c[1]) * v.info.pixel_aspect
        for c, v in zip(
            ((f or w) for f, w in zip(found, whole, strict=True)), (ref, dis), strict=True
        )
    ]
    texts = [_as_text(crop, video) for crop, video in zip(found, (ref, dis), strict=True)]
    if abs(shapes[1] / shapes[0] - 1) > _SAME_PART:
        raise VideoError(
            dis.info.path,
            f"its picture without bars is {texts[1]}, the reference's {texts[0]}, which differ in "
            "shape: give the part to compare with crop='WxH+X+Y'.",
        )
    notices = [
        Notice("cropped", f"{video.info.path}: black bars were cut off; {text} is left.")
        for video, crop, text in zip((ref, dis), found, texts, strict=True)
        if crop is not None
    ]
    return (found[0], found[1]), notices


def _as_text(crop: Crop | None, video: Video) -> str:
    width, height, left, top = crop or (video.info.width, video.info.height, 0, 0)
    return f"{width}x{height}+{left}+{top}"


def _picture(video: Video, again: Reopen) -> Crop | None:
    """Where the picture lies in a file, by frames from all parts of it."""
    info = video.info
    # samples of RGB are converted to limited range for a look
    bars = Bars(info.bit_depth, colors_of(info).range == "pc" and not info.is_rgb)
    count = video.timeline().count or _SHORT
    step = max(1, count // _PLACES)
    places = [range(start, start + min(_RUN, step)) for start in range(0, count, step)]
    with again() as copy:
        for _, luma in picked(copy, places):
            bars.add(luma)
    found = bars.rectangle()
    return None if found is None else (found.width, found.height, found.x, found.y)


def _find_offset(ref: Video, dis: Video, reopen: tuple[Reopen, Reopen]) -> tuple[int, Notice]:
    """The offset in frames, 0 where it is undecided."""
    lines = ref.timeline(), dis.timeline()
    counts = lines[0].count, lines[1].count
    if counts[0] is None or counts[1] is None:
        raise VideoError(
            (ref if counts[0] is None else dis).info.path,
            "does not say how many frames it has, so no offset can be looked for: give "
            "offset=N in frames.",
        )
    windows = plan_windows(counts[0], counts[1], lines[0].rate)
    thumbs = []
    for i, (video, again) in enumerate(zip((ref, dis), reopen, strict=True)):
        wanted = [w.ref if i == 0 else w.dis for w in windows]
        with again() as copy:
            depth = video.info.bit_depth
            thumbs.append({n: thumbnail(y, depth) for n, y in picked(copy, wanted)})
    if any(n not in thumbs[i] for w in windows for i, r in ((0, w.ref), (1, w.dis)) for n in r):
        raise VideoError(
            dis.info.path,
            "no offset can be looked for, as frames of it or of the reference are missing: give "
            "offset=N in frames.",
        )
    known = counts[0], counts[1]
    found = find_offset(thumbs[0], thumbs[1], lines[0].rate, counts=known)
    frames, sentence = found.frames, found.sentence
    if frames is not None:
        better = _better_offset((ref, dis), reopen, checked_frames(windows, frames, known), frames)
        if better is not None:
            frames, sentence = (
                None,
                (
                    f"offset undecided: small pictures say {frames:+d}, whole frames {better:+d}: "
                    "give the right one as offset."
                ),
            )
    return frames or 0, Notice("offset", f"{dis.info.path}: {sentence}")


def _better_offset(
    videos: tuple[Video, Video], reopen: tuple[Reopen, Reopen], numbers: Sequence[int], offset: int
) -> int | None:
    """What whole frames say against an offset, by a few of the distorted video's; or None."""
    ranges = (
        [range(n + offset - 1, n + offset + 2) for n in numbers],
        [range(n, n + 1) for n in numbers],
    )
    planes = []
    for wanted, again in zip(ranges, reopen, strict=True):
        with again() as copy:
            planes.append({n: np.array(y) for n, y in picked(copy, wanted)})
    depths = videos[0].info.bit_depth, videos[1].info.bit_depth
    return better_neighbour(planes[0], planes[1], offset, depths)


def picked(video: Video, ranges: Sequence[range]) -> Iterator[tuple[int, np.ndarray]]:
    """Numbered luma planes of some frames, each once, in order.

    Args:
        video: a video that nothing was read of yet.
        ranges: numbers of frames after the skipped ones.
    """
    timeline, most = video.timeline(), max((r.stop for r in ranges), default=0)
    times = timeline.times
    if times is None or not video.can_seek or most <= _SHORT:
        wanted = {i for r in ranges for i in r}
        for index, shown in enumerate(video.shown()):
            if index in wanted:
                yield index, shown.planes[0]
            if index + 1 >= most:
                return
        return
    index_of = {timeline.start + time: i for i, time in enumerate(times)}
    last = -1
    for part in sorted(ranges, key=lambda r: r.start):
        start = max(part.start, last + 1)
        if start >= part.stop:
            continue
        video.seek(timeline.start + times[start])
        for shown in video.shown():
            index = -1 if shown.time is None else index_of.get(shown.time, -1)
            if start <= index < part.stop:
                yield index, shown.planes[0]
            if index + 1 >= part.stop:
                break
        last = part.stop - 1


def more_alike(
    ref: Video,
    dis: Video,
    reopen: tuple[Reopen, Reopen],
    ways: Sequence[Sequence[tuple[int, int]]],
) -> int | None:
    """Which of two pairings compares pictures that are more alike; None where that is not clear.

    Args:
        ref: the reference.
        dis: the distorted video.
        reopen: opens each file once more.
        ways: of both pairings, numbers of frames that are compared; only where they differ.
    """
    looked = some_of(ways)
    thumbs = []
    for side, (video, again) in enumerate(zip((ref, dis), reopen, strict=True)):
        wanted = sorted({pair[side] for way in looked for pair in way})
        with again() as copy:
            frames = picked(copy, [range(i, i + 1) for i in wanted])
            thumbs.append({n: thumbnail(y, video.info.bit_depth) for n, y in frames})
    return likelier(looked, (thumbs[0], thumbs[1]))


def some_of(ways: Sequence[Sequence[tuple[int, int]]]) -> list[list[tuple[int, int]]]:
    """The pairs that are looked at where two pairings differ."""
    places = range(0, len(ways[0]), max(1, len(ways[0]) // _DOUBTS))
    return [[way[i] for i in places if i < len(way)] for way in ways]


def likelier(
    looked: Sequence[Sequence[tuple[int, int]]], thumbs: tuple[_Thumbs, _Thumbs]
) -> int | None:
    """Which of two pairings has pairs that are more alike; None where that is not clear.

    Args:
        looked: numbers of frames that each pairing compares.
        thumbs: of both videos, by number.
    """
    errors = []
    for way in looked:
        known = [(a, b) for a, b in way if a in thumbs[0] and b in thumbs[1]]
        if not known:
            return None
        squares = [np.square(thumbs[0][a].astype(float) - thumbs[1][b]).mean() for a, b in known]
        errors.append(float(np.mean(squares)) + _FLOOR)
    better = int(errors[1] < errors[0])
    return better if errors[1 - better] > _CLEAR * errors[better] else None
