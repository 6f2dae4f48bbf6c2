"""Decoded planes equal the arrays that were encoded, for every pixel format."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from jaxvqa._planes import Planes, chroma_size
from jaxvqa.video import VideoError, open_video
from jaxvqa.video._decode.picture import copy_planes
from jaxvqa.video._formats import parse_pixel_format
from tests import clips

PLANAR = [
    *("yuv420p", "yuv422p", "yuv444p", "gray"),
    *(f"{stem}{depth}le" for stem in ("yuv420p", "yuv422p", "yuv444p") for depth in (10, 12, 16)),
    *("gray10le", "gray12le", "gray16le"),
]
STORED = [
    *("nv12", "nv21", "nv16", "nv24", "nv42", "p010le", "p012le", "p016le", "p210le", "p410le"),
    *("yuv420p9le", "yuv422p14le", "yuv420p10be", "gray16be", "p010be"),
]
# width on and off a multiple of 32, odd sides, and the smallest frame
SIZES = [(64, 48), (50, 38), (35, 27), (1, 1)]
CHROMA = {"4:2:0": "420", "4:2:2": "422", "4:4:4": "444"}


def make_planes(rng, width, height, chroma, depth, frames=3):
    """Random planes that use every code value range, as (frames, height, width) stacks."""
    dtype = np.uint8 if depth == 8 else np.uint16
    sizes = [(height, width)]
    if chroma != "400":
        sizes += [chroma_size(height, width, chroma)] * 2
    return [rng.integers(0, 1 << depth, (frames, *size)).astype(dtype) for size in sizes]


def store(planes, name, depth):
    """The bytes of each stored plane, written from the formats' definitions in FFmpeg's docs."""
    if name in ("nv21", "nv42"):
        planes = [planes[0], planes[2], planes[1]]
    if name.startswith(("nv", "p0", "p2", "p4")):
        planes = [planes[0], np.stack(planes[1:], -1).reshape(planes[1].shape[0], -1)]
    if name.startswith("p"):
        planes = [plane << (16 - depth) for plane in planes]
    if depth > 8:
        planes = [plane.astype(">u2" if name.endswith("be") else "<u2") for plane in planes]
    return [np.ascontiguousarray(plane).view(np.uint8) for plane in planes]


def make_frame(name, width, height, planes, depth):
    frame = av.VideoFrame(width, height, name)
    for plane, data in zip(frame.planes, store(planes, name, depth), strict=True):
        # the padding at the end of rows must never reach the planes
        padded = np.full((data.shape[0], plane.line_size), 199, np.uint8)
        padded[:, : data.shape[1]] = data
        plane.update(padded.tobytes())
    return frame


def write_clip(path, codec, name, width, height, stacks, depth, rate=25, options=None, tags=None):
    # FFmpeg asks for this before it writes y4m above 8 bits
    mux = {"strict": "-1"} if str(path).endswith("y4m") else {}
    with av.open(str(path), "w", options=mux) as container:
        stream = container.add_stream(codec, rate=rate)
        stream.width, stream.height, stream.pix_fmt = width, height, name
        stream.options = options or {}
        for attribute, value in (tags or {}).items():
            setattr(stream.codec_context, attribute, value)
        for index in range(len(stacks[0])):
            frame = make_frame(name, width, height, [stack[index] for stack in stacks], depth)
            frame.pts = index
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def check_equal(path, stacks, depth, count=3):
    with open_video(path) as video:
        frames = list(video)
        assert len(frames) == count
        for index, frame in enumerate(frames):
            assert len(frame) == len(stacks)
            for plane, stack in zip(frame, stacks, strict=True):
                assert plane.dtype == (np.uint8 if depth == 8 else np.uint16)
                assert plane.dtype.isnative
                assert plane.flags.c_contiguous
                np.testing.assert_array_equal(plane, stack[index])
    return video.info


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("name", PLANAR)
def test_lossless_codec(tmp_path, name, size):
    layout = parse_pixel_format(name)
    stacks = make_planes(np.random.default_rng(1), *size, layout.chroma, layout.bit_depth)
    path = tmp_path / "clip.mkv"
    write_clip(path, "ffv1", name, *size, stacks, layout.bit_depth)
    info = check_equal(path, stacks, layout.bit_depth)
    assert (info.width, info.height) == size
    assert (info.bit_depth, info.chroma) == (layout.bit_depth, layout.chroma)
    assert (info.pixel_format, info.reader, info.fps) == (name, "av", Fraction(25))
    assert info.frame_count is None


@pytest.mark.parametrize("size", [(70, 48), (50, 38), (35, 27)], ids=str)
@pytest.mark.parametrize("name", STORED)
def test_decoder_frames(name, size):
    """Formats that hardware decoders give; few files hold them."""
    layout = parse_pixel_format(name)
    stacks = make_planes(np.random.default_rng(2), *size, layout.chroma, layout.bit_depth, 1)
    planes = [stack[0] for stack in stacks]
    frame = make_frame(name, *size, planes, layout.bit_depth)
    assert frame.planes[0].line_size > size[0] * layout.sample_bytes
    for got, want in zip(copy_planes(frame, layout, "clip"), planes, strict=True):
        assert got.dtype.isnative
        assert got.flags.c_contiguous
        np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("size", SIZES[:3], ids=str)
@pytest.mark.parametrize("name", ["nv12", "nv21", "yuv420p9le", "yuv420p10be", "gray16be"])
def test_uncompressed_video(tmp_path, name, size):
    layout = parse_pixel_format(name)
    stacks = make_planes(np.random.default_rng(2), *size, layout.chroma, layout.bit_depth)
    path = tmp_path / "clip.nut"
    write_clip(path, "rawvideo", name, *size, stacks, layout.bit_depth)
    assert check_equal(path, stacks, layout.bit_depth).pixel_format == name


def test_bit_depths_and_chroma_are_what_ffmpeg_says():
    for name in PLANAR + STORED:
        layout, truth = parse_pixel_format(name), av.VideoFormat(name, 64, 64)
        assert layout.bit_depth == truth.components[0].bits
        if truth.components[1:]:
            part = truth.components[1]
            assert (part.height, part.width) == chroma_size(64, 64, layout.chroma)
        else:
            assert layout.chroma == "400"


def test_full_range_and_lossless_h264(tmp_path):
    rng = np.random.default_rng(3)
    stacks = make_planes(rng, 50, 38, "420", 8, frames=30)
    path = tmp_path / "clip.mp4"
    write_clip(path, "libx264", "yuvj420p", 50, 38, stacks, 8, options={"qp": "0", "bf": "2"})
    info = check_equal(path, stacks, 8, count=30)
    assert (info.color_range, info.chroma, info.bit_depth) == ("pc", "420", 8)
    assert info.announced_frames == info.expected_frames == 30


def test_colour_tags(tmp_path):
    stacks = make_planes(np.random.default_rng(4), 32, 32, "420", 10)
    path = tmp_path / "clip.mkv"
    tags = {"color_trc": 16, "color_range": 1}
    write_clip(
        path, "ffv1", "yuv420p10le", 32, 32, stacks, 10, rate=Fraction(30000, 1001), tags=tags
    )
    with open_video(path) as video:
        # Matroska has no count, but a duration
        assert video.info.announced_frames is None
        assert video.info.expected_frames == len(stacks[0])
        assert video.info.color_transfer == "smpte2084"
        assert video.info.color_range == "tv"
        assert video.info.is_hdr
        assert abs(video.info.fps - Fraction(30000, 1001)) < Fraction(1, 100)
        assert any("HDR (PQ)" in str(n) for n in video.notices)


OTHERS = {
    "rgb24": "yuv444p", "gbrp": "yuv444p", "yuv410p": "yuv420p", "yuva420p": "yuv420p",
    "yuyv422": "yuv422p", "uyvy422": "yuv422p", "yuv411p": "yuv422p", "yuv440p": "yuv444p",
    "rgba64le": "yuv444p16le", "ya8": "gray", "yuva444p10le": "yuv444p10le",
}  # fmt: skip


@pytest.mark.parametrize("name", OTHERS)
def test_other_formats_are_converted(tmp_path, name):
    path = tmp_path / "clip.nut"
    rng = np.random.default_rng(7)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("rawvideo", rate=25)
        stream.width, stream.height, stream.pix_fmt = 32, 32, name
        frame = av.VideoFrame(32, 32, name)
        for plane in frame.planes:
            plane.update(rng.bytes(plane.buffer_size))
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    expected = parse_pixel_format(OTHERS[name])
    with open_video(path) as video:
        assert (video.info.chroma, video.info.bit_depth) == (expected.chroma, expected.bit_depth)
        (planes,) = list(video)
        assert [p.shape for p in planes] == expected.stored_shapes(32, 32)
    if name in ("yuva420p", "yuva444p10le"):  # nothing but the transparency is dropped
        for plane, stored in zip(planes, frame.planes, strict=False):
            rows = np.frombuffer(stored, np.uint8).reshape(stored.height, -1).view(plane.dtype)
            np.testing.assert_array_equal(plane, rows[:, : stored.width])
    if name == "yuyv422":
        packed = np.frombuffer(frame.planes[0], np.uint8).reshape(32, -1)[:, :64]
        np.testing.assert_array_equal(planes[0], packed[:, 0::2])
        np.testing.assert_array_equal(planes[1], packed[:, 1::4])


def test_skip(tmp_path):
    stacks = make_planes(np.random.default_rng(5), 32, 32, "420", 8, frames=6)
    path = tmp_path / "clip.mkv"
    write_clip(path, "ffv1", "yuv420p", 32, 32, stacks, 8)
    with open_video(path, skip=4) as video:
        frames = list(video)
    np.testing.assert_array_equal([f[0] for f in frames], stacks[0][4:])
    with open_video(path, skip=6) as video, pytest.raises(VideoError, match="only 6 frames"):
        list(video)
    with open_video(path, skip=9) as video, pytest.raises(VideoError, match="only 6 frames"):
        list(video)


def test_frames_outlive_the_video(tmp_path):
    stacks = make_planes(np.random.default_rng(6), 64, 64, "444", 8, frames=20)
    path = tmp_path / "clip.mkv"
    write_clip(path, "ffv1", "yuv444p", 64, 64, stacks, 8)
    with open_video(path) as video:
        frames = list(video)
    for index, frame in enumerate(frames):
        np.testing.assert_array_equal(frame[2], stacks[2][index])
        assert all(plane.base is None or plane.base.flags.owndata for plane in frame)


@pytest.mark.parametrize("name", clips.CLIPS)
def test_shipped_clips(name):
    for side, expected in zip(("ref", "dis"), clips.load(name), strict=True):
        with open_video(clips.path(name, side)) as video:
            frames = list(video)
        planes = Planes(*(np.stack(p) for p in zip(*frames, strict=True)), bit_depth=expected.depth)
        assert planes.chroma == expected.chroma == video.info.chroma
        assert video.info.bit_depth == expected.depth
        for got, want in ((planes.y, expected.y), (planes.u, expected.u), (planes.v, expected.v)):
            np.testing.assert_array_equal(got, want)


def test_text_is_no_video(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("a list of words\n" * 40)
    with pytest.raises(VideoError, match=r"notes\.txt: has no video in it"):
        open_video(path)


def test_second_pass_and_closed(tmp_path):
    stacks = make_planes(np.random.default_rng(7), 32, 32, "420", 8)
    path = Path(tmp_path) / "clip.mkv"
    write_clip(path, "ffv1", "yuv420p", 32, 32, stacks, 8)
    with open_video(path) as video:
        assert len(list(video)) == 3
        with pytest.raises(VideoError, match="open it again"):
            list(video)
    video = open_video(path)
    video.close()
    video.close()
    with pytest.raises(VideoError, match="was closed"):
        next(iter(video))
