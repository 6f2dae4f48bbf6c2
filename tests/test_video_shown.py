"""A container's crop is applied and AVI's dropped frames repeat, as in a player."""

import struct
from fractions import Fraction

import av
import numpy as np
import pytest

import jaxvqa
from jaxvqa.video import InputOptions, open_pair, open_video
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


X264 = ("-c:v", "libx264", "-preset", "veryfast", "-threads", "1")
COPIED = {
    "x264": (*X264, "-bf", "0"),
    "x264_b": (*X264, "-bf", "2"),
    "x265": ("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none"),
    "mpeg4_b": ("-c:v", "mpeg4", "-bf", "2"),
}


def read(path):
    with open_video(path) as video:
        luma = np.stack([planes[0] for planes in video])
        return luma, video.timeline(), [notice.code for notice in video.notices], video.info


def copied(folder, codec, rate="25", steps="null", *flags):
    """A clip in mp4, and its packets copied into AVI; FFmpeg's clock there is much finer."""
    ffmpeg(
        folder, "-f", "lavfi", "-i", f"testsrc2=s=64x48:r={rate},trim=end_frame=24", "-vf", steps,
        "-fps_mode", "passthrough", *COPIED[codec], *flags, "clip.mp4",
    )  # fmt: skip
    ffmpeg(folder, "-i", "clip.mp4", "-c", "copy", "clip.avi")
    return folder / "clip.mp4", folder / "clip.avi"


@pytest.mark.parametrize("codec", COPIED)
@pytest.mark.parametrize("rate", ["24000/1001", "25", "30000/1001", "60"])
def test_copies_into_avi_keep_their_rate(tmp_path, codec, rate):
    mp4, avi = (read(path) for path in copied(tmp_path, codec, rate))
    assert np.array_equal(avi[0], mp4[0])
    # a clock of 600 ticks does not tell 30 from 29.97 in so few frames
    assert avi[1].rate == pytest.approx(Fraction(rate), rel=0.001)
    assert avi[1].constant
    assert avi[1].count == len(avi[0]) == 24
    assert avi[2] == []
    assert avi[3].fps == avi[1].rate
    with open_pair(tmp_path / "clip.mp4", tmp_path / "clip.avi") as pair:
        assert all(np.array_equal(a[0], b[0]) for _, a, b in pair)
        assert pair.notices == []


@pytest.mark.parametrize("codec", ["x264", "x264_b"])
def test_copies_into_avi_show_dropped_frames_again(tmp_path, codec):
    mp4, avi = (read(path) for path in copied(tmp_path, codec, steps=DROPS))
    shown = [0, 1, 2, 2, 2, 2, 3, 4, 5, 5, *range(6, 20)]
    assert np.array_equal(avi[0], mp4[0][shown])
    assert (avi[1].rate, avi[1].count, avi[2]) == (25, 24, ["repeated-frames"])


def test_copies_into_avi_of_a_variable_rate(tmp_path):
    uneven = "settb=1/1000,setpts='40*N+mod(17*N,27)'"
    fine = "-enc_time_base", "1/1000"
    mp4, avi = (read(path) for path in copied(tmp_path, "x264", "25", uneven, *fine))
    assert np.array_equal(avi[0], mp4[0])
    assert (avi[1].count, avi[1].constant, avi[2]) == (24, False, [])
    tick = avi[1].tick + mp4[1].tick
    assert all(abs(a - b) <= tick for a, b in zip(avi[1].times, mp4[1].times, strict=True))
    with open_pair(tmp_path / "clip.mp4", tmp_path / "clip.avi", InputOptions(pair="time")) as pair:
        assert sum(np.array_equal(a[0], b[0]) for _, a, b in pair) == 24


def test_two_chunks_for_each_frame_of_avi(tmp_path):
    """As older programs copied H.264: at the rate of fields."""
    ffmpeg(tmp_path, *SOURCE, *X264, "-enc_time_base", "1/50", "clip.avi")
    half = ("-c", "copy", "-bsf:v", "h264_metadata=tick_rate=50", "half.avi")
    ffmpeg(tmp_path, "-i", "clip.avi", *half)
    luma, line, codes, _ = read(tmp_path / "half.avi")
    assert (len(luma), line.rate, codes) == (10, 25, [])


def packed(packets):
    """MPEG-4 packets as DivX packs them: each B frame with the one it needs, then an empty one."""
    found = []
    for data in packets:
        kind = data[data.index(b"\0\0\1\xb6") + 4] >> 6  # 0 I, 1 P, 2 B
        if kind == 2:
            found[-1] += data
            found.append(b"\0\0\1\xb6\x50\x4f")
        else:
            found.append(data)
    start = found[0].index(b"\0\0\1\xb6")
    found[0] = found[0][:start] + b"\0\0\1\xb2DivX503b1393p" + found[0][start:]
    return found


def test_packed_frames_of_avi(tmp_path):
    encoder = av.CodecContext.create("mpeg4", "w")
    encoder.width, encoder.height, encoder.pix_fmt = 64, 48, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, 25), Fraction(25)
    encoder.options = {"bf": "1"}
    rng = np.random.default_rng(1)
    packets = []
    for i in range(12):
        codes = rng.integers(60, 180, (72, 64)).astype(np.uint8)
        frame = av.VideoFrame.from_ndarray(codes, "yuv420p")
        frame.pts = i
        packets += [bytes(p) for p in encoder.encode(frame)]
    packets += [bytes(p) for p in encoder.encode(None)]
    assert sum(data.endswith(b"\x50\x4f") for data in packed(packets)) == 5
    for name, chunks in (("plain.avi", packets), ("packed.avi", packed(packets))):
        with av.open(str(tmp_path / name), "w") as container:
            stream = container.add_stream("mpeg4", rate=25)
            stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
            for i, data in enumerate(chunks):
                packet = av.Packet(data)
                packet.stream, packet.pts, packet.dts, packet.time_base = (
                    stream,
                    i,
                    i,
                    Fraction(1, 25),
                )
                packet.is_keyframe = i == 0
                container.mux(packet)
    plain, together = read(tmp_path / "plain.avi"), read(tmp_path / "packed.avi")
    assert np.array_equal(plain[0], together[0])
    assert len(plain[0]) == 12
    assert (together[1].count, together[1].rate, together[2]) == (12, 25, [])
