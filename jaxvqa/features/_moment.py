"""Moments of luma: mean and mean square of both pictures.

Source: libvmaf f85a853, `float_moment.c`, `moment.c`.
"""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np

from jaxvqa._ops.double import in_float64
from jaxvqa._planes import Planes, VideoLike, to_float
from jaxvqa._typing import Array, Num
from jaxvqa.features._feature import (
    MEASURED,
    OF_REFERENCE,
    Feature,
    Output,
    Series,
    series_namespace,
)
from jaxvqa.features._options import Options
from jaxvqa.features._run import documented, run

_REST = "_rest"


def _means(codes: Num[Array, "frames h w"], depth: int) -> dict[str, Array]:
    """Mean and mean square of every frame, each with the rest that float32 leaves out of it.

    On the scale of 8 bits. Of whole codes the sums are in float64; floats keep their precision and
    have no rest.
    """
    if jnp.issubdtype(codes.dtype, jnp.floating):
        x = to_float(codes, depth)
        # rows first, which keeps float32 sums accurate
        return {"1st": x.mean(-1).mean(-1), "2nd": (x * x).mean(-1).mean(-1)}

    def wide(codes: Array) -> dict[str, Array]:
        x, found = codes.astype(jnp.float64) / (1 << (depth - 8)), {}
        for order, terms in (("1st", x), ("2nd", x * x)):
            mean = terms.mean(-2).mean(-1)
            found[order] = mean.astype(jnp.float32).astype(jnp.float64)
            found[order + _REST] = mean - found[order]
        return found

    return in_float64(wide, codes)


def _extract(ref: Planes, dis: Planes, options: Options) -> Series:
    series = {}
    for side, planes in (("ref", ref), ("dis", dis)):
        means = _means(planes.y, planes.depth)
        series |= {f"float_moment_{side}{order}": x for order, x in means.items()}
    return series


def _finish(series: Series, options: Options) -> Series:
    """Means with their rests: float64 for scored clips, float32 where JAX has no more."""
    xp, found = series_namespace(series), {}
    for name, mean in series.items():
        if name.endswith(_REST):
            continue
        rest = series.get(name + _REST)
        wide = mean if xp is jnp or rest is None else np.asarray(mean, np.float64)
        found[name] = wide if rest is None else wide + rest
    return found


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
    finish=_finish,
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
