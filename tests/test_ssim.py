"""SSIM and MS-SSIM: golden values, float64 oracle, roundings, options, losses, gradients."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxvqa
from jaxvqa import losses
from jaxvqa._ops import tiling
from jaxvqa._ops.tables import correlate_table
from jaxvqa.features import ms_ssim, ssim
from jaxvqa.features._options import parse_text
from jaxvqa.features._registry import FEATURES
from jaxvqa.features._run import run
from tests import clips, laws, tolerances
from tests.oracles import ssim as oracle
from tests.programs import check_gradients, quick, scored

NAMES = ("float_ssim", "float_ms_ssim")
SSIM = ("float_ssim", "float_ssim_l", "float_ssim_c", "float_ssim_s")
PARTS = [f"float_ms_ssim_{p}_scale{s}" for p in "lcs" for s in range(5)]
ODD = "bunny_353x289_444_odd"
# what a vmaf tool prints for it that calls itself 3.2.0: six digits, revision not known
PRINTED = {
    "float_ssim=scale=2": [0.986061, 0.986375, 0.9866, 0.986509],
    "float_ssim=scale=3": [0.993091, 0.993176, 0.993199, 0.993035],
    "float_ssim=scale=7": [0.999305, 0.999339, 0.999344, 0.999349],
    "float_ssim=scale=10": [0.999783, 0.9998, 0.999813, 0.999811],
    "float_ssim=enable_db=true": [15.757679, 15.829365, 15.901117, 15.905561],
    "float_ms_ssim=enable_db=true": [21.419226, 21.549482, 21.617303, 21.570472],
}


def measured(text, ref, dis, compiled=quick):
    name, options = parse_text(text)
    return compiled(lambda r, d: run(FEATURES[name], r, d, None, options))(ref, dis)


@pytest.mark.parametrize("clip", clips.CLIPS)
@pytest.mark.parametrize("name", NAMES)
def test_matches_libvmaf(clip, name):
    # as users compile it: roundings must not depend on that
    compiled = functools.partial(scored, feature=FEATURES[name])
    found = measured(f"{name}=enable_lcs=true", *clips.load(clip), compiled)
    expected = clips.golden(clip)[f"feature:{name}=enable_lcs=true"]
    assert found.keys() == expected.keys()
    for key, values in expected.items():
        np.testing.assert_allclose(
            found[key], values, rtol=0, atol=tolerances.SSIM, err_msg=f"{clip} {key}"
        )
    alone = clips.golden(clip)[f"feature:{name}"]
    np.testing.assert_array_equal(alone[name], expected[name])


@pytest.mark.parametrize("text", PRINTED)
def test_options_match_what_libvmaf_prints(text):
    name, _ = parse_text(text)
    found = measured(text, *clips.load(ODD))
    limit = tolerances.SSIM_DECIBELS if "db" in text else tolerances.SSIM
    np.testing.assert_allclose(found[name], PRINTED[text], rtol=0, atol=limit)


def textured_pair(shape, dtype=np.uint8):
    rng = np.random.default_rng(shape[-1])
    ref = clips.textured(rng, shape)
    dis = (ref // 2 + clips.textured(rng, shape) // 2).astype(dtype)
    return ref.astype(dtype), dis


@pytest.mark.parametrize(
    ("shape", "scale"), [((11, 12), 0), ((33, 40), 2), ((61, 55), 5), ((384, 390), 0)]
)
def test_ssim_matches_the_oracle(shape, scale):
    ref, dis = textured_pair((2, *shape))
    found = measured(f"float_ssim=enable_lcs=true:scale={scale}", ref, dis)
    for frame in range(2):
        expected = oracle.ssim(*(x[frame].astype(float) for x in (ref, dis)), scale)
        np.testing.assert_allclose(
            [found[n][frame] for n in SSIM], expected, rtol=0, atol=tolerances.SSIM_ORACLE
        )


def test_float64_frames_agree_with_the_oracle():
    ref, dis = textured_pair((1, 177, 180), np.float64)
    with jax.enable_x64(True):
        one = quick(lambda r, d: ssim(r, d, bit_depth=8, enable_lcs=True))(ref, dis)
        many = quick(lambda r, d: ms_ssim(r, d, bit_depth=8, enable_lcs=True))(ref, dis)
    score, *parts = oracle.ms_ssim(ref[0], dis[0])
    limit = tolerances.FLOAT64_RELATIVE
    np.testing.assert_allclose([one[n][0] for n in SSIM], oracle.ssim(ref[0], dis[0]), limit)
    np.testing.assert_allclose(many["float_ms_ssim"], [score], limit)
    np.testing.assert_allclose([many[n][0] for n in PARTS], np.concatenate(parts), limit)


@pytest.mark.parametrize(("taps", "stride"), [(9, 2), (3, 3), (4, 4)])
def test_table_sums_are_rounded_once(taps, stride):
    rng = np.random.default_rng(taps)
    table = tuple(tuple(row) for row in rng.normal(size=(taps, taps)).tolist())
    x = jnp.asarray(rng.uniform(0, 255, (2, 31, 40)), jnp.float32)
    count = [(n - taps) // stride + 1 for n in x.shape[1:]]
    total = 0.0
    for v in range(taps):
        for u in range(taps):
            part = x[:, v : v + count[0] * stride : stride, u : u + count[1] * stride : stride]
            part = part[:, : count[0], : count[1]]
            total = total + np.asarray(part * np.float32(table[v][u]), np.float64)
    expected = total.astype(np.float32)
    apply = functools.partial(correlate_table, table=table, stride=stride)
    for found in (apply(x), jax.jit(apply)(x), jax.vmap(apply)(x)):
        np.testing.assert_array_equal(found, expected)
    # its derivative is that of an exact sum
    _, slope = jax.jvp(apply, (x,), (x,))
    np.testing.assert_allclose(slope, expected, rtol=1e-4, atol=1e-2)
    with jax.enable_x64(True):
        check_gradients(apply, (jnp.asarray(np.asarray(x, np.float64)),), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_strips_do_not_show(monkeypatch, name):
    ref, dis = textured_pair((1, 200, 180))
    whole = measured(name, ref, dis)
    monkeypatch.setattr(tiling, "_WHOLE", 0)
    monkeypatch.setattr(tiling, "_NARROW", 1)
    strips = measured(name, ref, dis)
    np.testing.assert_allclose(whole[name], strips[name], rtol=0, atol=tolerances.ROUND_OFF)


@pytest.mark.parametrize("name", NAMES)
def test_bit_depth_is_a_scale(name):
    ref, dis = textured_pair((1, 180, 176))
    deep = [x.astype(np.uint16) * 4 for x in (ref, dis)]
    found = quick(lambda r, d: run(FEATURES[name], r, d, 10, {}))(*deep)
    np.testing.assert_array_equal(found[name], measured(name, ref, dis)[name])


@pytest.mark.parametrize("name", NAMES)
def test_decibels(name):
    ref, dis = textured_pair((2, 176, 180))
    score = np.asarray(measured(name, ref, dis)[name], float)
    decibels = measured(f"{name}=enable_db=true", ref, dis)[name]
    np.testing.assert_allclose(
        decibels, -10 * np.log10(1 - score), rtol=0, atol=tolerances.SSIM_DECIBELS
    )
    assert np.isposinf(measured(f"{name}=enable_db=true", ref, ref)[name]).all()
    clipped = measured(f"{name}=enable_db=true:clip_db=true", ref, ref)[name]
    most = np.ceil(10 * np.log10(255**2 / (0.5 / (176 * 180))))
    np.testing.assert_array_equal(clipped, most)
    # the limit is one of decibels alone
    np.testing.assert_array_equal(
        measured(f"{name}=clip_db=true", ref, dis)[name], score.astype(np.float32)
    )


@pytest.mark.parametrize("name", NAMES)
def test_an_equal_pair_is_exactly_one(name):
    flat = np.full((1, 176, 177), 200, np.uint8)
    for frames in (textured_pair((1, 176, 177))[0], flat, 0 * flat, 255 + 0 * flat):
        for value in measured(f"{name}=enable_lcs=true", frames, frames).values():
            np.testing.assert_array_equal(value, 1.0)


def test_negative_structure_gives_no_nan():
    ref, _ = textured_pair((1, 176, 176))
    found = measured("float_ms_ssim=enable_lcs=true", ref, 255 - ref)
    assert found["float_ms_ssim_s_scale0"] < 0
    assert found["float_ms_ssim"] == 0
    assert measured("float_ssim", ref, 255 - ref)["float_ssim"] < 0


@pytest.mark.parametrize("name", NAMES)
def test_score_shows_what_was_asked_for(name):
    ref, dis = textured_pair((2, 176, 180))
    plain = jaxvqa.score(ref, dis, model=None, features=[name]).frames
    assert set(plain) == {name}
    whole = jaxvqa.score(ref, dis, model=None, features=[f"{name}=enable_lcs=true"]).frames
    assert set(whole) == set(clips.golden(ODD)[f"feature:{name}=enable_lcs=true"])
    np.testing.assert_array_equal(plain[name], whole[name])


@pytest.mark.parametrize(("name", "depth"), [("float_ssim", 10), ("float_ms_ssim", 8)])
def test_finite_on_degenerate_frames(name, depth):
    def values(ref, dis):
        return run(FEATURES[name], ref, dis, depth, {"enable_lcs": True})

    laws.check_finite_gradients(values, 176, 178, depth)


@functools.cache
def crop():
    ref, _ = clips.load("bunny_640x360")
    ref = ref.y[:1, 90:270, 200:380].astype(np.float32)
    padded = np.pad(ref, ((0, 0), (2, 2), (2, 2)), mode="edge")
    return ref, sum(padded[:, i : i + 180, j : j + 180] for i in range(5) for j in range(5)) / 25


@functools.cache
def step(name):
    loss = getattr(losses, name)
    return quick(jax.value_and_grad(lambda d, r: loss(r, d, bit_depth=8).sum()))


@pytest.mark.parametrize("name", ["ssim", "ms_ssim"])
def test_losses(name):
    ref, blurred = crop()
    value, slope = step(name)(ref, ref)
    assert value == 0
    np.testing.assert_allclose(slope, 0, atol=1e-6)
    output = f"float_{name}"
    score = run(FEATURES[output], ref, blurred, 8, {})[output][0]
    np.testing.assert_allclose(
        step(name)(blurred, ref)[0], 1 - score, rtol=0, atol=tolerances.ROUND_OFF
    )

    def numpy_step(x):
        value, slope = step(name)(x.astype(np.float32), ref)
        return float(value), np.asarray(slope, np.float64)

    laws.check_descent(numpy_step, blurred.astype(np.float64))


@pytest.mark.parametrize("name", ["ssim", "ms_ssim"])
def test_float32_gradients_are_those_of_float64(name):
    ref, blurred = crop()
    found = step(name)(blurred, ref)[1]
    with jax.enable_x64(True):
        exact = step(name)(blurred.astype(np.float64), ref.astype(np.float64))[1]
    largest = np.abs(exact).max()
    np.testing.assert_allclose(found, exact, rtol=0, atol=tolerances.SSIM_GRADIENT * largest)


@pytest.mark.parametrize(("name", "side"), [("float_ssim", 24), ("float_ms_ssim", 176)])
def test_gradients(name, side):
    rng = np.random.default_rng(2)
    options = {"enable_lcs": True} | ({"scale": 2} if name == "float_ssim" else {})
    with jax.enable_x64(True):
        ref = clips.textured(rng, (1, side, side)).astype(np.float64)
        dis = ref * 0.8 + 20 + rng.normal(0, 4, ref.shape)

        def total(r, d):
            return sum(v.sum() for v in run(FEATURES[name], r, d, 8, options).values())

        check_gradients(
            total, (ref, dis), atol=tolerances.GRADIENT, rtol=tolerances.GRADIENT, eps=1e-4
        )


def test_bad_input():
    def frame(height, width):
        return np.zeros((1, height, width), np.uint8)

    with pytest.raises(ValueError, match="float_ms_ssim needs frames of at least 176x176"):
        ms_ssim(frame(175, 300), frame(175, 300))
    with pytest.raises(ValueError, match="float_ssim needs frames of at least 11x11"):
        ssim(frame(10, 30), frame(10, 30))
    with pytest.raises(ValueError, match=r"after downsampling by 4\) needs .* got 20x10"):
        ssim(frame(40, 80), frame(40, 80), scale=4)
    with pytest.raises(ValueError, match="scale must lie between 0 and 10"):
        ssim(frame(40, 80), frame(40, 80), scale=11)
    with pytest.raises(ValueError, match="ssim in decibels is no loss"):
        losses.ssim(frame(40, 80), frame(40, 80), enable_db=True)
    shapes = jax.eval_shape(ms_ssim, jnp.zeros((1, 176, 176), jnp.uint8), frame(176, 176))
    assert set(shapes) == {"float_ms_ssim"}
