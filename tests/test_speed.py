import functools

import jax
import numpy as np
import pytest

from jaxvqa import losses
from jaxvqa._planes import Planes
from jaxvqa.features._kernels import KERNEL_SCALES, check_kernel_scale, kernel_width
from jaxvqa.features._options import parse_text
from jaxvqa.features._speed.speed import SPEED_CHROMA, SPEED_TEMPORAL, speed_chroma, speed_temporal
from tests import clips, laws, tolerances
from tests.oracles import speed as oracle
from tests.programs import check_gradients, quick

FEATURES = {"speed_chroma": SPEED_CHROMA, "speed_temporal": SPEED_TEMPORAL}
# left out: what compiles anew and adds nothing, that is the default mode spelled out, the modes
# that temporal ignores (but one), and prescales whose chroma is too small to have a score (but one)
SKIPPED = (
    "feature:speed_chroma=speed_weight_var_mode=0",
    *(f"feature:speed_temporal=speed_weight_var_mode={m}" for m in (0, 1, 2, 3, 4, 6)),
    *(f"feature:speed_chroma=speed_prescale=0.5:speed_prescale_method={m}"
      for m in ("bilinear", "nearest", "lanczos4")),
)  # fmt: skip
RUNS = [
    (clip, run)
    for clip in clips.CLIPS
    for run in clips.golden(clip)
    if run.startswith(("feature:speed_chroma", "feature:speed_temporal")) and run not in SKIPPED
]


def test_golden_runs_exist():
    assert len(RUNS) >= 20


@pytest.mark.parametrize(("clip", "run"), RUNS)
def test_matches_libvmaf(clip, run):
    name, given = parse_text(run.removeprefix("feature:"))
    feature = FEATURES[name]
    options = feature.resolve(given)
    ref, dis = clips.load(clip)
    compiled = quick if options.changed() else jax.jit
    program = compiled(lambda r, d: feature.extract(r, d, options))
    index = np.clip(np.arange(-feature.before(options), ref.frames), 0, None)
    series = program(*(jax.tree.map(lambda p: p[index], x) for x in (ref, dis)))
    series = series if feature.finish is None else feature.finish(series, options)
    expected = clips.golden(clip)[run]
    found = {o.name + options.suffix: series[o.name] for o in feature.outputs(options)}
    assert found.keys() == expected.keys()
    for key, values in expected.items():
        np.testing.assert_allclose(found[key], values, rtol=tolerances.SPEED_RELATIVE, err_msg=key)


@functools.lru_cache
def pair(height=165, width=182, frames=2, dtype=np.uint8):
    """A textured pair; chroma planes of the given size, 4:4:4."""
    rng = np.random.default_rng(3)
    planes = [clips.textured(rng, (frames, height, width)).astype(dtype) for _ in range(3)]
    noisy = [np.clip(p + rng.normal(0, 9, p.shape), 0, 255).astype(dtype) for p in planes]
    return Planes(*planes, bit_depth=8), Planes(*noisy, bit_depth=8)


OPTION_SETS = [
    {},
    {"kernel_scale": 2.4, "sigma_nn": 0.5, "weight_var_mode": 4, "nn_floor": 0.3},
    {"prescale": 1.3, "prescale_method": "lanczos4", "weight_var_mode": 5},
    {"prescale": 1.25, "prescale_method": "bilinear", "kernel_scale": 0.5, "weight_var_mode": 2},
    {"prescale": 0.95, "prescale_method": "nearest", "max_val": 3.0},
]


def _oracle_options(given):
    names = {"prescale_method": "method", "sigma_nn": "noise", "nn_floor": "floor",
             "weight_var_mode": "mode", "max_val": "maximum"}  # fmt: skip
    return {names.get(k, k): v for k, v in given.items()}


@pytest.mark.parametrize("given", OPTION_SETS)
def test_chroma_matches_the_oracle(given):
    ref, dis = pair(177, 196)
    found = quick(lambda r, d: speed_chroma(r, d, **given))(ref, dis)
    for i in range(ref.frames):
        planes = [[p[i].astype(float) for p in (x.u, x.v)] for x in (ref, dis)]
        expected = oracle.chroma(*planes, **_oracle_options(given))
        got = [found[f"speed_chroma_{k}"][i] for k in ("u", "v", "uv")]
        np.testing.assert_allclose(got, expected, rtol=tolerances.SPEED_FLOAT32)
        assert min(expected) > 0


@pytest.mark.parametrize("given", [{}, {"use_ref_diff": True, "kernel_scale": 1.5}])
def test_temporal_matches_the_oracle(given):
    ref, dis = (x.luma_only() for x in pair(frames=3))
    found = quick(lambda r, d: speed_temporal(r, d, **given))(ref, dis)["speed_temporal"]
    luma = [x.y.astype(float) for x in (ref, dis)]
    np.testing.assert_allclose(
        found, oracle.temporal(*luma, **given), rtol=tolerances.SPEED_FLOAT32
    )
    with jax.enable_x64(True):
        program = quick(lambda r, d: speed_temporal(r, d, bit_depth=8, **given))
        found = program(*luma)["speed_temporal"]
        assert found.dtype == np.float64
        expected = oracle.temporal(*luma, rounded=False, **given)
        np.testing.assert_allclose(found, expected, rtol=tolerances.SPEED_FLOAT64)


def test_odd_subsampled_chroma_loses_its_last_sample():
    ref, dis = pair(163, 165)
    odd = [Planes(np.zeros((2, 325, 329), np.uint8), x.u, x.v) for x in (ref, dis)]
    even = [
        Planes(np.zeros((2, 324, 328), np.uint8), x.u[:, :162, :164], x.v[:, :162, :164])
        for x in (ref, dis)
    ]
    program = quick(speed_chroma)
    found, expected = program(*odd), program(*even)
    for name, values in expected.items():
        np.testing.assert_array_equal(found[name], values)


def test_equal_videos_give_exactly_zero():
    ref, _ = pair()
    found = quick(lambda x: speed_chroma(x, x) | speed_temporal(x, x))(ref)
    for values in found.values():
        np.testing.assert_array_equal(values, 0)


def test_flat_plane_is_flagged_and_leaves_uv_to_the_other():
    ref, dis = pair()
    flat = Planes(dis.y, np.full_like(dis.u, 128), dis.v)
    options = SPEED_CHROMA.resolve({})
    series = quick(lambda r, d: SPEED_CHROMA.extract(r, d, options))(ref, flat)
    np.testing.assert_array_equal(series["speed_chroma_u"], 0)
    np.testing.assert_array_equal(series["speed_chroma_flag_u"], 1)
    np.testing.assert_array_equal(series["speed_chroma_flag_v"], 0)
    np.testing.assert_array_equal(series["speed_chroma_uv"], series["speed_chroma_v"])
    assert (series["speed_chroma_v"] > 0).all()


def test_too_few_windows_give_zero():
    ref, dis = pair(80, 120)
    found = quick(lambda r, d: speed_chroma(r, d) | speed_temporal(r, d))(ref, dis)
    for values in found.values():
        np.testing.assert_array_equal(values, 0)


def test_a_compiled_function_can_be_batched_afterwards():
    """The 64-bit scope has closed by then."""
    ref, dis = (x.y.astype(np.float32) for x in pair())
    fn = jax.jit(functools.partial(speed_temporal, bit_depth=8))
    batched = jax.vmap(fn)(np.stack([ref, dis]), np.stack([dis, ref]))["speed_temporal"]
    alone = fn(ref, dis)["speed_temporal"]
    np.testing.assert_allclose(batched[0], alone, rtol=tolerances.SPEED_FLOAT32)


def _weighted(u_ref, u_dis):
    luma = np.zeros(u_ref.shape, u_ref.dtype)
    ref = Planes(luma, u_ref, u_ref[:, ::-1], bit_depth=8)
    dis = Planes(luma, u_dis, u_dis[:, ::-1], bit_depth=8)
    found = speed_chroma(ref, dis, weight_var_mode=5)
    return found["speed_chroma_uv"].sum() + 0.5 * found["speed_chroma_u"].sum()


def test_gradients():
    ref, dis = pair(160, 160)
    u_ref, u_dis = (x.u[:1].astype(np.float64) for x in (ref, dis))
    with jax.enable_x64(True):
        check_gradients(
            _weighted, (u_ref, u_dis), eps=1e-4, rtol=tolerances.GRADIENT, atol=tolerances.GRADIENT
        )
        exact = quick(jax.grad(_weighted, 1))(u_ref, u_dis)
    single = [x.astype(np.float32) for x in (u_ref, u_dis)]
    found = quick(jax.grad(_weighted, 1))(*single)
    assert found.dtype == np.float32
    limit = tolerances.SPEED_GRADIENT_FLOAT32 * np.abs(exact).max()
    np.testing.assert_allclose(found, exact, rtol=0, atol=limit)
    batched = quick(jax.vmap(jax.jit(jax.grad(_weighted, 1))))(*(np.stack([x, x]) for x in single))
    np.testing.assert_allclose(batched[1], exact, rtol=0, atol=limit)


def test_descent_on_blurred_chroma():
    ref, _ = clips.load("bunny_353x289_444_odd")
    planes = [p[:1, :160, :160].astype(np.float32) for p in (ref.u, ref.v)]
    padded = [np.pad(p, ((0, 0), (2, 2), (2, 2)), mode="edge") for p in planes]
    blurred = [sum(p[:, i : i + 160, j : j + 160] for i in range(5) for j in range(5)) / 25
               for p in padded]  # fmt: skip
    luma = np.zeros((1, 160, 160), np.float32)

    def total(dis):
        sides = [Planes(luma, *chroma, bit_depth=8) for chroma in (planes, dis)]
        return losses.speed_chroma(*sides).sum()

    program = quick(jax.value_and_grad(total))

    def step(x):
        value, slope = program(list(x))
        return float(value), np.stack(slope)

    laws.check_descent(step, np.stack(blurred))


def test_bad_input():
    ref, dis = pair(64, 96)
    with pytest.raises(ValueError, match=r"4:4:4.*80x80"):
        speed_chroma(ref, dis)
    with pytest.raises(ValueError, match="at least 159x159"):
        speed_temporal(ref, dis, prescale=0.5, prescale_method="bicubic")
    with pytest.raises(ValueError, match="needs chroma"):
        speed_chroma(ref.luma_only(), dis.luma_only())
    with pytest.raises(ValueError, match=r"speed_kernelscale.*1\.16667"):
        speed_chroma(ref, dis, kernel_scale=1.2)
    with pytest.raises(ValueError, match=r"between 0\.1 and 2"):
        speed_chroma(ref, dis, speed_sigma_nn=3)


def test_kernel_widths():
    assert len(KERNEL_SCALES) == 21
    assert [kernel_width(s, 1.0) for s in range(5)] == [17, 9, 5, 3, 3]
    assert [kernel_width(s, 360 / 97) for s in range(5)] == [65, 35, 19, 13, 9]
    for scale in KERNEL_SCALES:
        assert check_kernel_scale("ks", scale + 5e-4) == scale + 5e-4
        assert [kernel_width(s, scale) for s in range(5)] == [
            oracle.filter_width(s, scale) for s in range(5)
        ]
