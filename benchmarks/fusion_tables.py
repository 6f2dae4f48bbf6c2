"""Are fusion models right on public tables? Stored features in, stored scores and ratings beside.

DIR holds checkouts of the repositories AVT-VQDB-UHD-1-NVC, AVT-VQDB-UHD-1-HDR and AVT-VQDB-UHD-1 of
github.com/Telecommunication-Telemedia-Assessment, or some of them: features and scores per frame
as libvmaf and VDK wrote them, and MOS. No video is needed, and nothing of them is part of jaxvqa.
Prints the largest differences from the stored scores, and how ours correlate with the MOS; ends
with an error where a difference is larger than what rounding explains.

    python benchmarks/fusion_tables.py DIR
"""

from __future__ import annotations

import csv
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from _report import Column, Report, devices, parser

import jaxvqa
from jaxvqa._study.series import printed_name
from jaxvqa.evaluation import plcc, srocc
from jaxvqa.fusion._series import score_series
from jaxvqa.report import load

# what a stored score is rounded to, through the model: six decimals, five in VDK 1.3.11
SIX, FIVE = 1.5e-4, 2e-3
_AT_CLIP = 0.01  # nearer to the clip than this, the stored spread hangs on the last digit
_VIDEOS = (".mp4", ".mkv")


@dataclass(frozen=True)
class Stored:
    """A table of stored features, scores and ratings.

    Args:
        name: what it is called here.
        folder: its checkout.
        logs: folder of its result files.
        ending: what their names have after the clip's.
        ratings: its file of ratings.
        columns: of that file, the clip and its MOS.
        model: what the scores were made with.
        score: name of the scores.
        limit: largest difference that rounding explains.
    """

    name: str
    folder: str
    logs: str
    ending: str
    ratings: str
    columns: tuple[str, str]
    model: str
    score: str
    limit: float


_NVC = (
    "NVC", "AVT-VQDB-UHD-1-NVC", "metrics/vmaf", ".vmaf.json", "subjective.csv", ("name", "mos")
)  # fmt: skip
_HDR = (
    "HDR", "AVT-VQDB-UHD-1-HDR", "vmaf_scores", ".json", "subjective_scores/mos_ci.csv",
    ("stimuli_file", "mos"),
)  # fmt: skip
TABLES = (
    Stored(*_NVC, "vmaf_4k_v0.6.1", "vmaf", SIX),
    Stored(*_NVC, "vmaf_4k_v0.6.1neg", "vmaf_neg", SIX),
    Stored(*_HDR, "vmaf_4k_v0.6.1", "vmaf", SIX),
    *(
        Stored(
            f"UHD-1, test {i}", "AVT-VQDB-UHD-1", f"test_{i}/vmaf_reports", "_vmaf.json",
            f"test_{i}/mos_ci.csv", ("video_name", "MOS"), "vmaf_rb_v0.6.3", "vmaf", FIVE,
        )
        for i in (1, 2, 3, 4)
    ),
)  # fmt: skip
COLUMNS = (
    Column("table", "table", "s", 14),
    Column("model", "model", "s", 18),
    Column("clips", "clips", "d", 6),
    Column("frames", "frames", "d", 7),
    Column("score", "score", ".2e", 9),
    Column("members", "members", ".2e", 9),
    Column("bagging", "bagging", ".2e", 9),
    Column("interval", "interval", ".2e", 9),
    Column("spread", "spread", ".2e", 9),
    Column("limit", "limit", ".1e", 8),
    Column("srocc", "SROCC", ".4f", 7),
    Column("plcc", "PLCC", ".4f", 7),
)


def outputs(stored: Stored, size: int) -> dict[str, list[tuple[str, str]]]:
    """For each column, what a model's outputs add to its name and how the table calls them."""
    found = {"score": [("", stored.score)]}
    if size:
        numbers = [f"_{i:04d}" for i in range(1, size + 1)]
        found["members"] = [(number, stored.score + number) for number in numbers]
        found["bagging"] = [("_bagging", "bagging")]
        found["interval"] = [("_ci_p95_lo", "ci95_low"), ("_ci_p95_hi", "ci95_high")]
        found["spread"] = [("_stddev", "stddev")]
    return found


def ratings(stored: Stored, folder: Path) -> dict[str, float]:
    """MOS by clip; tables name some videos with another ending than they have."""
    clip, mos = stored.columns
    with (folder / stored.ratings).open(newline="") as file:
        found = {row[clip]: float(row[mos]) for row in csv.DictReader(file)}
    for ending in _VIDEOS:
        found = {name.removesuffix(ending): value for name, value in found.items()}
    return found


def compare(stored: Stored, folder: Path) -> dict[str, Any]:
    """One row: the largest difference of each kind of output, and the correlations."""
    model = jaxvqa.load_model(stored.model)
    low, high = model.info.score_range or (-np.inf, np.inf)
    wanted = outputs(stored, getattr(model, "size", 0))
    people = ratings(stored, folder)
    largest, total, count, means, mos = dict.fromkeys(wanted, 0.0), 0.0, 0, [], []
    for log in sorted((folder / stored.logs).glob(f"*{stored.ending}")):
        frames = load(log).frames
        columns = {ref.key: frames[printed_name(ref)] for ref in model.features}
        found = score_series(model, columns, "")
        for column, pairs in wanted.items():
            gap = np.stack([np.abs(found[ours] - frames[theirs]) for ours, theirs in pairs])
            if column == "spread":
                mean = found["_bagging"]
                gap = gap[:, (mean > low + _AT_CLIP) & (mean < high - _AT_CLIP)]
            largest[column] = max(largest[column], float(gap.max(initial=0.0)))
            if column == "score":
                total, count = total + float(gap.sum()), count + gap.size
        means.append(found[""].mean())
        mos.append(people[log.name.removesuffix(stored.ending)])
    return {
        "table": stored.name, "model": stored.model, "clips": len(mos), "frames": count,
        **largest, "mean": total / count, "limit": stored.limit,
        "srocc": srocc(means, mos), "plcc": plcc(means, mos),
    }  # fmt: skip


def main() -> None:
    options = parser(__doc__ or "")
    options.add_argument("dir", type=Path, help="folder of the checkouts")
    given = options.parse_args()
    there = [stored for stored in TABLES if (given.dir / stored.folder / stored.logs).is_dir()]
    if not there:
        sys.exit(f"fusion_tables: {given.dir} has none of the repositories; see --help.")
    content = "Per-frame features, scores and MOS as the tables store them"
    report = Report("fusion_tables.py", content, COLUMNS, given, devices())
    rows = []
    for stored in there:
        rows.append(compare(stored, given.dir / stored.folder))
        report.add(**rows[-1])
    report.save()
    # the spread hangs on how far the clip is, so it has no limit of its own
    beyond = [
        f"{row['table']} ({column})"
        for row in rows
        for column in ("score", "members", "bagging", "interval")
        if column in row and not row[column] <= row["limit"]
    ]
    if beyond:
        sys.exit(f"fusion_tables: differences beyond the limit: {', '.join(beyond)}.")


if __name__ == "__main__":
    main()
