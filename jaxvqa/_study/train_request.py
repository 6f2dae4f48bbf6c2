"""What a training is asked for: one dataclass that the command line makes options of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from jaxvqa._checks import shown
from jaxvqa._pooling import POOLED
from jaxvqa._settings import (
    check_settings,
    choice,
    optional,
    positive_number,
    setting,
    settings_of,
    switch,
    text,
    whole,
)
from jaxvqa._study.request import finite_number, names
from jaxvqa.fusion._fit import NORMS
from jaxvqa.training import REGRESSORS, Recipe

_MODEL = "model"
_CHOICE = "cross validation"
# which regressors read a number
_READ_BY = {
    "C": ("nusvr", "svr"),
    "gamma": ("nusvr", "svr"),
    "nu": ("nusvr",),
    "epsilon": ("svr",),
    "penalty": ("ridge", "mlp"),
    "hidden": ("mlp",),
}


def _units(value: Any) -> tuple[int, ...]:
    """Parses 16 or 16,8."""
    parts = value.split(",") if isinstance(value, str) else value
    try:
        found = tuple(
            whole(1)(part) for part in (parts if not isinstance(parts, int) else (parts,))
        )
    except (TypeError, ValueError):
        found = ()
    if not found:
        raise ValueError(f"must be whole numbers such as 16 or 16,8, got {shown(value)}.")
    return found


def _clip(value: Any) -> tuple[float, float]:
    """Parses 0,100."""
    parts = value.split(",") if isinstance(value, str) else value
    try:
        low, high = (finite_number(part) for part in parts)
        if not low < high:
            raise ValueError
    except (TypeError, ValueError):
        raise ValueError(
            f"must be the smallest and the largest score, such as 0,100; got {shown(value)}."
        ) from None
    return low, high


def _penalty(value: Any) -> float:
    number = finite_number(value)
    if number < 0:
        raise ValueError(f"must be at least 0, got {shown(value)}.")
    return number


def _listed(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _number(name: str, help: str, parse: Any = positive_number) -> Any:
    return setting(
        getattr(Recipe(), name), f"{help} (default: {getattr(Recipe(), name):g})", parse,
        group=_MODEL, metavar="N", flags=("--" + name.replace("_", "-").lower(),),
    )  # fmt: skip


@dataclass(frozen=True)
class TrainRequest:
    """What is fitted to what, and how it is checked.

    Args:
        features: the model's inputs.
        regressor: which regression.
        norm: scale of scores and features.
        C, gamma, nu, epsilon, penalty, hidden: numbers of the regression, see `Recipe`.
        start: model to start from.
        bootstrap: members beside the model.
        clip: smallest and largest score.
        lower: the ratings' column, if lower is better.
        cv: which contents are held out; "none" for none.
        search: choose numbers by cross validation.
        pool: how the scores of frames become one.
        seed: of folds, resamples and first weights.

    Raises:
        ValueError: a value that makes no sense, or that the regressor or the start does not read.
    """

    features: Any = setting(
        (),
        "inputs: outputs (adm2,motion2), features with all theirs (y_funque_plus), or a file with "
        "a model, a list of names, or libvmaf's feature_dict",
        names,
        group=_MODEL,
        metavar="NAMES",
        flags=("--features", "--feature"),
    )
    regressor: str = setting(
        "nusvr", "regression; nusvr is libvmaf's", choice(*REGRESSORS), group=_MODEL,
        choices=REGRESSORS,
    )  # fmt: skip
    norm: str = setting(
        "clip_0to1", "scale of scores and features, libvmaf's norm_type", choice(*NORMS),
        group=_MODEL, choices=NORMS,
    )  # fmt: skip
    C: float = _number("C", "price of an error, of nusvr and svr")
    gamma: float = _number("gamma", "steepness of the kernel, of nusvr and svr")
    nu: float = _number("nu", "least share of support vectors, of nusvr")
    epsilon: float = _number("epsilon", "error that costs nothing, of svr")
    penalty: float = _number("penalty", "price of large weights, of ridge and mlp", _penalty)
    hidden: Any = setting(
        (16,), "units of the layers of mlp, such as 16 or 16,8", _units, group=_MODEL,
        metavar="N,N",
    )  # fmt: skip
    start: str | None = setting(
        None,
        "keep the support vectors of this model and fit their coefficients, in place of features "
        "and regressor",
        optional(text),
        group=_MODEL,
        metavar="MODEL",
    )
    bootstrap: int = setting(
        0, "members of a bootstrap collection beside the model", whole(0), group=_MODEL,
        metavar="N",
    )  # fmt: skip
    clip: tuple[float, float] | None = setting(
        None, "smallest and largest score of the model, such as 0,100", optional(_clip),
        group=_MODEL, metavar="LOW,HIGH",
    )  # fmt: skip
    lower: bool = setting(False, "lower ratings are better, as of some DMOS", switch, group=_MODEL)
    cv: str = setting(
        "leave-one-content-out",
        "which contents are held out: leave-one-content-out, a number of parts, random:NxF for N "
        "draws of the share F, or none",
        text,
        group=_CHOICE,
        metavar="FOLDS",
    )
    search: bool = setting(
        False, "choose the regression's numbers, in each fold by its other contents", switch,
        group=_CHOICE,
    )  # fmt: skip
    pool: str = setting(
        "mean", "how the scores of a clip's frames become one", choice(*POOLED), group=_CHOICE,
        choices=POOLED,
    )  # fmt: skip
    seed: int = setting(
        0, "seed of folds, resamples and first weights", whole(0), group=_CHOICE, metavar="N"
    )

    def __post_init__(self) -> None:
        """Parses and checks every field."""
        check_settings(self)
        known = {s.name: s.default for s in settings_of(type(self))}
        given = [name for name in known if getattr(self, name) != known[name]]
        if self.start is not None:
            unread = [name for name in ("regressor", "norm", "search", *_READ_BY) if name in given]
            if unread:
                raise ValueError(
                    f"a model to start from brings regression and norm, and what leaving it costs "
                    f"is chosen: leave out {_listed(unread)}."
                )
            return
        for name, readers in _READ_BY.items():
            if name in given and self.regressor not in readers:
                raise ValueError(
                    f"`{name}` is a number of {' and '.join(readers)}, not of {self.regressor}: "
                    "leave it out, or choose the regressor."
                )

    @property
    def recipe(self) -> Recipe:
        """Regressor and numbers."""
        return Recipe(
            regressor=self.regressor,
            norm=self.norm,
            C=self.C,
            gamma=self.gamma,
            nu=self.nu,
            epsilon=self.epsilon,
            penalty=self.penalty,
            hidden=tuple(self.hidden),
            seed=self.seed,
        )
