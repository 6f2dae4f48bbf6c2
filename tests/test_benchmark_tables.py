"""Benchmarks: their options, what they record, and that the pages show the recorded runs."""

import argparse
import json
import sys

import numpy as np
import pytest

from jaxvqa.features import _registry as catalog
from tests import scripts

report = scripts.load("_report")
clips = scripts.load("_clips")
tables = scripts.load("tables")
# what begins with an underscore is read by scripts; the others make model files or data
SCRIPTS = {path.stem for path in scripts.FOLDER.glob("[!_]*.py")} - {
    "estimate_clips", "estimate_data", "hlo_cost", "import_models",
}  # fmt: skip


@pytest.mark.parametrize("page", tables.PAGES)
def test_pages_show_the_recorded_runs(page):
    text = (tables.ROOT / page).read_text()
    assert tables.MARKED.search(text)
    assert tables.render(text) == text


def test_every_table_is_shown_somewhere():
    pages = "".join((tables.ROOT / page).read_text() for page in tables.PAGES)
    shown = {name for _, name, _ in tables.MARKED.findall(pages)}
    assert shown == set(tables.TABLES)
    assert pages.count("<!-- table:") == len(tables.MARKED.findall(pages))


@pytest.mark.parametrize("file", sorted(tables.RESULTS.glob("*.json")), ids=lambda file: file.stem)
def test_runs_say_where_they_come_from(file):
    run = json.loads(file.read_text())
    assert all(run[key] for key in ("script", "date", "processor", "cores", "content", "rows"))
    assert {"jaxvqa", "jax", "jaxlib", "numpy", "python"} <= set(run["versions"])


def test_a_table_that_does_not_exist_is_said():
    page = "a\n<!-- table: nowhere -->\n<!-- end -->\n"
    with pytest.raises(tables.Problem, match="no table named nowhere"):
        tables.render(page)


def test_what_stands_between_the_markers_is_replaced():
    page = "a\n<!-- table: machine -->\nold\n<!-- end -->\nb\n"
    text = tables.render(page)
    assert text.startswith("a\n<!-- table: machine -->\n")
    assert text.endswith("\n<!-- end -->\nb\n")
    assert "old" not in text
    assert tables.render(text) == text


def test_runs_of_two_machines_are_refused(tmp_path, monkeypatch):
    run = {"versions": {"jax": "1"}, "cores": 2, "date": "2026-01-01"}
    for name in ("one", "other"):
        (tmp_path / f"{name}.json").write_text(json.dumps(run | {"processor": name}))
    monkeypatch.setattr(tables, "RESULTS", tmp_path)
    with pytest.raises(tables.Problem, match="several machines"):
        tables.machine()


@pytest.mark.parametrize("name", sorted(SCRIPTS))
def test_every_script_explains_itself(name, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", [name, "--help"])
    with pytest.raises(SystemExit) as stopped:
        scripts.load(name).main()
    assert stopped.value.code == 0
    said = capsys.readouterr().out
    assert f"benchmarks/{name}.py" in said
    assert name == "tables" or "--json" in said


def test_speed_measures_everything_that_is_registered():
    assert set(catalog.FEATURES) < set(scripts.load("speed").NAMES)


def test_spread_and_its_text():
    found = report.spread([3.0, 1.0, 2.0])
    assert found == {"min": 1.0, "median": 2.0, "max": 3.0}
    assert report.rates(6, [1.0, 2.0, 3.0]) == {"min": 2.0, "median": 3.0, "max": 6.0}
    assert report.cell(found, ".1f") == "2.0 (1.0 to 3.0)"
    assert report.cell(report.spread([4.0]), ".1f") == "4.0"
    assert [report.cell(x, ".1f") for x in (None, "a", 2.0, [1.0, 2.0])] == [
        "",
        "a",
        "2.0",
        "1.0 2.0",
    ]


def test_a_run_is_printed_and_written(tmp_path, capsys):
    file = tmp_path / "run.json"
    arguments = argparse.Namespace(json=file, passes=3, size="8x8", golden=tmp_path)
    columns = [report.Column("name", "", "s", 6), report.Column("fps", "fps", ".1f", 18)]
    run = report.Report("test", "eight frames", columns, arguments, "1 cpu")
    run.add(name="vif", fps=report.spread([1.0, 2.0, 3.0]), largest=float("inf"))
    run.save()
    written = json.loads(file.read_text())
    assert written["options"] == {"passes": 3, "size": "8x8"}
    assert written["content"] == "eight frames"
    assert written["rows"] == [
        {"name": "vif", "fps": {"min": 1.0, "median": 2.0, "max": 3.0}, "largest": "inf"}
    ]
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "vif      2.0 (1.0 to 3.0)"
    assert "median (minimum to maximum) of 3 passes" in lines


def test_a_folder_that_is_not_there_is_said_before_measuring(tmp_path):
    arguments = argparse.Namespace(json=tmp_path / "nowhere" / "run.json")
    with pytest.raises(SystemExit, match="no folder"):
        report.Report("test", "nothing", [], arguments, "1 cpu")


@pytest.mark.parametrize("name", sorted(clips.CLIPS))
def test_clips_move_and_are_distorted(name):
    sides = clips.CLIPS[name][1](160, 96, 3)
    for video in sides:
        shapes = [plane.shape for plane in (video.y, video.u, video.v)]
        assert shapes == [(3, 96, 160), (3, 48, 80), (3, 48, 80)]
        assert (video.y[0] != video.y[1]).any()
    ref, dis = (video.y.astype(float) for video in sides)
    assert 0.05 < ((ref - dis) ** 2).mean() < 400
    assert np.corrcoef(ref.ravel(), dis.ravel())[0, 1] > 0.8


def test_a_film_is_read_back_as_it_was_written(tmp_path):
    video = clips.make_clip(96, 64, 2)[0]
    clips.encode(tmp_path / "clip.mkv", video, {"qp": "0", "preset": "ultrafast"})
    found = clips.read_clip(tmp_path / "clip.mkv")
    for plane in ("y", "u", "v"):
        np.testing.assert_array_equal(getattr(found, plane), getattr(video, plane))


def test_rates_of_each_clip_stand_in_one_cell(tmp_path, monkeypatch):
    rows = [
        {"clip": clip, "name": name}
        | {key: report.spread([rate]) for key in ("compute", "y4m", "h264", "decode")}
        for clip, rate in (("mosaic", 1.0), ("dusk", 2.0)) for name in ("vif", "adm")
    ]  # fmt: skip
    ratios = [{"clip": "dusk", "name": "vif", "ratio": 0.5}]
    for name, found in (("speed", rows), ("versus", ratios)):
        run = {"content": "two clips (made)", "peer": "", "options": {}, "rows": found}
        (tmp_path / f"{name}.json").write_text(json.dumps(run))
    monkeypatch.setattr(tables, "RESULTS", tmp_path)
    tables.run_of.cache_clear()
    text = tables.speed()
    tables.run_of.cache_clear()
    assert "Frames per second: mosaic / dusk. Decoding alone: 1 / 2." in text
    assert text.splitlines()[-2:] == [
        "| `vif` | 1 / 2 | 1 / 2 | 1 / 2 |  | 0.50 |",
        "| `adm` | 1 / 2 | 1 / 2 | 1 / 2 |  |  |",
    ]
