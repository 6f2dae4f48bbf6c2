"""The shipped estimate of VMAF: near it on a clip that it never saw, honest about its error."""

from pathlib import Path

import jax
import numpy as np
import pytest

import jaxvqa
from jaxvqa._cli.main import main
from jaxvqa.fusion._catalog import model_folder

CLIP = Path(__file__).parent.parent / "examples" / "clips" / "bunny_640x360"
PAIR = (CLIP / "ref.mkv", CLIP / "dis.mkv")


@pytest.fixture(scope="module")
def result():
    return jaxvqa.score(*PAIR, model=["vmaf_estimate", "vmaf_v0.6.1"])


def test_file_is_small():
    assert (model_folder() / "vmaf_estimate.json").stat().st_size <= 300_000


def test_near_vmaf_on_a_clip_of_another_size(result):
    (name,) = (n for n in result.score_names if n != "vmaf_v0.6.1" and n != "vmaf")
    (other,) = (n for n in result.score_names if n != name)
    miss = abs(np.mean(result.frames[name]) - np.mean(result.frames[other]))
    # what one clip of 20 exceeds
    assert miss < jaxvqa.load_model("vmaf_estimate").info.typical_error[1]


def test_says_how_far_off_it_usually_is(result, capsys):
    mean, large = jaxvqa.load_model("vmaf_estimate").info.typical_error
    (told,) = (notice.text for notice in result.notices if notice.code == "estimate")
    assert f"off by {mean:.1f} points on average, by more than {large:.1f}" in told
    assert main(["models", "vmaf_estimate"]) == 0
    assert f"{mean:g} points; one clip of 20 exceeds {large:g}" in capsys.readouterr().out


def test_is_a_loss():
    ref = np.random.default_rng(0).uniform(30, 220, (1, 64, 64)).astype(np.float32)
    dis = (ref + np.roll(ref, 1, axis=1) + np.roll(ref, 1, axis=2)) / 3

    @jax.value_and_grad
    def loss(dis):
        return jaxvqa.losses.vmaf(ref, dis, model="vmaf_estimate", bit_depth=8, reduction="mean")

    value, slope = jax.jit(loss)(dis)
    assert value > 1
    assert np.isfinite(slope).all()
    assert np.abs(slope).max() > 0
    assert abs(jax.jit(loss)(ref)[0]) < 1e-3
