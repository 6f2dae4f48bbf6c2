"""Full range that no tag tells: stated by an option, noticed while scoring."""

import numpy as np
import pytest

import jaxvqa
from jaxvqa.video import InputOptions, VideoError, open_pair, open_video
from jaxvqa.video._info import VideoInfo
from jaxvqa.video._pair.range_check import RangeCheck
from tests.test_offset import correct_pairs, pan, tone
from tests.test_video_advice import advised
from tests.test_video_sources import ffmpeg

INFO = VideoInfo("clip", 320, 180, 8, "420")
TO_FULL = 255 / 219


def limited(frames):
    return tone(frames, np.full(len(frames), 219 / 255), 16)


def full(frames):
    return tone(frames, np.full(len(frames), TO_FULL), -16 * TO_FULL)


def side(ref, dis, bit_depth=8, known=()):
    """The side that is said to be full."""
    sides = [None if i in known else INFO for i in (0, 1)]
    check = RangeCheck((sides[0], sides[1]), bit_depth)
    for index, (a, b) in enumerate(zip(ref, dis, strict=True)):
        check.add(index, a, b)
    assert (check.full_side is None) == (not check.notices)
    return check.full_side


@pytest.mark.parametrize("count", [1, 12, 130])
def test_full_range_is_noticed(count):
    ref, dis = limited(pan("ref")[:count]), limited(pan("dis")[:count])
    assert side(ref, dis) is None
    assert side(full(ref), dis) == 0
    assert side(ref, full(dis)) == 1
    assert side(full(ref), full(dis)) is None
    assert side(full(ref), dis, known=(0,)) is None
    assert side(ref, full(dis), known=(1,)) is None
    deep = [frames.astype(np.uint16) << 2 for frames in (full(ref), dis)]
    assert side(*deep, bit_depth=10) == 0


GAINS = [(0.9, 0), (0.9, 12), (1.1, -10), (1.05, 0), (0.8, 20), (1, 10), (1, -12), (0.86, 0)]


@pytest.mark.parametrize(("gain", "shift"), GAINS)
def test_other_changes_of_contrast_are_not(gain, shift):
    ref, dis = limited(pan("ref")[:40]), limited(pan("dis")[:40])
    changed = tone(dis, np.full(40, gain), shift)
    assert side(ref, changed) is None
    assert side(changed, ref) is None


def test_ordinary_pairs_are_not():
    """Fades, flat and black pictures, noise, other pictures."""
    for kind, (ref, dis) in correct_pairs().items():
        if "other range" not in kind:
            assert side(limited(ref[:40]), limited(dis[:40])) is None, kind
    dark = tone(pan("ref"), np.full(len(pan("ref")), 0.08), 16)
    assert side(dark, tone(dark, np.full(len(dark), 0.95), 0.8)) is None


FULL = "scale=in_range=tv:out_range=pc,format={}"
UNTAGGED = {
    "ffv1.avi": ("yuv420p", "-c:v", "ffv1"),
    "utvideo.avi": ("yuv420p", "-c:v", "utvideo"),
    "prores.mov": ("yuv422p10le", "-c:v", "prores_ks"),
}


def make(folder, name):
    """A clip of full range that does not say so, and an encode of limited range."""
    ffmpeg(
        folder, "-f", "lavfi", "-i", "testsrc2=s=128x96:r=25:d=0.4,format=yuv420p", "-c:v", "ffv1",
        "whole.mkv",
    )  # fmt: skip
    form, *codec = UNTAGGED[name]
    ffmpeg(
        folder, "-i", "whole.mkv", "-vf", FULL.format(form), *codec, "-color_range", "pc",
        "-fps_mode", "passthrough", name,
    )  # fmt: skip
    ffmpeg(
        folder, "-i", "whole.mkv", "-pix_fmt", form, *codec, "-fps_mode", "passthrough",
        f"plain_{name}",
    )  # fmt: skip
    encode = "-c:v", "libx264", "-crf", "30", "-color_range", "tv"
    ffmpeg(folder, "-i", "whole.mkv", *encode, "dis.mp4")
    return [folder / file for file in (f"plain_{name}", name, "dis.mp4")]


def psnr(ref, dis, **options):
    result = jaxvqa.score(ref, dis, model=None, features=["psnr"], **options)
    return result.pooled["psnr_y"]["mean"], {n.code: n.text for n in result.notices}


@pytest.mark.parametrize("name", UNTAGGED)
def test_the_advice_leads_to_the_right_number(tmp_path, name):
    whole, hidden, dis = make(tmp_path, name)
    right, _ = psnr(whole, dis)
    for files in ((hidden, dis), (dis, hidden)):
        wrong, notices = psnr(*files)
        assert right - wrong > 3
        (option,) = advised(notices["range"])
        assert list(option) == ["ref_range" if files[0] == hidden else "dis_range"]
        found, notices = psnr(*files, **option)
        assert found == pytest.approx(right, abs=0.15)  # samples were rounded twice
        assert "its full range was converted to limited" in notices["range"]


def test_a_stated_range_counts_whatever_tags_say(tmp_path):
    whole, _, dis = make(tmp_path, "ffv1.avi")
    wrong = "-vf", "setparams=range=pc", "-c:v", "libx264", "-qp", "0"
    ffmpeg(tmp_path, "-i", "whole.mkv", *wrong, "wrong.mp4")
    with open_video(tmp_path / "wrong.mp4") as video:
        assert video.info.color_range == "pc"
    assert psnr(tmp_path / "wrong.mp4", dis, ref_range="limited") == psnr(whole, dis)
    with open_pair(whole, dis, InputOptions(ref_range="full", dis_range="full")) as pair:
        assert pair.alike.direct == (True, True)
    with open_pair(whole, dis, InputOptions(dis_matrix="bt709", ref_matrix="bt601")) as pair:
        assert [n.code for n in pair.notices] == ["matrix"]
        assert "its matrix bt709 was converted to smpte170m" in pair.notices[0].text


def test_raw_video_takes_a_range(tmp_path):
    raw = {"width": 320, "height": 180, "pixel_format": "400", "bit_depth": 8}
    ref, dis = limited(pan("ref")[:5]), limited(pan("dis")[:5])
    files = tmp_path / "r.yuv", tmp_path / "d.yuv"
    files[0].write_bytes(full(ref).tobytes())
    files[1].write_bytes(dis.tobytes())
    with open_pair(*files, InputOptions(**raw, ref_range="full", dis_range="limited")) as pair:
        for (_, a, _), wanted in zip(pair, ref, strict=True):
            assert np.abs(a[0].astype(int) - wanted).max() <= 1


def test_a_matrix_of_rgb_is_refused(tmp_path):
    _, _, dis = make(tmp_path, "ffv1.avi")
    ffmpeg(tmp_path, "-i", "whole.mkv", "-c:v", "libx264rgb", "-qp", "0", "rgb.mkv")
    with pytest.raises(VideoError, match=r"is RGB, which has no matrix: leave ref_matrix"):
        open_pair(tmp_path / "rgb.mkv", dis, InputOptions(ref_matrix="bt709"))
    frames = np.zeros((1, 32, 32), np.uint8)
    with pytest.raises(ValueError, match="ref_range is for files"):
        jaxvqa.score(frames, frames, ref_range="full", model=None, features=["psnr"])
