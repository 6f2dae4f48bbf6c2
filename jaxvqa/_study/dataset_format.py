"""How data set files say that videos are read, as settings of scoring."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jaxvqa._study.dataset_file import Standard

Video = Mapping[str, Any]

# libvmaf's processing that has no equal here, so that numbers would differ silently
_UNKNOWN = (
    "crop_cmd", "pad_cmd", "fps_cmd", "rebuf_indices",
    "duration_sec", "start_frame", "end_frame", "dis_start_frame", "dis_end_frame",
    "ref_start_frame", "ref_end_frame",
)  # fmt: skip
_ENCODED = "notyuv"
_WORKFILE = "yuv420p"  # libvmaf's default, which changes nothing on 8-bit 4:2:0 video
# what raw files hold by funque_plus's standards: videolib reads 4:2:0
_OF_STANDARD = {
    **dict.fromkeys(("sRGB", "rec_709"), "yuv420p"),
    **dict.fromkeys(
        ("sRGB_10", "rec_709_10", "rec_2020", "rec_2100_pq", "rec_2100_hlg"), "yuv420p10le"
    ),
}
_KERNEL = "bicubic"  # the default, here as in libvmaf
KERNELS = ("bilinear", _KERNEL, "lanczos")


def read_format(shared: Video, ref: Video, dis: Video) -> dict[str, Any]:
    """Settings of `ScoreRequest` and `InputOptions` for one clip.

    What counts more, a name of the file or a key of a video, is as in libvmaf; a video without a
    yuv_fmt is what its standard says, as in funque_plus.

    Args:
        shared: names of the file.
        ref: the reference's dict.
        dis: the distorted video's dict.

    Returns:
        The settings; what can't be done as libvmaf does it stands under "unsupported", as text.

    Raises:
        ValueError: a value of the wrong kind, in one sentence.
    """
    found: dict[str, Any] = {}
    merged = {**shared, **ref, **dis}
    unknown = [key for key in _UNKNOWN if merged.get(key) is not None]
    formats = _formats(shared, ref, dis)
    sizes = [_size(shared, ref, dis, side) for side in (ref, dis)]
    if formats[0] != formats[1]:
        unknown.append("another yuv_fmt for the reference than for the distorted video")
    elif formats[0] not in (None, _ENCODED):
        if sizes[0] != sizes[1]:
            unknown.append("raw videos of two sizes")
        elif sizes[0] is not None:
            width, height = sizes[0]
            found |= {"width": width, "height": height, "pixel_format": formats[0]}
    shown = [_whole(_first(key, shared, dis), key) for key in ("quality_width", "quality_height")]
    if None not in shown:
        found["scale"] = tuple(shown)
    kernels = [
        _text(_first("resampling_type", side, shared, dis), "resampling_type") or _KERNEL
        for side in (ref, dis)
    ]
    for kernel in kernels:
        if kernel not in KERNELS:
            raise ValueError(f"resampling_type must be one of {', '.join(KERNELS)}.")
    if kernels[0] != kernels[1]:
        unknown.append("two resampling_types")
    elif kernels[0] != _KERNEL:
        found["kernel"] = kernels[0]
    work = _text(_first("workfile_yuv_type", shared, dis), "workfile_yuv_type")
    if work not in (None, _WORKFILE, formats[0]):
        unknown.append(f"the workfile_yuv_type {work[:20]}")
    encoded = [_whole(dis.get(key), key) for key in ("enc_width", "enc_height")]
    if None not in encoded:
        found["encode_size"] = tuple(encoded)
    if (depth := _whole(dis.get("enc_bitdepth"), "enc_bitdepth")) is not None:
        found["encode_bitdepth"] = depth
    if unknown:
        found["unsupported"] = ", ".join(unknown)
    return found


def _first(key: str, *sources: Video) -> Any:
    return next((one[key] for one in sources if one.get(key) is not None), None)


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
