"""Pairing by what frames show: drops and doubles inside, which neither counts nor times tell."""

import itertools

import numpy as np
import pytest

from jaxvqa.video import InputOptions, VideoError, open_pair, open_video
from jaxvqa.video._pair.by_pictures import ByPictures, pictures_notice
from jaxvqa.video._pair.follow import follow
from jaxvqa.video._pair.likeness import cheapest_path
from jaxvqa.video._pair.match import Strategy
from tests.test_offset import correct_pairs, halve, pan, tone

COUNT = 150


def write(path, frames, rate=25):
    height, width = frames[0].shape
    head = f"YUV4MPEG2 W{width} H{height} F{rate}:1 Ip A1:1 Cmono\n".encode()
    path.write_bytes(head + b"".join(b"FRAME\n" + frame.tobytes() for frame in frames))
    return path


def shown(tmp_path, ref, dis, offset=0, crops=(None, None), most=None):
    """The reference frame that each distorted frame is found to show."""
    files = write(tmp_path / "r.y4m", ref), write(tmp_path / "d.y4m", dis)
    with open_video(files[0]) as first, open_video(files[1]) as second:
        return follow(first, second, offset, crops, most)


def changed(count, drop=(), double=()):
    """Numbers of the frames that a clip shows which lacks some and has others twice."""
    return [i for i in range(count) if i not in drop for _ in range(1 + (i in double))]


CHANGES = {
    "none": ((), ()),
    "a drop, then a double": ((40,), (90,)),
    "a double, then a drop": ((90,), (40,)),
    "one of each, near": ((60,), (85,)),
    "several": ((30, 60, 90), (110,)),
    "two at once": ((50, 51), (100,)),
    "a freeze": ((), (70,)),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("side", ["dis", "ref"])
def test_finds_what_is_shown(tmp_path, change, side):
    order = changed(COUNT, *CHANGES[change])
    assert shown(tmp_path, pan("ref")[:COUNT], pan(side)[order]) == order


def test_finds_drops_of_the_reference(tmp_path):
    """Its frame is shown again where it lacks one, or the next one before."""
    order = changed(COUNT, (40,), (90,))
    found = shown(tmp_path, pan("ref")[order], pan("dis")[:COUNT])
    assert found[:39] == list(range(39))
    assert found[42:89] == list(range(41, 88))
    assert found[93:] == list(range(93, COUNT))
    assert np.diff(found).min() >= 0


def test_small_and_cropped_pictures_with_another_tone(tmp_path):
    order = changed(COUNT, (40,), (90,))
    ref, dis = pan("ref")[:COUNT], pan("dis")[order]
    assert shown(tmp_path, ref, halve(dis)) == order
    barred = np.pad(dis, ((0, 0), (20, 20), (0, 0)), constant_values=16)
    crops = None, (320, 180, 0, 20)
    assert shown(tmp_path, ref, barred, crops=crops) == order
    assert shown(tmp_path, ref, tone(dis, np.full(COUNT, 219 / 255), 16)) == order


@pytest.mark.parametrize("offset", [3, -3])
def test_goes_on_from_an_offset(tmp_path, offset):
    ref, dis = pan("ref")[: COUNT - 3], pan("dis")[3:COUNT]
    if offset < 0:
        ref, dis = pan("ref")[3:COUNT], pan("dis")[: COUNT - 3]
    wanted = [i + offset for i in range(COUNT - 3)]
    assert shown(tmp_path, ref, dis, offset) == wanted
    # of the first frames there is little to compare
    assert shown(tmp_path, ref, dis, offset + 1)[4:] == wanted[4:]
    assert shown(tmp_path, ref, dis, offset, most=20) == wanted[:20]


def test_leaves_alone_what_belongs_together(tmp_path):
    """Also frames that are held in a cadence."""
    for kind, (ref, dis) in correct_pairs().items():
        if kind != "something else":
            assert shown(tmp_path, ref, dis) == list(range(len(ref))), kind


def test_paths():
    costs = np.array([[0, 1], [0, 1], [1, 0], [1, 0], [1, 0], [0, 1]], float)
    assert list(cheapest_path(costs, 0.5)) == [0, 0, 1, 1, 1, 0]
    assert list(cheapest_path(costs, 2.1)) == [0] * 6
    steep = np.array([[3, 3, 0], [0, 2, 2], [0, 2, 2], [0, 2, 2]], float)
    assert list(cheapest_path(steep, 0.1)) == [2, 0, 0, 0]
    assert list(cheapest_path(steep, 0.1, fall=0.1)) == [2, 1, 0, 0]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("fall", [None, 0.7])
def test_paths_are_the_cheapest(seed, fall):
    costs = np.random.default_rng(seed).random((5, 3))
    change = 0.4

    def price(path):
        steps = [b - a for a, b in itertools.pairwise(path)]
        if fall is None:
            return sum(change for step in steps if step)
        if min(steps) < -1:
            return np.inf
        return sum(change if step > 0 else fall for step in steps if step)

    every = [np.unravel_index(n, (3,) * 5) for n in range(3**5)]
    totals = [price(p) + sum(costs[i, s] for i, s in enumerate(p)) for p in every]
    best = every[int(np.argmin(totals))]
    assert list(cheapest_path(costs, change, fall)) == [int(s) for s in best]


def timed(count):
    return ((None, i) for i in range(count))


@pytest.mark.parametrize(
    ("shows", "refs", "count", "pairs", "unpaired"),
    [
        ([0, 1, 3, 3, 4], 5, 5, [(0, 0), (1, 1), (3, 2), (3, 3), (4, 4)], ((0, 1, 0), (0, 0, 0))),
        ([-2, -1, 0, 1], 4, 4, [(0, 2), (1, 3)], ((0, 0, 2), (2, 0, 0))),
        ([2, 3], 4, 5, [(2, 0), (3, 1)], ((2, 0, 0), (0, 0, 3))),
        ([1, 2], 4, 3, [(1, 0), (2, 1), (3, 2)], ((1, 0, 0), (0, 0, 0))),
        ([], 2, 2, [(0, 0), (1, 1)], ((0, 0, 0), (0, 0, 0))),
    ],
)
def test_the_strategy(shows, refs, count, pairs, unpaired):
    strategy = ByPictures(shows)
    assert isinstance(strategy, Strategy)
    assert list(strategy.pairs(timed(refs), timed(count))) == pairs
    report = strategy.report
    for side, wanted in zip((report.unpaired_ref, report.unpaired_dis), unpaired, strict=True):
        assert (side.start, side.inside, side.end) == wanted
    assert list(strategy.pairs(timed(refs), timed(count), limit=1)) == pairs[:1]
    assert strategy.report.unpaired_ref.end == 0


def test_words():
    names = "r.mkv", "d.mkv"
    assert pictures_notice([3, 4, 5], 3, names) is None
    assert pictures_notice([], 0, names) is None
    told = pictures_notice(changed(150, (40,), (90,)), 0, names)
    assert told is not None
    assert told.text == (
        "d.mkv: paired by pictures: frames from 0 on with 0, from 40 on with 41 and from 90 on "
        "with 90 of the reference."
    )
    many = pictures_notice(changed(150, (10, 30, 50, 70, 90)), 0, names)
    assert many is not None
    assert "and so on at 2 more places" in many.text


def test_a_pair(tmp_path):
    order = changed(COUNT, (40,), (90,))
    files = (
        write(tmp_path / "r.y4m", pan("ref")[:COUNT]),
        write(tmp_path / "d.y4m", pan("dis")[order]),
    )
    with open_pair(*files, InputOptions(pair="pictures")) as pair:
        pairs = [(a[0].tobytes(), b[0].tobytes()) for _, a, b in pair]
        codes = [notice.code for notice in pair.notices]
    wanted = [(pan("ref")[n].tobytes(), pan("dis")[n].tobytes()) for n in order]
    assert pairs == wanted
    assert sorted(codes) == ["dropped-frames", "pairing"]
    assert (pair.pairing.strategy, pair.pairing.pairs, pair.pairing.reused) == ("pictures", 150, 1)
    with open_pair(*files, InputOptions(offset="auto")) as pair:
        assert "; pair='pictures' follows them." in str(pair.notices[0])
    with open_pair(*files, InputOptions(pair="pictures", frame_count=50)) as pair:
        assert [index for index, _, _ in pair] == list(range(50))


def test_another_rate_is_refused(tmp_path):
    files = (
        write(tmp_path / "r.y4m", pan("ref")[:20]),
        write(tmp_path / "d.y4m", pan("dis")[:20], 50),
    )
    with pytest.raises(VideoError, match=r"another frame rate.*pair='time'"):
        open_pair(*files, InputOptions(pair="pictures"))
