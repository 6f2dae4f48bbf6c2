"""The record of CAMBI, its public function, and its heat maps."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from jaxvqa._ops.tiling import map_frames
from jaxvqa._planes import Planes, VideoLike, as_planes
from jaxvqa._typing import Array
from jaxvqa.features._cambi.counts import response
from jaxvqa.features._cambi.gradient import banding
from jaxvqa.features._cambi.options import CambiOptions
from jaxvqa.features._cambi.score import codes_sheet, frame_score, largest_response
from jaxvqa.features._cambi.sheet import cut_out
from jaxvqa.features._cambi.tables import contrasts, geometries
from jaxvqa.features._feature import (
    MEASURED,
    OF_REFERENCE,
    Feature,
    Loss,
    Output,
    Series,
)
from jaxvqa.features._run import check_feature, documented, run


def _extract(ref: Planes, dis: Planes, options: CambiOptions) -> Series:
    encoded, source = geometries(dis.height, dis.width, options)
    top = options.max_val

    def frame(dis_y: Array, *ref_y: Array) -> dict[str, Array]:
        score = frame_score(dis_y, dis.depth, encoded, options)
        before = [frame_score(y, ref.depth, source, options) for y in ref_y]
        with jax.enable_x64(True):
            found = {"cambi": score}
            for other in before:
                found["cambi_source"] = other
                found["cambi_full_reference"] = jnp.maximum(score - other, 0)
            return {k: jnp.minimum(v, top).astype(jnp.float32) for k, v in found.items()}

    return map_frames(frame, dis.y, *([ref.y] if options.full_ref else []))


def _surrogate(ref: Planes, dis: Planes, options: CambiOptions) -> Series:
    """Float frames: exact on rounded codes, with the slope of soft counts."""
    encoded, source = geometries(dis.height, dis.width, options)
    series = {"cambi": banding(dis.y, dis.depth, options, encoded)}
    if options.full_ref:
        series["cambi_source"] = banding(ref.y, ref.depth, options, source)
        added = series["cambi"] - series["cambi_source"]
        series["cambi_full_reference"] = jnp.maximum(added, jnp.zeros_like(added))
    return series


def _outputs(options: CambiOptions) -> tuple[Output, ...]:
    # an undistorted picture has the reference's own banding
    alone = (Output("cambi", "lower", MEASURED, "Cambi_feature_cambi_score"),)
    if not options.full_ref:
        return alone
    return (
        *alone,
        Output("cambi_source", "lower", OF_REFERENCE, "cambi_source", for_models=False),
        Output("cambi_full_reference", "lower", MEASURED, "cambi_full_reference", for_models=False),
    )


def _check(ref: Planes, options: CambiOptions) -> None:
    geometries(ref.height, ref.width, options)


def _check_loss(options: CambiOptions) -> None:
    if options.full_ref or options.src_width or options.src_height:
        raise ValueError(
            "losses.cambi examines both sides alike: leave full_ref, src_width and src_height out."
        )


CAMBI = Feature(
    name="cambi",
    summary="banding of the distorted video (false contours in smooth areas)",
    options=CambiOptions,
    outputs=_outputs,
    extract=_extract,
    check=_check,
    integer=True,
    differentiable=False,
    surrogate=_surrogate,
    loss=Loss(
        "cambi",
        "Banding added: CAMBI of `dis` minus CAMBI of `ref`.",
        value="cambi",
        returns="0 for an equal pair, above 5 for added banding that annoys, below 0 for less "
        "banding than the reference has. Other errors don't count: add another loss.",
        note="Both values are exact on codes rounded and clipped to the bit depth. The gradient is "
        "that of soft counts at these codes, through the rounding as if it were not there.",
        check=_check_loss,
    ),
    libvmaf=True,
)


@documented(CAMBI)
def cambi(
    ref: VideoLike, dis: VideoLike, *, bit_depth: int | None = None, **options: Any
) -> dict[str, Array]:
    """Banding, `cambi` of libvmaf.

    Models how visible false contours are: in flat areas it counts, at five scales, how many pixels
    of slightly different codes share a window, weighted by the visibility of the step. Samples of
    `ref` are read with `full_ref` only.

    {args}

    Returns:
        `{"cambi"}`, `(frames,)`, 0 without banding up to `max_val`; about 5 is where banding
        starts to annoy; lower is better. With `full_ref` also `"cambi_source"`, the same of the
        reference, and `"cambi_full_reference"`, the increase over it.

    Raises:
        ValueError: bad options or sizes. TypeError: samples that are not uint8 or uint16.

    Source: libvmaf f85a853, `cambi.c`. Matches it to float32 rounding.

    Example:
        >>> import numpy as np, jaxvqa
        >>> smooth = np.tile(np.linspace(60, 80, 256), (1, 256, 1)).astype(np.uint8)  # 21 bands
        >>> found = jaxvqa.features.cambi(smooth, smooth)
        >>> round(float(found["cambi"][0]), 1)
        18.0
    """
    return run(CAMBI, ref, dis, bit_depth, options)


def cambi_heatmaps(
    video: VideoLike, *, bit_depth: int | None = None, coded: bool = False, **options: Any
) -> tuple[Array, ...]:
    """Where `cambi` sees banding: the response of every pixel at the five scales.

    Args:
        video: one video, as `dis` of `cambi`.
        bit_depth: bits per sample; needed unless the samples are uint8 or a `Planes`.
        coded: return what libvmaf writes to its heat map files.
        **options: options of `cambi`, under either of their names.

    Returns:
        Five arrays `(frames, height, width)`, finest scale first, each half as large as the one
        before. float32 responses, 0 to `weight * window^2 / 4` with the largest contrast weight;
        with `coded` these mapped to 0..65535 as uint16.

    Raises:
        ValueError: bad options or sizes. TypeError: samples that are not uint8 or uint16.

    Source: libvmaf f85a853, `cambi.c`.

    Example:
        >>> import numpy as np, jaxvqa
        >>> smooth = np.tile(np.linspace(60, 80, 256), (1, 256, 1)).astype(np.uint8)  # 21 bands
        >>> [x.shape for x in jaxvqa.features.cambi_heatmaps(smooth)][:2]
        [(1, 256, 256), (1, 128, 128)]
    """
    planes = as_planes("video", video, bit_depth)
    settings = CAMBI.resolve(options)
    check_feature(CAMBI, planes, settings)
    geometry, _ = geometries(planes.height, planes.width, settings)
    scale = 65535.0 / largest_response(geometry, settings)
    half = geometry.window // 2

    def frame(y: Array) -> tuple[Array, ...]:
        codes = codes_sheet(y, planes.depth, geometry, settings)
        sheet = response(codes, half, contrasts(settings))
        found = cut_out(sheet, geometry.sizes(), half)
        if coded:
            found = [(x * scale).astype(jnp.uint16) for x in found]
        return tuple(found)

    return map_frames(frame, jnp.asarray(planes.y))
