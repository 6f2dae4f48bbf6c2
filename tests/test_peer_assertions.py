"""What the assertions of libvmaf's tests are taken to ask for."""

import numpy as np
import pytest

from tests import scripts

peer = scripts.load("_peer_table")
legacy = scripts.load("_vmaf_2014")

ROW = {
    "test": "t",
    "ref": "a",
    "dis": "b",
    "w": 8,
    "h": 8,
    "pix_fmt": "yuv420p",
    "options": {},
    "key": "k",
    "tool_names": ["vif"],
    "statistic": "mean",
    "expected": 1.0,
    "places": 4,
}
SERIES = np.array([3.0, 1.0, 2.0, 6.0])


@pytest.mark.parametrize(
    "text, expected",
    [
        ("mean", 3.0),
        ("mean of member 7", 3.0),
        ("min", 1.0),
        ("max", 6.0),
        ("median", 2.5),
        ("var", 3.5),
        ("std", 3.5**0.5),
        ("percentileq=80", 4.2),
        ("total_variation", 7 / 3),
        ("frame 3", 6.0),
    ],
)
def test_statistics(text, expected):
    assert peer.statistic_of(SERIES, text) == pytest.approx(expected)


def test_moving_average():
    """Libvmaf's `result_test.py`: of what it expects of a clip's scores, the last follows."""
    series = np.array([38.87738088760398, 44.81541553088045, 37.57374203374743])
    assert peer.statistic_of(series, "total_variation") == pytest.approx(6.589854070204712)
    # its least score has another origin than its average: they fit to the sixth digit
    assert peer.statistic_of(series, "moving_averagen=2") == pytest.approx(
        42.86782739689916, abs=5e-6
    )
    with pytest.raises(peer.Problem, match="of 4 frames is no one number"):
        peer.statistic_of(SERIES, "moving_average(n=2)")


@pytest.mark.parametrize("text", ["meanest", "frame", "harmonic", "percentile"])
def test_an_unknown_statistic_is_no_mean(text):
    with pytest.raises(peer.Problem, match="is not known"):
        peer.statistic_of(SERIES, text)


def asked(tmp_path, runner, **options):
    return peer.wanted(ROW | {"runner": runner, "options": options}, tmp_path, {})


def test_options_reach_the_feature_that_has_them(tmp_path):
    found = asked(
        tmp_path, "VmafFeatureExtractor", vif_kernelscale=0.5, motion_force_zero=True,
        adm_csf_mode=1,
    )  # fmt: skip
    assert found.features == (
        "float_vif=vif_kernelscale=0.5:debug=true",
        "float_adm=adm_csf_mode=1:debug=true",
        "float_motion=motion_force_zero=true",
        "float_ansnr",
    )
    found = asked(tmp_path, "VmafIntegerFeatureExtractor", motion_moving_average=True)
    assert found.features[2] == "motion=motion_moving_average=true:debug=true"
    found = asked(tmp_path, "VmafexecQualityRunner", psnr=True, float_moment=True, n_threads=2)
    assert found.features == ("float_moment", "psnr")


@pytest.mark.parametrize(
    "runner", ["VmafFeatureExtractor", "VmafIntegerFeatureExtractor", "VmafexecQualityRunner"]
)
def test_options_that_are_not_understood_are_said(tmp_path, runner):
    with pytest.raises(peer.Problem, match="subsample"):
        asked(tmp_path, runner, subsample=2)


def test_the_model_of_2014(tmp_path):
    """One support vector: the score falls with the distance from it."""
    file = tmp_path / legacy.FILE
    file.parent.mkdir(parents=True)
    file.write_text("svm_type nu_svr\ngamma 0.5\nrho -2\nSV\n90 1:1 2:0.5 4:0.25 \n")
    frames = {
        "vif": np.array([1.0, 0.0, 1.5]),
        "adm": np.array([0.7, 0.7, 0.7]),
        "float_ansnr": np.array([5.0, 10.0, 10.0]),  # below 10 counts as 10
        "motion": np.array([5.0, 5.0, 25.0]),
    }
    expected = [92.0, 90 * np.exp(-0.5) + 2, 90 * np.exp(-0.5 * 0.75**2) + 2]
    np.testing.assert_allclose(legacy.scores(frames, tmp_path), expected, rtol=1e-12)
    row = ROW | {"runner": "VmafLegacyQualityRunner", "key": "VMAF_legacy_score"}
    series = peer.series_of(row, frames, (), tmp_path, rounded=True)
    np.testing.assert_allclose(series, expected, rtol=1e-12)
    assert peer.series_of(row, {"vif": frames["vif"]}, (), tmp_path, rounded=True) is None


def test_values_are_rounded_as_the_tests_read_them(tmp_path):
    frames, row = {"vif": np.array([1.05251253])}, ROW | {"runner": "r"}
    found = [
        float(peer.series_of(row, frames, ("vif",), tmp_path, rounded=r)[0]) for r in (True, False)
    ]
    assert found == [1.052513, 1.05251253]
