"""MS-SSIM: structural similarity at five scales.

Source: libvmaf f85a853, `float_ms_ssim.c`, `ms_ssim.c`; after Wang, Simoncelli and Bovik,
"Multiscale structural similarity for image quality assessment", Asilomar 2003.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

import jax.numpy as jnp

from jaxvqa._checks import check_min_size
from jaxvqa._ops import safe
from jaxvqa._ops.double import in_float64
from jaxvqa._ops.tiling import map_frames
from jaxvqa._planes import Planes, VideoLike
from jaxvqa._typing import Array, Float, Num
from jaxvqa.features._feature import Feature, Loss, Output, Series
from jaxvqa.features._run import documented, run
from jaxvqa.features._ssim.codes import similar
from jaxvqa.features._ssim.downsampling import downsampled
from jaxvqa.features._ssim.options import (
    MsSsimOptions,
    check_no_decibels,
    has_codes,
    outputs,
    score_of,
    score_of_mean,
)
from jaxvqa.features._ssim.similarity import LIKE, SIDE, lacking

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


def _extract(ref: Planes, dis: Planes, options: MsSsimOptions) -> Series:
    if has_codes(ref, dis):
        return in_float64(functools.partial(_of_codes, ref, options), ref.y, dis.y)
    scales = _by_frame(lacking, ref.y, dis.y, ref.depth, options)
    log = jnp.zeros_like(scales[0]["c"])
    positive = jnp.ones_like(log, dtype=bool)
    for scale, part, exponent in _powers():
        lack = scales[scale][part]
        if part == "l":
            log = log + exponent * _log_of_luminance(lack, scales[scale].pop(LIKE))
            continue
        some = lack < 1
        positive &= some
        log = log + exponent * jnp.log1p(-jnp.where(some, lack, 0.0))
    # a negative mean has no power: the tool prints NaN, here the score is 0
    lack = jnp.where(positive, -jnp.expm1(log), 1.0)
    means = [{part: 1.0 - lack for part, lack in lacks.items()} for lacks in scales]
    return {"float_ms_ssim": score_of(lack, ref, options)} | _parts(means)


def _log_of_luminance(lack: Array, mean: Array) -> Array:
    """From whichever of both is known to more digits."""
    high = lack < 0.5
    return jnp.where(
        high,
        jnp.log1p(-jnp.where(high, lack, 0.0)),
        jnp.log(jnp.where(high, 1.0, mean)),
    )


def _of_codes(form: Planes, options: MsSsimOptions, ref: Array, dis: Array) -> Series:
    scales = _by_frame(similar, ref, dis, form.depth, options)
    score = jnp.ones_like(scales[0]["c"])
    for scale, part, exponent in _powers():
        score = score * safe.power(scales[scale][part], exponent)
    return {"float_ms_ssim": score_of_mean(score, form, options)} | _parts(scales)


def _powers() -> Iterator[tuple[int, str, float]]:
    """Scale, part and exponent of each factor of the score."""
    for scale, exponent in enumerate(_EXPONENTS):
        for part in ("l", "c", "s") if scale == SCALES - 1 else ("c", "s"):
            yield scale, part, exponent


def _parts(scales: list[dict[str, Array]]) -> Series:
    return {
        f"float_ms_ssim_{part}_scale{scale}": mean
        for scale, means in enumerate(scales)
        for part, mean in means.items()
    }


def _by_frame(
    compare: Callable[..., dict[str, Array]],
    ref: Num[Array, "frames h w"],
    dis: Num[Array, "frames h w"],
    bit_depth: int,
    options: MsSsimOptions,
) -> list[dict[str, Float[Array, " frames"]]]:
    """`lacking` or `similar` of each frame at every scale."""

    def frame(ref: Array, dis: Array) -> list[dict[str, Array]]:
        found, depth = [], bit_depth
        for scale in range(SCALES):
            if scale:
                ref, dis = (downsampled(x, _LOW_PASS, 2, depth) for x in (ref, dis))
                depth = 8  # the scale of floats from here on
            last = scale == SCALES - 1
            parts = ("l", "c", "s") if options.enable_lcs or last else ("c", "s")
            if last and compare is lacking:
                parts = (*parts, LIKE)
            found.append(compare(ref, dis, depth, parts))
        return found

    return map_frames(frame, ref, dis, recompute=True)


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

    Source: libvmaf f85a853, `float_ms_ssim.c`. Of codes it has the tool's float32 numbers, of float
    frames it matches within 1e-6 in every output; where the
    mean structure of a scale is negative the tool prints NaN, this returns 0.

    Example:
        >>> import numpy as np, jaxvqa
        >>> ref = np.random.default_rng(0).integers(0, 256, (1, 176, 176), np.uint8)
        >>> found = jaxvqa.features.ms_ssim(ref, ref // 2)
        >>> round(float(found["float_ms_ssim"][0]), 2)
        0.82
    """
    return run(FLOAT_MS_SSIM, ref, dis, bit_depth, options)
