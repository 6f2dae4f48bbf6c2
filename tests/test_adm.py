import jax
import numpy as np
import pytest

from jaxvqa.features._adm.float_adm import FLOAT_ADM as FEATURE
from jaxvqa.features._adm.float_adm import adm
from jaxvqa.features._options import parse_text
from jaxvqa.features._run import run
from tests import clips, tolerances
from tests.oracles import float_features as oracle
from tests.programs import check_gradients, quick

NAMES = ("adm2", "aim", "adm3", *(f"adm_scale{s}" for s in range(4)))
GOLDEN = [
    ("bunny_353x289_444_odd", "feature:float_adm"),
    ("bunny_320x180_422_10b", "feature:float_adm"),
    ("bunny_640x360", "feature:float_adm=adm_enhn_gain_limit=1.0"),
    ("bunny_640x360", "feature:float_adm=adm_csf_mode=1"),
    ("bunny_640x360", "feature:float_adm=adm_csf_mode=2:adm_norm_view_dist=1.5:"
     "adm_ref_display_height=2160"),
    ("bunny_640x360", "feature:float_adm=adm_norm_view_dist=5.0:adm_ref_display_height=1080"),
]  # fmt: skip


@pytest.mark.parametrize(("clip", "name"), GOLDEN)
def test_matches_libvmaf(clip, name):
    ref, dis = (jax.tree.map(lambda p: p[:3], x) for x in clips.load(clip))
    _, options = parse_text(name.removeprefix("feature:"))
    compiled = quick if options else jax.jit
    found = compiled(lambda r, d: run(FEATURE, r, d, None, options))(ref, dis)
    suffix = FEATURE.resolve(options).suffix
    expected = clips.golden(clip)[name]
    assert {k + suffix for k in found} == set(expected)
    for key, values in found.items():
        np.testing.assert_allclose(
            values, expected[key + suffix][:3], rtol=0, atol=tolerances.FLOAT_ADM, err_msg=key
        )


@pytest.mark.parametrize(
    ("shape", "options", "expected"),
    [
        ((41, 53), {}, {}),
        ((64, 37), {"p_norm": 2.0, "noise_weight": 0.1}, {"p": 2.0, "noise_weight": 0.1}),
        ((33, 48), {"enhancement_gain_limit": 1.0}, {"gain_limit": 1.0}),
        ((17, 17), {"adm_bypass_cm": 1}, {"bypass": True}),
        ((70, 34), {"adm_adm3_apply_hm": True, "adm_skip_aim_scale": 1},
         {"harmonic": True, "skip_aim_scale": 1}),
    ],
)  # fmt: skip
def test_matches_float64_oracle(shape, options, expected):
    rng = np.random.default_rng(shape[0])
    ref = clips.textured(rng, (2, *shape))
    dis = clips.textured(rng, (2, *shape))
    dis[0] = ref[0] // 2 + dis[0] // 2
    found = quick(lambda r, d: adm(r, d, **options))(ref, dis)
    for frame in range(2):
        values = oracle.adm(ref[frame].astype(float), dis[frame].astype(float), **expected)
        np.testing.assert_allclose(
            [found[n][frame] for n in NAMES], values, rtol=0, atol=tolerances.FLOAT_ADM
        )


def test_factor_overrides_replace_the_sensitivity():
    rng = np.random.default_rng(4)
    ref, dis = (clips.textured(rng, (1, 40, 40)) for _ in range(2))
    factors = {
        f"adm_f{b + 1}s{s}": oracle.watson(s)[b] for b in range(2) for s in range(4)
    }  # fmt: skip
    given = quick(lambda r, d: adm(r, d, adm_csf_mode=1, **factors))(ref, dis)
    default = quick(adm)(ref, dis)
    for name in NAMES:
        np.testing.assert_allclose(given[name], default[name], atol=tolerances.ROUND_OFF)


@pytest.fixture(scope="module")
def pair():
    rng = np.random.default_rng(1)
    ref = clips.textured(rng, (2, 2, 40, 48)).astype(np.float32)
    return ref, np.clip(ref + rng.normal(0, 6, ref.shape), 0, 255).astype(np.float32)


def at_8_bits(ref, dis):
    return adm(ref, dis, bit_depth=8)


small = quick(at_8_bits)


def test_identity(pair):
    found = small(pair[0][0], pair[0][0])
    for name in NAMES:
        expected = 0.0 if name == "aim" else 1.0
        np.testing.assert_allclose(found[name], expected, atol=tolerances.ROUND_OFF)


def test_more_blur_scores_lower(pair):
    ref = pair[0][0].astype(np.float64)
    last = np.ones(2)
    for passes in (1, 3, 9):
        dis = ref
        for _ in range(passes):
            dis = np.stack([oracle.blur(f, oracle.gaussian(5)) for f in dis])
        value = np.asarray(small(pair[0][0], dis.astype(np.float32))["adm2"])
        assert (value < last - 0.01).all()
        last = value


def test_gradients():
    rng = np.random.default_rng(2)
    with jax.enable_x64(True):
        ref = clips.textured(rng, (1, 20, 22)).astype(np.float64)
        dis = ref * 0.8 + 20 + rng.normal(0, 4, ref.shape)

        def total(r, d):
            found = adm(r, d, bit_depth=8)
            return found["adm2"].sum() + found["aim"].sum()

        check_gradients(
            total, (ref, dis), atol=tolerances.GRADIENT, rtol=tolerances.GRADIENT, eps=1e-5
        )


def test_without_noise_weight_a_flat_reference_has_no_scale_scores():
    flat = np.full((1, 40, 40), 128, np.uint8)
    found = quick(lambda r, d: adm(r, d, noise_weight=0.0))(flat, flat)
    assert found["adm2"] == 1.0
    assert found["aim"] == 0.0
    assert np.isnan(found["adm_scale0"]).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"enhancement_gain_limit": 0.5}, "between 1 and 100"),
        ({"csf_mode": 10}, "between 0 and 9"),
        ({"adm_csf_mode": 1.5}, "whole number"),
        ({"adm_skip_scale0": "maybe"}, "true or false"),
        ({"adm_egl": 2}, "has no option"),
    ],
)
def test_bad_options(pair, options, message):
    with pytest.raises(ValueError, match=message):
        adm(pair[0][0], pair[1][0], bit_depth=8, **options)


def test_too_small(pair):
    with pytest.raises(ValueError, match="at least 17x17"):
        adm(pair[0][0][:, :16], pair[1][0][:, :16], bit_depth=8)
