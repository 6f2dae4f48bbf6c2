"""How well FUNQUE's features predict VMAF: fits, and their errors on contents that no fit saw.

FOLDER is that of `estimate_data.py`. Regressors are chosen by cross validation over the training
contents; the test contents are moving clips at 1920x1080. `--save FILE` writes the model of
v0.6.1 on the eight features of Y-FUNQUE+ and FUNQUE.

    python benchmarks/estimate_fit.py FOLDER --json benchmarks/results/estimate.json
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from _report import Column, Report, parser

from jaxvqa.evaluation import plcc, srocc
from jaxvqa.fusion import FeatureRef, Model, ModelInfo, feature_refs, save_model
from jaxvqa.fusion._model import AnyModel, describe
from jaxvqa.training import Recipe, TrainingData, fit_model
from jaxvqa.training._predict import predict_rows

TARGETS = ("vmaf_v0.6.1", "vmaf_v1.0.16_3d0h")
SETS = {
    "PSNR": ("psnr",),
    "Y-FUNQUE+": ("y_funque_plus",),
    "FUNQUE": ("funque",),
    "Y-FUNQUE+ and FUNQUE": ("y_funque_plus", "funque"),
    "3C-FUNQUE+": ("3c_funque_plus",),
    "all three": ("y_funque_plus", "funque", "3c_funque_plus"),
}
# luma alone: with the chroma set the features would cost twice as much
SHIPPED = "Y-FUNQUE+ and FUNQUE"
RECIPES = (
    Recipe("ridge", "normalize", penalty=1e-4),
    *(
        Recipe("svr", "normalize", C=C, gamma=gamma, epsilon=0.05)
        for C in (3.0, 30.0, 300.0)
        for gamma in (0.003, 0.01, 0.03, 0.1)
    ),
    Recipe("mlp", "normalize", hidden=(16, 16), penalty=1e-4, steps=3000),
)
FOLDS = 5
LIMITS = {"plcc": 0.98, "mae": 2.5, "p95": 8.0}


class Rows(NamedTuple):
    """Clips: names, facts, and `(clips, frames)` values by column."""

    content: np.ndarray
    distortion: np.ndarray
    test: np.ndarray
    values: dict[str, np.ndarray]


def load(folder: Path) -> Rows:
    """All rows that `estimate_data.py` has made."""
    files = sorted((folder / "rows").glob("*.parquet"))
    table = pa.concat_tables([pq.read_table(file) for file in files])
    frames = int(np.asarray(table["frame"]).max()) + 1
    columns = {n: np.asarray(table[n]).reshape(-1, frames) for n in table.column_names}
    content, distortion, use = (
        columns.pop(name)[:, 0] for name in ("content", "distortion", "use")
    )
    return Rows(content, distortion, use == "test", columns)


def published(ref: FeatureRef) -> str:
    """Name of a feature's series in results that hold all sets."""
    name = ref.key.split("_feature_")[-1].removesuffix("_score")
    shared = name in ("ms_ssim_cov_channel_y_levels_2", "dlm_channel_y_scale_2")
    return f"3c_funque_plus.{name}" if shared and ref.extractor == "3c_funque_plus" else name


def dataset(rows: Rows, names: tuple[str, ...], target: str, chosen: np.ndarray) -> TrainingData:
    """Some clips with the features of a set and the scores of a model."""
    refs = feature_refs(names)
    if names == ("psnr",):
        refs = tuple(ref for ref in refs if "psnr_y" in ref.key)
    stack = np.stack([rows.values[published(ref)][chosen] for ref in refs], axis=-1)
    clips = [f"{c}/{d}" for c, d in zip(rows.content[chosen], rows.distortion[chosen], strict=True)]
    ratings = rows.values[target][chosen].mean(1)
    return TrainingData(list(stack), ratings, list(rows.content[chosen]), refs, clips)


def figures(found: np.ndarray, wanted: np.ndarray) -> dict[str, float]:
    """Errors of predicted clip scores, in points."""
    miss = np.abs(found - wanted)
    return {
        "plcc": plcc(found, wanted), "srocc": srocc(found, wanted), "mae": miss.mean(),
        "p95": np.percentile(miss, 95), "bias": (found - wanted).mean(),
    }  # fmt: skip


def predicted(model: Model, frames: Sequence[np.ndarray]) -> np.ndarray:
    """Clip scores: the mean over the frames, as `jaxvqa score` pools."""
    scores = predict_rows(model, np.concatenate(list(frames)))
    return scores.reshape(len(frames), -1).mean(1)


def held_out(data: TrainingData, recipe: Recipe) -> np.ndarray:
    """Predictions of training contents by fits that did not see them."""
    contents = sorted(set(data.contents))
    part = {content: i % FOLDS for i, content in enumerate(contents)}
    of = np.array([part[content] for content in data.contents])
    found = np.zeros(data.size)
    for fold in range(FOLDS):
        (kept,), (out,) = np.nonzero(of != fold), np.nonzero(of == fold)
        model = fit_model(data.take(kept), recipe, score_clip=(0.0, 100.0))
        found[out] = predicted(model, [data.frames[i] for i in out])
    return found


def study(rows: Rows, target: str, names: tuple[str, ...]) -> dict[str, Any]:
    """One line of the table, with the model and its predictions of the test clips."""
    train = dataset(rows, names, target, ~rows.test)
    test = dataset(rows, names, target, rows.test)
    errors = [np.abs(held_out(train, recipe) - train.ratings).mean() for recipe in RECIPES]
    recipe = RECIPES[int(np.argmin(errors))]
    model = fit_model(train, recipe, score_clip=(0.0, 100.0), info=ModelInfo(name="vmaf_estimate"))
    found = predicted(model, test.frames)
    return {
        "recipe": recipe, "cv": min(errors), "model": model, "found": found, "test": test,
        **figures(found, test.ratings),
    }  # fmt: skip


COLUMNS = (
    Column("target", "target", "s", 18),
    Column("features", "features", "s", 22),
    Column("regressor", "regressor", "s", 10),
    Column("cv", "held-out MAE", ".2f", 13),
    Column("plcc", "PLCC", ".4f", 8),
    Column("srocc", "SROCC", ".4f", 8),
    Column("mae", "MAE", ".2f", 7),
    Column("p95", "p95 error", ".2f", 10),
    Column("bias", "bias", ".2f", 7),
    Column("meets", "ships", "s", 6),
)


def worst(done: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Where an estimate errs most: by distortion and by content, worst first."""
    test, miss = done["test"], done["found"] - done["test"].ratings
    keys = {"distortion": [name.split("/")[1] for name in test.names], "content": test.contents}
    found = {}
    for title, names in keys.items():
        of = np.array(names)
        rows = [
            {
                "name": key,
                "mae": float(np.abs(miss[of == key]).mean()),
                "bias": float(miss[of == key].mean()),
                "largest": float(np.abs(miss[of == key]).max()),
            }
            for key in sorted(set(names))
        ]
        found[title] = sorted(rows, key=lambda row: -row["mae"])
    return found


def plot(done: dict[str, Any], file: Path) -> None:
    """Predictions of the test clips against VMAF; the two contents that err most in colour."""
    from matplotlib.figure import Figure

    test, found = done["test"], done["found"]
    of = np.array(test.contents)
    marked = [row["name"] for row in worst(done)["content"][:2]]
    axes = Figure(figsize=(5.2, 4.8), dpi=100, layout="constrained").subplots()
    axes.plot([0, 100], [0, 100], color="0.8")
    others = ~np.isin(of, marked)
    axes.plot(test.ratings[others], found[others], ".", color="0.5", label="other contents")
    for name in marked:
        own = of == name
        axes.plot(test.ratings[own], found[own], "o", ms=4, label=name.removeprefix("test_"))
    axes.set(xlabel="vmaf_v0.6.1", ylabel="vmaf_estimate", aspect="equal")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    axes.figure.savefig(file)


def print_worst(found: dict[str, list[dict[str, Any]]]) -> None:
    """The same as text."""
    for title, rows in found.items():
        print(f"\n{title:28} {'MAE':>6} {'bias':>6} {'largest':>8}")
        for row in rows:
            numbers = f"{row['mae']:6.2f} {row['bias']:6.2f} {row['largest']:8.2f}"
            print(f"{row['name']:28} {numbers}")


def described(done: dict[str, Any]) -> AnyModel:
    """The model with what a person wants to know about it, errors on the test clips included."""
    return describe(
        done["model"],
        name="vmaf_estimate",
        summary="vmaf_v0.6.1 estimated from FUNQUE's features: for sorting and search, not for "
        "reporting; it imitates a model and has seen no person's rating",
        display="1080p TV",
        viewing_distance="3 picture heights",
        score_range=(0.0, 100.0),
        bit_depth="8 bits",
        source="benchmarks/estimate_fit.py of jaxvqa",
        revision="1",
        license="Apache-2.0",
        typical_error=(round(float(done["mae"]), 2), round(float(done["p95"]), 2)),
    )


def meets(row: dict[str, Any]) -> bool:
    """Whether an estimate is good enough to ship."""
    close = row["mae"] <= LIMITS["mae"] and row["p95"] <= LIMITS["p95"]
    return close and row["plcc"] >= LIMITS["plcc"]


def main() -> None:
    options = parser(__doc__ or "")
    options.add_argument("folder", type=Path, help="what estimate_data.py was given")
    options.add_argument("--only", choices=SETS, nargs="+", default=list(SETS), help="feature sets")
    options.add_argument("--targets", choices=TARGETS, nargs="+", default=list(TARGETS))
    options.add_argument("--save", type=Path, help="write the model that ships")
    options.add_argument("--plot", type=Path, help="write a scatter of its test scores here")
    given = options.parse_args()
    rows = load(given.folder)
    trained, tested = (len(set(rows.content[use])) for use in (~rows.test, rows.test))
    distortions = len(set(rows.distortion))
    content = (
        f"{trained} contents to train on at 270 to 1080 lines, {tested} moving clips at 1080 lines "
        f"to test on, {distortions} distortions of each, {rows.values['frame'].shape[1]} frames"
    )
    report = Report("estimate_fit.py", content, COLUMNS, given, "none")
    best: dict[str, Any] = {}
    for target in given.targets:
        for name in given.only:
            done = study(rows, target, SETS[name])
            keys = ("cv", "plcc", "srocc", "mae", "p95", "bias")
            report.add(
                target=target, features=name, regressor=done["recipe"].regressor,
                recipe=done["recipe"].numbers, meets="yes" if meets(done) else "no",
                **{key: float(done[key]) for key in keys},
            )  # fmt: skip
            if target == TARGETS[0] and name == SHIPPED:
                best = done
    if best:
        report.facts["worst"] = worst(best)
        print(f"\n{SHIPPED}: {best['recipe'].numbers}")
        print_worst(report.facts["worst"])
        if given.plot is not None:
            plot(best, given.plot)
        if given.save is not None:
            save_model(described(best), given.save)
    report.save()


if __name__ == "__main__":
    main()
