"""Content where the last digits of float32 show, against what libvmaf prints for it."""

import json

import numpy as np
import pytest

from jaxvqa.features import ansnr
from jaxvqa.features._options import parse_text
from jaxvqa.features._registry import FEATURES
from jaxvqa.features._run import run
from tests import clips, extremes, tolerances
from tests.programs import scored

RUNS = json.loads((clips.DATA / "libvmaf_extremes.json").read_text())["runs"]
FLAT = extremes.LUMA.index("flat")


def measured(text, ref, dis, bit_depth):
    name, options = parse_text(text)
    feature = FEATURES[name]
    return scored(lambda r, d: run(feature, r, d, bit_depth, options), feature)(ref, dis)


def golden(content, text):
    return {name: np.array(x, float) for name, x in RUNS[content][text].items()}


def check(text, bit_depth, **limits):
    found = measured(text, *extremes.luma_pair(bit_depth), bit_depth)
    expected = golden(f"luma {bit_depth}", text)
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        # the tool has no number for what stands there
        some = ~np.isnan(values)
        np.testing.assert_allclose(
            np.asarray(found[name])[some], values[some], err_msg=name, **limits
        )
    return found, expected


@pytest.mark.parametrize("bit_depth", [8, 16])
def test_ansnr(bit_depth):
    found, expected = check("float_ansnr", bit_depth, rtol=tolerances.ANSNR_RELATIVE)
    # a reference of middle grey has no signal: minus infinity in the tool
    grey = extremes.LUMA.index("grey")
    assert np.isnan(expected["float_ansnr"][grey])
    assert np.isfinite(found["float_ansnr"]).all()


def test_noise_of_flat_equal_frames_is_that_of_the_tools_kernel():
    levels = np.arange(256, dtype=np.uint8)
    flat = np.broadcast_to(levels[:, None, None], (256, 9, 12))
    found = np.asarray(ansnr(flat, flat)["float_ansnr"])
    silent = found == 60
    # counted in what the tool prints for the 256 grey levels of 32x24
    assert silent.sum() == 182
    assert (found[~silent] > 138).all()


@pytest.mark.parametrize("bit_depth", [8, 16])
def test_ssim(bit_depth):
    check("float_ssim=enable_lcs=true", bit_depth, rtol=0, atol=tolerances.SSIM_CODES)
    text = "float_ssim=enable_db=true"
    found = np.asarray(measured(text, *extremes.luma_pair(bit_depth), bit_depth)["float_ssim"])
    expected = golden(f"luma {bit_depth}", text)["float_ssim"]
    others = np.arange(len(expected)) != FLAT
    np.testing.assert_allclose(found[others], expected[others], rtol=tolerances.SSIM_CODES_DECIBELS)
    # the tool's luminance of equal flat frames is 6e-8 off, which is 72 dB
    assert np.isposinf(found[FLAT])


def test_ms_ssim():
    found, expected = check("float_ms_ssim=enable_lcs=true", 8, rtol=0, atol=tolerances.SSIM_CODES)
    inverted = extremes.LUMA.index("inverted")
    assert np.isnan(expected["float_ms_ssim"][inverted])
    assert found["float_ms_ssim"][inverted] == 0


@pytest.mark.parametrize("bit_depth", [8, 12, 16])
def test_ciede(bit_depth):
    found = measured("ciede", *extremes.colour_pair(bit_depth), None)
    expected = golden(f"colour {bit_depth}", "ciede")
    np.testing.assert_allclose(
        found["ciede2000"], expected["ciede2000"], rtol=0, atol=tolerances.CIEDE
    )


def test_ms_ssim_of_float_frames():
    ref, dis = (x[:1].astype(np.float32) for x in extremes.luma_pair(8))
    expected = golden("luma 8", "float_ms_ssim=enable_lcs=true")["float_ms_ssim"]
    found = measured("float_ms_ssim", ref, dis, 8)["float_ms_ssim"]
    np.testing.assert_allclose(found, expected[:1], rtol=0, atol=tolerances.SSIM)
