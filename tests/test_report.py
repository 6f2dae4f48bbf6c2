"""Result files: libvmaf's layouts, its number rule, what is undefined, and whole-or-nothing."""

import csv
import dataclasses
import io
import json
import os
import stat
import xml.etree.ElementTree as ET

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jaxvqa import report
from jaxvqa._optional import MissingPackage
from jaxvqa._scoring.result import ClipInfo, Notice, Result, Timing
from jaxvqa.report._atomic import write_atomically
from jaxvqa.report._numbers import format_number

NAN = float("nan")


def make(frames=None, numbers=(0, 1, 2), names=("vmaf",), notices=()):
    frames = frames or {"integer_adm2": [0.5, 0.25, 0.75], "vmaf": [90.0, 80.0, 100.0]}
    return Result(
        frames={k: np.array(v) for k, v in frames.items()},
        frame_numbers=np.array(numbers),
        score_names=names,
        models=tuple("vmaf_v0.6.1" for _ in names),
        clip=ClipInfo(640, 360, 8, "420", 30.0, "ref.mkv", "dis.mkv"),
        notices=notices,
        timing=Timing(2.0, 0.5, 1.5),
    )


# the rule of libvmaf's writers: six decimals, sixteen when the fraction needs over six shifts
@pytest.mark.parametrize(
    "value, text",
    [
        (0.0, "0.000000"),
        (100.0, "100.000000"),
        (-3.5, "-3.500000"),
        (93.4567891, "93.456789"),
        (2e-6, "0.000002"),
        (1.5e-6, "0.000002"),
        (9.99e-7, "0.0000009990000000"),
        (1e-9, "0.0000000010000000"),
        (-1e-9, "-0.0000000010000000"),
        (5 + 2**-22, "5.0000002384185791"),
        (1e15, "1000000000000000.000000"),
        (1e-300, "0.0000000000000000"),
        (NAN, None),
        (float("inf"), None),
        (-float("inf"), None),
    ],
)
def test_numbers_are_written_as_libvmaf_does(value, text):
    assert format_number(value) == text


LIBVMAF_PART = """{
  "version": "VERSION",
  "fps": 1.50,
  "frames": [
    {
      "frameNum": 0,
      "metrics": {
        "integer_adm2": 0.500000,
        "vmaf": 90.000000
      }
    },
    {
      "frameNum": 3,
      "metrics": {
        "integer_adm2": 0.250000,
        "vmaf": null
      }
    }
  ],
  "pooled_metrics": {
    "integer_adm2": {
      "min": 0.250000,
      "max": 0.500000,
      "mean": 0.375000,
      "harmonic_mean": 0.363636
    },
    "vmaf": {
      "min": null,
      "max": null,
      "mean": null,
      "harmonic_mean": null
    }
  },
  "aggregate_metrics": {},
  "jaxvqa": {"""


def test_json_is_libvmafs_layout_byte_for_byte():
    result = make({"integer_adm2": [0.5, 0.25], "vmaf": [90.0, NAN]}, numbers=(0, 3))
    text = report.render_json(result)
    version = json.loads(text)["version"]
    assert text.startswith(LIBVMAF_PART.replace("VERSION", version))
    assert list(json.loads(text)) == [
        "version", "fps", "frames", "pooled_metrics", "aggregate_metrics", "jaxvqa",
    ]  # fmt: skip


def test_json_says_the_rest_under_its_own_key():
    notices = (Notice("undefined", 'a "quoted" sentence.'),)
    block = json.loads(report.render_json(make(notices=notices)))["jaxvqa"]
    assert block["schema"] == 1
    assert block["models"] == [{"name": "vmaf_v0.6.1", "score": "vmaf"}]
    assert block["clip"] == {
        "width": 640, "height": 360, "bit_depth": 8, "chroma": "420", "fps": 30.0,
        "ref_path": "ref.mkv", "dis_path": "dis.mkv", "frames_scored": 3,
    }  # fmt: skip
    assert block["warnings"] == [{"code": "undefined", "text": 'a "quoted" sentence.'}]
    assert block["pooled"]["vmaf"] == {
        "p1": 80.2, "p5": 81.0, "p10": 82.0, "p25": 85.0, "p50": 90.0, "std": 8.164966,
    }  # fmt: skip
    assert block["timing"] == {"total_s": 2.0, "waiting_for_frames_s": 0.5, "fps": 1.5}
    assert block["devices"][0]["platform"] == "cpu"
    assert set(block) == {
        "schema", "version", "jax", "devices", "models", "clip", "pooled", "warnings", "timing",
    }  # fmt: skip


def test_files_without_timing_have_no_time():
    document = json.loads(report.render_json(make(), timing=False))
    assert document["fps"] is None
    assert "timing" not in document["jaxvqa"]
    assert '<fyi fps="" />' in report.render_xml(make(), timing=False)


def test_csv_is_libvmafs_layout_and_columns_never_shift():
    result = make({"a": [0.5, NAN], "vmaf": [90.0, 80.0]}, numbers=(0, 2))
    assert report.render_csv(result) == ("Frame,a,vmaf,\n0,0.500000,90.000000,\n2,,80.000000,\n")


def test_csv_quotes_names_that_hold_separators():
    result = make({'a,"b"\nc': [1.0], "vmaf": [2.0]}, numbers=(0,))
    rows = list(csv.reader(io.StringIO(report.render_csv(result))))
    assert rows == [["Frame", 'a,"b"\nc', "vmaf", ""], ["0", "1.000000", "2.000000", ""]]


def test_xml_is_libvmafs_layout():
    result = make({"a": [0.5, NAN], "vmaf": [90.0, 80.0]}, numbers=(0, 2))
    lines = report.render_xml(result).splitlines()
    assert lines[1:] == [
        '  <params qualityWidth="640" qualityHeight="360" />',
        '  <fyi fps="1.50" />',
        "  <frames>",
        '    <frame frameNum="0" a="0.500000" vmaf="90.000000" />',
        '    <frame frameNum="2" vmaf="80.000000" />',
        "  </frames>",
        "  <pooled_metrics>",
        '    <metric name="a" />',
        '    <metric name="vmaf" min="80.000000" max="90.000000" mean="85.000000" '
        'harmonic_mean="84.709302" />',
        "  </pooled_metrics>",
        "  <aggregate_metrics />",
        "</VMAF>",
    ]


def test_xml_stays_valid_with_any_name():
    names = ["my model", "my_model", "3c<&>\"'", "\x00\udc80", "frameNum"]
    result = make({name: [float(i)] for i, name in enumerate(names)}, numbers=(0,), names=())
    root = ET.fromstring(report.render(result, "xml"))
    frame = root.find("frames/frame")
    assert frame is not None
    assert sorted(map(float, frame.attrib.values())) == [0, 0, 1, 2, 3, 4]
    written = [m.attrib["name"] for m in root.findall("pooled_metrics/metric")]
    assert written == ["my model", "my_model", "3c<&>\"'", "??", "frameNum"]


def test_parquet_is_in_long_form(tmp_path):
    result = make({"a": [0.5, NAN], "vmaf": [90.0, 80.0]}, numbers=(0, 2))
    report.write(result, tmp_path / "r.parquet")
    table = pq.read_table(tmp_path / "r.parquet")
    assert table.to_pydict() == {
        "reference": ["ref.mkv"] * 4,
        "distorted": ["dis.mkv"] * 4,
        "frame": [0, 2, 0, 2],
        "feature": ["a", "a", "vmaf", "vmaf"],
        "value": [0.5, None, 90.0, 80.0],
    }
    about = json.loads(table.schema.metadata[b"jaxvqa"])
    assert about["clip"]["width"] == 640
    assert about["pooled"]["a"]["p5"] is None


def test_parquet_of_arrays_has_no_file_names_and_files_stack(tmp_path):
    arrays = dataclasses.replace(make(), clip=ClipInfo(640, 360, 8, "420"))
    report.write(arrays, tmp_path / "arrays.parquet")
    report.write(make({"other": [1.0, 2.0]}, numbers=(0, 5), names=()), tmp_path / "files.parquet")
    tables = [pq.read_table(tmp_path / f"{name}.parquet") for name in ("arrays", "files")]
    assert tables[0].schema.equals(tables[1].schema)
    stacked = pa.concat_tables(tables).to_pydict()
    assert stacked["reference"] == [None] * 6 + ["ref.mkv"] * 2
    assert stacked["distorted"] == [None] * 6 + ["dis.mkv"] * 2
    assert stacked["feature"] == ["integer_adm2"] * 3 + ["vmaf"] * 3 + ["other"] * 2
    assert stacked["frame"] == [0, 1, 2, 0, 1, 2, 0, 5]
    together = pq.read_table(tmp_path)  # as a folder of files
    assert together.num_rows == 8
    assert together["reference"].null_count == 6


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pyarrow.parquet", None)
    with pytest.raises(MissingPackage, match=r'pip install "jaxvqa\[parquet\]"'):
        report.render_parquet(make())


@pytest.mark.parametrize("name", ["r.json", "r.CSV", "r.xml", "r.pq", "r.txt", "r"])
def test_the_suffix_chooses_the_format_and_equal_results_give_equal_files(tmp_path, name):
    expected = {"r.CSV": "csv", "r.xml": "xml", "r.pq": "parquet"}.get(name, "json")
    report.write(make(), tmp_path / name)
    report.write(make(), tmp_path / "again", expected)
    content = (tmp_path / name).read_bytes()
    assert content == (tmp_path / "again").read_bytes() == report.render(make(), expected)
    assert sorted(os.listdir(tmp_path)) == sorted(["again", name])


def test_every_format_has_its_own_writer(tmp_path):
    for name in report.FORMATS:
        getattr(report, f"write_{name}")(make(), tmp_path / name)
        assert (tmp_path / name).read_bytes() == report.render(make(), name)
    with pytest.raises(ValueError, match="format must be one of"):
        report.render(make(), "yaml")


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    target = tmp_path / "r.json"
    target.write_text("old")

    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_atomically(target, b"new")
    assert target.read_text() == "old"
    assert os.listdir(tmp_path) == ["r.json"]


def test_writing_keeps_permissions_and_follows_links(tmp_path):
    target, link = tmp_path / "r.json", tmp_path / "link"
    target.write_text("old")
    target.chmod(0o640)
    link.symlink_to(target)
    write_atomically(link, b"new")
    assert link.is_symlink()
    assert target.read_text() == "new"
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    mask = os.umask(0o027)
    try:
        write_atomically(tmp_path / "fresh", b"")
    finally:
        os.umask(mask)
    assert stat.S_IMODE((tmp_path / "fresh").stat().st_mode) == 0o640


def test_a_device_is_written_and_not_replaced(tmp_path):
    write_atomically(os.devnull, b"x")
    assert stat.S_ISCHR(os.stat(os.devnull).st_mode)
