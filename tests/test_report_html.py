"""The page as a file: complete, closed in itself, escaped, true to its numbers, small."""

import base64
import hashlib
import html
import io
import json
import re

import av
import numpy as np
import pytest

import jaxvqa
from jaxvqa import report
from jaxvqa._cli.main import main
from jaxvqa.features._registry import direction_of
from jaxvqa.report._html import _pictures as pictures
from jaxvqa.report._html import _table as table_page
from jaxvqa.report._html._moments import cuts, motion_of, worst_moments
from jaxvqa.report._html._series import pack, pack_frames
from jaxvqa.video import InputOptions
from tests.pages import HOSTILE, result_of, rows_of, video_pair
from tests.test_report_plot import LIBVMAF_LOG


def data_of(page):
    """What the page's scripts are given."""
    (text,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page)
    return json.loads(text)


def unpack(packed):
    """A series as the page's script reads it, written anew."""
    if "f" in packed:
        return np.frombuffer(base64.b64decode(packed["f"]), "<f4")
    digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    pairs = [packed["q"][i : i + 2] for i in range(0, len(packed["q"]), 2)]
    codes = np.array([64 * digits.index(a) + digits.index(b) for a, b in pairs])
    return np.where(codes == 4095, np.nan, packed["low"] + packed["step"] * codes)


def test_short_series_are_float32_and_long_ones_keep_a_4094th_of_their_range():
    values = np.array([3.25, -1e5, np.nan, 0.1, np.inf])
    np.testing.assert_array_equal(
        unpack(pack(values)), np.array([3.25, -1e5, np.nan, 0.1, np.nan], "<f4")
    )
    values = np.random.default_rng(0).normal(50, 20, 999)
    values[7] = np.nan
    step = (np.nanmax(values) - np.nanmin(values)) / 4094
    back = unpack(pack(values, coarse=True))
    np.testing.assert_allclose(back, values, atol=step / 2 * 1.0001)
    assert np.nanmin(back) == np.nanmin(values)
    np.testing.assert_array_equal(unpack(pack(np.full(3, 2.0), coarse=True)), [2, 2, 2])
    np.testing.assert_array_equal(unpack(pack(np.full(2, np.nan), coarse=True)), [np.nan] * 2)


def test_frame_numbers_are_told_by_their_step_or_one_by_one():
    assert pack_frames(np.array([4, 6, 8])) == {"first": 4, "step": 2, "count": 3}
    assert pack_frames(np.array([5])) == {"first": 5, "step": 1, "count": 1}
    assert pack_frames(np.array([0, 1, 5])) == [0, 1, 5]


def test_a_page_of_three_long_results_is_small_and_true():
    results = [result_of(n, frames=7200, seed=i) for i, n in enumerate("abc")]
    for result in results:  # as many series as a result of VMAF has
        result.frames.update({f"f{i}": result.frames["integer_adm2"] + i for i in range(11)})
    page = report.render_html(results, ["a", "b", "c"])
    assert len(page.encode()) < 1_000_000
    data = data_of(page)
    assert data["scores"] == ["vmaf"]
    assert len(data["features"]) == 14
    for found, result in zip(data["results"], results, strict=True):
        exact = np.float32(result.frames["vmaf"])
        np.testing.assert_array_equal(unpack(found["series"]["vmaf"]), exact)
        assert found["frames"] == {"first": 0, "step": 1, "count": 7200}
        assert found["low"]["vmaf"] == pytest.approx(result.pooled["vmaf"]["p5"], abs=1e-6)
        assert found["cuts"] == [3600]


def test_nothing_is_loaded_and_no_other_script_may_run():
    page = report.render_html(result_of("a", frames=20))
    outside = re.findall(r'(?:src|href)\s*=\s*"(?!#|data:)[^"]*"|url\(|@import', page)
    assert outside == []
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', page)
    policy = html.unescape(policy)
    assert policy.startswith("default-src 'none'; img-src data:;")
    for tag in ("script", "style"):
        (text,) = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy


@pytest.mark.parametrize("kind", ["results", "table"])
def test_hostile_text_is_escaped_everywhere(kind):
    if kind == "results":
        results = [result_of("a", frames=20, videos=(HOSTILE, HOSTILE)), result_of("b", frames=20)]
        results[0].frames[HOSTILE] = results[0].frames["vmaf"]
        page = report.render_html(results, [HOSTILE, "b"], title=HOSTILE)
    else:
        rows = [row | {HOSTILE: HOSTILE} for row in rows_of()]
        page = report.render_table_html(rows, title=HOSTILE, encoder=["codec"])
        assert data_of(page)["columns"][-1]["name"] == HOSTILE
    assert html.escape(HOSTILE) in page
    assert "<img src=x" not in page
    assert page.count("</script") == 2  # the data and the script


def test_libvmafs_file_makes_a_page(tmp_path):
    (tmp_path / "log.json").write_text(LIBVMAF_LOG)
    page = report.render_html(report.load(tmp_path / "log.json"))
    assert "The file does not tell what was compared." in page
    assert "the result does not name the files" in page
    assert data_of(page)["results"][0]["fps"] is None
    assert np.isnan(unpack(data_of(page)["results"][0]["series"]["late"])[0])


def test_what_was_compared_is_told():
    page = report.render_html(result_of("a", frames=20, videos=("/v/r.mkv", "/v/d.mkv")))
    for text in (
        "<code>/v/r.mkv</code>", "1920×1080, 4:2:0, 8 bits, 25 frames per second",
        "20 scored (0.8 s)", "vmaf_v0.6.1", "frame by frame, in their order, all of both files",
        "<b>dropped-frames</b>", "No pictures: /v/r.mkv was not found.",
    ):  # fmt: skip
        assert text in page


def test_frames_out_of_order_are_sorted():
    result = report.SavedResult(
        "x.json", {"vmaf": np.array([3.0, 1.0, 2.0])}, np.array([9, 4, 4]), ("vmaf",)
    )
    found = data_of(report.render_html(result))["results"][0]
    assert found["frames"] == {"first": 4, "step": 5, "count": 2}
    np.testing.assert_array_equal(unpack(found["series"]["vmaf"]), [1, 3])


def test_undefined_scores_make_a_page():
    result = report.SavedResult(
        "x.json", {"vmaf": np.array([np.nan, np.nan])}, np.array([0, 1]), ("vmaf",)
    )
    page = report.render_html(result)
    assert "No frames were picked out." in page


def test_pictures_are_those_of_the_worst_frames(tmp_path):
    ref, dis = video_pair(tmp_path, frames=8)
    result = result_of("a", frames=8, size=(96, 64), videos=(ref, dis))
    page = report.render_html(result, moments=2)
    addresses = re.findall(r'<img [^>]*src="(data:image/jpeg;base64,[^"]*)"', page)
    assert len(addresses) == 6
    worst = worst_moments(np.arange(8), result.frames["vmaf"], 2, fps=25.0)
    for i, frame in enumerate(worst):
        grey = [mean_of(address) for address in addresses[3 * i : 3 * i + 3]]
        # code values of limited range, 160 and 4 less per frame, as 8-bit greys; times 4
        expected = [(160 - 16) / 219 * 255, (156 - 4 * frame - 16) / 219 * 255,
                    min(255, 4 * 4 * (frame + 1))]  # fmt: skip
        np.testing.assert_allclose(grey, expected, atol=1.5)


def mean_of(address):
    """The mean of a picture's samples, by FFmpeg's decoder."""
    data = base64.b64decode(address.partition(",")[2])
    with av.open(io.BytesIO(data)) as container:
        frame = next(container.decode(video=0))
        return frame.to_ndarray(format="rgb24").mean()


def test_colours_of_a_picture_are_right():
    # 75 % red, BT.709, limited range: ITU-R BT.709's matrix by hand
    planes = [np.full((8, 8), c, np.uint8) for c in (51, 109, 212)]
    facts = jaxvqa.video.VideoInfo("x", 8, 8, 8, "444", color_matrix="bt709")
    found = pictures._rgb(tuple(planes), facts, 8, False, (4, 4))
    np.testing.assert_allclose(found[0, 0], [191, 0, 0], atol=1)
    full = pictures._rgb(tuple(planes), facts, 8, True, (4, 4))
    assert full[0, 0, 0] < found[0, 0, 0]


def test_without_pyav_pictures_are_png(monkeypatch):
    picture = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    png = pictures._png(picture)
    with av.open(io.BytesIO(png)) as container:
        back = next(container.decode(video=0)).to_ndarray(format="rgb24")
    np.testing.assert_array_equal(back, picture)


@pytest.mark.parametrize(
    "change, problem",
    [
        ({"size": (64, 64)}, "the files are 96x64 now, 64x64 was scored."),
        ({"frames": [9]}, "the files have no frame 9 now."),
    ],
)
def test_files_that_changed_give_no_pictures(tmp_path, change, problem):
    ref, dis = video_pair(tmp_path, frames=8)
    wanted = {"frames": [1], "size": (96, 64)} | change
    with pytest.raises(ValueError, match=problem):
        pictures.take_pictures(ref, dis, InputOptions(), **wanted)


def test_settings_of_reading_come_back_from_the_file(tmp_path):
    ref, dis = video_pair(tmp_path, frames=8)
    settings = {"skip_ref": 1, "skip_dis": 1, "frame_count": 3, "scale": (64, 48)}
    result = jaxvqa.score(ref, dis, model=None, features=["psnr"], **settings)
    report.write(result, tmp_path / "r.json")
    saved = report.load(tmp_path / "r.json")
    assert saved.details["inputs"] == settings | {"scale": "64x48"}
    assert InputOptions(**saved.details["inputs"]) == result.inputs
    page = report.render_html(saved, moments=1)
    (number,) = re.findall(r'alt="reference, frame (\d+)"', page)
    assert int(number) == 2  # each frame is darker than the one before
    address = re.findall(r'src="(data:image/jpeg[^"]*)"', page)[1]
    assert mean_of(address) == pytest.approx((160 - 4 * 4 - 16) / 219 * 255, abs=1.5)


def test_a_file_named_relative_to_its_result_is_found(tmp_path, monkeypatch):
    video_pair(tmp_path, frames=8)
    monkeypatch.chdir(tmp_path)
    result = jaxvqa.score("ref.y4m", "dis.y4m", model=None, features=["psnr"])
    report.write(result, tmp_path / "r.json")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert "data:image/jpeg" in report.render_html(report.load("../r.json"), moments=1)


def test_worst_moments_keep_their_distance():
    values = np.full(400, 90.0)
    values[[100, 101, 150, 399]] = [10, 9, 20, 15]
    numbers = np.arange(400)
    assert worst_moments(numbers, values, 3, fps=25.0) == [101, 399, 150]
    assert worst_moments(numbers, -values, 2, fps=25.0, lowest=False) == [101, 399]
    values[:] = np.nan
    assert worst_moments(numbers, values, 3, fps=None) == []
    assert worst_moments(np.arange(8), np.arange(8.0), 5, fps=25.0) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    "name, expected",
    [
        ("vmaf", "higher"), ("vmaf_v0.6.1neg", "higher"), ("psnr_y", "higher"),
        ("cambi", "lower"), ("cambi_enc_width_640", "lower"), ("ciede2000", "higher"),
        ("speed_chroma_u", "lower"), ("motion", "neither"), ("integer_adm2", "higher"),
    ],
)  # fmt: skip
def test_the_direction_of_a_score_is_known(name, expected):
    assert direction_of(name) == expected


def test_scene_cuts_stand_out_from_their_surroundings():
    change = np.full(200, 2.0)
    change[[50, 120]] = [30, 12]
    change[150:] = 25  # a camera that shakes cuts nothing
    assert cuts(change) == [50, 120]
    assert cuts(np.zeros(0)) == []
    assert motion_of({"vmaf": change, "integer_motion": change}) is change
    assert motion_of({"vmaf": change, "integer_motion2": change}) is None


def test_columns_of_a_table_are_numbers_or_text():
    data = data_of(report.render_table_html(rows_of(), encoder=["codec"]))
    columns = {c["name"]: c for c in data["columns"]}
    assert columns["vmaf_mean"]["number"]
    assert columns["bitrate_kbps"]["number"]
    assert columns["bitrate_kbps"]["rate"]
    assert not columns["id"]["number"]  # 007 is a name
    assert data["rows"][-1][list(columns).index("id")] == "007"
    assert data["failed"] == [36]
    # of the columns that say the same everywhere, as frames and status, none
    shown = [name for name, c in columns.items() if c["shown"]]
    assert shown == ["id", "title", "codec", "status", "error", "vmaf_min", "vmaf_mean", "vmaf_p5",
                     "bitrate_kbps", "dis_width", "dis_height"]  # fmt: skip
    assert [t["title"] for t in data["ladders"]["titles"]] == ["calm", HOSTILE]


@pytest.mark.parametrize("kind", [int, str])
def test_numbers_that_a_browser_would_round_stay_text(kind):
    data = data_of(report.render_table_html([{"id": kind(12345678901234567890), "n": kind(12)}]))
    assert data["rows"] == [["12345678901234567890", 12]]
    assert [c["number"] for c in data["columns"]] == [False, True]


def test_a_large_table_leaves_pools_of_features_out(monkeypatch):
    monkeypatch.setattr(table_page, "_MOST_CELLS", 100)
    pools = ("min", "max", "mean", "harmonic_mean", "p5")
    row = {f"{s}_{p}": 0.5 for s in ("vmaf", "adm2", "vif") for p in pools} | {"title": "t"}
    page = report.render_table_html([row] * 10)
    names = [c["name"] for c in data_of(page)["columns"]]
    assert names == [f"vmaf_{p}" for p in pools] + ["adm2_mean", "vif_mean", "title"]
    assert "8 columns of pooled features are left out" in page
    assert len(data_of(page)["rows"]) == 10


def test_rates_with_units_are_numbers_in_a_page():
    rows = [{"bitrate": r, "vmaf": q, "title": "t"} for r, q in (("900k", 70), ("2M", 80))]
    found = data_of(report.render_table_html(rows))
    (column,) = [c for c in found["columns"] if c["name"] == "bitrate"]
    assert (column["number"], column["rate"]) == (True, True)
    assert [row[0] for row in found["rows"]] == [9e5, 2e6]


def test_a_table_without_rates_says_why_it_has_no_curves():
    rows = [{"name": "a", "vmaf": 1}, {"name": "b", "vmaf": 2}]
    page = report.render_table_html(rows)
    assert "No curves: group=&#x27;title&#x27;: the table has no such column" in page
    with pytest.raises(ValueError, match="no rows"):
        report.render_table_html([])


@pytest.mark.parametrize(
    "arguments, code, sentence",
    [
        (["none.json"], 3, "none.json: cannot be read"),
        (["r.json", "t.csv"], 2, "either results or one table"),
        (["r.json", "-o", "no/x.html"], 2, "there is no folder"),
        (["r.json", "-o", "."], 2, "is a folder"),
        (["r.json", "-o", "r.json"], 2, "--output r.json is one of the inputs"),
        (["r.json", "-o", "t.csv", "-r", "t.csv", "-d", "d"], 2, "t.csv is one of the inputs"),
        (["r.json", "-r", "a"], 2, "--reference and --distorted go together"),
        (["r.json", "-r", "a", "-d", "b", "-d", "c"], 2, "1 results need as many --distorted"),
        (["r.json", "--name", "a", "--name", "b"], 2, "1 results need as many names, got 2"),
        (["t.csv", "--name", "a"], 2, "are for results, not for a table"),
        (["bad.csv"], 3, "bad.csv, line 2: has 1 cells, but there are 2 columns: give"),
    ],
)
def test_wrong_usage_is_one_sentence(tmp_path, monkeypatch, capsys, arguments, code, sentence):
    monkeypatch.chdir(tmp_path)
    report.write(result_of("a", frames=3), "r.json")
    (tmp_path / "t.csv").write_text("a,b\n1,2\n")
    (tmp_path / "bad.csv").write_text("a,b\n1\n")
    assert main(["report", *arguments]) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert sentence in err
    assert err.count("\n") == 1
    assert not list(tmp_path.glob("*.html"))


def test_the_command_writes_beside_the_result_and_finds_moved_videos(tmp_path, capsys):
    ref, dis = video_pair(tmp_path, frames=8)
    gone = result_of("a", frames=8, size=(96, 64), videos=("/gone/r", "/gone/d"))
    report.write(gone, tmp_path / "r.json")
    assert main(["report", str(tmp_path / "r.json"), "-r", ref, "-d", dis]) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'r.html'}\n"
    assert "data:image/jpeg" in (tmp_path / "r.html").read_text()
    assert main(["report", str(tmp_path / "r.json"), "--moments", "0"]) == 0
    assert "data:image/jpeg" not in (tmp_path / "r.html").read_text()


def test_the_command_takes_a_batchs_folder(tmp_path):
    (tmp_path / "table.csv").write_text("id,title,bitrate,vmaf\na,t,1,50\nb,t,2,60\n")
    assert main(["report", str(tmp_path)]) == 0
    data = data_of((tmp_path / "table.html").read_text())
    assert data["ladders"]["titles"][0]["curves"][0]["hull"] == [0, 1]
