"""Reading of studies: tables, votes, saved results."""

import json
import os
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jaxvqa._scoring.result import ClipInfo, Requested, Result, Timing
from jaxvqa._study.cache import SeriesCache
from jaxvqa._study.feature_names import resolve_features
from jaxvqa._study.load import load_study
from jaxvqa._study.measure import Measuring, predictions
from jaxvqa._study.series import Series
from jaxvqa._tables import TableError, read_table
from jaxvqa.evaluation import score_votes
from jaxvqa.features._registry import direction_of
from jaxvqa.fusion import load_model, save_model
from jaxvqa.report import load

ROWS = [
    {"id": f"{c}{i}", "content": c, "ref": f"{c}.y4m", "dis": f"{c}{i}.y4m", "mos": mos, "ci": ci,
     "psnr": psnr}
    for c, i, mos, ci, psnr in (
        ("a", 1, 4.5, 0.2, 41), ("a", 2, 2.5, 0.3, 30), ("b", 1, 3.5, 0.1, 36)
    )
]  # fmt: skip


def csv_text(rows, separator=","):
    lines = [separator.join(rows[0])] + [separator.join(map(str, r.values())) for r in rows]
    return "\n".join(lines) + "\n"


def write(folder, name, text):
    path = folder / name
    path.write_text(text)
    return path


def table(folder, kind):
    path = folder / f"clips.{kind}"
    if kind == "parquet":
        pq.write_table(pa.Table.from_pylist(ROWS), path)
    elif kind == "json":
        path.write_text(json.dumps(ROWS))
    elif kind == "jsonl":
        path.write_text("\n".join(json.dumps(row) for row in ROWS))
    else:
        path.write_text(csv_text(ROWS, "\t" if kind == "tsv" else ";"))
    return path


@pytest.mark.parametrize("kind", ["csv", "tsv", "json", "jsonl", "parquet"])
def test_tables_of_all_formats_say_the_same(tmp_path, kind):
    study = load_study(table(tmp_path, kind))
    assert [clip.name for clip in study.clips] == ["a1", "a2", "b1"]
    assert study.contents == ["a", "a", "b"]
    assert study.ratings.tolist() == [4.5, 2.5, 3.5]
    assert study.intervals.tolist() == [0.2, 0.3, 0.1]
    assert study.clips[0].values == {"psnr": 41}
    assert study.clips[0].ref == str(tmp_path / "a.y4m")


@pytest.mark.parametrize(
    "name, text, problem",
    [
        ("a.txt", "x", "must end in .csv"),
        ("a.csv", "", "has no rows"),
        ("a.csv", "id,mos\n", "has no rows"),
        ("a.csv", "id,id\n1,2\n", "has two columns 'id': rename one"),
        ("a.csv", "id,content,mos\n1,c,2,3\n", "line 2: has 4 cells, but there are 3 columns"),
        ("a.csv", "id,content,mos\n1,c,good\n", "line 2: mos must be a number, got 'good'"),
        ("a.csv", "id,content,mos\n1,c,nan\n", "mos must be a number"),
        ("a.csv", "id,content,mos,dmos\n1,c,1,2\n", "has dmos and mos: say with `rating`"),
        ("a.csv", "content,mos\nc,1\n", "names no clip"),
        ("a.csv", "id,mos\n1,1\n", "has no content"),
        ("a.csv", "id,content\n1,c\n", "has neither a rating nor votes"),
        ("a.csv", "id,content,mos\n1,c,1\n1,c,2\n", "two clips are named '1'"),
        ("a.csv", "id,content,mos,width\n1,c,1,wide\n", "width must be a whole number"),
        ("a.csv", "id,content,mos,is_reference\n1,c,1,maybe\n", "is_reference must be true"),
        ("a.csv", "\xff\xfe", "has no rows"),
        ("a.json", "{", "is not JSON"),
        ("a.json", "{}", "must be a list of objects"),
        ("a.json", "[1]", "row 1: is no JSON object"),
        ("a.json", "[" * 5000, "is not JSON"),
        ("a.jsonl", '{"id": 1}\n{', "line 2: is not JSON"),
        ("a.parquet", "PAR1", "is not a Parquet file"),
    ],
)
def test_bad_tables_are_refused(tmp_path, name, text, problem):
    with pytest.raises(TableError, match=problem):
        load_study(write(tmp_path, name, text))


def test_a_table_that_is_not_there_or_not_text(tmp_path):
    with pytest.raises(TableError, match="cannot be read: No such file"):
        read_table(tmp_path / "no.csv")
    (tmp_path / "a.csv").write_bytes(b"id,\xff\n1,2\n")
    with pytest.raises(TableError, match="not UTF-8"):
        read_table(tmp_path / "a.csv")


def test_cells_are_read_as_they_are(tmp_path):
    (tmp_path / "a.ndjson").write_text('{"id": 12345678.0, "name": "a\u2028b"}\n', "utf-8")
    (row,) = read_table(tmp_path / "a.ndjson")
    assert (row.text("id"), row.text("name"), row.place) == ("12345678", "a\u2028b", "line 1")
    (tmp_path / "a.csv").write_text('x,,note\n1,left out,"a, ""b"""\n\n2\n')
    rows = read_table(tmp_path / "a.csv")
    assert [row.cells for row in rows] == [{"x": "1", "note": 'a, "b"'}, {"x": "2"}]
    assert [row.place for row in rows] == ["line 2", "line 4"]
    with pytest.raises(TableError, match="line 2: has a cell in a column without a heading"):
        read_table(tmp_path / "a.csv", full=True)
    (tmp_path / "a.csv").write_text("x,y\n1,2\n3\n")
    with pytest.raises(TableError, match="line 3: has 1 cells, but there are 2 columns: give each"):
        read_table(tmp_path / "a.csv", full=True)


VOTES = [
    {"id": clip, "subject": subject, "score": score}
    for clip, scores in {"a1": (5, 4, 5), "a2": (2, 3, 2), "b1": (4, 3, 3)}.items()
    for subject, score in zip("xyz", scores, strict=True)
]


def test_votes_become_ratings(tmp_path):
    clips = table(tmp_path, "csv")
    votes = write(tmp_path, "votes.csv", csv_text(VOTES))
    expected = np.array([[5, 4, 5], [2, 3, 2], [4, 3, 3]])
    for model in ("mos", "p910"):
        study = load_study(clips, votes=votes, subjective=model)
        opinion = score_votes(expected, model)
        np.testing.assert_array_equal(study.ratings, opinion.scores)
        np.testing.assert_array_equal(study.intervals, opinion.intervals)
    assert study.rating == "p910 of votes"
    assert study.subjects == ("x", "y", "z")


def test_dmos_takes_the_reference_of_each_content(tmp_path):
    rows = [
        {"id": "a", "content": "a", "is_reference": "true"},
        {"id": "a1", "content": "a", "is_reference": "false"},
    ]
    clips = write(tmp_path, "clips.csv", csv_text(rows))
    given = {"a": (5, 4), "a1": (2, 3)}
    votes = [
        {"id": clip, "subject": i, "score": score}
        for clip, scores in given.items()
        for i, score in enumerate(scores)
    ]
    votes = write(tmp_path, "votes.csv", csv_text(votes))
    study = load_study(clips, votes=votes, subjective="dmos", ref_score=5)
    np.testing.assert_allclose(study.ratings, [5, 3])
    with pytest.raises(TableError, match="give ref_score"):
        load_study(clips, votes=votes, subjective="dmos")


def test_repeated_votes_need_numbers(tmp_path):
    clips = table(tmp_path, "csv")
    twice = write(tmp_path, "votes.csv", csv_text([*VOTES, VOTES[0]]))
    with pytest.raises(TableError, match="votes on 'a1' again"):
        load_study(clips, votes=twice)
    rows = [{**vote, "repetition": i} for vote in VOTES for i in (10, 2)]
    rows[0]["score"] = 1  # the later repetition stands first
    numbered = write(tmp_path, "numbered.csv", csv_text(rows))
    study = load_study(clips, votes=numbered, subjective="mos")
    assert study.votes[0, 0].tolist() == [5, 1]


@pytest.mark.parametrize(
    "rows, problem",
    [
        ([{"id": "z", "subject": "x", "score": 3}], "votes on 'z', which is no clip's id"),
        (VOTES[:3], "nobody voted on 'a2'"),
        ([{"id": "a1", "subject": "x"}], "needs id, subject and score"),
        ([{"id": "a1", "subject": "x", "score": "good"}], "score must be a number"),
    ],
)
def test_votes_that_do_not_fit_are_refused(tmp_path, rows, problem):
    votes = write(tmp_path, "votes.csv", csv_text(rows))
    with pytest.raises(TableError, match=problem):
        load_study(table(tmp_path, "csv"), votes=votes)


def test_files_of_tables_are_found_below_root(tmp_path):
    study = load_study(table(tmp_path, "csv"), root="/videos")
    assert {os.path.dirname(str(clip.ref)) for clip in study.clips} == {"/videos"}


def never(*asked):
    raise AssertionError("nothing is to be measured")


# what metrics say ----------------------------------------------------------------------------

LOG = {
    "frames": [
        {"frameNum": i, "metrics": {"vmaf": 80 + i, "integer_adm2": 0.9, "psnr_y": 35 - i}}
        for i in range(3)
    ]
}


def saved_study(folder):
    (folder / "a.json").write_text(json.dumps(LOG))
    (folder / "b.csv").write_text(
        "Frame,vmaf,integer_adm2,psnr_y,\n0,70,0.8,30,\n1,72,0.8,31,\n2,74,0.8,32,\n"
    )
    rows = [
        {"id": name, "content": name[0], "results": file, "mos": mos}
        for name, file, mos in (("x", "a.json", 4), ("y", "b.csv", 3), ("z", "a.json", 4.2))
    ]
    return load_study(write(folder, "clips.csv", csv_text(rows)))


def test_saved_results_are_pooled(tmp_path):
    study = saved_study(tmp_path)
    found = predictions(study, Measuring(scorer=never), metrics=["vmaf", "psnr_y"], pool="min")
    assert [one.values.tolist() for one in found] == [[80, 70, 80], [33, 30, 33]]
    with pytest.raises(
        TableError, match=r"clip 'x' has no ssim; it has integer_adm2, psnr_y, vmaf"
    ):
        predictions(study, Measuring(scorer=never), metrics=["ssim"])
    with pytest.raises(TableError, match=r"a.json: has no integer_motion2"):
        predictions(study, Measuring(scorer=never), models=["vmaf_v0.6.1"])


def test_models_are_called_as_their_texts_say(tmp_path):
    # `auto` chooses a model for each clip, which may have another name
    study = load_study(table(tmp_path, "csv"))
    chosen = iter(["vmaf", "vmaf", "mine"])

    empty = Result({}, np.arange(3), (), (), ClipInfo(8, 8, 8, "400"), (), Timing(0.0, 0.0, 0.0))

    def scorer(ref, dis, request):
        name = next(chosen)
        requested = (Requested("chosen", "model", (name,)),)
        return replace(empty, frames={name: np.full(3, 80.0)}, requested=requested)

    found = predictions(study, Measuring(scorer=scorer), models=["auto"])
    assert [(one.name, one.direction) for one in found] == [("auto", "higher")]
    assert found[0].values.tolist() == [80, 80, 80]
    chosen = iter(["own"] * 3)
    text = "version=vmaf_v0.6.1:name=own"
    (own,) = predictions(study, Measuring(scorer=scorer), models=[text])
    assert own.name == "own"


@pytest.mark.parametrize(
    "text, problem",
    [
        ("Frame,vmaf,\n", "has no rows"),
        ("vmaf,\n1,\n", "does not begin with a line of Frame"),
        ("Frame,vmaf,psnr,\n0,1,\n", "line 2: has 3 cells, but there are 4 columns: give"),
        ("Frame,vmaf,\n0,good,\n", "something other than numbers in line 2"),
        ("Frame,vmaf,vmaf,\n0,1,2,\n", "has two columns 'vmaf'"),
    ],
)
def test_bad_csv_results_are_refused(tmp_path, text, problem):
    with pytest.raises(ValueError, match=problem):
        load(write(tmp_path, "a.csv", text))


def test_directions_are_those_of_the_registry():
    assert direction_of("integer_adm2_egl_1") == "higher"
    assert direction_of("cambi") == "lower"
    assert direction_of("mine") == "higher"


def test_series_are_kept_by_content_options_and_version(tmp_path, monkeypatch):
    from jaxvqa._scoring.request import ScoreRequest

    cache = SeriesCache(tmp_path / "kept")
    ref, dis = (write(tmp_path, name, name) for name in ("ref.y4m", "dis.y4m"))
    request = ScoreRequest.of(model=None, features=["psnr"])
    key = cache.key(str(ref), str(dis), request)
    series = Series(
        {"psnr_y": np.array([30.0, np.nan])}, {"psnr": ("psnr_y",)}, {"psnr_y": "higher"}
    )
    cache.keep(key, series)
    kept = cache.load(key)
    np.testing.assert_array_equal(kept.frames["psnr_y"], series.frames["psnr_y"])
    assert (kept.outputs, kept.directions) == (series.outputs, series.directions)
    other = ScoreRequest.of(model=None, features=["psnr=enable_chroma=false"])
    keys = {key, cache.key(str(ref), str(dis), other), cache.key(str(dis), str(ref), request)}
    dis.write_text("changed")
    keys.add(cache.key(str(ref), str(dis), request))
    monkeypatch.setattr("jaxvqa._scoring.digests.__version__", "0.0.0")
    keys.add(cache.key(str(ref), str(dis), request))
    assert len(keys) == 5
    (tmp_path / "kept" / f"{key}.parquet").write_bytes(b"PAR1")
    assert cache.load(key) is None
    assert cache.key(str(tmp_path), str(dis), request) is None  # a folder has no content


def test_a_model_file_that_changes_has_series_of_its_own(tmp_path):
    from jaxvqa._scoring.request import ScoreRequest

    cache = SeriesCache(tmp_path / "kept")
    video = str(write(tmp_path, "ref.y4m", "ref"))
    request = ScoreRequest.of(model=f"path={tmp_path / 'mine.json'}:name=mine")
    keys = set()
    for name in ("vmaf_v0.6.1", "vmaf_v0.6.1neg"):
        save_model(load_model(name), tmp_path / "mine.json")
        keys.add(cache.key(video, video, request))
    assert len(keys) == 2


# names of features ---------------------------------------------------------------------------


def test_features_are_named_as_results_print_them(tmp_path):
    keys = [ref.key for ref in resolve_features(["motion2,adm2", "integer_vif_scale0"])]
    assert keys == [
        "VMAF_feature_adm2_score",
        "VMAF_feature_motion2_score",
        "VMAF_integer_feature_vif_scale0_score",
    ]
    assert len(resolve_features(["y_funque_plus"])) == 3
    (ref,) = resolve_features(["adm2=adm_enhn_gain_limit=1"])
    assert dict(ref.options) == {"adm_enhn_gain_limit": 1.0}


def test_features_come_from_files(tmp_path):
    listed = write(tmp_path, "list.json", '["adm2", "motion2"]')
    assert len(resolve_features([str(listed)])) == 2
    parameters = write(
        tmp_path,
        "param.py",
        "feature_dict = {'VMAF_integer_feature': ['vif_scale0', 'adm2', 'motion2']}\n"
        "feature_optional_dict = {'VMAF_integer_feature': {'adm_enhn_gain_limit': 1.0}}\n",
    )
    refs = {ref.key: dict(ref.options) for ref in resolve_features([str(parameters)])}
    assert refs == {
        "VMAF_integer_feature_adm2_score": {"adm_enhn_gain_limit": 1.0},
        "VMAF_integer_feature_motion2_score": {},
        "VMAF_integer_feature_vif_scale0_score": {},
    }


def test_options_that_no_feature_has_are_refused(tmp_path):
    text = "feature_dict = {'VMAF_feature': ['adm2']}\n"
    text += "feature_optional_dict = {'VMAF_feature': {'adm_gain': 1.0}}\n"
    parameters = write(tmp_path, "param.py", text)
    with pytest.raises(TableError, match="no feature of VMAF_feature has the option adm_gain"):
        resolve_features([str(parameters)])


@pytest.mark.parametrize(
    "texts, problem",
    [
        ([], "no features are named"),
        (["adm3x"], "no feature named"),
        (["adm2,adm2"], "given twice"),
        (["dlm_channel_y_scale_2"], "may be of y_funque_plus, 3c_funque_plus"),
        (["adm2=gain=1"], "gain"),
    ],
)
def test_features_that_are_unknown_or_open_are_refused(texts, problem):
    with pytest.raises(ValueError, match=problem):
        resolve_features(texts)
