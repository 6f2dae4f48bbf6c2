"""Scores of libvmaf models in plain float64 Python, one frame and one support vector at a time.

Written from the description of the file format; it shares no code with the package.
"""

import json
import math
from pathlib import Path

import numpy as np


def from_libvmaf(model_dict):
    """Numbers of one `model_dict` of libvmaf's format."""
    head, body = model_dict["model"].split("\nSV\n")
    header = dict(line.split(" ", 1) for line in head.splitlines())
    rows = []
    for line in body.splitlines():
        first, *pairs = line.split()
        row = [float(first)] + [0.0] * len(model_dict["feature_names"])
        for pair in pairs:
            index, value = pair.split(":")
            row[int(index)] = float(value)
        rows.append(row)
    numbers = {"gamma": float(header["gamma"]), "rho": float(header["rho"]), "rows": rows}
    numbers["names"] = model_dict["feature_names"]
    return numbers | _settings(model_dict)


def from_own(folder, name):
    """Numbers of a shipped file: the main model's, then those of its members."""
    values = json.loads((Path(folder) / f"{name}.json").read_text())
    svrs = [_svr(folder, values["svr"])]
    members = values.get("members", [])
    if isinstance(members, dict):
        other = json.loads((Path(folder) / f"{members['same_as']}.json").read_text())
        members = other["members"]
    svrs += [member["svr"] for member in members]
    names = [feature["key"] for feature in values["features"]]
    return [
        {"gamma": s["gamma"], "rho": s["rho"], "rows": s["support_vectors"], "names": names}
        | _settings(values)
        for s in svrs
    ]


def _svr(folder, svr):
    if "same_as" in svr:
        return json.loads((Path(folder) / f"{svr['same_as']}.json").read_text())["svr"]
    return svr


def _settings(values):
    keys = ("score_transform", "score_clip", "chroma_correction_parameter")
    settings = {key: values.get(key) for key in keys}
    rescale = values["norm_type"] == "linear_rescale"
    return settings | {
        "slopes": values["slopes"] if rescale else None,
        "intercepts": values["intercepts"] if rescale else None,
    }


def raw(numbers, features):
    """Score of one frame before transform and clip."""
    x = [float(value) for value in features]
    if numbers["chroma_correction_parameter"] is not None:
        (adm,) = [i for i, name in enumerate(numbers["names"]) if "adm3" in name]
        (chroma,) = [i for i, name in enumerate(numbers["names"]) if "speed_chroma" in name]
        if x[chroma] == 0.0:
            x[chroma] = numbers["chroma_correction_parameter"] * (1.0 - x[adm])
    slopes, intercepts = numbers["slopes"], numbers["intercepts"]
    if slopes is not None:
        x = [slopes[i + 1] * value + intercepts[i + 1] for i, value in enumerate(x)]
    total = -numbers["rho"]
    for alpha, *vector in numbers["rows"]:
        distance = sum((a - b) ** 2 for a, b in zip(x, vector, strict=True))
        total += alpha * math.exp(-numbers["gamma"] * distance)
    return total if slopes is None else (total - intercepts[0]) / slopes[0]


def transformed(transform, score):
    """Polynomial, knots and rectification of one score."""
    out = score
    coefficients = [transform.get(key) for key in ("p0", "p1", "p2")]
    if any(c is not None for c in coefficients):
        out = sum((c or 0.0) * score**power for power, c in enumerate(coefficients))
    knots = transform.get("knots")
    if knots:
        x, last = out, len(knots) - 2
        for i in range(last + 1):
            (x0, y0), (x1, y1) = knots[i], knots[i + 1]
            before, after = i == 0 and x < x0, i == last and x > x1
            if x0 <= x <= x1 or before or after:
                out = y0 if y0 == y1 else y0 + (y1 - y0) / (x1 - x0) * (x - x0)
    if transform.get("out_lte_in") in ("true", True):
        out = min(out, score)
    if transform.get("out_gte_in") in ("true", True):
        out = max(out, score)
    return out


def published(numbers, score, transform=None, clip=True):
    """Transform and clip of one raw score."""
    own = numbers["score_transform"]
    if own is not None and (own.get("enabled", False) if transform is None else transform):
        score = transformed(own, score)
    if clip and numbers["score_clip"] is not None:
        low, high = numbers["score_clip"]
        score = min(max(score, low), high)
    return score


def collection(models, features, transform=None, clip=True):
    """All scores of one frame: {suffix: score}; `models` is the main one and its members."""
    main, *members = models
    scores = {"": published(main, raw(main, features), transform, clip)}
    values = [raw(member, features) for member in members]
    for i, (member, value) in enumerate(zip(members, values, strict=True)):
        scores[f"_{i + 1:04d}"] = published(member, value, transform, clip)
    mean = sum(values) / len(values)
    spread = math.sqrt(sum((v - mean) ** 2 for v in values) / len(values))

    def carry(score):
        return published(members[0], score, transform, clip)

    scores["_bagging"] = carry(mean)
    scores["_stddev"] = spread * (carry(mean + 0.01) - carry(mean - 0.01)) / 0.02
    scores["_ci_p95_lo"] = carry(float(np.percentile(values, 2.5)))
    scores["_ci_p95_hi"] = carry(float(np.percentile(values, 97.5)))
    return scores
