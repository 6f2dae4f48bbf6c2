"""Float VIF: visual information fidelity at four scales, in the pixel domain.

Source: libvmaf f85a853, `float_vif.c`, `vif_tools.c`; after Sheikh and Bovik, "Image information
and visual quality", IEEE TIP 15(2), 2006. Matches the tool within 1e-4 on every score; what differs
is the tool's own float32 cancellation in E[x^2] - E[x]^2.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import jax
import jax.numpy as jnp

from jaxvqa._typing import Array, Float, Num
from jaxvqa.checks import check_min_size
from jaxvqa.features.base import Feature, Output, Series, run
from jaxvqa.features.options import Option, Options
from jaxvqa.ops import safe
from jaxvqa.ops.borders import pad
from jaxvqa.ops.filters import correlate, separable
from jaxvqa.ops.kernels import check_kernel_scale, kernel, kernel_width
from jaxvqa.ops.resize import METHODS, resize, scaled_size
from jaxvqa.ops.stages import row_sums, stage
from jaxvqa.ops.tiling import map_frames, map_rows
from jaxvqa.planes import Planes, to_float

SCALES = 4
_EPSILON = 1e-10
_PEAK_SQUARED = 255.0**2
# largest variance of a sample between -128 and 128, with room for interpolated overshoots
_LARGEST_VARIANCE = 4.0 * 128.0**2

VIF_OPTIONS = (
    Option("vif_enhn_gain_limit", "enhancement_gain_limit", 100.0, "largest gain credited to the "
           "distorted video; 1 ignores enhancement (NEG)", 1.0, 100.0, alias="egl"),
    Option("vif_skip_scale0", "skip_scale0", False, "leave the finest scale out", alias="ssclz"),
    Option("debug", "debug", False, "also report totals, numerators and denominators"),
)  # fmt: skip

_OPTIONS = (
    *VIF_OPTIONS,
    Option("vif_kernelscale", "kernel_scale", 1.0, "width of the Gaussian windows, one of 21 "
           "values", 0.1, 4.0, alias="ks"),
    Option("vif_prescale", "prescale", 1.0, "resize both pictures by this factor first", 0.1, 4.0,
           alias="ps"),
    Option("vif_prescale_method", "prescale_method", "nearest", "how prescale resamples",
           choices=METHODS, alias="pm"),
    Option("vif_sigma_nsq", "sigma_nsq", 2.0, "variance of the visual noise, squared 8-bit code "
           "values", 0.0, 5.0, alias="snsq"),
    Option("vif_scale1_min_val", "scale1_min_val", 0.0, "floor of the scale 1 score", 0.0, 1.0,
           alias="s1miv"),
    Option("vif_scale2_min_val", "scale2_min_val", 0.0, "floor of the scale 2 score", 0.0, 1.0,
           alias="s2miv"),
    Option("vif_scale3_min_val", "scale3_min_val", 0.0, "floor of the scale 3 score", 0.0, 1.0,
           alias="s3miv"),
)  # fmt: skip


def _log_group(sigma_nsq: float) -> int:
    """How many log arguments can be multiplied in float32 before one log is taken."""
    largest = math.log10(1 + _LARGEST_VARIANCE / max(sigma_nsq, _EPSILON))
    return max(1, min(8, int(36 / largest)))


def _moments(ref: Array, dis: Array, taps: tuple[float, ...]) -> tuple[Array, ...]:
    """Local means of both pictures, of their squares and of their product."""
    products = stage(lambda r, d: (r * r, d * d, r * d), ref, dis)
    return tuple(separable(x, taps) for x in (ref, dis, *products))


def _terms(
    mean_r: Array,
    mean_d: Array,
    square_r: Array,
    square_d: Array,
    product: Array,
    *,
    options: Options,
) -> tuple[Array, Array, Array, Array]:
    """Per pixel: arguments of both logarithms, and the linear parts added to each side."""
    noise = options.vif_sigma_nsq
    var_r = jnp.maximum(square_r - mean_r * mean_r, 0.0)
    var_d = jnp.maximum(square_d - mean_d * mean_d, 0.0)
    cov = product - mean_r * mean_d
    # where the reference carries less than the noise nothing can be lost: a linear term instead.
    # A negative covariance carries nothing, so the source's special cases for it all end in 0, and
    # the branches below are few and cheap; they are what a pixel's time goes into.
    least = max(noise, _EPSILON)
    weak = var_r < noise
    signal = jnp.maximum(var_r, least)
    gain = jnp.maximum(cov, 0.0) / signal
    residual = jnp.maximum(var_d - gain * cov, _EPSILON)
    gain = jnp.minimum(gain, options.vif_enhn_gain_limit)
    carried = gain * gain * signal / (residual + noise)
    carried = jnp.where(weak | (var_d < _EPSILON), 0.0, carried)
    available = jnp.where(weak, 0.0, var_r * (1.0 / least))
    linear = jnp.where(weak, 1.0 - var_d * (noise * noise / _PEAK_SQUARED), 0.0)
    return 1.0 + carried, 1.0 + available, linear, weak.astype(var_r.dtype)


def _grouped_terms(
    *moments: Float[Array, "rows width"], group: int, options: Options
) -> tuple[Array, Array, Array, Array]:
    """Terms of `group` column blocks folded into one: logarithms' arguments multiplied, rest added.

    One logarithm then serves `group` samples; it costs more than all the filtering of a pixel. The
    products do not overflow because `group` is chosen from the largest argument.
    """
    width = moments[0].shape[-1] // group
    blocks = [
        _terms(*(m[:, k * width : (k + 1) * width] for m in moments), options=options)
        for k in range(group)
    ]
    kept, whole, linear, weak = blocks[0]
    for block in blocks[1:]:
        kept, whole = kept * block[0], whole * block[1]
        linear, weak = linear + block[2], weak + block[3]
    return kept, whole, linear, weak


def _row_sums(
    ref: Array, dis: Array, taps: tuple[float, ...], options: Options
) -> tuple[Array, Array]:
    """Numerator and denominator of one scale, summed along each row."""
    return _information(options, *_moments(ref, dis, taps))


@functools.partial(jax.custom_jvp, nondiff_argnums=(0,))
def _information(options: Options, *moments: Float[Array, "rows width"]) -> tuple[Array, Array]:
    """Row sums of carried and available information from local moments."""
    columns = moments[0].shape[-1]
    most = min(_log_group(options.vif_sigma_nsq), columns)
    # a group that leaves no columns over saves compiling the remainder
    group = next((g for g in range(most, most // 2, -1) if columns % g == 0), most)
    edge = columns - columns % group
    numerator, denominator = (jnp.zeros((), moments[0].dtype) for _ in range(2))
    # the columns that fill no group are taken one by one
    for first, last, size in ((0, edge, group), (edge, columns, 1)):
        if first == last:
            continue
        fold = functools.partial(_grouped_terms, group=size, options=options)
        kept, whole, linear, weak = stage(fold, *(m[:, first:last] for m in moments))
        numerator = numerator + row_sums(jnp.log2, kept) + linear.sum(-1)
        denominator = denominator + row_sums(jnp.log2, whole) + weak.sum(-1)
    return numerator, denominator


@_information.defjvp
def _information_jvp(
    options: Options, moments: tuple[Array, ...], tangents: tuple[Array, ...]
) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """The derivative sample by sample: it needs no logarithm, so there is nothing to group."""

    def maps(*moments: Array) -> tuple[Array, Array]:
        kept, whole, linear, weak = _terms(*moments, options=options)
        return jnp.log2(kept) + linear, jnp.log2(whole) + weak

    def change(moments: tuple[Array, ...], tangents: tuple[Array, ...]) -> tuple[Array, Array]:
        return jax.jvp(maps, moments, tangents)[1]

    numerator, denominator = stage(change, moments, tangents)
    return _information(options, *moments), (numerator.sum(-1), denominator.sum(-1))


def _scale_sums(
    ref: Num[Array, "H W"], dis: Num[Array, "H W"], taps: tuple[float, ...], options: Options,
    bit_depth: int,
) -> tuple[Array, Array]:  # fmt: skip
    """Numerator and denominator of one scale, from pictures with the border of its filter."""

    def rows(ref: Array, dis: Array) -> tuple[Array, Array]:
        ref, dis = _as_float(ref, bit_depth), _as_float(dis, bit_depth)
        return _row_sums(ref, dis, taps, options)

    halo = len(taps) - 1
    sums = map_rows(rows, (ref, dis), height=ref.shape[0] - halo, halo=halo)
    return sums[0].sum(), sums[1].sum()


def _as_float(x: Array, bit_depth: int) -> Array:
    """Codes of scale 0 become centred floats inside the strip; later scales are floats already."""
    if jnp.issubdtype(x.dtype, jnp.floating):
        return x
    return stage(lambda x: to_float(x, bit_depth, offset=-128.0), x)


def _halve(
    padded: Num[Array, "H W"], border: int, taps: tuple[float, ...], bit_depth: int
) -> Float[Array, "h2 w2"]:
    """Low-pass and keep even rows and columns of the top-left even-sized part.

    Takes the picture with the border of the wider filter of its own scale, which serves both.
    """
    height, width = ((side - 2 * border) // 2 for side in padded.shape)
    inset = border - len(taps) // 2
    halo = len(taps) - 2  # the last output needs no more rows than its window
    around = padded.shape[0] - 2 * height
    unused = around - halo

    def rows(strip: Array) -> Array:
        rows = strip.shape[0] - unused
        strip = strip[inset : inset + rows, inset : inset + 2 * width + halo]
        vertical = stage(lambda x: correlate(x, taps, -2, stride=2), _as_float(strip, bit_depth))
        return stage(lambda x: correlate(x, taps, -1, stride=2), vertical)

    return map_rows(rows, (padded,), height=height, halo=around, stride=2)


def _frame(
    ref: Num[Array, "h w"], dis: Num[Array, "h w"], options: Options, bit_depth: int
) -> dict[str, Array]:
    if jnp.issubdtype(ref.dtype, jnp.floating) or abs(options.vif_prescale - 1) >= 1e-3:
        ref, dis = (to_float(x, bit_depth, offset=-128.0) for x in (ref, dis))
    if abs(options.vif_prescale - 1) >= 1e-3:
        height, width = scaled_size(ref.shape[0], ref.shape[1], options.vif_prescale)
        ref, dis = (resize(x, height, width, options.vif_prescale_method) for x in (ref, dis))
    result, border = {}, 0
    for scale in range(SCALES):
        taps = kernel(scale, options.vif_kernelscale)
        if scale > 0:
            ref, dis = (_halve(x, border, taps, bit_depth) for x in (ref, dis))
        border = len(taps) // 2
        ref, dis = (pad(x, (border, border), (border, border)) for x in (ref, dis))
        if scale == 0 and options.vif_skip_scale0:
            continue
        result[f"num{scale}"], result[f"den{scale}"] = _scale_sums(
            ref, dis, taps, options, bit_depth
        )
    return result


def _extract(ref: Planes, dis: Planes, options: Options) -> Series:
    sums = map_frames(lambda r, d: _frame(r, d, options, ref.depth), ref.y, dis.y)
    used = range(1 if options.vif_skip_scale0 else 0, SCALES)
    result = {}
    for scale in range(SCALES):
        if scale in used:
            score = safe.divide(sums[f"num{scale}"], sums[f"den{scale}"], otherwise=1.0)
            floor = options[f"vif_scale{scale}_min_val"] if scale else -math.inf
            result[f"vif_scale{scale}"] = jnp.maximum(score, floor) if floor > 0 else score
        else:
            zero = jnp.zeros_like(sums["num1"])
            result["vif_scale0"], sums["num0"], sums["den0"] = zero, zero, zero - 1.0
        result[f"vif_num_scale{scale}"] = sums[f"num{scale}"]
        result[f"vif_den_scale{scale}"] = sums[f"den{scale}"]
    for part in ("num", "den"):
        result[f"vif_{part}"] = jnp.stack([sums[f"{part}{s}"] for s in used]).sum(0)
    result["vif"] = safe.divide(result["vif_num"], result["vif_den"], otherwise=1.0)
    return result


def _outputs(options: Options) -> tuple[Output, ...]:
    scales = tuple(
        Output(f"vif_scale{s}", "higher", f"VMAF_feature_vif_scale{s}_score") for s in range(SCALES)
    )
    if not options.debug:
        return scales
    parts = ("vif", "vif_num", "vif_den")
    parts += tuple(f"vif_{p}_scale{s}" for s in range(SCALES) for p in ("num", "den"))
    return scales + tuple(Output(p, "higher" if p == "vif" else "neither") for p in parts)


def min_size(kernel_scale: float) -> int:
    """Smallest side of a frame: at every scale the window's radius must be less than the side."""
    return max(
        (kernel_width(scale, kernel_scale) // 2 + 1) << max(scale - 1, 0) for scale in range(SCALES)
    )


def _check(ref: Planes, options: Options) -> None:
    check_kernel_scale("vif_kernelscale", options.vif_kernelscale)
    height, width = scaled_size(ref.height, ref.width, options.vif_prescale)
    least = min_size(options.vif_kernelscale)
    check_min_size("float_vif (after vif_prescale)", height, width, least, least)


FEATURE = Feature(
    name="float_vif",
    summary="information kept at four scales (visual information fidelity), float arithmetic",
    options=_OPTIONS,
    outputs=_outputs,
    extract=_extract,
    check=_check,
)


def vif(
    ref: Any,
    dis: Any,
    *,
    bit_depth: int | None = None,
    kernel_scale: float = 1.0,
    prescale: float = 1.0,
    prescale_method: str = "nearest",
    enhancement_gain_limit: float = 100.0,
    sigma_nsq: float = 2.0,
    skip_scale0: bool = False,
    scale1_min_val: float = 0.0,
    scale2_min_val: float = 0.0,
    scale3_min_val: float = 0.0,
    debug: bool = False,
    **options: Any,
) -> dict[str, Array]:
    """Visual information fidelity at four scales, `float_vif` of libvmaf.

    Models how much of the information that a viewer could extract from the reference, seen through
    a noisy visual channel, is still there in the distorted picture.

    Args:
        ref: reference, luma code values `(frames, height, width)` or `(height, width)`, or a
            `Planes`.
        dis: distorted video of the same shape.
        bit_depth: bits a sample; needed unless the samples are uint8 or a `Planes`.
        kernel_scale: width of the Gaussian windows, one of the 21 values in
            `jaxvqa.ops.kernels.KERNEL_SCALES`.
        prescale: resize both pictures by this factor first, 0.1 to 4.
        prescale_method: nearest, bilinear, bicubic or lanczos4.
        enhancement_gain_limit: largest gain credited to the distorted video, 1 to 100; 1 gives the
            NEG form that does not reward sharpening.
        sigma_nsq: variance of the visual noise in squared 8-bit code values, 0 to 5.
        skip_scale0: leave out the finest scale; its score is then 0.
        scale1_min_val: floor of the scale 1 score, 0 to 1.
        scale2_min_val: floor of the scale 2 score, 0 to 1.
        scale3_min_val: floor of the scale 3 score, 0 to 1.
        debug: also return `vif` (all scales together), numerators and denominators.
        **options: the same options under libvmaf's names (`vif_enhn_gain_limit`).

    Returns:
        `{"vif_scale0", ..., "vif_scale3"}`, each `(frames,)`; 1 for identical pictures, 0 for
        nothing kept, above 1 for enhanced contrast; higher is better.

    Raises:
        ValueError: bad options, shapes or sizes. TypeError: bad dtypes.

    Source: libvmaf f85a853, `float_vif.c`. Matches it within 1e-4 on every score.
    """
    given = {
        "kernel_scale": kernel_scale, "prescale": prescale, "prescale_method": prescale_method,
        "enhancement_gain_limit": enhancement_gain_limit, "sigma_nsq": sigma_nsq,
        "skip_scale0": skip_scale0, "scale1_min_val": scale1_min_val,
        "scale2_min_val": scale2_min_val, "scale3_min_val": scale3_min_val, "debug": debug,
    }  # fmt: skip
    return run(FEATURE, ref, dis, bit_depth, given, options)
