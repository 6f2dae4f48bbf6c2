"""Signal-to-noise ratio of filtered luma, fast.

Of float frames; `codes.py` has the powers of whole codes. Kernels stay whole numbers until the end,
so that sums of codes of up to 10 bits are exact in float32: a flat equal pair has no noise.

Source: libvmaf f85a853, `float_ansnr.c`, `ansnr.c`, `ansnr_tools.c`.
"""

from __future__ import annotations

import math
from typing import Any

import jax.numpy as jnp

from jaxvqa._checks import check_min_size
from jaxvqa._ops import safe
from jaxvqa._ops.borders import pad
from jaxvqa._ops.double import in_float64
from jaxvqa._ops.filters import correlate
from jaxvqa._ops.stages import stage
from jaxvqa._ops.tiling import map_frames, map_rows
from jaxvqa._planes import Planes, VideoLike
from jaxvqa._typing import Array, Float
from jaxvqa.features._ansnr.codes import powers
from jaxvqa.features._ansnr.plain import GREY, LEAST_SIGNAL, WIDE
from jaxvqa.features._feature import MEASURED, Feature, Loss, Output, Series
from jaxvqa.features._options import Options
from jaxvqa.features._psnr import decibels, peak_on_8_bits, usual_cap
from jaxvqa.features._run import documented, run

_RADIUS = 2
_NARROW = (1, 2, 1)
_NARROW_SUM = sum(_NARROW) ** 2
_WIDE_SUM = sum(map(sum, WIDE))
_DECIBELS = 10.0 * math.log10(2.0)  # per doubling


def _centred(x: Array, depth: int) -> Array:
    dtype = jnp.float64 if x.dtype == jnp.float64 else jnp.float32
    return x.astype(dtype) - GREY * (1 << (depth - 8))


def _narrow(ref: Array, depth: int) -> Array:
    """16 times the blurred reference, of `(rows + 4, width + 4)` samples."""
    inner = _centred(ref[1:-1, 1:-1], depth)
    return correlate(correlate(inner, _NARROW, -2), _NARROW, -1)


def _down(dis: Array, depth: int) -> tuple[Array, ...]:
    """The three different columns of the wide kernel; it is symmetric."""
    x = _centred(dis, depth)
    return tuple(correlate(x, column, -2) for column in WIDE[: _RADIUS + 1])


def _across(outer: Array, inner: Array, middle: Array) -> Array:
    """571 times the blurred distorted picture."""
    around = correlate(outer, (1, 0, 0, 0, 1), -1)
    near = correlate(inner[:, 1:-1], (1, 0, 1), -1)
    return around + near + middle[:, 2:-2]


def _powers(signal: Array, *columns: Array) -> tuple[Array, Array]:
    noise = _WIDE_SUM * signal - _NARROW_SUM * _across(*columns)
    return signal * signal, noise * noise


def _strip(depth: int, ref: Array, dis: Array) -> tuple[Array, Array]:
    """Means of both powers along each row.

    Means, because XLA would make one long sum of sums of sums, which loses digits.
    """
    signal, columns = stage(_narrow, ref, depth=depth), stage(_down, dis, depth=depth)
    powers = stage(_powers, signal, *columns)
    return tuple(x.mean(-1) for x in powers)


def _ratios(signal: Array, noise: Array, depth: int) -> dict[str, Array]:
    """Both ratios from mean powers."""
    cap = usual_cap(depth)
    ratio = _DECIBELS * (jnp.log2(jnp.maximum(signal, LEAST_SIGNAL)) - safe.log2(noise))
    return {
        "float_ansnr": jnp.where(noise == 0, jnp.full_like(ratio, cap), ratio),
        "float_anpsnr": decibels(noise, peak_on_8_bits(depth), cap),
    }


def _frame(ref: Array, dis: Array, depth: int) -> dict[str, Float[Array, ""]]:
    border = (_RADIUS, _RADIUS)
    sides = tuple(pad(x, border, border, "reflect", "symmetric") for x in (ref, dis))
    if all(jnp.issubdtype(x.dtype, jnp.unsignedinteger) for x in sides):
        return _of_codes(sides[0], sides[1], depth)

    def strip(ref: Array, dis: Array) -> tuple[Array, Array]:
        return _strip(depth, ref, dis)

    rows = map_rows(strip, sides, height=ref.shape[0], halo=2 * _RADIUS)
    unit = float(_NARROW_SUM << (depth - 8))
    signal, noise = (x.mean() for x in rows)
    signal, noise = signal / unit**2, noise / (unit * _WIDE_SUM) ** 2
    return _ratios(signal, noise, depth)


def _of_codes(ref: Array, dis: Array, depth: int) -> dict[str, Array]:
    samples = (ref.shape[0] - 2 * _RADIUS) * (ref.shape[1] - 2 * _RADIUS)
    signal, noise = powers(ref, dis, depth)
    # the tool divides before it takes the logarithm
    ratio = safe.divide(jnp.maximum(signal, LEAST_SIGNAL * samples), noise, otherwise=1.0)

    def wide(ratio: Array, noise: Array) -> dict[str, Array]:
        ratio, mean = ratio.astype(jnp.float64), noise.astype(jnp.float64) / samples
        cap = usual_cap(depth)
        decided = 10.0 * jnp.log10(ratio)
        return {
            "float_ansnr": jnp.where(noise == 0, jnp.full_like(decided, cap), decided),
            "float_anpsnr": decibels(mean, peak_on_8_bits(depth), cap),
        }

    return in_float64(wide, ratio, noise)


def _extract(ref: Planes, dis: Planes, options: Options) -> Series:
    def frame(ref_y: Array, dis_y: Array) -> dict[str, Array]:
        return _frame(ref_y, dis_y, ref.depth)

    return map_frames(frame, ref.y, dis.y)


def _check(ref: Planes, options: Options) -> None:
    check_min_size("float_ansnr", ref.height, ref.width, _RADIUS + 1, _RADIUS + 1)


FLOAT_ANSNR = Feature(
    name="float_ansnr",
    summary="signal-to-noise ratio of blurred luma, and the same with the peak as signal",
    outputs=lambda options: tuple(
        Output(name, "higher", MEASURED, name, for_models=name == "float_ansnr")
        for name in ("float_ansnr", "float_anpsnr")
    ),
    extract=_extract,
    check=_check,
    loss=Loss(
        "float_ansnr",
        "Signal-to-noise ratio of blurred luma below that of an equal pair: `float_ansnr`.",
        value="float_ansnr",
        returns="0 for an equal pair, about 1 to 20 for visible distortion, in dB; below 0 where "
        "`dis` is sharper than `ref`, because it is blurred more. Where there is no noise at all "
        "(equal flat frames) the gradient is 0.",
    ),
    libvmaf=True,
)


@documented(FLOAT_ANSNR)
def ansnr(
    ref: VideoLike, dis: VideoLike, *, bit_depth: int | None = None, **options: Any
) -> dict[str, Array]:
    """Signal-to-noise ratio of blurred luma, `float_ansnr` of libvmaf.

    Models an eye that loses fine detail: the reference is blurred a little, the distorted picture
    more, and their difference is the noise. So an equal pair has noise too, the more the finer its
    detail; sharpening may raise the ratio.

    {args}

    Returns:
        `{"float_ansnr", "float_anpsnr"}`, each `(frames,)`, in dB; higher is better. The first has
        the blurred reference (around middle grey) as signal, without bounds. The second has the
        squared peak, and is capped (60 dB at 8 bits, 72 at 10). A pair without noise has the cap in
        both.

    Raises:
        ValueError: bad options, or frames smaller than 3x3. TypeError: bad dtypes.

    Source: libvmaf f85a853, `float_ansnr.c`, `ansnr_tools.c`. Of codes on CPUs it matches to a
    relative 6e-8 (all roundings are the tool's), of float frames and elsewhere to 1e-6. Differs in
    a reference of middle grey throughout, whose ratio is finite here and minus infinity there.

    Example:
        >>> import numpy as np, jaxvqa
        >>> ref = np.random.default_rng(0).integers(0, 256, (1, 64, 64), np.uint8)
        >>> found = jaxvqa.features.ansnr(ref, ref)
        >>> [round(float(found[name][0]), 1) for name in ("float_ansnr", "float_anpsnr")]
        [12.1, 31.2]
    """
    return run(FLOAT_ANSNR, ref, dis, bit_depth, options)
