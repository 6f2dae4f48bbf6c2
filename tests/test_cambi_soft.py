import functools

import jax
import jax.numpy as jnp
import jax.test_util
import numpy as np
import pytest

from jaxvqa import features, losses
from jaxvqa.features import cambi_soft
from jaxvqa.features.cambi import FEATURE
from jaxvqa.features.cambi_soft import banding, rounded_codes, soft_score
from jaxvqa.fusion.model import FeatureRef, Model, Svr
from jaxvqa.ops.banding import SKIP, Contrast
from jaxvqa.ops.soft_banding import soft_counts, soft_response
from jaxvqa.ops.topk import shares_of_largest
from tests import clips, laws, tolerances
from tests.oracles import cambi as oracle

# halves compile times and costs speed that tests don't need
QUICK = {"xla_backend_optimization_level": 0, "xla_llvm_disable_expensive_passes": True}
SIZE = (96, 224)
OPTIONS = FEATURE.resolve({})


def ramp(depth, step, shape=SIZE):
    """A smooth slope quantised to steps of `step` codes."""
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    smooth = (0.25 + 0.12 * columns / shape[1] + 0.05 * rows / shape[0]) * ((1 << depth) - 1)
    return (np.rint(smooth / step) * step).astype(np.float32)


@functools.cache
def compiled(depth):
    """Score of one frame, its gradient, and the soft score of its codes."""

    def fn(y):
        value, slope = jax.value_and_grad(lambda y: banding(y[None], depth, OPTIONS).sum())(y)
        return value, slope, soft_score(rounded_codes(y, depth).astype(y.dtype), depth, OPTIONS)

    return jax.jit(fn, compiler_options=QUICK)


def program(y, depth):
    return jax.tree.map(np.asarray, compiled(depth)(np.asarray(y, np.float32)))


def crop(name):
    return clips.load(name)[1].y[0, : SIZE[0], : SIZE[1]].astype(np.float32)


PICTURES = {
    "film, 8 bits": (8, lambda: crop("bunny_640x360")),
    "film, odd": (8, lambda: crop("bunny_353x289_444_odd")),
    "film, 10 bits": (10, lambda: crop("bunny_320x180_422_10b")),
    "ramp, 8 bits": (8, lambda: ramp(8, 1)),
    "ramp, 10 bits": (10, lambda: ramp(10, 4)),
    "fine ramp, 10 bits": (10, lambda: ramp(10, 1)),
}


@pytest.mark.parametrize("name", PICTURES)
def test_soft_score_is_the_exact_one_at_whole_codes(name):
    depth, make = PICTURES[name]
    y = make()
    found, _, soft = program(y, depth)
    expected = oracle.score(y.astype(np.int64), depth)
    np.testing.assert_allclose(found, expected, rtol=tolerances.CAMBI_RELATIVE, atol=1e-6)
    np.testing.assert_allclose(soft, expected, rtol=tolerances.CAMBI_SOFT, atol=1e-6)


@pytest.mark.parametrize(
    ("depth", "step", "rate", "steps", "left"), [(8, 1, 0.5, 30, 0.5), (10, 4, 1.0, 40, 0.5)]
)
def test_descent_lowers_the_exact_score(depth, step, rate, steps, left):
    y = ramp(depth, step)
    start, slope, _ = program(y, depth)
    assert start > 15
    x = y
    for _ in range(steps):
        # the pixel that counts most moves by `rate` codes
        x = x - slope * (rate / np.abs(slope).max())
        found, slope, _ = program(x, depth)
    assert found < left * start
    # few codes are moved, and none far
    assert np.sqrt(np.mean((x - y) ** 2)) < step


def test_small_steps_lower_the_soft_score():
    y = ramp(10, 4)
    score = jax.jit(
        jax.value_and_grad(lambda y: soft_score(y, 10, OPTIONS)), compiler_options=QUICK
    )
    before, slope = score(y)
    slope = np.asarray(slope)
    for size in (0.01, 0.1, 0.4):
        step = size * slope / np.abs(slope).max()
        after, _ = score(y - step)
        # at whole codes leaving a code lowers its count too: at least what the slope promises
        assert after < before - 0.9 * (slope * step).sum()
    noise = np.random.default_rng(0).uniform(-0.4, 0.4, y.shape).astype(np.float32)
    assert score(y + noise)[0] < 0.9 * before


def test_bands_pull_at_each_other():
    y = np.full(SIZE, 400, np.float32)
    y[:, 112:] = 404
    _, slope, _ = program(y, 10)
    left, right = slope[:, 104:112], slope[:, 112:120]
    assert left.sum() < -0.1
    assert right.sum() > 0.1
    assert (left <= 0).all()
    assert (right >= 0).all()


@pytest.mark.parametrize("depth", [8, 10])
def test_finite_on_degenerate_frames(depth):
    for what, ref, dis in laws.degenerate_frames(*SIZE, depth):
        for y in (ref[0], dis[0]):
            for x in program(y, depth):
                assert np.isfinite(x).all(), what


def test_responses_and_gradients_of_the_counts():
    rng = np.random.default_rng(3)
    contrasts = (Contrast(1, 0, 900), Contrast(2, 0, 900), Contrast(3, 5, 900))
    pictures = [rng.uniform(2, 9, (11, 12)), rng.uniform(2, 9, (6, 6))]
    pictures[0][3:5, 4] = SKIP
    with jax.enable_x64(True):
        total = jax.jit(
            lambda a, b: sum((x * x).sum() for x in soft_response([a, b], 2, contrasts))
        )
        jax.test_util.check_grads(
            total, tuple(pictures), order=1, modes=("rev",), eps=1e-6,
            atol=tolerances.LOSS_GRADIENT_ABSOLUTE, rtol=tolerances.LOSS_GRADIENT,
        )  # fmt: skip
        counts = np.asarray(soft_counts(jnp.asarray(pictures[1]), 1, 2))
    for i, j in np.ndindex(6, 6):
        window = pictures[1][max(i - 1, 0) : i + 2, max(j - 1, 0) : j + 2]
        for k, d in enumerate(range(-2, 3)):
            tent = np.maximum(1 - np.abs(window - pictures[1][i, j] - d), 0)
            np.testing.assert_allclose(counts[k, i, j], tent.sum(), rtol=1e-12)


def test_directional_derivative_of_the_score_equals_central_differences():
    rng = np.random.default_rng(4)
    # flat areas of 8 bits, moved off their codes by less than rounding notices
    y = ramp(8, 1, (48, 216)).astype(np.float64) + rng.uniform(-0.3, 0.3, (48, 216))
    step = rng.normal(size=y.shape)
    with jax.enable_x64(True):
        fn = jax.jit(
            jax.value_and_grad(lambda y: soft_score(y, 8, OPTIONS)), compiler_options=QUICK
        )
        value, slope = fn(y)
        value, slope = (np.asarray(x) for x in (value, slope))
        ends = [float(fn(y + h * step)[0]) for h in (1e-6, -1e-6)]
    assert value > 0.1
    assert np.abs(slope).max() > 0
    np.testing.assert_allclose(
        (slope * step).sum(), (ends[0] - ends[1]) / 2e-6, rtol=tolerances.LOSS_GRADIENT
    )


def banding_model():
    """A regression of CAMBI alone, without v1's limit."""
    svr = Svr(np.array([[0.0], [1.0]]), np.array([2.0, -1.0]), np.float64(0.5), np.float64(0.1))
    cambi = FeatureRef("cambi", "Cambi_feature_cambi_score")
    return Model(svr, np.array([0.02, 0.03]), np.array([0.1, 0.0]), features=(cambi,))


def test_switch_changes_the_gradient_and_not_the_value():
    ref, dis = ramp(8, 1, (48, 216))[None], ramp(8, 2, (48, 216))[None]
    dis = dis + np.float32(0.2)

    @functools.partial(jax.jit, compiler_options=QUICK)
    def both(ref, dis):
        def total(ref, dis, on):
            return losses.vmaf(
                ref, dis, bit_depth=8, model=banding_model(), banding_gradient=on, reduction="sum"
            )

        plain = total(ref, dis, False)
        slopes = {on: jax.value_and_grad(total, (0, 1))(ref, dis, on) for on in (True, False)}
        return plain, slopes

    plain, found = both(ref, dis)
    assert found[True][0] == found[False][0] == plain
    assert all(np.abs(s).max() > 0 for s in found[True][1])
    for slope in found[False][1]:
        np.testing.assert_array_equal(slope, 0)


def test_limit_stops_the_gradient_and_both_modes_agree():
    y = np.stack([ramp(8, 1, (48, 216)), np.zeros((48, 216), np.float32)])
    free = FEATURE.resolve({})
    step = np.random.default_rng(6).normal(size=y.shape).astype(np.float32)

    @functools.partial(jax.jit, compiler_options=QUICK)
    def both(y, step):
        fn = lambda y: banding(y, 8, free)  # noqa: E731
        _, forward = jax.jvp(fn, (y,), (step,))
        value, back = jax.vjp(fn, y)
        (slope,) = back(jnp.ones_like(value))
        return value, forward, (slope * step).sum((-2, -1))

    value, forward, reverse = both(y, step)
    np.testing.assert_allclose(forward, reverse, rtol=1e-5, atol=1e-7)
    assert value[1] == forward[1] == 0
    capped = FEATURE.resolve({"cambi_max_val": float(value[0]) / 2})
    slope = jax.jit(jax.grad(lambda y: banding(y, 8, capped).sum()), compiler_options=QUICK)(y)
    np.testing.assert_array_equal(slope, 0)


def test_depths_that_are_rounded_twice_start_at_whole_codes():
    # 12 bits to 10, and 10 bits averaged as if encoded with 8
    for depth, given in ((12, {}), (10, {"enc_bitdepth": 8})):
        y = np.random.default_rng(7).integers(900, 1000, (48, 216)).astype(np.float32)
        y[:, 100:] = 1003
        options = FEATURE.resolve(given)
        geometry, _ = cambi_soft.geometries(48, 216, options)
        for picture in cambi_soft._pictures(jnp.asarray(y), depth, geometry, options):
            np.testing.assert_array_equal(picture, np.rint(picture))


def test_shares_of_largest():
    x = np.array([[0, 5, 2], [2, 2, 7]], np.float32)
    for count in range(1, 7):
        expected = np.sort(x.ravel())[-count:].mean()
        shares = np.asarray(shares_of_largest(jnp.asarray(x), count))
        np.testing.assert_allclose((shares * x).sum(), expected, rtol=1e-6)
    np.testing.assert_allclose(shares_of_largest(jnp.asarray(x), 4)[1], [1 / 6, 1 / 6, 1 / 4])


def test_works_under_transformations_and_lowers_everywhere():
    frames = jax.ShapeDtypeStruct((3, 2, 48, 216), jnp.bfloat16)
    fn = functools.partial(losses.cambi, bit_depth=8, reduction="mean")
    value, slope = jax.eval_shape(
        jax.vmap(jax.value_and_grad(jax.checkpoint(fn), 1)), frames, frames
    )
    assert (value.shape, value.dtype) == ((3,), np.float32)
    assert (slope.shape, slope.dtype) == (frames.shape, jnp.bfloat16)
    y = np.zeros((1, 48, 216), np.float32)
    laws.check_export(jax.value_and_grad(fn, 1), y, y)


def test_loss_is_the_increase_and_refuses_what_it_does_not_use():
    ref, dis = ramp(8, 1, (48, 216))[None], ramp(8, 2, (48, 216))[None]
    found = losses.cambi(ref, dis, bit_depth=8)
    sides = [features.cambi(*[x.astype(np.uint8)] * 2)["cambi"] for x in (dis, ref)]
    np.testing.assert_array_equal(found, sides[0] - sides[1])
    with pytest.raises(ValueError, match="both sides alike"):
        losses.cambi(ref, dis, bit_depth=8, full_ref=True)
    with pytest.raises(ValueError, match="at least 216 samples"):
        losses.cambi(ref[:, :, :100], dis[:, :, :100], bit_depth=8)
