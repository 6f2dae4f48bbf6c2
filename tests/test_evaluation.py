"""Statistics of metrics: equal to those of scipy and scikit-learn, and to their definitions."""

import warnings

import numpy as np
import pytest
from scipy import optimize, stats

from jaxvqa.evaluation import (
    Mapping,
    analyse_pairs,
    evaluate,
    fit_mapping,
    krocc,
    outlier_ratio,
    plcc,
    rmse,
    srocc,
)
from tests import tolerances


def study(seed=0, contents=12, each=7, noise=0.35, falling=False):
    """Scores, ratings and contents; contents differ by an offset."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(10, 95, contents * each)
    names = np.repeat([f"c{i}" for i in range(contents)], each)
    offset = np.repeat(rng.normal(0, 0.3, contents), each)
    y = 1 + 4 / (1 + np.exp(-(x - 55) / 13)) + offset + noise * rng.normal(size=len(x))
    return (-x if falling else x), y, names


def close(found, expected, tolerance=tolerances.CORRELATION):
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance)


@pytest.mark.parametrize("ties", [False, True])
def test_correlations_equal_scipy(ties):
    x, y, _ = study(1)
    if ties:
        x, y = np.round(x, -1), np.round(y)
    close(srocc(x, y), stats.spearmanr(x, y).statistic)
    close(krocc(x, y), stats.kendalltau(x, y).statistic)
    close(plcc(x, y), stats.pearsonr(x, y).statistic)
    close(rmse(x, y), np.sqrt(np.mean((x - y) ** 2)))


def test_kendall_counts_pairs():
    x, y = np.round(np.random.default_rng(2).normal(size=(2, 30)), 1)
    i, j = np.triu_indices(30, 1)
    sx, sy = np.sign(x[i] - x[j]), np.sign(y[i] - y[j])
    close(krocc(x, y), (sx * sy).sum() / np.sqrt((sx**2).sum() * (sy**2).sum()))


@pytest.mark.parametrize("statistic", [srocc, krocc, plcc])
def test_correlations_are_undefined_for_constants(statistic):
    assert np.isnan(statistic([1, 1, 1], [1, 2, 3]))
    assert np.isnan(statistic([1], [2]))


def test_correlation_keeps_its_digits_far_from_zero():
    x = np.array([1e12, 1e12 + 1, 1e12 + 2, 1e12 + 4])
    close(plcc(x, [0, 1, 2, 4]), 1)


def four(x, b1, b2, b3, b4):
    return b2 + (b1 - b2) / (1 + np.exp(-(x - b3) / b4))


def five(x, b1, b2, b3, b4, b5):
    return b1 * (0.5 - 1 / (1 + np.exp(b2 * (x - b3)))) + b4 * x + b5


@pytest.mark.parametrize("falling", [False, True])
@pytest.mark.parametrize(
    "kind, function, start",
    [("4pl", four, (5, 1, 55, 13)), ("5pl", five, (4, 0.08, 55, 0.001, 3))],
)
def test_curves_are_the_least_squares_of_scipy(kind, function, start, falling):
    x, y, _ = study(3, falling=falling)
    sign = -1 if falling else 1
    start = np.array(start) * ([1, 1, sign, sign] if kind == "4pl" else [1, sign, sign, sign, 1])
    # derivatives by complex steps are exact; by differences scipy stops at 1e-7
    parameters = optimize.least_squares(
        lambda p: function(x, *p) - y, start, jac="cs", x_scale="jac",
        ftol=1e-15, xtol=1e-15, gtol=1e-15, max_nfev=2000,
    ).x  # fmt: skip
    found = fit_mapping(kind, x, y)
    np.testing.assert_allclose(
        found(x), function(x, *parameters), rtol=tolerances.CURVE_RELATIVE, atol=0
    )
    np.testing.assert_allclose(found(x), function(x, *found.parameters), rtol=1e-12)
    close(rmse(found(x), y), rmse(function(x, *parameters), y))


@pytest.mark.parametrize("kind", ["4pl", "5pl"])
@pytest.mark.parametrize("seed", range(6))
def test_curves_are_as_good_as_the_best_of_many_starts(kind, seed):
    x, y, _ = study(seed, contents=4, each=5, noise=0.8)
    function = {"4pl": four, "5pl": five}[kind]
    rng = np.random.default_rng(seed)
    best = np.inf
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for _ in range(30):
            middle, width = rng.uniform(10, 95), rng.uniform(3, 40)
            start = (5, 1, middle, width) if kind == "4pl" else (4, 1 / width, middle, 0, 3)
            try:
                parameters, _ = optimize.curve_fit(function, x, y, start, maxfev=4000)
            except RuntimeError:
                continue
            best = min(best, rmse(function(x, *parameters), y))
    # a local minimum is a few per cent worse
    assert rmse(fit_mapping(kind, x, y)(x), y) <= best * 1.001


def test_logistic_is_libvmafs():
    # the text of sigmoid_adjust in libvmaf f85a853, perf_metric.py, step by step
    x, y, _ = study(5)
    high, low = np.max(y) + 0.1, np.min(y) - 0.1
    scaled = (y - low) / (high - low)
    logits = -np.log(1 / scaled - 1)
    (a, b), *_ = np.linalg.lstsq(np.stack([np.ones(len(y)), logits], 1), x, rcond=-1)
    expected = 1 / (1 + np.exp(-(x - a) / b)) * (high - low) + low
    close(fit_mapping("logistic", x, y)(x), expected)


def test_curves_need_enough_clips():
    assert fit_mapping("5pl", [1, 2, 3, 4, 5], [1, 2, 3, 4, 6]) is None
    assert fit_mapping("4pl", np.ones(9), np.arange(9)) is None
    with pytest.raises(ValueError, match="kind must be one of none, logistic, 4pl, 5pl"):
        fit_mapping("6pl", [1, 2], [1, 2])


def test_a_straight_line_is_mapped_to_itself():
    x = np.linspace(0, 100, 40)
    for kind in ("4pl", "5pl"):
        assert rmse(fit_mapping(kind, x, 0.04 * x + 1)(x), 0.04 * x + 1) < 0.01


def test_a_curve_that_became_a_step_is_one():
    step = Mapping("5pl", (2.0, 1e307, 50.0, 0.0, 3.0))
    close(step([-100, 50, 200]), [2, 3, 4])


def test_outlier_ratio_counts_what_lies_outside():
    assert outlier_ratio([1, 2, 3, 4], [1.5, 2, 2, 4], [0.4, 0.1, 1.0, 0.1]) == 0.25


@pytest.mark.parametrize("ties", [False, True])
def test_areas_equal_scikit_learn(ties):
    metrics = pytest.importorskip("sklearn.metrics")
    x, y, _ = study(6, contents=8)
    if ties:
        x = np.round(x, -1)
    error = np.random.default_rng(0).uniform(0.1, 0.4, len(x))
    found = analyse_pairs(x, y, error)
    i, j = np.triu_indices(len(x), 1)
    z = (y[i] - y[j]) / np.hypot(error[i], error[j])
    different = np.abs(z) > 2
    gap = x[i] - x[j]
    close(found.different_similar, metrics.roc_auc_score(different, np.abs(gap)))
    signed = gap[different]
    better = z[different] > 0
    # each pair in both orders, as the method says
    labels, values = np.r_[better, ~better], np.r_[signed, -signed]
    close(found.better_worse, metrics.roc_auc_score(labels, values))
    close(found.correct, np.mean(signed * np.where(better, 1, -1) > 0))


def test_weighted_areas_are_those_of_repeated_clips():
    from jaxvqa.evaluation._pairs import Pairs, PairScores

    x, y, _ = study(7, contents=4, each=4)
    x = np.round(x, -1)
    error = np.full(len(x), 0.2)
    scores = PairScores(Pairs(y, error), x)
    weights = np.random.default_rng(1).integers(0, 4, len(x))
    found = scores.analysis(weights)
    # pairs of two different clips, as often as both are drawn
    i, j = np.triu_indices(len(x), 1)
    times = weights[i] * weights[j]
    i, j = np.repeat(i, times), np.repeat(j, times)
    z = (y[i] - y[j]) / np.hypot(error[i], error[j])
    different, gap = np.abs(z) > 2, np.abs(x[i] - x[j])
    above = (gap[different][:, None] > gap[~different][None, :]).mean()
    equal = (gap[different][:, None] == gap[~different][None, :]).mean()
    close(found.different_similar, above + equal / 2)


def test_unanimous_ratings_differ_however_small_the_gap():
    # libvmaf puts 1e-8 for a variance of 0
    found = analyse_pairs([1.0, 2.0, 3.0], [1.0, 1.001, 1.0], [0.0, 0.0, 0.0])
    assert found.better_worse == 0.5


def test_evaluation_judges_each_metric_and_their_difference():
    x, y, names = study(8, contents=20)
    noisy = x + np.random.default_rng(0).normal(0, 25, len(x))
    found = evaluate(
        {"good": x, "bad": -noisy}, y, names, standard_errors=np.full(len(x), 0.15),
        lower=["bad"], bootstrap=60, seed=1,
    )  # fmt: skip
    good, bad = found.metrics
    assert good.statistics["srocc"] > 0 > bad.statistics["srocc"]
    assert bad.statistics["auc_better_worse"] > 0.5
    for one in found.metrics:
        for name, (low, high) in one.intervals.items():
            assert low <= high, name
        low, high = one.intervals["srocc"]
        assert low < one.statistics["srocc"] < high
    by_name = {d.statistic: d for d in found.differences}
    assert by_name["srocc"].interval[0] > 0
    assert by_name["srocc"].first_better == 1
    assert by_name["rmse_4pl"].interval[1] < 0
    assert by_name["rmse_4pl"].first_better == 1
    assert not found.warnings


def test_resamples_are_of_contents_and_shared_by_metrics():
    x, y, names = study(9, contents=15)
    same = evaluate({"a": x, "b": 2 * x + 1}, y, names, bootstrap=40)
    for one in same.differences:
        if one.statistic == "srocc":
            assert one.interval == (0, 0)
            assert one.first_better == 0.5
    # the interval by definition: contents drawn with numpy's generator, statistic by scipy
    drawn = np.random.default_rng(0).integers(0, 15, (40, 15))
    rows = [np.concatenate([np.flatnonzero(names == f"c{i}") for i in one]) for one in drawn]
    values = [stats.spearmanr(x[r], y[r]).statistic for r in rows]
    close(same.metrics[0].intervals["srocc"], np.percentile(values, (2.5, 97.5)))


def test_figures_of_contents_are_those_of_their_clips():
    x, y, names = study(10)
    one = evaluate({"x": x}, y, names, bootstrap=0).metrics[0]
    own = names == "c3"
    figures = one.contents[3]
    assert (figures.content, figures.clips) == ("c3", 7)
    close(figures.srocc, stats.spearmanr(x[own], y[own]).statistic)
    close(figures.mean_error, (one.curves["4pl"](x[own]) - y[own]).mean())
    inside = [stats.pearsonr(x[names == n], y[names == n]).statistic for n in dict.fromkeys(names)]
    close(one.content_means["plcc"], np.mean(inside))


def test_a_metric_that_goes_the_wrong_way_is_told():
    x, y, names = study(11)
    found = evaluate({"x": -x}, y, names, bootstrap=0)
    assert "x goes against the ratings" in found.warnings[0]


@pytest.mark.parametrize(
    "change, text",
    [
        ({"ratings": [1, 2]}, "three clips or more"),
        ({"contents": ["a"]}, "contents must be as many as ratings"),
        ({"predictions": {"m": [1, 2]}}, "m must have a value for each of 3"),
        ({"predictions": {"m": [1, np.nan, 2]}}, "m has no finite value for clip 2"),
        ({"ratings": [1, np.nan, 2]}, "ratings must be finite"),
        ({"intervals": [1, np.nan, 2]}, "intervals must be finite"),
        ({"intervals": [1, -1, 2]}, "intervals must be at least 0, got -1"),
        ({"intervals": [1, 1, 1], "standard_errors": [1, np.nan, 1]}, "standard_errors must be fi"),
        ({"standard_errors": [1, 1]}, "standard_errors must be as many as ratings"),
        ({"lower": ["m", "n"]}, "lower names n, which predictions lack"),
    ],
)
def test_bad_studies_are_refused(change, text):
    given = {"predictions": {"m": [1, 2, 3]}, "ratings": [1, 2, 3], "contents": "abc"} | change
    with pytest.raises(ValueError, match=text):
        evaluate(**given)


def test_bad_spreads_are_refused():
    for errors, text in (([1, 1], "as many as"), ([1, 1, np.inf], "finite"), ([1, 1, -1], "least")):
        with pytest.raises(ValueError, match=text):
            analyse_pairs([1, 2, 3], [1, 2, 3], errors)
        with pytest.raises(ValueError, match=text):
            outlier_ratio([1, 2, 3], [1, 2, 3], errors)
    with pytest.raises(ValueError, match="must be finite"):
        analyse_pairs([1, 2, np.nan], [1, 2, 3], [1, 1, 1])
