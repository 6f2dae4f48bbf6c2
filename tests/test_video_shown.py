"""A container's crop is applied and AVI's dropped frames repeat, as in a player."""

import struct

import numpy as np
import pytest

import jaxvqa
from jaxvqa.video import open_video
from tests.test_video_pictures import check
from tests.test_video_sources import ffmpeg

SOURCE = ("-f", "lavfi", "-i", "testsrc2=s=64x48:d=0.4")
BOXES = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd", b"avc1")


def with_clap(data, width, height, right, down):
    """An mp4 file, its index at its end, with a clean aperture; offsets are of the centre."""
    data = bytearray(data)
    starts, at = [], 0
    for name in BOXES:
        at = data.index(name, at)
        starts.append(at - 4)
    clap = struct.pack(">I4s8i", 40, b"clap", width, 1, height, 1, *right, *down)
    end = starts[-1] + int.from_bytes(data[starts[-1] : starts[-1] + 4], "big")
    data[end:end] = clap
    for start in starts:
        size = int.from_bytes(data[start : start + 4], "big")
        data[start : start + 4] = (size + 40).to_bytes(4, "big")
    return bytes(data)


@pytest.mark.parametrize("name", ["clip.mp4", "clip.mov", "clip.mkv"])
@pytest.mark.parametrize("turn", [0, 90])
@pytest.mark.parametrize(
    "clap, size",
    [((40, 32, (4, 1), (-2, 1)), (40, 32)), ((33, 21, (1, 2), (5, 2)), (32, 20))],
    ids=["even", "odd"],
)
def test_a_containers_crop(tmp_path, name, turn, clap, size):
    ffmpeg(tmp_path, *SOURCE, "-pix_fmt", "yuv420p", "whole.mp4")
    data = (tmp_path / "whole.mp4").read_bytes()
    (tmp_path / "clap.mp4").write_bytes(with_clap(data, *clap))
    ffmpeg(tmp_path, "-display_rotation", str(turn), "-i", "clap.mp4", "-c", "copy", name)
    info, notices = check(tmp_path, name, count=10)
    assert (info.width, info.height) == (size if turn == 0 else size[::-1])
    assert notices == []


DROPS = "select='not(between(n,3,5)+eq(n,9))'"
AVI = {
    "x264.avi": ("-c:v", "libx264", "-bf", "0"),
    "x264_b.avi": ("-c:v", "libx264", "-bf", "2"),
    "mpeg4_b.avi": ("-c:v", "mpeg4", "-bf", "2"),
    "raw.avi": ("-c:v", "rawvideo", "-pix_fmt", "yuv420p"),
}


def empty_last(data, count):
    """The AVI file without the content of its last chunks: index and chunks say 0 bytes."""
    data = bytearray(data)
    index = data.index(b"idx1")
    movi = data.index(b"movi")
    last = index + 8 + int.from_bytes(data[index + 4 : index + 8], "little")
    for entry in range(last - 16 * count, last, 16):
        chunk = movi + int.from_bytes(data[entry + 8 : entry + 12], "little")
        size = int.from_bytes(data[chunk + 4 : chunk + 8], "little")
        data[entry + 12 : entry + 16] = data[chunk + 4 : chunk + 8] = bytes(4)
        if size >= 8:  # what was in it becomes a chunk that nobody reads
            padded = size + size % 2 - 8
            data[chunk + 8 : chunk + 16] = b"JUNK" + padded.to_bytes(4, "little")
    return bytes(data)


@pytest.mark.parametrize("name", AVI)
def test_dropped_frames_of_avi_show_the_frame_before(tmp_path, name):
    ffmpeg(
        tmp_path, "-f", "lavfi", "-i", "testsrc2=s=64x48:d=0.8", "-vf", DROPS, "-fps_mode", "vfr",
        "-enc_time_base", "1/25", *AVI[name], name,
    )  # fmt: skip
    data = ffmpeg(tmp_path, "-i", name, "-fps_mode", "passthrough", "-f", "rawvideo", "-")
    kept = np.frombuffer(data, np.uint8).reshape(16, 48 * 64 * 3 // 2)[:, : 48 * 64]
    shown = [0, 1, 2, 2, 2, 2, 3, 4, 5, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]
    with open_video(tmp_path / name) as video:
        found = np.stack([planes[0].ravel() for planes in video])
        (notice,) = video.notices
        assert video.timeline().count == 20
    assert np.array_equal(found, kept[shown])
    assert notice.code == "repeated-frames"
    assert "4 of its 20 frames are empty" in notice.text
    result = jaxvqa.score(tmp_path / name, tmp_path / name, model=None, features=["float_motion"])
    assert len(result.frames["motion"]) == 20


def test_dropped_frames_at_the_end(tmp_path):
    ffmpeg(tmp_path, *SOURCE, "-c:v", "libx264", "-bf", "0", "whole.avi")
    data = (tmp_path / "whole.avi").read_bytes()
    (tmp_path / "clip.avi").write_bytes(empty_last(data, 3))
    with open_video(tmp_path / "whole.avi") as video:
        wanted = [planes[0].copy() for planes in video]
        assert video.notices == []
    with open_video(tmp_path / "clip.avi") as video:
        found = [planes[0] for planes in video]
        assert [n.code for n in video.notices] == ["repeated-frames"]
    assert np.array_equal(found, [*wanted[:7], *[wanted[6]] * 3])
