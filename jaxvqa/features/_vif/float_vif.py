"""Float VIF: visual information fidelity at four scales, in the pixel domain.

Source: libvmaf f85a853, `float_vif.c`, `vif_tools.c`; after Sheikh and Bovik, "Image information
and visual quality", IEEE TIP 15(2), 2006. Matches the tool within 1e-4 on every score; what differs
is the tool's own float32 cancellation in E[x^2] - E[x]^2.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp

from jaxvqa._checks import check_min_size
from jaxvqa._ops import safe
from jaxvqa._ops.borders import pad
from jaxvqa._ops.filters import correlate, correlate_product, filtered, separable
from jaxvqa._ops.resize import resize, scaled_size
from jaxvqa._ops.stages import row_sums, stage
from jaxvqa._ops.tiling import STRIP_ROWS, map_frames, map_rows
from jaxvqa._planes import Planes, VideoLike, to_float
from jaxvqa._typing import Array, Float, Num
from jaxvqa.features._feature import Feature, Loss, Series, Trainable
from jaxvqa.features._kernels import check_kernel_scale, kernel, kernel_width
from jaxvqa.features._options import check_defaults
from jaxvqa.features._run import documented, run
from jaxvqa.features._vif import plain
from jaxvqa.features._vif.options import SCALES, FloatVifOptions, outputs

_EPSILON = 1e-10
_PEAK_SQUARED = 255.0**2
# largest variance of a sample between -128 and 128, with room for interpolated overshoots
_MAX_VARIANCE = 4.0 * 128.0**2

# the argument of a sample's logarithm, and what is added to the logarithm
_Term = tuple[Array, Array]


def _carried(
    options: FloatVifOptions,
    mean_r: Array,
    mean_c: Array,
    square_r: Array,
    square_c: Array,
    product: Array,
) -> _Term:
    """What the distorted picture carries of the reference's information, per sample."""
    noise, limit = options.sigma_nsq, options.enhancement_gain_limit
    var_r = jnp.maximum(square_r - mean_r * mean_r, 0.0)
    var_c = square_c - mean_c * mean_c
    cov_c = product - mean_r * mean_c
    var_d = jnp.maximum(var_r + (2.0 * cov_c + var_c), 0.0)
    # a negative covariance carries nothing: the source's special cases for it all end in 0
    cov = jnp.maximum(var_r + cov_c, 0.0)
    # gain^2 var_r / (residual + noise) with gain = cov / var_r, at most `limit`, and residual =
    # var_d - gain cov; both sides of the fraction times var_r, so that there is one division.
    # The residual times var_r is var_r var_d - cov^2 = var_r var_c - cov_c^2: 0 without a change.
    # Where the reference carries less than the noise nothing can be lost: a linear term instead.
    weak = var_r < noise
    signal = jnp.maximum(var_r, max(noise, _EPSILON))
    gained = jnp.minimum(cov * cov, (limit * signal) * (limit * signal))
    residual = jnp.maximum(var_c * signal - cov_c * cov_c, _EPSILON * signal)
    carried = gained / (residual + noise * signal)
    carried = jnp.where(weak | (var_d < _EPSILON), 0.0, carried)
    return 1.0 + carried, jnp.where(weak, 1.0 - var_d * (noise * noise / _PEAK_SQUARED), 0.0)


def _available(options: FloatVifOptions, mean_r: Array, square_r: Array) -> _Term:
    """The reference's information, per sample."""
    noise = options.sigma_nsq
    var_r = jnp.maximum(square_r - mean_r * mean_r, 0.0)
    weak = var_r < noise
    available = jnp.where(weak, 0.0, var_r * (1.0 / max(noise, _EPSILON)))
    return 1.0 + available, weak.astype(var_r.dtype)


def _log_group(sigma_nsq: float) -> int:
    """How many log arguments can be multiplied in float32 before one log is taken."""
    largest = math.log10(1 + _MAX_VARIANCE / max(sigma_nsq, _EPSILON))
    return max(1, min(8, int(36 / largest)))


def _grouped(term: Callable[..., _Term], group: int, *moments: Array) -> Array:
    """Terms of `group` column blocks folded into one: `(rows, columns // group)`.

    One logarithm then serves `group` samples; it costs more than all the filtering of a pixel. The
    products do not overflow because `group` is chosen from the largest argument.
    """
    width = moments[0].shape[-1] // group
    argument, linear = None, None
    for k in range(group):
        factor, added = term(*(m[:, k * width : (k + 1) * width] for m in moments))
        argument = factor if argument is None else argument * factor
        linear = added if linear is None else linear + added
    assert argument is not None
    assert linear is not None
    return jnp.log2(argument) + linear


def _summed(term: Callable[..., _Term], sigma_nsq: float, *moments: Array) -> Array:
    """Row sums of a term. Each group is a stage with one result, which XLA makes one kernel of."""
    columns = moments[0].shape[-1]
    most = min(_log_group(sigma_nsq), columns)
    # a group that leaves no columns over saves compiling the remainder
    group = next((g for g in range(most, most // 2, -1) if columns % g == 0), most)
    edge = columns - columns % group
    total = row_sums(functools.partial(_grouped, term, group), *(m[:, :edge] for m in moments))
    if edge < columns:  # the columns that fill no group are taken one by one
        rest = (m[:, edge:] for m in moments)
        total = total + row_sums(functools.partial(_grouped, term, 1), *rest)
    return total


@functools.partial(jax.custom_jvp, nondiff_argnums=(0,))
def information(
    options: FloatVifOptions, *moments: Float[Array, "rows width"]
) -> tuple[Array, Array]:
    """Row sums of carried and available information, in bits.

    Args:
        options: those of float VIF.
        moments: local means of the reference and of the change (distorted minus reference), of
            their squares, and of their product.

    Returns:
        Numerator and denominator of VIF by row, each `(rows,)`.
    """
    mean_r, _, square_r, _, _ = moments
    noise = options.sigma_nsq
    return (
        _summed(functools.partial(_carried, options), noise, *moments),
        _summed(functools.partial(_available, options), noise, mean_r, square_r),
    )


@information.defjvp
def _information_jvp(
    options: FloatVifOptions, moments: tuple[Array, ...], tangents: tuple[Array, ...]
) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """The derivative sample by sample: it needs no logarithm, so there is nothing to group."""

    def maps(*moments: Array) -> tuple[Array, Array]:
        kept, linear = _carried(options, *moments)
        whole, weak = _available(options, moments[0], moments[2])
        return jnp.log2(kept) + linear, jnp.log2(whole) + weak

    def change(moments: tuple[Array, ...], tangents: tuple[Array, ...]) -> tuple[Array, Array]:
        return jax.jvp(maps, moments, tangents)[1]

    numerator, denominator = stage(change, moments, tangents)
    return information(options, *moments), (numerator.sum(-1), denominator.sum(-1))


def _moments(ref: Array, change: Array, taps: tuple[float, ...]) -> tuple[Array, ...]:
    """Local means of reference and change, of their squares and of their product."""

    def mean_product(x: Array, y: Array) -> Array:
        return filtered(stage(_product_down, x, y, taps=taps), taps, -1)

    means = separable(ref, taps), separable(change, taps)
    squares = mean_product(ref, ref), mean_product(change, change)
    return *means, *squares, mean_product(ref, change)


def _product_down(x: Array, y: Array, *, taps: tuple[float, ...]) -> Array:
    return correlate_product(x, y, taps, -2)


def _halve(
    strip: Float[Array, "rows_in width_in"], taps: tuple[float, ...], inset: int, width: int
) -> Float[Array, "rows width"]:
    """Low-pass, every other row and column; `inset` samples more than its border lie around."""
    down = stage(_halve_rows, strip, taps=taps, inset=inset, width=width)
    return filtered(down, taps, -1, stride=2)


def _halve_rows(x: Array, *, taps: tuple[float, ...], inset: int, width: int) -> Array:
    halo = len(taps) - 2  # the last output needs no more than its window
    x = x[inset : x.shape[0] - inset - 1, inset : inset + 2 * width + halo]
    return correlate(x, taps, -2, stride=2)


def _scale(
    ref: Num[Array, "h w"],
    other: Num[Array, "h w"],
    scale: int,
    options: FloatVifOptions,
    bit_depth: int,
) -> tuple[list[Array], list[Float[Array, "h2 w2"]]]:
    """Numerator and denominator of one scale, and reference and change at the next.

    `other` is the change, or the distorted picture while both are codes.

    One pass over strips gives both: the filter towards the next scale is narrower than that of the
    scale itself, so one border serves both. It drops the last row and column of odd sizes.
    """
    taps = kernel(scale, options.kernel_scale)
    border = len(taps) // 2
    last = scale == SCALES - 1
    lower = () if last else kernel(scale + 1, options.kernel_scale)
    (height, width), step = ref.shape, 1 if last else 2
    inset = border - len(lower) // 2

    def rows(ref: Array, other: Array) -> tuple[list[Array], list[Array]]:
        sums, halves = [], []
        if jnp.issubdtype(ref.dtype, jnp.unsignedinteger):
            ref, other = _ref_and_change(ref, other, bit_depth)
        if scale > 0 or not options.skip_scale0:
            found = information(options, *_moments(ref, other, taps))
            sums = [x.reshape(-1, step) for x in found]
        if not last:
            halves = [_halve(x, lower, inset, width // 2) for x in (ref, other)]
        return sums, halves

    padded = [pad(x, (border, border), (border, border)) for x in (ref, other)]
    if height % step:
        padded = [jnp.pad(x, ((0, 1), (0, 0))) for x in padded]
    units = -(-height // step)
    sums, halves = map_rows(
        rows, tuple(padded), height=units, halo=2 * border, stride=step, rows=STRIP_ROWS // step
    )
    return [x.reshape(-1)[:height].sum() for x in sums], [x[: height // 2] for x in halves]


def _ref_and_change(
    ref: Num[Array, "h w"], dis: Num[Array, "h w"], bit_depth: int
) -> tuple[Float[Array, "h w"], Float[Array, "h w"]]:
    """The reference, centred, and what was added to it, on the 8-bit scale.

    All that follows works on these two. Where nothing was added every product with the change is 0,
    however a compiler orders and fuses it, so an equal pair has equal moments.
    """
    change = to_float(dis, bit_depth) - to_float(ref, bit_depth)
    return to_float(ref, bit_depth, offset=-128.0), change


def _frame(
    ref: Num[Array, "h w"], dis: Num[Array, "h w"], options: FloatVifOptions, bit_depth: int
) -> dict[str, Array]:
    prescaled = abs(options.prescale - 1) >= 1e-3
    other = dis
    # a pair of codes is converted strip by strip, any other one here
    if prescaled or any(jnp.issubdtype(x.dtype, jnp.floating) for x in (ref, dis)):
        ref, other = _ref_and_change(ref, dis, bit_depth)
    if prescaled:
        height, width = scaled_size(ref.shape[0], ref.shape[1], options.prescale)
        ref, other = (resize(x, height, width, options.prescale_method) for x in (ref, other))
    result = {}
    for scale in range(SCALES):
        sums, halves = _scale(ref, other, scale, options, bit_depth)
        if sums:
            result[f"num{scale}"], result[f"den{scale}"] = sums
        if halves:
            ref, other = halves
    return result


def _extract(ref: Planes, dis: Planes, options: FloatVifOptions) -> Series:
    frame = functools.partial(_frame, options=options, bit_depth=ref.depth)
    sums = map_frames(frame, ref.y, dis.y, recompute=True)
    used = range(1 if options.skip_scale0 else 0, SCALES)
    result = {}
    for scale in range(SCALES):
        if scale in used:
            score = safe.divide(sums[f"num{scale}"], sums[f"den{scale}"], otherwise=1.0)
            result[f"vif_scale{scale}"] = _floored(score, scale, options)
        else:
            zero = jnp.zeros_like(sums["num1"])
            result["vif_scale0"], sums["num0"], sums["den0"] = zero, zero, zero - 1.0
        result[f"vif_num_scale{scale}"] = sums[f"num{scale}"]
        result[f"vif_den_scale{scale}"] = sums[f"den{scale}"]
    for part in ("num", "den"):
        result[f"vif_{part}"] = jnp.stack([sums[f"{part}{s}"] for s in used]).sum(0)
    result["vif"] = safe.divide(result["vif_num"], result["vif_den"], otherwise=1.0)
    return result


def _floored(score: Array, scale: int, options: FloatVifOptions) -> Array:
    floor = getattr(options, f"scale{scale}_min_val") if scale else 0.0
    return jnp.maximum(score, floor) if floor > 0 else score


def min_size(kernel_scale: float) -> int:
    """Smallest side of a frame: at every scale the window's radius must be less than the side."""
    return max(
        (kernel_width(scale, kernel_scale) // 2 + 1) << max(scale - 1, 0) for scale in range(SCALES)
    )


def _check(ref: Planes, options: FloatVifOptions) -> None:
    check_kernel_scale("vif_kernelscale", options.kernel_scale)
    height, width = scaled_size(ref.height, ref.width, options.prescale)
    least = min_size(options.kernel_scale)
    check_min_size("float_vif (after vif_prescale)", height, width, least, least)


def _numbers(options: FloatVifOptions) -> dict[str, float]:
    check_defaults("float_vif", options, ("skip_scale0", "prescale"))
    return {name: getattr(options, name) for name in ("enhancement_gain_limit", "sigma_nsq")}


def _extract_with(
    ref: Planes, dis: Planes, options: FloatVifOptions, numbers: Mapping[str, Any]
) -> Series:
    """The plain form, which takes traced numbers."""
    frame = functools.partial(plain.vif, kernel_scale=options.kernel_scale, **numbers)
    series = jax.vmap(frame)(*(to_float(x.y, x.depth) for x in (ref, dis)))
    scales = {f"vif_scale{s}": s for s in range(SCALES)}
    return series | {name: _floored(series[name], s, options) for name, s in scales.items()}


FLOAT_VIF = Feature(
    name="float_vif",
    summary="information kept at four scales (visual information fidelity), float arithmetic",
    options=FloatVifOptions,
    outputs=lambda options: outputs("", options),
    extract=_extract,
    check=_check,
    loss=Loss(
        "vif",
        "Visual information lost: 1 - VIF, all four scales together.",
        value="vif",
        returns="0 for an equal pair, about 1 for nothing kept, below 0 for enhanced contrast "
        "unless `enhancement_gain_limit` is 1. An equal pair is 0 within 1e-6; on reference areas "
        "with a local variance under `sigma_nsq` it is above 0 by definition, by up to "
        "`(sigma_nsq / 255)^2 sigma_nsq` (1.2e-4 at 2).",
        note="`enhancement_gain_limit=1` gives no credit for contrast beyond the reference's "
        "(NEG), and no gradient there either.",
    ),
    trainable=Trainable(start=_numbers, extract=_extract_with),
    libvmaf=True,
)


@documented(FLOAT_VIF)
def vif(
    ref: VideoLike, dis: VideoLike, *, bit_depth: int | None = None, **options: Any
) -> dict[str, Array]:
    """Visual information fidelity at four scales, `float_vif` of libvmaf.

    Models how much of the information that a viewer could extract from the reference, seen through
    a noisy visual channel, is still there in the distorted picture.

    {args}

    Returns:
        `{"vif_scale0", ..., "vif_scale3", "vif"}`, each `(frames,)`, `vif` of all scales together;
        1 for identical pictures, 0 for nothing kept, above 1 for enhanced contrast; higher is
        better. With `debug` also numerators and denominators.

    Raises:
        ValueError: bad options, shapes or sizes. TypeError: bad dtypes.

    Source: libvmaf f85a853, `float_vif.c`. Matches it within 1e-4 on every score.

    Example:
        >>> import numpy as np, jaxvqa
        >>> ref = np.random.default_rng(0).integers(0, 256, (1, 64, 64), np.uint8)
        >>> found = jaxvqa.features.vif(ref, ref // 2)
        >>> round(float(found["vif"][0]), 2)
        0.8
    """
    return run(FLOAT_VIF, ref, dis, bit_depth, options)
