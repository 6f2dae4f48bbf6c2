"""What do libvmaf's own Python tests assert, and does jaxvqa pass?

TABLE is a JSON list of assertions (`ref`, `dis`, `w`, `h`, `pix_fmt`, `runner`, `options`, `key`,
`tool_names`, `statistic`, `expected`, `places`), DIR a folder with the clips and an `index.json`
that says where each is (`{name: {"path": ...}}`). Neither ships: the clips are Netflix'. Values are
rounded per frame as the tool prints them, since the tests read its output files, and pass if they
equal the expected ones to `places` decimals, as unittest's `assertAlmostEqual` has it.

With `--libvmaf`, what fails is run through the tool (in plain C) as well, and the float metrics
once more in float64. It is explained if the tool no longer gives the expected value either and ours
is as near to the tool's as `TOLERANCES` say, or if ours is nearer to float64 than the tool's in the
worst frame of each.

    python benchmarks/peer_assertions.py TABLE DIR --models VMAF_CHECKOUT --libvmaf vmaf
"""

from __future__ import annotations

import functools
import json
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from _peer_table import LEGACY, Wanted, depth_of, passes, series_of, statistic_of, wanted
from _report import Column, Problem, Report, devices, parser
from float64 import in_float64 as float64_scores
from versus import Peer

import jaxvqa

COLUMNS = (
    Column("what", "runner", "s", 32),
    Column("passed", "pass", "d", 6),
    Column("explained", "explained", "d", 10),
    Column("failed", "fail", "d", 6),
    Column("unlike", "not ours", "d", 9),
)
# what jaxvqa does not have, and why
UNLIKE = {"NiqeQualityRunner": "NIQE has no reference; it is Python code beside libvmaf"}
# agreement with the tool's printed values, by the beginning of a name; see docs/metrics.md
TOLERANCES = {"motion": 2e-4, "vmaf": 1e-3, "vmat": 1e-3, "adm3_egl": 2e-6, "adm_den": 1e-2}


def of_tool(program: str, row: dict, request: Wanted, clips: tuple[str, ...]) -> dict:
    """The series that libvmaf's program gives for the same request."""
    form = {"yuv420p": "420", "yuv422p": "422", "yuv444p": "444"}[row["pix_fmt"].split("1")[0]]
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "out.json"
        command = [program, "-r", clips[0], "-d", clips[1], "-w", row["w"], "-h", row["h"]]
        command += ["-p", form, "-b", depth_of(row), "--json", "-o", output, "-q"]
        command += ["--cpumask", -1]  # plain C
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


@dataclass(frozen=True)
class Finding:
    """How an assertion ends; values of what does not pass.

    Args:
        verdict: `passed`, `explained`, `failed` or `unlike`.
        said: why, if that is not in the numbers.
        ours: value of jaxvqa, not rounded.
        tool: of libvmaf's program.
        exact: of jaxvqa in float64.
    """

    verdict: str
    said: str = ""
    ours: float | None = None
    tool: float | None = None
    exact: float | None = None


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
        self._tool = functools.partial(of_tool, arguments.libvmaf) if arguments.libvmaf else None
        self._results: dict[Any, dict[str, np.ndarray]] = {}

    def _series(
        self, measure: Callable[..., Any], row: dict, request: Wanted, *, rounded: bool = False
    ) -> np.ndarray | None:
        """What is asserted, as `measure` has it; None if it does not have it."""
        clips = tuple(self._index[row[side]]["path"] for side in ("ref", "dis"))
        key = (measure, clips, row["pix_fmt"], request)
        if key not in self._results:
            self._results[key] = measure(row, request, clips)
        folder = self._arguments.models
        return series_of(row, self._results[key], request.names, folder, rounded=rounded)

    def judge(self, row: dict) -> Finding:
        """How an assertion ends."""
        if row["runner"] in UNLIKE:
            return Finding("unlike", UNLIKE[row["runner"]])
        if row["ref"] not in self._index or row["dis"] not in self._index:
            return Finding("unlike", "the clip is missing")
        try:
            return self._compared(row, wanted(row, self._arguments.models, self._encoded))
        except Problem as problem:
            return Finding("failed", str(problem))

    def _compared(self, row: dict, request: Wanted) -> Finding:
        printed = self._series(score, row, request, rounded=True)
        if printed is None:
            return Finding("failed", f"no {row['tool_names']} in what is measured")
        if passes(row, statistic_of(printed, row["statistic"])):
            return Finding("passed")
        sides = [score, *([self._tool] if self._tool else []), in_float64]
        found = [self._series(side, row, request) for side in sides]
        values = [None if x is None else statistic_of(x, row["statistic"]) for x in found]
        if self._tool is None:
            return Finding("failed", "", values[0], exact=values[1])
        (ours, tool, exact), (value, told, _) = found, values
        if tool is None:
            return Finding("failed", "the tool has no such value", value, exact=values[2])
        name = next(iter(request.names), "").removeprefix("integer_")
        near = next((t for n, t in TOLERANCES.items() if name.startswith(n)), 1e-6 * abs(told))
        as_the_tool = not passes(row, told) and abs(told - value) <= near
        nearer = exact is not None and abs(ours - exact).max() < abs(tool - exact).max()
        return Finding("explained" if as_the_tool or nearer else "failed", "", *values)


def score(row: dict, request: Wanted, clips: tuple[str, ...]) -> dict[str, np.ndarray]:
    """The series of jaxvqa."""
    result = jaxvqa.score(
        *clips, model=list(request.models) or None, features=list(request.features),
        width=row["w"], height=row["h"], pixel_format=row["pix_fmt"],
    )  # fmt: skip
    return result.frames


def in_float64(row: dict, request: Wanted, clips: tuple[str, ...]) -> dict[str, np.ndarray]:
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


def line_of(row: dict, found: Finding, models: Iterable[str]) -> dict[str, Any]:
    """What the pages show of an assertion that does not pass."""
    what = (row["tool_names"] or [row["key"]])[0].removeprefix("integer_")
    what = "VMAF of 2014" if row["key"] in LEGACY else what
    named = [re.split(r"[:=/]", text.split(":name=")[0])[-1] for text in models]
    numbers = {"expected": row["expected"]} | {
        key: getattr(found, key) for key in ("ours", "tool", "exact")
    }
    texts = {key: "" if x is None else f"{x:.9g}" for key, x in numbers.items()}
    return {
        "what": ", ".join([what, *(name.removesuffix(".json") for name in named)]),
        "statistic": row["statistic"],
        "places": row["places"],
        **texts,
        "verdict": found.verdict,
        "said": found.said,
    }


def main() -> None:
    """Prints what does not pass, and a count for each runner."""
    options = parser(__doc__)
    options.add_argument("table", type=Path, help="the assertions, JSON")
    options.add_argument("dir", type=Path, help="folder with index.json")
    options.add_argument("--models", type=Path, default=".", help="a checkout of Netflix/vmaf")
    options.add_argument("--libvmaf", metavar="PROGRAM", help="libvmaf's vmaf")
    options.add_argument("--only", default="", help="regular expression on tests and keys")
    arguments = options.parse_args()
    try:
        program = arguments.libvmaf and Peer(arguments.libvmaf, threads=1, cpumask=0)
    except Problem as error:
        sys.exit(f"peer_assertions: {error}")
    tool = f"vmaf {program.version}, plain C" if program else ""
    table = json.loads(arguments.table.read_text())
    runner, counts, lines = Runner(arguments, table), {}, Counter()
    for row in table:
        if not re.search(arguments.only, f"{row['test']} {row['key']}"):
            continue
        found = runner.judge(row)
        counts.setdefault(row["runner"], Counter())[found.verdict] += 1
        if found.verdict == "passed":
            continue
        models = wanted(row, arguments.models, {}).models if not found.said else ()
        line = line_of(row, found, models)
        key = tuple(line.items())
        if not lines[key]:
            print(json.dumps(line), flush=True)
        lines[key] += 1
    content = f"{sum(map(Counter.total, counts.values()))} assertions"
    report = Report("peer_assertions", content, COLUMNS, arguments, devices(), tool)
    counts = {**dict(sorted(counts.items())), "all": sum(counts.values(), Counter())}
    for name, count in counts.items():
        report.add(what=name, **{c.key: count[c.key] for c in COLUMNS[1:]})
    report.facts["apart"] = [dict(key) | {"count": count} for key, count in lines.items()]
    report.save()


if __name__ == "__main__":
    main()
