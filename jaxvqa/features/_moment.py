"""Moments of luma: mean and mean square of both pictures.

Source: libvmaf f85a853, `float_moment.c`, `moment.c`.
"""

from __future__ import annotations

from typing import Any

from jaxvqa._planes import Planes, VideoLike, to_float
from jaxvqa._typing import Array, Float
from jaxvqa.features._feature import MEASURED, OF_REFERENCE, Feature, Output, Series
from jaxvqa.features._options import Options
from jaxvqa.features._run import documented, run


def _mean(x: Float[Array, "frames h w"]) -> Float[Array, " frames"]:
    """Mean of every frame; rows first, which keeps float32 sums accurate."""
    return x.mean(-1).mean(-1)


def _extract(ref: Planes, dis: Planes, options: Options) -> Series:
    series = {}
    for side, planes in (("ref", ref), ("dis", dis)):
        x = to_float(planes.y, planes.depth)
        series[f"float_moment_{side}1st"] = _mean(x)
        series[f"float_moment_{side}2nd"] = _mean(x * x)
    return series


def _outputs(options: Options) -> tuple[Output, ...]:
    names = [
        (f"float_moment_{side}{order}", side) for order in ("1st", "2nd") for side in ("ref", "dis")
    ]
    return tuple(
        Output(name, "neither", OF_REFERENCE if side == "ref" else MEASURED, name)
        for name, side in names
    )


FLOAT_MOMENT = Feature(
    name="float_moment",
    summary="mean and mean square of luma, of both pictures",
    extract=_extract,
    outputs=_outputs,
    libvmaf=True,
)


@documented(FLOAT_MOMENT)
def moment(
    ref: VideoLike, dis: VideoLike, *, bit_depth: int | None = None, **options: Any
) -> dict[str, Array]:
    """First and second moment of luma, `float_moment` of libvmaf.

    Models nothing: it describes how bright both pictures are, and how much that varies.

    {args}

    Returns:
        `{"float_moment_ref1st", "float_moment_dis1st", "float_moment_ref2nd",
        "float_moment_dis2nd"}`, each `(frames,)`: means of the samples (0 to 255 at every bit
        depth) and of their squares.

    Raises:
        ValueError: bad options or shapes. TypeError: bad dtypes.

    Source: libvmaf f85a853, `float_moment.c`. Matches it within a relative 1e-6.

    Example:
        >>> import numpy as np, jaxvqa
        >>> ref = np.full((1, 16, 16), 3, np.uint8)
        >>> found = jaxvqa.features.moment(ref, 2 * ref)
        >>> [float(found[f"float_moment_dis{n}"][0]) for n in ("1st", "2nd")]
        [6.0, 36.0]
    """
    return run(FLOAT_MOMENT, ref, dis, bit_depth, options)
