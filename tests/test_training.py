"""Training: libvmaf's own goldens, scikit-learn, folds without leaks, warm starts, equal bytes."""

import json
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest

import jaxvqa
from jaxvqa._study.train import _text
from jaxvqa._study.train_files import libvmaf_reads
from jaxvqa.evaluation import fit_mapping, krocc, plcc, rmse, srocc
from jaxvqa.features._options import parse_text
from jaxvqa.fusion import FeatureRef, Model, Svr, feature_refs, predict
from jaxvqa.fusion import _libvmaf_json as libvmaf_json
from jaxvqa.fusion import _own_json as own_json
from jaxvqa.training import (
    REGRESSORS,
    Recipe,
    TrainingData,
    WarmStart,
    choose,
    cross_validate,
    fit_model,
    folds,
)
from jaxvqa.training._predict import predict_rows
from tests import tolerances
from tests.studies import simulated

svm = pytest.importorskip("sklearn.svm")
GOLDEN = json.loads((Path(__file__).parent / "data" / "libvmaf_training.json").read_text())
QUICK = {"mlp": {"steps": 60, "hidden": (4,)}}


@pytest.fixture(scope="module")
def data():
    return simulated()


@pytest.fixture(scope="module")
def pictures():
    """libvmaf's features: first and second moment and variance, in the order of their names."""
    mean, variance = np.array(GOLDEN["mean"]), np.array(GOLDEN["variance"])
    rows = np.stack([mean, variance + mean**2, variance], axis=1)
    refs = tuple(FeatureRef("float_moment", key) for key in ("1st", "2nd", "var"))
    names = GOLDEN["pictures"]
    return TrainingData([row[None] for row in rows], np.array(GOLDEN["mos"]), names, refs, names)


def as_tested(norm):
    """libsvm's defaults, as libvmaf's tests have them: C 1, nu .5, gamma one by three features."""
    return Recipe("nusvr", norm, C=1, gamma=1 / 3, nu=0.5)


def printed_rmse(scores, ratings):
    return rmse(fit_mapping("logistic", scores, ratings)(scores), ratings)


@pytest.mark.parametrize("norm", GOLDEN["rmse"])
def test_libvmafs_training_goldens(pictures, norm):
    scores = predict_rows(fit_model(pictures, as_tested(norm)), pictures.pooled)
    np.testing.assert_allclose(
        printed_rmse(scores, pictures.ratings), GOLDEN["rmse"][norm], atol=tolerances.TRAINING
    )


@pytest.mark.parametrize("norm", GOLDEN["bootstrap"])
def test_libvmafs_goldens_of_bootstrap_collections(pictures, norm):
    found = fit_model(pictures, as_tested(norm), bootstrap=100)
    scores = np.stack(
        [
            predict_rows(member, pictures.pooled)
            for member in jaxvqa.fusion._model.unstack_members(found.members)
        ]
    )
    # RMSE of the mean member, standard deviation and interval of all, as means over the pictures
    figures = [
        printed_rmse(scores.mean(0), pictures.ratings),
        scores.std(0).mean(),
        *np.percentile(scores, (2.5, 97.5), axis=0).mean(1),
    ]
    np.testing.assert_allclose(figures, GOLDEN["bootstrap"][norm], atol=tolerances.TRAINING)


def test_libvmafs_goldens_of_cross_validation(pictures):
    scores = np.empty(pictures.size)
    for own in np.split(np.arange(pictures.size), 3):
        rest = pictures.take(np.setdiff1d(np.arange(pictures.size), own))
        scores[own] = predict_rows(fit_model(rest, as_tested("normalize")), pictures.pooled[own])
    # libvmaf prints rank correlations after its curve too, which falls here
    mapped = fit_mapping("logistic", scores, pictures.ratings)(scores)
    figures = {f.__name__: f(mapped, pictures.ratings) for f in (srocc, plcc, krocc, rmse)}
    for name, expected in GOLDEN["three_folds"].items():
        np.testing.assert_allclose(figures[name], expected, atol=tolerances.TRAINING, err_msg=name)


@pytest.mark.parametrize("regressor", ["nusvr", "svr"])
def test_support_vector_regressions_are_scikit_learns(data, regressor):
    model = fit_model(data, Recipe(regressor))
    columns = np.column_stack([data.ratings, data.pooled])
    low, high = columns.min(0), columns.max(0)
    scaled = (columns - low) / (high - low)
    theirs = {
        "nusvr": svm.NuSVR(C=4, gamma=0.04, nu=0.9),
        "svr": svm.SVR(C=4, gamma=0.04, epsilon=0.05),
    }[regressor].fit(scaled[:, 1:], scaled[:, 0])
    expected = theirs.predict(scaled[:, 1:]) * (high[0] - low[0]) + low[0]
    np.testing.assert_allclose(
        predict_rows(model, data.pooled), expected, rtol=0, atol=tolerances.TRAINING
    )


@pytest.mark.parametrize("regressor", REGRESSORS)
@pytest.mark.parametrize("norm", ["clip_minus1to1", "none"])
def test_models_predict_as_the_public_prediction_does_and_come_back(data, regressor, norm):
    recipe = Recipe(regressor, norm, **QUICK.get(regressor, {}))
    model = fit_model(data, recipe, score_clip=(1.5, 4.5))
    rows = np.concatenate(data.frames)
    ours = predict_rows(model, rows)
    with jaxvqa.fusion._fit_mlp.training():
        public = np.asarray(predict(model, jnp.asarray(rows)))
    np.testing.assert_allclose(ours, public, rtol=0, atol=tolerances.TRAINING)
    assert ours.min() >= 1.5
    assert ours.max() <= 4.5
    back = own_json.read(own_json.write(model), "mine.json")
    np.testing.assert_array_equal(predict_rows(back, rows), ours)
    if regressor in ("nusvr", "svr"):
        theirs = libvmaf_json.read(libvmaf_json.write(model), "mine.json")
        np.testing.assert_array_equal(predict_rows(theirs, rows), ours)


@pytest.mark.parametrize(
    "key, switches",
    [
        ("integer_vif", {"debug": True}),
        ("vif_num", {"debug": True}),
        ("VMAF_integer_feature_motion_score", {"debug": True}),
        ("VMAF_feature_motion_score", {}),
        ("psnr_y", {}),
        ("mse_y", None),
        ("float_ssim_l", None),
        ("float_anpsnr", None),
        ("cambi_source", None),
    ],
)
def test_files_for_libvmaf_have_only_what_it_gives_to_models(key, switches):
    # None: f85a853 has it in no `provided_features`; switches: it computes it with these only
    (ref,) = feature_refs([key])
    model = Model(Svr(np.ones((1, 1)), np.ones(1), np.float64(1), np.float64(0)), np.ones(2),
                  np.zeros(2), features=(ref,), norm_type="linear_rescale")  # fmt: skip
    assert libvmaf_reads(model) == (switches is not None)
    if switches is None:
        with pytest.raises(ValueError, match=f"input {key}, which libvmaf gives to no model"):
            libvmaf_json.write(model)
    else:
        (options,) = json.loads(libvmaf_json.write(model))["model_dict"].get(
            "feature_opts_dicts", [{}]
        )
        assert options == switches
        measured = dict(parse_text(_text(ref))[1])
        assert measured == {name: str(value).lower() for name, value in switches.items()}


@pytest.mark.parametrize("regressor", REGRESSORS)
def test_equal_seeds_give_equal_bytes(data, regressor):
    recipe = Recipe(regressor, **QUICK.get(regressor, {}))
    texts = [own_json.write(fit_model(data, recipe, bootstrap=2)) for _ in range(2)]
    assert texts[0] == texts[1]
    other = own_json.write(fit_model(data, Recipe(**{**vars(recipe), "seed": 7}), bootstrap=2))
    assert other != texts[0]


def test_members_see_the_clips_that_libvmaf_draws(data):
    collection = fit_model(data, Recipe("nusvr"), bootstrap=2)
    np.random.seed(2)  # noqa: NPY002
    drawn = np.random.choice(range(data.size), size=data.size, replace=True)  # noqa: NPY002
    low = np.column_stack([data.ratings, data.pooled]).min(0)
    high = np.column_stack([data.ratings, data.pooled]).max(0)
    x = (data.pooled - low[1:]) / (high[1:] - low[1:])
    y = (data.ratings - low[0]) / (high[0] - low[0])
    theirs = svm.NuSVR(C=4, gamma=0.04, nu=0.9).fit(x[drawn], y[drawn])
    member = jaxvqa.fusion._model.unstack_members(collection.members)[1]
    np.testing.assert_allclose(
        predict_rows(member, data.pooled),
        theirs.predict(x) * (high[0] - low[0]) + low[0],
        rtol=0,
        atol=tolerances.TRAINING,
    )


@pytest.mark.parametrize("spec", ["leave-one-content-out", "3", "random:7x0.3"])
def test_folds_hold_out_whole_contents(spec):
    contents = [f"c{i % 6}" for i in range(20)]
    parts = folds(spec, contents, seed=3)
    assert len(parts) == {"leave-one-content-out": 6, "3": 3, "random:7x0.3": 7}[spec]
    for rows in parts:
        held = {contents[i] for i in rows}
        rest = {contents[i] for i in set(range(20)) - set(rows.tolist())}
        assert held
        assert rest
        assert not held & rest
    if not spec.startswith("random"):
        assert sorted(np.concatenate(parts).tolist()) == list(range(20))
    again = folds(spec, contents, seed=3)
    assert all((a == b).all() for a, b in zip(parts, again, strict=True))


@pytest.mark.parametrize("spec", ["1", "7", "random:0x0.2", "random:3x2", "all", "-2", ""])
def test_folds_that_cannot_be_are_refused(spec):
    with pytest.raises(ValueError, match="cv must be"):
        folds(spec, list("abcdef"))
    with pytest.raises(ValueError, match="only one"):
        folds("2", ["a", "a"])


def test_held_out_clips_are_not_seen(data):
    # ratings of one content moved by 100: what is predicted for it must not move
    moved = data.ratings.copy()
    own = np.array(data.contents) == "c2"
    moved[own] += 100
    other = TrainingData(data.frames, moved, data.contents, data.features, data.names)
    first, second = (
        cross_validate(one, Recipe("ridge"), "leave-one-content-out", search=True)
        for one in (data, other)
    )
    np.testing.assert_array_equal(first.folds[2].predictions, second.folds[2].predictions)
    assert first.folds[2].recipe == second.folds[2].recipe
    assert not np.allclose(first.folds[3].predictions, second.folds[3].predictions)


def test_predictions_are_of_frames_and_then_pooled(data):
    found = cross_validate(data, Recipe("nusvr"), "4", pool=np.min)
    rows = found.folds[1].rows
    rest = data.take(np.setdiff1d(np.arange(data.size), rows))
    model = fit_model(rest, Recipe("nusvr"))
    expected = [predict_rows(model, data.frames[i]).min() for i in rows]
    np.testing.assert_array_equal(found.folds[1].predictions, expected)


def test_a_search_finds_the_better_recipe(data):
    bad = Recipe("nusvr", gamma=5.0, C=0.01, nu=0.05)
    found = choose(data, bad, search=True)
    assert found != bad
    scores = [
        srocc(cross_validate(data, r, "5").mean_predictions(data.size), data.ratings)
        for r in (bad, found)
    ]
    assert scores[1] > scores[0]
    assert choose(data, bad) is bad


def test_a_warm_start_goes_from_the_model_to_the_ratings(data):
    stock = jaxvqa.load_model("vmaf_v0.6.1")
    start = WarmStart(stock, data)
    everything = np.arange(data.size)
    far, near = (start.fit(data, everything, penalty) for penalty in (1e12, 1e-3))
    # nothing but a line: the order is the model's
    raw = np.array([predict_rows(start.model, rows).mean() for rows in data.frames])
    unclipped = start.predict(stock, everything)
    line = np.polynomial.polynomial.polyfit(unclipped, data.ratings, 1)
    np.testing.assert_allclose(
        start.predict(far, everything), line[0] + line[1] * unclipped, rtol=tolerances.WARM_START
    )
    assert srocc(raw, data.ratings) > 0.9
    fitted = [np.array([predict_rows(m, f).mean() for f in data.frames]) for m in (far, near)]
    assert rmse(fitted[1], data.ratings) < rmse(fitted[0], data.ratings)
    np.testing.assert_allclose(fitted[1], start.predict(near, everything), rtol=1e-9)
    # the same fit by the normal equations of the penalised problem
    from jaxvqa.training._predict import kernel_rows

    slopes, intercepts = np.asarray(stock.slopes), np.asarray(stock.intercepts)
    rows = [kernel_rows(stock.regression, slopes, intercepts, f).mean(0) for f in data.frames]
    x = np.column_stack([np.stack(rows), -np.ones(data.size)])
    y = data.ratings * near.slopes[0] + near.intercepts[0]
    first = np.append(stock.regression.coefficients, stock.regression.rho)
    price = np.diag([1e-3 * data.size] * (len(first) - 1) + [0.0])
    change = np.linalg.solve(x.T @ x + price, x.T @ (y - x @ first))
    np.testing.assert_allclose(
        near.regression.coefficients, (first + change)[:-1], rtol=0, atol=tolerances.WARM_START
    )


def test_warm_starts_that_cannot_be_are_refused(data):
    for name, text in (("vmaf_v1", "corrects chroma"), ("vmaf_float_v0.6.1", "do not have")):
        with pytest.raises(ValueError, match=text):
            WarmStart(jaxvqa.load_model(name), data)
    line = fit_model(data, Recipe("ridge"))
    with pytest.raises(ValueError, match="no support vector regression"):
        WarmStart(line, data)


@pytest.mark.parametrize(
    "change, text",
    [
        ({"regressor": "forest"}, "regressor must be one of nusvr, svr, ridge, mlp"),
        ({"norm": "0to1"}, "norm must be one of"),
        ({"C": 0}, "C must be above 0"),
        ({"nu": 1.5}, "nu must be above 0 and at most 1"),
        ({"penalty": -1}, "penalty must be at least 0"),
    ],
)
def test_bad_recipes_are_refused(change, text):
    with pytest.raises(ValueError, match=text):
        Recipe(**change)


def test_bad_data_are_refused(data):
    def changed(**parts):
        given = {
            k: getattr(data, k) for k in ("frames", "ratings", "contents", "features", "names")
        }
        return TrainingData(**(given | parts))

    with pytest.raises(ValueError, match="three clips or more"):
        changed(ratings=data.ratings[:5])
    with pytest.raises(ValueError, match="'clip0' must have"):
        changed(frames=[np.ones((3, 2)), *data.frames[1:]])
    with pytest.raises(ValueError, match="'clip0' has features that are not finite"):
        changed(frames=[np.full((3, 6), np.nan), *data.frames[1:]])
    with pytest.raises(ValueError, match="a fit needs ratings that differ"):
        fit_model(changed(ratings=np.ones(data.size)), Recipe("ridge"))


def test_the_digest_is_of_what_a_model_is_made_from(data):
    moved = TrainingData(data.frames, data.ratings + 1e-9, data.contents, data.features, data.names)
    assert data.digest == simulated().digest
    assert moved.digest != data.digest
