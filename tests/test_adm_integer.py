import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxvqa._ops import tiling
from jaxvqa.features._adm.fixed import reciprocal
from jaxvqa.features._adm.integer_adm import ADM as FEATURE
from jaxvqa.features._adm.integer_adm import _frame_sums, _scores, adm_integer
from jaxvqa.features._options import parse_text
from tests import clips, tolerances
from tests.oracles import adm_integer as oracle
from tests.programs import quick, scored

NAMES = [
    "integer_adm2",
    "integer_aim",
    "integer_adm3",
    *(f"integer_adm_scale{s}" for s in range(4)),
]
GOLDEN = [
    (clip, run)
    for clip in clips.CLIPS
    for run in clips.golden(clip)
    if run.split("=")[0] == "feature:adm"
]


def float32_steps(found, expected):
    """Largest distance in units of the last place of the expected float32 values."""
    expected = np.asarray(expected, np.float32)
    return np.max(np.abs(np.asarray(found) - expected) / np.spacing(np.abs(expected)))


@functools.lru_cache
def compiled(**options):
    return scored(lambda r, d: adm_integer(r, d, **options), FEATURE)


@pytest.mark.parametrize("clip, run", GOLDEN)
def test_matches_libvmaf(clip, run):
    options = parse_text(run.removeprefix("feature:"))[1]
    ref, dis = (p.luma_only() for p in clips.load(clip))
    program = quick(lambda r, d: adm_integer(r, d, **options)) if options else jax.jit(adm_integer)
    found = program(ref, dis)
    expected = clips.golden(clip)[run]
    suffix = FEATURE.resolve(options).suffix
    assert {name + suffix for name in found} == set(expected)
    for name, values in found.items():
        steps = float32_steps(values, expected[name + suffix])
        assert steps <= tolerances.ADM_INTEGER_FLOAT32_STEPS, name


def pictures(shape, bits, seed):
    """Pairs that reach the limits of the arithmetic, and ordinary ones."""
    rng = np.random.default_rng(seed)
    peak = (1 << bits) - 1
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    black, white = np.zeros(shape, int), np.full(shape, peak)
    noise, other = rng.integers(0, peak + 1, (2, *shape))
    textured = clips.textured(rng, shape, bits).astype(int)
    lines, posts = rows % 2 * peak, columns % 2 * peak
    board, big_board = (rows + columns) % 2 * peak, (rows // 8 + columns // 8) % 2 * peak
    dot = black.copy()
    dot[shape[0] // 2, shape[1] // 2] = peak
    wobble = np.clip(textured + rng.integers(-9, 10, shape) * (peak + 1) // 256, 0, peak)
    contrast = np.clip((textured - peak // 2) * 2 + peak // 2, 0, peak)
    pairs = [
        (textured, wobble), (wobble, textured), (textured, textured), (textured, contrast),
        (contrast, textured), (noise, other), (noise, noise // 2), (black, black), (white, white),
        (black, white), (black, noise), (lines, lines), (lines, peak - lines), (lines, posts),
        (black, lines), (posts, lines // 2), (board, board), (board, black), (board, peak - board),
        (big_board, big_board // 2), (big_board, lines), (dot, black), (black, dot),
        (textured, dot),
    ]  # fmt: skip
    dtype = np.uint8 if bits == 8 else np.uint16
    return tuple(np.stack(side).astype(dtype) for side in zip(*pairs, strict=True))


CASES = {
    "8 bits, odd": ((67, 75), 8, {}),
    "10 bits, smallest": ((33, 33), 10, {"adm_enhn_gain_limit": 1.0, "adm_csf_mode": 2}),
    "12 bits, fractional gain": ((34, 90), 12, {"adm_enhn_gain_limit": 1.3, "adm_csf_mode": 3}),
    "16 bits, far": ((129, 37), 16, {"adm_norm_view_dist": 5.0, "adm_enhn_gain_limit": 1.0}),
    "Barten": ((67, 75), 8, {"csf": 1, "scf": 0.002893, "scfd": 0.001586}),
    # the largest weights that fit: much else overflows in the reference
    "Barten, large": ((67, 75), 8, {"csf": 1, "scf": 0.0256, "scfd": 0.00639}),
}


@pytest.mark.parametrize("case", CASES)
def test_integers_equal_the_oracle(case):
    shape, bits, given = CASES[case]
    options = FEATURE.resolve(given)
    ref, dis = pictures(shape, bits, 3)
    with jax.enable_x64(True):
        one = lambda pair: _frame_sums(*pair, options, bits)  # noqa: E731
        found = scored(lambda r, d: jax.lax.map(one, (r, d)), FEATURE)(ref, dis)
        found = np.asarray(found)
    display = (options.csf_mode, options.norm_view_dist, options.ref_display_height)
    weights = oracle.fixed_weights(*display, (options.csf_scale, options.csf_diag_scale))
    expected = [
        oracle.sums(r, d, bits, weights, options.enhancement_gain_limit)
        for r, d in zip(ref, dis, strict=True)
    ]
    np.testing.assert_array_equal(found, expected)


def test_pictures_reach_the_wrapping_of_the_reference():
    """The full-contrast lines are above the range of the 16-bit centre term, so it is tested."""
    ref, _ = pictures((67, 75), 8, 3)
    _, detail = oracle.dwt(ref[11], 0, 8)
    assert (8738 * (36453 * np.abs(detail[0]).max() >> 15) >> 12) > 32767


# one program for several tests
UNUSUAL = {"noise_weight": 0.5, "dlm_weight": 0.25, "min_val": 0.3, "debug": True}


def test_scores_follow_from_the_integers():
    ref, dis = pictures((67, 75), 8, 3)
    found = compiled(**UNUSUAL)(ref, dis)
    for i, (r, d) in enumerate(zip(ref, dis, strict=True)):
        sums = oracle.sums(r, d, 8, oracle.fixed_weights(0, 3.0, 1080), 100.0)
        expected = oracle.scores(sums, *r.shape, oracle.factors(0, 3.0, 1080), 0.5, 0.25, 0.3)
        got = [found[name][i] for name in NAMES]
        assert float32_steps(got, expected) <= tolerances.ADM_INTEGER_FLOAT32_STEPS
    np.testing.assert_array_equal(found["integer_adm"], found["integer_adm2"])
    parts = sum(np.asarray(found[f"integer_adm_num_scale{s}"], float) for s in range(4))
    np.testing.assert_allclose(found["integer_adm_num"], parts, rtol=1e-6)
    assert len(found) == 7 + 3 + 8


def test_reciprocal_is_exact():
    m = np.arange(1, 32769, dtype=np.int32)
    np.testing.assert_array_equal(jax.jit(reciprocal)(m), (1 << 30) // m)


def test_laws():
    ref, dis = pictures((67, 75), 8, 3)
    run = compiled(**UNUSUAL)
    found = run(ref, dis)
    assert all(np.isfinite(x).all() for x in found.values())
    same = run(ref, ref)
    # without loss the additive part is 0; rounding the masked cubes leaves a little below 1
    np.testing.assert_array_equal(same["integer_aim"], 0)
    assert np.all(same["integer_adm2"] > 0.999)
    # frames don't see each other, mapped or batched
    one = functools.partial(adm_integer, **UNUSUAL)
    batched = scored(jax.vmap(one), FEATURE)(ref[:2, None], dis[:2, None])
    for name, values in batched.items():
        np.testing.assert_array_equal(values[:, 0], found[name][:2])


def test_skips():
    ref, dis = pictures((67, 75), 8, 3)
    full = compiled(**UNUSUAL)(ref, dis)
    found = compiled(skip_aim=True, skip_scale0=True, noise_weight=0.5)(ref, dis)
    np.testing.assert_array_equal(found["integer_aim"], 0)
    np.testing.assert_array_equal(found["integer_adm_scale0"], 0)
    for scale in (1, 2, 3):
        name = f"integer_adm_scale{scale}"
        np.testing.assert_array_equal(found[name], full[name])
    np.testing.assert_allclose(found["integer_adm3"], 0.5 * found["integer_adm2"] + 0.5, rtol=1e-7)


def test_flat_reference_without_noise_floor_is_finite():
    """The tool divides 0 by 0 there."""
    with jax.enable_x64(True):
        nothing = jnp.zeros((4, 3, 3), jnp.int64)
        found = _scores(nothing, 40, 40, FEATURE.resolve({"adm_noise_weight": 0}))
    for name in NAMES:
        assert float(found[name]) == (0 if name == "integer_aim" else 1)


@pytest.mark.parametrize(
    "options, message",
    [
        (
            {"csf_mode": 1},
            r"scale 0 .* overflows .* 16 bits: give adm_csf_scale of at most 0.0256,",
        ),
        ({"csf": 1, "scf": 0.01}, "give adm_csf_diag_scale of at most 0.00639,"),
        ({"csf": 1, "ssz": True}, r"scale 1 .* 32 bits: give adm_csf_scale of at most 0.0367,"),
        ({"norm_view_dist": 2.9}, "at least 3240"),
        ({"adm_csf_mode": 2, "nvd": 4}, r"no table .* 1080 rows at 4 heights"),
        ({"adm_enhn_gain_limit": 0.5}, "between 1 and 100"),
        ({"adm_p_norm": 2}, "has no option 'adm_p_norm'"),
    ],
)
def test_bad_options(options, message):
    frame = np.zeros((40, 40), np.uint8)
    with pytest.raises(ValueError, match=message):
        adm_integer(frame, frame, **options)


def test_barten_is_taken_as_far_as_its_weights_fit():
    frame = np.zeros((1, 40, 40), np.uint8)
    for given in ({"scf": 0.0256, "scfd": 0.00639}, {"scf": 0.0367, "scfd": 0.0367, "ssz": True}):
        found = jax.eval_shape(lambda x, given=given: adm_integer(x, x, csf=1, **given), frame)
        assert found["integer_adm2"].shape == (1,)


def test_bad_frames():
    with pytest.raises(ValueError, match=r"at least 33x33 .* got 90x32"):
        adm_integer(np.zeros((32, 90), np.uint8), np.zeros((32, 90), np.uint8))
    frame = np.zeros((40, 40), np.float32)
    with pytest.raises(TypeError, match="integer code values"):
        adm_integer(frame, frame, bit_depth=8)


def test_names():
    outputs = FEATURE.outputs(FEATURE.resolve({}))
    assert [o.name for o in outputs] == NAMES
    raw = [f"VMAF_integer_feature_{x}_score" for x in ("adm2", "aim", "adm3")]
    assert [o.key for o in outputs] == raw + NAMES[3:]
    options = FEATURE.resolve({"csf": 2, "nvd": 1.5, "rdh": 2160, "adm_skip_aim": True})
    assert options.suffix == "_csf_2_nvd_1.5_rdh_2160"


@pytest.mark.parametrize("platform", ["cpu", "cuda", "tpu"])
def test_exports(platform):
    frames = jax.ShapeDtypeStruct((2, 48, 64), jnp.uint8)
    exported = jax.export.export(jax.jit(adm_integer), platforms=[platform])(frames, frames)
    assert exported.out_avals[0].dtype == jnp.float32


def test_strips_and_whole_bands_give_the_same_sums(monkeypatch):
    rng = np.random.default_rng(5)
    ref = rng.integers(0, 256, (257, 331)).astype(np.uint8)
    dis = np.clip(ref + rng.normal(0, 30, ref.shape), 0, 255).astype(np.uint8)

    def sums():
        with jax.enable_x64(True):
            program = quick(lambda r, d: _frame_sums(r, d, options, 8))
            return np.asarray(program(ref, dis))

    options = FEATURE.resolve({})
    whole = sums()
    monkeypatch.setattr(tiling, "_WHOLE", 0)
    monkeypatch.setattr(tiling, "_NARROW", 1)
    np.testing.assert_array_equal(sums(), whole)
    assert np.count_nonzero(whole) > 30
