"""`jaxvqa score --min`: what is asked for, and the line that says where it does not hold."""

import argparse

import pytest

from jaxvqa._cli.thresholds import parse_threshold, unmet
from jaxvqa.report._numbers import clock
from tests.test_report import NAN, make


def lines(series, *asked, names=("vmaf",), numbers=None):
    count = len(next(iter(series.values())))
    result = make(series, numbers or tuple(range(count)), names)
    return unmet(result, [parse_threshold(text) for text in asked])


def test_scores_that_reach_their_thresholds_say_nothing():
    series = {"vmaf": [90.0, 80.0], "psnr_y": [40.0, 30.0]}
    asked = ["vmaf=85", "min=80", "psnr_y=35", "psnr_y:min=30", "vmaf:p50=85", "p5=80"]
    assert lines(series, *asked) == []


def test_the_line_names_the_frame():
    (line,) = lines({"vmaf": [90.0, 80.0, 95.0]}, "vmaf=90", numbers=(0, 30, 60))
    assert line == ("vmaf mean is 88.3333, below 90: the lowest is frame 30 (0:01) with 80.0000")
    found = lines({"psnr_y": [40.0, 30.0], "vmaf": [90.0, 80.0]}, "min=81", "psnr_y:p5=31")
    assert [text.split(",")[0] for text in found] == ["vmaf min is 80.0000", "psnr_y p5 is 30.5000"]


def test_clock_carries_what_it_rounds():
    assert [clock(s) for s in (0, 59.994, 59.996, 3599.999)] == [
        "0:00.00", "0:59.99", "1:00.00", "1:00:00.00",
    ]  # fmt: skip


def test_what_is_undefined_is_not_reached():
    (line,) = lines({"vmaf": [90.0, NAN]}, "vmaf=10")
    assert line == "vmaf mean is undefined, from frame 1 on, where 10 is asked for"


def test_a_name_may_hold_an_equals_sign_and_a_colon():
    assert parse_threshold("vmaf_v0.6.1=90").metric == "vmaf_v0.6.1"
    found = parse_threshold("vif=kernelscale:0.5:p5=0.3")
    assert (found.metric, found.pool, found.least) == ("vif=kernelscale:0.5", "p5", 0.3)


def test_unknown_names_are_refused_with_advice():
    with pytest.raises(ValueError, match="--min vmaff=9: nothing of that name was measured: did"):
        lines({"vmaf": [90.0]}, "vmaff=9")


@pytest.mark.parametrize("text", ["", "vmaf", "=90", "vmaf=", "vmaf=high", "vmaf=nan", "vmaf=inf"])
def test_what_is_no_threshold_is_refused(text):
    with pytest.raises(argparse.ArgumentTypeError, match="must be NAME=NUMBER"):
        parse_threshold(text)


def test_an_unknown_pool_is_refused():
    with pytest.raises(argparse.ArgumentTypeError, match="there are the pools min, max"):
        parse_threshold("vmaf:p7=90")
