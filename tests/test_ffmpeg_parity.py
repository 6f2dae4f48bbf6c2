"""Scaling, range conversion and pairing by time equal FFmpeg's own filters before libvmaf."""

import numpy as np
import pytest

import jaxvqa
from tests import tolerances
from tests.real_files import EVEN, Studio, truth

MODEL = "vmaf_v0.6.1"
FORMATS = {8: "yuv420p", 10: "yuv420p10le"}
ENCODERS = {
    8: "libx264 -preset veryfast",
    10: "libx265 -preset ultrafast -x265-params log-level=none",
}
SIZES = {"double": (192, 128), "odd": (151, 99), "shrunk": (128, 86)}
FILTERS = {"bicubic": "bicubic", "lanczos": "lanczos", "exact": "bicubic+accurate_rnd"}
OPTIONS = {"bicubic": {}, "lanczos": {"kernel": "lanczos"}, "exact": {"exact": True}}


@pytest.fixture(scope="session")
def studio(tmp_path_factory):
    studio = Studio(tmp_path_factory.mktemp("parity"))
    for depth, encoder in ENCODERS.items():
        # the odd size needs chroma that is not halved; luma alone is measured
        for name, (width, height) in {**SIZES, "dis": (192, 128), "half": (96, 64)}.items():
            odd = width % 2 or height % 2
            form = FORMATS[depth].replace("420", "444") if odd else FORMATS[depth]
            scale = f"scale={width}:{height}:flags=bicubic,format={form}"
            crf = 30 if name in ("dis", "half") else 8
            studio.recipes[f"{name}_{depth}.mkv"] = (
                f"-i @src.y4m -vf {scale} -c:v {encoder} -crf {crf}"
            )
    return studio


def compare(studio, ref, dis, chains, options):
    right = truth(studio, ref, dis, chains)
    paths = (studio.file(name) for name in (ref, dis))
    result = jaxvqa.score(*paths, model=MODEL, **options)
    np.testing.assert_allclose(result.frames["vmaf"], right, rtol=0, atol=tolerances.REAL_PLAIN)
    return result, right


def compare_samples(studio, ref, dis, chains, options):
    """PSNR tells of each sample that differs, and compiles fast."""
    right = truth(studio, ref, dis, chains, feature="psnr")
    paths = (studio.file(name) for name in (ref, dis))
    result = jaxvqa.score(*paths, model=None, features=["psnr"], **options)
    np.testing.assert_allclose(result.frames["psnr_y"], right, rtol=0, atol=tolerances.PRINTED_PSNR)
    return result, right


@pytest.mark.parametrize("depth", FORMATS)
@pytest.mark.parametrize("kernel", FILTERS)
@pytest.mark.parametrize("size", SIZES)
def test_scaled(studio, size, kernel, depth):
    dis = "half" if size == "double" else "dis"
    width, height = SIZES[size]
    form = FORMATS[depth]
    chain = f"scale={width}:{height}:flags={FILTERS[kernel]},format={form}"
    names = (f"{size}_{depth}.mkv", f"{dis}_{depth}.mkv")
    measure = compare if size == "double" else compare_samples
    result, right = measure(studio, *names, ("", chain), OPTIONS[kernel])
    assert (result.clip.width, result.clip.height) == (width, height)
    if kernel == "lanczos":  # the kernel can be told from the scores
        feature = None if size == "double" else "psnr"
        other = truth(studio, *names, ("", chain.replace("lanczos", "bicubic")), feature=feature)
        assert np.abs(np.array(other) - right).max() > 0.01


@pytest.mark.parametrize("size", ["256x144", "151x99"])
def test_both_scaled_to_a_size(studio, size):
    chain = f"scale={size.replace('x', ':')}:flags=bicubic,format=yuv420p"
    compare_samples(studio, "double_8.mkv", "half_8.mkv", (chain, chain), {"scale": size})


@pytest.mark.parametrize("ref, dis", [("full.mp4", "tv.mp4"), ("full.avi", "dis.mp4")])
@pytest.mark.parametrize("swapped", [False, True])
def test_range(studio, ref, dis, swapped):
    chains = ("scale=in_range=pc:out_range=tv:flags=bicubic,format=yuv420p", "")
    step = -1 if swapped else 1
    compare(studio, *(ref, dis)[::step], chains[::step], {})


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
@pytest.mark.parametrize("drive", ["distorted", "reference"])
def test_60_against_30(studio, suffix, drive):
    """Driven by the reference each of its frames meets the one on screen."""
    chains = (EVEN, "") if drive == "distorted" else ("", "fps=60")
    names = (f"film60.{suffix}", f"film30.{suffix}")
    result, right = compare(studio, *names, chains, {"pair": "time", "drive": drive})
    assert len(result.frames["vmaf"]) == len(right) == (12 if drive == "distorted" else 24)
