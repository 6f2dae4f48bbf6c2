"""Numbers of a whole clip, from a feature's record to files and back."""

import json
import xml.etree.ElementTree as ET

import numpy as np
import pytest

import jaxvqa
from jaxvqa import report
from tests import clips, toy


def whole(found):
    """Numbers of a clip, one of them with a name that XML has to change."""
    values = found.series["toy"]
    return {"toy_range": np.ptp(values), "worst frame": values.argmin(), "none": np.nan}


@pytest.fixture(scope="module")
def result():
    y = clips.textured(np.random.default_rng(0), (3, 16, 18))
    worse = y.astype(int)
    worse[1] += 2
    with toy.registered(aggregate=whole):
        return jaxvqa.score(y, worse.clip(0, 255).astype(np.uint8), model=None, features=["toy"])


def test_results_have_them(result):
    assert set(result.frames) == {"toy"}
    spread = float(np.ptp(result.frames["toy"]))
    assert 3 < spread <= 4
    assert list(result.aggregate) == ["toy_range", "worst frame", "none"]
    assert (result.aggregate["toy_range"], result.aggregate["worst frame"]) == (spread, 1)
    assert np.isnan(result.aggregate["none"])


def test_json_has_them_and_is_read_back(result, tmp_path):
    path = tmp_path / "r.json"
    report.write(result, path)
    written = json.loads(path.read_text())["aggregate_metrics"]
    assert list(written) == ["toy_range", "worst frame", "none"]
    assert written["none"] is None
    saved = report.load(path)
    np.testing.assert_allclose(
        saved.aggregate["toy_range"], result.aggregate["toy_range"], atol=5e-7
    )
    assert saved.aggregate["worst frame"] == 1
    assert np.isnan(saved.aggregate["none"])
    assert set(saved.frames) == {"toy"}
    report.plot([saved, result], tmp_path / "r.svg")
    assert "toy" in (tmp_path / "r.svg").read_text()


def test_xml_has_them_under_valid_names(result):
    found = ET.fromstring(report.render_xml(result)).find("aggregate_metrics")
    assert found is not None
    assert set(found.attrib) == {"toy_range", "worst_frame"}
    assert found.attrib["worst_frame"] == "1.000000"


def test_csv_holds_frames_alone(result):
    assert report.render_csv(result).splitlines()[0] == "Frame,toy,"


@pytest.mark.parametrize("block", [[1], "x", {"a": "b"}, {"a": True}, {"a": 10**400}])
def test_odd_aggregates_are_refused(tmp_path, block):
    path = tmp_path / "r.json"
    frames = [{"frameNum": 0, "metrics": {"vmaf": 1.0}}]
    path.write_text(json.dumps({"frames": frames, "aggregate_metrics": block}))
    with pytest.raises(report.ResultFileError, match=r"r\.json: has "):
        report.load(path)
    path.write_text(json.dumps({"frames": frames}))
    assert report.load(path).aggregate == {}


def test_equal_names_of_two_features_stay_apart():
    y = clips.textured(np.random.default_rng(0), (1, 16, 18))
    with toy.registered(aggregate=lambda found: {"count": 1}):
        other = {"name": "other_toy", "loss": None, "aggregate": lambda found: {"count": 2}}
        output = jaxvqa.Output("toy", "higher", 42.0)
        with toy.registered(outputs=lambda options: (output,), **other):
            found = jaxvqa.score(y, y, model=None, features=["toy", "other_toy"])
    assert found.aggregate == {"count": 1, "other_toy.count": 2}
    assert set(found.frames) == {"toy", "other_toy.toy"}
    assert [r.outputs for r in found.requested] == [("toy",), ("other_toy.toy",)]
