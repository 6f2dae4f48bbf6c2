"""Frames put where the reader's caller wants them: read, copied or converted into that memory."""

import io
import itertools

import numpy as np
import pytest

from jaxvqa.video import InputOptions, VideoInfo, open_video, write_y4m
from jaxvqa.video._pair.pairing import open_pair
from jaxvqa.video._prefetch import AskedIterator
from tests.test_video_formats import make_planes, store, write_clip

WIDTH, HEIGHT = 34, 26


class Memory:
    """Gives memory for frames, filled with a mark, and remembers it."""

    def __init__(self, stacks, luma_only=False):
        self._like = [plane[0] for plane in stacks][: 1 if luma_only else None]
        self.given = []

    def __call__(self):
        self.given.append(tuple(np.full_like(plane, 7) for plane in self._like))
        return self.given[-1]


def write(path, kind, depth, stacks):
    """A clip as y4m, as headerless bytes of a pixel format, or losslessly encoded."""
    suffix = f"{depth}le" if depth > 8 else ""
    if kind == "y4m":
        info = VideoInfo(str(path), WIDTH, HEIGHT, depth, "420")
        write_y4m(path, zip(*stacks, strict=True), info)
        return {}
    name = {"planar": "yuv420p" + suffix, "nv12": "nv12", "big": "yuv420p10be"}.get(kind, kind)
    if kind == "ffv1":
        write_clip(path, "ffv1", "yuv420p" + suffix, WIDTH, HEIGHT, stacks, depth)
        return {}
    frames = zip(*stacks, strict=True)
    path.write_bytes(b"".join(b.tobytes() for f in frames for b in store(list(f), name, depth)))
    return {"width": WIDTH, "height": HEIGHT, "pixel_format": name}


@pytest.mark.parametrize("luma_only", [False, True])
@pytest.mark.parametrize(
    ("kind", "depth"),
    [("y4m", 8), ("y4m", 10), ("planar", 8), ("planar", 12), ("nv12", 8), ("big", 10),
     ("ffv1", 8), ("ffv1", 10)],
)  # fmt: skip
def test_frames_are_put_into_the_memory_given(tmp_path, kind, depth, luma_only):
    stacks = make_planes(np.random.default_rng(5), WIDTH, HEIGHT, "420", depth)
    path = tmp_path / f"clip.{'y4m' if kind == 'y4m' else 'mkv' if kind == 'ffv1' else 'yuv'}"
    raw = write(path, kind, depth, stacks)
    with open_pair(path, path, InputOptions(**raw)) as pair:
        memories = Memory(stacks, luma_only), Memory(stacks, luma_only)
        found = list(pair.read(not luma_only, memories))
    assert len(found) == 3
    for index, *sides in found:
        for frame, memory in zip(sides, memories, strict=True):
            assert len(frame) == (1 if luma_only else 3)
            for got, stack, there in zip(frame, stacks, memory.given[index], strict=False):
                np.testing.assert_array_equal(got, stack[index])
                assert np.shares_memory(got, there)


def test_converted_frames_are_put_there_too(tmp_path):
    ref = make_planes(np.random.default_rng(5), WIDTH, HEIGHT, "420", 8)
    dis = make_planes(np.random.default_rng(6), WIDTH // 2, HEIGHT // 2, "420", 8)
    write_clip(tmp_path / "ref.mkv", "ffv1", "yuv420p", WIDTH, HEIGHT, ref, 8)
    write_clip(tmp_path / "dis.mkv", "ffv1", "yuv420p", WIDTH // 2, HEIGHT // 2, dis, 8)
    paths = tmp_path / "ref.mkv", tmp_path / "dis.mkv"
    with open_pair(*paths) as pair:
        alone = [tuple(map(np.copy, frame)) for _, _, frame in pair.read()]
    with open_pair(*paths) as pair:
        memory = Memory(ref)
        placed = [frame for _, _, frame in pair.read(True, (Memory(ref), memory))]
    for frame, wanted, there in zip(placed, alone, memory.given, strict=True):
        assert all(map(np.shares_memory, frame, there))
        assert all(map(np.array_equal, frame, wanted))


@pytest.mark.parametrize("other", ["none", "another size", "another type"])
def test_frames_that_do_not_fit_have_memory_of_their_own(tmp_path, other):
    stacks = make_planes(np.random.default_rng(5), WIDTH, HEIGHT, "420", 8)
    write(tmp_path / "clip.y4m", "y4m", 8, stacks)
    write(tmp_path / "clip.mkv", "ffv1", 8, stacks)
    unfit = {
        "none": lambda: None,
        "another size": lambda: tuple(plane[0, 1:] for plane in stacks),
        "another type": lambda: tuple(plane[0].astype(np.uint16) for plane in stacks),
    }[other]
    for name in ("clip.y4m", "clip.mkv"):
        with open_pair(tmp_path / name, tmp_path / name) as pair:
            for index, *sides in pair.read(True, (unfit, unfit)):
                for frame in sides:
                    assert all(map(np.array_equal, frame, (stack[index] for stack in stacks)))


class Counted(io.BufferedReader):
    """A file that counts the bytes asked for."""

    asked = 0

    def readinto(self, view):
        self.asked += len(view)
        return super().readinto(view)


def test_luma_of_raw_video_is_read_alone(tmp_path):
    stacks = make_planes(np.random.default_rng(5), WIDTH, HEIGHT, "420", 8)
    path = tmp_path / "clip.yuv"
    raw = write(path, "planar", 8, stacks)
    with open_pair(path, path, InputOptions(**raw)) as pair:
        pair.ref._reader._file.close()
        pair.ref._reader._file = file = Counted(io.FileIO(path))
        frames = [frame for _, frame, _ in pair.read(chroma=False)]
    assert [len(frame) for frame in frames] == [1, 1, 1]
    assert file.asked == 3 * WIDTH * HEIGHT


def test_what_is_stored_is_read_in_one_thread(tmp_path):
    stacks = make_planes(np.random.default_rng(5), WIDTH, HEIGHT, "420", 8)
    raw = write(tmp_path / "clip.yuv", "planar", 8, stacks)
    write(tmp_path / "clip.y4m", "y4m", 8, stacks)
    write(tmp_path / "clip.mkv", "ffv1", 8, stacks)
    for name, stored in (("clip.yuv", True), ("clip.y4m", True), ("clip.mkv", False)):
        with open_video(tmp_path / name, **(raw if name == "clip.yuv" else {})) as video:
            assert video.is_stored is stored


def test_an_iterator_that_is_asked_makes_nothing_ahead():
    made = []

    def source():
        for k in itertools.count():
            made.append(k)
            yield k

    with AskedIterator(source()) as items:
        items.request()
        assert not made
        assert [items.result(), items.result()] == [(0, None), (1, None)]
        assert made == [0, 1]
    with AskedIterator(iter(())) as items:
        assert items.result() == (None, None)
