import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxvqa import Planes, features, losses
from jaxvqa.fusion._catalog import model_folder
from jaxvqa.losses._reduce import reduce_frames
from tests import clips, laws, tolerances
from tests.oracles import cambi as cambi_oracle
from tests.oracles import fusion as oracle
from tests.programs import QUICK, check_gradients, quick

# VIF and ADM are inside vmaf; every program takes seconds to compile, vmaf's most
LUMA = {
    "vmaf": losses.vmaf,
    "speed_qa": functools.partial(losses.speed_qa, band=2),
    "funque": losses.funque,
    "y_funque_plus": losses.y_funque_plus,
    "ms_essim": losses.ms_essim,
}
CHEAP = ("speed_qa", "ms_essim")


@functools.cache
def compiled(name, bit_depth):
    def fn(ref, dis, where):
        def total(ref, dis):
            found = LUMA[name](ref, dis, bit_depth=bit_depth, where=where)
            return found.sum(), found

        (_, found), gradients = jax.value_and_grad(total, (0, 1), has_aux=True)(ref, dis)
        return found, gradients

    return quick(fn)


def program(name, ref, dis, where=None, bit_depth=8, dtype=np.float32):
    """Losses of two frames, and the gradient of their sum over frames that count.

    The dear ones have one program only, in float64.
    """
    where = np.ones(2, bool) if where is None else np.array(where)
    ref, dis = (np.asarray(x) for x in (ref, dis))
    if name not in CHEAP:
        dtype = np.float64
    with jax.enable_x64(dtype == np.float64):
        found = compiled(name, bit_depth)(ref.astype(dtype), dis.astype(dtype), where)
        return jax.tree.map(np.asarray, found)


@pytest.fixture(scope="module")
def pair():
    rng = np.random.default_rng(1)
    ref = clips.textured(rng, (2, 64, 64)).astype(np.float32)
    return ref, np.clip(ref + rng.normal(0, 6, ref.shape), 0, 255).astype(np.float32)


@functools.cache
def crop():
    """Two 64x64 frames of a film and a blurred start for optimisation."""
    ref, _ = clips.load("bunny_640x360")
    ref = ref.y[:2, 120:184, 300:364].astype(np.float32)
    padded = np.pad(ref, ((0, 0), (2, 2), (2, 2)), mode="edge")
    blurred = sum(padded[:, i : i + 64, j : j + 64] for i in range(5) for j in range(5)) / 25
    return ref, blurred.astype(np.float32)


@pytest.mark.parametrize("name", LUMA)
def test_equal_pair_is_zero_and_blur_is_worse(name):
    ref, blurred = crop()
    zero, _ = program(name, ref, ref)
    np.testing.assert_allclose(zero, 0, rtol=0, atol=tolerances.LOSS_OF_EQUAL_PAIR)
    worse, _ = program(name, ref, blurred)
    half, _ = program(name, ref, (ref + blurred) / 2)
    assert (worse > half).all()
    assert (half > 0.0).all()


@pytest.mark.parametrize("name", LUMA)
def test_descent_lowers_the_loss(name):
    ref, blurred = crop()

    def step(dis):
        found, (_, slope) = program(name, ref, dis)
        return found.sum(), slope

    laws.check_descent(step, blurred.astype(np.float64))


@pytest.mark.parametrize(("name", "depth"), [*((n, 8) for n in LUMA), *((n, 10) for n in CHEAP)])
def test_finite_on_degenerate_frames(name, depth):
    for what, ref, dis in laws.degenerate_frames(64, 64, depth):
        found, gradients = program(name, ref, dis, bit_depth=depth)
        assert np.isfinite(found).all(), what
        for gradient in gradients:
            assert np.isfinite(gradient).all(), what


@pytest.mark.parametrize("name", LUMA)
def test_masked_frames_count_nothing(name, pair):
    ref, dis = pair
    whole, _ = program(name, ref, dis)
    found, (_, gradient) = program(name, ref, dis, [True, False])
    assert found[1] == 0
    np.testing.assert_array_equal(found[0], whole[0])
    assert np.abs(gradient[0]).max() > 0
    if name != "speed_qa":  # whose first frame borrows the second one's value
        np.testing.assert_array_equal(gradient[1], 0)


def test_reductions(pair):
    ref, dis = pair
    where = jnp.array([False, True])

    @quick
    def reduced(ref, dis):
        values = losses.ms_essim(ref, dis, bit_depth=8)
        fn = functools.partial(losses.ms_essim, ref, dis, bit_depth=8)
        return values, {
            "mean": fn(reduction="mean"), "sum": fn(reduction="sum"),
            "masked": fn(reduction="mean", where=where),
            "none": fn(reduction="mean", where=~(where | ~where)),
        }  # fmt: skip

    values, found = reduced(ref, dis)
    values = np.asarray(values)
    assert values.shape == (2,)
    np.testing.assert_allclose(found["mean"], values.mean(), rtol=0, atol=tolerances.ROUND_OFF)
    np.testing.assert_allclose(found["sum"], values.sum(), rtol=0, atol=tolerances.ROUND_OFF)
    np.testing.assert_array_equal(found["masked"], values[1])
    np.testing.assert_array_equal(found["none"], 0)


@pytest.mark.parametrize("name", LUMA)
def test_gradients_equal_central_differences(name, pair):
    double = functools.partial(program, name, dtype=np.float64)
    found, gradients = double(*pair)
    sides = np.stack(pair).astype(np.float64)
    rng = np.random.default_rng(8)
    for side in (0, 1):
        for _ in range(3):
            step = np.zeros(sides.shape)
            step[side] = rng.normal(size=step[side].shape)
            ends = [double(*(sides + h * step))[0].sum() for h in (1e-5, -1e-5)]
            np.testing.assert_allclose(
                (gradients[side] * step[side]).sum(), (ends[0] - ends[1]) / 2e-5,
                rtol=tolerances.LOSS_GRADIENT, atol=tolerances.LOSS_GRADIENT_ABSOLUTE,
            )  # fmt: skip
    single, _ = program(name, *pair)
    np.testing.assert_allclose(single, found, rtol=tolerances.LOSS_FLOAT32)


def test_both_modes_in_float64(pair):
    with jax.enable_x64(True):
        check_gradients(
            functools.partial(losses.ms_essim, bit_depth=8, reduction="sum"),
            tuple(x.astype(np.float64) for x in pair),
            atol=tolerances.LOSS_GRADIENT_ABSOLUTE, rtol=tolerances.LOSS_GRADIENT, eps=1e-5,
        )  # fmt: skip


@pytest.mark.parametrize("fn", [losses.adm, losses.funque, losses.y_funque_plus])
def test_transformations_compose(fn):
    # traced, not run: shapes and dtypes under vmap of grad of checkpoint, for bfloat16 frames
    frames = jax.ShapeDtypeStruct((3, 2, 32, 32), jnp.bfloat16)

    def total(ref, dis):
        return jax.checkpoint(functools.partial(fn, bit_depth=8, reduction="mean"))(ref, dis)

    value, slope = jax.eval_shape(jax.vmap(jax.value_and_grad(total, 1)), frames, frames)
    assert (value.shape, value.dtype) == ((3,), np.float32)
    assert (slope.shape, slope.dtype) == (frames.shape, jnp.bfloat16)


@pytest.mark.parametrize("name", CHEAP)
def test_vmap_of_remat_equals_a_loop(name, pair):
    clips_of = [np.stack([x, x[::-1]]) for x in pair]

    def slope(ref, dis):
        fn = functools.partial(LUMA[name], bit_depth=8, reduction="sum")
        return jax.value_and_grad(jax.checkpoint(fn), 1)(ref, dis)

    values, slopes = quick(jax.vmap(slope))(*clips_of)
    for i in range(2):
        found, (_, expected) = program(name, clips_of[0][i], clips_of[1][i])
        np.testing.assert_allclose(
            values[i], found.sum(), rtol=tolerances.LOSS_FLOAT32, atol=tolerances.ROUND_OFF
        )
        np.testing.assert_allclose(slopes[i], expected, rtol=0, atol=1e-4 * np.abs(expected).max())


@pytest.mark.parametrize("name", [n for n in LUMA if n not in CHEAP])
def test_finite_at_10_bits_in_a_batch_of_bfloat16_with_remat(name):
    frames = laws.degenerate_frames(64, 64, 10)
    ref, dis = (jnp.stack([pair[side] for pair in frames]).astype(jnp.bfloat16) for side in (1, 2))

    def total(ref, dis):
        fn = functools.partial(LUMA[name], bit_depth=10, reduction="sum")
        return jax.checkpoint(fn)(ref, dis)

    slope = quick(jax.vmap(jax.value_and_grad(total, (0, 1))))
    values, gradients = slope(ref, dis)
    assert values.dtype == np.float32
    assert np.isfinite(values).all()
    for gradient in gradients:
        assert gradient.dtype == jnp.bfloat16
        assert np.isfinite(np.asarray(gradient, np.float32)).all()
    noise = [name for name, *_ in frames].index("flat against noise")
    assert np.abs(np.asarray(gradients[0][noise], np.float32)).max() > 0


def test_lower_precision_is_computed_in_float32(pair):
    ref, dis = (x.astype(jnp.bfloat16) for x in pair)
    found = quick(functools.partial(losses.ms_essim, bit_depth=8))(ref, dis)
    exact, _ = program("ms_essim", ref, dis)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, exact, rtol=0, atol=tolerances.ROUND_OFF)


def test_integer_reference_goes_with_float_output(pair):
    ref, dis = (x[:, :24, :24] for x in pair)

    @quick
    def both(codes, ref, dis):
        limit = {"bit_depth": 8, "enhancement_gain_limit": 1.0}
        whole = features.vif(ref, dis, debug=True, **limit)["vif"]
        found = {"vif": losses.vif(codes, dis, **limit), "adm": losses.adm(codes, dis, **limit)}
        detail = features.adm(ref, dis, **limit)
        return found, {"vif": 1 - whole, "adm": (1 - detail["adm2"] + detail["aim"]) / 2}

    found, expected = both(ref.astype(np.uint8), ref, dis)
    for name, values in found.items():
        np.testing.assert_allclose(values, expected[name], rtol=0, atol=tolerances.ROUND_OFF)


def expected_loss(model, clip, perfect):
    """Score of a perfect pair by the oracle, minus libvmaf's score, where that is not clipped."""
    numbers, *_ = oracle.from_own(model_folder(), model)
    scores = clips.golden(clip)[f"model:{model}"]
    best = [
        oracle.published(numbers, oracle.raw(numbers, values), clip=False)
        for values in perfect(scores)
    ]
    assert all(0 < s < 100 for s in scores["vmaf"])
    return np.array(best) - np.array(scores["vmaf"][: len(best)])


CLIP = "bunny_353x289_444_odd"


def test_vmaf_matches_libvmaf():
    ref, dis = (x.luma_only() for x in clips.load(CLIP))
    found = quick(losses.vmaf)(ref, dis)
    expected = expected_loss(
        "vmaf_v0.6.1", CLIP, lambda s: [[1, m, 1, 1, 1, 1] for m in s["integer_motion2"]]
    )
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerances.FLOAT_TWIN_SCORE)


def test_vmaf_v1():
    model = "vmaf_v1.0.16_3d0h"
    ref, dis = (jax.tree.map(lambda p: p.astype(np.float32), x) for x in clips.load(CLIP))

    def total(dis, ref):
        found = losses.vmaf(ref, dis, model=model)
        return found.sum(), found

    # traced for every platform, as users do
    program = jax.jit(jax.value_and_grad(total, has_aux=True), compiler_options=QUICK)
    (last, found), slope = program(dis, ref)
    options = {"vis_lum_threshold": 0.06}
    banding = [cambi_oracle.score(y.astype(np.uint8), 8, **options) for y in ref.y]

    def perfect(scores):
        motion = scores["integer_motion3_mmxv_18"]
        return [[b, 0, 1, m] for b, m in zip(banding, motion, strict=True)]

    expected = expected_loss(model, CLIP, perfect)
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerances.FLOAT_TWIN_SCORE)
    assert all(np.abs(s).max() > 0 for s in jax.tree.leaves(slope))
    for _ in range(2):
        peak = max(float(jnp.abs(s).max()) for s in jax.tree.leaves(slope))
        dis = jax.tree.map(lambda p, s, h=0.1 / peak: p - h * s, dis, slope)
        (value, _), slope = program(dis, ref)
        assert value < last
        last = value
    (_, zero), slope = program(ref, ref)
    np.testing.assert_allclose(zero, 0, rtol=0, atol=tolerances.LOSS_OF_EQUAL_PAIR_FLOAT32)
    assert all(np.isfinite(s).all() for s in jax.tree.leaves(slope))


def test_bad_input(pair):
    ref, dis = pair
    with pytest.raises(ValueError, match="no model named 'vmaf_v9'"):
        losses.vmaf(ref, dis, bit_depth=8, model="vmaf_v9")
    with pytest.raises(Exception, match=r"a name, a path or a model|Type-check error"):
        losses.vmaf(ref, dis, bit_depth=8, model=3)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="bit_depth is needed"):
        losses.vif(ref, dis)
    values = jnp.ones(2)
    with pytest.raises(ValueError, match="reduction must be one of"):
        reduce_frames(values, None, "max")
    with pytest.raises(ValueError, match=r"where must have shape \(2,\)"):
        reduce_frames(values, np.ones(3, bool), None)
    with pytest.raises(TypeError, match="booleans"):
        reduce_frames(values, np.ones(2, np.float32), None)
    with pytest.raises(ValueError, match="pooling must be one of"):
        losses.ms_essim(ref, dis, bit_depth=8, pooling="cov")
    with pytest.raises(ValueError, match="rewards impairment"):
        losses.adm(ref, dis, bit_depth=8, adm3_apply_hm=True)
    with pytest.raises(ValueError, match="needs chroma"):
        losses.vmaf(*np.zeros((2, 1, 220, 220), np.uint8), model="vmaf_v1")
    with pytest.raises(ValueError, match="has no option 'gain'"):
        losses.vif(ref, dis, bit_depth=8, gain=1)


def test_chroma_on_one_side_only_is_refused():
    y, chroma = np.zeros((1, 200, 200), np.uint8), np.zeros((1, 200, 200), np.uint8)
    with pytest.raises(ValueError, match="needs chroma"):
        losses.speed_chroma(Planes(y, chroma, chroma), Planes(y))
