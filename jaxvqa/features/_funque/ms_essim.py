"""MS-ESSIM as a metric of its own: the structure term of Y-FUNQUE+ under a pooling of choice.

Source: FUNQUE+ (funque_plus 65d0b88); after Venkataramanan et al., "A Hitchhiker's Guide to
Structural Similarity", IEEE Access 9, 2021.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax

from jaxvqa._ops.tiling import map_frames
from jaxvqa._planes import Planes, VideoLike
from jaxvqa._typing import Array
from jaxvqa.features._feature import Feature, Loss, Output, Series
from jaxvqa.features._funque import atoms
from jaxvqa.features._funque.sets import HALF_SIZE
from jaxvqa.features._funque.transform import is_rounded, plane_pyramid
from jaxvqa.features._options import Options, option
from jaxvqa.features._run import documented, run


@dataclass(frozen=True)
class MsEssimOptions(Options):
    """Options of `ms_essim`."""

    pooling: str = option(
        "mean",
        "how quality maps are pooled: mean, or mink, which weights the worst samples more",
        choices=("mean", "mink"),
        alias="pool",
    )


def _extract(ref: Planes, dis: Planes, options: MsEssimOptions) -> Series:
    size, rounded = (ref.height, ref.width), is_rounded(ref)

    @jax.checkpoint
    def frame(*pair: Array) -> Array:
        pyramids = (
            plane_pyramid(x, "y", size, ref.depth, HALF_SIZE, rounded=rounded) for x in pair
        )
        return atoms.ms_essim(*pyramids, pooling=options.pooling)

    return {"ms_essim": map_frames(frame, ref.y, dis.y)}


MS_ESSIM = Feature(
    name="ms_essim",
    summary="multi-scale enhanced SSIM on a half-size Haar pyramid",
    options=MsEssimOptions,
    outputs=lambda options: (Output("ms_essim", "higher", 1.0),),
    extract=_extract,
    check=lambda ref, options: HALF_SIZE.check("ms_essim", ref.height, ref.width),
    loss=Loss(
        "ms_essim",
        "Structure lost: 1 - multi-scale enhanced SSIM.",
        value="ms_essim",
        returns="0 for an equal pair, about 1 for unrelated structure.",
        note="The cheapest and smoothest of the losses, on Y-FUNQUE+'s half-size Haar pyramid.",
    ),
)


@documented(MS_ESSIM)
def ms_essim(
    ref: VideoLike, dis: VideoLike, *, bit_depth: int | None = None, **options: Any
) -> dict[str, Array]:
    """Multi-scale enhanced SSIM on the half-size Haar pyramid of Y-FUNQUE+.

    Models the loss of local structure at two scales: SSIM whose windows are the blocks of a
    wavelet transform, weighted by contrast sensitivity.

    {args}

    Returns:
        `{"ms_essim"}`, `(frames,)`: 1 for identical pictures, about 0 for unrelated structure;
        higher is better.

    Raises:
        ValueError: bad options, or frames too small. TypeError: bad dtypes.

    Source: FUNQUE+ (funque_plus 65d0b88), whose own pooling, the coefficient of variation, is in
    `y_funque_plus`.

    Example:
        >>> import numpy as np, jaxvqa
        >>> ref = np.random.default_rng(0).integers(0, 256, (1, 64, 64), np.uint8)
        >>> found = jaxvqa.features.ms_essim(ref, ref // 2)
        >>> round(float(found["ms_essim"][0]), 2)
        0.91
    """
    return run(MS_ESSIM, ref, dis, bit_depth, options)
