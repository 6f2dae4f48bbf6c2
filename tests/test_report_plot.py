"""Saved results come back as they were, and are drawn."""

import importlib
import json
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from jaxvqa import report
from tests.test_report import NAN, make

# the first lines of a log of libvmaf's vmaf tool, shortened
LIBVMAF_LOG = """{
  "version": "3.0.0",
  "fps": 61.31,
  "frames": [
    {"frameNum": 0, "metrics": {"integer_adm2": 0.9, "vmaf": 70.5}},
    {"frameNum": 2, "metrics": {"integer_adm2": null, "vmaf": 71.5, "late": 1}}
  ],
  "pooled_metrics": {"vmaf": {"min": 70.5, "max": 71.5, "mean": 71, "harmonic_mean": 70.996528}},
  "aggregate_metrics": {}
}"""


def test_our_json_comes_back(tmp_path):
    result = make({"a": [0.5, NAN, 1.0], "x": [90.0, 80.0, 70.0]}, numbers=(0, 2, 4), names=("x",))
    report.write(result, tmp_path / "r.json")
    saved = report.load(tmp_path / "r.json")
    assert saved.score_names == ("x",)
    assert saved.models == ("vmaf_v0.6.1",)
    assert saved.score == result.score == 80.0
    assert saved.fps == 30.0
    assert list(saved.frames) == ["a", "x"]
    np.testing.assert_array_equal(saved.frame_numbers, [0, 2, 4])
    np.testing.assert_array_equal(saved.frames["a"], result.frames["a"])
    assert saved.pooled["x"] == result.pooled["x"]


def test_libvmafs_json_comes_back(tmp_path):
    (tmp_path / "log.json").write_text(LIBVMAF_LOG)
    saved = report.load(tmp_path / "log.json")
    assert (saved.score, saved.score_names, saved.models, saved.fps) == (71.0, ("vmaf",), (), None)
    np.testing.assert_array_equal(saved.frames["integer_adm2"], [0.9, NAN])
    np.testing.assert_array_equal(saved.frames["late"], [NAN, 1.0])
    np.testing.assert_array_equal(saved.frame_numbers, [0, 2])


@pytest.mark.parametrize(
    "text, problem",
    [
        ("not json", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ("\x80\xff", "is not JSON"),
        ("[]", "no list of frames"),
        ('{"frames": []}', "no list of frames"),
        ('{"frames": [1]}', "no frameNum and metrics in its frame 0"),
        ('{"frames": [{"frameNum": 0, "metrics": {}}]}', "no metrics"),
        ('{"frames": [{"frameNum": 0, "metrics": {"a": "b"}}]}', "not a number"),
        ('{"frames": [{"frameNum": 0, "metrics": {"a": true}}]}', "not a number"),
        ('{"frames": [{"frameNum": 0, "metrics": {"a": 1%s}}]}' % ("0" * 400), "too large"),
        ('{"frames": [{"frameNum": 1%s, "metrics": {"a": 1}}]}' % ("0" * 30), "too large"),
    ],
)
def test_other_files_are_refused_in_one_sentence(tmp_path, text, problem):
    path = tmp_path / "log.json"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(report.ResultFileError, match=problem) as caught:
        report.load(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(report.ResultFileError, match="No such file"):
        report.load(tmp_path / "none.json")


@pytest.mark.parametrize("block", [1, {"models": 3, "clip": []}, {"clip": {"fps": "x"}}])
def test_a_damaged_block_of_ours_is_ignored(tmp_path, block):
    document = json.loads(LIBVMAF_LOG) | {"jaxvqa": block}
    (tmp_path / "log.json").write_text(json.dumps(document))
    assert report.load(tmp_path / "log.json").fps is None


def svg_text(path):
    return " ".join("".join(e.itertext()) for e in ET.parse(path).iter() if e.tag.endswith("text"))


@pytest.fixture
def readable_svg(monkeypatch):
    """Text in pictures stays text, so that tests can read it."""
    module = importlib.import_module("jaxvqa.report._style")
    monkeypatch.setitem(module.STYLE, "svg.fonttype", "none")


def test_a_plot_says_what_it_shows(tmp_path, readable_svg):
    report.plot(make(), tmp_path / "p.svg")
    text = svg_text(tmp_path / "p.svg")
    assert "vmaf (vmaf_v0.6.1): mean 90.00 over 3 frames" in text
    assert "min 80.00 at frame 1" in text
    assert "frame (30 frames per second)" in text


def test_several_results_share_a_chart_with_a_legend(tmp_path, readable_svg):
    report.plot([make(), make({"vmaf": [1.0, 2.0, 3.0]})], tmp_path / "p.svg", ["_one", "$two$"])
    text = svg_text(tmp_path / "p.svg")
    for part in ("vmaf per frame", "_one", "$two$", "mean 90.00", "mean 2"):
        assert part in text


def test_metrics_get_a_panel_each(tmp_path, readable_svg):
    report.plot(make(), tmp_path / "p.svg", metrics=["vmaf", "integer_adm2"])
    text = svg_text(tmp_path / "p.svg")
    assert "integer_adm2: mean 0.5 over 3 frames" in text
    assert "vmaf (vmaf_v0.6.1): mean" in text


@pytest.mark.parametrize("values", [[5.0], [NAN, NAN, NAN], [7.0, 7.0, 7.0], [1e-9, 0.0, 1e9]])
@pytest.mark.parametrize("suffix", ["png", "pdf"])
def test_any_series_can_be_drawn_and_equal_ones_give_equal_files(tmp_path, values, suffix):
    result = make({"a": values}, numbers=range(len(values)), names=())
    for name in ("one", "two"):
        report.plot(result, tmp_path / f"{name}.{suffix}")
    first = (tmp_path / f"one.{suffix}").read_bytes()
    assert len(first) > 1000
    assert first == (tmp_path / f"two.{suffix}").read_bytes()


def test_bad_plots_are_refused(tmp_path):
    with pytest.raises(ValueError, match="has no metric 'x'; it has: integer_adm2, vmaf"):
        report.plot(make(), tmp_path / "p.png", metrics=["x"])
    with pytest.raises(ValueError, match="png, svg, pdf"):
        report.plot(make(), tmp_path / "p.bmp")
    with pytest.raises(ValueError, match="2 results need as many names, got 1"):
        report.plot([make(), make()], tmp_path / "p.png", ["a"])
    with pytest.raises(ValueError, match="nothing to plot"):
        report.plot([], tmp_path / "p.png")
    assert not list(tmp_path.iterdir())
