"""Metrics and losses as objects of `flax.nnx`, for training loops written with it.

`QualityMetric` streams frames or scores and pools them, `Loss` and `WeightedLoss` are modules over
`jaxvqa.losses`. Import it by name, `import jaxvqa.nnx`: `import jaxvqa` does not load `flax.nnx`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx

from jaxvqa import losses
from jaxvqa._checks import one_of
from jaxvqa._typing import Array, Float
from jaxvqa.features._feature import Output
from jaxvqa.features._registry import FEATURES, find
from jaxvqa.features._run import check_pictures
from jaxvqa.fusion._catalog import model_names
from jaxvqa.losses._measure import measure_floats
from jaxvqa.losses._model import ModelLike, score_frames, single_model
from jaxvqa.losses._reduce import REDUCTIONS, float_pair, reduce_frames

POOLINGS = ("mean", "harmonic_mean", "min", "max")

FrameFunction = Callable[..., Array]


class QualityMetric(nnx.Metric):
    """Pooled quality of the frames of all updates since the last reset.

    Args:
        metric: a fusion model (shipped name, path, or loaded), the name of a feature
            (`float_vif`), or a function `(ref, dis, bit_depth=...) -> (frames,)`. Models use the
            float twins of their features and clip their score.
        bit_depth: bits per sample; needed unless frames are uint8 or `Planes`.
        pooling: "mean", "harmonic_mean" (libvmaf's, `n / sum(1 / (s + 1)) - 1`), "min" or "max".
        output: which output of a feature, where it has several.
        **options: options of the feature, or further arguments of the function.

    Raises:
        ValueError: no such metric, pooling or output.

    The state is a running value and a count of frames, so it stays exact over long streams and
    fits in a checkpoint. Metrics that look along time see the frames of one update only.
    """

    def __init__(
        self,
        metric: ModelLike | FrameFunction = "vmaf_v0.6.1",
        *,
        bit_depth: int | None = None,
        pooling: str = "mean",
        output: str | None = None,
        **options: Any,
    ) -> None:
        self.pooling = one_of("pooling", pooling, POOLINGS)
        self.bit_depth = bit_depth
        self._frames = _frame_function(metric, output, options)
        self.value = nnx.metrics.MetricState(self._start())
        self.count = nnx.metrics.MetricState(jnp.zeros((), jnp.int32))

    def _start(self) -> Array:
        return jnp.asarray({"min": jnp.inf, "max": -jnp.inf}.get(self.pooling, 0.0), jnp.float32)

    def reset(self) -> None:
        """Forgets all frames."""
        self.value[...] = self._start()
        self.count[...] = jnp.zeros((), jnp.int32)

    def update(
        self, *, ref: Any = None, dis: Any = None, scores: Any = None, where: Any = None, **_: Any
    ) -> None:
        """Adds frames.

        Args:
            ref: reference frames, as the losses take them.
            dis: distorted frames of the same shape.
            scores: `(frames,)` in place of `ref` and `dis`, where they are known already.
            where: `(frames,)` booleans, False for frames that do not count.
            **_: not looked at, so that an `nnx.MultiMetric` can hand the same arguments to all.

        Raises:
            TypeError: neither frames nor scores, or both.
        """
        if (scores is None) == (ref is None) or (ref is None) != (dis is None):
            raise TypeError("update takes either ref and dis, or scores.")
        if scores is None:
            scores = self._frames(ref, dis, bit_depth=self.bit_depth)
        scores = jax.lax.stop_gradient(jnp.atleast_1d(jnp.asarray(scores))).astype(jnp.float32)
        # also checks the mask
        count = reduce_frames(jnp.ones_like(scores), where, "sum").astype(jnp.int32)
        counts = jnp.ones(scores.shape, jnp.bool_) if where is None else jnp.asarray(where)
        if self.pooling in ("min", "max"):
            value = jnp.where(counts, scores, self._start())
            value = value.min() if self.pooling == "min" else value.max()
        else:
            terms = scores if self.pooling == "mean" else 1 / (scores + 1)
            value = reduce_frames(terms, where, "mean")
        self._add(value, count)

    def _add(self, value: Array, count: Array) -> None:
        """Joins the pooled value of `count` further frames to that of the frames so far."""
        before = self.value[...]
        total = self.count[...] + count
        if self.pooling == "min":
            self.value[...] = jnp.minimum(before, value)
        elif self.pooling == "max":
            self.value[...] = jnp.maximum(before, value)
        else:
            # moves a mean instead of growing a sum, which would lose digits over long streams
            share = count.astype(jnp.float32) / jnp.maximum(total, 1).astype(jnp.float32)
            self.value[...] = before + (value - before) * share
        self.count[...] = total

    def compute(self) -> Float[Array, ""]:
        """The pooled score, in the metric's own unit and direction; NaN before any frame."""
        value = self.value[...]
        if self.pooling == "harmonic_mean":
            value = 1 / value - 1
        return jnp.where(self.count[...] > 0, value, jnp.nan)

    def merge(self, *others: QualityMetric) -> None:
        """Adds what other metrics of the same kind have seen, from other processes say.

        Raises:
            ValueError: they pool in another way.
        """
        for other in others:
            if other.pooling != self.pooling:
                raise ValueError(f"can't merge {other.pooling} into {self.pooling}: pool alike.")
        for other in others:
            self._add(other.value[...], other.count[...])

    def all_reduce(self, axis_name: str) -> None:
        """Merges over a named axis, inside `shard_map`, `pmap` or `vmap`; call it once an epoch.

        Frames sharded over a mesh under plain `jit` need none of this: there an update sees all.
        """
        value, count = self.value[...], self.count[...]
        total = jax.lax.psum(count, axis_name)
        if self.pooling == "min":
            self.value[...] = jax.lax.pmin(value, axis_name)
        elif self.pooling == "max":
            self.value[...] = jax.lax.pmax(value, axis_name)
        else:
            share = count.astype(jnp.float32) / jnp.maximum(total, 1).astype(jnp.float32)
            self.value[...] = jax.lax.psum(value * share, axis_name)
        self.count[...] = total


def _frame_function(
    metric: ModelLike | FrameFunction, output: str | None, options: Mapping[str, Any]
) -> FrameFunction:
    if isinstance(metric, str) and metric in FEATURES:
        return _feature_function(metric, output, options)
    if output is not None:
        raise ValueError(f"output={output!r} picks a value of a feature; {metric!r} has one value.")
    if callable(metric):
        return functools.partial(metric, **options)
    if options:
        raise ValueError(f"a model takes no options here, got {', '.join(options)}.")
    try:
        model = single_model(metric)
    except ValueError as error:
        raise ValueError(
            f"{error} A feature or a model is meant: features are {', '.join(FEATURES)}; "
            f"models are {', '.join(model_names())}."
        ) from None
    return functools.partial(score_frames, model=model)


def _feature_function(name: str, output: str | None, options: Mapping[str, Any]) -> FrameFunction:
    feature = find(name)
    resolved = feature.resolve(options)
    outputs: dict[str, Output] = {o.name: o for o in feature.outputs(resolved)}
    only = next(iter(outputs)) if len(outputs) == 1 else None
    wanted = one_of("output", only if output is None else output, outputs)

    def frames(ref: Any, dis: Any, bit_depth: int | None = None) -> Array:
        ref, dis = float_pair(ref, dis, bit_depth)
        check_pictures(feature, dis, resolved, outputs[wanted])
        return measure_floats(feature, ref, dis, resolved)[wanted]

    return frames


class Loss(nnx.Module):
    """One loss as a module: `Loss("vmaf", bit_depth=8)(ref, dis)` is a scalar.

    Args:
        loss: a name in `jaxvqa.losses`, or a function with the signature of those.
        bit_depth: bits per sample; needed unless frames are uint8 or `Planes`.
        reduction: "mean", "sum", or None for one value per frame.
        **options: further arguments of the loss (`model="vmaf_v0.6.1neg"`).

    Raises:
        ValueError: no such loss.
    """

    def __init__(
        self,
        loss: str | FrameFunction,
        *,
        bit_depth: int | None = None,
        reduction: str | None = "mean",
        **options: Any,
    ) -> None:
        one_of("reduction", reduction, REDUCTIONS)
        if isinstance(loss, str):
            loss = getattr(losses, one_of("loss", loss, losses.names()))
        if not callable(loss):
            raise TypeError(f"loss must be a name or a function, got {type(loss).__name__}.")
        self._loss = functools.partial(loss, bit_depth=bit_depth, reduction=reduction, **options)

    def __call__(self, ref: Any, dis: Any, *, where: Any = None) -> Array:
        """The loss of frames `dis` against `ref`; `where` masks frames, as in `jaxvqa.losses`."""
        return self._loss(ref, dis, where=where)


class WeightedLoss(nnx.Module):
    """A weighted sum of losses: `WeightedLoss({"ms_essim": 1.0, "vmaf": 0.01}, bit_depth=8)`.

    Args:
        weights: weight of each loss by its name in `jaxvqa.losses`.
        bit_depth: bits per sample; needed unless frames are uint8 or `Planes`.
        reduction: "mean", "sum", or None for one value per frame.
        options: further arguments by loss (`{"vmaf": {"model": "vmaf_v1"}}`).
        terms: further losses by a name of your own: `{"mine": Loss(fn, bit_depth=8)}`, with a
            weight under that name.

    Raises:
        ValueError: no losses, an unknown one, or options or terms without a weight.
    """

    def __init__(
        self,
        weights: Mapping[str, float],
        *,
        bit_depth: int | None = None,
        reduction: str | None = "mean",
        options: Mapping[str, Mapping[str, Any]] | None = None,
        terms: Mapping[str, Loss] | None = None,
    ) -> None:
        options, terms = dict(options or {}), dict(terms or {})
        unused = [name for name in (*options, *terms) if name not in weights]
        if not weights or unused:
            raise ValueError(f"give a weight for each loss, missing: {', '.join(unused) or 'all'}.")
        self.weights = tuple((name, float(weight)) for name, weight in weights.items())
        self.terms = nnx.Dict(
            {
                name: terms[name]
                if name in terms
                else Loss(name, bit_depth=bit_depth, reduction=reduction, **options.get(name, {}))
                for name in weights
            }
        )

    def each(self, ref: Any, dis: Any, *, where: Any = None) -> dict[str, Array]:
        """Every loss by name, without its weight; for logs."""
        return {name: self.terms[name](ref, dis, where=where) for name, _ in self.weights}

    def __call__(self, ref: Any, dis: Any, *, where: Any = None) -> Array:
        """The weighted sum."""
        found = self.each(ref, dis, where=where)
        first, *others = [weight * found[name] for name, weight in self.weights]
        return sum(others, start=first)
