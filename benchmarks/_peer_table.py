"""What an assertion of libvmaf's Python tests asks for: a request, its series, a statistic."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import _vmaf_2014
import numpy as np
from _report import Problem

from jaxvqa.report._numbers import format_number

# features of the extractors; options of the test are appended
EXTRACTORS = {
    "SpeedChromaFeatureExtractor": "speed_chroma",
    "FloatVifFeatureExtractor": "float_vif",
    "FloatAdmFeatureExtractor": "float_adm",
    "IntegerVifFeatureExtractor": "vif",
    "IntegerAdmFeatureExtractor": "adm",
    "IntegerMotionFeatureExtractor": "motion",
    "IntegerPsnrFeatureExtractor": "psnr",
}
# keys of the model of 2014
LEGACY = ("VMAF_legacy_score", "VMAF_legacy_scores")
# options of runners that score with models; each of the last row is a feature beside the model
MODEL_OPTIONS = {
    "models", "model_filepath", "disable_clip_score", "enable_transform_score",
    "disable_enhn_gain", "adm_enhn_gain_limit", "vif_enhn_gain_limit",
}  # fmt: skip
BESIDE = ("float_psnr", "float_ssim", "float_ms_ssim", "float_moment", "psnr")
# options that change no value
NO_MATTER = {"n_threads", "disable_avx"}
STATISTICS: dict[str, Callable[..., Any]] = {
    "mean": np.mean,
    "min": np.min,
    "max": np.max,
    "median": np.median,
    "std": np.std,
    "var": np.var,
    "total_variation": lambda series: np.abs(np.diff(series)).mean(),
}


@dataclass(frozen=True)
class Wanted:
    """What to run for an assertion, and which series holds its value."""

    models: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    names: tuple[str, ...] = field(default=(), compare=False)


def feature(name: str, options: dict[str, Any]) -> str:
    """A feature with options as libvmaf writes it."""
    texts = (f"{k}={str(v).lower() if isinstance(v, bool) else v}" for k, v in options.items())
    return "=".join(filter(None, (name, ":".join(texts))))


def each_with_its_own(options: dict[str, Any], metrics: dict[str, bool]) -> tuple[str, ...]:
    """Several features; an option belongs to the one that its name begins with.

    Raises:
        Problem: an option of none.
    """
    left, found = dict(options), []
    for name, has_parts in metrics.items():
        prefix = name.removeprefix("float_") + "_"
        own = {key: left.pop(key) for key in options if key.startswith(prefix)}
        found.append(feature(name, own | ({"debug": True} if has_parts else {})))
    if left:
        raise Problem(f"no feature has an option {', '.join(left)}")
    return tuple(found)


def model_text(row: dict, folder: Path) -> str:
    """The model of a quality runner as libvmaf's `--model` takes it."""
    options, neg = row["options"], row["runner"] == "VmafnegQualityRunner"
    if "models" in options:
        return in_folder(options["models"][0], folder)
    version = "vmaf_v0.6.1neg" if neg or options.get("disable_enhn_gain") else "vmaf_v0.6.1"
    path = options.get("model_filepath")
    text = f"path={in_folder(path, folder)}" if path else f"version={version}"
    text += ":name=vmaf"
    text += ":disable_clip" if neg or options.get("disable_clip_score") else ""
    text += ":enable_transform" if options.get("enable_transform_score") else ""
    kind = "float_" if path and "float" in path else ""
    for metric in ("adm", "vif"):
        name = f"{metric}_enhn_gain_limit"
        text += f":{kind}{metric}.{name}={options[name]}" if name in options else ""
    return text


def in_folder(text: str, folder: Path) -> str:
    """A text with the paths of a checkout of libvmaf in another folder."""
    return re.sub(r"(/[^:=]*?/)((?:model|python)/)", rf"{folder}/\2", text, count=1)


def wanted(row: dict, folder: Path, encoded: dict[str, tuple[str, str]]) -> Wanted:
    """The request and the names under which a result has the value."""
    runner, options, names = row["runner"], row["options"], tuple(row["tool_names"] or ())
    if runner == "MomentFeatureExtractor":
        return Wanted(features=("float_moment",))
    if runner.startswith("PyPsnr"):
        planes = {"y": "psnr_y", "u": "psnr_cb", "v": "psnr_cr"}
        plane = re.search(r"psnr([yuv])_", row["key"])
        return Wanted(features=("psnr",), names=(planes[plane[1]],) if plane else ())
    if runner.startswith("Cambi"):
        given = encode_of(names[0]) if "_enc" in names[0] else {}
        if not given and row["dis"] in encoded and "scale" in row["test"]:
            given = dict(zip(("enc_height", "enc_width"), encoded[row["dis"]], strict=True))
        short = re.sub(r"_encbd_\d+|_ench_\d+_encw_\d+", "", names[0])
        size = "_ench_{enc_height}_encw_{enc_width}".format(**given) if "enc_width" in given else ""
        names = (*names, short, short + size)
        return Wanted(features=(feature("cambi", {**options, **given}),), names=names)
    if runner == "SsimFeatureExtractor":
        return Wanted(features=("float_ssim=enable_lcs=true",), names=names)
    if runner in EXTRACTORS:
        return Wanted(features=(feature(EXTRACTORS[runner], options),), names=names)
    if runner == "VmafIntegerFeatureExtractor":
        features = each_with_its_own(options, {"vif": True, "adm": True, "motion": True})
        return Wanted(features=features, names=names)
    if runner in ("VmafFeatureExtractor", "VmafLegacyQualityRunner"):
        metrics = {"float_vif": True, "float_adm": True, "float_motion": False}
        features = (*each_with_its_own(options, metrics), "float_ansnr")
        float_names = tuple(n if n != "ansnr" else "float_ansnr" for n in names)
        return Wanted(features=features, names=float_names)
    unknown = sorted(options.keys() - MODEL_OPTIONS - set(BESIDE) - NO_MATTER)
    if unknown:
        raise Problem(f"{runner} has options that are not understood: {', '.join(unknown)}")
    others = tuple(name for name in BESIDE if options.get(name))
    if not names or names == ("vmaf",) or "vmat" in names:
        names = ("vmaf", "vmat", *names)
    if row["statistic"].startswith("mean of member"):
        names = (f"vmaf{names[-1][-5:]}",)
    if runner == "BootstrapVmafQualityRunner":
        return Wanted(
            (f"path={in_folder(options['model_filepath'], folder)}:name=vmaf",), (), names
        )
    return Wanted((model_text(row, folder),), others, names)


def encode_of(name: str) -> dict[str, str]:
    """CAMBI's options that an output's name tells."""
    known = {
        "enc_bitdepth": r"encbd_(\d+)",
        "enc_height": r"ench_(\d+)",
        "enc_width": r"encw_(\d+)",
    }
    found = {option: re.search(pattern, name) for option, pattern in known.items()}
    return {option: match[1] for option, match in found.items() if match}


def series_of(
    row: dict, frames: dict[str, np.ndarray], names: Iterable[str], folder: Path, *, rounded: bool
) -> np.ndarray | None:
    """The series of a result that an assertion is on, or None if it has no such series.

    Args:
        row: the assertion.
        frames: all series of the result.
        names: which of them may have it.
        folder: a checkout of libvmaf.
        rounded: as the tool prints values, which the tests read.
    """

    def printed(name: str) -> np.ndarray:
        if not rounded:
            return np.asarray(frames[name], np.float64)
        return np.array([float(format_number(float(x)) or "nan") for x in frames[name]])

    if row["runner"] == "MomentFeatureExtractor":
        side, what = re.findall(r"feature_(ref|dis)(1st|2nd|var)_", row["key"])[0]
        first, second = (frames[f"float_moment_{side}{n}"] for n in ("1st", "2nd"))
        # the tests' own code, which prints nothing; it has code values, libvmaf the scale of 8 bits
        scale = 2.0 ** (depth_of(row) - 8)
        series = {"1st": first * scale, "2nd": second * scale**2}
        series["var"] = series["2nd"] - series["1st"] ** 2
        series = series[what]
    elif "integer_adm" in names and "integer_adm_num" in frames:
        series = printed("integer_adm_num") / printed("integer_adm_den")
    elif row["key"] in LEGACY:
        if not frames.keys() >= _vmaf_2014.RANGES.keys():
            return None
        series = _vmaf_2014.scores({name: printed(name) for name in _vmaf_2014.RANGES}, folder)
    else:
        limited = (f for n in names for f in frames if f.startswith(f"{n}_egl_"))
        name = next((name for name in (*names, *limited) if name in frames), None)
        if name is None:
            return None
        series = printed(name)
    if row["runner"].startswith("PyPsnr"):
        cap = 100.0 if "maxdb100" in row["key"] else row["options"].get("max_db", np.inf)
        series = np.minimum(series, cap)
    return series


def moving_average(series: np.ndarray, frames: int) -> float:
    """What libvmaf's `ListStats.moving_average` gives for each frame of a clip of `frames + 1`.

    Weights grow by e from one end of the window to the other, the largest for the earliest frame;
    frames without a whole window have the value of the first one that comes after them.

    Raises:
        Problem: a longer clip, which has several values.
    """
    if len(series) != frames + 1:
        raise Problem(f"a moving average over {frames} of {len(series)} frames is no one number")
    weights = np.exp(np.linspace(-1.0, 0.0, frames))
    return float(series[:0:-1] @ weights / weights.sum())


def statistic_of(series: np.ndarray, text: str) -> float:
    """A statistic by the table's name of it.

    Raises:
        Problem: one that is not known.
    """
    frame = re.fullmatch(r"frame (\d+)", text)
    if frame:
        return float(series[int(frame[1])])
    share = re.fullmatch(r"percentile\W*q=(\d+)\W*", text)
    if share:
        return float(np.percentile(series, int(share[1])))
    window = re.fullmatch(r"moving_average\W*n=(\d+)\W*", text)
    if window:
        return moving_average(series, int(window[1]))
    name = "mean" if text.startswith("mean of member") else text  # the name has the member
    if name not in STATISTICS:
        raise Problem(f"the statistic {text!r} is not known")
    return float(STATISTICS[name](series))


def depth_of(row: dict) -> int:
    """Bits per sample of the clips."""
    found = re.search(r"p(\d+)le", row["pix_fmt"])
    return int(found[1]) if found else 8


def passes(row: dict, value: float) -> bool:
    """As unittest compares."""
    return round(abs(value - row["expected"]), row["places"]) == 0
