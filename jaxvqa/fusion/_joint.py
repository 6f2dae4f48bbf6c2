"""A fusion and numbers of its features, fitted together by gradient to clips and their scores.

The features with trained numbers are computed anew in every step, from the form of theirs that
takes traced numbers; all others once. Ridge regression is solved in closed form in every step, so
the gradient belongs to the numbers alone; a perceptron takes its steps along with them.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxvqa._checks import one_of
from jaxvqa._planes import Planes, VideoLike, as_pair
from jaxvqa._typing import Array, Float, Num
from jaxvqa.features._feature import Feature, Trainable
from jaxvqa.features._options import Options
from jaxvqa.features._registry import find
from jaxvqa.features._run import check_feature, measure
from jaxvqa.fusion._fit import REGRESSORS, checked, fit
from jaxvqa.fusion._fit_mlp import (
    check_descent,
    check_hidden,
    first_mlp,
    optimiser,
    penalised_error,
    training,
)
from jaxvqa.fusion._model import FeatureRef, Model, ModelInfo
from jaxvqa.fusion._regressions import Linear

Clip = tuple[VideoLike, VideoLike]
Progress = Callable[[int, float], None]
# the smallest trained number, in parts of where it started: its logarithm is what moves
_LEAST = 1e-4


@dataclass(frozen=True)
class _Group:
    """The columns that one extraction gives, and its trained numbers with their limits."""

    feature: Feature[Any]
    options: Options
    columns: tuple[int, ...]
    outputs: tuple[str, ...]
    start: dict[str, float]
    limits: dict[str, tuple[float, float]]

    def __hash__(self) -> int:
        # equal problems share their compiled programs
        return hash((self.feature.name, self.options, self.columns))

    @property
    def trainable(self) -> Trainable[Any]:
        """The form that takes traced numbers."""
        assert self.feature.trainable is not None
        return self.feature.trainable


def fit_jointly(
    clips: Sequence[Clip],
    scores: Num[np.ndarray, " scores"],
    features: Sequence[FeatureRef],
    train: Sequence[str],
    *,
    bit_depth: int | None = None,
    regressor: str = "ridge",
    norm: str = "clip_0to1",
    penalty: float = 1e-4,
    hidden: Sequence[int] = (16,),
    steps: int = 100,
    learning_rate: float = 0.03,
    seed: int = 0,
    score_clip: tuple[float, float] | None = None,
    info: ModelInfo = ModelInfo(name="fitted"),  # noqa: B008
    progress: Progress | None = None,
) -> Model:
    """Fits a model and numbers of its features together, by gradient.

    Args:
        clips: pairs `(ref, dis)` of luma arrays or `Planes`, all of one size, length and dtype.
        scores: what is to be predicted, one per clip.
        features: the inputs; `feature_refs` makes them from names. Trained numbers start at the
            values that these have, so a gain limit has to start where it limits something.
        train: which numbers, as `float_adm.adm_enhn_gain_limit`: gain limits, noise and contrast
            sensitivity (`adm_f1s0` to `adm_f2s3`) of `float_adm` and `float_vif`, or numbers of
            registered features that have a `Trainable`. Without any, features stay as they are.
        bit_depth: bits per sample; needed unless the clips are uint8 or `Planes`.
        regressor: "ridge" or "mlp"; this and the following options as for `fit`.
        norm: see `normalisation`.
        penalty: what the sum of squared weights costs.
        hidden: units of each hidden layer.
        steps: of Adam.
        learning_rate: of Adam at the start, for the weights and for the logarithms of the numbers.
        seed: of the perceptron's first weights.
        score_clip: smallest and largest score of the model, or None.
        info: the model's name and description.
        progress: called after each step with its number and the root mean squared error before it.

    Returns:
        A `Model` that has the trained numbers as options of its features, with six digits, as
        model files keep them. Features are pooled by their mean over the frames. The same
        arguments give the same bytes.

    Raises:
        ValueError: as for `fit`; a number that can't be trained or does not start above 0; clips
            that differ in size or length.
        TypeError: clips that a feature can't measure. ImportError: no optax.

    Example:
        >>> import numpy as np
        >>> from jaxvqa import fusion
        >>> ref = np.random.default_rng(0).uniform(50, 200, (1, 32, 32)).astype(np.float32)
        >>> clips = [(ref, ref * gain) for gain in (0.8, 0.9, 1.1, 1.2)]
        >>> key = "VMAF_feature_adm2_score=adm_enhn_gain_limit=1.15"
        >>> model = fusion.fit_jointly(
        ...     clips, np.array([80, 90, 100, 100]), fusion.feature_refs([key]),
        ...     ["float_adm.adm_enhn_gain_limit"], bit_depth=8, steps=3,
        ... )
        >>> [name for name, value in model.features[0].options]
        ['adm_enhn_gain_limit']
    """
    one_of("regressor", regressor, REGRESSORS)
    check_descent(steps, learning_rate)
    optimiser()
    groups = _groups(features, train)
    pairs = _stacked(clips, bit_depth, groups)
    rows = _measured(groups, pairs, len(features))
    options: dict[str, Any] = {"norm": norm, "penalty": penalty}
    model = fit(rows, scores, features, **options, score_clip=score_clip, info=info)
    start = None
    if regressor == "ridge" and not train:
        return model
    if regressor == "mlp":
        start = first_mlp(len(features), check_hidden(hidden), seed)
    problem = _Problem(groups, start is None, steps)
    _, target, shares = checked(rows, scores, None, len(features))
    fixed = (pairs, rows, target, shares, model.slopes, model.intercepts, penalty, learning_rate)
    numbers, mlp = _descend(problem, start, fixed, progress)
    refs = _with_numbers(features, groups, numbers)
    if start is not None:
        return replace(model, regression=jax.tree.map(np.asarray, mlp), features=refs)
    rows = _measured(_groups(refs, ()), pairs, len(features))
    return fit(rows, scores, refs, **options, score_clip=score_clip, info=info)


def _groups(features: Sequence[FeatureRef], train: Sequence[str]) -> tuple[_Group, ...]:
    """The extractions that give the features, with the numbers that are trained."""
    wanted: dict[str, list[str]] = {}
    for text in train:
        extractor, _, option = text.partition(".")
        wanted.setdefault(extractor, []).append(option)
    found: dict[tuple[str, Options], list[tuple[int, str]]] = {}
    for column, ref in enumerate(features):
        feature = find(ref.extractor)
        output, options = feature.output(ref.key, feature.resolve(ref.settings))
        found.setdefault((feature.name, options), []).append((column, output.name))
    for extractor in wanted:
        users = [options for name, options in found if name == extractor]
        if len(users) != 1:
            raise ValueError(
                f"{extractor} must be among the features, once or with the same options, to be "
                f"trained: it is there with {len(users)} sets of options."
            )
    return tuple(
        _group(find(name), options, columns, wanted.get(name, []))
        for (name, options), columns in found.items()
    )


def _group(
    feature: Feature[Any], options: Any, columns: list[tuple[int, str]], train: list[str]
) -> _Group:
    start, limits = {}, {}
    if train:
        if feature.trainable is None:
            raise ValueError(f"{feature.name} has no numbers that can be trained.")
        start = feature.trainable.start(options)
    spec = {o.name: o for o in feature.options.spec() if o.python in start}
    for name in train:
        if name not in spec:
            raise ValueError(
                f"{feature.name} has no number {name!r} that can be trained; it has: "
                f"{', '.join(spec)}."
            )
        o = spec[name]
        value = start[o.python]
        if value <= 0:
            raise ValueError(f"{feature.name}.{name} must start above 0, it is {value:g}.")
        low = value * _LEAST if o.low is None else max(o.low, value * _LEAST)
        limits[o.python] = (low, np.inf if o.high is None else o.high)
    indices, outputs = zip(*columns, strict=True)
    return _Group(feature, options, indices, outputs, start, limits)


def _stacked(
    clips: Sequence[Clip], bit_depth: int | None, groups: tuple[_Group, ...]
) -> tuple[Planes, Planes]:
    """All clips as two `Planes` with a leading axis of clips."""
    pairs = [as_pair(ref, dis, bit_depth) for ref, dis in clips]
    if not pairs:
        raise ValueError("a fit needs two or more clips, got none.")
    forms = {tuple(str(jax.typeof(x)) for x in jax.tree.leaves(pair)) for pair in pairs}
    if len(forms) != 1 or len({jax.tree.structure(pair) for pair in pairs}) != 1:
        raise ValueError("all clips must have one size, length, bit depth and dtype.")
    for group in groups:
        check_feature(group.feature, pairs[0][0], group.options)
    return jax.tree.map(lambda *planes: np.stack(planes), *pairs)


def _measured(
    groups: tuple[_Group, ...], pairs: tuple[Planes, Planes], count: int
) -> Float[np.ndarray, "clips n"]:
    """The pooled features, as the published features give them."""
    order = [column for group in groups for column in group.columns]
    clips = len(jax.tree.leaves(pairs)[0])
    rows = np.zeros((clips, count))
    for clip in range(clips):
        pair = jax.tree.map(lambda x, i=clip: jnp.asarray(x[i]), pairs)
        rows[clip, order] = _pooled(groups, pair)
    return rows


@functools.partial(jax.jit, static_argnums=0)
def _pooled(groups: tuple[_Group, ...], pair: tuple[Planes, Planes]) -> list[Array]:
    """The features of one clip, group by group."""
    series = [measure(group.feature, *pair, group.options) for group in groups]
    return [
        found[name].astype(jnp.float32).mean()
        for found, group in zip(series, groups, strict=True)
        for name in group.outputs
    ]


@dataclass(frozen=True)
class _Problem:
    """What a step needs to know before it is compiled."""

    groups: tuple[_Group, ...]
    closed_form: bool
    steps: int

    def columns(self, logs: list[dict[str, Array]], pairs: Any, rows: Array) -> Array:
        """The rows with the columns that depend on trained numbers put in."""
        for group, moved in zip(self.groups, logs, strict=True):
            if moved:
                numbers = group.start | {k: jnp.exp(v) for k, v in moved.items()}
                fresh = _traced_columns(group, numbers, pairs)
                rows = rows.at[:, np.array(group.columns)].set(fresh.astype(rows.dtype))
        return rows

    def error(self, moving: Any, fixed: tuple[Any, ...]) -> tuple[Array, Array]:
        """Penalised error in normalised units, and the root mean squared error in score units."""
        logs, regression = moving
        pairs, rows, target, shares, slopes, intercepts, penalty, _ = fixed
        x = self.columns(logs, pairs, rows) * slopes[None, 1:] + intercepts[None, 1:]
        y = target * slopes[0] + intercepts[0]
        if self.closed_form:
            # at the optimum the error doesn't change with the weights: no gradient through them
            regression = jax.lax.stop_gradient(_ridge(x, y, shares, penalty))
        plain, whole = (penalised_error(regression, x, y, shares, cost) for cost in (0.0, penalty))
        return whole, jnp.sqrt(plain) / jnp.abs(slopes[0])


def _traced_columns(group: _Group, numbers: dict[str, Any], pairs: Any) -> Array:
    """Pooled outputs of all clips, `(clips, outputs)`; a backward pass keeps one clip's maps."""
    single = {name: jnp.asarray(value, jnp.float32) for name, value in numbers.items()}

    @jax.checkpoint
    def one(pair: tuple[Planes, Planes]) -> Array:
        ref, dis = (jax.tree.map(lambda x: x.astype(jnp.float32), side) for side in pair)
        series = group.trainable.extract(ref, dis, group.options, single)
        return jnp.stack([series[name].mean() for name in group.outputs])

    return jax.lax.map(one, pairs)


def _ridge(x: Array, y: Array, shares: Array, penalty: Any) -> Linear:
    centre, level = shares @ x, shares @ y
    deep = (x - centre[None, :]) * shares[:, None]
    system = deep.T @ (x - centre[None, :]) + penalty * jnp.eye(x.shape[1])
    # a column that never changes leaves the system singular where nothing is penalised
    weights = jnp.linalg.lstsq(system, deep.T @ (y - level))[0]
    return Linear(weights, level - centre @ weights)


def _descend(
    problem: _Problem, mlp: Any, fixed: tuple[Any, ...], progress: Progress | None
) -> tuple[list[dict[str, float]], Any]:
    """Runs Adam; returns the trained numbers of each group and the perceptron."""
    with training():
        logs = [
            {name: jnp.log(jnp.float64(group.start[name])) for name in group.limits}
            for group in problem.groups
        ]
        moving = (logs, jax.tree.map(lambda x: jnp.asarray(x, jnp.float64), mlp))
        memory = _adam(problem, fixed).init(moving)
        fixed = jax.tree.map(jnp.asarray, fixed)
        for number in range(problem.steps):
            moving, memory, error = _step(problem, moving, memory, fixed)
            if progress is not None:
                progress(number + 1, float(error))
        logs, mlp = jax.device_get(moving)
    return [{name: float(np.exp(v)) for name, v in own.items()} for own in logs], mlp


def _adam(problem: _Problem, fixed: tuple[Any, ...]) -> Any:
    optax = optimiser()
    return optax.adam(optax.cosine_decay_schedule(fixed[-1], problem.steps))


@functools.partial(jax.jit, static_argnums=0, donate_argnums=(1, 2))
def _step(problem: _Problem, moving: Any, memory: Any, fixed: Any) -> tuple[Any, Any, Array]:
    """One step of Adam, kept within the limits of the numbers."""
    gradient, error = jax.grad(problem.error, has_aux=True)(moving, fixed)
    change, memory = _adam(problem, fixed).update(gradient, memory)
    logs, mlp = optimiser().apply_updates(moving, change)
    logs = [
        {name: jnp.clip(value, *np.log(group.limits[name])) for name, value in own.items()}
        for own, group in zip(logs, problem.groups, strict=True)
    ]
    return (logs, mlp), memory, error


def _with_numbers(
    features: Sequence[FeatureRef], groups: tuple[_Group, ...], numbers: list[dict[str, float]]
) -> tuple[FeatureRef, ...]:
    """The features with the trained numbers as options, within their limits."""
    refs = list(features)
    for group, found in zip(groups, numbers, strict=True):
        names = {o.python: o.name for o in group.feature.options.spec()}
        given = {}
        for python, value in found.items():
            low, high = group.limits[python]
            given[names[python]] = float(f"{min(max(value, low), high):.6g}")
        for column in group.columns:
            merged = dict(refs[column].options) | given
            refs[column] = replace(refs[column], options=tuple(merged.items()))
    return tuple(refs)
