"""How data set files say that videos are read, as settings of scoring."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jaxvqa._study.dataset_file import Standard
from jaxvqa._study.workfile import Work, Works

Video = Mapping[str, Any]
Size = tuple[int, int]

_ENCODED = "notyuv"
# what raw files hold by funque_plus's standards: videolib reads 4:2:0
_OF_STANDARD = {
    **dict.fromkeys(("sRGB", "rec_709"), "yuv420p"),
    **dict.fromkeys(
        ("sRGB_10", "rec_709_10", "rec_2020", "rec_2100_pq", "rec_2100_hlg"), "yuv420p10le"
    ),
}
_KERNEL = "bicubic"  # the default, here as in libvmaf
KERNELS = ("bilinear", _KERNEL, "lanczos")
_SIDES = ("ref", "dis")
_FORM = re.compile(r"yuv(420|422|444)p(10le|12le|16le)?")
# the options of one filter: a comma would begin another one
_ARGUMENTS = re.compile(r"(?:[\w.:=*/+()' -]|\\,){1,200}")
_FPS = re.compile(r"(?:fps=)?(?:(\d{1,9}(?:\.\d{1,9})?)(?:/(\d{1,9}))?|ntsc|pal|film)(?::.*)?")
_COMMANDS = ("crop", "pad", "fps")


def read_format(shared: Video, ref: Video, dis: Video) -> dict[str, Any]:
    """Settings of `ScoreRequest` and `InputOptions` for one clip.

    What counts more, a name of the file or a key of a video, is as in libvmaf; a video without a
    yuv_fmt is what its standard says, as in funque_plus.

    Args:
        shared: names of the file.
        ref: the reference's dict.
        dis: the distorted video's dict.

    Returns:
        The settings; what both videos pass before they are scored stands under "works", and why
        the clip can't be measured under "unsupported", as text.

    Raises:
        ValueError: a value of the wrong kind, in one sentence.
    """
    _check_stalls(shared, dis)
    asked = _asked(shared, ref, dis)
    problem = _problem(asked)
    if problem is not None:
        found: dict[str, Any] = {"unsupported": problem}
    elif asked.worked:
        # raw video has no times: libvmaf takes frames in turn, until one side ends
        found = {"works": _works(asked), "pair": "index", "on_length_mismatch": "truncate"}
    else:
        found = _direct(asked)
    encoded = [_whole(dis.get(key), key) for key in ("enc_width", "enc_height")]
    if None not in encoded:
        found["encode_size"] = tuple(encoded)
    if (depth := _whole(dis.get("enc_bitdepth"), "enc_bitdepth")) is not None:
        found["encode_bitdepth"] = depth
    return found


def works_of(options: Mapping[str, Any]) -> tuple[Works | None, dict[str, Any]]:
    """What the videos of a clip pass before they are scored, and its other settings."""
    rest = dict(options)
    return rest.pop("works", None), rest


@dataclass(frozen=True)
class _Asked:
    """What a file says of the two videos of a clip, reference first.

    Args:
        formats: yuv_fmt, or None.
        sizes: columns and rows, or None.
        quality: columns and rows to measure at, or None.
        kernels: of the scaler.
        commands: arguments of filters, by the filter.
        target: workfile_yuv_type, or None.
        ranges: first and last frame, or None.
    """

    formats: tuple[str | None, ...]
    sizes: tuple[Size | None, ...]
    quality: Size | None
    kernels: tuple[str, ...]
    commands: tuple[dict[str, str], ...]
    target: str | None
    ranges: tuple[tuple[int, int] | None, ...]

    @property
    def raw(self) -> tuple[bool, ...]:
        """Which sides are files without a header."""
        return tuple(form not in (None, _ENCODED) for form in self.formats)

    @property
    def worked(self) -> bool:
        """Whether the videos have to be converted before they are scored."""
        raw = self.raw
        unlike = all(raw) and (len(set(self.formats)) > 1 or len(set(self.sizes)) > 1)
        converted = self.target is not None and any(f != self.target for f in self.formats)
        mixed = len(set(raw)) > 1 or len(set(self.kernels)) > 1
        return unlike or converted or mixed or any(self.commands)


def _asked(shared: Video, ref: Video, dis: Video) -> _Asked:
    sides = (ref, dis)
    shown = [_whole(_first(key, shared, dis), key) for key in ("quality_width", "quality_height")]
    return _Asked(
        _formats(shared, ref, dis),
        tuple(_size(shared, ref, dis, side) for side in sides),
        None if shown[0] is None or shown[1] is None else (shown[0], shown[1]),
        tuple(_kernel(side, shared, dis) for side in sides),
        tuple(_commands(shared, side) for side in sides),
        _target(shared, dis),
        tuple(_frames(name, side, shared, dis) for name, side in zip(_SIDES, sides, strict=True)),
    )


def _problem(asked: _Asked) -> str | None:
    """Why libvmaf refuses a clip as well, as what is wrong; None where it does not."""
    both = "quality_width and quality_height"
    for command in ("crop", "pad"):
        if asked.quality is None and any(command in given for given in asked.commands):
            return f"{command}_cmd without {both}"
    if asked.quality is None and all(asked.raw) and len(set(asked.sizes)) > 1:
        return f"raw videos of two sizes without {both}"
    if asked.target is None and all(asked.raw) and len(set(asked.formats)) > 1:
        return "raw videos of two formats without workfile_yuv_type"
    sized = zip(asked.raw, asked.sizes, strict=True)
    if asked.worked and any(raw and size is None for raw, size in sized):
        return "raw video without width and height"
    return None


def _works(asked: _Asked) -> Works:
    """What both videos pass; beside raw video the other becomes like it."""
    quality, target = asked.quality, asked.target
    if len(set(asked.raw)) > 1:
        known = asked.raw.index(True)
        quality, target = quality or asked.sizes[known], target or asked.formats[known]
    made = []
    for side, raw in enumerate(asked.raw):
        form, size = asked.formats[side], asked.sizes[side]
        made.append(
            Work(
                (*size, form) if raw and size and form else None,
                asked.ranges[side],
                _filters(asked.commands[side], quality, asked.kernels[side]),
                target,
            )
        )
    return made[0], made[1]


def _direct(asked: _Asked) -> dict[str, Any]:
    """Settings of a clip that is scored from its own files."""
    found: dict[str, Any] = {}
    if all(asked.raw) and asked.sizes[0] is not None:
        width, height = asked.sizes[0]
        found |= {"width": width, "height": height, "pixel_format": asked.formats[0]}
    if asked.quality is not None:
        found["scale"] = asked.quality
    if asked.kernels[0] != _KERNEL:
        found["kernel"] = asked.kernels[0]
    kept = [last - first + 1 for first, last in filter(None, asked.ranges)]
    if kept:
        found |= {
            f"skip_{side}": part[0]
            for side, part in zip(_SIDES, asked.ranges, strict=True)
            if part and part[0]
        }
        found |= {"frame_count": min(kept), "pair": "index"}
    return found


def _filters(
    commands: Mapping[str, str], quality: Size | None, kernel: str
) -> tuple[tuple[str, str], ...]:
    """The filters of one side in the order of libvmaf's `Executor`."""
    scale = () if quality is None else (("scale", f"{quality[0]}:{quality[1]}:flags={kernel}"),)
    return (
        *((name, commands[name]) for name in ("crop", "pad") if name in commands),
        *scale,
        *((name, commands[name]) for name in ("fps",) if name in commands),
    )


def _first(key: str, *sources: Video) -> Any:
    return next((one[key] for one in sources if one.get(key) is not None), None)


def _kernel(side: Video, shared: Video, dis: Video) -> str:
    kernel = _text(_first("resampling_type", side, shared, dis), "resampling_type") or _KERNEL
    if kernel not in KERNELS:
        raise ValueError(f"resampling_type must be one of {', '.join(KERNELS)}.")
    return kernel


def _target(shared: Video, dis: Video) -> str | None:
    key = "workfile_yuv_type"
    target = _text(_first(key, shared, dis), key)
    if target is not None and not _FORM.fullmatch(target):
        raise ValueError(f"{key} must be a raw format such as yuv420p or yuv422p10le.")
    return target


def _commands(shared: Video, side: Video) -> dict[str, str]:
    """Arguments of the filters that a side is to pass, by the filter's name."""
    found = {}
    for name in _COMMANDS:
        key = f"{name}_cmd"
        given = _text(_first(key, shared, side), key)
        if given is not None:
            if not _ARGUMENTS.fullmatch(given) or (name == "fps" and not _is_rate(given)):
                raise ValueError(
                    f"{key} must be the options of FFmpeg's filter {name} alone, such as "
                    f"{'30' if name == 'fps' else '640:360:0:60'}."
                )
            found[name] = given
    return found


def _is_rate(arguments: str) -> bool:
    """Whether the filter fps is given a rate of up to 1000 frames per second."""
    found = _FPS.fullmatch(arguments)
    if found is None:
        return False
    if found[1] is None:
        return True  # one of FFmpeg's names
    over = float(found[2] or 1)
    return 0 < float(found[1]) <= 1000 * over


def _frames(name: str, side: Video, shared: Video, dis: Video) -> tuple[int, int] | None:
    """First and last frame of a side, or None for all; what counts more is as in libvmaf."""
    own = (f"{name}_start_frame", f"{name}_end_frame")
    found = _pair(own, [side.get(key) for key in own], _index)
    if found is None:
        keys = ("start_frame", "end_frame")
        found = _pair(keys, [_first(key, shared, dis) for key in keys], _index)
    if found is None:
        found = _by_seconds(shared, dis)
    if found is not None and found[1] < found[0]:
        raise ValueError(f"the frames of {name} end at {found[1]}, before they start.")
    return found


def _by_seconds(shared: Video, dis: Video) -> tuple[int, int] | None:
    keys = ("start_sec", "end_sec")
    seconds = _pair(keys, [_first(key, shared, dis) for key in keys], _seconds)
    duration, rate = (_first(key, shared, dis) for key in ("duration_sec", "fps"))
    if rate is not None:
        _rate(rate)
    if seconds is None and duration is not None:
        seconds = 0.0, _seconds(duration, "duration_sec")
        if rate is None:
            return None  # libvmaf needs the rate to count frames, and takes all without it
    if seconds is None:
        return None
    if rate is None:
        raise ValueError("start_sec and end_sec need fps, to be counted in frames.")
    first, end = (round(float(second) * rate) for second in seconds)
    return first, end - 1


def _pair(keys: tuple[str, str], values: list[Any], parse: Any) -> tuple[Any, Any] | None:
    """Start and end, or None where neither is there."""
    if values == [None, None]:
        return None
    for key, other, value in zip(keys, reversed(keys), values, strict=True):
        if value is None:
            raise ValueError(f"{other} needs {key} as well.")
    return parse(values[0], keys[0]), parse(values[1], keys[1])


def _index(value: Any, key: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"{key} must be a whole number of at least 0.")
    return value


def _seconds(value: Any, key: str) -> float:
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 <= value < 1e6:
        raise ValueError(f"{key} must be a number of at least 0.")
    return value


def _rate(value: Any) -> None:
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 < value < 1e6:
        raise ValueError("fps must be a number above 0.")


def _check_stalls(shared: Video, dis: Video) -> None:
    """Frames at which playing stopped change no score, here as in libvmaf."""
    stalls = dis.get("rebuf_indices")
    if stalls is not None:
        if not isinstance(stalls, (list, tuple)):
            raise ValueError("rebuf_indices must be a list of whole numbers of at least 0.")
        for index in stalls:
            _index(index, "rebuf_indices")


def _formats(shared: Video, ref: Video, dis: Video) -> tuple[str | None, str | None]:
    first = _text(_first("yuv_fmt", shared, ref), "yuv_fmt")
    second = _text(_first("yuv_fmt", dis), "yuv_fmt") or first
    if second is None:
        return _by_standard("ref_standard", shared, ref), _by_standard("dis_standard", shared, dis)
    return first or second, second


def _by_standard(key: str, shared: Video, video: Video) -> str | None:
    standard = video.get("standard", shared.get(key))
    if not isinstance(standard, Standard):
        return None
    raw = str(video.get("path", "")).lower().endswith(".yuv")
    return _OF_STANDARD.get(standard.name) if raw else _ENCODED


def _size(shared: Video, ref: Video, dis: Video, side: Video) -> tuple[int, int] | None:
    """Columns and rows of one side: its own, else those of the file, else the other's."""
    found = [_whole(_first(key, side, shared, ref, dis), key) for key in ("width", "height")]
    return None if found[0] is None or found[1] is None else (found[0], found[1])


def _whole(value: Any, key: str) -> int | None:
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError(f"{key} must be a whole number of at least 1.")
    return value


def _text(value: Any, key: str) -> str | None:
    if value is not None and not isinstance(value, str):
        raise ValueError(f"{key} must be text.")
    return value
