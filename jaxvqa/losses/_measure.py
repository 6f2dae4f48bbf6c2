"""Features on float frames, and what they are worth where nothing was lost."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from jaxvqa._planes import Planes, to_codes
from jaxvqa._typing import Array, Float
from jaxvqa.features._feature import MEASURED, OF_REFERENCE, Feature, Output
from jaxvqa.features._options import Options
from jaxvqa.features._run import measure


def measure_floats(
    feature: Feature[Any], ref: Planes, dis: Planes, options: Options, *, gradient: bool = True
) -> dict[str, Array]:
    """Every output of a feature on float frames, with a gradient where the feature has one.

    Args:
        feature: what to measure.
        ref: reference frames, floats.
        dis: distorted frames, floats.
        options: parsed options.
        gradient: False stops the gradient of a feature that only has a surrogate of one.
    """
    if feature.surrogate is not None:
        if not gradient:
            ref, dis = jax.lax.stop_gradient((ref, dis))
        return measure(feature, ref, dis, options, surrogate=True)
    if feature.integer:
        ref, dis = _rounded(ref), _rounded(dis)
    return measure(feature, ref, dis, options)


def _rounded(planes: Planes) -> Planes:
    return jax.tree.map(lambda plane: to_codes(plane, planes.depth), planes)


class Perfect:
    """Values of a feature's outputs where the distorted picture equals the reference.

    Args:
        feature: the feature.
        options: its options.
        ref: reference frames, floats.
        series: the outputs as measured on the pair.
        gradient: as for `measure_floats`.
    """

    def __init__(
        self,
        feature: Feature[Any],
        options: Options,
        ref: Planes,
        series: dict[str, Array],
        *,
        gradient: bool = True,
    ) -> None:
        self._feature, self._options, self._ref = feature, options, ref
        self._series, self._gradient = series, gradient
        self._itself: dict[str, Array] | None = None

    def __call__(self, output: Output) -> Float[Array, " frames"]:
        """The value of one output, `(frames,)`."""
        value, perfect = self._series[output.name], output.perfect
        if perfect == OF_REFERENCE:
            return value
        if perfect == MEASURED:
            if self._itself is None:
                self._itself = measure_floats(
                    self._feature, self._ref, self._ref, self._options, gradient=self._gradient
                )
            return self._itself[output.name]
        best = perfect(self._ref) if callable(perfect) else perfect
        return jnp.broadcast_to(jnp.asarray(best, value.dtype), value.shape)
