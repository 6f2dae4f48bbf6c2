"""y4m and headerless files: headers, layouts, round trips, pipes."""

import os
import threading
from fractions import Fraction

import av
import numpy as np
import pytest

from jaxvqa.video import (
    InputOptions,
    VideoError,
    VideoInfo,
    open_pair,
    open_video,
    write_y4m,
)
from tests.test_video_formats import make_planes, store, write_clip

FORMATS = [(c, d) for c in ("400", "420", "422", "444") for d in (8, 10, 12, 16)]
NAMES = {"400": "gray", "420": "yuv420p", "422": "yuv422p", "444": "yuv444p"}


def as_frames(stacks):
    return list(zip(*stacks, strict=True))


def check_frames(video, stacks):
    frames = list(video)
    assert len(frames) == len(stacks[0])
    for frame, want in zip(frames, as_frames(stacks), strict=True):
        for got, plane in zip(frame, want, strict=True):
            assert got.dtype == plane.dtype
            assert got.flags.c_contiguous
            np.testing.assert_array_equal(got, plane)


def y4m_bytes(header, stacks, frame_line=b"FRAME\n"):
    out = b"YUV4MPEG2 " + header + b"\n"
    for planes in as_frames(stacks):
        out += frame_line + b"".join(plane.tobytes() for plane in planes)
    return out


@pytest.mark.parametrize("chroma, depth", FORMATS)
def test_round_trip(tmp_path, chroma, depth):
    stacks = make_planes(np.random.default_rng(1), 35, 27, chroma, depth)
    path = tmp_path / "clip.y4m"
    info = VideoInfo(str(path), 35, 27, depth, chroma, Fraction(30000, 1001), color_range="pc")
    assert write_y4m(path, as_frames(stacks), info) == 3
    assert os.listdir(tmp_path) == ["clip.y4m"]
    with open_video(path) as video:
        read = video.info
        check_frames(video, stacks)
    assert (read.width, read.height, read.bit_depth, read.chroma) == (35, 27, depth, chroma)
    assert (read.fps, read.frame_count, read.reader) == (Fraction(30000, 1001), 3, "y4m")
    assert read.color_range == "pc"


@pytest.mark.parametrize("chroma, depth", [f for f in FORMATS if f != ("400", 16)])
def test_ffmpeg_reads_ours_and_we_read_ffmpegs(tmp_path, chroma, depth):
    stacks = make_planes(np.random.default_rng(2), 35, 27, chroma, depth)
    name = NAMES[chroma] + (f"{depth}le" if depth > 8 else "")
    path = tmp_path / "theirs.y4m"
    write_clip(path, "wrapped_avframe", name, 35, 27, stacks, depth)
    with open_video(path) as video:
        assert video.info.reader == "y4m"
        check_frames(video, stacks)
    ours = tmp_path / "ours.y4m"
    write_y4m(ours, as_frames(stacks), video.info)
    with av.open(str(ours)) as container:
        frames = list(container.decode(video=0))
        assert len(frames) == 3
        assert frames[0].format.name == name
        for plane, want in zip(frames[2].planes, [s[2] for s in stacks], strict=True):
            rows = np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)
            rows = rows[:, : plane.width * want.itemsize]
            np.testing.assert_array_equal(rows, store([want], name, depth)[0])


@pytest.mark.parametrize(
    "header, chroma, depth",
    [
        (b"W6 H4", "420", 8),
        (b"H4 W6 F25:1 Ip A1:1 C420jpeg", "420", 8),
        (b"W6 H4 F24 C420mpeg2 XYSCSS=420MPEG2", "420", 8),
        (b"W6 H4 F0:0 Im A0:0 C420paldv Xcomment", "420", 8),
        (b"W6  H4 C422", "422", 8),
        (b"W6 H4 C444", "444", 8),
        (b"W6 H4 Cmono", "400", 8),
        (b"W6 H4 C420p10 XYSCSS=420P10", "420", 10),
        (b"W6 H4 XYSCSS=422P10", "422", 10),
        (b"W6 H4 C444p14", "444", 14),
        (b"W6 H4 C422p16", "422", 16),
        (b"W6 H4 Cmono12", "400", 12),
    ],
)
def test_header_forms(tmp_path, header, chroma, depth):
    stacks = make_planes(np.random.default_rng(3), 6, 4, chroma, depth)
    path = tmp_path / "no_suffix"
    for frame_line in (b"FRAME\n", b"FRAME Ip Xsomething\n"):
        path.write_bytes(y4m_bytes(header, stacks, frame_line))
        with open_video(path, skip=1) as video:
            assert (video.info.chroma, video.info.bit_depth) == (chroma, depth)
            assert video.info.frame_count == 3
            assert video.info.interlaced == (b"Im" in header)
            check_frames(video, [stack[1:] for stack in stacks])


@pytest.mark.parametrize(
    "tag, aspect",
    [(b"A16:15", Fraction(16, 15)), (b"A0:0", 1), (b"A1:0", 1), (b"Aodd", 1), (b"", 1)],
)
def test_shape_of_pixels(tmp_path, tag, aspect):
    """It decides how large a screen shows a picture."""
    stacks = make_planes(np.random.default_rng(8), 720, 576, "400", 8, frames=1)
    path, copy = tmp_path / "clip.y4m", tmp_path / "copy.y4m"
    path.write_bytes(y4m_bytes(b"W720 H576 Cmono " + tag, stacks))
    with open_pair(path, path, InputOptions(at="1080p")) as pair:
        assert pair.ref.info.pixel_aspect == aspect
        assert pair.alike.width == 2 * round(720 * aspect * 1080 / 576 / 2)
        write_y4m(copy, [(np.zeros((576, 720), np.uint8),)], pair.ref.info)
    with open_video(copy) as video:
        assert video.info.pixel_aspect == aspect


@pytest.mark.parametrize(
    "header, message",
    [
        (b"H4", "no valid width"),
        (b"W6 H-4", "no valid height"),
        (b"W0 H4", "not possible"),
        (b"W99999999 H99999999", "not possible"),
        (b"W6 H4 C411", "pixel format C411 .*convert"),
        (b"W6 H4 C444alpha", "pixel format C444alpha .*convert"),
        (b"W6 H4 C420p11", "pixel format C420p11"),
        (b"W6 H4 C42010", "pixel format C42010"),
        (b"W6 H4", "no frames"),
    ],
)
def test_bad_headers(tmp_path, header, message):
    path = tmp_path / "clip.y4m"
    path.write_bytes(b"YUV4MPEG2 " + header + b"\n")
    with pytest.raises(VideoError, match=rf"clip\.y4m: .*{message}"):
        open_video(path)


def test_damaged_y4m(tmp_path):
    stacks = make_planes(np.random.default_rng(4), 6, 4, "420", 8)
    whole = y4m_bytes(b"W6 H4", stacks)
    path = tmp_path / "clip.y4m"
    path.write_bytes(whole[:-1])
    with open_video(path) as video:
        assert video.info.frame_count is None
        frames = iter(video)
        next(frames), next(frames)
        with pytest.raises(VideoError, match=r"clip\.y4m: is cut short: it ends inside frame 2"):
            next(frames)
    path.write_bytes(whole[:-42] + b"FRAMX" + whole[-37:])
    with open_video(path) as video, pytest.raises(VideoError, match="no FRAME line"):
        list(video)
    path.write_bytes(whole + b"x")
    with open_video(path) as video:
        assert "frame 3 has no FRAME line" in video.incomplete
    path.write_bytes(b"YUV4MPEG2 W6 H4")
    with pytest.raises(VideoError, match="header line has no end"):
        open_video(path)
    path.write_bytes(b"YUV5")
    with pytest.raises(VideoError, match="not a y4m file"):
        open_video(path)
    path.write_bytes(whole)
    with pytest.raises(VideoError, match="leave out `width`"):
        open_video(path, width=6)


def test_writer_leaves_nothing_behind(tmp_path):
    stacks = make_planes(np.random.default_rng(5), 6, 4, "420", 8)
    path = tmp_path / "clip.y4m"
    info = VideoInfo(str(path), 6, 4, 8, "420")

    def broken():
        yield as_frames(stacks)[0]
        raise RuntimeError("decoder fell over")

    with pytest.raises(RuntimeError, match="fell over"):
        write_y4m(path, broken(), info)
    with pytest.raises(VideoError, match="no frames"):
        write_y4m(path, [], info)
    with pytest.raises(VideoError, match="frame 0 has planes"):
        write_y4m(path, [as_frames(stacks)[0][:1]], info)
    with pytest.raises(VideoError, match="frame 0 has planes"):
        write_y4m(path, [[p.astype(np.uint16) for p in as_frames(stacks)[0]]], info)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["nv12", "p010le", "yuv422p10be", "nv24"])
def test_raw_stored_formats(tmp_path, name):
    chroma = {"nv12": "420", "p010le": "420", "yuv422p10be": "422", "nv24": "444"}[name]
    depth = 10 if "10" in name else 8
    stacks = make_planes(np.random.default_rng(6), 35, 27, chroma, depth)
    path = tmp_path / "clip.yuv"
    path.write_bytes(
        b"".join(p.tobytes() for f in as_frames(stacks) for p in store(list(f), name, depth))
    )
    with open_video(path, width=35, height=27, pixel_format=name) as video:
        check_frames(video, stacks)


@pytest.mark.parametrize("chroma, depth", FORMATS)
def test_raw(tmp_path, chroma, depth):
    stacks = make_planes(np.random.default_rng(7), 34, 26, chroma, depth)
    path = tmp_path / "clip.yuv"
    path.write_bytes(
        b"".join(
            p.astype("<u2" if depth > 8 else "u1").tobytes() for f in as_frames(stacks) for p in f
        )
    )
    size = {"width": 34, "height": 26}
    with open_video(path, **size, pixel_format=chroma, bit_depth=depth) as video:
        assert (video.info.reader, video.info.frame_count, video.info.note) == ("yuv", 3, None)
        check_frames(video, stacks)
    name = NAMES[chroma] + (f"{depth}le" if depth > 8 else "")
    with open_video(path, **size, pixel_format=name, skip=2) as video:
        assert (video.info.bit_depth, video.info.chroma) == (depth, chroma)
        check_frames(video, [stack[2:] for stack in stacks])


def test_raw_odd_sizes_rounded_down(tmp_path):
    rng = np.random.default_rng(8)
    luma = rng.integers(0, 256, (3, 27, 35), np.uint8)
    chroma = [rng.integers(0, 256, (3, 13, 17), np.uint8) for _ in range(2)]
    path = tmp_path / "clip.yuv"
    path.write_bytes(b"".join(p[i].tobytes() for i in range(3) for p in (luma, *chroma)))
    with open_video(path, width=35, height=27, pixel_format="420", bit_depth=8) as video:
        assert "rounded down" in video.info.note
        assert video.info.note in str(video.notices[0])
        y, u, v = (np.stack(p) for p in zip(*video, strict=True))
    np.testing.assert_array_equal(y, luma)
    for got, want in ((u, chroma[0]), (v, chroma[1])):
        assert got.shape == (3, 14, 18)
        np.testing.assert_array_equal(got[:, :13, :17], want)
        np.testing.assert_array_equal(got[:, 13, :17], want[:, 12])
        np.testing.assert_array_equal(got[:, :, 17], got[:, :, 16])


GOOD = {"width": 8, "height": 8, "pixel_format": "420", "bit_depth": 8}


@pytest.mark.parametrize(
    "change, message",
    [
        ({"width": None}, "width is missing"),
        ({"height": None}, "height is missing"),
        ({"pixel_format": None}, "pixel format is missing"),
        ({"bit_depth": None}, "bit depth is missing"),
        ({"bit_depth": 11}, "bit depth must be one of"),
        ({"pixel_format": "yuv420p10le"}, "has 10 bits, but bit depth 8"),
        ({"pixel_format": "rgb24"}, "pixel format rgb24 .*convert"),
        ({"width": 0}, "not possible"),
        ({"width": 9}, r"not a whole number of 9x8 yuv420p frames .* frames\)"),
        ({"bit_depth": 16}, "not a whole number"),
        ({"skip": 3}, "only 3 frames, so skipping 3"),
        ({"skip": -1}, "cannot skip -1"),
    ],
)
def test_bad_raw_arguments(tmp_path, change, message):
    path = tmp_path / "clip.yuv"
    path.write_bytes(bytes(96 * 3))
    with pytest.raises(VideoError, match=rf"clip\.yuv: .*{message}"):
        open_video(path, **{**GOOD, **change})
    with pytest.raises(VideoError, match="raw video without a header"):
        open_video(path)


def test_samples_above_the_bit_depth(tmp_path):
    path = tmp_path / "clip.yuv"
    path.write_bytes(np.full(96 * 2, 1024, "<u2").tobytes())
    with (
        open_video(path, **{**GOOD, "bit_depth": 10}) as video,
        pytest.raises(VideoError, match="frame 0 holds the sample value 1024, more than 10"),
    ):
        list(video)
    with open_video(path, **{**GOOD, "bit_depth": 12}) as video:
        assert len(list(video)) == 2


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
@pytest.mark.parametrize("kind", ["y4m", "raw", "short"])
def test_pipes(tmp_path, kind):
    # larger than a pipe's buffer, so that frames come in pieces
    stacks = make_planes(np.random.default_rng(9), 400, 300, "420", 8)
    data = y4m_bytes(b"W400 H300 F25:1", stacks)
    raw = {}
    if kind == "raw":
        data = b"".join(p.tobytes() for f in as_frames(stacks) for p in f)
        raw = {"width": 400, "height": 300, "pixel_format": "yuv420p"}
    path = tmp_path / "pipe"
    os.mkfifo(path)

    def feed():
        with open(path, "wb") as pipe:
            pipe.write(data[:-1] if kind == "short" else data)

    thread = threading.Thread(target=feed, daemon=True)
    thread.start()
    with open_video(path, **raw) as video:
        assert video.info.frame_count is None
        if kind == "short":
            with pytest.raises(VideoError, match="ends inside frame 2"):
                list(video)
        else:
            check_frames(video, stacks)
    thread.join()
