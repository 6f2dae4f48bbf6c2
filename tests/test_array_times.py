"""Arrays that come with times are paired as files that have them."""

from fractions import Fraction

import numpy as np
import pytest

import jaxvqa
from jaxvqa import Planes
from jaxvqa._scoring.arrays import align_arrays
from jaxvqa.video import InputOptions, open_pair
from tests.test_offset import pan
from tests.test_video_advice import PATTERNS, advised, number, write

FRAMES = np.stack(PATTERNS)


def clip(numbers):
    return FRAMES[list(numbers)]


def pairs(ref, dis, **options):
    """Numbers of the frames of each pair, and the texts of notices."""
    found = align_arrays(clip(ref), clip(dis), InputOptions(**options))
    return [(number(a), number(b)) for a, b in zip(found.ref, found.dis, strict=True)], {
        notice.code: notice.text for notice in found.notices
    }


def straight(count):
    return [(i, i) for i in range(count)]


def even(count, rate=25, start=0):
    return [start + Fraction(i, rate) for i in range(count)]


def test_drops():
    kept = [i for i in range(20) if i not in (7, 8, 13)]
    times = {"ref_times": even(20), "dis_times": [Fraction(i, 25) for i in kept]}
    with pytest.raises(
        ValueError, match="dis: has 17 frames, but the reference ref has 20"
    ) as told:
        pairs(range(20), kept, **times)
    assert advised(str(told.value)) == [{"pair": "time"}]
    found, notices = pairs(range(20), kept, pair="time", **times)
    assert found == [(i, i) for i in kept]
    assert "3 frames inside the reference" in notices["dropped-frames"]


@pytest.mark.parametrize("kind", [Fraction, float, np.float64, np.float32])
def test_numbers_of_any_type(kind):
    rate = Fraction(24000, 1001)
    times = [kind(float(i / rate)) if kind is not Fraction else i / rate for i in range(20)]
    found, notices = pairs(range(20), range(20), ref_times=times, dis_times=np.array(even(20, 24)))
    assert found == straight(20)
    assert notices == {}


def test_other_rates():
    times = {"ref_times": even(20, 50), "dis_times": even(10)}
    with pytest.raises(ValueError, match=r"25.000 frames a second, but the reference ref has 50"):
        pairs(range(20), range(0, 20, 2), **times)
    found, _ = pairs(range(20), range(0, 20, 2), pair="time", **times)
    assert found == [(i, i) for i in range(0, 20, 2)]
    found, _ = pairs(range(20), range(0, 20, 2), pair="time", drive="reference", **times)
    assert found == [(i, i - i % 2) for i in range(20)]
    # one side by its rate
    found, _ = pairs(range(20), range(0, 20, 2), pair="time", ref_times=times["ref_times"], fps=25)
    assert found == [(i, i) for i in range(0, 20, 2)]


def test_offsets_starts_and_skips():
    times = {"ref_times": even(20), "dis_times": even(16, start=Fraction(4, 25))}
    assert pairs(range(20), range(4, 20), offset=4, **times)[0] == [(i, i) for i in range(4, 20)]
    found = pairs(range(20), range(4, 20), absolute_time=True, pair="time", **times)[0]
    assert found == [(i, i) for i in range(4, 20)]
    found = pairs(range(20), range(4, 20), skip_ref=4, **times)[0]
    assert found == [(i, i) for i in range(4, 20)]
    found = pairs(range(20), range(4, 20), skip_ref=5, skip_dis=1, frame_count=3, **times)[0]
    assert found == [(i, i) for i in range(5, 8)]
    found, notices = pairs(range(20), range(16), on_length_mismatch="truncate", **times)
    assert found == straight(16)
    assert "the last 4 frames of the reference" in notices["dropped-frames"]


def test_as_files(tmp_path):
    """A frame lost early and one added late: as many, at other times, and pictures decide."""
    order = [*range(6), *range(7, 20), 19]
    times = [40 * i for i in range(20) if i != 6] + [800]
    files = (
        write(tmp_path / "r.mkv", range(20)),
        write(tmp_path / "d.mkv", order, times),
    )
    with open_pair(*files) as pair:
        wanted = [(number(a[0]), number(b[0])) for _, a, b in pair]
        codes = sorted({notice.code for notice in pair.notices})
    found, notices = pairs(
        range(20), order, ref_times=even(20), dis_times=[Fraction(t, 1000) for t in times]
    )
    assert found == wanted
    assert sorted(notices) == codes
    assert all(a == b for a, b in found)


def test_scores():
    ref, dis = pan("ref")[:12], pan("dis")[:12]
    kept = [0, 1, 2, 4, 5, 6, 9, 10, 11]
    options = {"model": None, "features": ["psnr", "float_motion"]}
    wanted = jaxvqa.score(ref[kept], dis[kept], **options)
    found = jaxvqa.score(
        Planes(ref), Planes(dis[kept]), pair="time", ref_times=even(12),
        dis_times=[Fraction(i, 25) for i in kept], **options,
    )  # fmt: skip
    for name, values in wanted.frames.items():
        np.testing.assert_array_equal(found.frames[name], values)
    assert found.clip.fps == 25
    assert found.preparation.pairing.strategy == "time"
    assert found.preparation.pairing.unpaired_ref.inside == 3
    assert wanted.preparation is None


BAD = [
    ({"ref_times": even(20), "dis_times": even(19)}, "dis_times has 19 times for 20 frames"),
    ({"ref_times": [0.0, 0.08, 0.04]}, "ref_times must not fall, but 0.04 comes after 0.08"),
    ({"ref_times": even(20)}, "dis_times is missing: give it too, or fps"),
    ({"dis_times": even(20)}, "ref_times is missing"),
    ({"ref_times": "0 1"}, "ref_times must be the seconds"),
    ({"ref_times": [0, float("nan")]}, "ref_times must be the seconds"),
    ({"ref_times": [0, float("inf")]}, "ref_times must be the seconds"),
    ({"ref_times": 3}, "ref_times must be the seconds"),
    ({"ref_times": even(20), "dis_times": even(20), "fps": 25}, "fps is for arrays without times"),
    ({"pair": "time"}, "pair is for files, and for arrays that come with times"),
    ({"ref_times": even(20), "fps": 25, "pair": "pictures"}, "pair is for files"),
]


@pytest.mark.parametrize(("options", "message"), BAD)
def test_bad_times(options, message):
    with pytest.raises(ValueError, match=message):
        pairs(range(20), range(20), **options)


def test_pictures_and_files_have_none(tmp_path):
    with pytest.raises(ValueError, match="ref is a picture and has no times"):
        align_arrays(FRAMES[0], FRAMES[0], InputOptions(ref_times=[0], dis_times=[0]))
    path = write(tmp_path / "r.mkv", range(3))
    with pytest.raises(ValueError, match="ref_times is for arrays, as files say their own"):
        jaxvqa.score(path, path, ref_times=even(3), model=None, features=["psnr"])
