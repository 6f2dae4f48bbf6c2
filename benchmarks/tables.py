"""Renders the runs in benchmarks/results/ into the tables of the pages.

A page holds `<!-- table: NAME -->` and `<!-- end -->`; what is between them is written here, so two
pages can't differ. All runs must come from one machine and the same versions.

    python benchmarks/tables.py            # writes the pages
    python benchmarks/tables.py --check    # only says which pages are out of date
"""

from __future__ import annotations

import argparse
import functools
import json
import re
import sys
import textwrap
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from _report import Problem, cell
from _table_columns import BATCH, PLAIN

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "benchmarks" / "results"
PAGES = (
    "README.md", "docs/inputs.md", "docs/performance.md", "docs/metrics.md", "docs/cambi.md",
    "docs/scale.md", "docs/vmaf-estimate.md", "benchmarks/README.md",
)  # fmt: skip
MARKED = re.compile(r"(<!-- table: ([\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)
CLIPS = {
    "bunny_640x360": "640x360, 8 bit",
    "bunny_353x289_444_odd": "353x289, 4:4:4",
    "bunny_320x180_422_10b": "320x180, 4:2:2, 10 bit",
}
MODEL_RUNS = (
    "vmaf_v0.6.1",
    "vmaf_v0.6.1neg",
    "vmaf_b_v0.6.3",
    "vmaf_float_v0.6.1",
    "vmaf_v1.0.16_3d0h",
    "vmaf_v1.0.16_hfr_5d0h",
)


@functools.cache
def run_of(name: str) -> dict[str, Any]:
    """The run that a JSON file holds."""
    try:
        return json.loads((RESULTS / f"{name}.json").read_text())
    except OSError:
        raise Problem(f"there is no {name}.json in benchmarks/results.") from None


def rows_of(name: str) -> list[dict[str, Any]]:
    """The rows of a run."""
    return run_of(name)["rows"]


def code(name: str) -> str:
    """A name as the pages print it; a loss with its model in two words."""
    return ", ".join(f"`{part}`" for part in name.split(":"))


def table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A Markdown table."""
    lines = [list(heads), *map(list, rows)]
    lines.insert(1, ["---"] * len(lines[0]))
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines) + "\n"


def caption(name: str) -> str:
    """What a run was made on and how often."""
    run = run_of(name)
    # docs/performance.md describes the clip once
    content = re.sub(r" \(.*?\)|, 8 bits|, 4:2:0", "", run["content"])
    passes = run["options"].get("passes", 0)
    often = {0: "", 1: "one pass"}.get(passes, f"{passes} passes")
    parts = filter(None, (content[0].upper() + content[1:], run["peer"], often))
    return "; ".join(parts) + ".\n\n"


def plain(name: str, columns: Iterable[tuple[str, str, str]]) -> str:
    """A run's rows as they are; the first column is a name."""
    columns = list(columns)
    heads = [head for head, _, _ in columns]
    (_, first, _), *others = columns
    cells = (
        [code(row[first]), *(cell(row.get(key), spec) for _, key, spec in others)]
        for row in rows_of(name)
    )
    return caption(name) + table(heads, cells)


def machine() -> str:
    """Where all runs took place."""
    runs = [run_of(path.stem) for path in sorted(RESULTS.glob("*.json"))]
    places = {(r["processor"], r["cores"], tuple(r["versions"].items())) for r in runs}
    if len(places) != 1:
        raise Problem("benchmarks/results has runs of several machines or versions.")
    ((processor, cores, versions),) = places
    dates = sorted({r["date"] for r in runs})
    when = " to ".join(dict.fromkeys((dates[0], dates[-1])))
    known = ", ".join(f"{name} {version}" for name, version in versions)
    return textwrap.fill(f"{processor}, {cores} cores; {known}; {when}.", 100) + "\n"


def by_clip(run: str) -> dict[tuple[str, str], dict[str, Any]]:
    """A run's rows by clip and name; runs of the synthetic clip alone do not say so."""
    return {(row.get("clip", "synthetic"), row["name"]): row for row in rows_of(run)}


RATES = {"compute": "from memory", "y4m": "y4m", "h264": "H.264"}


def medians(rows: Iterable[dict[str, Any]], key: str) -> str:
    """Medians of several clips in one cell."""
    return " / ".join(f"{row[key]['median']:.0f}" for row in rows)


def speed() -> str:
    """Every feature and model: frames per second on each clip, and ratios to libvmaf's."""
    found, ratios = by_clip("speed"), by_clip("versus")
    clips = list(dict.fromkeys(clip for clip, _ in found))
    lines = []
    for name in dict.fromkeys(name for _, name in found):
        rows = [found[clip, name] for clip in clips]
        beside = [cell(ratios.get((clip, name), {}).get("ratio"), ".2f") for clip in clips]
        lines.append([code(name), *(medians(rows, key) for key in RATES), *beside])
    first = [next(row for (of, _), row in found.items() if of == clip) for clip in clips]
    said = (
        f"Frames per second: {' / '.join(clips)}. Decoding alone: {medians(first, 'decode')}.\n\n"
    )
    heads = ["", *RATES.values(), *(f"× libvmaf, {clip}" for clip in clips)]
    return caption("speed") + said + table(heads, lines)


def summary() -> str:
    """The models only, with the spread over passes."""
    found, ratios = by_clip("speed"), by_clip("versus")
    lines = []
    for name in dict.fromkeys(row["name"] for row in rows_of("startup")):
        for clip in dict.fromkeys(clip for clip, _ in found):
            speeds = [cell(found[clip, name][key], ".1f") for key in RATES]
            lines.append([code(name), clip, *speeds, cell(ratios[clip, name]["ratio"], ".2f")])
    heads = ("", "clip", *(f"{head}, fps" for head in RATES.values()), "× libvmaf")
    return caption("speed") + table(heads, lines)


def first_scores() -> str:
    """Seconds to the first score of each model, from y4m."""
    rows = [row for row in rows_of("startup") if row["source"] == "y4m"]
    lines = [
        [code(row["name"]), *(cell(row[key], ".1f") for key in ("empty", "full"))] for row in rows
    ]
    return caption("startup") + table(["", "first score, s", "programs cached, s"], lines)


def sizes() -> str:
    """Our rate and its ratio to libvmaf's per size, medians, clips in one cell."""
    rows = [*rows_of("versus_sizes"), *rows_of("versus")]
    found = {(row["name"], row["clip"], row["size"]): row for row in rows}
    columns = sorted({row["size"] for row in rows}, key=lambda size: int(size.split("x")[0]))
    clips = list(dict.fromkeys(row["clip"] for row in rows_of("versus_sizes")))

    def told(row: dict[str, Any]) -> str:
        return f"{row['ours']['median']:.0f}: {row['ratio']['median']:.2f}"

    lines = [
        [code(name), *(" / ".join(told(found[name, c, size]) for c in clips) for size in columns)]
        for name in dict.fromkeys(row["name"] for row in rows_of("versus_sizes"))
    ]
    said = f"Frames per second: ratio, {' / '.join(clips)}.\n\n"
    return caption("versus_sizes") + said + table(["", *columns], lines)


def whole() -> str:
    """Processes of ours and libvmaf's, one column a clip."""
    found = by_clip("versus_whole")
    clips = list(dict.fromkeys(clip for clip, _ in found))

    def told(row: dict[str, Any]) -> str:
        ours, theirs = (f"{row[key]['median']:.0f}" for key in ("ours", "vmaf"))
        return f"{ours}, {theirs}: {cell(row['ratio'], '.2f')}"

    lines = [
        [code(name), *(told(found[clip, name]) for clip in clips)]
        for name in dict.fromkeys(name for _, name in found)
    ]
    said = "Our frames per second, libvmaf's: ratio.\n\n"
    return caption("versus_whole") + said + table(["", *clips], lines)


def startup() -> str:
    """First scores, kinds of file side by side."""
    found = {(row["name"], row["source"]): row for row in rows_of("startup")}
    heads = ["", "y4m, empty cache", "y4m, full", "H.264, empty cache", "H.264, full"]
    lines = []
    for name in dict.fromkeys(row["name"] for row in rows_of("startup")):
        cells = [
            cell(found[name, source][key], ".1f")
            for source in ("y4m", "H.264")
            for key in ("empty", "full")
        ]
        lines.append([code(name), *cells])
    return caption("startup") + table(heads, lines)


def memory() -> str:
    """Peaks, and the memory at each tenth of the longest clip."""
    longest = max(rows_of("memory"), key=lambda row: row["frames"])
    lines = []
    for row in rows_of("memory"):
        tenths = cell(row["tenths_mb"], ".0f") if row is longest else ""
        peak = cell(row["peak_mb"], ".0f")
        lines.append([code(row["name"]), row["size"], str(row["frames"]), peak, tenths])
    heads = ("", "size", "frames", "peak MB", "MB at each tenth")
    return caption("memory") + table(heads, lines)


def parity(kind: str, names: Iterable[str]) -> str:
    """Largest difference per clip."""
    found = {(row["clip"], row["run"]): row["absolute"] for row in rows_of("parity")}
    lines = [
        [code(name), *(cell(found.get((clip, f"{kind}:{name}")), ".1e") for clip in CLIPS)]
        for name in names
    ]
    return table(["", *CLIPS.values()], lines)


def parity_features() -> str:
    """The features of libvmaf under default options."""
    runs = dict.fromkeys(row["run"] for row in rows_of("parity") if row["note"] == "")
    names = [run.removeprefix("feature:") for run in runs if run.startswith("feature:")]
    return parity("feature", sorted(name for name in names if "=" not in name))


def assertions() -> str:
    """How many assertions of libvmaf's tests pass, and the numbers of those that do not."""
    run = run_of("peer_assertions")
    total = next(row for row in run["rows"] if row["what"] == "all")
    ends = {"passed": "pass", "explained": "are explained", "failed": "fail"}
    counts = [f"{total[key]} {words}" for key, words in ends.items()]
    said = f"Of {run['content']}, {', '.join(counts)}, and {total['unlike']} is of NIQE"
    said += f" ({run['peer']}; jaxvqa {run['versions']['jaxvqa']}).\n\n"
    heads = {
        "what": "", "statistic": "", "expected": "the tests'", "places": "decimals",
        "tool": "libvmaf today", "ours": "jaxvqa", "exact": "float64", "count": "assertions",
    }  # fmt: skip
    apart = [line for line in run["apart"] if line["verdict"] != "unlike"]
    lines = [[cell(line[key], "") for key in heads] for line in apart]
    return said + table(heads.values(), lines)


def parity_funque() -> str:
    """Largest relative difference per extractor, in both precisions."""
    found: dict[tuple[str, str], float] = {}
    files = ("parity_funque", "parity_funque_float64")
    for file in files:
        for row in rows_of(file):
            key = (row["feature"], file)
            found[key] = max(found.get(key, 0.0), row["relative"])
    lines = [
        [code(name), *(cell(found[name, file], ".1e") for file in files)]
        for name in dict.fromkeys(name for name, _ in found)
    ]
    return table(("", "float32", "float64"), lines)


def cambi_forms() -> str:
    """A line for each picture: how much of it is flat, then each form of counting."""
    rows = rows_of("cambi_forms")
    found = {(row["what"], row["form"]): cell(row["ms"], ".1f") for row in rows}
    flat = {row["what"]: cell(row["flat"], ".1%") for row in rows}
    forms = list(dict.fromkeys(form for _, form in found))
    lines = [[what, flat[what], *(found[what, form] for form in forms)] for what in flat]
    return caption("cambi_forms") + table(["ms per frame", "flat", *forms], lines)


def framesync() -> str:
    """Wrong pairs of all pairs, for each two containers."""
    heads = {
        "name": "distorted, reference",
        "default": "FFmpeg",
        "starts": "`setpts`",
        "nearest": "nearest",
        "shortest": "nearest, `shortest`",
        "rate": "`-r`",
        "ours": "jaxvqa",
        "ours_time": "jaxvqa, `--pair time`",
    }
    lines = [[row[key] for key in heads] for row in rows_of("framesync")]
    known = run_of("framesync")["versions"]
    said = caption("framesync").removesuffix(".\n\n")
    said += f"; jaxvqa {known['jaxvqa']}, PyAV {known['av']}.\n\n"
    return said + table(heads.values(), lines)


def fusion_tables() -> str:
    """Distances from stored scores, one line a table and model."""
    heads = {
        "clips": ("clips", ".0f"), "frames": ("frames", ".0f"), "score": ("score", ".1e"),
        "members": ("20 members", ".1e"), "bagging": ("their mean", ".1e"),
        "interval": ("interval", ".1e"), "spread": ("spread", ".1e"), "limit": ("limit", ".1e"),
        "srocc": ("SROCC", ".3f"), "plcc": ("PLCC", ".3f"),
    }  # fmt: skip
    lines = [
        [row["table"], code(row["model"])]
        + [cell(row.get(key), spec) for key, (_, spec) in heads.items()]
        for row in rows_of("fusion_tables")
    ]
    return table(("", "model", *(head for head, _ in heads.values())), lines)


def estimate() -> str:
    """How close estimates come, one line a target and a set of features."""
    heads = {
        "target": ("target", ""), "features": ("features", ""), "regressor": ("regressor", ""),
        "cv": ("held-out error", ".2f"), "plcc": ("PLCC", ".3f"), "srocc": ("SROCC", ".3f"),
        "mae": ("mean error", ".2f"), "p95": ("1 of 20 above", ".1f"), "bias": ("bias", ".1f"),
        "meets": ("within limits", ""),
    }  # fmt: skip
    lines = [[cell(row[k], spec) for k, (_, spec) in heads.items()] for row in rows_of("estimate")]
    return caption("estimate") + table((head for head, _ in heads.values()), lines)


def estimate_worst() -> str:
    """Where the best estimate errs most: the first five distortions and contents."""
    found = run_of("estimate")["worst"]
    lines = [
        [kind, row["name"], *(cell(row[key], ".1f") for key in ("mae", "bias", "largest"))]
        for kind in ("distortion", "content")
        for row in found[kind][:5]
    ]
    return table(("", "", "mean error", "bias", "largest"), lines)


def batch(name: str) -> str:
    """A part of `batch.py`; the rows are described in words."""
    columns, run = BATCH[name], name.replace("-", "_")
    rows = ([cell(row.get(key), spec) for _, key, spec in columns] for row in rows_of(run))
    return caption(run) + table((head for head, _, _ in columns), rows)


TABLES: dict[str, Callable[[], str]] = {
    **{name: functools.partial(plain, name, columns) for name, columns in PLAIN.items()},
    "machine": machine,
    "summary": summary,
    "first-scores": first_scores,
    "speed": speed,
    "versus": sizes,
    "versus_whole": whole,
    "startup": startup,
    "memory": memory,
    "parity-models": functools.partial(parity, "model", MODEL_RUNS),
    "parity-features": parity_features,
    "parity-funque": parity_funque,
    "assertions": assertions,
    "cambi-forms": cambi_forms,
    "framesync": framesync,
    "fusion-tables": fusion_tables,
    "estimate": estimate,
    "estimate-worst": estimate_worst,
    **{name: functools.partial(batch, name) for name in BATCH},
}


def render(page: str) -> str:
    """A page's text with its tables written anew."""

    def written(found: re.Match[str]) -> str:
        if found[2] not in TABLES:
            raise Problem(f"there is no table named {found[2]}: {', '.join(TABLES)}.")
        return f"{found[1]}{TABLES[found[2]]()}{found[3]}"

    return MARKED.sub(written, page)


def main() -> None:
    """Writes the pages, or says which are out of date."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--check", action="store_true", help="write nothing; fail if out of date")
    arguments = options.parse_args()
    try:
        pages = {ROOT / name: render((ROOT / name).read_text()) for name in PAGES}
    except Problem as error:
        sys.exit(f"tables: {error}")
    stale = [path for path, text in pages.items() if text != path.read_text()]
    for path in stale:
        print(f"{path.relative_to(ROOT)}: {'out of date' if arguments.check else 'written'}")
        if not arguments.check:
            path.write_text(pages[path])
    sys.exit(bool(stale and arguments.check))


if __name__ == "__main__":
    main()
