"""Manifests: which rows become which jobs, and how those that can't are refused."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jaxvqa._batch.batch import part_of
from jaxvqa._batch.manifest import load_manifest, option_names
from jaxvqa._batch.names import by_pattern, one_reference
from jaxvqa._scoring.request import ScoreRequest
from jaxvqa._settings import settings_of
from jaxvqa.video._inputs import InputOptions


def written(folder, name, text):
    file = folder / name
    file.write_text(text)
    return file


def test_the_three_kinds_of_files_give_the_same_jobs(tmp_path):
    rows = [
        {"id": "a", "ref": "r.mkv", "dis": "x/1.mkv", "model": "vmaf_v1", "crf": 20},
        {"id": "b", "ref": "r.mkv", "dis": "/else/2.mkv", "subsample": 3, "crf": 30},
    ]
    lines = written(tmp_path, "m.jsonl", "\n".join(map(json.dumps, rows)) + "\n\n")
    table = written(
        tmp_path,
        "m.csv",
        "id,ref,dis,model,subsample,crf\na,r.mkv,x/1.mkv,vmaf_v1,,20\n\n"
        "b,r.mkv,/else/2.mkv,,3,30\n",
    )
    pq.write_table(
        pa.Table.from_pylist([rows[0] | {"subsample": None}, rows[1]]), tmp_path / "m.parquet"
    )
    for file in (lines, table, tmp_path / "m.parquet"):
        first, second = load_manifest(file, {"kernel": "lanczos"}).jobs
        assert (first.id, second.id) == ("a", "b")
        assert (first.ref, first.dis) == (str(tmp_path / "r.mkv"), str(tmp_path / "x/1.mkv"))
        assert (second.named, second.dis) == (("r.mkv", "/else/2.mkv"), "/else/2.mkv")
        assert first.request == ScoreRequest.of(model=["vmaf_v1"], kernel="lanczos")
        assert second.request == ScoreRequest.of(subsample=3, kernel="lanczos")
        assert [str(job.tags["crf"]) for job in (first, second)] == ["20", "30"]
        assert (first.given, second.given) == ({"model": "vmaf_v1"}, {"subsample": "3"})


def test_every_option_of_files_is_a_column():
    every = {s.name for c in (ScoreRequest, InputOptions) for s in settings_of(c) if any(s.flags)}
    assert set(option_names().values()) == every
    assert option_names()["frame_cnt"] == "frame_count"
    assert "fps" not in option_names()


def test_cells_are_parsed_as_options_are():
    row = {
        "ref": "r.yuv", "dis": "d.yuv", "width": "64", "height": 48.0, "pixel-format": 420,
        "bitdepth": "8", "feature": "cambi; float_vif=vif_kernelscale=0.5", "model": "none",
        "exact": "true", "crop": "32x16+0+8", "offset": "1.5s",
    }  # fmt: skip
    (job,) = load_manifest([row]).jobs
    assert job.request == ScoreRequest.of(
        width=64, height=48, pixel_format="420", bit_depth=8, model=None, exact=True,
        features=["cambi", "float_vif=vif_kernelscale=0.5"], crop=(32, 16, 0, 8), offset="1.5s",
    )  # fmt: skip
    assert not job.tags
    (job,) = load_manifest([{"ref": "r", "dis": "d", "model": ["vmaf_v1", "vmaf_v0.6.1"]}]).jobs
    assert job.request.models == ("vmaf_v1", "vmaf_v0.6.1")


def test_sizes_are_tags_where_videos_are_not_raw():
    row = {"ref": "r", "dis": "d", "width": 640, "height": 360, "bitdepth": 8, "crf": 3}
    (job,) = load_manifest([row]).jobs
    assert (job.given, list(job.tags)) == ({}, ["crf", "width", "height", "bitdepth"])
    for manifest in (
        load_manifest([row | {"pixel_format": "420"}]),
        load_manifest([row], {"pixel_format": "420"}),
    ):
        assert list(manifest.jobs[0].tags) == ["crf"]
        assert manifest.jobs[0].request.inputs.width == 640


def test_a_column_that_looks_like_an_option_is_told():
    manifest = load_manifest([{"ref": "r", "dis": "d", "modell": "vmaf_v1", "crf": 3}])
    (notice,) = manifest.notices
    assert notice.text == "the column 'modell' is no option and is kept as a tag: is it model?"
    assert manifest.tags == ("modell", "crf")


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("m.csv", "ref,dis\na,b\na\n", "line 3: has no dis: give the columns ref and dis."),
        ("m.csv", "ref,dis\na,b,c\n", "line 2: has 3 cells, but there are 2 columns"),
        ("m.csv", "ref,dis,ref\na,b,c\n", "has two columns 'ref': rename one."),
        ("m.csv", "ref,reference,dis\na,b,c\n", "gives ref twice, once as 'reference'"),
        ("m.csv", "ref,dis\na,b\na,b\n", "line 3: its id 'b' is that of .*line 2 too"),
        ("m.csv", "ref,dis,subsample\na,b,0\n", "line 2: subsample must be a whole number"),
        ("m.csv", "ref,dis\n-,b\n", "line 2: standard input can't be a job's video"),
        ("m.csv", "ref,dis\n", "m.csv: has no rows."),
        ("m.csv", "", "m.csv: has no rows."),
        ("m.jsonl", '{"ref": 1\n', "line 1: is not JSON"),
        ("m.jsonl", "[1]\n", "line 1: is no JSON object"),
        ("m.parquet", "text", "is not a Parquet file, or it is damaged."),
        ("m.xlsx", "", "must end in .csv, .tsv, .json, .jsonl, .ndjson, .parquet or .pq: rename"),
    ],
)
def test_rows_that_are_no_jobs_are_refused_with_their_place(tmp_path, name, text, sentence):
    with pytest.raises(ValueError, match=sentence):
        load_manifest(written(tmp_path, name, text))


def test_names_that_no_table_can_hold_are_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in (b"r.y4m", b"caf\xe9.y4m"):
        open(name, "w").close()
    with pytest.raises(ValueError, match=r"'caf\\udce9.y4m' is no UTF-8, as tables are: rename it"):
        one_reference("r.y4m", ["*.y4m"], {})
    (tmp_path / "m.jsonl").write_text('{"ref": "r", "dis": "d", "title": "\\ud800"}')
    with pytest.raises(ValueError, match=r"m.jsonl, line 1: '\\ud800' is no UTF-8"):
        load_manifest("m.jsonl")


def test_unreadable_manifests_are_one_sentence(tmp_path):
    with pytest.raises(ValueError, match=r"gone.csv: cannot be read: No such file or directory\."):
        load_manifest(tmp_path / "gone.csv")
    with pytest.raises(ValueError, match="there are no jobs: the manifest has no rows"):
        load_manifest([])
    (tmp_path / "latin.csv").write_bytes("ref,dis\nä,b\n".encode("latin-1"))
    with pytest.raises(ValueError, match="is not UTF-8 text"):
        load_manifest(tmp_path / "latin.csv")


def test_one_reference_with_patterns(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("r.mkv", "b.mkv", "a.mkv", "c.mp4"):
        (tmp_path / name).touch()
    jobs = one_reference("r.mkv", ["*.mkv", "c.mp4", "a.mkv"], {}).jobs
    assert [job.id for job in jobs] == ["a.mkv", "b.mkv", "c.mp4"]
    assert {job.ref for job in jobs} == {str(tmp_path / "r.mkv")}
    with pytest.raises(ValueError, match=r"no file fits '\*.webm': check the path."):
        one_reference("r.mkv", ["*.webm"], {})
    with pytest.raises(ValueError, match="is the only file that fits"):
        one_reference("r.mkv", ["r.*"], {})


def test_fields_of_a_pattern_are_tags(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("cat/source.mkv", "cat/640x360_900k.mp4", "dog/1280x720_2m.mp4", "dog/notes.mp4"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    pattern = "{title}/{width}x{height}_{bitrate}.mp4"
    manifest = by_pattern(pattern, "{title}/source.mkv", {})
    assert [job.id for job in manifest.jobs] == ["cat/640x360_900k.mp4", "dog/1280x720_2m.mp4"]
    assert manifest.jobs[1].ref == str(tmp_path / "dog/source.mkv")
    # a size in a name is a tag, not that of raw video
    assert manifest.jobs[0].tags == {
        "title": "cat", "width": "640", "height": "360", "bitrate": "900k",
    }  # fmt: skip
    assert manifest.options == ()
    (tmp_path / "cat/cat.mp4").touch()
    (job,) = by_pattern("{title}/{title}.mp4", "{title}/source.mkv", {}).jobs
    assert job.tags == {"title": "cat"}
    # brackets stand for themselves
    (tmp_path / "cat [HD]").mkdir()
    (tmp_path / "cat [HD]/9.mp4").touch()
    assert [j.tags for j in by_pattern("cat [HD]/{crf}.mp4", "r.mkv", {}).jobs] == [{"crf": "9"}]
    for bad, sentence in (
        ("a.mp4", "has no field"),
        ("{ref}/x.mp4", "can't be called ref"),
        ("{other}/x.mp4", "has the field {title}, which the pattern"),
        ("{title}/none.mp4", "no file fits the pattern"),
    ):
        with pytest.raises(ValueError, match=sentence):
            by_pattern(bad, "{title}/source.mkv", {})


def test_shards_share_the_jobs_out_and_keep_ladders_together():
    rows = [{"id": f"{r}{n}", "ref": f"r{r}", "dis": "d"} for n in range(5) for r in range(4)]
    jobs = load_manifest(rows).jobs
    parts = [part_of(jobs, (i, 3)) for i in (1, 2, 3)]
    assert sorted(job.id for part in parts for job in part) == sorted(job.id for job in jobs)
    assert [len(part) for part in parts] == [6, 7, 7]
    assert [len({job.ref for job in part}) for part in parts] == [2, 2, 2]
    with pytest.raises(ValueError, match="shard must be I/N with I from 1 to N, got 4/3"):
        part_of(jobs, (4, 3))
