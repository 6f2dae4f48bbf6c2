"""How far are jaxvqa's numbers from the reference program's?

Scores every clip of a folder of golden clips (`CLIP/ref.mkv`, `CLIP/dis.mkv`, `CLIP/golden.json`)
with every model and feature that the golden file holds, and prints the largest absolute difference
over frames, per clip and per kind of run.

    python benchmarks/parity.py                     # the clips that ship with the project
    python benchmarks/parity.py --golden DIR        # another folder
    python benchmarks/parity.py --only 'model:vmaf_float'
    python benchmarks/parity.py --ffmpeg ffmpeg     # also what FFmpeg has and libvmaf has not
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from _ffmpeg import FILTERS, FFmpeg
from _report import Column, Problem, Report, devices, parser

import jaxvqa
from jaxvqa.features import _registry as catalog
from jaxvqa.features._options import parse_text

ROOT = Path(__file__).parent.parent
SHIPPED = ROOT / "tests" / "data"
COLUMNS = (
    Column("clip", "clip", "s", 28),
    Column("run", "run", "s", 58),
    Column("absolute", "largest", ".1e", 9),
    Column("relative", "relative", ".1e", 9),
    Column("key", "output", "s", 30),
    Column("note", "note", "s", 1),
)


@dataclass(frozen=True)
class Row:
    """Largest difference of one run on one clip."""

    clip: str
    run: str
    key: str
    absolute: float
    relative: float
    note: str = ""


def _videos(folder: Path) -> tuple[Path, Path]:
    for place in (folder, ROOT / "examples" / "clips" / folder.name):
        if (place / "ref.mkv").is_file():
            return place / "ref.mkv", place / "dis.mkv"
    raise SystemExit(f"{folder} has a golden.json but no ref.mkv.")


def _model_text(run: str) -> tuple[str, str]:
    """`model:NAME[:phone]` as a `--model` text and the name that its score gets."""
    name, _, flag = run.removeprefix("model:").partition(":")
    key = name + ("_transformed" if flag else "")
    return f"version={name}:name={key}" + (":enable_transform" if flag else ""), key


def _difference(
    clip: str, run: str, expected: dict, found: dict, score_key: str, *, complete: bool
) -> Row:
    worst = Row(clip, run, "", 0.0, 0.0)
    missing = []
    for name, values in expected.items():
        key = score_key + name[4:] if re.match(r"vmaf(_|$)", name) else name
        if key not in found:
            missing.append(name)
            continue
        gold = np.array(values, float)  # null becomes NaN
        ours = np.asarray(found[key], float)
        both_nan = np.isnan(gold) & np.isnan(ours)
        gap = np.where(both_nan, 0.0, np.abs(gold - ours))
        size = float(np.max(np.where(np.isnan(gap), np.inf, gap)))
        if size >= worst.absolute:
            scale = np.maximum(np.abs(gold), 1e-12)
            worst = Row(clip, run, name, size, float(np.nanmax(gap / scale)))
    if missing and complete:
        return Row(clip, run, missing[0], np.inf, np.inf, f"{len(missing)} outputs missing")
    return worst


def compare(folder: Path, only: str = "", arithmetic: str = "auto") -> Iterator[Row]:
    """Rows for all runs of one clip whose name matches `only`.

    Args:
        folder: the clip's, with its golden.json.
        only: a regular expression on run names.
        arithmetic: as `jaxvqa.score` takes it; "float" has other outputs than the golden runs.
    """
    golden = json.loads((folder / "golden.json").read_text())
    if "runs" not in golden:  # values of another reference program
        return
    ref, dis = _videos(folder)
    runs = {
        name: run.get("frames", run)
        for name, run in golden["runs"].items()
        if re.search(only, name)
    }
    for run, expected in runs.items():
        if run.startswith("model:"):
            text, key = _model_text(run)
            wanted = {"model": text, "arithmetic": arithmetic}
            yield _scored(folder.name, run, expected, (ref, dis), wanted, key)
        elif run.startswith("feature:"):
            text = run.removeprefix("feature:")
            if parse_text(text)[0] in catalog.FEATURES:
                wanted = {"model": None, "features": [text], "arithmetic": arithmetic}
                yield _scored(folder.name, run, expected, (ref, dis), wanted, "")


def compare_filters(folder: Path, program: FFmpeg, only: str = "") -> Iterator[Row]:
    """Rows of the metrics that are FFmpeg's filters, which runs now."""
    ref, dis = _videos(folder)
    for name in FILTERS:
        if re.search(only, f"feature:{name}"):
            expected = {k: v.tolist() for k, v in program.frames(name, ref, dis).items()}
            wanted = {"model": None, "features": [name]}
            found = jaxvqa.score(ref, dis, **wanted).frames
            yield _difference(folder.name, f"feature:{name}", expected, found, "", complete=True)


def _scored(
    clip: str, run: str, expected: dict, videos: tuple[Path, Path], wanted: dict, score_key: str
) -> Row:
    """One run against its golden values; the reference program may have failed on it."""
    failed = not expected or "error" in expected
    try:
        result = jaxvqa.score(*videos, **wanted)
    except ValueError as error:
        if failed:
            return Row(clip, run, "", 0.0, 0.0, "both refuse")
        return Row(clip, run, "", np.inf, np.inf, f"refused: {error}")
    if failed:
        return Row(clip, run, "", 0.0, 0.0, "only the reference program failed")
    complete = wanted["arithmetic"] == "auto"
    return _difference(clip, run, expected, result.frames, score_key, complete=complete)


def main() -> None:
    """Prints a line per clip and run, then the worst of each kind."""
    options = parser(__doc__)
    options.add_argument("--golden", type=Path, default=SHIPPED, help="folder of golden clips")
    options.add_argument("--only", default="", help="regular expression on run names")
    options.add_argument("--ffmpeg", metavar="PATH", help="an ffmpeg program, for xpsnr")
    options.add_argument("--clips", nargs="*", help="names of clips; all if absent")
    options.add_argument(
        "--arithmetic",
        choices=("auto", "float"),
        default="auto",
        help="float: how far are the float twins of the integer models",
    )
    arguments = options.parse_args()
    folders = sorted(p.parent for p in arguments.golden.glob("*/golden.json"))
    folders = [f for f in folders if not arguments.clips or f.name in arguments.clips]
    content = f"golden clips {', '.join(f.name for f in folders)}; largest over all frames"
    try:
        program = FFmpeg(arguments.ffmpeg) if arguments.ffmpeg else None
    except Problem as error:
        raise SystemExit(f"parity: {error}") from None
    peer = "libvmaf f85a853, plain C" + (f", FFmpeg {program.version}" if program else "")
    report = Report("parity", content, COLUMNS, arguments, devices(), peer)
    worst: dict[str, Row] = {}
    for folder in folders:
        rows = [compare(folder, arguments.only, arguments.arithmetic)]
        if program:
            rows.append(compare_filters(folder, program, arguments.only))
        for row in itertools.chain(*rows):
            report.add(**vars(row))
            kind = re.sub(r"=.*", " with options", row.run)
            if kind not in worst or row.absolute > worst[kind].absolute:
                worst[kind] = row
    report.save()
    print("\nworst of each kind")
    for kind, row in sorted(worst.items()):
        numbers = f"{row.absolute:9.1e} {row.relative:9.1e}"
        print(f"{kind:44s} {numbers}  {row.clip} {row.key} {row.note}")


if __name__ == "__main__":
    main()
