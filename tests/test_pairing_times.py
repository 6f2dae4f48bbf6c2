"""Pairing by index and by time on frame-numbered streams, and how the choice is made."""

import itertools
import math
import random
import weakref
from fractions import Fraction as F

import pytest

from jaxvqa.video._errors import VideoError
from jaxvqa.video._pair.choice import choose
from jaxvqa.video._pair.match import ByIndex, ByTime, Strategy
from jaxvqa.video._pair.report import Unpaired
from jaxvqa.video._timeline import Gap, Timeline

RATES = [F(24000, 1001), F(24), F(25), F(30000, 1001), F(30), F(50), F(60000, 1001), F(60)]
NAMES = ("r.mkv", "d.mp4")


def base(kind, rate):
    """The time base of a container."""
    if kind == "mp4":
        return F(1, rate.numerator)
    return {"mkv": F(1, 1000), "flv": F(1, 1000), "ts": F(1, 90000), "avi": 1 / rate}[kind]


def line(numbers, rate, kind="mkv", start=0, declared=True):
    """The timeline of the frames with these numbers; `start` in ticks."""
    tick = base(kind, rate)
    pts = [start + math.floor(k / rate / tick + F(1, 2)) for k in numbers]
    return Timeline.from_pts(pts, tick, [rate] if declared else [])


def stream(timeline):
    return iter(list(zip(timeline.times, range(timeline.count), strict=True)))


def run(strategy, ref, dis, **options):
    return list(strategy.pairs(stream(ref), stream(dis), **options))


def by_time(ref, dis, drive="distorted", offset=F(0)):
    return ByTime(drive, ref.tick + dis.tick, offset)


def around(times, t):
    """Seconds between the two frames around a time; at an end, of the nearest two."""
    for a, b in itertools.pairwise(times):
        if t < b:
            return b - a
    return times[-1] - times[-2]


def brute(ref, dis, drive, offset):
    """The rule, frame by frame against all frames."""
    e, found = ref.tick + dis.tick, []
    if drive == "distorted":
        for i, t in enumerate(t + offset for t in dis.times):
            frame = around(ref.times, t)
            slack = min(e, frame / 4)
            best = max((j for j, other in enumerate(ref.times) if other <= t), default=0)
            for j, other in enumerate(ref.times):
                if abs(ref.times[best] - t) - abs(other - t) > min(2 * e, frame / 4):
                    best = j
            if abs(ref.times[best] - t) <= frame / 2 + slack:
                found.append((best, i))
        return found
    times = [t + offset for t in dis.times]
    frames = [b - a for a, b in itertools.pairwise(times)]
    early = [min(e, frame / 4) for frame in (frames[0], *frames)]
    for j, t in enumerate(ref.times):
        on_screen = [i for i, other in enumerate(times) if other <= t + early[i]]
        if on_screen and t + early[-1] < times[-1] + frames[-1]:
            found.append((j, on_screen[-1]))
    return found


def counted(pairs, side, count):
    """Unpaired frames of a side, from the pairs."""
    used = {pair[side] for pair in pairs}
    if not used:
        return Unpaired(0, 0, count)
    first, last = min(used), max(used)
    return Unpaired(first, last - first + 1 - len(used), count - 1 - last)


def random_numbers(rng, count):
    """Frame numbers with drops and trims."""
    numbers = list(range(rng.randint(0, 5), count - rng.randint(0, 5)))
    for _ in range(rng.choice([0, 0, 1, 3])):
        del numbers[rng.randrange(1, len(numbers) - 1)]
    return numbers


def random_vfr(rng, count):
    tick = rng.choice([F(1, 1000), F(1, 90000)])
    pts = itertools.accumulate(rng.randint(12, 90) * int(F(1, 1000) / tick) for _ in range(count))
    return Timeline.from_pts(pts, tick)


@pytest.mark.parametrize("drive", ["distorted", "reference"])
@pytest.mark.parametrize("seed", range(60))
def test_every_pair_is_the_one_of_the_rule(seed, drive):
    rng = random.Random(seed)
    lines = []
    for _ in range(2):
        if rng.random() < 0.2:
            lines.append(random_vfr(rng, rng.randint(20, 60)))
            continue
        kind = rng.choice(["mkv", "mp4", "ts", "flv"])
        numbers = random_numbers(rng, rng.randint(20, 70))
        lines.append(line(numbers, rng.choice(RATES), kind, rng.randint(0, 3000)))
    ref, dis = lines
    offset = rng.choice([F(0), F(0), F(rng.randint(-300, 300), 1000)])
    strategy = by_time(ref, dis, drive, offset)
    pairs = run(strategy, ref, dis)
    assert pairs == brute(ref, dis, drive, offset)
    report = strategy.report
    assert report.pairs == len(pairs)
    assert report.unpaired_ref == counted(pairs, 0, ref.count)
    assert report.unpaired_dis == counted(pairs, 1, dis.count)
    held = [pair[0 if drive == "distorted" else 1] for pair in pairs]
    assert report.reused == sum(held.count(k) > 1 for k in set(held))
    if pairs:
        apart = [abs(dis.times[d] + offset - ref.times[r]) for r, d in pairs]
        assert report.largest_time_difference == max(apart)
    limit = rng.randint(1, 30)
    assert run(strategy, ref, dis, limit=limit) == pairs[:limit]
    assert strategy.report.pairs == min(limit, len(pairs))


@pytest.mark.parametrize("rate", RATES, ids=lambda r: f"{float(r):.3f}")
@pytest.mark.parametrize(
    "kinds", list(itertools.product(["mkv", "mp4", "ts", "flv", "avi"], repeat=2))
)
def test_the_same_frames_in_two_containers(kinds, rate):
    ref, dis = line(range(240), rate, kinds[0], 3), line(range(240), rate, kinds[1])
    assert ref.constant
    assert ref.rate == rate
    straight = [(i, i) for i in range(240)]
    assert run(by_time(ref, dis), ref, dis) == straight
    assert run(by_time(ref, dis, "reference"), ref, dis) == straight
    choice = choose(ref, dis)
    assert choice.strategy.name == "index"
    assert choice.notices == ()
    assert choice.pairs == 240
    rng = random.Random(repr((kinds, rate)))
    kept = [0, *(k for k in range(1, 240) if rng.random() > 0.1)]
    dropped = line(kept, rate, kinds[1])
    assert run(by_time(ref, dropped), ref, dropped) == [(k, i) for i, k in enumerate(kept)]


def test_twice_the_rate():
    ref, dis = line(range(30), F(30), "mp4"), line(range(60), F(60), "mkv")
    strategy = by_time(ref, dis)
    assert [r for r, _ in run(strategy, ref, dis)] == [i // 2 for i in range(60)]
    assert strategy.report.reused == 30
    pairs = run(by_time(ref, dis, "reference"), ref, dis)
    assert pairs == [(i, 2 * i) for i in range(30)]


def test_half_the_rate():
    ref, dis = line(range(60), F(60), "mkv"), line(range(30), F(30), "mp4")
    strategy = by_time(ref, dis)
    assert [r for r, _ in run(strategy, ref, dis)] == [2 * i for i in range(30)]
    assert strategy.report.unpaired_ref == Unpaired(0, 29, 1)
    pairs = run(by_time(ref, dis, "reference"), ref, dis)
    assert pairs == [(i, i // 2) for i in range(60)]


def test_frames_at_the_same_time_or_closer_than_the_tolerance():
    ref = Timeline.from_pts([0, 0, 1, 2, 3, 40, 80], F(1, 1000))
    dis = Timeline.from_pts([0, 3, 40, 80], F(1, 1000))
    assert run(by_time(ref, dis), ref, dis) == [(1, 0), (4, 1), (5, 2), (6, 3)]
    still = Timeline.from_pts([7], F(1, 1000))
    for drive in ("distorted", "reference"):
        assert run(by_time(still, still, drive), still, still) == [(0, 0)]
    none = Timeline.from_pts([], F(1, 1000))
    strategy = by_time(none, dis)
    assert run(strategy, none, dis) == []
    assert strategy.report.unpaired_dis == Unpaired(0, 0, 4)
    with pytest.raises(ValueError, match=r"a frame has no time: .*pair='index'"):
        list(strategy.pairs(iter([(None, 0)]), iter([(None, 0)])))


class Frame:
    """Something to hold; the frames alive are counted."""


def watched(timeline, alive):
    for time in timeline.times:
        frame = Frame()
        alive.add(frame)
        yield time, frame


@pytest.mark.parametrize("rates", [(60, 30), (30, 60), (25, 24), (25, 25)])
@pytest.mark.parametrize("drive", ["distorted", "reference", None])
def test_few_frames_are_held(drive, rates):
    ref, dis = (line(range(2 * rate), F(rate)) for rate in rates)
    strategy = ByIndex() if drive is None else by_time(ref, dis, drive)
    alive = [weakref.WeakSet(), weakref.WeakSet()]
    most = [0, 0]
    for _pair in strategy.pairs(watched(ref, alive[0]), watched(dis, alive[1])):
        most = [max(a, len(b)) for a, b in zip(most, alive, strict=True)]
        del _pair
    held = {None: [1, 1], "distorted": [2, 1], "reference": [1, 2]}[drive]
    assert most == held


def test_the_rest_is_counted_cheaply_and_up_to_the_limit():
    long, short = line(range(50), F(25)), line(range(20), F(25))
    asked = []

    def count(most):
        asked.append(most)
        return 7

    strategy = ByIndex()
    run(strategy, long, short, count_ref=count)
    assert strategy.report.unpaired_ref == Unpaired(0, 0, 8)
    run(strategy, short, long, count_dis=count, limit=30)
    assert strategy.report.unpaired_dis == Unpaired(0, 0, 8)
    run(strategy, long, short, limit=30)
    assert strategy.report.unpaired_ref == Unpaired(0, 0, 10)
    strategy = by_time(long, short)
    run(strategy, long, short, count_ref=count)
    assert strategy.report.unpaired_ref == Unpaired(0, 0, 8)
    run(strategy, short, long, count_dis=count)
    assert strategy.report.unpaired_dis == Unpaired(0, 0, 8)
    assert asked == [None, 9, None, None]
    run(strategy, long, short, limit=30)
    assert strategy.report.unpaired_ref == Unpaired(0, 0, 10)
    run(strategy, long, short, limit=20)
    assert strategy.report.unpaired_ref == Unpaired()


def test_index_with_an_offset_follows_the_times():
    ref, dis = line(range(30), F(25)), line([*range(10), *range(11, 21)], F(25))
    strategy = ByIndex(5, F(1, 25))
    assert isinstance(strategy, Strategy)
    assert run(strategy, ref, dis) == [(i + 5, i) for i in range(20)]
    report = strategy.report
    assert (report.offset, report.unpaired_ref) == ("5 frames", Unpaired(5, 0, 5))
    assert (report.first_apart, report.largest_time_difference) == (10, F(1, 25))
    strategy = ByIndex(-1)
    assert run(strategy, ref, dis) == [(i, i + 1) for i in range(19)]
    assert (strategy.report.offset, strategy.report.unpaired_dis.start) == ("-1 frame", 1)
    list(strategy.pairs(iter([(None, 1)]), iter([(F(0), 1), (F(1), 2)])))
    assert strategy.report.largest_time_difference is None


def test_timelines():
    gap = line([*range(5), *range(8, 20)], F(25), "ts")
    assert (gap.rate, gap.constant, gap.gaps) == (F(25), False, (Gap(5, 3),))
    assert gap.part(5).constant
    assert gap.part(3, 8).gaps == (Gap(2, 3),)
    assert gap.part(3).times == tuple(t - gap.times[3] for t in gap.times[3:])
    assert gap.part(3).start == gap.times[3]
    assert gap.part(most=5).count == 5
    # a file at half the declared rate has no gaps, and a fine grid fits everything
    assert Timeline.from_pts(range(0, 900, 30), F(1, 900), [F(60)]).rate == 30
    vfr = Timeline.from_pts([0, 10, 47, 90, 101], F(1, 1000), [F(1000)])
    assert (vfr.rate, vfr.constant, vfr.gaps) == (F(4000, 101), False, ())
    assert line(range(500), F(24000, 1001), "mkv", declared=False).rate == F(24000, 1001)
    late = Timeline.from_pts([3, 43, 83], F(1, 1000), [None, F(25)])
    assert (late.start, late.times[0], late.rate) == (F(3, 1000), 0, 25)
    # a time base as coarse as the frames hides no drop
    assert line([0, 1, 2, 4, 5, 6], F(25), "avi").gaps == (Gap(3, 1),)
    exact = Timeline.at_rate(3, F(30))
    assert (exact.times, exact.tick, exact.constant) == ((0, F(1, 30), F(2, 30)), 0, True)
    assert exact.part(1).times == (0, F(1, 30))
    pipe = Timeline.unknown(rate=F(25))
    assert (pipe.count, pipe.timed, pipe.times, pipe.frame) == (None, False, None, F(1, 25))
    assert pipe.part(3) == pipe
    with pytest.raises(ValueError, match="pts must be sorted"):
        Timeline.from_pts([0, 2, 1], F(1, 25))


def texts(choice):
    return [(notice.code, notice.text) for notice in choice.notices]


def test_equal_counts_pair_by_index_and_times_are_checked():
    ref = line(range(60), F(25))
    dis = line([*range(20), *range(21, 61)], F(25), "mp4")
    choice = choose(ref, dis, names=NAMES)
    assert choice.strategy.name == "index"
    [(code, text)] = texts(choice)
    assert code == "pairing"
    assert "d.mp4: paired by index, but frame 20 is shown more than half a frame away" in text
    assert choice.report.first_apart == 20


def test_no_times_or_no_counts_pair_by_index():
    ref = line(range(60), F(25))
    for dis in (
        Timeline.unknown(60),
        Timeline.unknown(60, time_base=F(1, 1000)),
        Timeline.unknown(None, F(25), F(1, 1000)),
        Timeline.at_rate(None, F(25)),
    ):
        choice = choose(ref, dis)
        assert choice.strategy.name == "index"
        assert choice.notices == ()
    with pytest.raises(VideoError, match=r"has 50 frames, but the reference r.mkv has 60: cut"):
        choose(ref, Timeline.unknown(50), names=NAMES)
    with pytest.raises(VideoError, match=r"d.mp4: has no times, .* use pair='index'"):
        choose(ref, Timeline.unknown(60), pair="time", names=NAMES)
    pipe = Timeline.unknown(None, F(25), F(1, 1000))
    assert choose(ref, pipe, pair="time").strategy.name == "time"


def test_one_frame_more_at_an_end_is_allowed():
    ref, dis = line(range(240), F(24)), line(range(239), F(24), "mp4")
    choice = choose(ref, dis, names=NAMES)
    assert (choice.strategy.name, choice.pairs) == ("time", 239)
    last = "d.mp4: the last frame of the reference had no partner and was not scored."
    assert texts(choice) == [("dropped-frames", last)]


def test_a_frame_missing_inside_is_refused():
    ref = line(range(240), F(24))
    dis = line([*range(100), *range(101, 240)], F(24), "mp4")
    with pytest.raises(VideoError) as problem:
        choose(ref, dis, names=NAMES)
    assert str(problem.value) == (
        "d.mp4: has 239 frames, but the reference r.mkv has 240: frame 100 of the reference has no "
        "partner; score the pairs that there are with pair='time'."
    )
    choice = choose(ref, dis, pair="time", names=NAMES)
    inside = "d.mp4: 1 frame inside the reference had no partner and was not scored."
    assert texts(choice) == [("dropped-frames", inside)]
    many = line([k for k in range(240) if k not in (9, 50, 51, 90, 200, 201, 202)], F(24))
    where = "frames 9, 50 to 51, 90 and 3 more of the reference have no partner"
    with pytest.raises(VideoError, match=where):
        choose(ref, many)


def test_a_shorter_video_is_refused_with_the_cures():
    ref, dis = line(range(240), F(24)), line(range(200), F(24), "mp4")
    with pytest.raises(VideoError) as problem:
        choose(ref, dis, names=NAMES)
    assert "the last 40 frames of the reference have no partner; score the pairs" in str(
        problem.value
    )
    cured = [{"pair": "time"}, {"on_length_mismatch": "truncate"}, {"offset": 40}]
    for cure in cured:
        assert next(iter(cure)) + "=" in str(problem.value)
        assert choose(ref, dis, names=NAMES, **cure).pairs == 200
    choice = choose(ref, dis, on_length_mismatch="truncate", names=NAMES)
    assert choice.strategy.name == "index"
    kept = "d.mp4: the last 40 frames of the reference had no partner and were not scored."
    assert texts(choice) == [("dropped-frames", kept)]


def test_gaps_that_the_other_side_fills():
    ref = line([0, 1, 2, 3, 5, 6, 8, 9, 10, 12, 13, 14, 15], F(25))
    dis = line(range(16), F(25), "mp4")
    assert not ref.constant
    choice = choose(ref, dis, names=NAMES)
    assert (choice.strategy.name, choice.pairs) == ("time", 16)
    [(code, text)] = texts(choice)
    assert code == "pairing"
    assert "16 pairs by time: 3 frames of the reference are compared with more than one" in text
    with pytest.raises(VideoError, match="frames 4, 7 and 11 of the reference have no partner"):
        choose(dis, ref)
    assert choose(dis, ref, drive="reference").pairs == 16


def test_a_variable_rate():
    rng = random.Random(5)
    vfr = random_vfr(rng, 40)
    assert choose(vfr, vfr).strategy.name == "index"
    constant = line(range(40), F(30))
    with pytest.raises(VideoError, match=r"has 40 frames as the reference .* pair='index'\."):
        choose(vfr, constant)
    assert choose(vfr, constant, pair="index").pairs == 40


def test_unequal_rates_are_refused_with_both_cures():
    ref, dis = line(range(60), F(60)), line(range(30), F(30), "mp4")
    with pytest.raises(VideoError) as problem:
        choose(ref, dis, names=NAMES)
    assert str(problem.value) == (
        "d.mp4: has 30.000 frames a second, but the reference r.mkv has 60.000: pair them by time "
        "with pair='time' (a score a distorted frame, or with drive='reference' one a reference "
        "frame), or, if both show the same frames, by index with pair='index'."
    )
    assert choose(ref, dis, pair="time").pairs == 30
    assert choose(ref, dis, pair="time", drive="reference").pairs == 60
    same = line(range(60), F(30))
    assert choose(ref, same, pair="index").pairs == 60
    # the two rates of film are one
    assert choose(line(range(90), F(24)), line(range(90), F(24000, 1001))).notices == ()


def test_offsets():
    ref, dis = line(range(100), F(25)), line(range(80), F(25), "mp4")
    for offset in (12, F(12, 25)):
        choice = choose(ref, dis, offset=offset, names=NAMES)
        assert choice.strategy.name == "time"
        assert run(choice.strategy, ref, dis) == [(i + 12, i) for i in range(80)]
        assert choice.report.offset == ("12 frames" if offset == 12 else "0.48 s")
        ends = "the first 12 frames of the reference and the last 8 frames of the reference had no"
        assert ends in texts(choice)[0][1]
        by_index = choose(ref, dis, pair="index", offset=offset)
        assert run(by_index.strategy, ref, dis) == [(i + 12, i) for i in range(80)]
    choice = choose(ref, ref, offset=-3, names=NAMES)
    assert choice.strategy.name == "index"
    assert run(choice.strategy, ref, ref) == [(i, i + 3) for i in range(97)]
    assert choice.pairs == 97
    for pair in ("auto", "index", "time"):
        with pytest.raises(VideoError, match=r"no frame has a partner .*: check the offset"):
            choose(ref, ref, pair=pair, offset=200)
    bare = Timeline.unknown(20)
    assert choose(bare, bare, offset=2).pairs == 18
    with pytest.raises(VideoError, match="no frame rate, so an offset in seconds"):
        choose(bare, bare, offset=F(1))


def test_a_limit_asks_only_for_the_frames_before_it():
    ref, dis = line(range(60), F(25)), line(range(40), F(25))
    choice = choose(ref, dis, limit=40)
    assert (choice.strategy.name, choice.pairs, choice.notices) == ("index", 40, ())
    with pytest.raises(VideoError, match="the last 5 frames of the reference have no partner"):
        choose(ref, dis, limit=45)
    dropped = line([*range(10), *range(11, 61)], F(25))
    assert choose(line(range(70), F(25)), dropped, limit=10).strategy.name == "index"


@pytest.mark.parametrize("drive", ["distorted", "reference"])
def test_times_that_go_back_are_refused(drive):
    right, wrong = [(F(i, 25), i) for i in range(6)], [(F(t, 25), t) for t in (0, 2, 3, 1, 5, 4)]
    for ref, dis, side in ((right, wrong, "distorted video"), (wrong, right, "reference")):
        with pytest.raises(ValueError, match=f"frame 3 of the {side} .* pair='index'"):
            list(ByTime(drive, frame=F(1, 25)).pairs(iter(ref), iter(dis)))


def test_wrong_arguments():
    ref = line(range(4), F(25))
    with pytest.raises(ValueError, match="pair must be one of auto, index, time"):
        choose(ref, ref, pair="pts")
    with pytest.raises(ValueError, match="drive must be one of distorted, reference"):
        choose(ref, ref, drive="both")
