"""Float VIF: visual information fidelity at four scales, in the pixel domain.

Source: libvmaf f85a853, `float_vif.c`, `vif_tools.c`; after Sheikh and Bovik, "Image information
and visual quality", IEEE TIP 15(2), 2006. Matches the tool within 1e-4 on every score; what differs
is the tool's own float32 cancellation in E[x^2] - E[x]^2.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import jax.numpy as jnp

from jaxvqa._typing import Array, Float, Num
from jaxvqa.checks import check_min_size
from jaxvqa.features.base import Feature, Output, Series, run
from jaxvqa.features.options import Option, Options
from jaxvqa.features.vif_information import information
from jaxvqa.ops import safe
from jaxvqa.ops.borders import pad
from jaxvqa.ops.filters import correlate, correlate_product, filtered, separable
from jaxvqa.ops.kernels import check_kernel_scale, kernel, kernel_width
from jaxvqa.ops.resize import METHODS, resize, scaled_size
from jaxvqa.ops.stages import stage
from jaxvqa.ops.tiling import STRIP_ROWS, map_frames, map_rows
from jaxvqa.planes import Planes, to_float

SCALES = 4

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
    ref: Num[Array, "h w"], other: Num[Array, "h w"], scale: int, options: Options, bit_depth: int
) -> tuple[list[Array], list[Float[Array, "h2 w2"]]]:
    """Numerator and denominator of one scale, and reference and change at the next.

    `other` is the change, or the distorted picture while both are codes.

    One pass over strips gives both: the filter towards the next scale is narrower than that of the
    scale itself, so one border serves both. It drops the last row and column of odd sizes.
    """
    taps = kernel(scale, options.vif_kernelscale)
    border = len(taps) // 2
    last = scale == SCALES - 1
    lower = () if last else kernel(scale + 1, options.vif_kernelscale)
    (height, width), step = ref.shape, 1 if last else 2
    inset = border - len(lower) // 2

    def rows(ref: Array, other: Array) -> tuple[list[Array], list[Array]]:
        sums, halves = [], []
        if jnp.issubdtype(ref.dtype, jnp.unsignedinteger):
            ref, other = _ref_and_change(ref, other, bit_depth)
        if scale > 0 or not options.vif_skip_scale0:
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
    ref: Num[Array, "h w"], dis: Num[Array, "h w"], options: Options, bit_depth: int
) -> dict[str, Array]:
    other, prescaled = dis, abs(options.vif_prescale - 1) >= 1e-3
    # a pair of codes is converted strip by strip, any other one here
    if prescaled or any(jnp.issubdtype(x.dtype, jnp.floating) for x in (ref, dis)):
        ref, other = _ref_and_change(ref, dis, bit_depth)
    if prescaled:
        height, width = scaled_size(ref.shape[0], ref.shape[1], options.vif_prescale)
        ref, other = (resize(x, height, width, options.vif_prescale_method) for x in (ref, other))
    result = {}
    for scale in range(SCALES):
        sums, halves = _scale(ref, other, scale, options, bit_depth)
        if sums:
            result[f"num{scale}"], result[f"den{scale}"] = sums
        if halves:
            ref, other = halves
    return result


def _extract(ref: Planes, dis: Planes, options: Options) -> Series:
    frame = functools.partial(_frame, options=options, bit_depth=ref.depth)
    sums = map_frames(frame, ref.y, dis.y, recompute=True)
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
