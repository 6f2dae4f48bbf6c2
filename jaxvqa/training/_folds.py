"""Which clips are held out: always whole contents."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

LEAVE_ONE_OUT = "leave-one-content-out"
_MOST = 10_000


def folds(spec: str, contents: Sequence[str], seed: int = 0) -> list[np.ndarray]:
    """The rows that each fold holds out.

    Args:
        spec: "leave-one-content-out"; a number K for K parts of about as many contents each; or
            "random:NxF" for N draws that hold out the share F of the contents each.
        contents: the content of each clip.
        seed: of parts and draws.

    Raises:
        ValueError: another text, or more parts than contents.

    Example:
        >>> from jaxvqa.training import folds
        >>> [rows.tolist() for rows in folds("leave-one-content-out", ["a", "a", "b"])]
        [[0, 1], [2]]
    """
    names = list(dict.fromkeys(contents))
    own = np.array([names.index(content) for content in contents])
    if len(names) < 2:
        raise ValueError(
            "cross validation holds out whole contents, and there is only one: give more contents."
        )
    generator = np.random.default_rng(seed)
    parts: list[np.ndarray]
    if spec == LEAVE_ONE_OUT:
        parts = [np.array([i]) for i in range(len(names))]
    elif re.fullmatch(r"\d{1,4}", spec):
        count = int(spec)
        if not 2 <= count <= len(names):
            raise ValueError(
                f"cv must be 2 to {len(names)} parts, as there are {len(names)} contents; got "
                f"{count}."
            )
        parts = np.array_split(generator.permutation(len(names)), count)
    elif found := re.fullmatch(r"random:(\d{1,5})x(0?\.\d{1,6})", spec):
        draws, share = int(found[1]), float(found[2])
        held = min(max(round(share * len(names)), 1), len(names) - 1)
        if not 1 <= draws <= _MOST:
            raise ValueError(f"cv must be 1 to {_MOST} draws, got {draws}.")
        parts = [generator.permutation(len(names))[:held] for _ in range(draws)]
    else:
        raise ValueError(
            f"cv must be {LEAVE_ONE_OUT}, a number of parts, or random:NxF such as random:100x0.2; "
            f"got {spec!r}."
        )
    return [np.flatnonzero(np.isin(own, part)) for part in parts]
