import functools
import importlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxvqa
from jaxvqa._ops.platforms import traced_for
from jaxvqa.features._vif import fixed as _vif_log
from jaxvqa.features._vif.integer_vif import vif_integer
from tests import clips, laws, tolerances
from tests.oracles import vif_integer as oracle
from tests.programs import scored

# the package attribute of this name is the function, not the module
module = importlib.import_module("jaxvqa.features._vif.integer_vif")


@functools.cache
def scorer(bit_depth, **options):
    fn = functools.partial(vif_integer, bit_depth=bit_depth, **options)
    return scored(fn, module.VIF)


def adversarial(rng, height, width, bit_depth):
    """Pairs of frames at the ends of every range."""
    peak, dtype = (1 << bit_depth) - 1, np.uint8 if bit_depth == 8 else np.uint16
    shape = (height, width)
    rows, columns = np.mgrid[:height, :width]
    black, white = np.zeros(shape), np.full(shape, peak)
    fine, coarse = (rows + columns) % 2 * peak, (rows // 8 + columns // 8) % 2 * peak
    noise = rng.integers(0, peak + 1, shape)
    impulse = black.copy()
    impulse[height // 2, width // 3] = peak
    texture = clips.textured(rng, shape, bit_depth)
    near = np.clip(texture.astype(int) + rng.integers(-peak // 40, peak // 40 + 1, shape), 0, peak)
    pairs = [
        (black, black), (white, white), (black, white), (fine, fine), (fine, peak - fine),
        (coarse, coarse), (coarse, fine), (coarse, noise), (noise, coarse), (noise, noise),
        (impulse, impulse), (white, impulse), (impulse, peak - impulse), (texture, texture),
        (texture, near), (near, texture), (texture, peak - texture.astype(int)),
        (texture // 4, texture), (texture, texture // 3),
        (np.where(columns < width // 2, texture, 0), np.where(rows < height // 2, texture, near)),
    ]  # fmt: skip
    return tuple(np.stack(side).astype(dtype) for side in zip(*pairs, strict=True))


@pytest.mark.parametrize("clip", clips.CLIPS)
def test_equals_libvmaf(clip):
    ref, dis = (p.luma_only() for p in clips.load(clip))
    found = jax.jit(vif_integer)(ref, dis)
    expected = clips.golden(clip)["feature:vif"]
    assert laws.shown(module.VIF, {}, found).keys() == expected.keys()
    for name, values in expected.items():
        # the tool prints 12 digits of a float32
        np.testing.assert_array_equal(found[name], np.float32(values), err_msg=name)


def test_totals_keep_the_digits_of_a_float64():
    clip, run = "bunny_320x180_422_10b", "feature:vif=debug=true"
    sides = [p.luma_only() for p in clips.load(clip)]
    found = jaxvqa.score(*sides, model=None, features=["vif=debug=true"]).frames
    expected = clips.golden(clip)[run]
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        np.testing.assert_allclose(
            found[name], values, rtol=tolerances.TWELVE_DIGITS_RELATIVE, err_msg=name
        )
    with jax.enable_x64(True):
        inside = jax.jit(lambda r, d: vif_integer(r, d, debug=True))(*sides)
    np.testing.assert_array_equal(inside["integer_vif_num"], found["integer_vif_num"])


@pytest.mark.parametrize(
    "bit_depth, shape",
    [(8, (16, 16)), (8, (71, 53)), (10, (45, 34)), (12, (18, 17)), (16, (33, 80))],
)
def test_equals_64_bit_oracle(bit_depth, shape):
    ref, dis = adversarial(np.random.default_rng(bit_depth), *shape, bit_depth)
    before = ref.copy(), dis.copy()
    found = scorer(bit_depth, debug=True)(ref, dis)
    np.testing.assert_array_equal((ref, dis), before)
    for frame in range(len(ref)):
        expected = oracle.vif(ref[frame], dis[frame], bit_depth)
        assert found.keys() == expected.keys()
        for name, value in expected.items():
            assert found[name].dtype == jnp.float32
            assert np.isfinite(value)
            assert float(found[name][frame]) == float(value), (name, frame)


def test_options_equal_64_bit_oracle():
    ref, dis = adversarial(np.random.default_rng(5), 40, 50, 10)
    ours = {"enhancement_gain_limit": 1.5, "skip_scale0": True}
    theirs = {"vif_enhn_gain_limit": 1.5, "vif_skip_scale0": True}

    def both(r, d):
        one = functools.partial(vif_integer, r, d, bit_depth=10)
        return one(debug=True, **ours), one(**theirs)

    found, plain = scored(both, module.VIF)(ref, dis)
    for frame in range(len(ref)):
        expected = oracle.vif(ref[frame], dis[frame], 10, 1.5, True)
        for name, value in expected.items():
            assert float(found[name][frame]) == float(value), (name, frame)
    assert set(plain) == {*(f"integer_vif_scale{s}" for s in range(4)), "integer_vif"}
    np.testing.assert_array_equal(plain["integer_vif_scale0"], 0)


def test_gain_rounds_product_and_difference():
    # covariances whose square is within 1e-8 of a multiple of the (biased) variance: a fused
    # multiply-add would truncate one in fifteen of these to another integer
    rng = np.random.default_rng(0)
    excess = rng.integers(40, 82, 20000)
    variance = (excess**2 / 6.5536e-6 * (1 + rng.uniform(-0.01, 0.01, 20000))).astype(np.int64)
    covariance = variance + excess
    variance_dis = rng.integers(covariance + 2 * excess + 2, 2**31 - 2**20)
    expected = oracle.split_gain(variance, variance_dis, covariance, 100.0)
    arguments = [jnp.asarray(x, jnp.int32) for x in (variance, variance_dis, covariance)]
    found = jax.jit(functools.partial(module._gain, limit=100.0))(*arguments)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("platform", ["cpu", "gpu"])
def test_logarithm_of_all_leading_bits(platform):
    x = np.arange(32768, 65536)
    # what a double-precision logarithm gives differs, and libvmaf's numbers show it
    assert np.count_nonzero(np.rint(2048 * np.log2(x)) != oracle.LOG) == 38
    rng = np.random.default_rng(1)
    # of all sizes; the lower bits all ones are what a rounding would carry into the leading ones
    wide = 2 ** rng.uniform(15, 32, 20000)
    wide = np.concatenate([x, wide.astype(np.int64), *((x << k) - 1 for k in (16, 15, 9))])
    small = wide[wide < 2**31]

    def of_double(x):
        return _vif_log.log2_leading(_vif_log.leading(x))

    with traced_for(platform):  # either form runs here
        of_whole = jax.jit(_vif_log.log2_fixed).lower(jnp.asarray(small, jnp.int32)).compile()
        found = of_whole(jnp.asarray(small, jnp.int32))
        with jax.enable_x64(True):
            of_double = jax.jit(of_double).lower(jnp.asarray(wide, jnp.float64)).compile()
            others = of_double(jnp.asarray(wide, jnp.float64))
    np.testing.assert_array_equal(others[: x.size], oracle.LOG)
    np.testing.assert_array_equal(found, oracle.log2_2048(small))
    np.testing.assert_array_equal(others, oracle.log2_2048(wide))


def test_vmap_is_a_loop():
    pairs = [adversarial(np.random.default_rng(seed), 16, 16, 8) for seed in (2, 3)]
    ref, dis = (np.stack(side) for side in zip(*pairs, strict=True))
    mapped = jax.vmap(functools.partial(vif_integer, bit_depth=8, debug=True))
    found = scored(mapped, module.VIF)(ref, dis)
    for clip in range(2):
        one = scorer(8, debug=True)(ref[clip], dis[clip])
        for name, values in one.items():
            np.testing.assert_array_equal(found[name][clip], values)


@pytest.mark.parametrize("height, width", [(15, 40), (40, 15)])
def test_too_small(height, width):
    frames = np.zeros((1, height, width), np.uint8)
    with pytest.raises(ValueError, match="16x16"):
        vif_integer(frames, frames)


def test_bad_input():
    frames = np.zeros((1, 32, 32), np.uint8)
    with pytest.raises(TypeError, match="integer code values"):
        vif_integer(frames.astype(np.float32), frames.astype(np.float32), bit_depth=8)
    with pytest.raises(ValueError, match="between 1 and 100"):
        vif_integer(frames, frames, enhancement_gain_limit=0.5)
    with pytest.raises(ValueError, match="between 1 and 100"):
        vif_integer(frames, frames, vif_enhn_gain_limit=101)


def test_output_names():
    options = module.VIF.resolve({"egl": 1, "vif_skip_scale0": "true", "debug": True})
    assert options.suffix == "_egl_1_ssclz"
    raw = {o.name: o.key for o in module.VIF.outputs(options)}
    assert raw["integer_vif_scale2"] == "VMAF_integer_feature_vif_scale2_score"


def test_exports_for_every_platform():
    ref, dis = adversarial(np.random.default_rng(3), 45, 34, 10)
    frames = jax.ShapeDtypeStruct(ref.shape, ref.dtype)
    program = jax.jit(functools.partial(vif_integer, bit_depth=10, debug=True))
    exported = jax.export.export(program, platforms=["cpu", "cuda", "tpu"])(frames, frames)
    found = exported.call(ref, dis)
    expected = scorer(10, debug=True)(ref, dis)
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        np.testing.assert_array_equal(found[name], values)
