"""Moments of luma: mean and mean square of both pictures.

Source: libvmaf f85a853, `float_moment.c`, `moment.c`.
"""

from __future__ import annotations

import functools
from typing import Any

import jax.numpy as jnp

from jaxvqa._ops.double import in_float64
from jaxvqa._ops.fixed import column_squares, squares_total
from jaxvqa._ops.platforms import choose
from jaxvqa._ops.tiling import map_frames
from jaxvqa._planes import Planes, VideoLike, to_float
from jaxvqa._typing import Array, Num
from jaxvqa.features._feature import MEASURED, OF_REFERENCE, Feature, Output, Series
from jaxvqa.features._options import Options
from jaxvqa.features._run import documented, run
from jaxvqa.features._wide import in_parts, joined


def _means(codes: Num[Array, "frames h w"], depth: int, side: str) -> Series:
    """Mean and mean square of every frame, on the scale of 8 bits.

    Of whole codes the sums are exact, and the means leave in parts; floats keep their precision.
    """
    first, second = f"float_moment_{side}1st", f"float_moment_{side}2nd"
    if jnp.issubdtype(codes.dtype, jnp.floating):
        x = to_float(codes, depth)
        # rows first, which keeps float32 sums accurate
        return {first: x.mean(-1).mean(-1), second: (x * x).mean(-1).mean(-1)}

    def sums(codes: Array) -> tuple[Array, ...]:
        x = codes.astype(jnp.uint32)
        return x.sum(-2, dtype=jnp.uint32), *column_squares(x, (1 << depth) - 1)

    size, scale = codes.shape[-2] * codes.shape[-1], 1 << (depth - 8)

    def wide(total: Array, *squares: Array) -> Series:
        mean = total.astype(jnp.float64).sum(-1) / (size * scale)
        return in_parts(first, mean) | in_parts(second, squares_total(*squares) / (size * scale**2))

    found = choose(codes, cpu=functools.partial(map_frames, sums), default=sums)
    return in_float64(wide, *found)


def _extract(ref: Planes, dis: Planes, options: Options) -> Series:
    return _means(ref.y, ref.depth, "ref") | _means(dis.y, dis.depth, "dis")


def _outputs(options: Options) -> tuple[Output, ...]:
    names = [
        (f"float_moment_{side}{order}", side) for order in ("1st", "2nd") for side in ("ref", "dis")
    ]
    return tuple(
        Output(name, "neither", OF_REFERENCE if side == "ref" else MEASURED, name, for_models=False)
        for name, side in names
    )


FLOAT_MOMENT = Feature(
    name="float_moment",
    summary="mean and mean square of luma, of both pictures",
    extract=_extract,
    outputs=_outputs,
    finish=lambda series, options: joined(series),
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

    Source: libvmaf f85a853, `float_moment.c`. Matches it within a relative 1e-6, and to all of
    its digits where clips are scored.

    Example:
        >>> import numpy as np, jaxvqa
        >>> ref = np.full((1, 16, 16), 3, np.uint8)
        >>> found = jaxvqa.features.moment(ref, 2 * ref)
        >>> [float(found[f"float_moment_dis{n}"][0]) for n in ("1st", "2nd")]
        [6.0, 36.0]
    """
    return run(FLOAT_MOMENT, ref, dis, bit_depth, options)
