"""SSIM at one scale: the structural similarity index.

Source: libvmaf f85a853, `float_ssim.c`, `ssim.c`; after Wang et al., "Image
quality assessment: from error visibility to structural similarity", IEEE TIP 13(4), 2004.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from jaxvqa._checks import check_min_size
from jaxvqa._ops.double import in_float64
from jaxvqa._ops.tiling import map_frames
from jaxvqa._planes import Planes, VideoLike
from jaxvqa._typing import Array
from jaxvqa.features._feature import Feature, Loss, Output, Series
from jaxvqa.features._run import documented, run
from jaxvqa.features._ssim.codes import similar
from jaxvqa.features._ssim.downsampling import downsampled, downsampled_size
from jaxvqa.features._ssim.options import (
    SsimOptions,
    check_no_decibels,
    has_codes,
    outputs,
    score_of,
    score_of_mean,
)
from jaxvqa.features._ssim.similarity import SIDE, lacking

_NAMES = ("float_ssim", "float_ssim_l", "float_ssim_c", "float_ssim_s")


def _factor(planes: Planes, options: SsimOptions) -> int:
    """By how much both pictures are downsampled."""
    return options.scale or max(1, int(min(planes.height, planes.width) / 256 + 0.5))


def _extract(ref: Planes, dis: Planes, options: SsimOptions) -> Series:
    parts = ("all", "l", "c", "s") if options.enable_lcs else ("all",)
    if has_codes(ref, dis):
        return in_float64(functools.partial(_of_codes, ref, options, parts), ref.y, dis.y)
    lacks = _by_frame(lacking, ref.y, dis.y, ref, options, parts)
    result = {"float_ssim": score_of(lacks["all"], ref, options)}
    for part in parts[1:]:
        result[f"float_ssim_{part}"] = 1.0 - lacks[part]
    return result


def _of_codes(
    form: Planes, options: SsimOptions, parts: tuple[str, ...], ref: Array, dis: Array
) -> Series:
    means = _by_frame(similar, ref, dis, form, options, parts)
    result = {"float_ssim": score_of_mean(means.pop("all"), form, options)}
    return result | {f"float_ssim_{part}": mean for part, mean in means.items()}


def _by_frame(
    compare: Callable[..., dict[str, Array]],
    ref: Array,
    dis: Array,
    form: Planes,
    options: SsimOptions,
    parts: tuple[str, ...],
) -> dict[str, Array]:
    """`lacking` or `similar` of each frame, downsampled as the options ask."""
    factor, depth = _factor(form, options), form.depth

    def frame(ref: Array, dis: Array) -> dict[str, Array]:
        if factor == 1:
            return compare(ref, dis, depth, parts)
        table = ((factor**-2.0,) * factor,) * factor
        ref, dis = (downsampled(x, table, factor, depth) for x in (ref, dis))
        return compare(ref, dis, 8, parts)  # the scale of floats from here on

    return map_frames(frame, ref, dis, recompute=True)


def _outputs(options: SsimOptions) -> tuple[Output, ...]:
    return outputs(_NAMES, options)


def _check(ref: Planes, options: SsimOptions) -> None:
    factor = _factor(ref, options)
    size = downsampled_size(ref.height, ref.width, factor)
    after = f" (after downsampling by {factor})" if factor > 1 else ""
    check_min_size(f"float_ssim{after}", *size, SIDE, SIDE)


FLOAT_SSIM = Feature(
    name="float_ssim",
    summary="structural similarity at one scale (SSIM), float arithmetic",
    options=SsimOptions,
    outputs=_outputs,
    extract=_extract,
    check=_check,
    loss=Loss(
        "ssim",
        "Similarity lost: 1 - SSIM, at libvmaf's automatic scale.",
        value="float_ssim",
        returns="0 for an equal pair, about 1 for unrelated structure, at most 2.",
        note="Frames with a shorter side of 384 or more are downsampled first, which hides fine "
        "detail: `scale=1` compares every sample.",
        check=check_no_decibels("ssim"),
    ),
    libvmaf=True,
)


@documented(FLOAT_SSIM)
def ssim(
    ref: VideoLike, dis: VideoLike, *, bit_depth: int | None = None, **options: Any
) -> dict[str, Array]:
    """Structural similarity at one scale (SSIM), `float_ssim` of libvmaf.

    Models how alike local brightness, contrast and pattern of both pictures are, in a window of
    11x11 samples after downsampling to a shorter side near 256.

    {args}

    Returns:
        `{"float_ssim"}`, `(frames,)`: 1 for identical pictures, about 0 for unrelated ones, at
        least -1; higher is better. With `enable_lcs` also the means of luminance, contrast and
        structure, `"float_ssim_l"`, `"float_ssim_c"`, `"float_ssim_s"`.

    Raises:
        ValueError: bad options, shapes or sizes. TypeError: bad dtypes.

    Source: libvmaf f85a853, `float_ssim.c`. Of codes it has the tool's float32 numbers, of float
    frames it matches within 1e-6 in every output.

    Example:
        >>> import numpy as np, jaxvqa
        >>> ref = np.random.default_rng(0).integers(0, 256, (1, 64, 64), np.uint8)
        >>> found = jaxvqa.features.ssim(ref, ref // 2)
        >>> round(float(found["float_ssim"][0]), 2)
        0.64
    """
    return run(FLOAT_SSIM, ref, dis, bit_depth, options)
