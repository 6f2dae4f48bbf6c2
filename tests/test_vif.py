import jax
import numpy as np
import pytest

import jaxvqa
from jaxvqa._ops import tiling
from jaxvqa.features._options import parse_text
from jaxvqa.features._run import run
from jaxvqa.features._vif.float_vif import FLOAT_VIF as FEATURE
from jaxvqa.features._vif.float_vif import vif
from jaxvqa.features._vif.integer_vif import vif_integer
from tests import clips, tolerances
from tests.oracles import float_features as oracle
from tests.programs import check_gradients, quick

NAMES = tuple(f"vif_scale{s}" for s in range(4))
# every kernel scale compiles a program of its own: the full-size clip takes a sample of the runs
GOLDEN = [
    ("bunny_353x289_444_odd", "feature:float_vif"),
    ("bunny_320x180_422_10b", "feature:float_vif"),
    ("bunny_640x360", "feature:float_vif=vif_prescale=0.5:vif_prescale_method=lanczos4"),
    ("bunny_640x360", "feature:float_vif=vif_prescale=0.5:vif_prescale_method=bilinear"),
    ("bunny_640x360", "feature:float_vif=vif_prescale=0.5:vif_prescale_method=nearest"),
    ("bunny_640x360", "feature:float_vif=vif_kernelscale=0.6666666666666666"),
    ("bunny_640x360", "feature:float_vif=vif_skip_scale0=true"),
    ("bunny_640x360", "feature:float_vif=vif_enhn_gain_limit=1.0"),
]


@pytest.mark.parametrize(("clip", "name"), GOLDEN)
def test_matches_libvmaf(clip, name):
    ref, dis = (jax.tree.map(lambda p: p[:3], x) for x in clips.load(clip))
    _, options = parse_text(name.removeprefix("feature:"))
    compiled = quick if options else jax.jit
    found = compiled(lambda r, d: run(FEATURE, r, d, None, options))(ref, dis)
    suffix = FEATURE.resolve(options).suffix
    expected = clips.golden(clip)[name]
    # of all scales together the tool prints a value with `debug` only
    assert {k + suffix for k in found} == {"vif" + suffix, *expected}
    for key in NAMES:
        np.testing.assert_allclose(
            found[key], expected[key + suffix][:3], rtol=0, atol=tolerances.FLOAT_VIF, err_msg=key
        )


@pytest.mark.parametrize(
    ("shape", "options", "expected"),
    [
        ((41, 53), {}, {}),
        ((64, 37), {"kernel_scale": 0.5, "sigma_nsq": 0.4}, {"kernel_scale": 0.5, "noise": 0.4}),
        ((33, 48), {"enhancement_gain_limit": 1.0}, {"gain_limit": 1.0}),
        ((16, 16), {"skip_scale0": True}, {"skip_scale0": True}),
    ],
)
def test_matches_float64_oracle(shape, options, expected):
    rng = np.random.default_rng(shape[0])
    ref = clips.textured(rng, (2, *shape))
    dis = clips.textured(rng, (2, *shape))
    dis[0] = ref[0] // 2 + dis[0] // 2
    found = quick(lambda r, d: vif(r, d, **options))(ref, dis)
    for frame in range(2):
        scores = oracle.vif(ref[frame].astype(float), dis[frame].astype(float), **expected)
        np.testing.assert_allclose(
            [found[n][frame] for n in NAMES], scores, rtol=0, atol=tolerances.FLOAT_VIF_ORACLE
        )


def test_float64_frames_agree_closely_with_the_oracle():
    rng = np.random.default_rng(3)
    ref, dis = (clips.textured(rng, (1, 32, 40)).astype(np.float64) for _ in range(2))
    with jax.enable_x64(True):
        found = small(ref, dis)
    np.testing.assert_allclose(
        [found[n][0] for n in NAMES], oracle.vif(ref[0], dis[0]), rtol=tolerances.FLOAT64_RELATIVE
    )


@pytest.fixture(scope="module")
def pair():
    rng = np.random.default_rng(1)
    ref = clips.textured(rng, (2, 2, 40, 48)).astype(np.float32)
    return ref, np.clip(ref + rng.normal(0, 6, ref.shape), 0, 255).astype(np.float32)


def at_8_bits(ref, dis):
    return vif(ref, dis, bit_depth=8)


small = quick(at_8_bits)


def test_identity_is_one(pair):
    for values in small(pair[0][0], pair[0][0]).values():
        np.testing.assert_allclose(values, 1.0, rtol=0, atol=tolerances.EQUAL_FRAMES)


def test_more_blur_scores_lower(pair):
    ref = pair[0][0].astype(np.float64)
    last = np.ones(2)
    for passes in (1, 3, 9):
        dis = ref
        for _ in range(passes):
            dis = np.stack([oracle.blur(f, oracle.gaussian(5)) for f in dis])
        value = np.asarray(small(pair[0][0], dis.astype(np.float32))["vif_scale0"])
        assert (value < last - 0.01).all()
        last = value


def test_strips_do_not_show(monkeypatch):
    # as in a larger picture 100 rows are four strips, the last one overlapping
    monkeypatch.setattr(tiling, "_WHOLE", 0)
    monkeypatch.setattr(tiling, "_NARROW", 1)
    rng = np.random.default_rng(9)
    ref, dis = clips.textured(rng, (1, 100, 40)), clips.textured(rng, (1, 100, 40))
    values = quick(vif)(ref, dis)
    found = [values[n][0] for n in NAMES]
    expected = oracle.vif(ref[0].astype(float), dis[0].astype(float))
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerances.FLOAT_VIF_ORACLE)


def test_gradients():
    rng = np.random.default_rng(2)
    with jax.enable_x64(True):
        ref = clips.textured(rng, (1, 18, 20)).astype(np.float64)
        dis = ref * 0.8 + 20 + rng.normal(0, 4, ref.shape)

        def total(r, d):
            return sum(v.sum() for v in vif(r, d, bit_depth=8).values())

        check_gradients(
            total, (ref, dis), atol=tolerances.GRADIENT, rtol=tolerances.GRADIENT, eps=1e-4
        )


def test_lower_precision_is_computed_in_float32(pair):
    ref, dis = (x[0].astype(jax.numpy.bfloat16) for x in pair)
    found = small(ref, dis)["vif_scale0"]
    exact = small(ref.astype(np.float32), dis.astype(np.float32))["vif_scale0"]
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, exact)


def test_libvmaf_names_are_accepted(pair):
    names = {"vif_enhn_gain_limit": 1.0, "vif_kernelscale": 0.5, "vif_prescale_method": "bicubic"}
    python = {"enhancement_gain_limit": 1.0, "kernel_scale": 0.5, "prescale_method": "bicubic"}
    assert FEATURE.resolve(names) == FEATURE.resolve(python)
    shapes = jax.eval_shape(lambda r, d: vif(r, d, bit_depth=8, **names), pair[0][0], pair[1][0])
    assert set(shapes) == {*NAMES, "vif"}
    with pytest.raises(ValueError, match="twice"):
        FEATURE.resolve(names | python)


@pytest.mark.parametrize(("feature", "whole"), [("float_vif", "vif"), ("vif", "integer_vif")])
def test_vif_of_all_scales_is_returned_always_and_shown_with_debug(feature, whole):
    y = clips.textured(np.random.default_rng(2), (1, 18, 20))
    function = vif if feature == "float_vif" else vif_integer
    assert whole in jax.eval_shape(function, y, y)
    shown = jaxvqa.score(y, y, model=None, features=[feature]).frames
    assert set(shown) == {f"{whole}_scale{s}" for s in range(4)}
    debugged = jaxvqa.score(y, y, model=None, features=[f"{feature}=debug=true"]).frames
    assert whole in debugged


def test_debug_adds_totals(pair):
    found = quick(lambda r, d: vif(r, d, bit_depth=8, debug=True))(pair[0][0], pair[1][0])
    total = sum(found[f"vif_num_scale{s}"] for s in range(4))
    np.testing.assert_allclose(found["vif_num"], total, rtol=1e-6)
    np.testing.assert_allclose(found["vif"], found["vif_num"] / found["vif_den"], rtol=1e-6)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kernel_scale": 0.75}, "vif_kernelscale must be one of 21"),
        ({"kernel_scale": 9.0}, "between 0.1 and 4"),
        ({"prescale_method": "cubic"}, "nearest, bilinear, bicubic, lanczos4"),
        ({"vif_gain": 1.0}, "has no option 'vif_gain'"),
        ({"bit_depth": None}, "bit_depth is needed"),
        ({"bit_depth": 11}, "bit_depth must be one of"),
    ],
)
def test_bad_options(pair, options, message):
    with pytest.raises(ValueError, match=message):
        vif(pair[0][0], pair[1][0], **({"bit_depth": 8} | options))


def test_bad_frames(pair):
    ref, dis = pair[0][0], pair[1][0]
    with pytest.raises(ValueError, match="at least 9x9"):
        vif(ref[:, :8], dis[:, :8], bit_depth=8)
    with pytest.raises(ValueError, match="differ in size"):
        vif(ref, dis[:, :-1], bit_depth=8)
    with pytest.raises(ValueError, match="differ in number of frames"):
        vif(ref, dis[:1], bit_depth=8)
    with pytest.raises(TypeError, match="int32"):
        vif(ref.astype(np.int32), dis.astype(np.int32), bit_depth=8)
    with pytest.raises(ValueError, match=r"\(frames, height, width\)"):
        vif(ref[None], dis[None], bit_depth=8)
