import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxvqa import features, losses
from jaxvqa._ops.topk import shares_of_largest
from jaxvqa.features._cambi import counts_slope
from jaxvqa.features._cambi.counts import Contrast
from jaxvqa.features._cambi.feature import CAMBI as FEATURE
from jaxvqa.features._cambi.gradient import _pictures, banding
from jaxvqa.features._cambi.sheet import SKIP
from jaxvqa.features._cambi.tables import geometries
from jaxvqa.fusion._model import FeatureRef, Model, Svr
from tests import clips, laws, tolerances
from tests.oracles import banding_pull as pull_oracle
from tests.oracles import cambi as oracle
from tests.programs import quick

SIZE = (96, 224)
OPTIONS = FEATURE.resolve({})
CONTRASTS = (Contrast(1, 0, 900), Contrast(2, 0, 900), Contrast(3, 5, 900))
BANDS = [(c.weight, c.low, c.high) for c in CONTRASTS]


def ramp(depth, step, shape=SIZE):
    """A smooth slope quantised to steps of `step` codes."""
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    smooth = (0.25 + 0.12 * columns / shape[1] + 0.05 * rows / shape[0]) * ((1 << depth) - 1)
    return (np.rint(smooth / step) * step).astype(np.float32)


@functools.cache
def compiled(depth):
    """Score of one frame and its gradient."""
    score = jax.value_and_grad(
        lambda y: banding(y[None], depth, OPTIONS, geometries(*y.shape, OPTIONS)[0]).sum()
    )
    return quick(score)


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
def test_value_is_the_exact_one(name):
    depth, make = PICTURES[name]
    y = make()
    found, _ = program(y, depth)
    expected = oracle.score(y.astype(np.int64), depth)
    np.testing.assert_allclose(found, expected, rtol=tolerances.CAMBI_RELATIVE, atol=1e-6)


def patches(step=1):
    """Codes of some step in small patches, some of them out of the count, and weights."""
    rng = np.random.default_rng(3)
    codes = step * rng.integers(2, 9, (10, 14)).repeat(3, 0).repeat(2, 1).astype(np.int16)
    codes[7:12, 9:13] = SKIP
    return codes, rng.uniform(0, 1, codes.shape).astype(np.float32)


@pytest.mark.parametrize("counted, moved", [("columns", "tiles"), ("offsets", "offsets")])
def test_pull_equals_its_definition(counted, moved):
    codes, given = patches()
    face = getattr(counts_slope, f"facing_by_{counted}")
    move = getattr(counts_slope, f"slopes_by_{moved}")

    @jax.jit
    def both(codes, given):
        seen = face(codes, 3, CONTRASTS)
        by_platform = counts_slope.slopes_of_counts(codes, seen, given, 3)
        force, side = given * seen.slope, seen.side.astype(given.dtype)
        sources = (
            codes + seen.contrast, force * (1 + side) / 2,
            codes - seen.contrast, force * (side - 1) / 2,
        )  # fmt: skip
        return (
            seen.response,
            by_platform,
            move(codes, sources, 3) - side * force * seen.others.astype(given.dtype),
        )

    response, *pulls = (np.asarray(x) for x in both(codes, given))
    expected = pull_oracle.responses(codes.astype(float), SKIP, 3, BANDS)
    np.testing.assert_allclose(response, expected, rtol=tolerances.BANDING_PULL)
    expected = pull_oracle.pull(codes.astype(float), SKIP, given.astype(float), 3, BANDS)
    limit = tolerances.BANDING_PULL * np.abs(expected).max()
    for found in pulls:
        np.testing.assert_allclose(found, expected, rtol=0, atol=limit)
    assert (np.abs(expected) > 0.1).mean() > 0.3


def test_steps_along_the_pull_lower_soft_counts():
    """Leaving a code lowers its own count too, so at least what the slope promises is won.

    With codes that lie apart, so that no pixel comes to count for another contrast.
    """
    codes, given = (x.astype(float) for x in patches(step=3))
    slope = pull_oracle.pull(codes, SKIP, given, 3, BANDS)
    before = (given * pull_oracle.responses(codes, SKIP, 3, BANDS)).sum()
    for size in (0.001, 0.01):
        step = size * slope / np.abs(slope).max()
        moved = np.where(codes < SKIP, codes - step, codes)
        after = (given * pull_oracle.responses(moved, SKIP, 3, BANDS)).sum()
        assert after < before - 0.9 * (slope * step).sum()


@pytest.mark.parametrize(
    ("depth", "given"), [(8, {}), (10, {}), (12, {}), (10, {"enc_bitdepth": 8})]
)
def test_what_moves_is_what_is_counted(depth, given):
    """With the samples themselves as their movement the counted codes come back, but rounding."""
    peak = (1 << depth) - 1
    y = np.random.default_rng(7).integers(0.4 * peak, 0.45 * peak, (48, 216))
    y[:, 100:] = int(0.42 * peak)
    y = y.astype(np.uint8 if depth == 8 else np.uint16)
    options = FEATURE.resolve(given)
    geometry, _ = geometries(48, 216, options)
    pictures = quick(lambda y, samples: _pictures(y, depth, geometry, options, samples))
    moved, codes = pictures(y, y.astype(np.float32))
    for float_codes, whole in zip(moved, codes, strict=True):
        whole = np.asarray(whole)
        gap = np.where(whole < SKIP, np.asarray(float_codes) - whole, 0)
        # averages are cut to whole codes, 12 bits rounded to 10
        low, high = (0, 0) if (depth, given) == (10, {}) else (-0.5, 0.75)
        assert low <= gap.min()
        assert gap.max() <= high


@pytest.mark.parametrize(("depth", "step"), [(8, 1), (10, 4)])
def test_descent_lowers_the_exact_score(depth, step):
    """The pixel that counts most moves by half a band a time."""
    y = ramp(depth, step)
    start, slope = program(y, depth)
    assert start > 15
    x = y
    for _ in range(30):
        x = x - slope * (step / 2 / np.abs(slope).max())
        found, slope = program(x, depth)
    assert found < (1 - laws.DESCENT) * start
    # few codes are moved, and none far
    assert np.sqrt(np.mean((x - y) ** 2)) < step


def test_bands_pull_at_each_other():
    y = np.full(SIZE, 400, np.float32)
    y[:, 112:] = 404
    _, slope = program(y, 10)
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


def banding_model():
    """A regression of CAMBI alone, without v1's limit."""
    svr = Svr(np.array([[0.0], [1.0]]), np.array([2.0, -1.0]), np.float64(0.5), np.float64(0.1))
    cambi = FeatureRef("cambi", "Cambi_feature_cambi_score")
    return Model(svr, np.array([0.02, 0.03]), np.array([0.1, 0.0]), features=(cambi,))


def test_switch_changes_the_gradient_and_not_the_value():
    ref, dis = ramp(8, 1, (48, 216))[None], ramp(8, 2, (48, 216))[None]
    dis = dis + np.float32(0.2)

    @quick
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

    @quick
    def both(y, step):
        fn = lambda y: banding(y, 8, free, geometries(*y.shape[1:], free)[0])  # noqa: E731
        _, forward = jax.jvp(fn, (y,), (step,))
        value, back = jax.vjp(fn, y)
        (slope,) = back(jnp.ones_like(value))
        return value, forward, (slope * step).sum((-2, -1))

    value, forward, reverse = both(y, step)
    np.testing.assert_allclose(forward, reverse, rtol=1e-5, atol=1e-7)
    assert value[1] == forward[1] == 0
    capped = FEATURE.resolve({"cambi_max_val": float(value[0]) / 2})
    slope = quick(
        jax.grad(lambda y: banding(y, 8, capped, geometries(*y.shape[1:], capped)[0]).sum())
    )(y)
    np.testing.assert_array_equal(slope, 0)


def test_shares_of_largest():
    x = np.array([[0, 5, 2], [2, 2, 7]], np.float32)
    for count in range(1, 7):
        expected = np.sort(x.ravel())[-count:].mean()
        shares = np.asarray(shares_of_largest(jnp.asarray(x), count, 8.0))
        np.testing.assert_allclose((shares * x).sum(), expected, rtol=1e-6)
    np.testing.assert_allclose(shares_of_largest(jnp.asarray(x), 4, 8.0)[1], [1 / 6, 1 / 6, 1 / 4])


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
    found = quick(functools.partial(losses.cambi, bit_depth=8))(ref, dis)
    score = quick(lambda y: features.cambi(y, y)["cambi"])
    sides = [score(x.astype(np.uint8)) for x in (dis, ref)]
    np.testing.assert_array_equal(found, sides[0] - sides[1])
    with pytest.raises(ValueError, match="both sides alike"):
        losses.cambi(ref, dis, bit_depth=8, full_ref=True)
    with pytest.raises(ValueError, match="at least 216 samples"):
        losses.cambi(ref[:, :, :100], dis[:, :, :100], bit_depth=8)
