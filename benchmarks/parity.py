"""How far are jaxvqa's numbers from the reference program's?

Scores every clip of a folder of golden clips (`CLIP/ref.mkv`, `CLIP/dis.mkv`, `CLIP/golden.json`)
with every model and feature that the golden file holds, and prints the largest absolute difference
over frames, per clip and per kind of run.

    python benchmarks/parity.py                     # the clips that ship with the project
    python benchmarks/parity.py --golden DIR        # another folder
    python benchmarks/parity.py --only 'model:vmaf_float'
"""

from __future__ import annotations

import argparse
import json
import platform
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import jax
import numpy as np

import jaxvqa
from jaxvqa.features import _registry as catalog
from jaxvqa.features._options import parse_text

ROOT = Path(__file__).parent.parent
SHIPPED = ROOT / "tests" / "data"


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


def _difference(clip: str, run: str, expected: dict, found: dict, score_key: str) -> Row:
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
    if missing and ARITHMETIC["arithmetic"] == "auto":
        return Row(clip, run, missing[0], np.inf, np.inf, f"{len(missing)} outputs missing")
    return worst


def compare(folder: Path, only: str = "") -> Iterator[Row]:
    """Rows for all runs of one clip whose name matches `only`."""
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
            yield _scored(folder.name, run, expected, (ref, dis), {"model": text}, key)
        elif run.startswith("feature:"):
            text = run.removeprefix("feature:")
            if parse_text(text)[0] in catalog.FEATURES:
                wanted = {"model": None, "features": [text]}
                yield _scored(folder.name, run, expected, (ref, dis), wanted, "")


ARITHMETIC = {"arithmetic": "auto"}


def _scored(
    clip: str, run: str, expected: dict, videos: tuple[Path, Path], wanted: dict, score_key: str
) -> Row:
    """One run against its golden values; the reference program may have failed on it."""
    failed = not expected or "error" in expected
    try:
        result = jaxvqa.score(*videos, **wanted, **ARITHMETIC)
    except ValueError as error:
        if failed:
            return Row(clip, run, "", 0.0, 0.0, "both refuse")
        return Row(clip, run, "", np.inf, np.inf, f"refused: {error}")
    if failed:
        return Row(clip, run, "", 0.0, 0.0, "only the reference program failed")
    return _difference(clip, run, expected, result.frames, score_key)


def main() -> None:
    """Prints a line per clip and run, then the worst of each kind."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--golden", type=Path, default=SHIPPED, help="folder of golden clips")
    parser.add_argument("--only", default="", help="regular expression on run names")
    parser.add_argument("--clips", nargs="*", help="names of clips; all if absent")
    parser.add_argument(
        "--arithmetic", choices=("auto", "float"), default="auto",
        help="float: how far are the float twins of the integer models",
    )  # fmt: skip
    arguments = parser.parse_args()
    ARITHMETIC["arithmetic"] = arguments.arithmetic
    started, worst = time.time(), {}
    print(f"jaxvqa {jaxvqa.__version__}, jax {jax.__version__}, {jax.default_backend()}, "
          f"Python {platform.python_version()}")  # fmt: skip
    print(f"{'clip':28s} {'run':58s} {'largest':>9s} {'relative':>9s}  output")
    for folder in sorted(p.parent for p in arguments.golden.glob("*/golden.json")):
        if arguments.clips and folder.name not in arguments.clips:
            continue
        for row in compare(folder, arguments.only):
            print(f"{row.clip:28s} {row.run[:58]:58s} {row.absolute:9.1e} {row.relative:9.1e}  "
                  f"{row.key} {row.note}", flush=True)  # fmt: skip
            kind = re.sub(r"=.*", " with options", row.run)
            if kind not in worst or row.absolute > worst[kind].absolute:
                worst[kind] = row
    print(f"\nworst of each kind ({time.time() - started:.0f} s)")
    for kind, row in sorted(worst.items()):
        numbers = f"{row.absolute:9.1e} {row.relative:9.1e}"
        print(f"{kind:44s} {numbers}  {row.clip} {row.key} {row.note}")


if __name__ == "__main__":
    main()
