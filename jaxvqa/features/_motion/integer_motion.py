"""Integer motion: libvmaf's `motion` extractor in fixed point, bit for bit.

Source: libvmaf f85a853, `integer_motion.c`. The sum of absolute differences is the same integer as
that of its plain C code; everything after it is float32 here, double precision there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp

from jaxvqa._checks import check_min_size
from jaxvqa._ops.borders import pad
from jaxvqa._ops.filters import correlate
from jaxvqa._ops.fixed import round_shift
from jaxvqa._ops.stages import row_sums, stage
from jaxvqa._ops.tiling import map_frames, map_rows
from jaxvqa._planes import Planes
from jaxvqa._typing import Array, Float, Int, Integer
from jaxvqa.features._feature import OLDER_EMITTERS, Feature, Output, Series, run, series_namespace
from jaxvqa.features._motion.float_motion import BLEND_OPTIONS, blend
from jaxvqa.features._options import Option, Options

# Gaussian in units of 2^-16
_TAPS = (3571, 16004, 26386, 16004, 3571)
_RADIUS = len(_TAPS) // 2
_SAD = "VMAF_integer_feature_motion_sad_score"

_OPTIONS = (
    *BLEND_OPTIONS,
    Option("motion_five_frame_window", "five_frame_window", False, "compare with the frame two "
           "before, for high frame rates", alias="mffw"),
    Option("motion_moving_average", "moving_average", False, "average motion3 with the frame "
           "before", alias="mma"),
    Option("debug", "debug", False, "also report integer_motion (the same as the SAD score)"),
)  # fmt: skip


def _before(options: Options) -> int:
    """Frames between the two that are compared."""
    return 2 if options.motion_five_frame_window else 1


def _correlate_signed(
    x: Int[Array, ...], taps: Sequence[int], axis: int, bits: int
) -> Int[Array, ...]:
    """`(sum of taps * x + 2^(bits-1)) >> bits` where the sum takes 33 bits, in 32-bit lanes.

    The taps are halved, what the odd ones lose is summed apart: sum = 2 * half + rest.
    """
    half = correlate(x, [tap >> 1 for tap in taps], axis)
    rest = correlate(x, [tap & 1 for tap in taps], axis)
    return (half + ((rest + (1 << (bits - 1))) >> 1)) >> (bits - 1)


def _sad(window: Integer[Array, "window h w"], bit_depth: int) -> Float[Array, ""]:
    """Mean |blur(oldest - newest)| in 8-bit code values."""
    height, width = window.shape[-2:]
    border = (_RADIUS, _RADIUS)
    oldest, newest = (pad(window[i], border, border) for i in (0, -1))

    def down(oldest: Array, newest: Array) -> Array:
        change = oldest.astype(jnp.int32) - newest.astype(jnp.int32)
        if bit_depth < 15:
            return round_shift(correlate(change, _TAPS, -2), bit_depth)
        return _correlate_signed(change, _TAPS, -2, bit_depth)

    def across(vertical: Array) -> Array:
        # 17 bits with the sign at every bit depth
        return jnp.abs(_correlate_signed(vertical, _TAPS, -1, 16)).astype(jnp.uint32)

    def strip(oldest: Array, newest: Array) -> Array:
        return row_sums(across, jax.lax.optimization_barrier(stage(down, oldest, newest)))

    rows = map_rows(strip, (oldest, newest), height=height, halo=2 * _RADIUS)
    # the sum over a frame passes 2^32; one rounding to float32 at the end
    with jax.enable_x64(True):
        sad = rows.astype(jnp.int64).sum().astype(jnp.float64)
        return (sad / 256.0 / (height * width)).astype(jnp.float32)


def _extract(ref: Planes, dis: Planes, options: Options) -> Series:
    def frame(window: Array) -> Array:
        return _sad(window, ref.depth)

    return {"sad": map_frames(frame, ref.y, window=_before(options) + 1)}


def _finish(series: Series, options: Options) -> Series:
    xp = series_namespace(series)
    before = _before(options)
    sad = xp.minimum(series["sad"] * options.motion_fps_weight, options.motion_max_val)
    count = sad.shape[0]
    if options.motion_force_zero or count <= before:
        zero = xp.zeros_like(sad)
        return {_SAD: zero, "integer_motion": zero, "integer_motion2": zero,
                "integer_motion3": zero}  # fmt: skip
    # the first frames have nothing to be compared with
    still = xp.zeros_like(sad[:before])
    sad = xp.concatenate([still, sad[before:]])
    after = sad[before + 1 :]
    if before == 1:
        least = xp.minimum(sad[1:-1], after)
    else:
        # five frames: the differences around frame i are those of frames i-1 and i+1
        least = xp.concatenate([after[:1], xp.minimum(sad[before:-2], after[1:])])
    motion2 = xp.concatenate([least, sad[-1:]])
    first = blend(sad[before : before + 1], options)
    motion3 = blend(motion2, options)
    if options.motion_moving_average:
        motion3 = (motion3 + xp.concatenate([first, motion3[:-1]])) * 0.5
    return {
        _SAD: sad,
        "integer_motion": sad,
        "integer_motion2": xp.concatenate([still, motion2]),
        "integer_motion3": xp.concatenate([first] * before + [motion3]),
    }


def _outputs(options: Options) -> tuple[Output, ...]:
    names = ["motion", "motion2", "motion3"] if options.debug else ["motion2", "motion3"]
    return (
        Output(_SAD, "neither", _SAD),
        *(Output(f"integer_{n}", "neither", f"VMAF_integer_feature_{n}_score") for n in names),
    )


def _check(ref: Planes, options: Options) -> None:
    check_min_size("motion", ref.height, ref.width, _RADIUS + 1, _RADIUS + 1)


FEATURE = Feature(
    name="motion",
    summary="how much the reference moves (blurred frame difference), libvmaf's fixed point",
    options=_OPTIONS,
    outputs=_outputs,
    extract=_extract,
    before=_before,
    finish=_finish,
    check=_check,
    integer=True,
    differentiable=False,
    cpu_compiler=OLDER_EMITTERS,
)


def motion_integer(
    ref: Any,
    dis: Any,
    *,
    bit_depth: int | None = None,
    force_zero: bool = False,
    blend_factor: float = 1.0,
    blend_offset: float = 40.0,
    fps_weight: float = 1.0,
    max_val: float = 10000.0,
    five_frame_window: bool = False,
    moving_average: bool = False,
    debug: bool = False,
    **options: Any,
) -> dict[str, Array]:
    """Motion of the reference in fixed point, `motion` of libvmaf.

    Models how much a scene moves, which masks distortion: the mean absolute value of the blurred
    difference of successive reference frames.

    Args:
        ref: reference, luma code values `(frames, height, width)`, uint8 or uint16, or a `Planes`.
        dis: distorted video of the same shape; only checked, its samples are not read.
        bit_depth: bits a sample; needed unless the samples are uint8 or a `Planes`.
        force_zero: report 0 for every frame.
        blend_factor: share of the motion above `blend_offset` that counts in motion3, 0 to 1.
        blend_offset: where motion3's soft limit starts, in 8-bit code values, 0 to 1000.
        fps_weight: factor on every value, 0 to 5.
        max_val: upper limit of every output, 0 to 10000.
        five_frame_window: compare each frame with the one two before.
        moving_average: average motion3 with that of the frame before.
        debug: also report `integer_motion`, which equals the SAD score.
        **options: the same options under libvmaf's names (`motion_fps_weight`).

    Returns:
        `{"VMAF_integer_feature_motion_sad_score", "integer_motion2", "integer_motion3"}`, each
        `(frames,)`, in 8-bit code values at every bit depth, 0 for a still. motion2 is the smaller
        of the differences before and after a frame, motion3 its blended form for VMAF v1.

    Raises:
        ValueError: bad options, or frames smaller than 3x3. TypeError: float samples.

    Source: libvmaf f85a853, `integer_motion.c`. The sums equal those of its plain C code; the
    values differ by float32 rounding only.
    """
    given = {
        "force_zero": force_zero, "blend_factor": blend_factor, "blend_offset": blend_offset,
        "fps_weight": fps_weight, "max_val": max_val, "five_frame_window": five_frame_window,
        "moving_average": moving_average, "debug": debug,
    }  # fmt: skip
    return run(FEATURE, ref, dis, bit_depth, given, options)
