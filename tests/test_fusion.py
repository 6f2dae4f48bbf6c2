import json
import re

import jax
import jax.export
import jax.numpy as jnp
import numpy as np
import pytest
from jax.test_util import check_grads

from jaxvqa.fusion import _libvmaf_json as libvmaf_json
from jaxvqa.fusion import _series as host
from jaxvqa.fusion._bootstrap import predict_collection
from jaxvqa.fusion._catalog import list_models, load_model, model_folder
from jaxvqa.fusion._model import Collection
from jaxvqa.fusion._predict import predict
from jaxvqa.fusion._series import score_series
from tests import clips, tolerances
from tests.fusion_files import libvmaf_file
from tests.oracles import fusion as oracle

pytestmark = pytest.mark.usefixtures("compile_fast")

# the estimate is a perceptron: tests/test_fusion_fit.py has the oracle of those
NAMES = [record.name for record in list_models() if record.name != "vmaf_estimate"]
SINGLES = ("vmaf_v0.6.1", "vmaf_v0.6.0", "vmaf_v1.0.16_3d0h_2160", "funque_2022")

# official FUNQUE 2022 model on an 8-frame 320x180 cut of Big Buck Bunny (CC BY 3.0), frames 0, 1, 7
FUNQUE_FEATURES = {
    "dlm": (0.8539347931320446, 0.8603159734565857, 0.859266359013735),
    "motion": (0.0, 0.04861628078944986, 0.00029275232606146984),
    "wd_essim": (0.015916174694080045, 0.01977558417467481, 0.006123407140574739),
    "vif_scale1": (0.8943902210500424, 0.8953689033286537, 0.8987153434047812),
    "vif_scale2": (0.9314072069387046, 0.9309193095038149, 0.9342229843117122),
}
FUNQUE_SCORES = (37.142093617320015, 25.038006687541493, 34.357086403543114)


def printed(key):
    """libvmaf's printed name of a feature key, without option suffix."""
    inner = re.fullmatch(r"(VMAF_integer|VMAF|Cambi|Speed_chroma)_feature_(.*)_score", key)
    return ("integer_" if inner[1] == "VMAF_integer" else "") + inner[2]


def golden_series(model, run):
    """The run's feature values under the model's keys."""
    series = {}
    for feature in model.features:
        name = printed(feature.key)
        (found,) = [key for key in run if key == name or key.startswith(name + "_")]
        series[feature.key] = np.array(run[found], np.float64)
    return series


def plausible(model, rng, count):
    """Random features: between 0 and 1.1, chroma and motion up to 20, every third chroma 0."""
    columns = []
    for feature in model.features:
        wide = any(part in feature.key for part in ("motion", "cambi", "speed"))
        column = rng.uniform(0, 20 if wide else 1.1, count)
        if "speed_chroma" in feature.key:
            column[::3] = 0
        columns.append(column)
    return np.stack(columns, axis=1)


def series_of(model, rows):
    return {f.key: rows[:, i] for i, f in enumerate(model.features)}


@pytest.mark.parametrize("clip", clips.CLIPS)
def test_scores_match_libvmaf(clip):
    runs = {k: v for k, v in clips.golden(clip).items() if k.startswith("model:")}
    assert len(runs) == 23
    for run, expected in runs.items():
        model = load_model(run.removeprefix("model:").replace(":", "_"))
        found = score_series(model, golden_series(model, expected), "vmaf")
        assert set(found) == {key for key in expected if key.startswith("vmaf")}
        for key, values in found.items():
            np.testing.assert_allclose(
                values, expected[key], rtol=0, atol=tolerances.FUSION_GOLDEN, err_msg=f"{run} {key}"
            )


def test_phone_switch_equals_phone_model():
    run = clips.golden(clips.CLIPS[0])["model:vmaf_v0.6.1:phone"]
    model = load_model("vmaf_v0.6.1")
    found = score_series(model, golden_series(model, run), "vmaf", transform=True)
    np.testing.assert_allclose(found["vmaf"], run["vmaf"], rtol=0, atol=tolerances.FUSION_GOLDEN)


def test_funque_2022_matches_the_official_model():
    series = {f"FUNQUE_feature_{k}_score": np.array(v) for k, v in FUNQUE_FEATURES.items()}
    model = load_model("funque_2022")
    assert model.info.direction == "lower"
    assert {f.extractor for f in model.features} == {"funque_2022"}
    np.testing.assert_allclose(
        score_series(model, series, "funque")["funque"],
        FUNQUE_SCORES,
        rtol=0,
        atol=tolerances.FUSION_ORACLE,
    )


@pytest.mark.parametrize("name", NAMES)
def test_shipped_models_match_oracle(name):
    model = load_model(name)
    rows = plausible(model, np.random.default_rng(1), 6)
    numbers = oracle.from_own(model_folder(), name)
    for transform, clip in ((None, True), (True, False)):
        found = score_series(model, series_of(model, rows), "s", transform=transform, clip=clip)
        for index, row in enumerate(rows):
            if isinstance(model, Collection):
                expected = oracle.collection(numbers, row, transform, clip)
            else:
                score = oracle.raw(numbers[0], row)
                expected = {"": oracle.published(numbers[0], score, transform, clip)}
            assert {"s" + suffix for suffix in expected} == set(found)
            for suffix, value in expected.items():
                np.testing.assert_allclose(
                    found["s" + suffix][index], value, rtol=1e-12, atol=tolerances.FUSION_ORACLE
                )


TRANSFORMS = {
    "knots": {"knots": [[-10, 3], [20, 3], [50, 40], [70, 90]], "enabled": True},
    "knots flat at the end": {"knots": [[10, 3], [50, 40], [70, 40]], "enabled": True},
    "partial polynomial": {"p1": 0.9, "p0": None, "enabled": True},
    "polynomial then knots": {"p2": 0.01, "knots": [[0, 0], [80, 60]], "enabled": True},
    "not above": {"p0": 9.0, "p1": 0.8, "out_lte_in": "true", "enabled": True},
    "not below": {"p0": 9.0, "p1": 0.8, "out_gte_in": "true", "enabled": True},
    "both": {"p0": 9.0, "p1": 0.8, "out_gte_in": "true", "out_lte_in": "true", "enabled": True},
    "off": {"p0": 9.0, "p1": 0.8},
    "nothing": {"enabled": True},
}


@pytest.mark.parametrize("norm_type", ("linear_rescale", "none"))
@pytest.mark.parametrize("case", TRANSFORMS)
def test_transforms_match_oracle(case, norm_type):
    rng = np.random.default_rng(3)
    content = libvmaf_file(rng, norm_type=norm_type, score_transform=TRANSFORMS[case], count=3)
    numbers = oracle.from_libvmaf(content["model_dict"])
    model = libvmaf_json.read(json.dumps(content), "x.json")
    rows = rng.uniform(-3, 3, (40, 3))
    for transform in (None, True, False):
        found = score_series(model, series_of(model, rows), "s", transform=transform)["s"]
        expected = [oracle.published(numbers, oracle.raw(numbers, r), transform) for r in rows]
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=tolerances.FUSION_ORACLE)


def test_knots_are_hit_exactly_and_extended():
    from jaxvqa.fusion._predict import piecewise_linear

    knots = jnp.asarray([[0.0, 1.0], [2.0, 1.0], [4.0, 9.0]])
    found = piecewise_linear(knots, jnp.asarray([-7.0, 0.0, 1.0, 2.0, 3.0, 4.0, 6.0]))
    np.testing.assert_array_equal(found, [1, 1, 1, 1, 5, 9, 17])


def test_chroma_correction_only_at_exactly_zero():
    model = load_model("vmaf_v1")
    rows = np.tile([0.5, 0.0, 0.9, 4.0], (4, 1))
    rows[:, 1] = [0.0, 120 * (1 - 0.9), 1e-6, -0.0]
    scores = score_series(model, series_of(model, rows), "v")["v"]
    assert scores[0] == pytest.approx(scores[1], abs=1e-12)
    assert scores[3] == scores[0]
    assert scores[2] > scores[0] + 5


def test_a_perfect_frame_needs_no_correction():
    model = load_model("vmaf_v1")
    numbers = oracle.from_own(model_folder(), "vmaf_v1.0.16_3d0h")[0]
    row = [0.0, 0.0, 1.0, 3.0]
    found = score_series(model, series_of(model, np.array([row])), "v", clip=False)["v"]
    plain = numbers | {"chroma_correction_parameter": None}
    expected = oracle.published(plain, oracle.raw(plain, row), clip=False)
    np.testing.assert_allclose(found, [expected], atol=tolerances.FUSION_ORACLE)


@pytest.mark.parametrize("name", SINGLES)
def test_float32_stays_close(name):
    model = load_model(name)
    rows = plausible(model, np.random.default_rng(4), 50)
    single = predict(model, jnp.asarray(rows, jnp.float32), clip=False)
    assert single.dtype == jnp.float32
    double = score_series(model, series_of(model, rows.astype(np.float32)), "s", clip=False)["s"]
    np.testing.assert_allclose(single, double, rtol=1e-5, atol=tolerances.FUSION_FLOAT32)


def test_half_precision_features_are_computed_in_single():
    model = load_model("vmaf_v0.6.1")
    assert predict(model, jnp.ones((2, 6), jnp.bfloat16)).dtype == jnp.float32


@pytest.mark.parametrize("name", ("vmaf_v0.6.1", "vmaf_v1"))
def test_gradients(name):
    model = load_model(name)
    rows = plausible(model, np.random.default_rng(5), 2) + 0.01
    with jax.enable_x64(True):
        features = jnp.asarray(rows)
        check_grads(
            lambda x: predict(model, jnp.asarray(x), clip=False), (features,), 1, ("fwd", "rev")
        )
        slopes = jax.grad(lambda x: predict(model, x, clip=False).sum())(features)
    assert np.abs(slopes).max() > 0


def test_gradient_at_zero_chroma_goes_to_adm():
    model = load_model("vmaf_v1")
    row = jnp.asarray([[0.5, 0.0, 0.95, 4.0]], jnp.float32)
    slopes = jax.jit(jax.grad(lambda x: predict(model, x, clip=False).sum()))(row)[0]
    assert np.isfinite(slopes).all()
    assert slopes[1] == 0
    assert slopes[2] > 100  # through the stand-in 120 (1 - adm3), not through adm3's own term alone


def with_members(model, indices):
    """A smaller collection: the main model and some of the members."""
    return Collection(model.main, jax.tree.map(lambda leaf: leaf[np.array(indices)], model.members))


def test_collection_gradients():
    model = with_members(load_model("vmaf_b_v0.6.3"), [0, 1, 2, 3])
    rows = plausible(model, np.random.default_rng(6), 2)
    with jax.enable_x64(True):
        scores = jax.jit(lambda x: predict_collection(model, x, clip=False))
        check_grads(scores, (jnp.asarray(rows),), 1, ("rev",))


def test_equal_members_have_zero_spread_and_finite_gradient():
    same = with_members(load_model("vmaf_b_v0.6.3"), [5, 5, 5])
    rows = jnp.full((1, 6), 0.5, jnp.float32)
    spread = jax.jit(jax.value_and_grad(lambda x: predict_collection(same, x)["_stddev"].sum()))
    value, slope = spread(rows)
    assert value == pytest.approx(0, abs=1e-4)
    assert np.isfinite(slope).all()


def test_collection_is_one_vmap():
    model = load_model("vmaf_b_v0.6.3")
    program = jax.make_jaxpr(lambda x: predict_collection(model, x))(jnp.ones((4, 6)))
    assert len(re.findall(r"= exp ", str(program))) == 2  # the main model and all members


@pytest.mark.parametrize("name", ("vmaf_v1", "vmaf_float_b_v0.6.3"))
def test_jit_vmap_and_eager_agree(name):
    model = load_model(name)
    if isinstance(model, Collection):
        model = with_members(model, [0, 1])
    rows = plausible(model, np.random.default_rng(7), 8).astype(np.float32)
    batch = jnp.asarray(rows.reshape(2, 4, -1))

    def run(model, rows):
        return host._scores(model, rows, None, True)

    mapped = jax.jit(jax.vmap(run, in_axes=(None, 0)))(model, batch)
    for i in range(2):
        eager = run(model, batch[i])
        for suffix, values in eager.items():
            np.testing.assert_allclose(
                mapped[suffix][i], values, rtol=1e-5, atol=tolerances.FUSION_FLOAT32
            )


@pytest.mark.parametrize("name", ("vmaf_v1", "vmaf_b_v0.6.3"))
def test_exports(name):
    model = load_model(name)
    shape = jax.ShapeDtypeStruct((8, len(model.features)), jnp.float32)

    def double(x):
        with jax.enable_x64(True):
            return host._scores(model, x.astype(jnp.float64), None, True)

    for program in (lambda x: host._scores(model, x, None, True), double):
        exported = jax.export.export(jax.jit(program), platforms=("cpu", "cuda", "tpu"))(shape)
        assert exported.platforms == ("cpu", "cuda", "tpu")


def test_long_clips_go_in_blocks():
    model = load_model("vmaf_v0.6.1")
    rows = plausible(model, np.random.default_rng(8), 1030)
    whole = score_series(model, series_of(model, rows), "s")["s"]
    assert whole.shape == (1030,)
    assert whole.dtype == np.float64
    tail = score_series(model, series_of(model, rows[1020:]), "s")["s"]
    np.testing.assert_allclose(whole[1020:], tail, rtol=0, atol=tolerances.FUSION_ORACLE)


def test_lengths_and_sister_models_share_a_program():
    for name in ("vmaf_v0.6.1", "vmaf_v0.6.1neg", "vmaf_v0.6.1mfz"):
        model = load_model(name)
        for count in (1, 7, 16):
            rows = plausible(model, np.random.default_rng(9), count)
            score_series(model, series_of(model, rows), "s")
        if name == "vmaf_v0.6.1":
            before = host.predictions._cache_size()
    assert host.predictions._cache_size() == before


def test_no_frames_give_empty_scores():
    model = load_model("vmaf_v0.6.1")
    assert score_series(model, series_of(model, np.zeros((0, 6))), "s")["s"].shape == (0,)


def test_missing_values_stay_missing():
    model = load_model("vmaf_b_v0.6.3")
    rows = plausible(model, np.random.default_rng(10), 3)
    rows[1, 2] = np.nan
    for values in score_series(model, series_of(model, rows), "s").values():
        np.testing.assert_array_equal(np.isnan(values), [False, True, False])


def test_bad_series():
    model = load_model("vmaf_v0.6.1")
    series = series_of(model, np.ones((3, 6)))
    short = series | {"VMAF_integer_feature_adm2_score": np.ones(2)}
    with pytest.raises(ValueError, match="one length"):
        score_series(model, short, "s")
    del series["VMAF_integer_feature_adm2_score"]
    with pytest.raises(ValueError, match="needs the features VMAF_integer_feature_adm2_score"):
        score_series(model, series, "s")
    with pytest.raises(ValueError, match="takes 6 features per frame, got 4"):
        predict(model, jnp.ones((2, 4)))
