"""`jaxvqa evaluate` and `jaxvqa train`: files, tables, exit codes, and models that others read."""

import csv
import json
import runpy
import shlex
import shutil
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxvqa
from jaxvqa._cli.main import main
from jaxvqa._scoring import programs
from jaxvqa.evaluation import evaluate
from jaxvqa.fusion import predict
from jaxvqa.training import Recipe, TrainingData, fit_model
from tests import clips, tolerances
from tests.studies import NAMES, simulated, write_study
from tests.test_docs import ROOT, blocks


@pytest.fixture(scope="module")
def data():
    return simulated(1)


@pytest.fixture(scope="module")
def saved(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("saved")
    write_study(folder, data)
    return folder


@pytest.fixture(autouse=True)
def no_cache(monkeypatch):
    monkeypatch.setenv("JAXVQA_CACHE", "off")
    monkeypatch.setattr("jaxvqa._study.train.RESAMPLES", 10)


@pytest.fixture(autouse=True, scope="module")
def compile_fast():
    """Each program runs on a few small frames; other tests compile theirs anew."""
    before = jax.config.values["jax_disable_most_optimizations"]
    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", before)
    jax.clear_caches()
    programs.forget()


def test_evaluate_writes_what_the_library_finds(saved, data, tmp_path, capsys):
    out, picture = tmp_path / "figures.json", tmp_path / "scatter.svg"
    judged = ["--metric", "integer_adm2", "--model", "vmaf_v0.6.1", "--bootstrap", "4"]
    files = ["-o", str(out), "--plot", str(picture)]
    command = ["evaluate", str(saved / "clips.csv"), *judged, *files]
    assert main([*command, "--per-content"]) == 0
    printed = capsys.readouterr().out
    found = json.loads(out.read_text())
    values = {
        name: [clip["values"][name] for clip in found["clips"]]
        for name in ("integer_adm2", "vmaf_v0.6.1")
    }
    np.testing.assert_allclose(values["integer_adm2"], data.pooled[:, 0], rtol=1e-12)
    expected = evaluate(values, data.ratings, data.contents, bootstrap=4)
    for one in expected.metrics:
        assert found["metrics"][one.name]["statistics"] == pytest.approx(one.statistics, rel=1e-12)
    assert found["differences"][0]["value"] == pytest.approx(expected.differences[0].value)
    assert "mean of contents" in printed
    assert f"{expected.metrics[0].statistics['srocc']:.4f}" in printed
    svg = picture.read_text()
    for content in dict.fromkeys(data.contents):
        assert content in svg
    assert main(command) == 0
    assert picture.read_text() == svg


def test_what_is_judged_by_default(saved, tmp_path, capsys):
    rows = [{"id": i, "content": i // 2, "mos": i, "m": i * i} for i in range(6)]
    with (tmp_path / "t.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    assert main(["evaluate", str(tmp_path / "t.csv"), "--bootstrap", "0", "-o", "-"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["metrics"]["m"]["statistics"]["srocc"] == 1
    assert found["metrics"]["m"]["contents"]["1"]["clips"] == 2


@pytest.mark.parametrize(
    "arguments, code, text",
    [
        (["evaluate", "no.csv"], 3, "no.csv: cannot be read: No such file or directory."),
        (["evaluate", "CLIPS", "--metric", "x"], 3, "has no x; it has integer_adm2"),
        (["evaluate", "CLIPS", "--model", "x"], 2, "there is no model named 'x'"),
        (["evaluate", "CLIPS", "--lower", "x"], 2, "--lower names 'x', which is not judged"),
        (["evaluate", "CLIPS", "--subjective", "mos"], 3, "leave out --subjective mos"),
        (["evaluate", "CLIPS", "--rating", "x"], 3, "has no column 'x'; it has id, content"),
        (["evaluate", "CLIPS", "--feature", "psnr"], 3, "has no ref and dis to measure"),
        (["evaluate", "CLIPS", "--plot", "a.txt"], 2, "pictures end in .png, .svg or .pdf"),
        (["evaluate", "CLIPS", "-o", "no/a.json"], 2, "there is no folder"),
        (["evaluate", "CLIPS", "--bootstrap", "-1"], 2, "must be a whole number of at least 0"),
        (["train", "CLIPS", "-o", "a.json"], 2, "name --features, or a model with --start"),
        (["train", "CLIPS", "-o", "a.txt", "--start", "vmaf_v0.6.1"], 2, "end in .json"),
        (["train", "CLIPS", "-o", "a.json", "--features", "adm2"], 3, "has no adm2; it has"),
        (["train", "CLIPS", "-o", "a.json", "--features", "integer_adm2", "--cv", "99"], 2,
         "cv must be 2 to 8 parts"),
        (["train", "CLIPS", "-o", "a.json", "--features", "integer_adm2", "--start", "vmaf_v0.6.1"],
         2, "leave out --feature"),
        (["train", "CLIPS", "-o", "a.json", "--features", "integer_adm2", "--clip", "5"], 2,
         "must be the smallest and the largest score"),
        (["train", "CLIPS", "-o", "a.json", "--start", "vmaf_v1"], 3, "has no"),
        (["train", "CLIPS", "-o", "a.json", "--features", "x", "--regressor", "ridge", "--c", "3"],
         2, "--c is a number of nusvr and svr, not of ridge: leave it out"),
        (["train", "CLIPS", "-o", "a.json", "--features", "adm2", "--hidden", "8"],
         2, "--hidden is a number of mlp, not of nusvr: leave it out, or choose the regressor."),
        (["train", "CLIPS", "-o", "a.json", "--start", "x", "--norm", "none", "--nu", ".5"],
         2, "leave out --norm, --nu."),
        (["train", "CLIPS", "-o", "a.json", "--start", "vmaf_v0.6.1", "--search"], 2, "--search."),
    ],
)  # fmt: skip
def test_mistakes_are_told_in_a_sentence(
    saved, tmp_path, monkeypatch, capsys, arguments, code, text
):
    monkeypatch.chdir(tmp_path)
    given = [str(saved / "clips.csv") if a == "CLIPS" else a for a in arguments]
    assert main(given) == code
    error = capsys.readouterr().err
    assert text in error
    assert "Traceback" not in error
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "arguments",
    [
        ["evaluate", "mine.folds.csv", "--metric", "integer_adm2", "-o", "clip3.json"],
        ["evaluate", "mine.folds.csv", "--votes", "votes.json", "-o", "votes.json"],
        ["train", "mine.folds.csv", "--features", "integer_adm2", "-o", "mine.json"],
        ["train", "mine.folds.csv", "--features", "list.json", "-o", "list.json"],
        ["train", "mine.folds.csv", "--start", "path=start.json", "-o", "start.json"],
    ],
)
def test_what_is_read_is_never_written_over(saved, data, tmp_path, monkeypatch, capsys, arguments):
    folder = tmp_path / "here"
    shutil.copytree(saved, folder)
    (folder / "clips.csv").rename(folder / "mine.folds.csv")
    (folder / "list.json").write_text('["integer_adm2"]')
    jaxvqa.fusion.save_model(jaxvqa.load_model("vmaf_v0.6.1"), folder / "start.json")
    votes = [{"id": name, "subject": who, "score": who} for name in data.names for who in (1, 2)]
    (folder / "votes.json").write_text(json.dumps(votes))
    monkeypatch.chdir(folder)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert main(arguments) == 2
    assert "is one of the inputs: choose another name." in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_the_model_to_start_from_is_judged_as_it_scores(saved, data, tmp_path):
    # this one has a transform that is on by default
    name = "vmaf_v0.6.1_phone"
    output = tmp_path / "mine.json"
    command = ["train", str(saved / "clips.csv"), "--start", name, "--cv", "4", "-o", str(output)]
    assert main(command) == 0
    report = json.loads((tmp_path / "mine.report.json").read_text())
    model = jaxvqa.load_model(name)
    scores = [np.asarray(predict(model, jnp.asarray(rows))).mean() for rows in data.frames]
    expected = jaxvqa.evaluation.rmse(scores, data.ratings)
    assert report["held_out"][name]["statistics"]["rmse"] == pytest.approx(expected, rel=1e-4)


FEATURES = ",".join(NAMES)


def test_train_writes_models_folds_report_and_picture(saved, data, tmp_path, capsys):
    command = ["train", str(saved / "clips.csv"), "--features", FEATURES, "--bootstrap", "2",
               "--clip", "1,5", "--cv", "4", "--seed", "3"]  # fmt: skip
    folders = [tmp_path / name for name in ("one", "two")]
    for folder in folders:
        folder.mkdir()
        assert main([*command, "--output", str(folder / "mine.json")]) == 0
    names = {"mine.json", "mine.libvmaf.json", "mine.folds.csv", "mine.report.json", "mine.png"}
    for name in names:
        first, second = ((folder / name).read_bytes() for folder in folders)
        assert first == second, name
    assert {path.name for path in folders[0].iterdir()} == names
    model = jaxvqa.load_model(folders[0] / "mine.json")
    assert model.size == 2
    assert model.info.score_range == (1, 5)
    assert jaxvqa.load_model(folders[0] / "mine.libvmaf.json").features == model.features
    with (folders[0] / "mine.folds.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert sorted(row["id"] for row in rows) == sorted(data.names)
    report = json.loads((folders[0] / "mine.report.json").read_text())
    assert report["data_sha256"] == data.digest
    assert report["seed"] == 3
    held = [float(row["prediction"]) for row in rows]
    ratings = [float(row["rating"]) for row in rows]
    # told to who scores with it, with three digits
    misses = np.abs(np.subtract(held, ratings))
    expected = misses.mean(), np.percentile(misses, 95)
    assert model.info.typical_error == pytest.approx(expected, rel=0.005)
    figures = report["held_out"]["mine, held out"]["statistics"]
    assert figures["srocc"] == pytest.approx(jaxvqa.evaluation.srocc(held, ratings))
    assert "held out" in capsys.readouterr().out


@pytest.mark.parametrize("start", [[], ["--start", "vmaf_v0.6.1"]], ids=["fitted", "started"])
def test_libvmaf_scores_as_we_do_with_a_model_made_here(saved, tmp_path, start):
    pytest.importorskip("imageio_ffmpeg")
    from tests.real_files import run

    chosen = start or ["--features", FEATURES]
    output = tmp_path / "mine.json"
    command = ["train", str(saved / "clips.csv"), *chosen, "--cv", "none", "-o", str(output)]
    assert main(command) == 0
    ref, dis = (clips.path("bbb_320x180", side) for side in ("ref", "dis"))
    log = tmp_path / "log.json"
    theirs = tmp_path / "mine.libvmaf.json"
    options = f"model=path={theirs}:log_fmt=json:log_path={log}:n_threads=1"
    run("-i", dis, "-i", ref, "-lavfi", f"[0:v][1:v]libvmaf={options}", "-f", "null", "-")
    frames = [frame["metrics"]["vmaf"] for frame in json.loads(log.read_text())["frames"]]
    for file in (output, theirs):
        ours = jaxvqa.score(ref, dis, model=file).frames["vmaf"]
        np.testing.assert_allclose(ours, frames, rtol=0, atol=tolerances.TRAINED_IN_LIBVMAF)
    assert np.ptp(frames) > 100 * tolerances.TRAINED_IN_LIBVMAF


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A small study of videos, as the page on training has its reader make it."""
    folder = tmp_path_factory.mktemp("made")
    before = sys.argv
    sys.argv = ["make_study.py", str(folder / "study"), "--contents", "2"]
    try:
        runpy.run_path(str(ROOT / "examples" / "make_study.py"), run_name="__main__")
    finally:
        sys.argv = before
    return folder


def test_the_commands_of_the_page_run(study, monkeypatch, capsys):
    monkeypatch.chdir(study)
    monkeypatch.setenv("JAXVQA_CACHE", str(study / "cache"))
    commands = [
        shlex.split(line)[1:]
        for block in blocks(ROOT / "docs" / "training.md", "bash")
        for line in block.splitlines()
        if line.startswith("jaxvqa")
    ]
    assert [words[0] for words in commands] == ["evaluate", "train", "score", "train"]
    for words in commands:
        # two contents make two parts; the page's study has more
        words = ["2" if word == "4" else word for word in words]
        more = ["--bootstrap", "0"] if words[0] == "evaluate" else []
        assert main([*words, *more]) == 0, capsys.readouterr().err
    for name in ("judged.png", "mine.json", "mine.folds.csv", "tuned.libvmaf.json"):
        assert (study / "study" / name).stat().st_size
    # a second run measures nothing
    monkeypatch.setattr("jaxvqa._cli.study_options.score_request", None)
    first = (study / "study" / "mine.json").read_bytes()
    assert main(commands[1]) == 0
    assert (study / "study" / "mine.json").read_bytes() == first


@pytest.mark.parametrize("name", ["y_funque_plus", "3c_funque_plus"])
def test_models_over_funque_plus_save_load_score_and_have_losses(tmp_path, name):
    refs = jaxvqa.fusion.feature_refs([name])
    rng = np.random.default_rng(0)
    rows = rng.uniform(0, 1, (12, 1, len(refs)))
    quality = 5 - 3 * rows[:, 0, [r.key.find("ms_ssim") > 0 for r in refs].index(True)]
    names = [f"c{i}" for i in range(12)]
    model = fit_model(TrainingData(list(rows), quality, names, refs, names), Recipe("nusvr"))
    path = tmp_path / "mine.json"
    jaxvqa.fusion.save_model(model, path)
    assert jaxvqa.load_model(path).features == refs
    y = clips.textured(rng, (2, 64, 96), 8)
    chroma = y[:, ::2, ::2], y[:, 1::2, 1::2]
    ref, dis = jaxvqa.Planes(y, *chroma), jaxvqa.Planes(y // 2 + 50, *chroma)
    if name == "y_funque_plus":  # one set is enough: both are scored by the same code
        result = jaxvqa.score(ref, dis, model=path)
        series = [result.frames[r.key.removeprefix("FUNQUE_feature_").removesuffix("_score")]
                  for r in refs]  # fmt: skip
        from jaxvqa.training._predict import predict_rows

        expected = predict_rows(model, np.stack(series, axis=1).astype(np.float64))
        np.testing.assert_allclose(result.frames[model.name], expected, rtol=0, atol=1e-6)

    def loss(luma):
        return jaxvqa.losses.vmaf(
            jaxvqa.Planes(*(jnp.asarray(p, jnp.float32) for p in (y, *chroma)), bit_depth=8),
            jaxvqa.Planes(luma, *(jnp.asarray(p, jnp.float32) for p in chroma), bit_depth=8),
            model=path,
            reduction="mean",
        )

    value, gradient = jax.jit(jax.value_and_grad(loss))(jnp.asarray(y // 2 + 50, jnp.float32))
    assert np.isfinite(value)
    assert np.isfinite(gradient).all()
    assert np.abs(gradient).max() > 0
