"""A study from whatever file a user has."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import PurePath

from jaxvqa._study.dataset import read_dataset
from jaxvqa._study.manifest import add_votes, read_manifest
from jaxvqa._study.study import Study, check_model


def load_study(
    path: str | os.PathLike[str],
    *,
    votes: str | os.PathLike[str] | None = None,
    rating: str | None = None,
    subjective: str | None = None,
    ref_score: float | None = None,
    root: str | os.PathLike[str] | None = None,
) -> Study:
    """Clips with ratings.

    Args:
        path: a table (see `read_manifest`), or a data set file ending in .py (see `read_dataset`).
        votes: a table of votes, or None.
        rating: the column or key of the ratings; None chooses.
        subjective: how votes become ratings, one of `VOTE_MODELS`; None takes the ratings that
            there are, else "p910". With votes, ratings of the file are not read.
        ref_score: the score that references count as, for "dmos"; over that of the file.
        root: the folder that relative paths begin at, None for that of the file; for libvmaf's
            data set files the checkout that their `VmafConfig` stands for.

    Raises:
        TableError: files that make no study, in one sentence. ValueError: an unknown model.
    """
    check_model(subjective)
    reader = read_dataset if PurePath(path).suffix.lower() == ".py" else read_manifest
    study = reader(path, rating, root)
    if votes is not None:
        study = add_votes(study, votes)
        subjective = subjective or "p910"
    if ref_score is not None:
        study = replace(study, ref_score=ref_score)
    return study.rated(subjective)
