"""Integer motion: libvmaf's `motion` extractor in fixed point, bit for bit.

Source: libvmaf f85a853, `integer_motion.c`. The sum of absolute differences is the same integer as
that of its plain C code; everything after it is float32 here, double precision there.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp

from jaxvqa._checks import check_min_size
from jaxvqa._ops.borders import pad
from jaxvqa._ops.filters import correlate
from jaxvqa._ops.fixed import correlate_short, round_shift
from jaxvqa._ops.platforms import choose
from jaxvqa._ops.stages import keep_stages, row_sums, stage
from jaxvqa._ops.tiling import Frame, map_frames, map_rows
from jaxvqa._planes import Planes, VideoLike
from jaxvqa._typing import Array, Float, Int, Integer
from jaxvqa.features._feature import (
    OF_REFERENCE,
    XLA_OLDER_EMITTERS,
    XLA_WIDE_VECTORS,
    Feature,
    Output,
    Series,
    key_of_float_form,
    series_namespace,
)
from jaxvqa.features._motion.float_motion import (
    FLOAT_MOTION,
    FloatMotionOptions,
    MotionOptions,
    blend,
    motion_outputs,
)
from jaxvqa.features._options import option
from jaxvqa.features._run import documented, run

# Gaussian in units of 2^-16
_TAPS = (3571, 16004, 26386, 16004, 3571)
_RADIUS = len(_TAPS) // 2
_BORDER = (_RADIUS, _RADIUS)
# rows of a strip on CPU: what a strip holds is small
_STRIP_ROWS = 64
_SAD = "VMAF_integer_feature_motion_sad_score"


@dataclass(frozen=True)
class IntegerMotionOptions(MotionOptions):
    """Options of `motion`."""

    five_frame_window: bool = option(
        False,
        "compare with the frame two before, for high frame rates",
        name="motion_five_frame_window",
        alias="mffw",
    )
    moving_average: bool = option(
        False,
        "average motion3 with the frame before",
        name="motion_moving_average",
        alias="mma",
    )
    debug: bool = option(
        False, "also report integer_motion (the same as the SAD score)", adds_outputs=True
    )


def _before(options: IntegerMotionOptions) -> int:
    """Frames between the two that are compared."""
    return 2 if options.five_frame_window else 1


def _correlate_signed(
    x: Int[Array, ...], taps: Sequence[int], axis: int, bits: int
) -> Int[Array, ...]:
    """`(sum of taps * x + 2^(bits-1)) >> bits` where the sum takes 33 bits, in 32-bit lanes.

    The taps are halved, what the odd ones lose is summed apart: sum = 2 * half + rest.
    """
    half = correlate(x, [tap >> 1 for tap in taps], axis)
    rest = correlate(x, [tap & 1 for tap in taps], axis)
    return (half + ((rest + (1 << (bits - 1))) >> 1)) >> (bits - 1)


def _row_sums(change: Int[Array, "rows width"], bit_depth: int) -> Integer[Array, " height"]:
    """Sums of |blur(change)| along each row but those within the filter's reach of an end."""
    blocks = next(n for n in (16, 8, 4, 2, 1) if (change.shape[-1] - 2 * _RADIUS) % n == 0)

    def down(change: Array) -> Array:
        if _is_short(bit_depth):
            return round_shift(correlate_short(change, _TAPS, -2), bit_depth)
        return _correlate_signed(change, _TAPS, -2, bit_depth)

    def across(vertical: Array) -> Array:
        # 17 bits with the sign at every bit depth
        terms = jnp.abs(_correlate_signed(vertical, _TAPS, -1, 16)).astype(jnp.uint32)
        # sums of whole vectors cost less than those along a row
        return functools.reduce(jnp.add, jnp.split(terms, blocks, -1))

    return row_sums(across, jax.lax.optimization_barrier(stage(down, change)))


def _is_short(bit_depth: int) -> bool:
    """Differences of samples fit 16 bits, and so do products with the taps 32."""
    return bit_depth < 15


def _change(oldest: Array, newest: Array, bit_depth: int) -> Array:
    wide = jnp.int16 if _is_short(bit_depth) else jnp.int32
    return oldest.astype(wide) - newest.astype(wide)


def _mean(sums: Integer[Array, " height"], width: int) -> Float[Array, ""]:
    """Mean in 8-bit code values."""
    # the sum over a frame passes 2^32; one rounding to float32 at the end
    with jax.enable_x64(True):
        sad = sums.astype(jnp.int64).sum().astype(jnp.float64)
        return (sad / 256.0 / (sums.shape[0] * width)).astype(jnp.float32)


def _sad(window: Integer[Array, "window h w"], bit_depth: int) -> Float[Array, ""]:
    """Mean |blur(oldest - newest)|."""
    height, width = window.shape[-2:]
    change = pad(_change(window[0], window[-1], bit_depth), _BORDER, _BORDER)
    strip = functools.partial(_row_sums, bit_depth=bit_depth)
    return _mean(map_rows(strip, (change,), height=height, halo=2 * _RADIUS), width)


def _sad_in_strips(window: tuple[Frame, ...], bit_depth: int) -> Float[Array, ""]:
    """The same for CPUs, without a picture of all changes: borders are added to strips."""
    frames = window[0], window[-1]
    height, width = frames[0].shape

    def strip(oldest: Array, newest: Array) -> Array:
        return _row_sums(pad(_change(oldest, newest, bit_depth), (0, 0), _BORDER), bit_depth)

    reach = 2 * _RADIUS
    inner = map_rows(strip, frames, height=height - reach, halo=reach, rows=_STRIP_ROWS)
    ends = []
    for first, border in ((0, (_RADIUS, 0)), (height - reach, (0, _RADIUS))):
        oldest, newest = (frame.rows(first, reach) for frame in frames)
        ends.append(pad(_change(oldest, newest, bit_depth), border, _BORDER))
    with keep_stages():
        outer = _row_sums(jnp.concatenate(ends), bit_depth)
    sums = jnp.concatenate([outer[:_RADIUS], inner, outer[-_RADIUS:]])
    return _mean(sums, width)


def _extract(ref: Planes, dis: Planes, options: IntegerMotionOptions) -> Series:
    window = _before(options) + 1

    def whole(stack: Array) -> Array:
        return map_frames(functools.partial(_sad, bit_depth=ref.depth), stack, window=window)

    def strips(stack: Array) -> Array:
        sad = functools.partial(_sad_in_strips, bit_depth=ref.depth)
        return map_frames(sad, stack, window=window, in_stack=True)

    large = ref.height > _STRIP_ROWS
    return {"sad": choose(ref.y, cpu=strips if large else whole, default=whole)}


def _finish(series: Series, options: IntegerMotionOptions) -> Series:
    xp = series_namespace(series)
    before = _before(options)
    sad = xp.minimum(series["sad"] * options.fps_weight, options.max_val)
    count = sad.shape[0]
    if options.force_zero or count <= before:
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
    if options.moving_average:
        motion3 = (motion3 + xp.concatenate([first, motion3[:-1]])) * 0.5
    return {
        _SAD: sad,
        "integer_motion": sad,
        "integer_motion2": xp.concatenate([still, motion2]),
        "integer_motion3": xp.concatenate([first] * before + [motion3]),
    }


def _outputs(options: IntegerMotionOptions) -> tuple[Output, ...]:
    return (
        Output(_SAD, "neither", OF_REFERENCE, _SAD, part="change"),
        *motion_outputs("integer_", "VMAF_integer_feature_", debug=options.debug),
    )


def _check(ref: Planes, options: IntegerMotionOptions) -> None:
    check_min_size("motion", ref.height, ref.width, _RADIUS + 1, _RADIUS + 1)


def _twin(
    key: str, options: IntegerMotionOptions
) -> tuple[Feature[Any], str, FloatMotionOptions] | None:
    """The same output of `float_motion`, which has no five-frame window, no average and no SAD."""
    if options.five_frame_window or options.moving_average or key == _SAD:
        return None
    key = key_of_float_form(key)
    settings = {k: v for k, v in options.changed().items() if k != "debug"}
    return FLOAT_MOTION, key, FloatMotionOptions.parse(FLOAT_MOTION.name, settings)


MOTION = Feature(
    name="motion",
    summary="how much the reference moves (blurred frame difference), libvmaf's fixed point",
    options=IntegerMotionOptions,
    outputs=_outputs,
    extract=_extract,
    before=_before,
    finish=_finish,
    check=_check,
    integer=True,
    differentiable=False,
    twin=_twin,
    libvmaf=True,
    cpu_compiler=(*XLA_OLDER_EMITTERS, *XLA_WIDE_VECTORS),
)


@documented(MOTION)
def motion_integer(
    ref: VideoLike, dis: VideoLike, *, bit_depth: int | None = None, **options: Any
) -> dict[str, Array]:
    """Motion of the reference in fixed point, `motion` of libvmaf.

    Models how much a scene moves, which masks distortion: the mean absolute value of the blurred
    difference of successive reference frames. Samples of `dis` are not read.

    {args}

    Returns:
        `{"VMAF_integer_feature_motion_sad_score", "integer_motion2", "integer_motion3"}`, each
        `(frames,)`, in 8-bit code values at every bit depth, 0 for a still. motion2 is the smaller
        of the differences before and after a frame, motion3 its blended form for VMAF v1.

    Raises:
        ValueError: bad options, or frames smaller than 3x3. TypeError: float samples.

    Source: libvmaf f85a853, `integer_motion.c`. The sums equal those of its plain C code; the
    values differ by float32 rounding only.

    Example:
        >>> import numpy as np, jaxvqa
        >>> ref = np.random.default_rng(0).integers(0, 256, (3, 64, 64), np.uint8)
        >>> found = jaxvqa.features.motion_integer(ref, ref)
        >>> [round(float(x), 1) for x in found["integer_motion2"]]
        [0.0, 24.1, 25.8]
    """
    return run(MOTION, ref, dis, bit_depth, options)
