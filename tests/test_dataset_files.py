"""Data set files of libvmaf, sureal and funque_plus: read as data; hostile files are refused."""

import os
import sys

import numpy as np
import pytest

from jaxvqa._study.dataset_file import Standard, read_assignments
from jaxvqa._study.dataset_format import read_format
from jaxvqa._study.load import load_study
from jaxvqa._study.measure import Measuring
from jaxvqa._tables import TableError
from tests.hostile_datasets import HOSTILE


def write(folder, name, text):
    path = folder / name
    path.write_text(text)
    return path


def never(*asked):
    raise AssertionError("nothing is to be measured")


LIBVMAF = '''"""As libvmaf has it."""
import numpy as np
dataset_name = "example"
yuv_fmt = 'yuv420p'
width = 1920
height = 1080
ref_score = 5.0
ref_dir = '/data' + '/ref'
ref_videos = [
    {'content_id': 0, 'content_name': 'tree', 'path': ref_dir + '/tree.yuv'},
    {'content_id': 1, 'content_name': 'sea', 'path': ref_dir + '/sea.yuv'},
]
dis_videos = [
    {'content_id': 0, 'asset_id': 0, 'path': ref_dir + '/tree.yuv', 'os': [5, 5, None]},
    {'content_id': 0, 'asset_id': 1, 'path': '/data/dis/tree1.yuv', 'os': [2, 3, 1]},
    {'content_id': 1, 'asset_id': 2, 'path': ref_dir + '/sea.yuv', 'os': [4, 5, 5]},
    {'content_id': 1, 'asset_id': 3, 'path': '/data/dis/sea1.yuv', 'os': [3, 3, 4]},
]
'''
FUNQUE = """import os
from videolib import standards
ref_dir = os.path.join('/data', 'ref')
ref_standard = standards.sRGB
ref_videos = {
    0: {'content_name': 'tree', 'path': os.path.join(ref_dir, 'tree.yuv')},
    1: {'content_name': 'sea', 'path': ref_dir + '/sea.yuv', 'standard': standards.sRGB},
}
dis_videos = {
    0: {'content_id': 0, 'path': '/data/a.yuv', 'dmos': 71.5},
    1: {'content_id': 1, 'path': '/data/b.yuv', 'dmos': -3},
}
"""


def test_data_set_files_of_libvmaf_are_read(tmp_path):
    path = write(tmp_path, "set.py", LIBVMAF)
    study = load_study(path, subjective="mos")
    assert study.contents == ["tree", "tree", "sea", "sea"]
    np.testing.assert_allclose(study.ratings, [5, 2, 14 / 3, 10 / 3])
    assert study.clips[1].options == {"width": 1920, "height": 1080, "pixel_format": "yuv420p"}
    assert [clip.is_reference for clip in study.clips] == [True, False, True, False]
    difference = load_study(path, subjective="dmos")
    np.testing.assert_allclose(difference.ratings, [5, 2, 5, 5 - 4 / 3])


def test_votes_by_name_and_repeated(tmp_path):
    text = LIBVMAF.replace("[5, 5, None]", "{'ann': [5, 4], 'bob': 3}")
    for old in ("[2, 3, 1]", "[4, 5, 5]", "[3, 3, 4]"):
        text = text.replace(old, "{'bob': 2}")
    study = load_study(write(tmp_path, "set.py", text), subjective="mos")
    assert study.subjects == ("ann", "bob")
    assert study.votes.shape == (4, 2, 2)
    assert study.ratings[0] == 4


def test_contents_may_share_the_ids_of_their_clips(tmp_path):
    text = LIBVMAF.replace("'asset_id': 2", "'asset_id': 0").replace(
        "'asset_id': 3", "'asset_id': 1"
    )
    study = load_study(write(tmp_path, "set.py", text), subjective="mos")
    assert [clip.name for clip in study.clips] == ["0/0", "0/1", "1/0", "1/1"]
    np.testing.assert_allclose(study.ratings, [5, 2, 14 / 3, 10 / 3])


def test_data_set_files_of_funque_plus_are_read(tmp_path):
    study = load_study(write(tmp_path, "set.py", FUNQUE))
    assert study.rating == "dmos"
    assert study.ratings.tolist() == [71.5, -3]
    assert study.clips[0].ref == "/data/ref/tree.yuv"


@pytest.mark.parametrize(
    "old, new, problem",
    [
        ("'content_id': 1, 'asset_id': 2", "'content_id': 9, 'asset_id': 2", "no reference has"),
        ("[2, 3, 1]", "[2, 3]", "has 2 votes and others have 3"),
        ("[2, 3, 1]", "['good', 3, 1]", "is no number"),
        ("[2, 3, 1]", "{(1, 2): 3}", "paired comparison"),
        ("'asset_id': 1,", "'asset_id': 0,", "two clips of content 0 have the asset_id 0"),
        ("'os': [2, 3, 1]", "'mos': 'high'", "mos of clip 1 must be a number"),
        ("ref_score = 5.0", "ref_score = 'five'", "ref_score must be a number"),
        ("dis_videos = [", "dis_video = [", "dis_videos must be a list"),
        ("'path': '/data/dis/tree1.yuv'", "'path': 3", "path of clip 1 must be text"),
        ("'content_id': 1, 'content_name'", "'content_id': 0, 'content_name'", "two references"),
        ("'content_name': 'tree'", "'content_name': ['tree']", "content_name must be text or"),
        ("'asset_id': 1", "'asset_id': {}", "asset_id must be text or a number"),
        ("'os': [2, 3, 1]", "'mos': 1, 'groundtruth_std': -1", "groundtruth_std of clip 1 must"),
        ("width = 1920", "width = 19.2", "clip 0: width must be a whole number"),
        ("width = 1920", "resampling_type = 'area'", "resampling_type must be one of bilinear"),
    ],
)
def test_bad_data_sets_are_refused(tmp_path, old, new, problem):
    assert old in LIBVMAF
    with pytest.raises(TableError, match=problem):
        load_study(write(tmp_path, "set.py", LIBVMAF.replace(old, new)))


CHECKOUT = """import os
from vmaf.config import VmafConfig
yuv_fmt = 'yuv420p'
width, height = 1920, 1080
ref_videos = [{'content_id': 0, 'path': VmafConfig.test_resource_path('yuv', 'ref.yuv')}]
folder = VmafConfig.resource_path('yuv')
dis_videos = [
    {'content_id': 0, 'asset_id': 0, 'path': folder + '/a.yuv', 'mos': 1},
    {'content_id': 0, 'asset_id': 1, 'path': os.path.join('yuv', 'b.yuv'), 'mos': 2.5},
    {'content_id': 0, 'asset_id': 2, 'mos': 3,
     'path': VmafConfig.root_path('c.yuv', bypass_download=True)},
]
"""


def test_files_of_libvmafs_checkout_are_found_below_root(tmp_path, monkeypatch):
    path = write(tmp_path, "set.py", CHECKOUT)
    monkeypatch.chdir(tmp_path)
    first = load_study("set.py", root="vmaf").clips[0]
    assert first.ref == str(tmp_path / "vmaf/python/test/resource/yuv/ref.yuv")
    clips = load_study(path, root="/vmaf").clips
    assert {clip.ref for clip in clips} == {"/vmaf/python/test/resource/yuv/ref.yuv"}
    assert [clip.dis for clip in clips] == [
        "/vmaf/resource/yuv/a.yuv", "/vmaf/yuv/b.yuv", "/vmaf/c.yuv"
    ]  # fmt: skip
    assert clips[0].options == {"width": 1920, "height": 1080, "pixel_format": "yuv420p"}
    with pytest.raises(TableError, match="line 5: names files by libvmaf's VmafConfig: say with `"):
        load_study(path)


def test_votes_that_are_not_a_number_are_missing(tmp_path):
    text = LIBVMAF.replace("[5, 5, None]", "[5, float('NaN'), None]")
    assert np.isnan(load_study(write(tmp_path, "set.py", text)).votes[0, :, 0]).tolist() == [
        False, True, True
    ]  # fmt: skip


RAW = {"width": 640, "height": 480, "pixel_format": "yuv420p"}
RAW_OF_FILE = {"width": 640, "height": 480, "yuv_fmt": "yuv420p"}


@pytest.mark.parametrize(
    "shared, ref, dis, expected",
    [
        # what counts more is as in libvmaf's read_dataset
        ({"yuv_fmt": "yuv420p"}, {"width": 640, "height": 480}, {}, RAW),
        ({"yuv_fmt": "yuv420p"}, {}, {"width": 640, "height": 480}, RAW),
        ({"yuv_fmt": "yuv420p", "width": 640, "height": 480}, {"yuv_fmt": "yuv444p"}, {}, RAW),
        ({"yuv_fmt": "notyuv", "width": 640, "height": 480}, {}, {}, {}),
        ({"yuv_fmt": "yuv420p"}, {"width": 640, "height": 480}, {"width": 320, "height": 240},
         {"unsupported": "raw videos of two sizes without quality_width and quality_height"}),
        ({}, {"yuv_fmt": "yuv420p"}, {"yuv_fmt": "yuv422p"},
         {"unsupported": "raw videos of two formats without workfile_yuv_type"}),
        ({"yuv_fmt": "yuv420p"}, {}, {"yuv_fmt": "notyuv"},
         {"unsupported": "raw video without width and height"}),
        ({"crop_cmd": "8:8"}, {}, {},
         {"unsupported": "crop_cmd without quality_width and quality_height"}),
        ({"quality_width": 64, "quality_height": 32}, {}, {"quality_width": 1},
         {"scale": (64, 32)}),
        ({"resampling_type": "lanczos"}, {}, {}, {"kernel": "lanczos"}),
        ({}, {}, {"resampling_type": "bilinear"}, {"kernel": "bilinear"}),
        ({}, {}, {"enc_width": 960, "enc_height": 540, "enc_bitdepth": 10},
         {"encode_size": (960, 540), "encode_bitdepth": 10}),
        (RAW_OF_FILE | {"workfile_yuv_type": "yuv420p", "fps": 25}, {}, {}, RAW),
        ({"ref_standard": Standard("sRGB"), "dis_standard": Standard("rec_709"), "width": 640,
          "height": 480}, {"path": "a.yuv"}, {"path": "b.yuv"}, RAW),
        ({"ref_standard": Standard("sRGB"), "dis_standard": Standard("sRGB"), "width": 640,
          "height": 480}, {"path": "a.mp4"}, {"path": "b.mp4"}, {}),
        ({"width": 640, "height": 480}, {"path": "a.yuv", "standard": Standard("rec_2100_pq")},
         {"path": "b.yuv", "standard": Standard("sRGB_10")},
         RAW | {"pixel_format": "yuv420p10le"}),
    ],
)  # fmt: skip
def test_formats_are_those_that_the_files_tools_take(shared, ref, dis, expected):
    assert read_format(shared, ref, dis) == expected


def test_what_libvmaf_refuses_too_is_refused_before_measuring(tmp_path):
    text = LIBVMAF.replace("width = 1920", "width = 1920\ncrop_cmd = '10:10'")
    study = load_study(write(tmp_path, "set.py", text))
    with pytest.raises(TableError, match="has crop_cmd without quality_width and quality_height"):
        Measuring(scorer=never).series(study, ["vmaf_v0.6.1"], [])


def test_hostile_files_are_many_and_differ():
    assert len(set(HOSTILE)) == len(HOSTILE) >= 200


@pytest.mark.parametrize("number", range(len(HOSTILE)))
def test_hostile_data_set_files_are_refused_with_a_sentence(tmp_path, monkeypatch, number):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "set.py"
    path.write_bytes(HOSTILE[number])
    before, modules = set(os.listdir(tmp_path)), set(sys.modules)
    with pytest.raises(TableError) as caught:
        read_assignments("set.py", root="checkout")
    message = str(caught.value)
    assert message.startswith("set.py")
    assert message.endswith(".")
    assert "\n" not in message
    assert len(message) < 300
    assert set(os.listdir(tmp_path)) == before
    assert not {"hostile", "antigravity", "this"} & (set(sys.modules) - modules)
