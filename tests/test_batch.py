"""`jaxvqa.batch` and `jaxvqa batch`: what is done, what is done again, and what a crash leaves."""

import csv
import errno
import json
import os
import random
import resource
import signal
import subprocess
import sys
import time
from fractions import Fraction

import jax
import numpy as np
import pyarrow.parquet as pq
import pytest

import jaxvqa
from jaxvqa._batch import local
from jaxvqa._batch.batch import worker_devices
from jaxvqa._batch.entry import tag_columns
from jaxvqa._batch.errors import OutputError
from jaxvqa._batch.frames import frames_name
from jaxvqa._batch.keys import request_digest
from jaxvqa._batch.ledger import Ledger
from jaxvqa._cli.main import main
from jaxvqa._pooling import POOLED, pool
from jaxvqa.video import VideoInfo, write_y4m
from tests.clips import textured
from tests.test_cli_score import MOTION, clip

FAST = {"model": None, "features": ["float_motion"]}
JOBS = 12
COMMAND = "from jaxvqa.__main__ import run; run()"


@pytest.fixture(autouse=True)
def no_cache(monkeypatch):
    """Runs inside this process must not change where it caches programs."""
    monkeypatch.setenv("JAXVQA_CACHE", "off")


def timed_clip(path, width, height, seed):
    rng = np.random.default_rng(seed)
    luma = textured(rng, (6, height, width))
    chroma = textured(rng, (2, 6, height // 2, width // 2))
    info = VideoInfo(str(path), width, height, 8, "420", fps=Fraction(25))
    write_y4m(path, zip(luma, *chroma, strict=True), info)


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory):
    """Two references of two sizes with six renditions each, and a manifest of them."""
    folder = tmp_path_factory.mktemp("catalogue")
    rows = []
    for r, (width, height) in enumerate(((64, 48), (80, 64))):
        timed_clip(folder / f"r{r}.y4m", width, height, r)
        for n in range(JOBS // 2):
            timed_clip(folder / f"d{r}{n}.y4m", width, height, 10 + n)
            # neighbours in the manifest differ in reference and size
            rows.insert(2 * n, {"id": f"{r}/{n}", "ref": f"r{r}.y4m", "dis": f"d{r}{n}.y4m"})
    with open(folder / "jobs.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, [*rows[0], "crf", "status"])
        writer.writeheader()
        writer.writerows(row | {"crf": 20 + i, "status": "tag"} for i, row in enumerate(rows))
    return folder


def run(catalogue, out, **options):
    return list(jaxvqa.batch(catalogue / "jobs.csv", out, **(FAST | {"timing": False} | options)))


@pytest.fixture(scope="module")
def whole(catalogue, tmp_path_factory):
    """An uninterrupted run: its folder and its rows."""
    out = tmp_path_factory.mktemp("whole")
    return out, run(catalogue, out)


def tables(out):
    return [(out / name).read_bytes() for name in ("table.csv", "table.parquet")]


def test_rows_hold_what_scoring_each_pair_gives(catalogue, whole):
    out, rows = whole
    assert len(rows) == JOBS
    for row in rows:
        one = jaxvqa.score(row["ref"], row["dis"], **FAST)
        for name, values in one.frames.items():
            for kind in POOLED:
                assert row[f"{name}_{kind}"] == one.pooled[name][kind]
            stored = pq.read_table(out / row["frames_file"]).to_pydict()
            found = [
                v for n, v in zip(stored["feature"], stored["value"], strict=True) if n == name
            ]
            np.testing.assert_array_equal(found, values)
        assert (row["status"], row["error"], row["frames"]) == ("done", None, 6)
        assert (row["ref_width"], row["dis_height"]) == (one.clip.width, one.clip.height)
        assert (row["pairing"], row["fps"], row["dis_filters"]) == ("index", one.clip.fps, "")
        size = os.path.getsize(row["dis"])
        assert (row["dis_bytes"], row["duration_s"]) == (size, 6 / one.clip.fps)
        assert row["bitrate_kbps"] == pytest.approx(size * 8 / 1000 / row["duration_s"])


def test_the_table_has_the_manifests_order_and_the_stated_columns(whole):
    out, rows = whole
    with open(out / "table.csv", newline="") as file:
        found = list(csv.DictReader(file))
    assert [row["id"] for row in found] == [f"{r}/{n}" for n in range(JOBS // 2) for r in (1, 0)]
    by_id = {row["id"]: row for row in rows}
    stored = pq.read_table(out / "table.parquet")
    assert stored.column_names == list(found[0])
    start = ["id", "ref", "dis", "crf", "tag_status", "status", "error", "models", "frames"]
    assert list(found[0])[:9] == start
    assert list(found[0])[9:19] == [f"motion_{p}" for p in POOLED]
    assert list(found[0])[-1] == "frames_file"
    for text, typed in zip(found, stored.to_pylist(), strict=True):
        row = by_id[text["id"]]
        assert typed == {name: row.get(name) for name in typed} | {"crf": int(row["crf"])}
        assert text == {k: "" if v is None else str(v) for k, v in typed.items()}
    # the seconds are there unless they are not wanted
    assert "seconds" not in stored.column_names


def test_what_is_done_is_not_done_again(catalogue, whole, monkeypatch):
    out, rows = whole
    before = tables(out)
    monkeypatch.setattr(local, "OpenPass", lambda *_: pytest.fail("a job was done again"))
    again = run(catalogue, out)
    assert sorted(r["id"] for r in again) == sorted(r["id"] for r in rows)
    assert tables(out) == before


def test_each_reference_is_read_once_and_sizes_follow_each_other(catalogue, tmp_path, monkeypatch):
    opened = []
    passes = local.OpenPass
    monkeypatch.setattr(local, "OpenPass", lambda jobs, *a: opened.append(jobs) or passes(jobs, *a))
    run(catalogue, tmp_path)
    assert [{job.named[0] for job, _ in jobs} for jobs in opened] == [{"r0.y4m"}, {"r1.y4m"}]
    assert [len(jobs) for jobs in opened] == [6, 6]


def rows_of(*names, **more):
    return [{"id": n, "ref": "r.y4m", "dis": f"{n}.y4m"} | more for n in names]


@pytest.fixture
def few(tmp_path, monkeypatch):
    """A reference and two videos of their own, for tests that change them."""
    monkeypatch.chdir(tmp_path)
    for seed, name in enumerate("rab"):
        clip(tmp_path / f"{name}.y4m", seed=seed)
    return tmp_path


def done(rows, **options):
    return {r["id"]: r for r in jaxvqa.batch(rows, "out", **(FAST | options))}


def pending(rows, **options):
    """Jobs that a run did."""
    seen = []
    done(rows, progress=lambda state: seen.append(state), **options)
    return [s.row["id"] for s in seen if s.row is not None]


def test_what_changed_is_done_anew(few):
    rows = rows_of("a", "b")
    assert sorted(pending(rows)) == ["a", "b"]
    assert pending(rows) == []
    clip(few / "a.y4m", seed=7)
    assert pending(rows) == ["a"]
    os.utime(few / "r.y4m", ns=(1, 1))
    assert sorted(pending(rows)) == ["a", "b"]
    assert sorted(pending(rows_of("a", "b", subsample=2))) == ["a", "b"]
    assert pending(rows) == []  # what was known before is known still
    for options, frames in (({}, 6), ({"subsample": 2}, 3)):  # and has its own values of frames
        row = done(rows_of("a", **options))["a"]
        assert (
            len(set(pq.read_table(few / "out" / row["frames_file"])["frame"].to_pylist())) == frames
        )
    assert pending(rows_of("a", "b", title="x")) == []  # tags are no part of a result
    assert pending([*rows, {"id": "c", "ref": "r.y4m", "dis": "a.y4m"}]) == ["c"]


def test_strict_looks_at_contents(few):
    rows = rows_of("a")
    assert pending(rows, strict=True) == ["a"]
    content = bytearray((few / "a.y4m").read_bytes())
    os.utime(few / "a.y4m")
    assert pending(rows, strict=True) == []
    facts = os.stat(few / "a.y4m")
    content[-1] ^= 1
    (few / "a.y4m").write_bytes(content)
    os.utime(few / "a.y4m", ns=(facts.st_atime_ns, facts.st_mtime_ns))
    assert pending(rows, strict=True) == ["a"]


def test_a_models_file_is_a_part_of_the_key(few):
    from jaxvqa.fusion._catalog import model_folder

    text = (model_folder() / "vmaf_v0.6.1.json").read_text()
    (few / "mine.json").write_text(text)
    keys = []
    for content in (text, text, text + " "):
        (few / "mine.json").write_text(content)
        keys.append(request_digest(jaxvqa.ScoreRequest.of(model="mine.json")))
    assert keys[0] == keys[1] != keys[2]
    with pytest.raises(ValueError, match=r"there is no model named 'gone\.json'"):
        list(jaxvqa.batch(rows_of("a"), "out", model="gone.json"))


def test_a_bad_file_fails_its_row_and_nothing_else(few):
    rows = rows_of("a", "gone", "b", "cut")
    (few / "cut.y4m").write_bytes((few / "a.y4m").read_bytes()[:-9])
    found = done(rows)
    assert [found[n]["status"] for n in ("a", "b", "gone", "cut")] == ["done"] * 2 + ["failed"] * 2
    for name in ("gone", "cut"):
        with pytest.raises(ValueError) as alone:
            jaxvqa.score(few / "r.y4m", few / f"{name}.y4m", **FAST)
        assert found[name]["error"] == str(alone.value)
    with open(few / "out/table.csv", newline="") as file:
        table = {row["id"]: row for row in csv.DictReader(file)}
    assert (table["cut"]["error"], table["cut"]["motion_mean"]) == (found["cut"]["error"], "")
    # a file that came or was mended is done without being asked to
    clip(few / "gone.y4m", seed=3)
    assert pending(rows) == ["gone"]


def test_failed_jobs_wait_for_retry_failed(few):
    rows = rows_of("a", features=["no_such_feature"])
    assert pending(rows) == ["a"]
    assert pending(rows) == []
    assert pending(rows, retry_failed=True) == ["a"]
    assert done(rows)["a"]["status"] == "failed"


def test_fail_fast_ends_with_the_first_that_fails(few):
    rows = [*rows_of("gone", ref="a.y4m"), *rows_of("b")]
    found = done(rows, fail_fast=True)
    assert sum(row["status"] == "failed" for row in found.values()) == 1
    assert not (few / "out/table.csv").exists()
    assert len(done(rows)) == 2
    assert (few / "out/table.csv").exists()


def test_options_of_rows_and_of_the_call(few):
    rows = [
        {"id": "all", "ref": "r.y4m", "dis": "a.y4m"},
        {"id": "half", "ref": "r.y4m", "dis": "a.y4m", "subsample": "2"},
        {"id": "psnr", "ref": "r.y4m", "dis": "a.y4m", "features": "psnr"},
    ]
    found = done(rows, frame_count=4)
    assert [found[n]["frames"] for n in ("all", "half", "psnr")] == [4, 2, 4]
    with open(few / "out/table.csv", newline="") as file:
        table = list(csv.DictReader(file))
    assert [row["subsample"] for row in table] == ["", "2", ""]
    assert [row["features"] for row in table] == ["", "", "psnr"]
    assert table[2]["psnr_y_mean"]
    assert not table[2]["motion_mean"]


def test_a_shard_does_its_part_and_the_whole_joins_them(catalogue, whole, tmp_path):
    parts = [run(catalogue, tmp_path, shard=(i, 2)) for i in (1, 2)]
    assert [len(part) for part in parts] == [6, 6]
    assert (tmp_path / "table.1-of-2.csv").exists()
    assert pending_in(catalogue, tmp_path) == []
    assert tables(tmp_path) == tables(whole[0])


def pending_in(catalogue, out):
    seen = []
    run(catalogue, out, progress=lambda state: seen.append(state.row))
    return [row for row in seen if row is not None]


def test_several_workers_give_the_same_table(catalogue, whole, tmp_path):
    states = []
    run(catalogue, tmp_path, jobs=2, progress=states.append)
    assert tables(tmp_path) == tables(whole[0])
    last = states[-1]
    assert (last.total, last.before, last.done, last.failed) == (JOBS, 0, JOBS, 0)
    assert last.frames == JOBS * 6
    assert {worker.name for worker in last.workers} == {"cpu:0", "cpu:1"}
    assert last.left == 0


def test_devices_are_shared_out():
    a, b = jax.devices()
    assert worker_devices(None, None) == [("cpu:0", [a, b])]
    assert worker_devices(None, 2) == [("cpu:0", [a]), ("cpu:1", [b])]
    assert worker_devices([a], 2) == [("cpu:0", [a]), ("cpu:1", [a])]

    class Accelerator:
        platform = "cuda"
        id = 3

    one = Accelerator()
    assert worker_devices([one, one], 7) == [("cuda:3", [one]), ("cuda:3", [one])]


def test_torn_lines_are_no_lines(catalogue, whole, tmp_path):
    lines = (whole[0] / "ledger.jsonl").read_bytes().splitlines(keepends=True)
    torn = b"".join(lines[:5]) + b"no JSON\n" + b'{"half": 1}\n' + lines[5][: len(lines[5]) // 2]
    (tmp_path / "ledger.jsonl").write_bytes(torn)
    assert len(pending_in(catalogue, tmp_path)) == JOBS - 5
    assert tables(tmp_path) == tables(whole[0])
    for line in (tmp_path / "ledger.jsonl").read_bytes().splitlines():
        assert line == b"no JSON" or json.loads(line)


def test_two_processes_on_one_ledger(few):
    with Ledger(few), pytest.raises(ValueError, match=rf"\(process {os.getpid()} on .*\): wait"):
        next(jaxvqa.batch(rows_of("a"), few, **FAST))
    with Ledger(few, (1, 2)), Ledger(few, (2, 2)), pytest.raises(ValueError, match="being written"):
        next(jaxvqa.batch(rows_of("a"), few, **FAST))
    assert [row["id"] for row in jaxvqa.batch(rows_of("a"), few, **FAST)] == ["a"]


def test_a_full_disk_ends_the_batch_and_loses_nothing(catalogue, whole, tmp_path):
    """A limit to the size of files stands in for the disk."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    size = (whole[0] / "ledger.jsonl").stat().st_size // 2
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
        with pytest.raises(Exception, match="cannot be written: File too large; nothing that was"):
            run(catalogue, tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    with Ledger(tmp_path) as ledger:
        kept = len(ledger.places)
    assert 0 < kept < JOBS
    assert not list(tmp_path.rglob("*.part"))
    assert not (tmp_path / "table.csv").exists()
    assert len(pending_in(catalogue, tmp_path)) == JOBS - kept
    assert tables(tmp_path) == tables(whole[0])


def test_a_job_that_one_ledger_calls_failed_and_another_done_is_done(tmp_path):
    line = {"key": "k", "id": "a"}
    with Ledger(tmp_path) as ledger:
        ledger.append(line | {"status": "failed"})
    with Ledger(tmp_path, (1, 2)) as ledger:
        ledger.append(line | {"status": "done"})
    (tmp_path / "ledger.3-of-4.jsonl").write_text(json.dumps(line | {"status": "failed"}) + "\n")
    (tmp_path / "ledger.4-of-4.jsonl").write_text('{"key": [], "id": "a", "status": "done"}\n')
    with Ledger(tmp_path) as ledger:
        assert list(ledger.places) == ["k"]
        assert ledger.entry("k") == line | {"status": "done"}


def test_a_file_system_without_locks_is_told(tmp_path, monkeypatch):
    def flock(*_):
        raise OSError(errno.ENOSYS, "Function not implemented")

    monkeypatch.setattr("fcntl.flock", flock)
    with pytest.raises(OutputError, match="cannot be locked: Function not implemented; choose"):
        Ledger(tmp_path).__enter__()


def begin(catalogue, out, *options):
    command = [
        sys.executable,
        "-c",
        COMMAND,
        "batch",
        str(catalogue / "jobs.csv"),
        "--out",
        str(out),
    ]
    environment = os.environ | {"JAXVQA_CACHE": str(catalogue / "cache")}
    return subprocess.Popen(
        [*command, *MOTION, "--no-timing", *options],
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.skipif(sys.platform != "linux", reason="needs signals")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_run_that_is_killed_goes_on_where_it_was(catalogue, whole, tmp_path, number):
    """Ended after some job, at no moment of its choice."""
    rng = random.Random(int(number))
    ledger = tmp_path / "ledger.jsonl"
    process = begin(catalogue, tmp_path)
    while process.poll() is None and not (ledger.exists() and ledger.stat().st_size):
        time.sleep(0.002)
    time.sleep(rng.uniform(0, 0.03))
    process.send_signal(number)
    process.communicate()
    assert process.returncode in (-9, 130, 0)
    (tmp_path / "frames" / ".x.parquet.1.part").touch()  # as a kill may leave
    process = begin(catalogue, tmp_path)
    _, told = process.communicate()
    assert process.returncode == 0, told
    assert f"{JOBS} of {JOBS} jobs done" in told
    assert tables(tmp_path) == tables(whole[0])
    with Ledger(tmp_path) as found:
        assert len(found.places) == JOBS
    kept = {path.name for path in (tmp_path / "frames").iterdir()}
    assert kept == {row["frames_file"].split("/")[1] for row in whole[1]}


def test_the_command_tells_of_each_job_and_says_4_where_some_failed(few, capsys):
    rows = rows_of("a", "gone", old_mean="unknown")
    (few / "jobs.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    arguments = ["batch", "jobs.jsonl", "--out", "out", *MOTION]
    assert main(arguments) == 4
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 3
    assert {line[:5] for line in lines[:2]} == {"[1/2]", "[2/2]"}
    assert any("a: motion_mean" in line and "6 frames" in line for line in lines)
    assert any(line.endswith("gone.y4m: there is no such file: check the path.") for line in lines)
    said = "1 of 2 jobs done, 1 failed (--retry-failed tries them again)"
    assert lines[2] == f"{said}; table written to out/table.csv"
    assert main([*arguments, "-q"]) == 4
    assert capsys.readouterr() == ("", "")
    # of what failed before, nothing ends this run
    assert main([*arguments, "--fail-fast"]) == 4
    assert capsys.readouterr().err == f"{said}; table written to out/table.csv\n"
    (few / "out/table.csv").unlink()
    assert main([*arguments, "--fail-fast", "--retry-failed", "--subsample", "2"]) == 4
    told = capsys.readouterr().err.splitlines()[-1]
    ended = "ended with the first that failed: the same command goes on from here."
    assert told.endswith(ended) != (few / "out/table.csv").exists()
    clip(few / "gone.y4m", seed=3)
    assert main(arguments) == 0


def test_rows_give_the_features_of_a_command_without_a_model(few, capsys):
    (few / "jobs.csv").write_text("ref,dis,features\nr.y4m,a.y4m,float_motion\n")
    assert main(["batch", "jobs.csv", "--out", "out", "--no-model", "-q"]) == 0
    (few / "jobs.csv").write_text("ref,dis,features\nr.y4m,a.y4m,\n")
    assert main(["batch", "jobs.csv", "--out", "out", "--no-model", "-q"]) == 4
    assert "a.y4m: failed: nothing to score: give a model, or at" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--out", "o"], "batch needs its pairs: a MANIFEST, or --ref FILE with --dis FILE"),
        (["m.csv", "--ref", "r", "--out", "o"], "a manifest names the videos: leave out --ref"),
        (["m.csv"], "the following arguments are required: -o/--out"),
        (["m.csv", "--out", "o"], "manifest m.csv: cannot be read: No such file or directory."),
        (["m.csv", "--out", "o", "--shard", "3/2"], "must be I/N with I from 1 to N, such as 3/8"),
        (["m.csv", "--out", "o", "--runner", "dask"], "must be ray or ray://HOST:PORT"),
        (["m.csv", "--out", "o", "--scratch-limit", "much"], "a number of bytes such as 500M"),
        (["--ref", "r.y4m", "--dis", "*.mp4", "--out", "o"], "no file fits '*.mp4': check"),
    ],
)
def test_wrong_usage_is_one_sentence(few, capsys, arguments, sentence):
    assert main(["batch", *arguments]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert sentence in err
    assert not (few / "o").exists()


def test_a_folder_that_cannot_be_made_is_one_sentence(few, capsys):
    (few / "file").touch()
    arguments = ["batch", "--ref", "r.y4m", "--dis", "a.y4m", "--out", "file/out", *MOTION]
    assert main(arguments) == 1
    assert "file/out: cannot be written: Not a directory" in capsys.readouterr().err


def test_names_of_tags_and_files():
    names = tag_columns(["crf", "fps", "x_mean", "tag_fps", "model"], ["model"])
    assert names == {
        "crf": "crf", "fps": "tag_fps", "x_mean": "tag_x_mean", "tag_fps": "tag_tag_fps",
        "model": "tag_model",
    }  # fmt: skip
    assert len({frames_name(id, b"x") for id in ("a/b", "a_b", "a b", "ä", "")}) == 5
    assert all("/" not in frames_name(id, b"x")[7:] for id in ("../../x", "/etc/x"))


def test_pools_of_an_undefined_series_are_empty():
    assert all(np.isnan(v) for v in pool([1.0, np.nan]).values())
