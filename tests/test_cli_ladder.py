"""`jaxvqa ladder`: what it prints and writes; and the tables it reads."""

import csv
import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jaxvqa import report
from jaxvqa._cli.main import main
from tests.test_ladders import encodes


def table(folder, rows):
    """The rows as results.csv."""
    sink = io.StringIO()
    writer = csv.DictWriter(sink, rows[0])
    writer.writeheader()
    writer.writerows(rows)
    (folder / "results.csv").write_text(sink.getvalue())


@pytest.fixture
def jv(tmp_path, monkeypatch, capsys):
    """Runs `jaxvqa ladder` beside a table of two encoders; gives the exit code and both streams."""
    table(tmp_path, encodes() + encodes("b", 0.8))
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        code = main(["ladder", *arguments])
        return code, *capsys.readouterr()

    return run


def test_rungs_dominated_encodes_and_deltas_are_printed(jv):
    code, out, err = jv("results.csv", "--encoder", "codec")
    assert (code, err) == (0, "")
    lines = [line.split() for line in out.splitlines()]
    assert lines[0] == ["film"]
    assert ["1", "1280x720", "3200", "95.00", "a_720_3200.mp4"] in lines
    assert ["4", "640x360", "200", "60.00", "a_360_200.mp4", "knee"] in lines
    assert "a_720_200.mp4 (by a_360_200.mp4)" in out
    assert next(x for x in lines if x[:2] == ["a", "b"])[:4] == ["a", "b", "-20.00", "%"]


def test_everything_is_written(jv, tmp_path):
    code, _, err = jv(
        "results.csv", "--encoder", "codec", "-o", "all.json", "-o", "points.csv", "-o", "rd.svg",
        "--deltas", "bd.csv",
    )  # fmt: skip
    assert (code, err) == (0, "")
    document = json.loads((tmp_path / "all.json").read_text())
    assert document["titles"][0]["curves"][0]["points"][0]["rate"] == 100
    points = list(csv.DictReader(io.StringIO((tmp_path / "points.csv").read_text())))
    assert len(points) == 20
    best = next(p for p in points if p["rung"] == "1")
    assert (best["encoder"], best["width"], best["on_hull"]) == ("a", "1280", "1")
    assert next(p for p in points if p["name"] == "a_720_200.mp4")["dominated_by"] == (
        "a_360_200.mp4"
    )
    deltas = list(csv.DictReader(io.StringIO((tmp_path / "bd.csv").read_text())))
    assert [(d["title"], d["anchor"], d["test"]) for d in deltas] == [
        ("film", "a", "b"), ("film", "b", "a"), ("", "a", "b"), ("", "b", "a"),
    ]  # fmt: skip
    assert float(deltas[0]["bd_rate"]) == pytest.approx(-20)
    assert (tmp_path / "rd.svg").read_text().startswith("<?xml")


def test_what_no_picture_holds_leaves_no_file(jv, tmp_path, monkeypatch):
    monkeypatch.setattr("jaxvqa.report._ladder_files._MOST_PANELS", 0)
    code, _, err = jv("results.csv", "-o", "all.json", "-o", "rd.svg")
    assert code == 2
    assert "a picture holds up to 0 titles" in err
    assert [path.name for path in tmp_path.iterdir()] == ["results.csv"]


def test_rows_without_a_score_are_warned_of(jv, tmp_path):
    table(tmp_path, [*encodes(), dict(encodes()[0], vmaf_mean="", dis="x/failed.mp4")])
    code, _, err = jv("results.csv")
    assert code == 0
    assert err == "warning: left out failed.mp4: has no vmaf_mean.\n"


@pytest.mark.parametrize(
    "arguments, code, sentence",
    [
        (["none.csv"], 3, "none.csv: cannot be read"),
        (["results.csv", "--quality", "psnr"], 2, "results.csv: --quality psnr: the table has no"),
        (["results.csv", "-o", "x.txt"], 2, "the suffix must be one of .json, .csv, .png"),
        (["results.csv", "-o", "no/x.csv"], 2, "there is no folder"),
        (["results.csv", "--deltas", "no/x.csv"], 2, "--deltas no/x.csv: there is no folder"),
        (["results.csv", "-o", "results.csv"], 2, "--output results.csv is one of the inputs"),
        (["results.csv", "--ratio", "0.1"], 2, "ratio 1 or more"),
        (["results.txt"], 3, "results.txt: must end in .csv"),
    ],
)
def test_wrong_usage_is_one_sentence(jv, arguments, code, sentence):
    found, out, err = jv(*arguments)
    assert (found, out) == (code, "")
    assert sentence in err
    assert err.count("\n") == 1


def test_tables_of_all_kinds_are_read(tmp_path):
    rows = [{"title": "é", "n": 1, "x": 2.5}, {"title": "b", "n": 2, "x": None}]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "t.parquet")
    (tmp_path / "t.jsonl").write_text("\n".join(json.dumps(r) for r in rows) + "\n\n")
    (tmp_path / "t.csv").write_text("\ufefftitle,n,x\r\né,1,2.5\r\nb,2,\r\n", "utf-8")
    (tmp_path / "t.tsv").write_text('title\tn\tx\n"é"\t1\t2.5\nb\t2\t\n', "utf-8")
    text = [{"title": "é", "n": "1", "x": "2.5"}, {"title": "b", "n": "2", "x": None}]
    assert report.load_table(tmp_path / "t.parquet") == rows
    assert report.load_table(tmp_path / "t.jsonl") == rows
    assert report.load_table(tmp_path / "t.csv") == text
    assert report.load_table(tmp_path / "t.tsv") == text


@pytest.mark.parametrize(
    "name, content, problem",
    [
        ("t.csv", b"", "has no rows"),
        ("t.csv", b"a,a\n1,2\n", "has two columns 'a'"),
        ("t.csv", b'a\n"1', "is not CSV"),
        ("t.csv", b"\xff\xfe", "is not UTF-8 text"),
        ("t.jsonl", b"[1]\n", "line 1: is no JSON object"),
        ("t.parquet", b"PAR1", "is not a Parquet file"),
    ],
)
def test_files_that_are_no_table_are_refused(tmp_path, name, content, problem):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(report.ResultFileError, match=problem):
        report.load_table(tmp_path / name)
