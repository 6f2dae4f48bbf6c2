"""Bjontegaard deltas, hulls and ladders against other programs, brute force and hand counts."""

import itertools
from fractions import Fraction

import bjontegaard
import numpy as np
import pytest
from scipy.interpolate import PchipInterpolator

from jaxvqa.ladders import (
    bd_quality,
    bd_rate,
    build_ladders,
    convex_hull,
    knee,
    pareto_front,
)
from jaxvqa.ladders._pchip import integral, slopes
from tests import tolerances


def curve(rng):
    """A random rate-quality curve of 2 to 9 points."""
    count = int(rng.integers(2, 10))
    rate = 100 + np.cumsum(rng.uniform(20, 900, count))
    quality = 30 + np.cumsum(rng.uniform(0.1, 12, count))
    return rate, quality


@pytest.mark.parametrize(
    "ours, theirs", [(bd_rate, bjontegaard.bd_rate), (bd_quality, bjontegaard.bd_psnr)]
)
def test_deltas_equal_those_of_the_bjontegaard_package(ours, theirs):
    rng, compared = np.random.default_rng(23), 0
    while compared < 50:
        anchor, test = curve(rng), curve(rng)
        low = max(anchor[ours is bd_rate].min(), test[ours is bd_rate].min())
        if low >= min(anchor[ours is bd_rate].max(), test[ours is bd_rate].max()):
            continue
        expected = theirs(
            *anchor, *test, method="pchip", require_matching_points=False, min_overlap=0
        )
        assert ours(*anchor, *test) == pytest.approx(expected, abs=tolerances.BJONTEGAARD)
        compared += 1


def test_interpolation_equals_scipys_also_where_curves_turn():
    rng = np.random.default_rng(0)
    for count in (2, 3, 4, 9):
        for _ in range(20):
            x = np.cumsum(rng.uniform(0.1, 2, count))
            y = np.round(rng.normal(0, 1, count), 1)  # rounded: equal neighbours occur
            theirs = PchipInterpolator(x, y)
            np.testing.assert_allclose(
                slopes(x, y), theirs.derivative()(x), atol=tolerances.FLOAT64_RELATIVE
            )
            low, high = np.sort(rng.uniform(x[0], x[-1], 2))
            expected = theirs.integrate(low, high)
            assert integral(x, y, low, high) == pytest.approx(
                float(expected), abs=tolerances.FLOAT64_RELATIVE
            )


def test_deltas_of_known_curves():
    rate, quality = np.array([100.0, 200, 400, 800]), np.array([60.0, 75, 85, 90])
    assert bd_rate(rate, quality, 0.8 * rate, quality) == pytest.approx(-20)
    assert bd_quality(rate, quality, rate, quality + 2) == pytest.approx(2)
    shuffled = [2, 0, 3, 1]
    assert bd_rate(rate, quality, 0.8 * rate[shuffled], quality[shuffled]) == pytest.approx(-20)


@pytest.mark.parametrize(
    "anchor, test, sentence",
    [
        (([1, 2], [10, 20]), ([1, 2], [30, 40]), "no qualities in common"),
        (([1], [10]), ([1, 2], [30, 40]), "anchor: a curve needs two points or more, got 1"),
        (([1, 2], [10, 20]), ([1, 2], [40, 30]), "test: rate 2 with quality 30 is not above"),
        (([1, 1], [10, 20]), ([1, 2], [10, 20]), "anchor: rate 1 with quality 20 is not above"),
        (([0, 1], [10, 20]), ([1, 2], [10, 20]), "rates must be above 0"),
        (([1, 2], [10, np.nan]), ([1, 2], [10, 20]), "all numbers finite"),
        (([1, 2], [10]), ([1, 2], [10, 20]), "two lists of equal length"),
    ],
)
def test_curves_without_an_average_are_refused(anchor, test, sentence):
    with pytest.raises(ValueError, match=sentence):
        bd_rate(*anchor, *test)


def test_rates_without_overlap_are_refused():
    with pytest.raises(ValueError, match="no rates in common"):
        bd_quality([1, 2], [10, 20], [3, 4], [15, 25])


def points(rng):
    """Whole numbers, so that ties, equal points and straight lines occur."""
    count = int(rng.integers(1, 12))
    return rng.integers(1, 9, count), rng.integers(0, 9, count)


def test_the_front_equals_brute_force():
    rng = np.random.default_rng(1)
    for _ in range(300):
        rate, quality = points(rng)
        expected = []
        for i in range(len(rate)):
            better = (rate <= rate[i]) & (quality >= quality[i])
            strictly = better & ((rate < rate[i]) | (quality > quality[i]))
            if not strictly.any() and not better[:i].any():  # of equal points the first
                expected.append(i)
        assert pareto_front(rate, quality) == sorted(expected, key=lambda i: rate[i])


def test_the_hull_equals_brute_force():
    rng = np.random.default_rng(2)
    for _ in range(300):
        rate, quality = points(rng)
        front = pareto_front(rate, quality)

        def below(i, front=front, rate=rate, quality=quality):
            """The point lies under a line between two others of the front."""
            for a, b in itertools.combinations(front, 2):
                if rate[a] < rate[i] < rate[b]:
                    share = Fraction(int(rate[i] - rate[a]), int(rate[b] - rate[a]))
                    if int(quality[a]) + share * int(quality[b] - quality[a]) > int(quality[i]):
                        return True
            return False

        assert convex_hull(rate, quality) == [i for i in front if not below(i)]


def test_the_knee_is_farthest_over_the_chord():
    assert knee([1, 2, 4, 8], [0, 60, 80, 90]) == 1
    assert knee([1, 2, 4, 8], [0, 30, 80, 90]) == 2
    assert knee([1, 2, 4], [10, 20, 30]) is None
    assert knee([1, 2], [10, 20]) is None


def encodes(codec="a", saved=1.0, title="film"):
    """Two sizes; the large one is better from rate 800 on."""
    small = [(100, 40), (200, 60), (400, 70), (800, 72), (1600, 73)]
    large = [(200, 30), (400, 60), (800, 80), (1600, 90), (3200, 95)]
    return [
        {
            "title": title, "codec": codec, "bitrate_kbps": str(rate * saved),
            "vmaf_mean": str(quality), "dis_width": str(width), "dis_height": str(height),
            "dis": f"/out/{codec}_{height}_{rate}.mp4",
        }
        for (width, height), curve in (((640, 360), small), ((1280, 720), large))
        for rate, quality in curve
    ]  # fmt: skip


def test_a_ladder_over_sizes():
    found = build_ladders(encodes(), encoder=["codec"])
    assert (found.rate, found.quality, found.left_out) == ("bitrate_kbps", "vmaf_mean", ())
    (title,) = found.titles
    (curve,) = title.curves
    assert (title.title, curve.encoder) == ("film", "a")

    def of(indices):
        return [(curve.points[i].rate, curve.points[i].size[1]) for i in indices]

    assert of(curve.front) == [(100, 360), (200, 360), (400, 360), (800, 720), (1600, 720),
                               (3200, 720)]  # fmt: skip
    assert of(curve.hull) == of(curve.front)
    beaten = {(curve.points[i].name, curve.points[j].name) for i, j in curve.dominated.items()}
    assert beaten == {
        ("a_720_200.mp4", "a_360_200.mp4"), ("a_720_400.mp4", "a_360_400.mp4"),
        ("a_360_800.mp4", "a_720_800.mp4"), ("a_360_1600.mp4", "a_720_1600.mp4"),
    }  # fmt: skip
    # 95 → 90 is less than 6 points; then 80, 70 and 60, each at half the rate; 40 is the last
    assert [curve.points[i].quality for i in curve.rungs] == [95, 80, 70, 60, 40]
    # over the chord from (log 100, 40) to (log 3200, 95): 20/55 - 1/5 is the largest
    assert curve.points[curve.knee].quality == 60


def test_rungs_keep_their_distance_and_stop_at_the_top():
    def rungs(**options):
        curve = build_ladders(encodes(), **options).titles[0].curves[0]
        return [curve.points[i].rate for i in curve.rungs]

    assert rungs(step=0, ratio=1) == [3200, 1600, 800, 400, 200, 100]
    assert rungs(step=0, ratio=2) == [3200, 1600, 800, 400, 200, 100]
    assert rungs(step=0, ratio=2.5) == [3200, 800, 200]
    assert rungs(step=20) == [3200, 400, 100]
    assert rungs(top=85) == [1600, 800, 400, 200, 100]
    assert rungs(top=99, step=0, ratio=8) == [3200, 400]


def test_encoders_are_compared_and_titles_averaged():
    rows = [
        row
        for title, saved in (("film", 0.8), ("sport", 0.6))
        for row in encodes(title=title) + encodes("b", saved, title)
    ]
    found = build_ladders(rows, encoder=["codec"])
    assert [t.compared for t in found.titles] == ["hull", "hull"]
    deltas = {(d.anchor, d.test): d for d in found.titles[0].deltas}
    assert deltas["a", "b"].bd_rate == pytest.approx(-20)
    assert deltas["b", "a"].bd_rate == pytest.approx(25)
    assert deltas["a", "b"].quality_overlap == 1
    means = {(d.anchor, d.test): d for d in found.means}
    assert means["a", "b"].bd_rate == pytest.approx(-30)
    assert means["a", "b"].problem is None


def test_a_pair_without_overlap_has_a_reason_and_no_number():
    low = [dict(r, codec="b", vmaf_mean=str(float(r["vmaf_mean"]) / 10)) for r in encodes()]
    found = build_ladders(encodes() + low, encoder=["codec"])
    delta = found.titles[0].deltas[0]
    assert (delta.bd_rate, delta.quality_overlap) == (None, 0)
    # the rates do overlap, and nine tenths of 40 to 95 points are lost
    assert -0.9 * 95 < delta.bd_quality < -0.9 * 40
    assert "no qualities in common" in delta.problem
    assert found.means[0].problem == "over 0 of 1 titles"


def test_one_size_is_compared_on_the_front():
    rows = [dict(r, dis_width="640", dis_height="360") for r in encodes()[:5]]
    rows += [dict(r, codec="b") for r in rows]
    assert build_ladders(rows, encoder=["codec"]).titles[0].compared == "front"


def test_a_score_of_which_lower_is_better_is_refused():
    rows = [dict(row, vmaf_mean=str(-float(row["vmaf_mean"]))) for row in encodes()[:5]]
    with pytest.raises(ValueError, match="vmaf_mean falls where bitrate_kbps rises"):
        build_ladders(rows)


@pytest.mark.parametrize("name", ["cambi", "cambi_mean", "integer_motion2_p5", "speed_chroma_u"])
def test_a_metric_of_which_higher_is_not_better_is_refused(name):
    rows = [{"title": "t", "bitrate": rate, name: rate} for rate in (1, 2, 3)]
    with pytest.raises(ValueError, match=f"of {name}, .* take a score that rises with quality"):
        build_ladders(rows, quality=name)


def test_without_titles_encodes_are_grouped_by_their_reference():
    rows = [{"ref": ref, "bitrate": rate, "vmaf": rate} for ref in ("/a", "/b") for rate in (1, 2)]
    assert [title.title for title in build_ladders(rows).titles] == ["/a", "/b"]


def test_empty_cells_name_nothing():
    rows = [dict(row, title=None, codec=None) for row in encodes()]
    (title,) = build_ladders(rows, encoder=["codec"]).titles
    assert (title.title, title.curves[0].encoder) == ("", "all")


def test_rates_with_units_are_bits_per_second():
    texts = ("900k", "1.5 Mbps", "3M", "fast")
    rows = [{"bitrate": rate, "vmaf": 70 + i} for i, rate in enumerate(texts)]
    found = build_ladders(rows, group="bitrate")
    assert [t.curves[0].points[0].rate for t in found.titles] == [9e5, 1.5e6, 3e6]
    assert found.left_out == ("row 4: has no bitrate",)
    with pytest.raises(ValueError, match="bitrate is '900k' in one row and 1500 in another: give"):
        build_ladders([*rows, {"bitrate": 1500, "vmaf": 80}], group="bitrate")


def test_rows_without_numbers_are_left_out_and_named():
    rows = [*encodes(), dict(encodes()[0], vmaf_mean=None, dis="/x/failed.mp4"),
            dict(encodes()[0], bitrate_kbps="0", vmaf_mean="nan", dis="y.mp4")]  # fmt: skip
    found = build_ladders(rows)
    assert found.left_out == (
        "failed.mp4: has no vmaf_mean", "y.mp4: has no bitrate_kbps and no vmaf_mean",
    )  # fmt: skip
    with pytest.raises(ValueError, match="no row has a number in both"):
        build_ladders(rows[-2:])


@pytest.mark.parametrize(
    "options, sentence",
    [
        ({"quality": "vmaff"}, "quality='vmaff': the table has no such column; did you mean"),
        ({"group": "film"}, "group='film': the table has no such column"),
        ({"encoder": ["preset"]}, "encoder='preset'"),
        ({"size": ["a", "b", "c"]}, "size must name one column"),
        ({"step": -1}, "step must be 0 or more"),
        ({"ratio": 0.5}, "ratio 1 or more"),
    ],
)
def test_wrong_columns_are_named(options, sentence):
    with pytest.raises(ValueError, match=sentence):
        build_ladders(encodes(), **options)


@pytest.mark.parametrize(
    "columns, expected",
    [
        ({"size": "1920x1080"}, (1920, 1080)),
        ({"width": 1920, "height": 1080}, (1920, 1080)),
        ({"width": 1920.0, "height": 1080.0}, (1920, 1080)),
        ({"encode_size": "1280x720", "width": 1, "height": 1}, (1280, 720)),
        ({"size": "large"}, None),
        ({}, None),
    ],
)
def test_sizes_are_found(columns, expected):
    rows = [{"title": "t", "bitrate": 1, "vmaf": 2} | columns]
    assert build_ladders(rows).titles[0].curves[0].points[0].size == expected
