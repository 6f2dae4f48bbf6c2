"""How far pictures are from showing the same whatever their tone, and shifts that follow it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# squared 8-bit codes; rounding alone makes differences of this order
FLOOR = 0.02
_ALMOST = 0.2  # a logarithm
_USUAL = 2.0


def centred(picture: NDArray[np.generic]) -> NDArray[np.float32]:
    """A picture as a vector without its mean."""
    flat = picture.ravel().astype(np.float32, copy=False)
    return flat - flat.mean()


def misfits(
    refs: NDArray[np.float32], dis: NDArray[np.float32], power: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """What remains of a picture after the best linear change of tone of each of several others.

    Args:
        refs: `centred` pictures, shape (pictures, samples).
        dis: one more, shape (samples,).
        power: sums of squares of `refs`, where they are known.

    Returns:
        Mean squared error of `dis` after the best fit of `a + b * ref` to it, b not negative.
    """
    # the threads of a matrix product would wait for each other longer than they work
    common = np.maximum(np.vecdot(refs, dis), 0).astype(np.float64)
    known = np.vecdot(refs, refs).astype(np.float64) if power is None else power
    gain = common / np.where(known > 0, known, 1)
    return np.maximum(float(dis @ dis) - gain * common, 0) / dis.size


def against_best(errors: NDArray[np.floating], most: float) -> NDArray[np.floating]:
    """Logarithms of errors over the least in their row, between 0 and `most`.

    So no row decides alone, and what is almost as good as the best counts as that.

    Args:
        errors: squared, shape (frames, shifts); NaN where there is none. The best of a row with
            gaps may lie in them, so what is far worse than in most rows does not count as best.
        most: the largest result; NaN stays.
    """
    raised = errors + FLOOR
    gaps = np.isnan(raised)
    least = np.where(gaps, np.inf, raised).min(1)
    partly = gaps.any(1)
    least[partly] = np.minimum(least[partly], _USUAL * np.median(least))
    return np.log(raised / least[:, None]).clip(_ALMOST, most + _ALMOST) - _ALMOST


def cheapest_path(
    costs: NDArray[np.floating], change: float, fall: float | None = None
) -> NDArray[np.intp]:
    """The cheapest path through a table of costs, by dynamic programming (Viterbi's algorithm).

    Args:
        costs: of each state at each step, shape (steps, states).
        change: cost of going to another state.
        fall: cost of going to the state below, and a state falls by no more than one at a step;
            None: it goes anywhere at the cost of a change.

    Returns:
        The state at each step.
    """
    steps, states = costs.shape
    own = np.arange(states)
    came = np.empty((steps, states), np.int32)
    total = costs[0].astype(np.float64)
    for step in range(1, steps):
        origin = np.full(states, total.argmin())
        if fall is not None:
            lowest = np.minimum.accumulate(total)
            origin = np.maximum.accumulate(np.where(total == lowest, own, 0))
        reached = total[origin] + change
        if fall is not None:
            fallen = np.append(total[1:], np.inf) + fall
            origin = np.where(fallen < reached, np.minimum(own + 1, states - 1), origin)
            reached = np.minimum(fallen, reached)
        came[step] = np.where(reached < total, origin, own)
        total = np.minimum(reached, total) + costs[step]
    path = np.empty(steps, np.intp)
    path[-1] = total.argmin()
    for step in range(steps - 1, 0, -1):
        path[step - 1] = came[step, path[step]]
    return path
