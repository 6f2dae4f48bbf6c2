"""XPSNR: PSNR whose errors weigh less where the picture is busy or moves, FFmpeg's `xpsnr`.

Source: Helmrich et al., "XPSNR: a low-complexity extension of the perceptually weighted peak
signal-to-noise ratio for high-resolution video quality assessment", ICASSP 2020; values as FFmpeg's
filter `xpsnr` has them.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np

from jaxvqa._checks import check_max_depth, check_min_size
from jaxvqa._notice import Notice
from jaxvqa._ops.double import in_float64
from jaxvqa._ops.stages import cpu_stage
from jaxvqa._ops.tiling import map_frames
from jaxvqa._planes import Planes, VideoLike
from jaxvqa._typing import Array
from jaxvqa.features._feature import (
    CHROMA,
    LUMA,
    Feature,
    Loss,
    Measurement,
    Output,
    Series,
    series_namespace,
)
from jaxvqa.features._options import Options, option
from jaxvqa.features._run import documented, run
from jaxvqa.features._xpsnr.blocks import Grid, activity_sums, block_weights, square_sums

# shares of the planes in the loss, as encoders weigh them
WEIGHTS = {"y": 0.75, "u": 0.125, "v": 0.125}
# from this whole frame rate on motion is a second difference
_FAST = 32
# FFmpeg's frame rate of what has none
_USUAL = 25.0
_DEEPEST = 12


@dataclass(frozen=True)
class XpsnrOptions(Options):
    """Options of XPSNR."""

    frame_rate: float = option(
        0.0,
        "frames per second, from 32 on motion is a second difference; 0: the video's, or 25",
        0.0,
        1000.0,
        filled_by="frame_rate",
    )
    enable_chroma: bool = option(True, "also the chroma planes")


def _frame(*stacks: Array, grid: Grid, bit_depth: int) -> dict[str, Array]:
    """Weighted squared errors of a frame: `{plane + place in the clip: scalar}`.

    Relative to the peak and the number of samples, as the mean square of PSNR is.
    """
    ref, dis = stacks[: len(stacks) // 2], stacks[len(stacks) // 2 :]
    peak = (1 << bit_depth) - 1
    activity = activity_sums(ref[0], grid, peak) if grid.block else {}
    squares, units = {}, {}
    for name, r, d in zip("yuv", ref, dis, strict=False):
        height, width = r.shape[1:]
        # a picture without blocks is one block
        down = grid.block * height // grid.height or height
        across = grid.block * width // grid.width or width
        squares[name] = cpu_stage(square_sums, r[-1], d[-1], down=down, across=across, peak=peak)
        units[name] = 1.0 / (height * width * peak**2)
    codes = all(jnp.issubdtype(x.dtype, jnp.unsignedinteger) for x in stacks)
    names = tuple(activity)

    def weighted(*sums: Array) -> dict[str, Array]:
        sums = tuple(x.astype(jnp.float64) for x in sums)
        by_place: dict[str, Any] = {"": 1.0}
        if names:
            found = dict(zip(names, sums[: len(names)], strict=True))
            by_place = block_weights(found, grid, bit_depth)
        errors = {}
        for name, square in zip(units, sums[len(names) :], strict=True):
            errors[f"{name}_least"] = jnp.full((), units[name], square.dtype)
            for place, weights in by_place.items():
                total = (square * weights).sum(-1).sum(-1)
                # of whole codes FFmpeg keeps a whole number; floats stay smooth
                errors[name + place] = (jnp.rint(total) if codes else total) * units[name]
        return errors

    # where errors are few, one more or less in the whole number shows in the fifth digit
    return in_float64(weighted, *activity.values(), *squares.values())


def _before(options: XpsnrOptions) -> int:
    """Earlier frames that motion looks at."""
    return 2 if int(options.frame_rate or _USUAL) >= _FAST else 1


def _extract(ref: Planes, dis: Planes, options: XpsnrOptions) -> Series:
    stacks = [(x.y, x.u, x.v) if options.enable_chroma else (x.y,) for x in (ref, dis)]
    frame = functools.partial(_frame, grid=Grid(ref.height, ref.width), bit_depth=ref.depth)
    planes = [plane for side in stacks for plane in side]
    return map_frames(frame, *planes, window=_before(options) + 1, recompute=True)


def _finish(series: Series, options: XpsnrOptions) -> Series:
    """Takes the values of the first frames as such, and decibels of them all."""
    xp = series_namespace(series)
    found: Series = {}
    for name in _planes(options):
        error = series[name]
        places = xp.arange(error.shape[0])
        for place, which in (("_first", 0), ("_second", 1)):
            error = xp.where(places == which, series.get(name + place, error), error)
        # FFmpeg's sum is a whole number: less than 1 counts as 1, so equal frames are finite
        least = series[f"{name}_least"]
        score = (-10.0 / math.log(10.0)) * xp.log(xp.maximum(error, least))
        found |= {f"xpsnr_{name}": score, name: error}
    shares = {name: WEIGHTS[name] for name in _planes(options)}
    total = sum(share * found.pop(name) for name, share in shares.items())
    return found | {"weighted_error": total / sum(shares.values())}


def _planes(options: XpsnrOptions) -> str:
    return "yuv" if options.enable_chroma else "y"


def _aggregate(measured: Measurement[XpsnrOptions]) -> Mapping[str, float]:
    """FFmpeg's scores of a clip: of the squared mean of the frames' root errors."""
    found = {}
    for name in _planes(measured.options):
        roots = 10.0 ** (np.asarray(measured.series[f"xpsnr_{name}"], np.float64) / -20.0)
        found[f"xpsnr_{name}_average"] = float(-20.0 * np.log10(roots.mean()))
    return found


def _perfect(planes: Planes, name: str) -> float:
    plane = getattr(planes, name)
    return 10.0 * math.log10(plane.shape[-2] * plane.shape[-1] * planes.peak**2)


_PERFECT = {name: functools.partial(_perfect, name=name) for name in WEIGHTS}


def _outputs(options: XpsnrOptions) -> tuple[Output, ...]:
    return (
        *(
            Output(f"xpsnr_{name}", "higher", _PERFECT[name], f"xpsnr_{name}")
            for name in _planes(options)
        ),
        Output("weighted_error", "lower", 0.0, shown=False),
    )


def _notices(measured: Measurement[XpsnrOptions]) -> list[Notice]:
    """Says that the frame rate is not known, where that matters."""
    if measured.options.frame_rate or len(measured.series["weighted_error"]) < 2:
        return []
    text = (
        f"xpsnr took {_USUAL:g} frames per second, since the video does not say: write "
        f"xpsnr=frame_rate=60, for example, if it has {_FAST} or more."
    )
    return [Notice("frame-rate", text)]


def _check(ref: Planes, options: XpsnrOptions) -> None:
    check_max_depth("xpsnr", ref.depth, _DEEPEST)
    check_min_size("xpsnr", ref.height, ref.width, 8, 8)


XPSNR = Feature(
    name="xpsnr",
    summary="PSNR whose errors weigh less where the picture is busy or moves, by plane",
    options=XpsnrOptions,
    extract=_extract,
    outputs=_outputs,
    planes=lambda options: CHROMA if options.enable_chroma else LUMA,
    before=_before,
    finish=_finish,
    aggregate=_aggregate,
    check=_check,
    notices=_notices,
    loss=Loss(
        "xpsnr",
        "Mean squared error of XPSNR, relative to the peak: weighted by what hides errors.",
        value="weighted_error",
        returns="0 for an equal pair; of 3/4 luma and 1/8 of each chroma plane, or of luma alone "
        "with `enable_chroma=False`.",
    ),
)


@documented(XPSNR)
def xpsnr(
    ref: VideoLike, dis: VideoLike, *, bit_depth: int | None = None, **options: Any
) -> dict[str, Array]:
    """PSNR weighted by activity and motion of the reference, `xpsnr` of FFmpeg.

    Models that errors are seen less in textured and in moving blocks.

    {args}

    Returns:
        `{"xpsnr_y", "xpsnr_u", "xpsnr_v", "weighted_error"}`, each `(frames,)`: in dB, higher is
        better, `10 log10(samples * peak^2)` for equal planes; and the mean squared error behind
        them (3/4, 1/8 and 1/8), from 0. Only of luma without `enable_chroma`.

    Raises:
        ValueError: more than 12 bits, video without chroma, bad options or shapes. TypeError: bad
            dtypes.

    Source: Helmrich et al., ICASSP 2020, and FFmpeg 8.1. Matches the filter within 1e-4 dB; differs
    for equal planes, where the filter is infinite.

    Example:
        >>> import numpy as np, jaxvqa
        >>> y, c = np.full((1, 64, 64), 100, np.uint8), np.full((1, 32, 32), 128, np.uint8)
        >>> ref, dis = jaxvqa.Planes(y, c, c), jaxvqa.Planes(y + 2, c, c)
        >>> found = jaxvqa.features.xpsnr(ref, dis)
        >>> round(float(found["xpsnr_y"][0]), 2), round(float(found["xpsnr_u"][0]), 2)
        (40.3, 78.23)
    """
    return run(XPSNR, ref, dis, bit_depth, options)
