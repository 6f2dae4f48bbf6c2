"""Pairing: what is refused and how it is said, lengths, notices."""

from fractions import Fraction

import numpy as np
import pytest

from jaxvqa.video import InputOptions, VideoError, VideoInfo, open_pair, prefetch, write_y4m
from jaxvqa.video._reader import open_video
from tests.test_video_formats import make_planes, write_clip


def make(folder, name, frames=4, width=32, height=24, chroma="420", depth=8, seed=1, **facts):
    """A y4m clip, or an FFV1 one whose length only reading tells."""
    stacks = make_planes(np.random.default_rng(seed), width, height, chroma, depth, frames)
    path = folder / name
    if name.endswith("y4m"):
        info = VideoInfo(str(path), width, height, depth, chroma, **facts)
        write_y4m(path, zip(*stacks, strict=True), info)
    else:
        stem = {"400": "gray", "420": "yuv420p", "444": "yuv444p"}[chroma]
        stem += f"{depth}le" if depth > 8 else ""
        write_clip(path, "ffv1", stem, width, height, stacks, depth, **facts)
    return path, stacks


@pytest.mark.parametrize("suffix", ["y4m", "mkv"])
def test_pairs_by_index(tmp_path, suffix):
    ref, ref_stacks = make(tmp_path, f"ref.{suffix}", 6, seed=1)
    dis, dis_stacks = make(tmp_path, f"dis.{suffix}", 5, seed=2)
    with open_pair(ref, dis, InputOptions(skip_ref=2, skip_dis=1)) as pair:
        assert pair.frame_count == (4 if suffix == "y4m" else None)
        items = list(pair)
    assert [item[0] for item in items] == [0, 1, 2, 3]
    assert pair.dropped == (0, 0)
    assert pair.notices == []
    for index, ref_planes, dis_planes in items:
        for k in range(3):
            np.testing.assert_array_equal(ref_planes[k], ref_stacks[k][index + 2])
            np.testing.assert_array_equal(dis_planes[k], dis_stacks[k][index + 1])


@pytest.mark.parametrize(
    "change, message",
    [
        ({"fps": Fraction(50)}, r"dis.y4m: has 50.000 frames a second, .* pair='time' .*'index'"),
        (
            {"frames": 3},
            r"dis.y4m: has 3 frames, but .*ref.y4m has 4: .*on_length_mismatch='truncate'",
        ),
    ],
)
def test_refused_at_once(tmp_path, change, message):
    ref, _ = make(tmp_path, "ref.y4m", fps=Fraction(25))
    dis, _ = make(tmp_path, "dis.y4m", **{"fps": Fraction(25)} | change)
    with pytest.raises(VideoError, match=message):
        open_pair(ref, dis)


@pytest.mark.parametrize("ref_frames, dis_frames", [(7, 4), (4, 7), (6, 4)])
def test_unequal_lengths_of_containers(tmp_path, ref_frames, dis_frames):
    ref, _ = make(tmp_path, "ref.mkv", ref_frames)
    dis, _ = make(tmp_path, "dis.mkv", dis_frames)
    with pytest.raises(VideoError, match=f"has {dis_frames} frames, .* has {ref_frames}:"):
        open_pair(ref, dis)
    with open_pair(ref, dis, InputOptions(on_length_mismatch="truncate")) as pair:
        assert len(list(pair)) == 4
    assert pair.dropped == (ref_frames - 4, dis_frames - 4)
    longer = "reference" if ref_frames > dis_frames else "distorted video"
    assert f"of the {longer} had no partner" in str(pair.notices[-1])


def test_a_frame_that_containers_lose_at_the_end_is_no_error(tmp_path):
    ref, _ = make(tmp_path, "ref.mkv", 5)
    dis, _ = make(tmp_path, "dis.mkv", 4)
    with open_pair(ref, dis) as pair:
        assert [item[0] for item in pair] == [0, 1, 2, 3]
    (notice,) = pair.notices
    assert notice.code == "dropped-frames"
    assert "the last frame of the reference had no partner" in notice.text


def test_truncate_with_lengths_known(tmp_path):
    ref, _ = make(tmp_path, "ref.y4m", 5)
    dis, _ = make(tmp_path, "dis.y4m", 3)
    with open_pair(ref, dis, InputOptions(on_length_mismatch="truncate", skip_ref=1)) as pair:
        assert pair.frame_count == 3
        assert len(list(pair)) == 3
        assert pair.dropped == (1, 0)
    assert "the last frame of the reference" in str(pair.notices[0])
    with pytest.raises(VideoError, match=r"has 3 frames, .* has 4 after skipping 1 and 0:"):
        open_pair(ref, dis, InputOptions(skip_ref=1))


@pytest.mark.parametrize("suffix", ["y4m", "mkv"])
def test_frame_count(tmp_path, suffix):
    ref, _ = make(tmp_path, f"ref.{suffix}", 6)
    dis, _ = make(tmp_path, f"dis.{suffix}", 4)
    with open_pair(ref, dis, InputOptions(frame_count=4)) as pair:
        assert len(list(pair)) == 4
        assert pair.dropped == (0, 0)
    with pytest.raises(VideoError, match="has 4 frames"):
        open_pair(ref, dis, InputOptions(frame_count=6))
    with open_pair(ref, ref, InputOptions(frame_count=50)) as pair:
        assert len(list(pair)) == 6


def test_wrong_arguments(tmp_path):
    ref, _ = make(tmp_path, "ref.y4m")
    with pytest.raises(ValueError, match="on_length_mismatch must be one of error, truncate"):
        open_pair(ref, ref, InputOptions(on_length_mismatch="pad"))
    with pytest.raises(ValueError, match="frame_count must be a whole number of at least 1"):
        open_pair(ref, ref, InputOptions(frame_count=0))
    with pytest.raises(VideoError, match="no such file"):
        open_pair(ref, tmp_path / "gone.y4m")
    with pytest.raises(VideoError, match=r"only 4 frames, so skipping 4"):
        open_pair(ref, ref, InputOptions(skip_dis=4))


def test_raw_pair(tmp_path):
    stacks = make_planes(np.random.default_rng(3), 16, 16, "422", 10)
    path = tmp_path / "clip.yuv"
    path.write_bytes(b"".join(p.tobytes() for f in zip(*stacks, strict=True) for p in f))
    raw = {"width": 16, "height": 16, "pixel_format": "422", "bit_depth": 10}
    with open_pair(path, path, InputOptions(**raw, skip_ref=1, skip_dis=1)) as pair:
        assert pair.frame_count == 2
        for index, ref_planes, dis_planes in pair:
            for k in range(3):
                np.testing.assert_array_equal(ref_planes[k], stacks[k][index + 1])
                np.testing.assert_array_equal(ref_planes[k], dis_planes[k])


def test_warnings(tmp_path):
    ref, _ = make(tmp_path, "ref.y4m", color_range="tv", interlaced=True)
    dis, _ = make(tmp_path, "dis.y4m", color_range="pc", interlaced=True)
    with open_pair(ref, dis, InputOptions(color="as-is")) as pair:
        lines = [str(n) for n in pair.notices]
    assert len(lines) == 3
    assert "dis.y4m: its colour range is full, the reference's limited" in lines[0]
    assert "ref.y4m: the video is interlaced" in lines[1]
    assert "dis.y4m: the video is interlaced" in lines[2]
    near, _ = make(tmp_path, "near.y4m", fps=Fraction(24000, 1001))
    far, _ = make(tmp_path, "far.y4m", fps=Fraction(2398, 100))
    with open_pair(near, far) as pair:
        assert pair.notices == []


def test_hdr_warnings(tmp_path):
    hlg, _ = make(tmp_path, "hlg.mkv", depth=10, tags={"color_trc": 18})
    sdr, _ = make(tmp_path, "sdr.mkv", depth=10, tags={"color_trc": 1})
    with open_pair(hlg, sdr) as pair:
        lines = [str(n) for n in pair.notices]
    assert "hlg.mkv: the video is HDR (HLG)" in lines[0]
    assert "transfer function is bt709, the reference's arib-std-b67" in lines[1]


def test_frames_never_share_memory(tmp_path):
    ref, _ = make(tmp_path, "ref.y4m", 3)
    with open_pair(ref, ref) as pair:
        kept = list(pair)
    assert not np.shares_memory(kept[0][1][0], kept[1][1][0])
    assert not np.shares_memory(kept[0][1][0], kept[0][2][0])


def test_closing_while_a_thread_decodes(tmp_path):
    ref, _ = make(tmp_path, "ref.mkv", 40)
    for _ in range(5):
        pair = open_pair(ref, ref)
        queue = prefetch(pair, 2)
        next(queue)
        pair.close()
        queue.close()


def test_error_in_the_decode_thread_reaches_the_caller(tmp_path):
    ref, _ = make(tmp_path, "ref.y4m", 5)
    dis, _ = make(tmp_path, "dis.y4m", 5)
    dis.write_bytes(dis.read_bytes()[:-10])
    options = InputOptions(frame_count=5)
    with open_pair(ref, dis, options) as pair, prefetch(pair, 2) as queue:
        assert [next(queue)[0] for _ in range(4)] == [0, 1, 2, 3]
        with pytest.raises(VideoError, match="is cut short"):
            next(queue)


@pytest.mark.parametrize(("broken", "told"), [(("ref", "dis"), "ref"), (("dis",), "dis")])
def test_both_sides_are_read_side_by_side_and_the_references_error_is_told(tmp_path, broken, told):
    paths = {name: make(tmp_path, f"{name}.y4m")[0] for name in ("ref", "dis")}
    for name in broken:
        paths[name].write_bytes(paths[name].read_bytes()[:-10])
    with open_pair(paths["ref"], paths["dis"], InputOptions(frame_count=4)) as pair:
        items = iter(pair)
        assert [next(items)[0] for _ in range(3)] == [0, 1, 2]
        with pytest.raises(VideoError, match=rf"{told}.y4m: .*is cut short"):
            next(items)


@pytest.mark.parametrize("broken", ["ref", "dis", "both"])
def test_what_was_opened_is_closed_when_the_other_cannot_be(tmp_path, monkeypatch, broken):
    paths = {name: make(tmp_path, f"{name}.y4m")[0] for name in ("ref", "dis")}
    bad = ["ref", "dis"] if broken == "both" else [broken]
    for name in bad:
        paths[name].write_bytes(b"no video")
    opened, closed = [], []

    def watched(path, **options):
        video = open_video(path, **options)
        opened.append(path)
        close = video.close

        def close_and_tell():
            closed.append(path)
            close()

        video.close = close_and_tell
        return video

    monkeypatch.setattr("jaxvqa.video._pair.pairing.open_video", watched)
    with pytest.raises(VideoError) as problem:
        open_pair(paths["ref"], paths["dis"])
    assert str(paths[bad[0]]) in str(problem.value)
    assert opened == closed
    assert len(opened) == 2 - len(bad)
