"""Scores from votes: equal to sureal's, stored and live, and refusals."""

import json
import warnings
from pathlib import Path

import numpy as np
import pytest

from jaxvqa.evaluation import VOTE_MODELS, score_votes
from tests import tolerances
from tests.oracles.sureal_votes import REF_SCORE, references, simulated, sureal_scores

STORED = json.loads((Path(__file__).parent / "data" / "votes_sureal.json").read_text())


def check(votes, model, expected):
    given = (
        {"references": references(len(votes)), "ref_score": REF_SCORE} if model == "dmos" else {}
    )
    found = score_votes(votes, model, **given)
    for name, values in expected.items():
        ours = np.asarray(getattr(found, name), float)
        np.testing.assert_allclose(ours, values, rtol=0, atol=tolerances.VOTES, err_msg=name)


@pytest.mark.parametrize("model", VOTE_MODELS)
def test_votes_score_as_sureal_stored(model):
    votes = np.array(STORED["votes"], float)
    votes[votes < 0] = np.nan
    check(votes, model, STORED["models"][model])


@pytest.mark.parametrize("model", VOTE_MODELS)
@pytest.mark.parametrize("seed", [1, 2])
def test_votes_score_as_sureal(model, seed):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pytest.importorskip("sureal")
    votes = simulated(seed, clips=36, subjects=20, repetitions=seed, spammers=3)
    check(votes, model, sureal_scores(votes, model))


def test_random_voters_are_rejected():
    stored = STORED["models"]
    assert any(stored["bt500"]["rejected"])
    assert any(stored["p913"]["rejected"])


def test_maximum_likelihood_finds_biased_and_noisy_subjects():
    rng = np.random.default_rng(4)
    quality = rng.uniform(1, 5, 60)
    bias = np.array([0.6, -0.4, 0, 0, 0, -0.2])
    noise = np.array([0.1, 0.1, 0.9, 0.2, 0.1, 0.1])
    votes = quality[:, None] + bias + noise * rng.normal(size=(60, 6))
    found = score_votes(votes, "p910")
    assert np.argmax(found.inconsistency) == 2
    assert np.argsort(found.bias)[0] == 1
    assert np.argsort(found.bias)[-1] == 0
    mean = score_votes(votes, "mos")
    assert np.std(found.scores - quality) < np.std(mean.scores - quality)


@pytest.mark.parametrize(
    "votes, model, given, text",
    [
        ([[1, 2]], "median", {}, "model must be one of mos, dmos"),
        ([1, 2], "mos", {}, "votes must be"),
        ([[1, np.inf]], "mos", {}, "must be finite"),
        ([[1, 2], [np.nan, np.nan]], "mos", {}, "clip in row 1 has no votes"),
        ([[1, np.nan], [2, np.nan]], "mos", {}, "subject in column 1 has no votes"),
        ([[1, 2]], "dmos", {}, "give references"),
        ([[1, 2]], "dmos", {"references": [0]}, "give ref_score"),
        ([[1, 2]], "dmos", {"references": [3], "ref_score": 5}, "row of a reference"),
    ],
)
def test_bad_votes_are_refused(votes, model, given, text):
    with pytest.raises(ValueError, match=text):
        score_votes(votes, model, **given)
