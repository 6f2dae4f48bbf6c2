"""Runs one feature over a whole clip: the body of every public feature function."""

from __future__ import annotations

import bisect
import inspect
import textwrap
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import jax
import jax.numpy as jnp

from jaxvqa._planes import Planes, VideoLike, as_pair, picture_form
from jaxvqa._typing import Array
from jaxvqa.features._feature import CHROMA, Feature, OptionsT, Output, Series
from jaxvqa.features._options import Option

F = TypeVar("F", bound=Callable[..., Any])

_MAX_SIDE = 1024


def check_feature(feature: Feature[OptionsT], ref: Planes, options: OptionsT) -> None:
    """Raises ValueError or TypeError if `feature` can't measure pictures like `ref`."""
    if feature.integer and not jnp.issubdtype(ref.y.dtype, jnp.unsignedinteger):
        raise TypeError(
            f"{feature.name} works on integer code values (uint8 or uint16), got "
            f"{ref.y.dtype.name}: use the float form of the feature for float frames."
        )
    check_pictures(feature, ref, options)


def check_pictures(
    feature: Feature[OptionsT], ref: Planes, options: OptionsT, *wanted: Output
) -> None:
    """`check_feature` without a look at the samples' type; `wanted` are outputs that must come."""
    lacking = [feature.name] if feature.need(options) == CHROMA else []
    lacking += [f"{output.name} of {feature.name}" for output in wanted if output.of_chroma]
    if lacking and ref.u is None:
        raise ValueError(
            f"{lacking[0]} needs chroma, but the video is monochrome (4:0:0): give a video with "
            "chroma, as arrays a jaxvqa.Planes with y, u and v."
        )
    feature.check(ref, options)


def smallest_square(feature: Feature[Any], chroma: str = "420") -> int | None:
    """Side of the smallest square frame that a feature takes with its default options.

    Found by asking its own check, so it can't differ from what is refused. None if a side of 1024
    is still too small.
    """

    def fits(side: int) -> bool:
        try:
            check_pictures(feature, picture_form(side, side, chroma, 8), feature.options())
        except ValueError:
            return False
        return True

    side = bisect.bisect_left(range(_MAX_SIDE + 1), True, lo=1, key=fits)
    return side if side <= _MAX_SIDE else None


def read_planes(feature: Feature[OptionsT], planes: Planes, options: OptionsT) -> Planes:
    """The planes that the feature reads; `extract` gets no others."""
    return planes if feature.reads_chroma(options) else planes.luma_only()


def with_history(planes: Planes, before: int) -> Planes:
    """Puts `before` copies of the first frame in front of a clip."""
    if before == 0:
        return planes
    return jax.tree.map(
        lambda p: jnp.concatenate([jnp.repeat(p[:1], before, axis=0), p], axis=0), planes
    )


def extracted(
    feature: Feature[OptionsT],
    ref: Planes,
    dis: Planes,
    options: OptionsT,
    *,
    surrogate: bool = False,
) -> Series:
    """The raw series of frames that have those before them in front.

    Raises:
        ValueError: the feature's `extract` gives another number of values than there are frames.
    """
    extract = feature.surrogate if surrogate else feature.extract
    assert extract is not None
    series = extract(ref, dis, options)
    frames = ref.frames - feature.before(options)
    for name, x in series.items():
        if not x.shape or x.shape[0] != frames:
            raise ValueError(
                f"extract of {feature.name} must give one value of {name!r} per frame, ({frames},) "
                f"here, got {x.shape}."
            )
    return series


def finished(feature: Feature[OptionsT], series: Series, options: OptionsT) -> Series:
    """The outputs of a whole clip from its raw series.

    Raises:
        ValueError: an output is missing, or is not one value per frame.
    """
    if feature.finish is not None:
        series = feature.finish(series, options)
    for output in feature.outputs(options):
        found = series.get(output.name)
        if found is None and output.of_chroma:
            continue
        if found is None or found.ndim != 1:
            what = "no value" if found is None else f"an array of shape {found.shape}"
            raise ValueError(
                f"{feature.name} gives {what} as its output {output.name!r}: return a (frames,) "
                "array of that name from extract or finish."
            )
    return series


def measure(
    feature: Feature[OptionsT],
    ref: Planes,
    dis: Planes,
    options: OptionsT,
    *,
    surrogate: bool = False,
) -> dict[str, Array]:
    """Every output of a feature over a clip, `{name: (frames,)}`.

    Args:
        feature: what to measure.
        ref: reference frames, checked against `dis`.
        dis: distorted frames.
        options: parsed options.
        surrogate: take the feature's form for float frames.
    """
    before = feature.before(options)
    ref, dis = (with_history(read_planes(feature, x, options), before) for x in (ref, dis))
    series = extracted(feature, ref, dis, options, surrogate=surrogate)
    series = finished(feature, series, options)
    return {o.name: series[o.name] for o in feature.outputs(options) if o.name in series}


def run(
    feature: Feature[OptionsT],
    ref: VideoLike,
    dis: VideoLike,
    bit_depth: int | None,
    given: Mapping[str, Any],
) -> dict[str, Array]:
    """Checks everything, then measures.

    Args:
        feature: what to run.
        ref: reference, luma array or `Planes`.
        dis: distorted, the same.
        bit_depth: bits per sample, or None where the dtype or the `Planes` says it.
        given: options under their Python names, libvmaf's names or aliases.

    Returns:
        `{output name: (frames,)}`, names without option suffix.
    """
    pair = as_pair(ref, dis, bit_depth)
    options = feature.resolve(given)
    check_feature(feature, pair[0], options)
    arrays: tuple[Planes, Planes] = jax.tree.map(jnp.asarray, pair)
    return measure(feature, *arrays, options)


_REF = "reference, luma code values `(frames, height, width)` or `(height, width)`, or a `Planes`."
_COLOUR_REF = "reference, a `Planes` with chroma."
_DIS = "distorted video of the same shape."
_DEPTH = "bits per sample; needed unless the samples are uint8 or a `Planes`."


def documented(feature: Feature[Any]) -> Callable[[F], F]:
    """Gives a feature's function its signature and its `Args:`, read from the record.

    The docstring says what is special; `{args}` in it becomes the section of arguments. The
    function gets the record as its attribute `feature`.
    """

    def decorated(fn: F) -> F:
        colour = feature.need(feature.options()) == CHROMA
        fixed = {"ref": _COLOUR_REF if colour else _REF, "dis": _DIS, "bit_depth": _DEPTH}
        lines = argument_lines(fixed, feature.options.spec())
        fn.__doc__ = (fn.__doc__ or "").replace("{args}", lines)
        fn.__signature__ = with_options(inspect.signature(fn), feature)  # type: ignore[attr-defined]
        fn.feature = feature  # type: ignore[attr-defined]
        return fn

    return decorated


def with_options(signature: inspect.Signature, feature: Feature[Any]) -> inspect.Signature:
    """The signature with the feature's options as keywords in front of `**options`."""
    own = list(signature.parameters.values())
    keywords = [
        inspect.Parameter(
            o.python, inspect.Parameter.KEYWORD_ONLY, default=o.default,
            annotation=type(o.default).__name__,
        )
        for o in feature.options.spec()
    ]  # fmt: skip
    return signature.replace(parameters=[*own[:-1], *keywords, own[-1]])


def argument_lines(fixed: Mapping[str, str], spec: tuple[Option, ...]) -> str:
    """An `Args:` section: fixed arguments, then the options with their ranges."""
    entries = dict(fixed)
    for o in spec:
        limits = "" if isinstance(o.default, bool) else f" ({o.range})"
        spelt = "" if o.name == o.python else f"; libvmaf's `{o.name}`"
        entries[o.python] = f"{o.help}{limits}{spelt}."
    if spec:
        entries["**options"] = "the same options under libvmaf's names or aliases."
    return "Args:\n" + "\n".join(
        textwrap.fill(
            f"{name}: {text}", 96, initial_indent="        ", subsequent_indent="            "
        )
        for name, text in entries.items()
    )
