"""Data set files that cut, crop, pad or retime videos: as FFmpeg does by libvmaf's commands.

The chains are what `Executor._open_workfile` of libvmaf f85a853 gives to FFmpeg for such files.
"""

import os
import tempfile

import numpy as np
import pytest

from jaxvqa._study.cache import SeriesCache
from jaxvqa._study.dataset_format import read_format, works_of
from jaxvqa._study.load import load_study
from jaxvqa._study.measure import Measuring
from jaxvqa._study.workfile import Work, workfiles
from jaxvqa.video import VideoError, open_video
from tests import tolerances
from tests.real_files import Studio, run, truth

RAW = {"yuv_fmt": "yuv420p", "width": 192, "height": 128}
SHOWN = {"quality_width": 96, "quality_height": 64}
SCALE = "scale=96x64"
WHOLE = "scale=192:128:flags=bicubic,format=yuv420p"
CUT = "select='gte(n\\,3)*gte(9\\,n)',setpts=PTS-STARTPTS"


@pytest.fixture(scope="module")
def studio(tmp_path_factory):
    studio = Studio(tmp_path_factory.mktemp("work"))
    studio.recipes |= {
        "src.yuv": "-i @src.y4m -f rawvideo",
        "film24.mkv": "-r 24 -i @src.y4m -c:v libx264 -preset veryfast -crf 20",
        "film24.mp4": "-i @film24.mkv -c copy",
    }
    return studio


def of_ffmpeg(studio, name, chain, form, kernel, count):
    """The raw video that libvmaf's command leaves."""
    source = ["-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", "192x128"] if ".yuv" in name else []
    target = studio.folder / "out.yuv"
    limit = ["-frames:v", count] if count else []
    # fmt: off
    run(*source, "-i", studio.file(name), "-an", "-fps_mode", "passthrough", "-pix_fmt", form,
        *limit, "-vf", chain, "-f", "rawvideo", "-sws_flags", kernel, target)
    # fmt: on
    return target.read_bytes()


def of_ours(path, options, side):
    with workfiles(str(path), str(path), options["works"]) as made, open_video(made[side]) as video:
        return b"".join(plane.tobytes() for planes in video for plane in planes)


@pytest.mark.parametrize(
    "name, shared, chain",
    [
        ("src.yuv", {"crop_cmd": "97:64:47:31"}, f"crop=97:64:47:31,{SCALE}"),
        ("src.yuv", {"pad_cmd": "iw+100:ih+50:50:25"}, f"pad=iw+100:ih+50:50:25,{SCALE}"),
        ("src.yuv", {"pad_cmd": "iw+40:ih:20", "crop_cmd": "96:64"},
         f"crop=96:64,pad=iw+40:ih:20,{SCALE}"),
        ("src.yuv", {"fps_cmd": "30"}, f"{SCALE},fps=30"),
        ("film24.mkv", {"fps_cmd": "25"}, f"{SCALE},fps=25"),
        ("film24.mkv", {"fps_cmd": "60:round=down"}, f"{SCALE},fps=60:round=down"),
        ("film24.mp4", {"fps_cmd": "24000/1001"}, f"{SCALE},fps=24000/1001"),
        ("film24.mp4", {"fps_cmd": "10", "start_frame": 3, "end_frame": 9},
         f"{CUT},{SCALE},fps=10"),
        ("film24.mp4", {"fps_cmd": "60", "start_sec": 0.125, "end_sec": 0.42, "fps": 24},
         f"{CUT},{SCALE},fps=60"),
        ("film24.mkv", {"crop_cmd": "96:64", "workfile_yuv_type": "yuv422p10le"},
         f"crop=96:64,{SCALE}"),
        ("film24.mkv", {"workfile_yuv_type": "yuv444p", "resampling_type": "lanczos"}, SCALE),
    ],
)  # fmt: skip
def test_videos_are_those_that_libvmafs_command_leaves(studio, name, shared, chain):
    shared = SHOWN | shared | (RAW if ".yuv" in name else {"yuv_fmt": "notyuv"})
    count = 7 if "select" in chain else None
    form = shared.get("workfile_yuv_type", "yuv420p")
    right = of_ffmpeg(studio, name, chain, form, shared.get("resampling_type", "bicubic"), count)
    assert right
    for side in (0, 1):
        assert of_ours(studio.file(name), read_format(shared, {}, {}), side) == right


def dataset(folder, lines, ref, dis, more):
    path = folder / "set.py"
    video = f"'content_id': 0, 'asset_id': 0, 'path': '{dis}', 'mos': 3, {more}"
    refs = f"ref_videos = [{{'content_id': 0, 'path': '{ref}'}}]"
    path.write_text(f"{lines}\n{refs}\ndis_videos = [{{{video}}}]\n")
    return load_study(path)


@pytest.mark.parametrize(
    "more, chain",
    [
        # as in libvmaf's example_dataset_crop_pad.py: one side alone
        ("'crop_cmd': '96:64:48:32'", f"crop=96:64:48:32,{WHOLE}"),
        ("'pad_cmd': 'iw+64:ih+32:32:16'", f"pad=iw+64:ih+32:32:16,{WHOLE}"),
    ],
)
def test_a_crop_or_pad_of_one_side_scores_as_in_libvmaf(studio, tmp_path, monkeypatch, more, chain):
    copies = tmp_path / "copies"
    copies.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(copies))
    lines = "yuv_fmt = 'notyuv'\nquality_width, quality_height = 192, 128"
    study = dataset(tmp_path, lines, studio.file("ref.mp4"), studio.file("dis.mp4"), more)
    right = truth(studio, "ref.mp4", "dis.mp4", ("", chain))
    cache = SeriesCache(tmp_path / "cache")
    (series,) = Measuring(cache=cache).series(study, ["vmaf_v0.6.1"], [])
    np.testing.assert_allclose(series.frames["vmaf"], right, rtol=0, atol=tolerances.REAL_PLAIN)
    assert not os.listdir(copies)
    # the cache tells a clip from the same files without the crop
    plain = dataset(tmp_path, lines, studio.file("ref.mp4"), studio.file("dis.mp4"), "")
    (other,) = Measuring(cache=cache).series(plain, ["vmaf_v0.6.1"], [])
    assert np.abs(other.frames["vmaf"] - right).max() > 1


def test_ranges_of_both_sides_score_as_in_libvmaf(studio, tmp_path):
    lines = "yuv_fmt = 'notyuv'"
    more = "'dis_start_frame': 2, 'dis_end_frame': 6, 'start_frame': 2, 'end_frame': 9"
    study = dataset(tmp_path, lines, studio.file("ref.mp4"), studio.file("dis.mp4"), more)
    chain = "select='gte(n\\,2)*gte(6\\,n)'"
    right = truth(studio, "ref.mp4", "dis.mp4", (chain, chain))
    (series,) = Measuring().series(study, ["vmaf_v0.6.1"], [])
    np.testing.assert_allclose(series.frames["vmaf"], right, rtol=0, atol=tolerances.REAL_PLAIN)
    assert len(right) == 5


@pytest.mark.parametrize(
    "shared, ref, dis, expected",
    [
        # what counts more is as in libvmaf's Asset
        ({"start_frame": 2, "end_frame": 5}, {}, {"start_frame": 7, "end_frame": 7},
         {"skip_ref": 2, "skip_dis": 2, "frame_count": 4}),
        ({"start_frame": 2, "end_frame": 5}, {"ref_start_frame": 0, "ref_end_frame": 9},
         {"dis_start_frame": 1, "dis_end_frame": 3}, {"skip_dis": 1, "frame_count": 3}),
        ({}, {"ref_start_frame": 4, "ref_end_frame": 4}, {}, {"skip_ref": 4, "frame_count": 1}),
        # asset_test.py of libvmaf: 2 to 3 seconds at 24 are the frames 48 to 71
        ({"start_sec": 2, "end_sec": 3, "fps": 24}, {}, {},
         {"skip_ref": 48, "skip_dis": 48, "frame_count": 24}),
        ({"duration_sec": 2, "fps": 29.97}, {}, {}, {"frame_count": 60}),
        ({"duration_sec": 2, "fps": 25}, {}, {"start_frame": 1, "end_frame": 2},
         {"skip_ref": 1, "skip_dis": 1, "frame_count": 2}),
    ],
)  # fmt: skip
def test_ranges_are_frames_to_skip_and_to_score(shared, ref, dis, expected):
    assert read_format(shared, ref, dis) == expected | {"pair": "index"}


def test_what_changes_no_score_in_libvmaf_changes_none_here():
    assert read_format({"duration_sec": 5.0}, {}, {"rebuf_indices": [0, 4]}) == {}
    assert read_format({"fps": 30}, {"content_name": "x"}, {}) == {}


def test_beside_raw_video_the_other_side_becomes_like_it():
    options = read_format(RAW, {}, {"yuv_fmt": "notyuv"})
    works, rest = works_of(options)
    scale = (("scale", "192:128:flags=bicubic"),)
    assert works == (
        Work((192, 128, "yuv420p"), None, scale, "yuv420p"),
        Work(None, None, scale, "yuv420p"),
    )
    assert rest == {"pair": "index", "on_length_mismatch": "truncate"}


@pytest.mark.parametrize(
    "shared, dis, problem",
    [
        ({"crop_cmd": "10:10,hflip"}, {}, "crop_cmd must be the options of FFmpeg's filter crop"),
        ({"pad_cmd": "[x]10"}, {}, "pad_cmd must be the options"),
        ({}, {"fps_cmd": 30}, "fps_cmd must be text"),
        ({"fps_cmd": "1000000"}, {}, "fps_cmd must be the options of FFmpeg's filter fps"),
        ({"fps_cmd": "30/0"}, {}, "fps_cmd must be the options"),
        ({"fps_cmd": "0"}, {}, "fps_cmd must be the options"),
        ({"start_frame": 3}, {}, "start_frame needs end_frame as well"),
        ({}, {"dis_end_frame": 3}, "dis_end_frame needs dis_start_frame as well"),
        ({"start_frame": 3, "end_frame": 2}, {}, "frames of ref end at 2, before they start"),
        ({"start_frame": -1, "end_frame": 2}, {}, "start_frame must be a whole number"),
        ({"start_sec": 1, "end_sec": 2}, {}, "start_sec and end_sec need fps"),
        ({"duration_sec": "long", "fps": 25}, {}, "duration_sec must be a number"),
        ({"fps": 0}, {}, "fps must be a number above 0"),
        ({}, {"fps": "25"}, "fps must be a number above 0"),
        ({}, {"rebuf_indices": 3}, "rebuf_indices must be a list"),
        ({"workfile_yuv_type": "nv12"}, {}, "workfile_yuv_type must be a raw format"),
    ],
)
def test_what_makes_no_sense_is_refused(shared, dis, problem):
    with pytest.raises(ValueError, match=problem):
        read_format(shared, {}, dis)


def test_filters_that_ffmpeg_refuses_are_named(studio):
    path = str(studio.file("ref.mp4"))
    for work, problem in (
        (Work(filters=(("crop", "4000:64"),)), "FFmpeg does not take crop=4000:64 for it"),
        (Work(frames=(100, 200)), "no frame is left by select="),
    ):
        context = workfiles(path, path, (work, work))
        with pytest.raises(VideoError, match=problem):
            context.__enter__()
