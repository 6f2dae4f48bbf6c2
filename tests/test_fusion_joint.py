"""Fusion and features fitted together: planted numbers are found again."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

import jaxvqa
from jaxvqa import fusion
from jaxvqa.features._registry import find
from jaxvqa.fusion import _own_json as own_json
from tests import tolerances as tol
from tests.oracles import float_features

pytestmark = pytest.mark.usefixtures("compile_fast")

TRAIN = ("float_adm.adm_enhn_gain_limit", "float_adm.adm_f1s0", "float_vif.vif_sigma_nsq")


def refs(gain, sensitivity, noise):
    return fusion.feature_refs(
        [
            f"VMAF_feature_adm2_score=adm_enhn_gain_limit={gain}:adm_f1s0={sensitivity}",
            f"VMAF_feature_vif_scale1_score=vif_sigma_nsq={noise}",
        ]
    )


def made_clips(count=12):
    """Blurred noise with more noise, less detail and other contrast."""
    rng = np.random.default_rng(0)
    ref = gaussian_filter(rng.normal(size=(1, 64, 80)), (0, 1.5, 1.5)) * 600 + 120
    clips = []
    for _ in range(count):
        noisy = ref + rng.normal(0, rng.uniform(0, 6), ref.shape)
        soft = gaussian_filter(noisy, (0, *rng.uniform(0, 1.2, 2)))
        clips.append((ref, 128 + (soft - 128) * rng.uniform(0.8, 1.5)))
    return [tuple(x.clip(0, 255).astype(np.float32) for x in pair) for pair in clips]


def measured(wanted, clips):
    """Pooled features from the public functions."""
    adm, vif = (dict(ref.options) for ref in wanted)

    @jax.jit
    def row(ref, dis):
        kept = jaxvqa.features.adm(ref, dis, bit_depth=8, **adm)["adm2"]
        seen = jaxvqa.features.vif(ref, dis, bit_depth=8, **vif)["vif_scale1"]
        return kept.mean(), seen.mean()

    return np.array([row(*pair) for pair in clips], np.float64)


@pytest.fixture(scope="module")
def clips():
    return made_clips()


@pytest.fixture(scope="module")
def planted(clips):
    """Scores of a weighted sum of features with known numbers."""
    return measured(refs(1.1, 0.03, 3.0), clips) @ [60.0, 40.0]


def test_planted_numbers_are_found(clips, planted):
    errors = []
    model = fusion.fit_jointly(
        clips, planted, refs(1.3, 0.015, 1.5), TRAIN, bit_depth=8, penalty=1e-8, steps=150,
        learning_rate=0.05, progress=lambda step, error: errors.append((step, error)),
    )  # fmt: skip
    adm, vif = (dict(ref.options) for ref in model.features)
    # from 18 % and 50 % away; noise and sensitivity trade against the weights
    assert adm["adm_enhn_gain_limit"] == pytest.approx(1.1, rel=0.01)
    assert vif["vif_sigma_nsq"] == pytest.approx(3.0, rel=0.1)
    assert [step for step, _ in errors] == list(range(1, 151))
    assert errors[-1][1] < errors[0][1] / 100
    # what the published features give under the numbers that the file keeps
    rows = measured(model.features, clips)
    scores = rows * model.slopes[1:] + model.intercepts[1:]
    scores = scores @ model.regression.weights + model.regression.bias
    scores = (scores - model.intercepts[0]) / model.slopes[0]
    assert np.sqrt(np.mean((scores - planted) ** 2)) < 2 * errors[-1][1] + 0.01
    again = own_json.read(own_json.write(model), "mine.json")
    assert again.features == model.features
    assert all(ref.settings == dict(ref.options) for ref in model.features)


@pytest.mark.parametrize("regressor", ["ridge", "mlp"])
def test_same_seed_same_bytes(clips, planted, regressor):
    few = [(ref[:, :40, :40], dis[:, :40, :40]) for ref, dis in clips[:4]]

    def text(seed):
        model = fusion.fit_jointly(
            few, planted[:4], refs(1.2, 0.02, 2.0)[:1], TRAIN[:1], bit_depth=8, hidden=(3,),
            regressor=regressor, steps=3, seed=seed,
        )  # fmt: skip
        return own_json.write(model)

    assert text(0) == text(0)
    if regressor == "mlp":
        assert text(0) != text(1)


NUMBERS = [
    ("float_adm", "adm2", "enhancement_gain_limit", 1.1, 1e-4),
    ("float_adm", "adm3", "noise_weight", 0.1, 1e-4),
    ("float_adm", "adm3", "dlm_weight", 0.4, 1e-4),
    ("float_vif", "vif_scale0", "sigma_nsq", 3.0, 1e-3),
    ("float_vif", "vif_scale2", "enhancement_gain_limit", 1.2, 1e-4),
]
IN_THE_ORACLE = {"enhancement_gain_limit": "gain_limit", "sigma_nsq": "noise"}


@pytest.mark.parametrize("name, output, number, option, step", NUMBERS)
def test_slopes_are_central_differences_of_the_oracle(clips, name, output, number, option, step):
    feature = find(name)
    options = feature.resolve({number: option})
    numbers = feature.trainable.start(options)
    assert numbers[number] == option
    pair = [x.astype(np.float64) for x in clips[1]]

    def oracle(value):
        given = {IN_THE_ORACLE.get(number, number): value}
        if name == "float_vif":
            return float_features.vif(*(x[0] for x in pair), **given)[int(output[-1])]
        adm2, _, adm3, *_ = float_features.adm(*(x[0] for x in pair), **given)
        return {"adm2": adm2, "adm3": adm3}[output]

    with jax.enable_x64(True):
        planes = [jaxvqa.Planes(jnp.asarray(x), bit_depth=8) for x in pair]

        @jax.jit
        @jax.value_and_grad
        def value(x):
            series = feature.trainable.extract(*planes, options, numbers | {number: x})
            return series[output].mean()

        found, slope = value(option)
    np.testing.assert_allclose(found, oracle(option), atol=tol.PLAIN_FORM)
    difference = (oracle(option + step) - oracle(option - step)) / (2 * step)
    assert abs(difference) > 1e-4
    assert slope == pytest.approx(difference, rel=tol.OPTION_SLOPE)


UNEVEN = [(np.zeros((1, 40, 40), np.uint8),) * 2, (np.zeros((1, 40, 42), np.uint8),) * 2]


@pytest.mark.parametrize(
    "wanted, train, pairs, message",
    [
        (None, ["float_adm.gain"], None, "no number 'gain' that can be trained; it has: adm_"),
        (None, ["float_motion.motion_fps_weight"], None, "must be among the features"),
        (["y_funque_plus"], ["y_funque_plus.csf"], None, "y_funque_plus has no numbers"),
        (
            ["VMAF_feature_adm2_score=adm_noise_weight=0"],
            ["float_adm.adm_noise_weight"],
            None,
            "adm_noise_weight must start above 0",
        ),
        (
            ["VMAF_feature_adm2_score=adm_skip_scale0=true"],
            ["float_adm.adm_f1s1"],
            None,
            "not trained beside adm_skip_scale0: leave it out",
        ),
        (
            ["VMAF_feature_adm2_score", "VMAF_feature_adm3_score=adm_dlm_weight=0.3"],
            ["float_adm.adm_f1s1"],
            None,
            "it is there with 2 sets of options",
        ),
        (None, TRAIN, UNEVEN, "all clips must have one size"),
        (None, TRAIN, [], "two or more clips, got none"),
    ],
)
def test_bad_arguments(clips, wanted, train, pairs, message):
    wanted = refs(1.2, 0.02, 2.0) if wanted is None else fusion.feature_refs(wanted)
    pairs, depth = (clips, 8) if pairs is None else (pairs, None)
    with pytest.raises(ValueError, match=message):
        fusion.fit_jointly(pairs, np.arange(12.0), wanted, train, bit_depth=depth)
