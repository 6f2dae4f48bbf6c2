"""Files that are missing, empty, cut short, damaged or no video: one sentence naming the file."""

import sys
from types import SimpleNamespace

import av
import numpy as np
import pytest

from jaxvqa.video import InputOptions, VideoError, open_pair, open_video
from jaxvqa.video._container.streams import choose_stream
from jaxvqa.video._container.truncation import find_truncation
from tests.test_video_formats import make_planes, write_clip

CODECS = {
    "ffv1.mkv": ("ffv1", {}),
    "h264.mkv": ("libx264", {"qp": "10"}),
    "h264.mp4": ("libx264", {"qp": "10"}),
    "mpeg4.mov": ("mpeg4", {}),
    "mpeg4.avi": ("mpeg4", {}),
    "vp9.webm": ("libvpx-vp9", {"cpu-used": "8"}),
    "raw.nut": ("rawvideo", {}),
}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    stacks = make_planes(np.random.default_rng(1), 64, 64, "420", 8, frames=8)
    for name, (codec, options) in CODECS.items():
        write_clip(folder / name, codec, "yuv420p", 64, 64, stacks, 8, options=options)
    return {name: (folder / name).read_bytes() for name in CODECS}


def read_all(path):
    with open_video(path) as video:
        return len(list(video))


@pytest.mark.parametrize("name", CODECS)
def test_whole_files_read_in_full(tmp_path, whole, name):
    path = tmp_path / name
    path.write_bytes(whole[name])
    with open_video(path) as video:
        assert len(list(video)) == 8
        assert video.incomplete is None
        assert video.notices == []


# the last bytes of a NUT file are an index that nothing needs
@pytest.mark.parametrize(
    "name, kept", [(n, k) for n in CODECS for k in (0.1, 0.6, 0.97) if (n, k) != ("raw.nut", 0.97)]
)
def test_cut_short(tmp_path, whole, name, kept):
    path = tmp_path / name
    path.write_bytes(whole[name][: int(kept * len(whole[name]))])
    with pytest.raises(VideoError, match=name.replace(".", r"\.")) as caught:
        read_all(path)
    assert "cut short" in str(caught.value) or "damaged" in str(caught.value)


@pytest.mark.parametrize("name", ["ffv1.mkv", "mpeg4.avi"])
def test_noise_in_the_middle(tmp_path, whole, name):
    data = bytearray(whole[name])
    middle = len(data) // 2
    data[middle : middle + 60] = np.random.default_rng(2).bytes(60)
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(VideoError, match="damaged"):
        read_all(path)


@pytest.mark.parametrize("place", [0.3, 0.5, 0.7])
def test_one_flipped_bit_of_ffv1(tmp_path, whole, place):
    """FFmpeg hides such damage; the checksums of the stream show it."""
    data = bytearray(whole["ffv1.mkv"])
    data[int(place * len(data))] ^= 1
    path = tmp_path / "clip.mkv"
    path.write_bytes(data)
    with pytest.raises(VideoError, match=r"frame [1-7] is damaged"):
        read_all(path)


@pytest.mark.parametrize("options", [{"slicecrc": "0"}, {"level": "1"}, {"slices": "16"}])
def test_ffv1_with_and_without_checksums(tmp_path, options):
    stacks = make_planes(np.random.default_rng(6), 352, 288, "420", 8)
    path = tmp_path / "clip.mkv"
    write_clip(path, "ffv1", "yuv420p", 352, 288, stacks, 8, options=options)
    assert read_all(path) == 3


def test_lost_frames_are_reported(tmp_path):
    # zeros over the later part of a Matroska file: its demuxer ends there without an error
    stacks = make_planes(np.random.default_rng(3), 64, 64, "420", 8, frames=50)
    path = tmp_path / "clip.mkv"
    write_clip(path, "mjpeg", "yuvj420p", 64, 64, stacks, 8)
    data = bytearray(path.read_bytes())
    third = data.index(b"\xff\xd9", len(data) // 3) + 2
    data[third:-2000] = bytes(len(data) - 2000 - third)
    path.write_bytes(data)
    with open_video(path) as video:
        assert len(list(video)) < 25
    assert any("frames may be missing" in str(n) for n in video.notices)


def test_damaged_frames_may_be_left_out(tmp_path, whole):
    name = "ffv1.mkv"
    path, cut = tmp_path / name, tmp_path / f"cut_{name}"
    path.write_bytes(whole[name])
    cut.write_bytes(whole[name][: int(0.6 * len(whole[name]))])
    with pytest.raises(VideoError, match=r"cut_ffv1\.mkv: the file is cut short"):
        open_pair(path, cut)
    with open_pair(path, cut, InputOptions(frame_count=3)) as pair:
        assert len(list(pair)) == 3
    with (
        open_pair(path, cut, InputOptions(frame_count=8)) as pair,
        pytest.raises(VideoError, match="cut short"),
    ):
        list(pair)


@pytest.mark.parametrize(
    "name, data, message",
    [
        ("empty.mp4", b"", "is empty"),
        ("empty.y4m", b"", "is empty"),
        ("text.mp4", b"not a video\n" * 100, "not a video"),
        ("text.txt", b"not a video\n" * 100, "no video"),
        ("subtitle.srt", b"1\n00:00:00,000 --> 00:00:01,000\nhello\n", "no video"),
        ("noise.mkv", np.random.default_rng(4).bytes(5000), "not a video"),
        ("head.mkv", b"\x1a\x45\xdf\xa3" + bytes(100), "not a video"),
        ("clip.yuv", bytes(100), "raw video without a header"),
    ],
)
def test_not_a_video(tmp_path, name, data, message):
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(VideoError, match=message) as caught:
        open_video(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)
    assert caught.value.path == str(path)


def test_missing_and_folder(tmp_path):
    with pytest.raises(VideoError, match=r"gone\.mkv: there is no such file"):
        open_video(tmp_path / "gone.mkv")
    with pytest.raises(VideoError, match="is a folder without pictures"):
        open_video(str(tmp_path))
    with pytest.raises(VideoError, match="no such file"):
        open_video(tmp_path / "gone.yuv", width=2, height=2, pixel_format="yuv420p")


def test_sound_without_pictures(tmp_path):
    path = tmp_path / "sound.mka"
    with av.open(str(path), "w", format="matroska") as container:
        stream = container.add_stream("pcm_s16le", rate=8000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), "s16", "mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    with pytest.raises(VideoError, match="has no video in it"):
        open_video(path)


def test_size_change(tmp_path):
    path = tmp_path / "clip.h264"
    data = b""
    for size in (64, 96):
        stacks = make_planes(np.random.default_rng(5), size, size, "420", 8)
        part = tmp_path / f"{size}.h264"
        write_clip(part, "libx264", "yuv420p", size, size, stacks, 8)
        data += part.read_bytes()
    path.write_bytes(data)
    for skip in (0, 2):
        with open_video(path, skip=skip) as video:
            assert {planes[0].shape for planes in video} == {(64, 64)}
            (notice,) = video.notices
        assert notice.code == "changed"
        assert "changes from 64x64 yuv420p to 96x96 yuv420p at frame 3" in notice.text


def test_a_crop_follows_a_change_of_size(tmp_path):
    stacks = make_planes(np.random.default_rng(5), 64, 64, "400", 8)
    large = [stack.repeat(2, 1).repeat(2, 2) for stack in stacks]
    part, path = tmp_path / "part.h264", tmp_path / "clip.h264"
    data = b""
    for size, planes in ((64, stacks), (128, large)):
        write_clip(part, "libx264", "gray", size, size, planes, 8, options={"qp": "0"})
        data += part.read_bytes()
    path.write_bytes(data)
    whole = tmp_path / "whole.mkv"
    write_clip(whole, "ffv1", "gray", 64, 64, [np.concatenate([s, s]) for s in stacks], 8)
    inputs = InputOptions(crop=(32, 24, 16, 8), pair="index", kernel="area")
    with open_pair(whole, path, inputs) as pair:
        for _, ref, dis in pair:
            np.testing.assert_allclose(ref[0].astype(int), dis[0], atol=1)
    with open_pair(path, whole, inputs) as pair:
        assert len(list(pair)) == 6


def test_without_pyav(tmp_path, whole, monkeypatch):
    path = tmp_path / "ffv1.mkv"
    path.write_bytes(whole["ffv1.mkv"])
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(VideoError, match=r'ffv1\.mkv: .*pip install "jaxvqa\[video\]"'):
        open_video(path)


def test_an_avi_that_counts_its_head_is_not_called_cut(tmp_path, whole):
    data, path = bytearray(whole["mpeg4.avi"]), tmp_path / "clip.avi"
    data[4:8] = len(data).to_bytes(4, "little")
    path.write_bytes(data)
    assert read_all(path) == 8
    path.write_bytes(data[:-40])
    with pytest.raises(VideoError, match="cut short"):
        read_all(path)


def test_streams_that_cannot_be_decoded_are_named():
    def stream(index, context):
        return SimpleNamespace(index=index, codec_context=context, disposition=0, metadata={})

    film = stream(1, SimpleNamespace(width=64, height=48))
    chosen, left = choose_stream("clip", [stream(0, None), film], None, lambda _: True)
    assert (chosen, [s.index for s in left]) == (film, [0])


def test_open_ended_containers_are_not_called_cut(tmp_path, whole):
    unknown = b"\x1a\x45\xdf\xa3\x80" + b"\x18\x53\x80\x67" + b"\x01" + b"\xff" * 7
    cases = {
        "live.mkv": unknown + bytes(50),
        "open.mp4": whole["h264.mp4"][:40] + b"\0\0\0\0mdat" + bytes(9),
        "tail.mp4": whole["h264.mp4"] + b"\xff\xff\xff\xff\0\1\2\3 trailing",
        "tail.mkv": whole["ffv1.mkv"] + bytes(77),
        "open.avi": b"RIFF\0\0\0\0AVI LIST" + bytes(20),
        "tiny.bin": b"\1",
    }
    for name, data in cases.items():
        path = tmp_path / name
        path.write_bytes(data)
        assert find_truncation(str(path)) is None, name
