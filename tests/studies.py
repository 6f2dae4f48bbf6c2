"""Simulated studies: features of clips per frame, ratings that follow from them, contents."""

import csv
import json

import numpy as np

from jaxvqa.fusion import feature_refs
from jaxvqa.training import TrainingData

NAMES = {
    "integer_adm2": "VMAF_integer_feature_adm2_score",
    "integer_motion2": "VMAF_integer_feature_motion2_score",
    "integer_vif_scale0": "VMAF_integer_feature_vif_scale0_score",
    "integer_vif_scale1": "VMAF_integer_feature_vif_scale1_score",
    "integer_vif_scale2": "VMAF_integer_feature_vif_scale2_score",
    "integer_vif_scale3": "VMAF_integer_feature_vif_scale3_score",
}

FLOORS = (0.2, 0.4, 0.5, 0.6)  # of VIF at its scales


def simulated(seed=0, contents=8, each=6, frames=5):
    """VMAF's six features, nearly monotone in a hidden quality, and a MOS of 1 to 5."""
    rng = np.random.default_rng(seed)
    series, ratings, shown = [], [], []
    for content in range(contents):
        motion, taste = rng.uniform(1, 15), rng.normal(0, 0.2)
        for _ in range(each):
            quality = rng.uniform()
            adm = 0.55 + 0.45 * quality + rng.normal(0, 0.01, frames)
            vif = [a + (1 - a) * quality + rng.normal(0, 0.02, frames) for a in FLOORS]
            move = np.abs(motion + rng.normal(0, 0.5, frames))
            columns = [np.clip(c, 0, 1) for c in (adm, *vif)]
            series.append(np.stack([columns[0], move, *columns[1:]], axis=1))
            ratings.append(1 + 4 * quality**1.3 + taste + rng.normal(0, 0.1))
            shown.append(f"c{content}")
    return TrainingData(
        series,
        np.array(ratings),
        shown,
        feature_refs(NAMES.values()),
        [f"clip{i}" for i in range(len(series))],
    )


def write_study(folder, data, mos="mos"):
    """The study as saved results in libvmaf's JSON and a table that names them."""
    rows = []
    for i, name in enumerate(data.names):
        frames = [
            {"frameNum": k, "metrics": dict(zip(NAMES, map(float, row), strict=True))}
            for k, row in enumerate(data.frames[i])
        ]
        (folder / f"{name}.json").write_text(json.dumps({"frames": frames}))
        rating = float(data.ratings[i])
        rows.append(
            {"id": name, "content": data.contents[i], "results": f"{name}.json", mos: rating}
        )
    with (folder / "clips.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return folder / "clips.csv"
