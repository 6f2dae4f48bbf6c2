"""Float motion: mean absolute difference of blurred successive reference frames.

Source: libvmaf f85a853, `float_motion.c`. Matches the tool to a relative 2e-5: both sum in
float32. docs/metrics.md says which side float64 is on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp

from jaxvqa._checks import check_min_size
from jaxvqa._ops.borders import pad
from jaxvqa._ops.filters import separable
from jaxvqa._ops.resize import resize, scaled_size
from jaxvqa._ops.stages import row_sums, stage
from jaxvqa._ops.tiling import map_frames, map_rows
from jaxvqa._planes import Planes, VideoLike, to_float
from jaxvqa._typing import Array, Float, Num
from jaxvqa.features._feature import (
    CHROMA,
    LUMA,
    OF_REFERENCE,
    Feature,
    Output,
    Series,
    series_namespace,
)
from jaxvqa.features._options import Options, option
from jaxvqa.features._run import documented, run

_TAPS = {
    1: (1.0,),
    3: (0.166378498, 0.667243004, 0.166378498),
    5: (0.054488685, 0.244201342, 0.402619947, 0.244201342, 0.054488685),
}


@dataclass(frozen=True)
class MotionOptions(Options):
    """Options that both forms of motion share."""

    force_zero: bool = option(
        False,
        "report 0 for every frame",
        name="motion_force_zero",
        alias="force_0",
    )
    blend_factor: float = option(
        1.0,
        "weight of motion above the blend offset in motion3",
        0.0,
        1.0,
        name="motion_blend_factor",
        alias="mbf",
    )
    blend_offset: float = option(
        40.0,
        "motion from which motion3 is blended",
        0.0,
        1000.0,
        name="motion_blend_offset",
        alias="mbo",
    )
    fps_weight: float = option(
        1.0,
        "factor that corrects for the frame rate",
        0.0,
        5.0,
        name="motion_fps_weight",
        alias="mfw",
    )
    max_val: float = option(
        10000.0,
        "upper limit of every output",
        0.0,
        10000.0,
        name="motion_max_val",
        alias="mmxv",
    )


@dataclass(frozen=True)
class FloatMotionOptions(MotionOptions):
    """Options of `float_motion`."""

    filter_size: int = option(
        5,
        "blur taps: 1, 3, or 5 for any other value",
        0,
        9,
        name="motion_filter_size",
        alias="mfs",
    )
    add_scale1: bool = option(
        False,
        "add the difference of the half-size pictures",
        name="motion_add_scale1",
        alias="mdc",
    )
    add_uv: bool = option(
        False,
        "add the chroma planes' differences",
        name="motion_add_uv",
        alias="mau",
    )
    debug: bool = option(True, "also report motion", adds_outputs=True)


def blend(value: Any, options: MotionOptions) -> Any:
    """motion3's soft limit: above `blend_offset` only `blend_factor` of the excess counts."""
    xp = series_namespace({"value": value})
    factor, offset = options.blend_factor, options.blend_offset
    soft = value * factor + (1 - factor) * xp.minimum(value, offset)
    return xp.minimum(soft, options.max_val)


def _taps(options: FloatMotionOptions) -> tuple[float, ...]:
    return _TAPS.get(options.filter_size, _TAPS[5])


def _plane_difference(
    window: Num[Array, "2 h w"], options: FloatMotionOptions, bit_depth: int
) -> Float[Array, ""]:
    """Mean |blur(previous) - blur(current)| of one plane, from one blur of the difference."""
    taps = _taps(options)
    radius = len(taps) // 2
    height, width = window.shape[-2:]
    padded = pad(window, (radius, radius), (radius, radius))

    def rows(previous: Array, current: Array) -> Array:
        def difference(previous: Array, current: Array) -> Array:
            return to_float(previous, bit_depth) - to_float(current, bit_depth)

        return separable(stage(difference, previous, current), taps)

    def distances(previous: Array, current: Array) -> Array:
        return row_sums(jnp.abs, rows(previous, current))

    halo = 2 * radius
    total = map_rows(distances, (padded[0], padded[1]), height=height, halo=halo).sum()
    score = total / (height * width)
    if options.add_scale1:
        blurred = map_rows(rows, (padded[0], padded[1]), height=height, halo=halo)
        half = scaled_size(height, width, 0.5)
        score = score + jnp.abs(resize(blurred, *half, "bilinear")).mean()
    return score


def _extract(ref: Planes, dis: Planes, options: FloatMotionOptions) -> Series:
    planes = [ref.y]
    if options.add_uv:
        planes += [ref.u, ref.v]

    def frame(*windows: Array) -> Array:
        total = _plane_difference(windows[0], options, ref.depth)
        for window in windows[1:]:
            total = total + _plane_difference(window, options, ref.depth)
        return total

    return {"raw": map_frames(frame, *planes, window=2)}


def _finish(series: Series, options: FloatMotionOptions) -> Series:
    xp = series_namespace(series)
    raw, top = series["raw"], options.max_val
    if options.force_zero:
        zero = xp.zeros_like(raw)
        return {"motion": zero, "motion2": zero, "motion3": zero}
    weighted = xp.concatenate([xp.zeros_like(raw[:1]), raw[1:] * options.fps_weight])
    after = xp.concatenate([weighted[1:], weighted[-1:]])
    least = xp.minimum(weighted, after)
    # the first frame has no predecessor: motion2 is 0 there, motion3 borrows the second frame's
    first = weighted[1:2] if weighted.shape[0] > 1 else xp.zeros_like(weighted[:1])
    motion3 = blend(xp.concatenate([first, least[1:]]), options)
    return {
        "motion": xp.minimum(weighted, top),
        "motion2": xp.minimum(least, top),
        "motion3": motion3,
    }


def motion_outputs(prefix: str, key: str, *, debug: bool) -> tuple[Output, ...]:
    """motion2 and motion3, with `debug` also motion; their names and keys begin as given."""

    def output(name: str) -> Output:
        part = "change" if name == "motion" else None
        return Output(prefix + name, "neither", OF_REFERENCE, f"{key}{name}_score", part=part)

    names = ("motion2", "motion3")
    return tuple(map(output, ("motion", *names) if debug else names))


def _outputs(options: FloatMotionOptions) -> tuple[Output, ...]:
    return motion_outputs("", "VMAF_feature_", debug=options.debug)


def _check(ref: Planes, options: FloatMotionOptions) -> None:
    least = len(_taps(options)) // 2 + 1
    check_min_size("float_motion", ref.height, ref.width, least, least)


FLOAT_MOTION = Feature(
    name="float_motion",
    summary="how much the reference moves (blurred frame difference), float arithmetic",
    options=FloatMotionOptions,
    outputs=_outputs,
    extract=_extract,
    planes=lambda options: CHROMA if options.add_uv else LUMA,
    before=lambda options: 1,
    finish=_finish,
    check=_check,
    libvmaf=True,
)


@documented(FLOAT_MOTION)
def motion(
    ref: VideoLike, dis: VideoLike, *, bit_depth: int | None = None, **options: Any
) -> dict[str, Array]:
    """Motion of the reference, `float_motion` of libvmaf.

    Models how much a scene moves, which masks distortion: the mean absolute difference of
    successive blurred reference frames. Samples of `dis` are not read.

    {args}

    Returns:
        `{"motion", "motion2", "motion3"}`, each `(frames,)`, in 8-bit code values, 0 for a still.
        motion2 is the smaller of the differences to the frames before and after.

    Raises:
        ValueError: bad options or sizes. TypeError: bad dtypes.

    Source: libvmaf f85a853, `float_motion.c`. Matches it to a relative 2e-5 (float32 sums).

    Example:
        >>> import numpy as np, jaxvqa
        >>> ref = np.random.default_rng(0).integers(0, 256, (3, 64, 64), np.uint8)
        >>> found = jaxvqa.features.motion(ref, ref)
        >>> [round(float(x), 1) for x in found["motion2"]]
        [0.0, 24.1, 25.8]
    """
    return run(FLOAT_MOTION, ref, dis, bit_depth, options)
