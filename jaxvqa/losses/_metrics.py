"""Losses made of one feature each: built from the feature's record."""

from __future__ import annotations

import functools
import inspect
import textwrap
from typing import Any, Protocol, runtime_checkable

from jaxvqa._planes import VideoLike
from jaxvqa._typing import Array
from jaxvqa.features._feature import CHROMA, Feature
from jaxvqa.features._run import argument_lines, check_pictures, smallest_square, with_options
from jaxvqa.losses._measure import Perfect, measure_floats
from jaxvqa.losses._reduce import float_pair, reduce_frames

SHARED_ARGUMENTS = {
    "ref": "reference, luma code values `(frames, height, width)` or `(height, width)`, or a "
    "`Planes`; any float or integer dtype.",
    "dis": "distorted video of the same shape.",
    "bit_depth": "bits per sample; needed unless both are uint8 or `Planes`.",
    "reduction": 'None for one value per frame, "mean" or "sum".',
    "where": "`(frames,)` booleans; frames that are False count 0 and are left out of the mean.",
}


@runtime_checkable
class LossFunction(Protocol):
    """The signature that every loss has."""

    def __call__(
        self,
        ref: VideoLike,
        dis: VideoLike,
        *,
        bit_depth: int | None = None,
        reduction: str | None = None,
        where: Any = None,
        **options: Any,
    ) -> Array:
        """One value per frame, or a scalar; 0 for an equal pair."""
        ...


@functools.lru_cache(maxsize=256)
def loss_function(feature: Feature[Any]) -> LossFunction:
    """The loss that a feature's record describes, with its signature and docstring."""
    form = feature.loss
    assert form is not None

    def loss(
        ref: VideoLike,
        dis: VideoLike,
        *,
        bit_depth: int | None = None,
        reduction: str | None = None,
        where: Any = None,
        **options: Any,
    ) -> Array:
        ref, dis = float_pair(ref, dis, bit_depth)
        settings = feature.resolve(options)
        form.check(settings)
        check_pictures(feature, dis, settings)
        series = measure_floats(feature, ref, dis, settings)
        if callable(form.value):
            return reduce_frames(form.value(series), where, reduction)
        output = next(o for o in feature.outputs(settings) if o.name == form.value)
        best = Perfect(feature, settings, ref, series)(output)
        lost = (
            best - series[output.name]
            if output.direction == "higher"
            else (series[output.name] - best)
        )
        return reduce_frames(lost, where, reduction)

    loss.__name__ = loss.__qualname__ = form.name
    loss.__module__ = "jaxvqa.losses"  # where it is found under its name
    loss.__doc__ = _text(feature)
    loss.__signature__ = with_options(inspect.signature(loss), feature)  # type: ignore[attr-defined]
    return loss


def _text(feature: Feature[Any]) -> str:
    form = feature.loss
    assert form is not None
    fixed = dict(SHARED_ARGUMENTS)
    if feature.need(feature.options()) == CHROMA:
        fixed["ref"] = "reference, a `Planes` with chroma; any float or integer dtype."
    # switches that only add outputs change no loss
    options = tuple(o for o in feature.options.spec() if not o.adds_outputs)
    returns = _folded(f"`(frames,)`, or a scalar if reduced: {form.returns}", 8)
    parts = [
        form.summary,
        _folded(form.note, 4).lstrip(),
        argument_lines(fixed, options),
        f"Returns:\n{returns}",
        "Raises:\n        ValueError: bad options, shapes or sizes. TypeError: bad dtypes.",
        f"Source: as for the feature `{feature.name}`.",
        f"Example:\n{_example(feature)}",
    ]
    return "\n\n    ".join(part for part in parts if part)


def _folded(text: str, indent: int) -> str:
    pad = " " * indent
    return textwrap.fill(text, 96, initial_indent=pad, subsequent_indent=pad)


def _example(feature: Feature[Any]) -> str:
    form = feature.loss
    assert form is not None
    colour = feature.need(feature.options()) == CHROMA
    smallest = smallest_square(feature, "444") or 1024
    side = max(32, 1 << (smallest - 1).bit_length())
    luma = f"jax.random.uniform(jax.random.key(0), (1, {side}, {side}), maxval=255.0)"
    lines = [
        ">>> import jax, jaxvqa",
        f">>> y = {luma}",
        f">>> ref = jaxvqa.Planes(y, {'y, y, ' if colour else ''}bit_depth=8)",
        f'>>> loss = jaxvqa.losses.{form.name}(ref, ref, reduction="mean")',
        ">>> round(float(abs(loss)), 3)",
        "0.0",
    ]
    return "\n".join(" " * 8 + line for line in lines)
