"""What a feature is: one record that knows everything about a metric.

A feature has two parts. `extract` is a pure array program that gives raw per-frame values for a
chunk of frames plus the frames before it; `finish` turns the raw series of the whole clip into the
published outputs where a metric looks along time. So a clip scored in chunks gives the same bits
as a clip scored at once, and chunks can run on different devices.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

import jax
import jax.numpy as jnp
import numpy as np

from jaxvqa._notice import Notice
from jaxvqa._planes import Planes
from jaxvqa.features._options import Options

Series = dict[str, Any]
OptionsT = TypeVar("OptionsT", bound=Options)

Direction = Literal["higher", "lower", "neither"]

Need = Literal["luma", "chroma", "chroma if present"]
LUMA: Need = "luma"
CHROMA: Need = "chroma"
CHROMA_IF_PRESENT: Need = "chroma if present"

# for `Output.perfect`: the value depends on the reference alone, so every pair has that of an equal
# pair; or it depends on the picture, and is measured on the reference against itself
OF_REFERENCE = "of the reference"
MEASURED = "measured"
Perfect = float | Literal["of the reference", "measured"] | Callable[[Planes], Any]

# for `Output.part`: what chroma correction of a fusion model looks for, and what shows cuts
Part = Literal["detail", "chroma", "change"]

# for `Feature.cpu_compiler`: XLA's older emitters compile a kernel faster but do not share equal
# kernels, so they suit programs that batch pictures, bands or planes instead of repeating them; and
# loops that write where they read stay scalar
XLA_OLDER_EMITTERS = (("xla_cpu_use_fusion_emitters", False),)
# the same and LLVM's second level of optimisation: compiles faster still, some loops run slower
XLA_FAST_COMPILE = (*XLA_OLDER_EMITTERS, ("xla_backend_optimization_level", 2))
# 512-bit vectors where the processor has them, which whole numbers gain by
XLA_WIDE_VECTORS = (("xla_cpu_prefer_vector_width", 512),)


@dataclass(frozen=True)
class Output:
    """One per-frame value of a feature.

    Args:
        name: key in results, as libvmaf prints it without option suffix, e.g. `integer_adm2`.
        direction: "higher" or "lower" is better, or "neither" for descriptors such as motion.
        perfect: the value of an equal pair: a number, a function of the reference (peaks depend on
            the bit depth), OF_REFERENCE or MEASURED.
        key: libvmaf's full key, as model files have it; None if no model may use the value.
        shown: False for values that functions return and results leave out.
        part: "detail" or "chroma" if chroma correction of a model reads it as that; "change" if it
            is the mean difference from the frame before, in 8-bit codes, which jumps at a cut.
        of_chroma: True for a value of the chroma planes that monochrome video goes without.
        for_models: False for what libvmaf prints but gives to no model; ours may use it.
    """

    name: str
    direction: Direction
    perfect: Perfect
    key: str | None = None
    shown: bool = True
    part: Part | None = None
    of_chroma: bool = False
    for_models: bool = True


@dataclass(frozen=True)
class Measurement(Generic[OptionsT]):
    """Values of a feature over a whole clip, as `Feature.notices` and `aggregate` see them.

    Args:
        series: everything that the feature computed, `{name: (frames,)}`.
        options: its options.
        bit_depth: bits per sample of the clip.
        models: names of the models that use the feature.
    """

    series: Mapping[str, np.ndarray]
    options: OptionsT
    bit_depth: int
    models: tuple[str, ...] = ()


@dataclass(frozen=True)
class Loss(Generic[OptionsT]):
    """A feature as a training loss.

    Args:
        name: its name in `jaxvqa.losses`.
        summary: one line.
        value: the output whose distance from the value of an equal pair is the loss; or a function
            of the finished series.
        returns: what the loss returns, with range, for the docs.
        note: further text for the docs.
        check: raises ValueError for options that make no loss.
    """

    name: str
    summary: str
    value: str | Callable[[Mapping[str, Any]], Any]
    returns: str
    note: str = ""
    check: Callable[[OptionsT], None] = lambda options: None


@dataclass(frozen=True)
class Trainable(Generic[OptionsT]):
    """The numbers among a feature's options that can be trained by gradient.

    Args:
        start: the numbers in effect under given options, under their Python names. Raises
            ValueError for options that `extract` doesn't know.
        extract: `(ref, dis, options, numbers) -> series`: as `Feature.extract` on float frames,
            with `numbers`, which may be traced, in place of the options of these names.
    """

    start: Callable[[OptionsT], dict[str, float]]
    extract: Callable[[Planes, Planes, OptionsT, Mapping[str, Any]], Series]


def _no_check(ref: Planes, options: Options) -> None:
    """Accepts every picture."""


@dataclass(frozen=True)
class Feature(Generic[OptionsT]):
    """All that is known about a metric, in one record.

    `extract` gives raw values per frame for a chunk of frames; `finish` makes the published series
    of the whole clip from them, where a metric looks along time.

    Args:
        name: extractor name, as in libvmaf where it exists there (`float_vif`).
        summary: one line for listings.
        extract: `(ref, dis, options) -> {name: (frames,)}`. Both pictures have a frame axis and
            `before(options)` extra frames in front; only the others get a value. Pure, traceable.
        outputs: what it gives for given options.
        options: the class of its options.
        planes: LUMA, CHROMA (refuses monochrome video), CHROMA_IF_PRESENT, or a function of the
            options that says which.
        before: how many earlier frames `extract` needs.
        finish: `(series, options) -> series` over the whole clip, numpy or JAX arrays alike.
        aggregate: numbers of the whole clip beside the pooled outputs, from a `Measurement`.
        notices: what a user must be told about a `Measurement`.
        check: raises ValueError for pictures that the feature can't measure (size, chroma).
        integer: True if it needs uint8/uint16 code values.
        differentiable: False if its gradient is zero or undefined almost everywhere.
        surrogate: of a feature that is not differentiable, `extract` for float frames: the value
            that whole codes have, with a gradient chosen for training.
        twin: `(key, options) -> (feature, key, options)`, the differentiable stand-in for an
            output, or None where there is none.
        loss: its form as a training loss.
        trainable: which options can be trained; None where none can.
        libvmaf: True if libvmaf has this extractor: a model of such features reports as `vmaf`.
        cpu_compiler: XLA options under which the scoring engine compiles it for CPUs.
    """

    name: str
    summary: str
    extract: Callable[[Planes, Planes, OptionsT], Series]
    outputs: Callable[[OptionsT], tuple[Output, ...]]
    options: type[OptionsT] = Options  # type: ignore[assignment]
    planes: Need | Callable[[OptionsT], Need] = LUMA
    before: Callable[[OptionsT], int] = lambda options: 0
    finish: Callable[[Series, OptionsT], Series] | None = None
    aggregate: Callable[[Measurement[OptionsT]], Mapping[str, float]] | None = None
    notices: Callable[[Measurement[OptionsT]], Iterable[Notice]] | None = None
    check: Callable[[Planes, OptionsT], None] = _no_check
    integer: bool = False
    differentiable: bool = True
    surrogate: Callable[[Planes, Planes, OptionsT], Series] | None = None
    twin: Callable[[str, OptionsT], tuple[Feature[Any], str, Options] | None] | None = None
    loss: Loss[OptionsT] | None = None
    trainable: Trainable[OptionsT] | None = None
    libvmaf: bool = False
    cpu_compiler: tuple[tuple[str, bool | int], ...] = ()

    def resolve(self, given: Mapping[str, Any]) -> OptionsT:
        """Parses options for this feature; see `Options.parse`."""
        return self.options.parse(self.name, given)

    def need(self, options: OptionsT) -> Need:
        """Which planes the feature reads under these options."""
        return self.planes(options) if callable(self.planes) else self.planes

    def reads_chroma(self, options: OptionsT) -> bool:
        """True if the feature reads chroma planes, or would if the video had them."""
        return self.need(options) != LUMA

    def output(
        self, key: str, options: OptionsT, *, shown: bool = False
    ) -> tuple[Output, OptionsT]:
        """The output that model files call `key`, and the options that switch it on.

        Args:
            key: libvmaf's full key.
            options: the options as they are given.
            shown: True for options with which results show it too.

        Raises:
            ValueError: no switch of these options brings such an output.
        """
        for tried in self._variants(options):
            for output in self.outputs(tried):
                if output.key == key and (output.shown or not shown):
                    return output, tried
        raise ValueError(f"{self.name} has no output {key}.")

    def model_keys(self) -> tuple[str, ...]:
        """Every key that model files may use for an output of this feature."""
        keys = (output.key for output in self.all_outputs())
        return tuple(dict.fromkeys(key for key in keys if key is not None))

    def all_outputs(self) -> tuple[Output, ...]:
        """The outputs under default options, and those that a switch adds."""
        return self._all_outputs

    @functools.cached_property
    def _all_outputs(self) -> tuple[Output, ...]:
        found = (o for tried in self._variants(self.options()) for o in self.outputs(tried))
        return tuple({output.name: output for output in found}.values())

    def _variants(self, options: OptionsT) -> list[OptionsT]:
        """The options, and the same with each switch on that adds outputs."""
        added = (options.replace(**{switch: True}) for switch in self.options.additions())
        return [options, *added]


def key_of_float_form(key: str) -> str:
    """Libvmaf's key of the float extractor's output for that of the fixed-point one."""
    return key.replace("VMAF_integer_feature_", "VMAF_feature_").removeprefix("integer_")


def series_namespace(series: Mapping[str, Any]) -> Any:
    """The array module of a series, numpy or jax.numpy: finishers serve both."""
    arrays = jax.tree.leaves(series)
    return np if all(isinstance(x, np.ndarray) for x in arrays) else jnp
