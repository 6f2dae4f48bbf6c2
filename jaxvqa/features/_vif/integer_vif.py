"""Integer VIF: libvmaf's `vif` extractor in fixed point, bit for bit.

Source: libvmaf f85a853, `integer_vif.c`. All sums are equal to those of its plain C code; the
scores are the same numbers, float32 of a scale and float64 of all scales together.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from jaxvqa._checks import check_min_size
from jaxvqa._ops.borders import pad
from jaxvqa._ops.fixed import halves, round_shift, total
from jaxvqa._ops.stages import cpu_stage, joint_row_sums, stage
from jaxvqa._ops.tiling import map_frames, map_rows
from jaxvqa._planes import Planes, VideoLike
from jaxvqa._typing import Array, Float, Int, Integer
from jaxvqa.features._feature import (
    XLA_FAST_COMPILE,
    XLA_WIDE_VECTORS,
    Feature,
    Series,
    key_of_float_form,
)
from jaxvqa.features._run import documented, run
from jaxvqa.features._vif.fixed import (
    TAPS,
    leading,
    log2_fixed,
    log2_leading,
    moments,
    shifts,
    short,
    sums,
)
from jaxvqa.features._vif.float_vif import FLOAT_VIF, FloatVifOptions
from jaxvqa.features._vif.options import VifOptions, outputs
from jaxvqa.features._wide import in_parts, joined

# the variance of the visual noise, 2 squared 8-bit codes, in units of 2^-16
_NOISE = 2 << 16
_EPSILON = 65536e-10
# a scale-3 picture of less than 2 samples has nothing to mirror
_MIN_SIDE = 16
# smaller strips than elsewhere: a strip holds some ten 32-bit planes
_ROWS = 16


def _gain(
    variance: Int[Array, "*shape"],
    variance_dis: Int[Array, "*shape"],
    covariance: Int[Array, "*shape"],
    limit: float,
) -> tuple[Float[Array, "*shape"], Float[Array, "*shape"]]:
    """Splits the distorted variance into added noise and (limited) gained signal, truncated.

    In double precision, as the reference: it is the only place where rounding decides an integer.
    The whole numbers stay float64, and comparisons choose: `maximum` and conversions to integers
    would look for NaN and overflow, which cost more than the arithmetic and can't occur.
    """
    with jax.enable_x64(True):
        v, v_dis, c = (x.astype(jnp.float64) for x in (variance, variance_dis, covariance))
        gain = c / (v + _EPSILON)
        # the product is never negative; its magnitude can't become part of a fused multiply-add,
        # which rounds once where the reference rounds twice
        rest = v_dis - jnp.abs(gain * c)
        noise = jnp.floor(jnp.where(rest > 0.0, rest, 0.0))
        gain = jnp.where(gain < limit, gain, limit)
        return noise, jnp.floor(gain * gain * v)


def _row_statistics(
    variance: Int[Array, "rows columns"],
    variance_dis: Int[Array, "rows columns"],
    covariance: Int[Array, "rows columns"],
    limit: float,
) -> list[Array]:
    """Row sums, uint32: information kept and there, quiet pixels, their variance in two halves."""
    # apart from what 32-bit lanes can do, which would take the width of these
    noisy, noise = stage(_signals, variance, variance_dis, covariance, limit=limit)
    terms = stage(_terms, noisy, noise, variance, variance_dis)
    return [x.astype(jnp.uint32) for x in joint_row_sums(*terms)]


def _signals(
    variance: Array, variance_dis: Array, covariance: Array, *, limit: float
) -> tuple[Array, Array]:
    """Gained signal with all noise, and the noise, as `log2_leading` reads them."""
    zero, one = jnp.zeros_like(variance), jnp.ones_like(variance)
    variance_dis = jnp.maximum(variance_dis, 0)
    kept = (variance >= _NOISE) & (covariance > 0) & (variance_dis > 0)
    # pixels that keep nothing get a covariance of 0, so both logarithms are equal
    noise, signal = _gain(
        jnp.where(kept, variance, one), variance_dis, jnp.where(kept, covariance, zero), limit
    )
    with jax.enable_x64(True):
        floor = noise + float(_NOISE)
        return leading(floor + signal), leading(floor)


def _terms(noisy: Array, noise: Array, variance: Array, variance_dis: Array) -> tuple[Array, ...]:
    """What `_row_statistics` adds up."""
    busy = variance >= _NOISE
    zero, one = jnp.zeros_like(variance), jnp.ones_like(variance)
    numerator = log2_leading(noisy) - log2_leading(noise)
    denominator = log2_fixed(jnp.where(busy, variance, zero) + _NOISE) - 17 * 2048
    quiet = jnp.where(busy, zero, jnp.maximum(variance_dis, 0))
    # a row of 65536 logarithms of at most 14 * 2048 fits 31 bits; none of the sums is negative
    return numerator, denominator, jnp.where(busy, zero, one), *halves(quiet)


def _ratio_parts(
    statistics: list[Array],
) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """Numerator and denominator of one scale, float32, from `_row_statistics`."""
    # sums over a frame pass 2^31
    with jax.enable_x64(True):
        sums = cpu_stage(joint_row_sums, *(x.astype(jnp.int64) for x in statistics))
        kept, there, count, *quiet = sums
        quiet = total((quiet[0], quiet[1])).astype(jnp.float64)
        kept, there, count = (x.astype(jnp.float64) for x in (kept, there, count))
        num = kept / 2048.0 + (count - quiet / 16384.0 / 65025.0)
        den = there / 2048.0 + count
        return num.astype(jnp.float32), den.astype(jnp.float32)


def _shrink(
    strip: Integer[Array, "rows_in width_in"], scale: int, bit_depth: int, width: int
) -> Integer[Array, "rows width"]:
    """Rows of the picture of `scale` from the one before: filtered, every other sample, uint16.

    Takes that one with the border of its own filter, which is wider and serves both.
    """
    taps, bits = TAPS[scale], shifts(scale - 1, bit_depth)[0]
    inset = len(TAPS[scale - 1]) // 2 - len(taps) // 2
    down = stage(_halve_rows, strip, taps=taps, bits=bits, inset=inset, width=width)
    return stage(_halve_columns, jax.lax.optimization_barrier(down), taps=taps)


def _halve_rows(x: Array, *, taps: tuple[int, ...], bits: int, inset: int, width: int) -> Array:
    halo = len(taps) - 2  # the last output needs no more than its window
    x = x[inset : x.shape[0] - inset - 1, inset : inset + 2 * width + halo]
    return short(round_shift(sums(x, taps, -2, stride=2), bits), taps)


def _halve_columns(x: Array, *, taps: tuple[int, ...]) -> Array:
    return round_shift(sums(x, taps, -1, stride=2), 16).astype(jnp.uint16)


def _scale(
    ref: Integer[Array, "h w"], dis: Integer[Array, "h w"], scale: int, options: VifOptions,
    bit_depth: int,
) -> tuple[list[Array] | None, list[Integer[Array, "h2 w2"]]]:  # fmt: skip
    """Row statistics of one scale, and both pictures at the next, in one pass over strips.

    The next scale drops the last row and column of odd sizes.
    """
    border, last = len(TAPS[scale]) // 2, scale == 3
    (height, width), step = ref.shape, 1 if last else 2
    skipped = scale == 0 and options.skip_scale0

    def rows(ref: Array, dis: Array) -> tuple[Any, list[Array]]:
        found, smaller = None, []
        if not skipped:
            local = moments(ref, dis, scale, bit_depth)
            sums = _row_statistics(*local, options.enhancement_gain_limit)
            found = [x.reshape(-1, step) for x in sums]
        if not last:
            smaller = [_shrink(x, scale + 1, bit_depth, width // 2) for x in (ref, dis)]
        return found, smaller

    padded = [pad(x, (border, border), (border, border)) for x in (ref, dis)]
    if height % step:
        padded = [jnp.pad(x, ((0, 1), (0, 0))) for x in padded]
    units = -(-height // step)
    found, smaller = map_rows(
        rows, tuple(padded), height=units, halo=2 * border, stride=step, rows=_ROWS // step
    )
    statistics = None if skipped else [x.reshape(-1)[:height] for x in found]
    return statistics, [x[: height // 2] for x in smaller]


def _frame(
    ref: Integer[Array, "h w"], dis: Integer[Array, "h w"], options: VifOptions, bit_depth: int
) -> Series:
    values: Series = {}
    for scale in range(4):
        statistics, smaller = _scale(ref, dis, scale, options, bit_depth)
        if smaller:
            ref, dis = smaller
        if statistics is None:
            num, den = jnp.float32(0.0), jnp.float32(-1.0)
            score = jnp.float32(0.0)
        else:
            num, den = _ratio_parts(statistics)
            score = num / den  # every pixel adds at least 1 to the denominator
        values[f"integer_vif_scale{scale}"] = score
        values[f"integer_vif_num_scale{scale}"] = num
        values[f"integer_vif_den_scale{scale}"] = den
    used = range(1 if options.skip_scale0 else 0, 4)
    shown = {output.name for output in outputs("integer_", options)}
    series = {name: x for name, x in values.items() if name in shown}
    with jax.enable_x64(True):
        num, den = (
            sum(values[f"integer_vif_{part}_scale{s}"].astype(jnp.float64) for s in used)
            for part in ("num", "den")
        )
        totals = {"integer_vif": num / den, "integer_vif_num": num, "integer_vif_den": den}
        for name, whole in totals.items():
            series |= in_parts(name, whole) if name in shown else {}
    return series


def _extract(ref: Planes, dis: Planes, options: VifOptions) -> Series:
    def frame(ref_y: Array, dis_y: Array) -> Series:
        return _frame(ref_y, dis_y, options, ref.depth)

    return map_frames(frame, ref.y, dis.y)


def _check(ref: Planes, options: VifOptions) -> None:
    check_min_size("vif", ref.height, ref.width, _MIN_SIDE, _MIN_SIDE)


def _twin(key: str, options: VifOptions) -> tuple[Feature[Any], str, FloatVifOptions]:
    """The same key and options of `float_vif`."""
    key = key_of_float_form(key)
    return FLOAT_VIF, key, FloatVifOptions.parse(FLOAT_VIF.name, options.changed())


VIF = Feature(
    name="vif",
    summary="visual information fidelity at four scales, libvmaf's fixed-point arithmetic",
    options=VifOptions,
    outputs=lambda options: outputs("integer_", options),
    extract=_extract,
    finish=lambda series, options: joined(series),
    check=_check,
    integer=True,
    differentiable=False,
    twin=_twin,
    libvmaf=True,
    cpu_compiler=(*XLA_FAST_COMPILE, *XLA_WIDE_VECTORS),
)


@documented(VIF)
def vif_integer(
    ref: VideoLike, dis: VideoLike, *, bit_depth: int | None = None, **options: Any
) -> dict[str, Array]:
    """Visual information fidelity in fixed point, `vif` of libvmaf.

    Models how much of the information that an observer could draw from the reference is still in
    the distorted video: a ratio of mutual informations of local Gaussian models, per scale.

    {args}

    Returns:
        `{"integer_vif_scale0", ... "integer_vif_scale3", "integer_vif"}`, each `(frames,)`,
        `integer_vif` of all scales together: 1 for the reference itself, lower is worse, above 1
        where contrast was enhanced. With `debug` also the `integer_vif_num*` and
        `integer_vif_den*` sums (in bits). All are float32; `integer_vif`, `integer_vif_num` and
        `integer_vif_den` are float64 in JAX's 64-bit mode, and in results of `jaxvqa.score`.

    Raises:
        ValueError: bad options, or frames smaller than 16x16. TypeError: float samples.

    Source: libvmaf f85a853, `integer_vif.c`. Every integer equals that of its plain C code and the
    scores are the same numbers on CPU and CUDA. TPUs emulate the double precision of one
    step, where a last bit may differ.

    Example:
        >>> import numpy as np, jaxvqa
        >>> ref = np.random.default_rng(0).integers(0, 256, (1, 64, 64), np.uint8)
        >>> found = jaxvqa.features.vif_integer(ref, ref // 2)
        >>> [round(float(found[f"integer_vif_scale{scale}"][0]), 2) for scale in range(4)]
        [0.82, 0.66, 0.59, 0.53]
    """
    return run(VIF, ref, dis, bit_depth, options)
