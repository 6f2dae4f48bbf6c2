"""MS-SSIM: structural similarity at five scales.

Source: libvmaf f85a853, `float_ms_ssim.c`, `ms_ssim.c`; after Wang, Simoncelli and Bovik,
"Multiscale structural similarity for image quality assessment", Asilomar 2003.
"""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from jaxvqa._checks import check_min_size
from jaxvqa._ops.tiling import map_frames
from jaxvqa._planes import Planes, VideoLike
from jaxvqa._typing import Array, Float, Num
from jaxvqa.features._feature import Feature, Loss, Output, Series
from jaxvqa.features._run import documented, run
from jaxvqa.features._ssim.downsampling import downsampled
from jaxvqa.features._ssim.options import (
    MsSsimOptions,
    check_no_decibels,
    outputs,
    score_of,
)
from jaxvqa.features._ssim.similarity import SIDE, lacking

_EXPONENTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
SCALES = len(_EXPONENTS)
# the low-pass filter of the 9/7 wavelet times itself, as the tool has it, to six decimals (two of
# the numbers are not the nearest ones): upper left corner, rows and columns are mirrored
_CORNER = (
    (0.000714, -0.000450, -0.002090, 0.007132, 0.016114),
    (-0.000450, 0.000283, 0.001316, -0.004490, -0.010146),
    (-0.002090, 0.001316, 0.006115, -0.020867, -0.047149),
    (0.007132, -0.004490, -0.020867, 0.071207, 0.160885),
    (0.016114, -0.010146, -0.047149, 0.160885, 0.363505),
)
_LOW_PASS = tuple((*row, *row[-2::-1]) for row in (*_CORNER, *_CORNER[-2::-1]))
_SMALLEST = SIDE << (SCALES - 1)
_NAMES = (
    "float_ms_ssim",
    *(f"float_ms_ssim_{part}_scale{scale}" for part in "lcs" for scale in range(SCALES)),
)


def _lacks_of_scales(
    ref: Num[Array, "h w"], dis: Num[Array, "h w"], bit_depth: int, options: MsSsimOptions
) -> list[dict[str, Float[Array, ""]]]:
    found = []
    for scale in range(SCALES):
        if scale:
            ref, dis = (downsampled(x, _LOW_PASS, 2, bit_depth) for x in (ref, dis))
            bit_depth = 8  # the scale of floats from here on
        luminance = options.enable_lcs or scale == SCALES - 1
        parts = ("l", "c", "s") if luminance else ("c", "s")
        found.append(lacking(ref, dis, bit_depth, parts))
    return found


def _extract(ref: Planes, dis: Planes, options: MsSsimOptions) -> Series:
    depth = ref.depth

    def frame(ref: Array, dis: Array) -> list[dict[str, Array]]:
        return _lacks_of_scales(ref, dis, depth, options)

    scales = map_frames(frame, ref.y, dis.y, recompute=True)
    log = jnp.zeros_like(scales[0]["c"])
    positive = jnp.ones_like(log, dtype=bool)
    for lacks, exponent in zip(scales, _EXPONENTS, strict=True):
        for part in ("l", "c", "s") if lacks is scales[-1] else ("c", "s"):
            some = lacks[part] < 1
            positive &= some
            log = log + exponent * jnp.log1p(-jnp.where(some, lacks[part], 0.0))
    # a negative mean has no power: the tool prints NaN, here the score is 0
    lack = jnp.where(positive, -jnp.expm1(log), 1.0)
    result = {"float_ms_ssim": score_of(lack, ref, options)}
    for scale, lacks in enumerate(scales):
        for part, value in lacks.items():
            result[f"float_ms_ssim_{part}_scale{scale}"] = 1.0 - value
    return result


def _outputs(options: MsSsimOptions) -> tuple[Output, ...]:
    return outputs(_NAMES, options)


def _check(ref: Planes, options: MsSsimOptions) -> None:
    check_min_size("float_ms_ssim", ref.height, ref.width, _SMALLEST, _SMALLEST)


FLOAT_MS_SSIM = Feature(
    name="float_ms_ssim",
    summary="structural similarity at five scales (MS-SSIM), float arithmetic",
    options=MsSsimOptions,
    outputs=_outputs,
    extract=_extract,
    check=_check,
    loss=Loss(
        "ms_ssim",
        "Similarity lost: 1 - MS-SSIM.",
        value="float_ms_ssim",
        returns="0 for an equal pair, 1 at most.",
        note="Where the mean structure of a scale is negative, as of an inverted picture, the "
        "loss is 1 without a gradient.",
        check=check_no_decibels("ms_ssim"),
    ),
    libvmaf=True,
)


@documented(FLOAT_MS_SSIM)
def ms_ssim(
    ref: VideoLike, dis: VideoLike, *, bit_depth: int | None = None, **options: Any
) -> dict[str, Array]:
    """Structural similarity at five scales (MS-SSIM), `float_ms_ssim` of libvmaf.

    Models how alike local contrast and pattern are from fine to coarse, each scale weighted as
    viewers of synthetic distortions weighted it, and brightness at the coarsest.

    {args}

    Returns:
        `{"float_ms_ssim"}`, `(frames,)`: 1 for identical pictures, 0 for unrelated ones; higher is
        better. With `enable_lcs` also the means of luminance, contrast and structure by scale,
        `"float_ms_ssim_l_scale0"` to `"float_ms_ssim_s_scale4"`.

    Raises:
        ValueError: bad options or shapes, or frames below 176x176. TypeError: bad dtypes.

    Source: libvmaf f85a853, `float_ms_ssim.c`. Matches it within 1e-6 in every output; where the
    mean structure of a scale is negative the tool prints NaN, this returns 0.

    Example:
        >>> import numpy as np, jaxvqa
        >>> ref = np.random.default_rng(0).integers(0, 256, (1, 176, 176), np.uint8)
        >>> found = jaxvqa.features.ms_ssim(ref, ref // 2)
        >>> round(float(found["float_ms_ssim"][0]), 2)
        0.82
    """
    return run(FLOAT_MS_SSIM, ref, dis, bit_depth, options)
