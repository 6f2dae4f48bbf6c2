"""Pairs of one reference in one pass: each result is that of the pair alone, bit for bit."""

import threading
from fractions import Fraction

import jax
import numpy as np
import pytest

import jaxvqa
from jaxvqa._scoring import together
from jaxvqa._scoring.together import Pass, Plans, Task
from jaxvqa._scoring.traffic import Traffic
from jaxvqa.video import VideoError, open_video
from jaxvqa.video._decode.open import RawFormat, open_reader
from jaxvqa.video._decode.shared import SharedReader
from jaxvqa.video._reader import video_of
from tests.test_video_formats import make_planes, write_clip

FRAMES, WIDTH, HEIGHT = 30, 64, 48
FAST = {"model": None, "features": ["float_motion", "psnr"]}


@pytest.fixture(scope="module")
def ladder(tmp_path_factory):
    """A reference and what was made of it: noise, half the size, half the frames, damage."""
    folder = tmp_path_factory.mktemp("ladder")
    rng = np.random.default_rng(0)
    stacks = make_planes(rng, WIDTH, HEIGHT, "420", 8, FRAMES)
    lossless = ("ffv1", "yuv420p")
    write_clip(folder / "ref.mkv", *lossless, WIDTH, HEIGHT, stacks, 8)
    noisy = [np.clip(s.astype(int) + rng.integers(-9, 9, s.shape), 0, 255) for s in stacks]
    noisy = [s.astype(np.uint8) for s in noisy]
    write_clip(folder / "noisy.mkv", *lossless, WIDTH, HEIGHT, noisy, 8)
    write_clip(folder / "coded.mp4", "mpeg4", "yuv420p", WIDTH, HEIGHT, stacks, 8)
    small = [s[:, ::2, ::2] for s in stacks]
    write_clip(folder / "small.mkv", *lossless, WIDTH // 2, HEIGHT // 2, small, 8)
    half = [s[::2] for s in stacks]
    write_clip(folder / "half.mkv", *lossless, WIDTH, HEIGHT, half, 8, rate=Fraction(25, 2))
    write_clip(folder / "short.mkv", *lossless, WIDTH, HEIGHT, [s[:9] for s in stacks], 8)
    whole = (folder / "noisy.mkv").read_bytes()
    (folder / "cut.mkv").write_bytes(whole[: len(whole) // 2])
    return folder


CASES = [
    ("noisy.mkv", {}),
    ("coded.mp4", {"subsample": 3}),
    ("small.mkv", {}),
    ("small.mkv", {"scale": "reference"}),
    ("half.mkv", {"pair": "time"}),
    ("short.mkv", {"on_length_mismatch": "truncate"}),
    ("noisy.mkv", {"skip_ref": 3, "skip_dis": 3, "frame_count": 7}),
    ("noisy.mkv", {"promote_to_10bit": True}),
    ("noisy.mkv", {"features": ["ciede"]}),
    ("short.mkv", {}),
    ("cut.mkv", {}),
    ("gone.mkv", {}),
    ("noisy.mkv", {"features": ["no_such_feature"]}),
]


def alone(ref, dis, options):
    try:
        return jaxvqa.score(ref, dis, **(FAST | options))
    except ValueError as error:
        return error


def test_each_result_is_that_of_the_pair_alone(ladder):
    ref = ladder / "ref.mkv"
    tasks = [
        Task(ref, ladder / name, jaxvqa.ScoreRequest.of(**(FAST | options)))
        for name, options in CASES
    ]
    scored = Pass(tasks, Plans())
    found = {s.index: s for s in scored.score(Traffic())}
    scored.close()
    assert scored.decoded == FRAMES  # of 13 pairs together
    assert len(found) == len(CASES)
    for i, (name, options) in enumerate(CASES):
        expected = alone(ref, ladder / name, options)
        got = found[i].result
        assert found[i].seconds > 0
        if isinstance(expected, Exception):
            assert got is None
            assert (type(found[i].error), str(found[i].error)) == (type(expected), str(expected))
            continue
        assert got is not None, found[i].error
        assert got.frames.keys() == expected.frames.keys()
        for key, values in expected.frames.items():
            np.testing.assert_array_equal(got.frames[key], values)
        for part in (
            "notices", "preparation", "clip", "requested", "aggregate", "score_names", "inputs",
        ):  # fmt: skip
            assert getattr(got, part) == getattr(expected, part), part


def test_a_reference_that_fails_fails_each_pair_with_its_own_sentence(ladder):
    tasks = [
        Task(ref, ladder / "noisy.mkv", jaxvqa.ScoreRequest.of(**FAST))
        for ref in [ladder / "cut.mkv"] * 2
    ]
    scored = Pass(tasks, Plans())
    errors = [s.error for s in scored.score(Traffic())]
    scored.close()
    expected = alone(ladder / "cut.mkv", ladder / "noisy.mkv", {})
    assert [str(error) for error in errors] == [str(expected)] * 2


def test_plans_are_made_once_for_clips_of_one_form(ladder, monkeypatch):
    made = []
    monkeypatch.setattr(
        together, "make_plan", lambda *a, make=together.make_plan: made.append(1) or make(*a)
    )
    plans, request = Plans(), jaxvqa.ScoreRequest.of(**FAST)
    for name in ("noisy.mkv", "coded.mp4"):
        scored = Pass([Task(ladder / "ref.mkv", ladder / name, request)], plans)
        assert [s.error for s in scored.score(Traffic())] == [None]
        scored.close()
    assert len(made) == 1


def test_what_a_failed_chunk_takes_away_is_missed_by_its_owner_alone(ladder, monkeypatch):
    """A device that fails must not leave a hole in a series."""
    tasks = [
        Task(ladder / "ref.mkv", ladder / "noisy.mkv", jaxvqa.ScoreRequest.of(**FAST))
        for _ in range(2)
    ]
    waited = []

    def fails_once(results, wait=jax.block_until_ready):
        waited.append(1)
        if len(waited) == 1:
            raise RuntimeError("RESOURCE_EXHAUSTED: out of memory")
        return wait(results)

    monkeypatch.setattr(jax, "block_until_ready", fails_once)
    scored = Pass(tasks, Plans())
    found = list(scored.score(Traffic(), devices=jax.devices()[:1]))
    scored.close()
    assert sorted(type(s.error).__name__ for s in found) == ["NoneType", "RuntimeError"]
    (good,) = [s.result for s in found if s.result is not None]
    assert len(good.frames["motion"]) == FRAMES


def reader(path):
    return open_reader(str(path), RawFormat(), None, "on", conceal=False)


def test_readings_see_what_one_alone_sees(ladder):
    with open_video(ladder / "ref.mkv") as video:
        expected = list(video)
    shared = SharedReader(reader(ladder / "ref.mkv"), 3)
    videos = [video_of(shared.open()) for _ in range(3)]
    found = [[], [], []]
    threads = [
        threading.Thread(target=lambda i=i: found[i].extend(videos[i]), daemon=True)
        for i in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    for frames in found:
        assert len(frames) == len(expected)
        for got, want in zip(frames, expected, strict=True):
            for a, b in zip(got, want, strict=True):
                np.testing.assert_array_equal(a, b)
    assert shared.decoded == FRAMES
    for video in videos:
        video.close()


def test_no_reading_runs_away_and_none_waits_for_one_that_has_ended(ladder):
    shared = SharedReader(reader(ladder / "ref.mkv"), 2)
    fast, slow = video_of(shared.open()), video_of(shared.open())
    got = []
    thread = threading.Thread(target=lambda: got.extend(fast), daemon=True)
    thread.start()
    frames = iter(slow)
    for _ in range(3):
        next(frames)
    thread.join(0.5)
    assert thread.is_alive()
    assert len(got) < FRAMES
    assert shared.decoded <= 3 + 9
    slow.close()
    thread.join(60)
    assert len(got) == FRAMES
    fast.close()


def test_a_closed_video_waits_no_more(ladder):
    shared = SharedReader(reader(ladder / "ref.mkv"), 2)
    fast = video_of(shared.open())
    shared.open()
    raised = []

    def read():
        try:
            list(fast)
        except VideoError as error:
            raised.append(error)

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    thread.join(0.3)
    assert thread.is_alive()
    fast.close()
    thread.join(60)
    assert not thread.is_alive()
    assert len(raised) == 1
