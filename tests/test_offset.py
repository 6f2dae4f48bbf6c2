"""Finding by how many frames two videos are apart: all at once, and while scoring."""

import functools
import re
from fractions import Fraction

import av
import numpy as np
import pytest

from jaxvqa.video import open_video
from jaxvqa.video._pair.lag import LagCheck
from jaxvqa.video._pair.offset import find_offset, plan_windows
from jaxvqa.video._pair.offset_check import better_neighbour, checked_frames
from jaxvqa.video._pair.thumbnail import area_means, sampled_lines, thumbnail, thumbnail_size
from tests import clips

SHIPPED = ("bunny_640x360", "bunny_353x289_444_odd", "bunny_320x180_422_10b", "bbb_320x180")
RATE = 25


@functools.lru_cache
def luma(name, side):
    with open_video(clips.path(name, side)) as video:
        return np.stack([planes[0] for planes in video]), video.info.bit_depth


@functools.lru_cache
def pan(side, count=160):
    """A camera move over the shipped clip, itself moving: 320x180."""
    frames, _ = luma("bunny_640x360", side)
    at = [(i * len(frames) // count, i, 2 * i) for i in range(count)]
    return np.stack([frames[f, y : y + 180, x : x + 320] for f, y, x in at])


def thumbs(frames, bit_depth=8, size=None):
    return np.stack([thumbnail(frame, bit_depth, size) for frame in frames])


def halve(frames):
    count, height, width = frames.shape
    boxes = frames.reshape(count, height // 2, 2, width // 2, 2).mean((2, 4))
    return np.rint(boxes).astype(np.uint8)


def weights(length, count):
    """Share of each of `length` samples in each of `count` equal areas."""
    edges = np.arange(count + 1) * length / count
    at = np.arange(length)
    inside = np.minimum(edges[1:, None], at + 1) - np.maximum(edges[:-1, None], at)
    return np.maximum(inside, 0) / (length / count)


@pytest.mark.parametrize("shape", [(180, 320), (289, 353), (91, 161), (108, 200), (40, 50), (1, 1)])
@pytest.mark.parametrize("bit_depth", [8, 10, 16])
def test_thumbnails_are_means_over_equal_areas(shape, bit_depth):
    dtype = np.uint8 if bit_depth == 8 else np.uint16
    y = np.random.default_rng(1).integers(0, 1 << bit_depth, shape).astype(dtype)
    rows, columns = thumbnail_size(shape)
    assert (rows, columns) == (min(shape[0], 90), min(shape[1], 160))
    expected = weights(shape[0], rows) @ (y / 2.0 ** (bit_depth - 8)) @ weights(shape[1], columns).T
    np.testing.assert_allclose(area_means(y, bit_depth), expected, atol=2e-4)
    small = thumbnail(y, bit_depth)
    assert small.dtype == np.uint8
    assert small.shape == (rows, columns)
    assert np.abs(small - expected).max() <= (0.501 if bit_depth == 8 else 1)


@pytest.mark.parametrize("shape", [(180, 320), (289, 353), (1080, 1922), (49, 161), (2, 3), (1, 1)])
@pytest.mark.parametrize("bit_depth", [8, 10, 16])
def test_sampled_lines(shape, bit_depth):
    """Means of a line or two along columns: exact on a plane that rises evenly to the right."""
    dtype = np.uint8 if bit_depth == 8 else np.uint16
    ramp = np.arange(shape[1]) * (255 / shape[1])
    codes = np.rint(ramp * 2.0 ** (bit_depth - 8)).astype(dtype)
    lines = sampled_lines(np.tile(codes, (shape[0], 1)), bit_depth)
    group = max(1, shape[1] // 160)
    columns = shape[1] // group
    wanted = (codes / 2.0 ** (bit_depth - 8))[: columns * group].reshape(columns, group).mean(1)
    assert 0 < len(lines) < 2 * 24 + 1
    np.testing.assert_allclose(lines, np.tile(wanted, (len(lines), 1)), atol=2e-4)


def test_tall_planes_do_not_overflow():
    y = np.full((360 * 90, 2), 255, np.uint8)
    assert (thumbnail(y, 8) == 255).all()


def test_a_thumbnail_is_no_larger_than_its_plane():
    with pytest.raises(ValueError, match="50x40 plane has no 160x90 thumbnail"):
        thumbnail(np.zeros((40, 50), np.uint8), 8, (90, 160))


@pytest.mark.parametrize("shift", [0, 1, 17, -1, -9])
@pytest.mark.parametrize("count", [160, 70])
def test_finds_a_shift(shift, count):
    ref, dis = thumbs(pan("ref")), thumbs(pan("dis"))
    if shift >= 0:
        dis = dis[shift : shift + count]  # the distorted lacks its first frames
    else:
        ref, dis = ref[-shift:], dis[:count]
    found = find_offset(ref, dis, RATE)
    assert found.frames == shift, found
    assert found.ratio >= 1.05
    first, second = max(-shift, 0), max(shift, 0)
    assert f"distorted frame {first} shows reference frame {second} " in found.sentence


def test_finds_a_shift_in_eight_frames():
    ref, dis = (thumbs(luma("bunny_640x360", side)[0]) for side in ("ref", "dis"))
    assert find_offset(ref, dis, RATE).frames == 0
    assert find_offset(ref, dis[1:], RATE).frames in (1, None)
    assert find_offset(ref[1:], dis, RATE).frames in (-1, None)


@pytest.mark.parametrize("name", SHIPPED)
def test_is_never_wrong_on_clips(name):
    (ref, depth), (dis, _) = luma(name, "ref"), luma(name, "dis")
    assert find_offset(thumbs(ref, depth), thumbs(dis, depth), RATE).frames in (0, None)


def test_too_few_frames():
    ref, dis = thumbs(pan("ref")), thumbs(pan("dis"))
    assert plan_windows(160, 5, RATE) == ()
    found = find_offset(ref, dis[:5], RATE)
    assert found.frames is None
    assert "has 5 frames, and 6 are needed" in found.sentence
    assert find_offset(ref[:0], dis, RATE).frames is None


def test_another_depth_and_half_the_size():
    ref, dis = pan("ref"), pan("dis")[7:]
    deep = ref.astype(np.uint16) << 2
    assert find_offset(thumbs(deep, 10), thumbs(dis), RATE).frames == 7
    half = halve(dis)
    assert find_offset(thumbs(ref), thumbs(half), RATE).frames == 7
    # rows and columns that do not divide
    odd = ref[:, :173, :299]
    size = thumbnail_size((173, 299), (86, 149))
    half = halve(dis[:, :172, :298])
    found = find_offset(thumbs(odd, 8, size), thumbs(half, 8, size), RATE)
    assert found.frames == 7
    with pytest.raises(ValueError, match="do not compare"):
        find_offset(thumbs(odd), thumbs(half), RATE)


@pytest.mark.parametrize("count", [160, 90])
def test_a_dropped_frame_leaves_it_undecided(count):
    ref, dis = thumbs(pan("ref"))[:count], thumbs(pan("dis"))[:count]
    found = find_offset(ref, np.delete(dis, count // 2, 0), RATE)
    assert found.frames is None
    assert "dropped or repeated" in found.sentence


def test_a_static_picture_leaves_it_undecided():
    ref, dis = (np.repeat(thumbs(pan(side)[:1]), 100, 0) for side in ("ref", "dis"))
    for other in (dis, ref):
        found = find_offset(ref, other[4:], RATE)
        assert found.frames is None
        assert found.ratio == pytest.approx(1)
        assert "static" in found.sentence


def test_a_loop_leaves_it_undecided():
    ref, dis = (
        np.tile(thumbs(luma("bunny_640x360", side)[0]), (12, 1, 1)) for side in ("ref", "dis")
    )
    assert find_offset(ref, dis, RATE).frames is None


def test_noise_leaves_it_undecided():
    rng = np.random.default_rng(2)
    ref, dis = rng.integers(0, 256, (2, 100, 90, 160)).astype(np.uint8)
    assert find_offset(ref, dis, RATE).frames is None
    assert find_offset(ref, ref[3:], RATE).frames == 3


def test_a_shift_out_of_reach_is_not_found():
    ref, dis = thumbs(pan("ref")), thumbs(pan("dis"))
    assert find_offset(ref, dis[60:], RATE, reach=0.4).frames is None
    assert find_offset(ref, dis[60:], None, reach=2.6).frames == 60


def test_only_the_planned_frames_are_needed():
    ref, dis = thumbs(pan("ref")), thumbs(pan("dis"))[6:]
    counts = len(ref), len(dis)
    windows = plan_windows(*counts, RATE, reach=0.4)
    some_ref = {j: ref[j] for window in windows for j in window.ref}
    some_dis = {i: dis[i] for window in windows for i in window.dis}
    some = find_offset(some_ref, some_dis, RATE, counts=counts, reach=0.4)
    assert some == find_offset(ref, dis, RATE, reach=0.4)
    assert some.frames == 6


@pytest.mark.parametrize("counts", [(6, 6), (9, 400), (95, 95), (144, 150), (5000, 180000)])
@pytest.mark.parametrize("rate", [None, 24, 60])
def test_windows_lie_apart_and_within_the_videos(counts, rate):
    windows = plan_windows(*counts, rate)
    assert len(windows) == (3 if min(counts) >= 144 else 2)
    end = 0
    for window in windows:
        assert end <= window.dis.start
        end = window.dis.stop
        assert 0 <= window.ref.start <= window.dis.start
        assert window.dis.stop <= window.ref.stop <= counts[0]
    assert end <= counts[1]


@pytest.mark.parametrize("said", [6, 7, 8])
@pytest.mark.parametrize("small", [False, True])
def test_whole_frames_correct_a_found_offset(said, small):
    ref, dis = pan("ref"), pan("dis")[7:]
    counts = len(ref), len(dis)
    numbers = checked_frames(plan_windows(*counts, RATE), said, counts)
    assert len(numbers) == 8
    assert numbers == sorted(set(numbers))
    partners = {n + said + step for n in numbers for step in (-1, 0, 1)}
    shown = halve(dis) if small else dis
    better = better_neighbour(
        {n: ref[n] for n in partners}, {n: shown[n] for n in numbers}, said, (8, 8)
    )
    assert better == (None if said == 7 else 7)


def test_frames_at_the_ends_do_not_check_an_offset():
    windows = plan_windows(20, 20, RATE)
    for offset in (-15, 15):
        numbers = checked_frames(windows, offset, (20, 20))
        assert all(1 <= n + offset < 19 for n in numbers)
    assert checked_frames(windows, 40, (20, 20)) == []


def watch(ref, dis, bit_depth=8):
    check = LagCheck(bit_depth)
    for index, (ref_y, dis_y) in enumerate(zip(ref, dis, strict=False)):
        check.add(index, ref_y, dis_y)
    assert (told(check) is None) == (check.frames is None and not check.parts)
    return check


def told(check):
    """The advice where no offset is given yet."""
    return check.advice(lambda shift: f"offset={shift}")


@pytest.mark.parametrize("shift", [1, 2, -1, -2])
@pytest.mark.parametrize("count", [64, 158])
def test_lag_is_noticed(shift, count):
    ref, dis = pan("ref"), pan("dis")
    if shift > 0:
        dis = dis[shift:]
    else:
        ref = ref[-shift:]
    check = watch(ref[:count], dis[:count])
    assert check.frames == shift
    assert f"try offset={shift}." in (told(check) or "")
    assert find_offset(thumbs(ref), thumbs(dis), RATE).frames == shift  # one sign for both


def test_lag_words():
    plus = told(watch(pan("ref"), pan("dis")[1:]))
    minus = told(watch(pan("ref")[2:], pan("dis")))
    assert plus == (
        "distorted frames look like the reference's 1 frame on, as if the distorted started 1 "
        "frame later in the reference: try offset=1."
    )
    assert minus is not None
    assert "2 frames back" in minus
    assert "2 frames before the reference: try offset=-2." in minus


@pytest.mark.parametrize("bit_depth", [8, 10])
def test_lag_of_deep_and_equal_content(bit_depth):
    ref = pan("ref")
    deep = ref.astype(np.uint16) << 2 if bit_depth == 10 else ref
    assert watch(deep, deep, bit_depth).frames is None
    assert watch(deep, deep[1:], bit_depth).frames == 1


@pytest.mark.parametrize("name", SHIPPED)
@pytest.mark.parametrize("times", [1, 30])
def test_no_false_lag_on_clips(name, times):
    (ref, depth), (dis, _) = luma(name, "ref"), luma(name, "dis")
    # to and fro, without a jump
    there = list(range(len(ref))) + list(range(len(ref) - 2, 0, -1))
    order = (there * times)[: len(ref) if times == 1 else 150]
    for other in (dis, ref):
        assert told(watch(ref[order], other[order], depth)) is None


def tone(frames, gains, shift=0.0):
    """Each frame with its own gain: a fade."""
    scaled = frames * np.asarray(gains)[:, None, None] + shift
    return np.rint(scaled).clip(0, 255).astype(np.uint8)


@functools.lru_cache
def correct_pairs():
    """Pairs that belong together, but do not look equal."""
    ref, dis = pan("ref"), pan("dis")
    count = len(ref)
    up = np.linspace(0, 1, count)
    noise = np.random.default_rng(3).normal(0, 12, ref.shape)
    still, poor = np.repeat(ref[:1], count, 0), np.repeat(dis[:1], count, 0)
    index = np.arange(count)
    previous = dis[np.maximum(index - 1, 0)]
    blend = (dis.astype(np.uint16) + previous) // 2
    return {
        "film": (ref, dis),
        "flat": (np.full_like(ref, 90), np.full_like(ref, 92)),
        "black": (np.full_like(ref, 16), np.full_like(ref, 16)),
        "flat fade": (tone(np.full_like(ref, 200), up), tone(np.full_like(ref, 200), up, 3)),
        "static": (still, poor),
        "static, noisy": (still, tone(poor + noise, np.ones(count))),
        "noise": (tone(noise + 99, np.ones(count)), tone(noise[::-1] + 99, np.ones(count))),
        "static fade": (tone(still, up), tone(poor, up)),
        "static fade, other range": (tone(still, up), tone(poor, 0.86 * up, 16)),
        "fade": (tone(ref, up), tone(dis, up)),
        "fade out, other range": (tone(ref, up[::-1]), tone(dis, 0.86 * up[::-1], 16)),
        "noisy": (ref, tone(dis + 2 * noise, np.ones(count))),
        "every second frame held": (ref, dis[index // 2 * 2]),
        "every second frame held, odd": (ref, dis[np.maximum((index + 1) // 2 * 2 - 1, 0)]),
        "held for three": (ref, dis[index // 3 * 3]),
        "held for eight": (ref, dis[index // 8 * 8]),
        "blended with the last": (ref, blend.astype(np.uint8)),
        "both on twos": (ref[index // 2 * 2], dis[index // 2 * 2]),
        "something else": (ref, np.ascontiguousarray(dis[::-1, ::-1])),
    }


def test_no_false_lag_of_correct_pairs():
    found = {kind: told(watch(ref, dis)) for kind, (ref, dis) in correct_pairs().items()}
    assert found == dict.fromkeys(found)


def late(frames, *moves):
    """A clip in which some frames were dropped and others doubled: as many, at the same times."""
    order = list(range(len(frames)))
    for drop, double in moves:
        order.remove(drop)
        order.insert(order.index(double), double)
    return frames[np.array(order)]


@pytest.mark.parametrize("move", [(60, 120), (120, 60), (40, 155), (20, 80)])
def test_lag_of_a_part_is_noticed(move):
    ref, dis = pan("ref"), pan("dis")
    check = watch(ref, late(dis, move))
    assert check.frames is None
    (part,) = check.parts
    assert part.frames == (1 if move[0] < move[1] else -1)
    first, last = sorted(move)
    assert first - 1 <= part.first <= first + 19
    assert last - 19 <= part.last <= last
    assert watch(ref, late(ref, move)).parts[0].frames == part.frames


def test_lag_of_several_parts():
    ref, dis = (np.concatenate([p, p[::-1], p])[:400] for p in (pan("ref"), pan("dis")))
    check = watch(ref, late(dis, (50, 110), (150, 290), (390, 310)))
    assert [part.frames for part in check.parts] == [1, 1, -1]
    assert "; pairs " in (told(check) or "")
    # a frame lost for good
    check = watch(ref, np.delete(dis, 200, 0))
    (part,) = check.parts
    assert part.frames == 1
    assert part.last > 370
    assert f"from pair {part.first} on" in (told(check) or "")


def test_lag_words_of_a_part():
    ref, dis = pan("ref"), pan("dis")
    told = watch(ref, late(dis, (60, 120))).advice(str, "pair='pictures'")
    assert told is not None
    assert re.fullmatch(
        r"distorted frames look like other frames of the reference \(pairs \d+ to \d+: 1 frame "
        r"on\), as if frames had been dropped or doubled before: pair='pictures' follows the "
        r"pictures\.",
        told,
    )
    told = watch(ref, np.delete(dis, 70, 0)).advice(str)
    assert told is not None
    assert re.search(r"\(from pair \d+ on: 1 frame on\)", told)
    assert told.endswith("doubled before.")


def test_no_lag_of_short_parts():
    """A few frames say too little."""
    ref, dis = pan("ref"), pan("dis")
    assert watch(ref, late(dis, (60, 64))).parts == ()


def creep(count, step):
    """A camera that moves by a part of a pixel per frame."""
    picture = luma("bunny_640x360", "ref")[0][0].astype(np.float32)
    at = np.arange(count) * step
    whole, part = at.astype(int), (at % 1)[:, None, None]
    left, right = (
        np.stack([picture[:180, x + more : x + more + 320] for x in whole]) for more in (0, 1)
    )
    return np.rint(left * (1 - part) + right * part).astype(np.uint8)


MOVES = {
    "pan": lambda: pan("ref"),
    "creep": lambda: creep(160, 0.1),
    "slow": lambda: creep(160, 0.5),
    "cuts": lambda: np.concatenate([np.roll(creep(20, 1.5), 97 * n, 2) for n in range(8)]),
    "stop and go": lambda: pan("ref")[np.arange(160) // 40 * 40 + np.arange(160) % 40 // 20 * 20],
}
ENCODERS = {
    "fast": ("libx264", {"crf": "23", "preset": "ultrafast"}),
    "poor": ("libx264", {"crf": "45", "preset": "veryfast", "bf": "8"}),
    "old": ("mpeg4", {"qmin": "31", "qmax": "31"}),
}


def encoded(frames, encoder):
    """What an encoder leaves of luma frames."""
    name, options = ENCODERS[encoder]
    coder = av.CodecContext.create(name, "w")
    coder.width, coder.height, coder.pix_fmt = frames.shape[2], frames.shape[1], "yuv420p"
    coder.time_base, coder.framerate, coder.options = Fraction(1, 25), Fraction(25), options
    decoder = av.CodecContext.create({"libx264": "h264"}.get(name, name), "r")
    grey = np.full((frames.shape[1] // 2, frames.shape[2]), 128, np.uint8)
    packets = []
    for index, y in enumerate(frames):
        frame = av.VideoFrame.from_ndarray(np.concatenate([y, grey]), "yuv420p")
        frame.pts = index
        packets += coder.encode(frame)
    shown = [f for p in [*packets, *coder.encode(None), None] for f in decoder.decode(p)]
    return np.stack([frame.to_ndarray()[: frames.shape[1]] for frame in shown])


@pytest.mark.parametrize("encoder", ENCODERS)
@pytest.mark.parametrize("move", MOVES)
def test_no_false_lag_of_encodes(move, encoder):
    """Encoders let slow pictures trail by up to a frame; that is no lag. Poor ones hide it."""
    ref = MOVES[move]()
    dis = encoded(ref, encoder)
    assert len(dis) == len(ref)
    assert told(watch(ref, dis)) is None
    if encoder == "fast" and move in ("pan", "cuts"):
        (part,) = watch(ref, late(dis, (60, 120))).parts
        assert part.frames == 1


def test_lag_after_missing_pairs_and_few_pairs():
    ref, dis = pan("ref"), pan("dis")[1:]
    check = LagCheck(8)
    for index in range(0, 159, 2):  # never five in a row
        check.add(index, ref[index], dis[index])
    assert told(check) is None
    check = LagCheck(8)
    for index in [*range(30), *range(60, 150)]:
        check.add(index, ref[index], dis[index])
    assert check.frames == 1
    assert watch(ref[:30], dis[:30]).frames is None
    assert told(LagCheck(8)) is None
