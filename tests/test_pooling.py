import numpy as np
import pytest

from jaxvqa._pooling import POOLED, pool
from tests import clips, tolerances

# what libvmaf's tool pooled for vmaf_v0.6.1 on the shipped clip, 8 frames, 12 digits
CLIP = "bunny_640x360"


def test_by_hand():
    found = pool([4.0, 1.0, 3.0])
    assert tuple(found) == POOLED
    assert found["min"] == 1
    assert found["max"] == 4
    assert found["mean"] == pytest.approx(8 / 3)
    assert found["harmonic_mean"] == pytest.approx(3 / (1 / 5 + 1 / 2 + 1 / 4) - 1)
    assert found["p50"] == 3
    assert found["p25"] == 2
    assert found["p5"] == pytest.approx(1.2)
    assert found["std"] == pytest.approx(np.sqrt(14 / 9))


def test_order_of_summaries():
    rng = np.random.default_rng(0)
    for _ in range(20):
        p = pool(rng.uniform(0, 100, rng.integers(1, 50)))
        low = [p["min"], p["p1"], p["p5"], p["p10"], p["p25"], p["p50"], p["max"]]
        assert low == sorted(low)
        assert p["min"] - 1e-9 <= p["harmonic_mean"] <= p["mean"] + 1e-9


def test_harmonic_mean_has_a_value_at_zero_and_minus_one():
    assert pool([0.0, 0.0])["harmonic_mean"] == 0
    assert pool([-1.0, 5.0])["harmonic_mean"] == -1


def test_one_frame_and_float32_and_integers():
    assert pool(np.float32([7]))["harmonic_mean"] == pytest.approx(7)
    assert pool([2, 4])["mean"] == 3


@pytest.mark.parametrize("bad", (np.nan, np.inf, -np.inf))
def test_non_finite_values_give_nan(bad):
    assert all(np.isnan(value) for value in pool([1.0, bad, 2.0]).values())


@pytest.mark.parametrize("bad", ([], np.ones((2, 2)), 3.0))
def test_bad_shapes(bad):
    with pytest.raises(ValueError, match="one or more frames"):
        pool(bad)


GOLDEN = {
    "vmaf": {
        "min": 50.726390301,
        "max": 57.4764539521,
        "mean": 54.2546805948,
        "harmonic_mean": 54.1717658708,
    },
    "integer_motion2": {
        "min": 0,
        "max": 3.11557913886,
        "mean": 2.56629383723,
        "harmonic_mean": 1.8756551423,
    },
}


@pytest.mark.parametrize("name", GOLDEN)
def test_matches_libvmaf(name):
    found = pool(clips.golden(CLIP)["model:vmaf_v0.6.1"][name])
    for key, value in GOLDEN[name].items():
        assert found[key] == pytest.approx(value, rel=tolerances.POOLING_RELATIVE)
