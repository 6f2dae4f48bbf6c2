"""Scores of votes by sureal 0.9.0, Netflix's implementation of the ITU's models.

    python -m tests.oracles.sureal_votes > tests/data/votes_sureal.json

writes the stored values; the test of the same name compares with the package where it is installed.
"""

import contextlib
import io
import json
import types
import warnings

import numpy as np

MODELS = {
    "mos": "MosModel",
    "dmos": "DmosModel",
    "zscore": "ZscoringMosModel",
    "bt500": "SubjrejMosModel",
    "p913": "BiasremvSubjrejMosModel",
    "p910": "MaximumLikelihoodEstimationModelContentObliviousAlternativeProjection2",
}
REF_SCORE = 5.0


def simulated(seed, clips=24, subjects=14, repetitions=2, missing=0.15, spammers=2):
    """Votes of 1 to 5, some missing, some clips unanimous, and subjects who vote at random."""
    rng = np.random.default_rng(seed)
    quality = rng.uniform(1, 5, clips)
    quality[::6] = 5.5  # references: nearly everybody gives 5
    bias, noise = rng.normal(0, 0.3, subjects), rng.uniform(0.3, 0.8, subjects)
    shape = (clips, subjects, repetitions)
    votes = (
        quality[:, None, None] + bias[None, :, None] + noise[None, :, None] * rng.normal(size=shape)
    )
    votes = np.clip(np.round(votes), 1, 5)
    votes[:, :spammers] = rng.integers(1, 6, (clips, spammers, repetitions))
    votes[0] = 5  # unanimous
    votes[rng.uniform(size=shape) < missing] = np.nan
    votes[:, :, 0] = np.where(np.isnan(votes).all(2), 3.0, votes[:, :, 0])
    return votes


def references(clips):
    """Each sixth clip is the reference of those up to the next."""
    return [i - i % 6 for i in range(clips)]


def sureal_scores(votes, model):
    """What sureal finds, with NaN for None."""
    from sureal import subjective_model
    from sureal.dataset_reader import RawDatasetReader

    rows = references(len(votes))
    dataset = types.SimpleNamespace(
        dataset_name="simulated",
        ref_score=REF_SCORE,
        ref_videos=[{"content_id": r, "path": f"clip{r}"} for r in dict.fromkeys(rows)],
        dis_videos=[
            {
                "content_id": rows[i],
                "asset_id": i,
                "path": f"clip{i}",
                "os": {f"s{s:02d}": list(given) for s, given in enumerate(clip)},
            }
            for i, clip in enumerate(votes)
        ],
    )
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        found = getattr(subjective_model, MODELS[model])(RawDatasetReader(dataset)).run_modeling()
    names = {
        "scores": "quality_scores",
        "standard_errors": "quality_scores_std",
        "bias": "observer_bias",
        "inconsistency": "observer_inconsistency",
        "rejected": "observer_rejected",
    }
    return {
        ours: [bool(v) if ours == "rejected" else float(v) for v in found[theirs]]
        for ours, theirs in names.items()
        if theirs in found
    }


if __name__ == "__main__":
    votes = simulated(0)
    stored = {"sureal": "0.9.0", "votes": np.where(np.isnan(votes), -1, votes).astype(int).tolist()}
    stored["models"] = {model: sureal_scores(votes, model) for model in MODELS}
    print(json.dumps(stored))
