"""Fits of pooled features: ridge against scikit-learn, the perceptron against numpy."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxvqa
from jaxvqa import fusion
from jaxvqa.fusion import _own_json as own_json
from jaxvqa.fusion._model import stack_members, unstack_members
from tests import tolerances as tol

pytestmark = pytest.mark.usefixtures("compile_fast")

REFS = fusion.feature_refs(["y_funque_plus"])
INFO = fusion.ModelInfo(name="mine", direction="lower", typical_error=(2.31, 6.0))
OTHERS = {"score_clip": (0.0, 100.0), "info": INFO}


def table(clips=60, seed=0):
    rng = np.random.default_rng(seed)
    rows = rng.uniform(size=(clips, 3)) * [0.3, 1.0, 20.0] + [0.0, 0.2, 5.0]
    curved = 40 * np.tanh(6 * (rows[:, 0] - 0.15)) + 30 * rows[:, 1] ** 2
    return rows, curved + rng.normal(size=clips)


def plain_scores(text, rows):
    """Scores of a saved model, one number at a time from its JSON."""
    model = json.loads(text)
    slopes, intercepts = model.get("slopes", [1] * 4), model.get("intercepts", [0] * 4)
    scores = []
    for row in rows:
        x = [a * s + i for a, s, i in zip(row, slopes[1:], intercepts[1:], strict=True)]
        if "linear" in model:
            pairs = zip(x, model["linear"]["weights"], strict=True)
            y = sum(a * w for a, w in pairs) + model["linear"]["bias"]
        else:
            layers = model["mlp"]["layers"]
            for depth, layer in enumerate(layers):
                columns = zip(*layer["weights"], strict=True)
                x = [
                    sum(a * w for a, w in zip(x, column, strict=True)) + bias
                    for column, bias in zip(columns, layer["biases"], strict=True)
                ]
                x = x if depth == len(layers) - 1 else [float(np.tanh(a)) for a in x]
            (y,) = x
        scores.append((y - intercepts[0]) / slopes[0])
    return np.array(scores)


def scored(model, rows):
    with jax.enable_x64(True):
        return np.asarray(fusion.predict(model, jnp.asarray(rows), clip=False))


@pytest.fixture(scope="module")
def mlp():
    return fusion.fit(*table(), REFS, regressor="mlp", hidden=(6, 4))


def models(mlp):
    return {
        "ridge": fusion.fit(*table(), REFS, **OTHERS),
        "raw ridge": fusion.fit(*table(), REFS, norm="none"),
        "mlp": mlp,
    }


@pytest.mark.parametrize("norm", ["clip_0to1", "clip_minus1to1", "normalize", "none"])
def test_normalisation(norm):
    from sklearn.preprocessing import MinMaxScaler, StandardScaler

    rows, scores = table()
    columns = np.column_stack([scores, rows])
    scaler = {
        "clip_0to1": MinMaxScaler(),
        "clip_minus1to1": MinMaxScaler((-1, 1)),
        "normalize": StandardScaler(),
        "none": StandardScaler(with_mean=False, with_std=False),
    }[norm]
    slopes, intercepts = fusion.normalisation(rows, scores, norm)
    want = scaler.fit_transform(columns)
    np.testing.assert_allclose(columns * slopes + intercepts, want, atol=tol.FIT_ROUND_OFF)


@pytest.mark.parametrize("norm", ["clip_0to1", "clip_minus1to1", "normalize"])
def test_column_that_never_changes_becomes_zero(norm):
    rows, scores = table()
    rows[:, 1] = 7.0
    slopes, intercepts = fusion.normalisation(rows, scores, norm)
    assert (slopes[2], 7 * slopes[2] + intercepts[2]) == (1, 0)
    assert np.isfinite(scored(fusion.fit(rows, scores, REFS, norm=norm), rows)).all()


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("penalty", [0.0, 1e-4, 0.3])
def test_ridge_is_that_of_scikit_learn(penalty, weighted):
    from sklearn.linear_model import Ridge

    rows, scores = table()
    weights = np.random.default_rng(1).uniform(size=len(rows)) if weighted else None
    model = fusion.fit(rows, scores, REFS, penalty=penalty, weights=weights)
    x = rows * model.slopes[1:] + model.intercepts[1:]
    y = scores * model.slopes[0] + model.intercepts[0]
    total = len(rows) if weights is None else weights.sum()
    theirs = Ridge(alpha=penalty * total, solver="cholesky").fit(x, y, weights)
    np.testing.assert_allclose(model.regression.weights, theirs.coef_, atol=tol.RIDGE)
    np.testing.assert_allclose(model.regression.bias, theirs.intercept_, atol=tol.RIDGE)


def test_perceptron_bends_where_ridge_can_not(mlp):
    rows, scores = table(seed=5)
    ridge, _, bent = (np.abs(scored(m, rows) - scores).mean() for m in models(mlp).values())
    # the noise alone has a mean size of 0.8
    assert 0.7 < bent < 0.6 * ridge


def test_perceptron_lies_at_a_minimum_of_its_penalised_error():
    """Central differences of the error in numpy, around the weights after a long descent."""
    rows, scores = table(30)
    model = fusion.fit(
        rows, scores, REFS, regressor="mlp", hidden=(3,), steps=20_000, penalty=1e-3
    )  # fmt: skip
    x = rows * model.slopes[1:] + model.intercepts[1:]
    y = scores * model.slopes[0] + model.intercepts[0]
    (w1, w2), (b1, b2) = model.regression.weights, model.regression.biases

    def error(w1):
        found = np.tanh(x @ w1 + b1) @ w2[:, 0] + b2[0]
        return ((found - y) ** 2).mean() + 1e-3 * ((w1**2).sum() + (w2**2).sum())

    step = 1e-4
    for i, j in np.ndindex(*w1.shape):
        moved = np.zeros_like(w1)
        moved[i, j] = step
        slope = (error(w1 + moved) - error(w1 - moved)) / (2 * step)
        assert abs(slope) < tol.MINIMUM_SLOPE


def test_same_seed_same_bytes(mlp):
    again = fusion.fit(*table(), REFS, regressor="mlp", hidden=(6, 4))
    other = fusion.fit(*table(), REFS, regressor="mlp", hidden=(6, 4), seed=1)
    assert own_json.write(again) == own_json.write(mlp) != own_json.write(other)
    assert own_json.write(fusion.fit(*table(), REFS)) == own_json.write(fusion.fit(*table(), REFS))


@pytest.mark.parametrize("kind", ["ridge", "mlp"])
def test_saved_scored_and_trained_with(mlp, kind, tmp_path):
    model = models(mlp)[kind]
    path = tmp_path / "mine.json"
    fusion.save_model(model, path)
    loaded = jaxvqa.load_model(path)
    assert own_json.write(loaded) == own_json.write(model)
    assert jax.tree.structure(loaded) == jax.tree.structure(model)
    rows, _ = table(7, seed=3)
    want = plain_scores(path.read_text(), rows)
    np.testing.assert_allclose(scored(model, rows), want, atol=tol.FIT_SCORES)
    np.testing.assert_allclose(
        fusion.predict(model, jnp.asarray(rows), clip=False), want, atol=tol.FUSION_FLOAT32
    )

    ref = np.random.default_rng(4).integers(0, 256, (2, 32, 32)).astype(np.uint8)
    dis = ref // 2 + 40
    result = jaxvqa.score(ref, dis, model=path)
    told = [notice.text for notice in result.notices if notice.code == "estimate"]
    assert told == (
        []
        if kind == "mlp"
        else [
            "mine is an estimate: on contents that its fit had "
            "not seen it was off by 2.3 points on average, by more than 6.0 in one clip of 20."
        ]
    )
    columns = [result.frames[ref.key.split("feature_")[1][:-6]] for ref in model.features]
    want = plain_scores(path.read_text(), np.stack(columns, axis=1))
    if model.score_clip is not None:
        want = np.clip(want, *model.score_clip)
    np.testing.assert_allclose(result.frames[model.name], want, atol=tol.FIT_SCORES)

    if kind == "ridge":
        return  # a loss takes every regression alike, and its gradient is the larger program

    def loss(dis):
        return jaxvqa.losses.funque(ref, dis, model=model, bit_depth=8, reduction="sum")

    slope = jax.grad(loss)(dis.astype(np.float32))
    assert np.isfinite(slope).all()
    assert np.abs(slope).max() > 0
    assert loss(ref.astype(np.float32)) == 0


def test_libvmaf_reads_no_such_regression(mlp, tmp_path):
    for model in models(mlp).values():
        with pytest.raises(ValueError, match='file_format="jaxvqa"'):
            fusion.save_model(model, tmp_path / "theirs.json", file_format="libvmaf")
    assert not list(tmp_path.iterdir())


def test_members_of_a_collection(mlp):
    for model in (models(mlp)["ridge"], mlp):
        members = [jax.tree.map(lambda leaf, s=s: leaf * s, model) for s in (0.5, 2.0)]
        collection = fusion.Collection(model, stack_members(members))
        text = own_json.write(collection)
        assert own_json.write(own_json.read(text, "x")) == text
        for one, other in zip(members, unstack_members(collection.members), strict=True):
            jax.tree.map(np.testing.assert_array_equal, one.regression, other.regression)
        rows, _ = table(4)
        scores = fusion.predict_collection(collection, jnp.asarray(rows), clip=False)
        np.testing.assert_allclose(
            scores["_0002"], scored(members[1], rows), atol=tol.FUSION_FLOAT32
        )


FEW = (np.zeros((1, 3)), np.zeros(1))


@pytest.mark.parametrize(
    "arguments, options, message",
    [
        ((np.zeros((4, 2)), np.arange(4.0)), {}, r"rows must be \(clips, 3\)"),
        ((np.zeros((4, 3)), np.arange(3.0)), {}, r"scores must be \(4,\)"),
        (FEW, {}, "two or more clips"),
        ((np.zeros((4, 3)), np.ones(4)), {}, "scores that differ"),
        ((np.full((4, 3), np.nan), np.arange(4.0)), {}, "rows must be finite"),
        ((np.zeros((4, 3)), np.array([0, 1, 2, np.inf])), {}, "scores must be finite"),
        (table(), {"weights": np.zeros(60)}, "not all 0"),
        (table(), {"weights": np.ones(3)}, r"weights must be \(60,\)"),
        (table(), {"regressor": "forest"}, "regressor must be one of ridge, mlp"),
        (table(), {"norm": "minmax"}, "norm must be one of clip_0to1"),
        (table(), {"penalty": -1.0}, "penalty must be at least 0"),
        (table(), {"penalty": float("nan")}, "penalty must be at least 0"),
        (table(), {"regressor": "mlp", "hidden": ()}, "sizes of layers"),
        (table(), {"regressor": "mlp", "hidden": (0,)}, "sizes of layers"),
        (table(), {"regressor": "mlp", "steps": 0}, "steps must be"),
        (table(), {"regressor": "mlp", "learning_rate": 0.0}, "learning_rate must be above 0"),
    ],
)
def test_bad_arguments(arguments, options, message):
    with pytest.raises(ValueError, match=message):
        fusion.fit(*arguments, REFS, **options)


def test_without_optax_says_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "optax", None)
    with pytest.raises(ImportError, match=r"pip install 'jaxvqa\[train\]'"):
        fusion.fit(*table(), REFS, regressor="mlp")
    assert fusion.fit(*table(), REFS).name == "fitted"


LAYER = {"weights": [[1.0], [2.0], [3.0]], "biases": [0.0]}


@pytest.mark.parametrize(
    "kind, values, message",
    [
        ("linear", {"weights": [1, 2]}, "weights must be a list of 3 numbers"),
        ("linear", {"weights": [1, 2, 3]}, "bias must be a number"),
        ("linear", {"same_as": "vmaf_v0.6.1"}, "must hold its numbers itself"),
        ("mlp", {"layers": []}, "layers must have 1 to 8 elements"),
        ("mlp", {"layers": [LAYER] * 2}, "layer 2: weights must have 1 to 1 elements"),
        ("mlp", {"layers": [LAYER | {"biases": [0, 0]}]}, "the last layer must have 1 unit"),
        ("mlp", {"layers": [LAYER | {"weights": [[1], [2]]}]}, "a row for each of 3 inputs"),
        ("mlp", {"layers": [LAYER | {"weights": [[1], [2], [3, 4]]}]}, "rows of 1 numbers"),
        ("mlp", {"layers": [LAYER | {"biases": ["0"]}]}, "biases must be a number"),
        ("svr", {"same_as": "vmaf_v0.6.1"}, "one of svr, linear, mlp, this one has 2"),
        ("typical_error", [1, -2], "typical_error must not be below 0"),
        ("typical_error", 2, "typical_error must be a list of 2 numbers"),
        ("linear", None, "one of svr, linear, mlp, this one has 0"),
    ],
)
def test_bad_files(kind, values, message):
    content = json.loads(own_json.write(fusion.fit(*table(), REFS)))
    if kind == "mlp":
        del content["linear"]
    with pytest.raises(ValueError, match=message):
        own_json.read(json.dumps(content | {kind: values}), "evil.json")


def test_inputs_by_name():
    refs = fusion.feature_refs(["VMAF_integer_feature_motion2_score", "adm=adm_enhn_gain_limit=1"])
    assert [ref.key for ref in refs] == sorted(ref.key for ref in refs)
    extractors = {ref.extractor: dict(ref.options) for ref in refs}
    assert extractors == {"motion": {}, "adm": {"adm_enhn_gain_limit": 1.0}}


@pytest.mark.parametrize(
    "names, message",
    [
        (["y_funque"], "no feature named 'y_funque': did you mean"),
        (["y_funque_plus", "y_funque_plus"], "is given twice"),
        (["FUNQUE_feature_ms_ssim_cov_channel_y_levels_2_score"], "may be of y_funque_plus or"),
        (["strred"], "no output that a model may use"),
    ],
)
def test_bad_inputs(names, message):
    with pytest.raises(ValueError, match=message):
        fusion.feature_refs(names)
