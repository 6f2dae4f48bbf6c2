"""How a model is fitted: the regressor and its numbers."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, fields, replace
from typing import Any

from jaxvqa._checks import one_of
from jaxvqa.fusion._fit import NORMS

REGRESSORS = ("nusvr", "svr", "ridge", "mlp")

# what `search` tries, by regressor
GRIDS: dict[str, dict[str, tuple[Any, ...]]] = {
    "nusvr": {"gamma": (0.01, 0.04, 0.16), "C": (1.0, 4.0, 16.0), "nu": (0.5, 0.9)},
    "svr": {"gamma": (0.01, 0.04, 0.16), "C": (1.0, 4.0, 16.0), "epsilon": (0.02, 0.05, 0.1)},
    "ridge": {"penalty": (1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1)},
    "mlp": {"penalty": (1e-5, 1e-4, 1e-3), "hidden": ((8,), (16,))},
}
# penalties of a warm start that are tried always: from free to as good as the model it starts from
START_PENALTIES = (1e-3, 1e-2, 1e-1, 1.0, 10.0, 100.0, 1e4)


@dataclass(frozen=True)
class Recipe:
    """A regressor and its numbers; those of other regressors are not read.

    Args:
        regressor: "nusvr" as libvmaf trains, "svr", "ridge" or "mlp".
        norm: scale of scores and features, libvmaf's `norm_type`: "clip_0to1", "clip_minus1to1",
            "normalize" or "none".
        C: price of an error of the support vector regressions.
        gamma: steepness of their kernel, in normalised features.
        nu: of "nusvr", the least share of support vectors.
        epsilon: of "svr", the error that costs nothing, in normalised scores.
        penalty: of "ridge" and "mlp", see `jaxvqa.fusion.fit`; of a warm start, what leaving the
            model it starts from costs.
        hidden: units of the layers of "mlp".
        steps: of Adam for "mlp".
        seed: of the first weights of "mlp".

    The defaults are those VMAF v0.6.1 was trained with, where it has such a number.
    """

    regressor: str = "nusvr"
    norm: str = "clip_0to1"
    C: float = 4.0
    gamma: float = 0.04
    nu: float = 0.9
    epsilon: float = 0.05
    penalty: float = 1e-4
    hidden: tuple[int, ...] = (16,)
    steps: int = 3000
    seed: int = 0

    def __post_init__(self) -> None:
        one_of("regressor", self.regressor, REGRESSORS)
        one_of("norm", self.norm, NORMS)
        for name in ("C", "gamma", "epsilon"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be above 0, got {getattr(self, name)}.")
        if not 0 < self.nu <= 1:
            raise ValueError(f"nu must be above 0 and at most 1, got {self.nu}.")
        if not self.penalty >= 0:
            raise ValueError(f"penalty must be at least 0, got {self.penalty}.")

    def grid(self) -> tuple[Recipe, ...]:
        """The recipes that a search tries, this one first."""
        known = GRIDS[self.regressor]
        tried = itertools.product(*known.values())
        found = [replace(self, **dict(zip(known, values, strict=True))) for values in tried]
        return tuple(dict.fromkeys([self, *found]))

    def starts(self) -> tuple[Recipe, ...]:
        """The recipes that a warm start tries."""
        return tuple(replace(self, penalty=penalty) for penalty in START_PENALTIES)

    @property
    def numbers(self) -> dict[str, Any]:
        """What the regressor reads, for reports."""
        own = {*GRIDS[self.regressor], "regressor", "norm"}
        own |= {"steps", "seed"} if self.regressor == "mlp" else set()
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name in own}
