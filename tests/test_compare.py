"""Two results compared, in Python and on the command line."""

import dataclasses
import json

import numpy as np
import pytest

from jaxvqa import report
from jaxvqa._cli.main import main
from tests.test_report import NAN
from tests.test_report import make as make_result


def make(series, numbers=None, names=("x",)):
    count = len(next(iter(series.values())))
    return make_result(series, numbers or tuple(range(count)), names)


def pair(a, b, **keywords):
    return report.compare(make({"x": a}), make({"x": b}), **keywords)


def test_equal_results_are_the_same():
    found = pair([1.0, NAN, 3.0], [1.0, NAN, 3.0])
    assert found.same
    assert found.metrics[0].largest == (0.0, 0)


def test_infinite_values_are_undefined():
    found = pair([1.0, np.inf], [1.0, np.inf])
    assert found.same
    assert found.metrics[0].largest == (0.0, 0)
    found = pair([1.0, np.inf], [1.0, 60.0])
    assert not found.same
    np.testing.assert_array_equal(found.metrics[0].differences, [0, NAN])


@pytest.mark.parametrize(
    "b, tolerance, same",
    [
        ([1.0, 95.123457], 1e-6, True),  # one unit of the sixth decimal, whatever its binary form
        ([1.0, 95.123458], 1e-6, False),
        ([1.0, 95.123458], 2e-6, True),
        ([1.0, 95.123456], 0.0, True),
        ([1.0, np.nextafter(95.123456, 96)], 1e-15, True),
        ([1.0, NAN], 100.0, False),
    ],
)
def test_the_tolerance_decides(b, tolerance, same):
    assert pair([1.0, 95.123456], b, tolerance=tolerance).same is same


def test_differences_name_the_frame():
    found = pair([1.0, 2.0, 3.0], [1.0, 2.5, 2.75])
    (metric,) = found.metrics
    assert metric.largest == (0.5, 1)
    np.testing.assert_array_equal(metric.differences, [0, 0.5, -0.25])
    assert metric.pooled["mean"] == (2.0, pytest.approx(6.25 / 3))
    assert metric.pooled["max"] == (3.0, 2.75)


def test_what_one_side_lacks_is_a_difference_unless_a_metric_is_chosen():
    a, b = make({"x": [1.0], "y": [2.0]}), make({"x": [1.0], "z": [2.0]})
    found = report.compare(a, b)
    assert (found.same, found.only_a, found.only_b) == (False, ("y",), ("z",))
    assert report.compare(a, b, metrics=["x"]).same
    with pytest.raises(ValueError, match="second result has no metric 'y'; it has: x, z"):
        report.compare(a, b, metrics=["y"])


def test_frames_are_matched_by_number():
    a = make({"x": [1.0, 2.0, 3.0]}, numbers=(0, 2, 4))
    b = make({"x": [2.0, 3.0, 9.0]}, numbers=(2, 4, 6))
    found = report.compare(a, b)
    assert found.metrics[0].same
    assert (found.same, found.frames_only_a, found.frames_only_b) == (False, 1, 1)
    with pytest.raises(ValueError, match="no frame in common"):
        report.compare(a, make({"x": [1.0]}, numbers=(1,)))


def test_numbers_of_the_clip_are_compared():
    def of(value, name="apsnr_y"):
        return dataclasses.replace(make({"x": [1.0]}), aggregate={name: value})

    assert report.compare(of(40.0), of(40.0)).same
    found = report.compare(of(40.0), of(41.0))
    assert (found.same, found.differing) == (False, ("apsnr_y",))
    found = report.compare(of(40.0), of(40.0, "apsnr_cb"))
    assert (found.same, found.only_a, found.only_b) == (False, ("apsnr_y",), ("apsnr_cb",))
    assert report.compare(of(40.0), of(41.0), metrics=["x"]).same


@pytest.fixture
def files(tmp_path, monkeypatch, capsys):
    """Runs `jaxvqa compare` in a folder of three results; gives the exit code and both streams."""
    for name, values in (("a", [90.0, 80.0]), ("b", [90.0, 80.5]), ("c", [90.0, NAN])):
        report.write(make({"x": values}, names=("x",)), tmp_path / f"{name}.json")
    (tmp_path / "bad.json").write_text("{}")
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        code = main(["compare", *arguments])
        return code, *capsys.readouterr()

    return run


def test_the_command_says_it_with_its_exit_code(files):
    code, out, err = files("a.json", "a.json")
    assert (code, err) == (0, "")
    assert out.splitlines()[-1] == "the same within 1e-06"
    code, out, err = files("a.json", "b.json")
    assert (code, err) == (5, "")
    assert out.splitlines()[2].split() == ["x", "0.5", "1", "85.0000", "85.2500", "0.25"]
    assert out.splitlines()[-1] == "different by more than 1e-06: x"
    assert files("a.json", "b.json", "--tolerance", "0.5")[0] == 0
    assert files("a.json", "b.json", "--quiet") == (5, "", "")
    assert files("a.json", "c.json")[0] == 5


def test_the_command_lists_frames_and_prints_json(files):
    code, out, _ = files("a.json", "b.json", "--per-frame")
    assert code == 5
    assert ["1", "80.0000", "80.5000", "0.5"] in [line.split() for line in out.splitlines()]
    code, out, _ = files("a.json", "c.json", "--json")
    document = json.loads(out)
    assert document["same"] is False
    assert document["metrics"]["x"]["differences"] == [0.0, None]
    assert document["metrics"]["x"]["pooled"]["mean"] == [85.0, None]


@pytest.mark.parametrize(
    "arguments, code, sentence",
    [
        (["a.json", "bad.json"], 3, "bad.json: has no list of frames"),
        (["a.json", "none.json"], 3, "none.json: cannot be read"),
        (["a.json", "b.json", "--metric", "y"], 2, "has no metric 'y'; it has: x."),
        (["a.json", "b.json", "--tolerance", "-1"], 2, "must be a number of 0 or more"),
        (["a.json"], 2, "required: B.json"),
    ],
)
def test_wrong_usage_is_one_sentence(files, arguments, code, sentence):
    found, out, err = files(*arguments)
    assert (found, out) == (code, "")
    assert sentence in err
    assert err.count("\n") == 1
