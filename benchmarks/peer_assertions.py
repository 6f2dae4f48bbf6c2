"""What do libvmaf's own Python tests assert, and does jaxvqa pass?

TABLE is a JSON list of assertions (`ref`, `dis`, `w`, `h`, `pix_fmt`, `runner`, `options`, `key`,
`tool_names`, `statistic`, `expected`, `places`), DIR a folder with the clips and an `index.json`
that says where each is (`{name: {"path": ...}}`). Neither ships: the clips are Netflix'. Values are
rounded per frame as the tool prints them, since the tests read its output files, and pass if they
equal the expected ones to `places` decimals, as unittest's `assertAlmostEqual` has it.

With `--libvmaf`, what fails is run through the tool as well, and the float metrics once more in
float64. It is explained if the tool no longer gives the expected value either and ours is as near
to the tool's as `TOLERANCES` say, or if ours is nearer to float64 than the tool's.

    python benchmarks/peer_assertions.py TABLE DIR --models VMAF_CHECKOUT --libvmaf vmaf
"""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from _report import Column, Report, devices, parser
from float64 import in_float64 as float64_scores

import jaxvqa
from jaxvqa.report._numbers import format_number

COLUMNS = (
    Column("what", "runner", "s", 32),
    Column("passed", "pass", "d", 6),
    Column("explained", "explained", "d", 10),
    Column("failed", "fail", "d", 6),
    Column("unlike", "not ours", "d", 9),
)
# what jaxvqa does not have, and why
UNLIKE = {
    "NiqeQualityRunner": "NIQE has no reference; it is Python code beside libvmaf",
    "VMAF_legacy_score": "the model of 2014 is Python code beside libvmaf",
}
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
# agreement with the tool's printed values, by the beginning of a name; see docs/metrics.md
TOLERANCES = {"motion": 2e-4, "vmaf": 1e-3, "vmat": 1e-3, "adm3_egl": 2e-6, "adm_den": 1e-2}


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
        motion = {k: v for k, v in options.items() if k.startswith("motion")}
        motion = feature("motion", {**motion, "debug": True})
        return Wanted(features=("vif=debug=true", "adm=debug=true", motion), names=names)
    if runner in ("VmafFeatureExtractor", "VmafLegacyQualityRunner"):
        float_names = tuple(n if n != "ansnr" else "float_ansnr" for n in names)
        features = ("float_vif=debug=true", "float_adm=debug=true", "float_motion", "float_ansnr")
        return Wanted(features=features, names=float_names)
    others = tuple(
        name for name in ("float_psnr", "float_ssim", "float_ms_ssim") if options.get(name)
    )
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


def value_of(row: dict, frames: dict[str, np.ndarray], names: Iterable[str]) -> float | None:
    """The asserted statistic of a result, or None if it has no such series."""

    def printed(name: str) -> np.ndarray:
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
    else:
        limited = (f for n in names for f in frames if f.startswith(f"{n}_egl_"))
        name = next((name for name in (*names, *limited) if name in frames), None)
        if name is None:
            return None
        series = printed(name)
    if row["runner"].startswith("PyPsnr"):
        cap = 100.0 if "maxdb100" in row["key"] else row["options"].get("max_db", np.inf)
        series = np.minimum(series, cap)
    statistic = row["statistic"]
    return float(series[int(statistic.split()[1])] if "frame" in statistic else series.mean())


def depth_of(row: dict) -> int:
    """Bits per sample of the clips."""
    found = re.search(r"p(\d+)le", row["pix_fmt"])
    return int(found[1]) if found else 8


def passes(row: dict, value: float) -> bool:
    """As unittest compares."""
    return round(abs(value - row["expected"]), row["places"]) == 0


def of_tool(program: str, row: dict, request: Wanted, clips: tuple[str, str]) -> dict:
    """The series that libvmaf's program gives for the same request."""
    form = {"yuv420p": "420", "yuv422p": "422", "yuv444p": "444"}[row["pix_fmt"].split("1")[0]]
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "out.json"
        command = [program, "-r", clips[0], "-d", clips[1], "-w", row["w"], "-h", row["h"]]
        command += ["-p", form, "-b", depth_of(row), "--json", "-o", output, "-q"]
        for model in request.models:
            command += ["-m", model]
        for text in request.features:
            command += ["--feature", text]
        command += [] if request.models else ["--no_prediction"]
        done = subprocess.run([str(x) for x in command], capture_output=True, text=True)
        if done.returncode:
            return {}
        frames = json.loads(output.read_text())["frames"]
    names = frames[0]["metrics"]
    return {n: np.array([f["metrics"].get(n) for f in frames], float) for n in names}


class Runner:
    """Judges assertions; equal requests run once.

    Args:
        arguments: of the command line.
        table: all rows.
    """

    def __init__(self, arguments: Any, table: list[dict]) -> None:
        self._arguments = arguments
        self._index = json.loads((arguments.dir / "index.json").read_text())
        sizes: dict[str, set[tuple[str, str]]] = {}
        for row in table:
            for height, width in re.findall(r"ench_(\d+)_encw_(\d+)", str(row["tool_names"])):
                sizes.setdefault(row["dis"], set()).add((height, width))
        self._encoded = {name: next(iter(s)) for name, s in sizes.items() if len(s) == 1}
        self._ours: dict[Any, Any] = {}
        self._tools: dict[Any, Any] = {}
        self._exact: dict[Any, Any] = {}

    def judge(self, row: dict) -> tuple[str, str]:
        """`passed`, `explained`, `failed` or `unlike`, and a sentence."""
        for kind in (row["runner"], row["key"]):
            if kind in UNLIKE:
                return "unlike", UNLIKE[kind]
        if row["ref"] not in self._index or row["dis"] not in self._index:
            return "unlike", "the clip is missing"
        request = wanted(row, self._arguments.models, self._encoded)
        clips = self._index[row["ref"]]["path"], self._index[row["dis"]]["path"]
        key = (clips, row["pix_fmt"], request)
        if key not in self._ours:
            self._ours[key] = score(row, request, clips)
        value = value_of(row, self._ours[key], request.names)
        if value is None:
            return "failed", f"no {row['tool_names']} in {list(self._ours[key])}"
        if passes(row, value):
            return "passed", ""
        said = f"{row['key']} {row['expected']}, ours {value:.9g}, {row['places']} places"
        if self._arguments.libvmaf is None:
            return "failed", said
        if key not in self._tools:
            self._tools[key] = of_tool(self._arguments.libvmaf, row, request, clips)
        told = value_of(row, self._tools[key], request.names)
        if told is None:
            return "failed", f"{said}; the tool has no such value"
        name = next(iter(request.names), "").removeprefix("integer_")
        near = next((t for n, t in TOLERANCES.items() if name.startswith(n)), 1e-6 * abs(told))
        said += f"; the tool {told:.9g}"
        if not passes(row, told) and abs(told - value) <= near:
            return "explained", said
        if key not in self._exact:
            self._exact[key] = in_float64(row, request, clips)
        exact = value_of(row, self._exact[key], request.names)
        if exact is None:
            return "failed", said
        better = abs(value - exact) < abs(told - exact)
        return "explained" if better else "failed", f"{said}, float64 {exact:.9g}"


def score(row: dict, request: Wanted, clips: tuple[str, str]) -> dict[str, np.ndarray]:
    """The series of jaxvqa."""
    result = jaxvqa.score(
        *clips, model=list(request.models) or None, features=list(request.features),
        width=row["w"], height=row["h"], pixel_format=row["pix_fmt"],
    )  # fmt: skip
    return result.frames


def in_float64(row: dict, request: Wanted, clips: tuple[str, str]) -> dict[str, np.ndarray]:
    """The series of jaxvqa from luma in float64; none where a metric wants whole codes."""
    depth, (width, height) = depth_of(row), (row["w"], row["h"])
    samples = {"420": 3 / 2, "422": 2, "444": 3}[row["pix_fmt"][3:6]] * width * height
    luma = []
    for path in clips:
        codes = np.fromfile(path, np.uint8 if depth == 8 else np.uint16)
        frames = codes.reshape(-1, int(samples))[:, : width * height]
        luma.append(frames.reshape(-1, height, width))
    wanted = {"model": list(request.models) or None, "features": list(request.features)}
    try:
        return float64_scores(luma, depth, **wanted)
    except (TypeError, ValueError):
        return {}


def main() -> None:
    """Prints what failed or is explained, and a count for each runner."""
    options = parser(__doc__)
    options.add_argument("table", type=Path, help="the assertions, JSON")
    options.add_argument("dir", type=Path, help="folder with index.json")
    options.add_argument("--models", type=Path, default=".", help="a checkout of Netflix/vmaf")
    options.add_argument("--libvmaf", metavar="PROGRAM", help="libvmaf's vmaf")
    options.add_argument("--only", default="", help="regular expression on tests and keys")
    arguments = options.parse_args()
    table = json.loads(arguments.table.read_text())
    runner, counts, told = Runner(arguments, table), {}, Counter()
    for row in table:
        if not re.search(arguments.only, f"{row['test']} {row['key']}"):
            continue
        verdict, said = runner.judge(row)
        counts.setdefault(row["runner"], Counter())[verdict] += 1
        if said and not told[verdict, said]:
            print(f"{verdict}: {said}", flush=True)
        told[verdict, said] += 1
    report = Report("peer_assertions", f"{arguments.table.name}", COLUMNS, arguments, devices(), "")
    counts = {**dict(sorted(counts.items())), "all": sum(counts.values(), Counter())}
    for name, count in counts.items():
        report.add(what=name, **{c.key: count[c.key] for c in COLUMNS[1:]})
    report.save()


if __name__ == "__main__":
    main()
