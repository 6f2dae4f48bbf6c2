"""What a feature is: a record of an array program, its options, outputs and needs.

A feature has two parts. `extract` is a pure array program that gives raw per-frame values for a
chunk of frames plus the frames before it; `finish` turns the raw series of the whole clip into the
published outputs where a metric looks along time. So a clip scored in chunks gives the same bits
as a clip scored at once, and chunks can run on different devices.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxvqa._planes import Planes, as_pair
from jaxvqa.features._options import Option, Options, resolve

Series = dict[str, Any]


@dataclass(frozen=True)
class Output:
    """One published per-frame value.

    Args:
        name: key in results, as libvmaf prints it without option suffix, e.g. `integer_adm2`.
        direction: "higher" or "lower" is better, or "neither" for descriptors such as motion.
        raw: libvmaf's full key as used in model files; None if the feature is not libvmaf's.
    """

    name: str
    direction: str
    raw: str | None = None


def _no_check(ref: Planes, options: Options) -> None:
    """Accepts every picture."""


# for `Feature.cpu_compiler`: XLA's older emitters. A kernel costs them less to compile, but equal
# ones are compiled each, so they suit programs that work on arrays of pictures, bands, planes and
# not on one after the other; and loops that write where they read stay scalar
OLDER_EMITTERS = (("xla_cpu_use_fusion_emitters", False),)
# the same and LLVM's second level of optimisation: quicker again, and some loops run slower
QUICKER = (*OLDER_EMITTERS, ("xla_backend_optimization_level", 2))


@dataclass(frozen=True)
class Feature:
    """A feature record; see the module's text for the two parts.

    Args:
        name: extractor name, as in libvmaf where it exists there (`float_vif`).
        summary: one line for listings.
        options: its options.
        outputs: what it publishes for given options.
        extract: `(ref, dis, options) -> {name: (frames,)}`. Both pictures have a frame axis and
            `before(options)` extra frames in front; only the others get a value. Pure, traceable.
        planes: "y" or "yuv", or a function of the options that says so.
        before: how many earlier frames `extract` needs.
        finish: `(series, options) -> series` over the whole clip, numpy or JAX arrays alike.
        check: raises ValueError for pictures that the feature can't measure (size, chroma).
        integer: True if it needs uint8/uint16 code values.
        differentiable: False if its gradient is zero or undefined almost everywhere.
        cpu_compiler: XLA options under which the scoring engine compiles it for CPUs.
    """

    name: str
    summary: str
    options: tuple[Option, ...]
    outputs: Callable[[Options], tuple[Output, ...]]
    extract: Callable[[Planes, Planes, Options], Series]
    planes: str | Callable[[Options], str] = "y"
    before: Callable[[Options], int] = lambda options: 0
    finish: Callable[[Series, Options], Series] | None = None
    check: Callable[[Planes, Options], None] = _no_check
    integer: bool = False
    differentiable: bool = True
    cpu_compiler: tuple[tuple[str, bool | int], ...] = ()

    def resolve(self, given: Mapping[str, Any]) -> Options:
        """Parses options for this feature; see `options.resolve`."""
        return resolve(self.name, self.options, given)

    def needs_chroma(self, options: Options) -> bool:
        """True if the feature reads the chroma planes under these options."""
        planes = self.planes(options) if callable(self.planes) else self.planes
        return planes == "yuv"


def series_namespace(series: Series) -> Any:
    """The array module of a series, numpy or jax.numpy: finishers serve both."""
    arrays = jax.tree.leaves(series)
    return np if all(isinstance(x, np.ndarray) for x in arrays) else jnp


def check_feature(feature: Feature, ref: Planes, options: Options) -> None:
    """Raises ValueError or TypeError if `feature` can't measure pictures like `ref`."""
    if feature.integer and not jnp.issubdtype(ref.y.dtype, jnp.unsignedinteger):
        raise TypeError(
            f"{feature.name} works on integer code values (uint8 or uint16), got "
            f"{ref.y.dtype.name}: use the float form of the feature for float frames."
        )
    if feature.needs_chroma(options) and ref.u is None:
        raise ValueError(
            f"{feature.name} needs chroma, but the video is monochrome (4:0:0): pass a "
            "jaxvqa.Planes with y, u and v."
        )
    feature.check(ref, options)


def with_history(planes: Planes, before: int) -> Planes:
    """Puts `before` copies of the first frame in front of a clip."""
    if before == 0:
        return planes
    return jax.tree.map(
        lambda p: jnp.concatenate([jnp.repeat(p[:1], before, axis=0), p], axis=0), planes
    )


def run(
    feature: Feature,
    ref: Any,
    dis: Any,
    bit_depth: int | None,
    given: Mapping[str, Any],
    extra: Mapping[str, Any],
) -> dict[str, Any]:
    """Runs one feature over a whole clip; the body of every public feature function.

    Args:
        feature: what to run.
        ref: reference, luma array or `Planes`.
        dis: distorted, the same.
        bit_depth: bits a sample, or None where the dtype or the `Planes` says it.
        given: options under their Python names, as the function's signature has them.
        extra: options under libvmaf's names; they win over a default in `given`.

    Returns:
        `{output name: (frames,)}`, names without option suffix.
    """
    ref, dis = jax.tree.map(jnp.asarray, as_pair(ref, dis, bit_depth))
    defaults = {o.python: o.default for o in feature.options}
    stated = {k: v for k, v in given.items() if k not in defaults or v != defaults[k]}
    options = feature.resolve(stated | dict(extra))
    check_feature(feature, ref, options)
    if not feature.needs_chroma(options):
        ref, dis = ref.luma_only(), dis.luma_only()
    before = feature.before(options)
    series = feature.extract(with_history(ref, before), with_history(dis, before), options)
    if feature.finish is not None:
        series = feature.finish(series, options)
    return {o.name: series[o.name] for o in feature.outputs(options)}
