"""`jaxvqa score`: what it prints, what it writes, and how it refuses."""

import csv
import dataclasses
import io
import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ET

import numpy as np
import pyarrow.parquet as pq
import pytest

import jaxvqa
from jaxvqa._cli import score as command
from jaxvqa._cli.main import main
from jaxvqa._scoring.request import ScoreRequest
from jaxvqa._scoring.result import Notice
from jaxvqa.video import VideoInfo, write_y4m
from jaxvqa.video._inputs import InputOptions
from tests import clips
from tests.clips import textured

MOTION = ["--no-model", "--feature", "float_motion"]
NAMES = ["motion", "motion2", "motion3"]
FRAMES = 6


@pytest.fixture(autouse=True)
def no_cache(monkeypatch):
    """Runs inside this process must not change where it caches programs."""
    monkeypatch.setenv("JAXVQA_CACHE", "off")


def clip(path, frames=FRAMES, width=64, height=48, seed=0):
    rng = np.random.default_rng(seed)
    luma = textured(rng, (frames, height, width))
    chroma = textured(rng, (2, frames, height // 2, width // 2))
    write_y4m(path, zip(luma, *chroma, strict=True), VideoInfo(str(path), width, height, 8, "420"))
    return luma


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A pair, a longer video, one of another size, a tiny pair, and files that are no videos."""
    folder = tmp_path_factory.mktemp("clips")
    luma = clip(folder / "ref.y4m")
    clip(folder / "dis.y4m", seed=1)
    clip(folder / "long.y4m", frames=FRAMES + 2, seed=2)
    clip(folder / "wide.y4m", width=80)
    clip(folder / "tiny.y4m", frames=1, width=2, height=2)
    (folder / "luma.yuv").write_bytes(luma.tobytes())
    (folder / "text.mkv").write_text("not a video\n" * 50)
    (folder / "empty.y4m").write_bytes(b"")
    return folder


@pytest.fixture
def jv(folder, monkeypatch, capsys):
    """Runs `jaxvqa score` in the folder of clips; gives the exit code and both streams."""
    monkeypatch.chdir(folder)

    def run(*arguments):
        code = main(["score", *arguments])
        return code, *capsys.readouterr()

    return run


@pytest.fixture(scope="module")
def expected(folder):
    return jaxvqa.score(
        folder / "ref.y4m", folder / "dis.y4m", model=None, features=["float_motion"]
    )


def test_without_output_a_table_is_printed(jv, expected):
    code, out, err = jv("ref.y4m", "dis.y4m", *MOTION, "--no-per-frame")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == "64x48, 4:2:0, 8 bits; 6 frames; no model"
    assert lines[2].split() == ["mean", "harmonic", "min", "p5", "max"]
    assert [line.split()[0] for line in lines[4:]] == NAMES
    pooled = expected.pooled["motion2"]
    row = [pooled[key] for key in ("mean", "harmonic_mean", "min", "p5", "max")]
    assert lines[5].split()[1:] == [f"{value:.4f}" for value in row]
    assert len({len(line) for line in lines[2:]}) == 1


def test_a_score_below_its_least_value_ends_with_code_5(jv, expected, tmp_path):
    least = expected.pooled["motion2"]["mean"]
    arguments = ["ref.y4m", "dis.y4m", *MOTION, "-o", str(tmp_path / "r.json")]
    code, out, err = jv(*arguments, "--min", f"motion2={least - 1e-3}", "--min", "motion:min=0")
    assert (code, out) == (0, "")
    code, out, err = jv(*arguments, "--min", f"motion2={least + 1e-3}")
    lowest = int(np.argmin(expected.frames["motion2"]))
    assert (code, out) == (5, "")
    line = err.splitlines()[-1]
    assert line.startswith("jaxvqa: error: motion2 mean is ")
    assert f"the lowest is frame {lowest}" in line
    assert json.loads((tmp_path / "r.json").read_text())["frames"]  # written all the same
    code, _, err = jv(*arguments, "--min", "motoin2=1")
    assert code == 2
    assert "did you mean motion2?" in err
    assert jv(*arguments, "--min", "motion2")[0] == 2


def test_json_goes_to_stdout_or_to_a_file(jv, expected, tmp_path):
    code, out, err = jv("ref.y4m", "dis.y4m", *MOTION, "--format", "json")
    assert (code, err) == (0, "")
    document = json.loads(out)
    assert [frame["frameNum"] for frame in document["frames"]] == list(range(FRAMES))
    for name in NAMES:
        found = [frame["metrics"][name] for frame in document["frames"]]
        np.testing.assert_allclose(found, expected.frames[name], atol=5e-7)
    assert document["jaxvqa"]["clip"]["dis_path"] == "dis.y4m"
    assert jv("ref.y4m", "dis.y4m", *MOTION, "-o", "-")[1].startswith('{\n  "version"')
    code, out, err = jv("ref.y4m", "dis.y4m", *MOTION, "-o", str(tmp_path / "r.json"))
    assert (code, out) == (0, "")
    assert err.startswith("motion ")
    assert "mean of 6 frames" in err
    written = json.loads((tmp_path / "r.json").read_text())
    assert written["frames"] == document["frames"]
    assert os.listdir(tmp_path) == ["r.json"]


def test_the_suffix_or_the_format_chooses_the_file(jv, tmp_path):
    for name in ("r.csv", "r.xml", "r.parquet", "r.log"):
        assert jv("ref.y4m", "dis.y4m", *MOTION, "-o", str(tmp_path / name), "-q")[0] == 0
    rows = list(csv.reader(io.StringIO((tmp_path / "r.csv").read_text())))
    assert rows[0] == ["Frame", *NAMES, ""]
    assert len(rows) == FRAMES + 1
    assert len(ET.parse(tmp_path / "r.xml").findall("frames/frame")) == FRAMES
    assert pq.read_table(tmp_path / "r.parquet").num_rows == 3 * FRAMES
    assert "frames" in json.loads((tmp_path / "r.log").read_text())
    assert jv("ref.y4m", "dis.y4m", *MOTION, "-o", str(tmp_path / "r.log"), "--csv")[0] == 0
    assert (tmp_path / "r.log").read_bytes() == (tmp_path / "r.csv").read_bytes()


def test_equal_runs_give_equal_bytes(jv, tmp_path):
    for suffix in ("json", "csv", "xml", "parquet"):
        files = [tmp_path / f"{i}.{suffix}" for i in (1, 2)]
        for file in files:
            assert jv("ref.y4m", "dis.y4m", *MOTION, "--no-timing", "-o", str(file))[0] == 0
        assert files[0].read_bytes() == files[1].read_bytes()


def test_lists_the_frames_of_short_clips(jv, expected):
    """Those of the features asked for; `--no-per-frame` leaves the list out."""
    code, out, _ = jv("ref.y4m", "dis.y4m", *MOTION)
    lines = out.splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("frame"))
    assert code == 0
    assert lines[start].split() == ["frame", *NAMES]
    rows = [[float(cell) for cell in line.split()] for line in lines[start + 2 :]]
    values = np.stack([expected.frames[name] for name in NAMES], 1)
    np.testing.assert_allclose(rows, np.column_stack([range(FRAMES), values]), atol=5e-5)
    code, _, err = jv("ref.y4m", "dis.y4m", *MOTION, "--per-frame", "--quiet")
    assert code == 2
    assert "--per-frame adds to the printed table" in err
    _, short, _ = jv("ref.y4m", "dis.y4m", *MOTION, "--no-per-frame")
    assert short.rstrip() == "\n".join(lines[: start - 1]).rstrip()


def test_quiet_prints_the_pooled_score_only(jv, expected):
    code, out, err = jv("ref.y4m", "dis.y4m", *MOTION, "-q")
    assert (code, err) == (0, "")
    assert out == "".join(f"{name} {expected.pooled[name]['mean']:.6f}\n" for name in NAMES)


def test_libvmafs_spelling_of_a_command(jv):
    ours = jv("ref.y4m", "long.y4m", *MOTION, "--frame-count", "3", "--skip-ref", "1",
              "--skip-dis", "2", "--csv")  # fmt: skip
    theirs = jv("-r", "ref.y4m", "-d", "long.y4m", "--no_prediction", "--feature", "float_motion",
                "--frame_cnt", "3", "--frame_skip_ref=1", "--frame_skip_dist", "2", "--csv",
                "-q")  # fmt: skip
    assert ours[0] == 0
    assert ours == theirs
    assert ours[1].count("\n") == 4


def test_raw_video_with_libvmafs_letters(jv):
    raw = jv("luma.yuv", "luma.yuv", *MOTION, "-w", "64", "-h", "48", "-p", "400", "-b", "8", "-q")
    assert raw == jv("ref.y4m", "ref.y4m", *MOTION, "-q")
    named = ["--width", "64", "--height=48", "--pixel_format", "gray"]
    assert raw == jv("luma.yuv", "luma.yuv", *MOTION, *named, "-q")


def test_subsampled_frames_keep_their_numbers(jv, expected):
    code, out, _ = jv("ref.y4m", "dis.y4m", *MOTION, "--subsample", "4", "--csv")
    assert code == 0
    rows = [line.split(",") for line in out.splitlines()[1:]]
    assert [row[0] for row in rows] == ["0", "4"]
    assert rows[1][2] == f"{expected.frames['motion2'][4]:.6f}"
    text = jv("ref.y4m", "dis.y4m", *MOTION, "--subsample", "4")[1]
    assert "2 frames (1 in 4);" in text


def test_options_of_features_show_in_names(jv):
    feature = "float_motion=motion_fps_weight=0.5:debug=false"
    out = jv("ref.y4m", "dis.y4m", "-n", "--feature", feature, "--csv")[1]
    assert out.startswith("Frame,motion2_mfw_0.5,motion3_mfw_0.5,\n")


def test_unequal_lengths_follow_the_policy(jv):
    code, out, err = jv("ref.y4m", "long.y4m", *MOTION)
    assert (code, out) == (3, "")
    assert "--on-length-mismatch truncate" in err
    code, out, err = jv("ref.y4m", "long.y4m", *MOTION, "--on-length-mismatch", "truncate", "-q")
    assert code == 0
    assert err.startswith("warning: long.y4m: the last 2 frames of the distorted video")
    assert out == jv("ref.y4m", "dis.y4m", *MOTION, "-q")[1]


@pytest.mark.parametrize(
    "arguments, code, part",
    [
        (["ref.y4m"], 2, "two videos are needed"),
        (["ref.y4m", "dis.y4m", "wide.y4m"], 2, "two videos are needed"),
        (["ref.y4m", "dis.y4m", "-r", "ref.y4m"], 2, "two videos are needed"),
        (["ref.y4m", "dis.y4m", "--modle", "x"], 2, "did you mean --model?"),
        (["ref.y4m", "dis.y4m", "-m", "vmaf_v0.6.2"], 2, "did you mean vmaf_v0.6.1"),
        (["ref.y4m", "dis.y4m", "-m", "path=none.json"], 2, "no model file 'none.json'"),
        (["ref.y4m", "dis.y4m", "-m", "vmaf_v0.6.1:foo=1"], 2, "unknown part 'foo=1'"),
        (["ref.y4m", "dis.y4m", "-n"], 2, "--no-model leaves nothing to measure"),
        (["ref.y4m", "dis.y4m", "-n", "-m", "auto"], 2, "not those of auto: name a model"),
        (["ref.y4m", "dis.y4m", "-n", "--feature", "float_motin"], 2, "did you mean float_motion"),
        (["ref.y4m", "dis.y4m", "-n", "--feature", "float_motion=a=1"], 2, "has no option 'a'"),
        (["ref.y4m", "dis.y4m", "-n", "--feature", "float_motion=mbf=9"], 2, "between 0 and 1"),
        (["ref.y4m", "dis.y4m", "-n", "--feature", "float_motion=mbf"], 2, "option=value"),
        (["ref.y4m", "dis.y4m", *MOTION, "--subsample", "-1"], 2, "at least 1, got '-1'"),
        (["ref.y4m", "dis.y4m", *MOTION, "--skip-ref", "-1"], 2, "at least 0, got '-1'"),
        (["ref.y4m", "dis.y4m", *MOTION, "--frame-count", "x"], 2, "whole number"),
        (["ref.y4m", "dis.y4m", *MOTION, "--encode-size", "12"], 2, "WIDTHxHEIGHT"),
        (["ref.y4m", "dis.y4m", *MOTION, "--format", "yaml"], 2, "invalid choice: 'yaml'"),
        (["ref.y4m", "dis.y4m", *MOTION, "-o", "none/r.json"], 2, "there is no folder"),
        (["ref.y4m", "dis.y4m", *MOTION, "-o", "."], 2, "is a folder"),
        (["ref.y4m", "dis.y4m", *MOTION, "-o", ""], 2, "needs a file name"),
        (["ref.y4m", "dis.y4m", *MOTION, "-o", "ref.y4m"], 2, "is one of the videos"),
        (["ref.y4m", "dis.y4m", *MOTION, "--device", "tpu"], 2, "finds no tpu on this machine"),
        (["luma.yuv", "luma.yuv", *MOTION, "-w", "64", "-h", "48"], 2, "--bitdepth are missing"),
        (["tiny.y4m", "tiny.y4m", *MOTION], 2, "at least 3x3"),
        (["ref.y4m", "none.y4m", *MOTION], 3, "none.y4m: there is no such file"),
        (["text.mkv", "dis.y4m", *MOTION], 3, "text.mkv: is not a video"),
        (["ref.y4m", "empty.y4m", *MOTION], 3, "is empty"),
        (["ref.y4m", ".", *MOTION], 3, "is a folder"),
        (["ref.y4m", "wide.y4m", "--scale", "none", *MOTION], 3, "is 80x48, but the reference"),
        (["luma.yuv", "luma.yuv", *MOTION], 3, "raw video without a header"),
        (["ref.y4m", "dis.y4m", *MOTION, "--skip-dis", "6"], 3, "skip fewer"),
    ],
)
def test_mistakes_are_one_sentence_with_an_exit_code(jv, folder, arguments, code, part):
    before = sorted(os.listdir(folder)), (folder / "ref.y4m").read_bytes()
    found, out, err = jv(*arguments)
    assert (found, out) == (code, "")
    assert err.startswith("jaxvqa: error: ")
    assert err.count("\n") == 1
    assert part in err
    assert before == (sorted(os.listdir(folder)), (folder / "ref.y4m").read_bytes())


def test_a_failed_run_leaves_no_output(jv, tmp_path):
    output = tmp_path / "r.json"
    assert jv("ref.y4m", "long.y4m", *MOTION, "-o", str(output))[0] == 3
    assert not list(tmp_path.iterdir())
    output.write_text("old")
    assert jv("ref.y4m", "long.y4m", *MOTION, "-o", str(output))[0] == 3
    assert output.read_text() == "old"


def test_a_full_disk_is_said(jv, monkeypatch, tmp_path):
    def full(path, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(command.report, "write_atomically", full)
    code, out, err = jv("ref.y4m", "dis.y4m", *MOTION, "-o", str(tmp_path / "r.json"))
    assert (code, out) == (1, "")
    assert err == f"jaxvqa: error: {tmp_path}/r.json: cannot be written: No space left on device.\n"


@pytest.mark.parametrize(
    "error, code, part",
    [
        (KeyboardInterrupt(), 130, "jaxvqa: interrupted"),
        (MemoryError(), 1, "ran out of memory"),
        (RuntimeError("RESOURCE_EXHAUSTED: 9 GB"), 1, "ran out of memory"),
        (RuntimeError("odd"), 1, "RuntimeError: odd (JAXVQA_DEBUG=1"),
    ],
)
def test_other_ends_have_their_exit_codes(jv, monkeypatch, error, code, part):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr(command, "score_request", fail)
    found, out, err = jv("ref.y4m", "dis.y4m", *MOTION)
    assert (found, out) == (code, "")
    assert part in err
    assert "Traceback" not in err


def test_all_options_reach_score(jv, monkeypatch, expected):
    given = {}

    def record(ref, dis, request, **running):
        given.update(running, ref=ref, dis=dis, request=request)
        return expected

    monkeypatch.setattr(command, "score_request", record)
    assert jv(
        "a", "b", "-m", "vmaf_v1", "-m", "auto", "--feature", "cambi", "-w", "64", "-h", "48", "-p",
        "422", "-b", "10", "--subsample", "3", "--frame-count", "9", "--skip-ref", "1",
        "--skip-dis", "2", "--on-length-mismatch", "truncate", "--arithmetic", "float",
        "--promote-to-10bit", "--encode-size", "1280x720", "--encode-bitdepth", "8", "--threads",
        "1", "-q",
    )[0] == 0  # fmt: skip
    assert len(given.pop("devices")) == 1
    inputs = InputOptions(
        width=64, height=48, pixel_format="422", bit_depth=10, promote_to_10bit=True, skip_ref=1,
        skip_dis=2, frame_count=9, on_length_mismatch="truncate",
    )  # fmt: skip
    request = ScoreRequest(
        model=["vmaf_v1", "auto"], features=["cambi"], arithmetic="float",
        encode_size=(1280, 720), encode_bitdepth=8, subsample=3, inputs=inputs,
    )  # fmt: skip
    assert given == {"ref": "a", "dis": "b", "request": request, "cache": None, "progress": None}
    jv("a", "b", "-q")
    assert given["request"] == ScoreRequest()
    assert given["devices"] is None


def test_notices_are_warnings_on_stderr(jv, monkeypatch, expected):
    told = dataclasses.replace(expected, notices=(Notice("a", "one."), Notice("b", "two.")))
    monkeypatch.setattr(command, "score_request", lambda *_, **__: told)
    assert jv("a", "b", *MOTION)[2] == "warning: one.\nwarning: two.\n"


def test_a_model_on_a_real_clip(capsys, tmp_path):
    """The whole way from FFV1 files to a score that libvmaf's tool gave."""
    files = [str(clips.path("bunny_320x180_422_10b", side)) for side in ("ref", "dis")]
    golden = clips.golden("bunny_320x180_422_10b")["model:vmaf_float_v0.6.1"]["vmaf"]
    code = main(["score", *files, "-m", "vmaf_float_v0.6.1", "--frame-count", "1", "--json"])
    assert code == 0
    document = json.loads(capsys.readouterr().out)
    assert document["jaxvqa"]["models"] == [{"name": "vmaf_float_v0.6.1", "score": "vmaf"}]
    # the first frame has no motion, whatever follows; the bound is that of the project's README
    assert abs(document["frames"][0]["metrics"]["vmaf"] - golden[0]) < 1e-3


def test_the_cache_is_filled_and_found_again(folder, tmp_path):
    """The second process compiles nothing anew, and gives the same bytes.

    The option makes no difference to what is compiled: a program of equal code that is at hand
    already must not be stored a second time from there.
    """

    def run(feature):
        done = subprocess.run(
            [sys.executable, "-m", "jaxvqa", "score", "ref.y4m", "dis.y4m", "--no-model",
             "--feature", feature, "--json", "--no-timing"],
            cwd=folder, capture_output=True, text=True, timeout=300,
            env=os.environ | {"JAXVQA_CACHE": str(tmp_path)},
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout, {path.name for path in tmp_path.iterdir()}

    for count, feature in enumerate(("float_motion", "float_motion=motion_fps_weight=0.5"), 1):
        first, programs = run(feature)
        assert len(programs) == count
        assert run(feature) == (first, programs)


@pytest.mark.skipif(sys.platform == "win32", reason="needs /dev/fd")
def test_open_files_are_written_straight(folder, tmp_path):
    program = "from jaxvqa.__main__ import run; run()"
    base = [sys.executable, "-c", program, "score", "ref.y4m", "dis.y4m", *MOTION]
    settings = {"cwd": folder, "env": os.environ | {"JAXVQA_CACHE": "off"}, "check": True}

    def written(name, stream, arguments=()):
        with open(tmp_path / name, "w") as file:
            file.write("before\n")
            file.flush()
            subprocess.run([*base, *arguments], **{stream: file}, **settings)
        return (tmp_path / name).read_text()

    out = written("out", "stdout", ["-o", "/dev/stdout", "--format", "csv"])
    assert out.startswith("before\nFrame,")
    assert "Frame,motion" in written("err", "stderr", ["-o", "/dev/stderr", "--format", "csv"])
    read, write = os.pipe()
    subprocess.run(
        [*base, "-o", f"/dev/fd/{write}", "--format", "csv"], pass_fds=[write],
        stderr=subprocess.DEVNULL, **settings,
    )  # fmt: skip
    os.close(write)
    with open(read) as pipe:
        assert pipe.read() == out.removeprefix("before\n")
    assert sorted(os.listdir(tmp_path)) == ["err", "out"]
