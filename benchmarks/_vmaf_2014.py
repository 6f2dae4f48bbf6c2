"""VMAF of 2014, `VMAF_legacy` of libvmaf's Python code: a support vector machine on four features.

Source: libvmaf f85a853, `quality_runner.py`. The machine's numbers are read from a checkout.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path

import numpy as np

FILE = "model/other_models/model_V8a.model"
# values that become 0 and 1; what lies outside is cut
RANGES = {"vif": (0.0, 1.0), "adm": (0.4, 1.0), "float_ansnr": (10.0, 50.0), "motion": (0.0, 20.0)}


@functools.cache
def _machine(file: Path) -> tuple[float, float, np.ndarray, np.ndarray]:
    """Width of the kernel, offset, weights and support vectors of a file of LIBSVM's."""
    head, _, body = file.read_text().partition("\nSV\n")
    facts = dict(line.split(maxsplit=1) for line in head.splitlines())
    lines = [line.split() for line in body.splitlines() if line.strip()]
    vectors = np.zeros((len(lines), len(RANGES)))
    for vector, (_, *pairs) in zip(vectors, lines, strict=True):
        for place, _, value in (pair.partition(":") for pair in pairs):
            vector[int(place) - 1] = float(value)
    weights = np.array([float(line[0]) for line in lines])
    return float(facts["gamma"]), float(facts["rho"]), weights, vectors


def scores(series: Mapping[str, np.ndarray], folder: Path) -> np.ndarray:
    """Scores of all frames, 0 to 100.

    Args:
        series: at least the features in `RANGES`.
        folder: a checkout of Netflix/vmaf.
    """
    gamma, offset, weights, vectors = _machine(folder / FILE)
    columns = [
        (np.clip(series[name], low, high) - low) / (high - low)
        for name, (low, high) in RANGES.items()
    ]
    apart = (np.stack(columns, -1)[:, None] - vectors) ** 2
    return np.clip(np.exp(-gamma * apart.sum(-1)) @ weights - offset, 0.0, 100.0)
