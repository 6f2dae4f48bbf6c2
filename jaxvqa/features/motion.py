"""Float motion: mean absolute difference of blurred successive reference frames.

Source: libvmaf f85a853, `float_motion.c`. Matches the tool to a relative 2e-5: both sum in
float32. docs/metrics.md says which side float64 is on.
"""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from jaxvqa._typing import Array, Float, Num
from jaxvqa.checks import check_min_size
from jaxvqa.features.base import Feature, Output, Series, run, series_namespace
from jaxvqa.features.options import Option, Options
from jaxvqa.ops.borders import pad
from jaxvqa.ops.filters import separable
from jaxvqa.ops.resize import resize, scaled_size
from jaxvqa.ops.stages import row_sums, stage
from jaxvqa.ops.tiling import map_frames, map_rows
from jaxvqa.planes import Planes, to_float

_TAPS = {
    1: (1.0,),
    3: (0.166378498, 0.667243004, 0.166378498),
    5: (0.054488685, 0.244201342, 0.402619947, 0.244201342, 0.054488685),
}

BLEND_OPTIONS = (
    Option("motion_force_zero", "force_zero", False, "report 0 for every frame", alias="force_0"),
    Option("motion_blend_factor", "blend_factor", 1.0, "weight of motion above the blend offset in "
           "motion3", 0.0, 1.0, alias="mbf"),
    Option("motion_blend_offset", "blend_offset", 40.0, "motion from which motion3 is blended", 0.0,
           1000.0, alias="mbo"),
    Option("motion_fps_weight", "fps_weight", 1.0, "factor that corrects for the frame rate", 0.0,
           5.0, alias="mfw"),
    Option("motion_max_val", "max_val", 10000.0, "upper limit of every output", 0.0, 10000.0,
           alias="mmxv"),
)  # fmt: skip

_OPTIONS = (
    *BLEND_OPTIONS,
    Option("motion_filter_size", "filter_size", 5, "blur taps: 1, 3, or 5 for any other value", 0,
           9, alias="mfs"),
    Option("motion_add_scale1", "add_scale1", False, "add the difference of the half-size "
           "pictures", alias="mdc"),
    Option("motion_add_uv", "add_uv", False, "add the chroma planes' differences", alias="mau"),
    Option("debug", "debug", True, "also report motion"),
)  # fmt: skip


def blend(value: Any, options: Options) -> Any:
    """motion3's soft limit: above `blend_offset` only `blend_factor` of the excess counts."""
    xp = series_namespace({"value": value})
    factor, offset = options.motion_blend_factor, options.motion_blend_offset
    soft = value * factor + (1 - factor) * xp.minimum(value, offset)
    return xp.minimum(soft, options.motion_max_val)


def _taps(options: Options) -> tuple[float, ...]:
    return _TAPS.get(options.motion_filter_size, _TAPS[5])


def _plane_difference(
    window: Num[Array, "2 h w"], options: Options, bit_depth: int
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
    if options.motion_add_scale1:
        blurred = map_rows(rows, (padded[0], padded[1]), height=height, halo=halo)
        half = scaled_size(height, width, 0.5)
        score = score + jnp.abs(resize(blurred, *half, "bilinear")).mean()
    return score


def _extract(ref: Planes, dis: Planes, options: Options) -> Series:
    planes = [ref.y]
    if options.motion_add_uv:
        planes += [ref.u, ref.v]

    def frame(*windows: Array) -> Array:
        total = _plane_difference(windows[0], options, ref.depth)
        for window in windows[1:]:
            total = total + _plane_difference(window, options, ref.depth)
        return total

    return {"raw": map_frames(frame, *planes, window=2)}


def _finish(series: Series, options: Options) -> Series:
    xp = series_namespace(series)
    raw, top = series["raw"], options.motion_max_val
    if options.motion_force_zero:
        zero = xp.zeros_like(raw)
        return {"motion": zero, "motion2": zero, "motion3": zero}
    weighted = xp.concatenate([xp.zeros_like(raw[:1]), raw[1:] * options.motion_fps_weight])
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


def _outputs(options: Options) -> tuple[Output, ...]:
    names = ("motion", "motion2", "motion3") if options.debug else ("motion2", "motion3")
    return tuple(Output(n, "neither", f"VMAF_feature_{n}_score") for n in names)


def _check(ref: Planes, options: Options) -> None:
    least = len(_taps(options)) // 2 + 1
    check_min_size("float_motion", ref.height, ref.width, least, least)


FEATURE = Feature(
    name="float_motion",
    summary="how much the reference moves (blurred frame difference), float arithmetic",
    options=_OPTIONS,
    outputs=_outputs,
    extract=_extract,
    planes=lambda options: "yuv" if options.motion_add_uv else "y",
    before=lambda options: 1,
    finish=_finish,
    check=_check,
)


def motion(
    ref: Any,
    dis: Any,
    *,
    bit_depth: int | None = None,
    force_zero: bool = False,
    blend_factor: float = 1.0,
    blend_offset: float = 40.0,
    fps_weight: float = 1.0,
    max_val: float = 10000.0,
    filter_size: int = 5,
    add_scale1: bool = False,
    add_uv: bool = False,
    **options: Any,
) -> dict[str, Array]:
    """Motion of the reference, `float_motion` of libvmaf.

    Models how much a scene moves, which masks distortion: the mean absolute difference of
    successive blurred reference frames.

    Args:
        ref: reference, luma code values `(frames, height, width)` or a `Planes`.
        dis: distorted video of the same shape; only checked, its samples are not read.
        bit_depth: bits a sample; needed unless the samples are uint8 or a `Planes`.
        force_zero: report 0 for every frame.
        blend_factor: share of the motion above `blend_offset` that counts in motion3, 0 to 1.
        blend_offset: where motion3's soft limit starts, in 8-bit code values.
        fps_weight: factor on every value, 0 to 5.
        max_val: upper limit of every output.
        filter_size: blur taps: 1, 3, or 5 for every other value.
        add_scale1: add the difference of the half-size pictures.
        add_uv: add the chroma planes' differences.
        **options: the same options under libvmaf's names (`motion_fps_weight`).

    Returns:
        `{"motion", "motion2", "motion3"}`, each `(frames,)`, in 8-bit code values, 0 for a still.
        motion2 is the smaller of the differences to the frames before and after.

    Raises:
        ValueError: bad options or sizes. TypeError: bad dtypes.

    Source: libvmaf f85a853, `float_motion.c`. Matches it to a relative 2e-5 (float32 sums).
    """
    given = {
        "force_zero": force_zero, "blend_factor": blend_factor, "blend_offset": blend_offset,
        "fps_weight": fps_weight, "max_val": max_val, "filter_size": filter_size,
        "add_scale1": add_scale1, "add_uv": add_uv,
    }  # fmt: skip
    return run(FEATURE, ref, dis, bit_depth, given, options)
