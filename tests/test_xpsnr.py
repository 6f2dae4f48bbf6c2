"""XPSNR: FFmpeg's filter, numpy oracle, gradient, start of a clip, bad input."""

import json
from fractions import Fraction

import av
import av.filter
import jax
import numpy as np
import pytest

import jaxvqa
from jaxvqa import Planes, losses
from jaxvqa._cli.main import main
from jaxvqa.features import xpsnr
from jaxvqa.video import VideoInfo, write_y4m
from tests import clips, laws, tolerances
from tests.oracles import xpsnr as oracle
from tests.programs import check_gradients, quick

RATES = (25, 60)
NAMES = "yuv"
filter_only = pytest.mark.skipif(
    "xpsnr" not in av.filter.filters_available, reason="this FFmpeg has no filter xpsnr"
)


def av_frames(planes):
    deep = planes.depth > 8
    layout = f"yuv{planes.chroma}p{planes.depth}le" if deep else f"yuv{planes.chroma}p"
    for n in range(planes.frames):
        frame = av.VideoFrame(planes.width, planes.height, layout)
        for target, source in zip(frame.planes, (planes.y, planes.u, planes.v), strict=True):
            rows = np.ascontiguousarray(source[n]).view(np.uint8)
            buffer = np.zeros((target.height, target.line_size), np.uint8)
            buffer[:, : rows.shape[1]] = rows
            target.update(buffer.tobytes())
        frame.pts = n
        yield frame


def by_filter(ref, dis, rate):
    """What FFmpeg's filter says: `{plane: [by frame]}`."""
    graph = av.filter.Graph()
    pixels = f"yuv{ref.chroma}p" + (f"{ref.depth}le" if ref.depth > 8 else "")
    facts = f"video_size={ref.width}x{ref.height}:pix_fmt={pixels}:pixel_aspect=1/1"
    facts += f":time_base={1 / Fraction(rate)}:frame_rate={rate}"
    sources = [graph.add("buffer", facts, name=name) for name in ("ref", "dis")]
    measure, sink = graph.add("xpsnr"), graph.add("buffersink")
    for k, source in enumerate(sources):
        source.link_to(measure, 0, k)
    measure.link_to(sink)
    graph.configure()
    found = {name: [] for name in NAMES}
    for pair in [*zip(av_frames(ref), av_frames(dis), strict=True), (None, None)]:
        for source, frame in zip(sources, pair, strict=True):
            if frame is not None:
                frame.time_base = 1 / Fraction(rate)
            source.push(frame)
        while True:
            try:
                told = sink.pull().metadata
            except (av.BlockingIOError, av.EOFError):
                break
            for name in NAMES:
                found[name].append(float(told[f"lavfi.xpsnr.xpsnr.{name}"]))
    return found


def check(found, expected):
    for name in NAMES:
        np.testing.assert_allclose(
            found[f"xpsnr_{name}"], expected[name], rtol=0, atol=tolerances.XPSNR
        )


def tiled(planes, height, width, frames=3):
    """A larger even picture made of copies."""

    def plane(p, h, w):
        copies = np.tile(np.asarray(p)[:frames], (1, -(-h // p.shape[1]), -(-w // p.shape[2])))
        return np.ascontiguousarray(copies[:, :h, :w])

    small = -(-height // 2), -(-width // 2)
    return Planes(plane(planes.y, height, width), *(plane(p, *small) for p in (planes.u, planes.v)))


@filter_only
@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("clip", clips.CLIPS)
def test_matches_ffmpeg(clip, rate):
    ref, dis = clips.load(clip)
    found = jaxvqa.score(ref, dis, model=None, features=[f"xpsnr=frame_rate={rate}"]).frames
    check(found, by_filter(ref, dis, rate))


@filter_only
@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("height, width", [(179, 241), (1400, 2402)])
def test_matches_ffmpeg_at_other_sizes(height, width, rate):
    """Odd and smoothed; above HD, with a last block that is too narrow for the filter."""
    ref, dis = (tiled(x, height, width) for x in clips.load("bunny_640x360"))
    check(quick(lambda r, d: xpsnr(r, d, frame_rate=rate))(ref, dis), by_filter(ref, dis, rate))


def file_of(planes, path, rate):
    info = VideoInfo(str(path), planes.width, planes.height, planes.depth, planes.chroma, fps=rate)
    write_y4m(path, zip(planes.y, planes.u, planes.v, strict=True), info)
    return str(path)


@filter_only
@pytest.mark.parametrize("rate", [Fraction(24), Fraction(60000, 1001)])
@pytest.mark.parametrize("bit_depth", [8, 10])
def test_the_rate_of_a_file_is_taken(tmp_path, monkeypatch, bit_depth, rate):
    """As FFmpeg does. Of deep frames whose rows are padded its filter reads the wrong samples."""
    monkeypatch.setenv("JAXVQA_CACHE", "off")
    ref, dis = textured_pair(116, 128, 4, bit_depth)
    files = [file_of(ref, tmp_path / "ref.y4m", rate), file_of(dis, tmp_path / "dis.y4m", rate)]
    output = tmp_path / "out.json"
    wanted = ["--no-model", "--feature", "xpsnr", "--output", str(output), "--quiet"]
    assert main(["score", *files, *wanted]) == 0
    metrics = [frame["metrics"] for frame in json.loads(output.read_text())["frames"]]
    found = {name: [m[name] for m in metrics] for name in metrics[0]}
    check(found, by_filter(ref, dis, rate))


def test_the_rate_of_arrays_is_fps():
    ref, dis = textured_pair(58, 66)

    def y(**wanted):
        result = jaxvqa.score(ref, dis, model=None, **{"features": ["xpsnr"], **wanted})
        return result.frames["xpsnr_y"].tolist(), [n.code for n in result.notices]

    slow, told = y()
    assert told == ["frame-rate"]
    assert y(fps=24) == (slow, [])
    fast, told = y(fps=60)
    assert fast != slow
    assert told == []
    assert y(features=["xpsnr=frame_rate=60"]) == (fast, [])
    # what is written counts more than the clip
    assert y(fps=60, features=["xpsnr=frame_rate=24"]) == (slow, [])


def test_fps_is_for_files_that_do_not_say_it(tmp_path):
    planes, _ = textured_pair(58, 66)
    raw = tmp_path / "clip.yuv"
    frames = zip(planes.y, planes.u, planes.v, strict=True)
    raw.write_bytes(b"".join(np.asarray(p).tobytes() for frame in frames for p in frame))
    known = {"width": 66, "height": 58, "pixel_format": "420", "bit_depth": 8}
    asked = {"model": None, "features": ["xpsnr"]}
    assert [n.code for n in jaxvqa.score(raw, raw, **known, **asked).notices] == ["frame-rate"]
    assert not jaxvqa.score(raw, raw, fps=60, **known, **asked).notices
    timed = file_of(planes, tmp_path / "clip.y4m", Fraction(24))
    with pytest.raises(ValueError, match="says 24 frames per second: leave fps out"):
        jaxvqa.score(timed, timed, fps=60, **asked)


def textured_pair(height, width, frames=3, bit_depth=8):
    rng = np.random.default_rng(bit_depth)
    sides = [[], []]
    for h, w in ((height, width), (height // 2, width // 2), (height // 2, width // 2)):
        ref = clips.textured(rng, (frames, h, w), bit_depth)
        noise = rng.integers(-9, 10, ref.shape)
        for side, plane in zip(sides, (ref, ref + noise), strict=True):
            side.append(np.clip(plane, 0, (1 << bit_depth) - 1).astype(ref.dtype))
    return tuple(Planes(*side, bit_depth=bit_depth) for side in sides)


@pytest.mark.parametrize("rate, bit_depth", [(25, 8), (31.9, 12), (60, 10)])
def test_equals_the_oracle(rate, bit_depth):
    ref, dis = textured_pair(58, 66, bit_depth=bit_depth)
    found = quick(lambda r, d: xpsnr(r, d, frame_rate=rate))(ref, dis)
    sides = [(x.y, x.u, x.v) for x in (ref, dis)]
    check(found, oracle.scores(*sides, rate, bit_depth))


def test_tiny_pictures_have_the_plain_psnr():
    ref, dis = textured_pair(32, 32)
    expected = {
        name: -10 * np.log10(((r.astype(float) - d) ** 2).mean((1, 2)) / 255**2)
        for name, r, d in zip(NAMES, (ref.y, ref.u, ref.v), (dis.y, dis.u, dis.v), strict=True)
    }
    check(quick(xpsnr)(ref, dis), expected)


def test_average_of_a_clip():
    ref, dis = textured_pair(58, 66)
    result = jaxvqa.score(ref, dis, model=None, features=["xpsnr"])
    for name in NAMES:
        roots = 10 ** (-result.frames[f"xpsnr_{name}"].astype(np.float64) / 20)
        expected = -20 * np.log10(roots.mean())
        np.testing.assert_allclose(result.aggregate[f"xpsnr_{name}_average"], expected, rtol=1e-9)


def test_luma_alone():
    ref, dis = textured_pair(58, 66)
    whole = quick(xpsnr)(ref, dis)
    luma = quick(lambda r, d: xpsnr(r, d, enable_chroma=False))(ref.luma_only(), dis.luma_only())
    assert set(luma) == {"xpsnr_y", "weighted_error"}
    np.testing.assert_allclose(luma["xpsnr_y"], whole["xpsnr_y"], rtol=1e-6)


def loss(ref, dis):
    return losses.xpsnr(laws.same_planes(ref), laws.same_planes(dis))


def test_gradient():
    with jax.enable_x64(True):
        rng = np.random.default_rng(0)
        ref, dis = rng.uniform(0, 255, (2, 2, 48, 48))

        check_gradients(loss, (ref, dis), modes=("rev",), rtol=tolerances.GRADIENT, atol=1e-6)


def test_descent():
    laws.check_descent_of(loss, textured_pair(48, 64)[0].y.astype(np.float32))


def test_bad_input():
    frame = np.zeros((64, 64), np.uint16)
    with pytest.raises(ValueError, match="xpsnr needs chroma, but the video is monochrome"):
        xpsnr(frame, frame, bit_depth=10)
    deep = Planes(frame, frame, frame, bit_depth=16)
    with pytest.raises(ValueError, match="xpsnr takes at most 12 bits per sample, got 16"):
        xpsnr(deep, deep)
    with pytest.raises(ValueError, match="frame_rate must lie between 0 and 1000"):
        xpsnr(frame, frame, bit_depth=10, frame_rate=-1)
