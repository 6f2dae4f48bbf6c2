"""PSNR: golden values, whole numbers, caps, monochrome video, the whole clip, gradients."""

import functools
import json
import math

import jax
import numpy as np
import pytest
from jax.test_util import check_grads

import jaxvqa
from jaxvqa import Planes, losses, nnx
from jaxvqa.features import float_psnr, psnr
from jaxvqa.features._options import parse_text
from jaxvqa.features._psnr import PSNR
from jaxvqa.fusion import FeatureRef
from tests import clips, laws, tolerances
from tests.fusion_files import libvmaf_file
from tests.oracles import psnr as oracle

FUNCTIONS = {"psnr": psnr, "float_psnr": float_psnr}
CHROMA = {"400": None, "420": (2, 2), "422": (1, 2), "444": (1, 1)}


def random_pair(shape, bit_depth, chroma="400"):
    """Random codes, and the same with the error of a few percent of the peak."""
    rng = np.random.default_rng(bit_depth)
    dtype = np.uint8 if bit_depth == 8 else np.uint16
    peak = (1 << bit_depth) - 1
    frames, height, width = shape
    sizes = [(height, width)]
    if CHROMA[chroma]:
        down, across = CHROMA[chroma]
        sizes += [(-(-height // down), -(-width // across))] * 2
    ref = [rng.integers(0, peak, (frames, *size), endpoint=True) for size in sizes]
    dis = [np.clip(x + rng.integers(-peak // 9, peak // 9, x.shape), 0, peak) for x in ref]
    return tuple(Planes(*(x.astype(dtype) for x in s), bit_depth=bit_depth) for s in (ref, dis))


def golden_runs(clip):
    """Options, frames and numbers of the whole clip of every run of both metrics."""
    runs = []
    for text, run in clips.golden(clip).items():
        name, given = parse_text(text.removeprefix("feature:"))
        if name in FUNCTIONS:
            runs.append((name, given, run.get("frames", run), run.get("aggregate", {})))
    return runs


@pytest.mark.parametrize("clip", clips.CLIPS)
def test_matches_libvmaf(clip):
    runs = golden_runs(clip)
    assert {name for name, *_ in runs} == set(FUNCTIONS)
    for name, given, expected, _ in runs:
        found = FUNCTIONS[name](*clips.load(clip), **given)
        assert found.keys() == expected.keys()
        for key, values in expected.items():
            np.testing.assert_allclose(found[key], values, rtol=tolerances.PSNR_RELATIVE)


@pytest.mark.parametrize("clip", clips.CLIPS)
def test_psnr_of_the_clip_matches_libvmaf(clip):
    runs = [run for run in golden_runs(clip) if run[-1]]
    assert runs
    for name, given, expected, whole in runs:
        text = f"{name}=" + ":".join(f"{k}={v}" for k, v in given.items())
        result = jaxvqa.score(*clips.load(clip), model=None, features=[text])
        assert result.frames.keys() == expected.keys()
        assert result.aggregate.keys() == whole.keys()
        for key, value in whole.items():
            np.testing.assert_allclose(result.aggregate[key], value, rtol=tolerances.PSNR_RELATIVE)


@pytest.mark.parametrize(
    ("bit_depth", "shape", "chroma"),
    [(8, (2, 1, 1), "400"), (8, (1, 17, 30), "422"), (10, (2, 4200, 3), "420"),
     (12, (1, 300, 5), "444"), (14, (1, 20, 6), "420"), (16, (3, 61, 5), "420")],
)  # fmt: skip
def test_equals_whole_number_sums(bit_depth, shape, chroma):
    ref, dis = random_pair(shape, bit_depth, chroma)
    found = psnr(ref, dis, enable_mse=True)
    float_found = float_psnr(ref, dis)["float_psnr"]
    height, width = shape[1:]
    down, across = CHROMA[chroma] or (1, 1)
    for key, plane in (("y", "y"), ("cb", "u"), ("cr", "v")):
        if chroma == "400" and key != "y":
            assert f"psnr_{key}" not in found
            continue
        # as libvmaf, without the last chroma sample of an odd luma size
        rows, columns = (height, width) if key == "y" else (height // down, width // across)
        for i in range(shape[0]):
            pair = [getattr(side, plane)[i, :rows, :columns] for side in (ref, dis)]
            expected = {"psnr": oracle.psnr(*pair, bit_depth), "mse": oracle.mse(*pair)}
            for name, value in expected.items():
                np.testing.assert_allclose(
                    found[f"{name}_{key}"][i], value, rtol=tolerances.PSNR_RELATIVE
                )
            if key == "y":
                np.testing.assert_allclose(
                    float_found[i], expected["psnr"], rtol=tolerances.PSNR_RELATIVE
                )


@pytest.mark.parametrize("bit_depth", (8, 10, 16))
def test_black_against_white(bit_depth):
    """The largest sums there are; 0 dB."""
    white = np.full((1, 70, 90), (1 << bit_depth) - 1, np.uint8 if bit_depth == 8 else np.uint16)
    found = psnr(0 * white, white, bit_depth=bit_depth, enable_mse=True)
    np.testing.assert_allclose(found["psnr_y"], 0, atol=tolerances.FLOAT64_SUM)
    np.testing.assert_array_equal(found["mse_y"], np.float32(((1 << bit_depth) - 1) ** 2))


@pytest.mark.parametrize("bit_depth", (8, 10, 12, 16))
def test_cap(bit_depth):
    ref, _ = random_pair((1, 9, 14), bit_depth, "420")
    cap = 6 * bit_depth + 12
    assert {float(x[0]) for x in psnr(ref, ref).values()} == {cap}
    assert float(float_psnr(ref, ref)["float_psnr"][0]) == cap
    for least in (1.0, 33.0, 5e-324, 1e300):
        found = psnr(ref, ref, min_sse=least)
        for key, size in (("y", (9, 14)), ("cb", (4, 7)), ("cr", (4, 7))):
            # the tool takes no logarithm of less than 1e-16
            floor = 10 * math.log10((2**bit_depth - 1) ** 2 / 1e-16)
            expected = min(oracle.cap(bit_depth, size, least), floor)
            np.testing.assert_allclose(found[f"psnr_{key}"][0], expected, rtol=1e-6)


def test_reduced_peak():
    ref, dis = random_pair((1, 20, 30), 10)
    for given, peak in (({}, 1023), ({"reduced_hbd_peak": True}, 1020)):
        expected = oracle.psnr(ref.y[0], dis.y[0], 10, peak=peak)
        found = psnr(ref, dis, **given)["psnr_y"][0]
        np.testing.assert_allclose(found, expected, rtol=tolerances.PSNR_RELATIVE)


@pytest.mark.parametrize("changed", (True, False))
def test_psnr_of_the_clip(changed):
    ref, dis = random_pair((5, 24, 33), 8, "420")
    dis = dis if changed else ref
    result = jaxvqa.score(ref, dis, model=None, features=["psnr=enable_apsnr=true"])
    assert list(result.frames) == ["psnr_y", "psnr_cb", "psnr_cr"]
    counted = {"y": (ref.y, dis.y), "cb": (ref.u, dis.u), "cr": (ref.v, dis.v)}
    for key, pair in counted.items():
        if key != "y":
            pair = [x[:, :12, :16] for x in pair]
        np.testing.assert_allclose(
            result.aggregate[f"apsnr_{key}"], oracle.apsnr(*pair, 8), rtol=tolerances.PSNR_RELATIVE
        )


def test_monochrome_video_has_luma_alone():
    ref, dis = random_pair((2, 24, 33), 8)
    wanted = ["psnr=enable_mse=true:enable_apsnr=true"]
    result = jaxvqa.score(ref, dis, model=None, features=wanted)
    assert list(result.frames) == ["psnr_y", "mse_y"]
    assert list(result.aggregate) == ["apsnr_y"]
    assert result.requested[0].outputs == ("psnr_y", "mse_y")
    colour = Planes(ref.y, ref.y, ref.y)
    assert list(psnr(colour, dis)) == ["psnr_y"]
    assert list(psnr(colour, colour, enable_chroma=False)) == ["psnr_y"]


def test_chroma_that_is_not_there_but_wanted():
    ref, dis = random_pair((1, 24, 33), 8)
    sentence = "psnr_cb of psnr needs chroma, but the video is monochrome"
    with pytest.raises(ValueError, match=sentence):
        nnx.QualityMetric("psnr", output="psnr_cb").update(ref=ref, dis=dis)


def test_a_model_of_chroma_psnr(tmp_path):
    rng = np.random.default_rng(0)
    path = tmp_path / "psnr.json"
    path.write_text(json.dumps(libvmaf_file(rng, count=2, feature_names=["psnr_y", "psnr_cb"])))
    model = jaxvqa.load_model(path)
    assert model.features[1] == FeatureRef("psnr", "psnr_cb")
    ref, dis = random_pair((2, 24, 34), 8, "420")
    assert jaxvqa.score(ref, dis, model=path).score is not None
    assert np.isfinite(losses.vmaf(ref, dis, model=path)).all()
    for fn in (jaxvqa.score, losses.vmaf):
        with pytest.raises(ValueError, match="psnr_cb of psnr needs chroma"):
            fn(ref.luma_only(), dis.luma_only(), model=path)


@pytest.mark.parametrize("bit_depth", (8, 16))
@pytest.mark.parametrize("name", ("psnr", "float_psnr"))
def test_loss(name, bit_depth):
    loss = getattr(losses, name)
    ref, dis = (x.y.astype(np.float32) for x in random_pair((2, 12, 20), bit_depth))
    both = jax.value_and_grad(lambda d: loss(ref, d, bit_depth=bit_depth, reduction="sum"))
    value, slope = both(ref)
    assert value == 0
    np.testing.assert_array_equal(slope, 0)
    # an error far below the cap's
    value, slope = both(ref + 1e-6 * ref)
    assert value == 0
    np.testing.assert_array_equal(slope, 0)
    value, slope = both(dis)
    expected = sum(
        6 * bit_depth + 12 - oracle.psnr(*p, bit_depth) for p in zip(ref, dis, strict=True)
    )
    np.testing.assert_allclose(value, expected, rtol=tolerances.PSNR_RELATIVE)
    # 10 log10 of a sum of squares
    change = dis.astype(np.float64) - ref
    exact = 20 / math.log(10) * change / (change**2).sum((1, 2), keepdims=True)
    np.testing.assert_allclose(slope, exact, rtol=1e-5, atol=1e-5 * np.abs(exact).max())


def test_gradient():
    rng = np.random.default_rng(0)
    with jax.enable_x64(True):
        pair = rng.uniform(0, 255, (2, 1, 6, 5))
        check_grads(lambda r, d: psnr(r, d, bit_depth=8, enable_mse=True), tuple(pair), order=2)


def test_degenerate_frames():
    for bit_depth in (8, 16):
        laws.check_finite_gradients(
            lambda r, d, b=bit_depth: psnr(r, d, bit_depth=b, min_sse=1e-30), 8, 9, bit_depth
        )


def test_descent():
    ref = clips.textured(np.random.default_rng(0), (1, 24, 32)).astype(np.float32)
    laws.check_descent_of(functools.partial(losses.psnr, bit_depth=8), ref)


def test_bad_input():
    frame = np.zeros((4, 4), np.uint8)
    with pytest.raises(ValueError, match="psnr has no option 'size'"):
        psnr(frame, frame, size=3)
    with pytest.raises(ValueError, match="min_sse must be at least 0, got -1"):
        psnr(frame, frame, min_sse=-1)
    with pytest.raises(ValueError, match="differ in size"):
        float_psnr(frame, frame[:3])
    assert PSNR.options().enable_chroma
