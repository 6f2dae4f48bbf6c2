"""XPSNR: PSNR whose errors weigh less where the picture is busy or moves, FFmpeg's `xpsnr`.

Source: Helmrich et al., "XPSNR: a low-complexity extension of the perceptually weighted peak
signal-to-noise ratio for high-resolution video quality assessment", ICASSP 2020; values as FFmpeg's
filter `xpsnr` has them.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxvqa._checks import check_min_size
from jaxvqa._notice import Notice
from jaxvqa._ops.double import in_float64
from jaxvqa._ops.stages import cpu_stage
from jaxvqa._ops.tiling import map_frames
from jaxvqa._planes import Planes, VideoLike
from jaxvqa._typing import Array, Float
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

# shares of the planes in the loss, as encoders weigh them
WEIGHTS = {"y": 0.75, "u": 0.125, "v": 0.125}
# from this whole frame rate on motion is a second difference
_FAST = 32
# FFmpeg's frame rate of what has none
_USUAL = 25.0
_UHD = 3840 * 2160
# larger pictures are measured at half resolution, smaller ones have their weights smoothed
_HALVED_ABOVE, _SMOOTHED_TO = 2048 * 1152, 640 * 480
_MOTION = 2.0
_DEEPEST = 12

# high-pass filters, {(row, column): weight}
_FINE = {(y, x): -1 if y and x else -2 for y in (-1, 0, 1) for x in (-1, 0, 1)} | {(0, 0): 12}


def _coarse() -> dict[tuple[int, int], int]:
    """The filter of large pictures: around 2x2 samples, which begin at (0, 0)."""
    by_ring = {(0, 0): 12, (0, 1): -3, (1, 0): -3, (1, 1): -2, (0, 2): -1, (1, 2): -1}
    by_ring |= {(2, 0): -1, (2, 1): -1}
    distance = {k: max(-k, k - 1) for k in range(-2, 4)}
    taps = itertools.product(distance, distance)
    found = {(y, x): by_ring.get((distance[y], distance[x]), 0) for y, x in taps}
    return {tap: weight for tap, weight in found.items() if weight}


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


@dataclass(frozen=True)
class _Grid:
    """Blocks of a picture: all that its size decides."""

    height: int
    width: int

    @property
    def ratio(self) -> float:
        """Size relative to UHD."""
        return self.height * self.width / _UHD

    @property
    def block(self) -> int:
        """Side of a block; 0 for pictures that are too small to be weighed."""
        return 4 * int(32 * math.sqrt(self.ratio) + 0.5)

    @property
    def step(self) -> int:
        """2 where activity is measured on 2x2 samples; also the border that has none."""
        return 2 if self.height * self.width > _HALVED_ABOVE else 1

    def extents(self, size: int) -> tuple[np.ndarray, np.ndarray]:
        """Samples of each block along an axis, and those where activity is measured."""
        begin = np.arange(0, size, self.block)
        whole = np.minimum(begin + self.block, size) - begin
        active = whole - self.step * (begin == 0) - self.step * (begin + whole >= size)
        return whole, active


def _block_sums(terms: Array, down: int, across: int) -> Float[Array, "down across"]:
    """Sums over blocks of a picture, rows first."""
    height, width = terms.shape
    rows, columns = -(-height // down), -(-width // across)
    padded = jnp.pad(terms, ((0, rows * down - height), (0, columns * across - width)))
    sums = padded.reshape(rows, down, columns * across).sum(1)
    return sums.reshape(rows, columns, across).sum(-1)


def _floats(codes: Array) -> Array:
    return codes if codes.dtype == np.float64 else codes.astype(jnp.float32)


def _columns(luma: Array, *, step: int) -> list[Array]:
    """Even and odd columns by themselves, so that a filter of every other sample reads in order."""
    return [luma[:, k::step] for k in range(step)]


def _high_pass(*columns: Array, width: int) -> Array:
    """Absolute response of the filter, 0 along the border; one value for each 2x2 samples if 2."""
    step, height = len(columns), columns[0].shape[0]
    total: Any = 0.0
    for (y, x), weight in (_FINE if step == 1 else _coarse()).items():
        begin, count = (step + x) // step, len(range(step + x, width - step + x, step))
        rows = slice(step + y, height - step + y, step)
        found = columns[x % step][rows, begin : begin + count]
        total = total + float(weight) * _floats(found)
    return jnp.pad(jnp.abs(total), 1)


def _halved(*columns: Array) -> Array:
    """Sums of 2x2 samples; the last of an odd number are left out."""
    rows, width = columns[0].shape[0] // 2 * 2, columns[1].shape[1]
    pairs = _floats(columns[0][:rows, :width]) + _floats(columns[1][:rows])
    return pairs[::2] + pairs[1::2]


def _motion_sums(*frames: Array, size: int) -> dict[str, Array]:
    """How much each block moves, for each place in a clip; the latest frame comes first."""
    now, *earlier = (_floats(x) for x in frames)
    motions = {"": now - earlier[0], "_first": now}
    if len(earlier) == 2:
        motions = {"": now - 2 * earlier[0] + earlier[1], "_second": now - 2 * earlier[0]}
        motions["_first"] = now
    return {name: _block_sums(jnp.abs(x), size, size) for name, x in motions.items()}


def _square_sums(ref: Array, dis: Array, *, down: int, across: int) -> Array:
    return _block_sums((_floats(ref) - _floats(dis)) ** 2, down, across)


def _activity(frames: Array, grid: _Grid) -> dict[str, Array]:
    """Sums over blocks of the high-passed picture, and of its motion for each place in a clip.

    FFmpeg takes what is before the first frame as black, so the first frames seem to move much.

    Args:
        frames: luma of the reference; the last is the frame to weigh, those before it are one or,
            where motion is a second difference, two.
        grid: blocks of the picture.
    """
    size, step = grid.block // grid.step, grid.step
    # units of their own on CPUs: a filter fused with its sum runs one sample at a time there
    latest_first = [cpu_stage(_columns, frame, step=step) for frame in frames[::-1]]
    filtered = cpu_stage(_high_pass, *latest_first[0], width=grid.width)
    samples = [
        columns[0] if step == 1 else cpu_stage(_halved, *columns) for columns in latest_first
    ]
    motions = cpu_stage(_motion_sums, *samples, size=size)
    return {"spatial": _block_sums(filtered, size, size), **motions}


def _weights(activity: dict[str, Array], grid: _Grid, bit_depth: int) -> dict[str, Array]:
    """What an error in each block weighs, for each place in a clip."""
    down, active_down = grid.extents(grid.height)
    across, active_across = grid.extents(grid.width)
    spatial, *motions = activity.values()
    if grid.step == 2:  # the filter leaves narrow blocks out
        spatial = spatial * (active_across > 12).astype(spatial.dtype)[None]
    active = active_down[:, None] * active_across[None]
    spatial = spatial * (1.0 / np.maximum(active, 1)).astype(spatial.dtype)
    area = (_MOTION / (down[:, None] * across[None])).astype(spatial.dtype)
    least = float(1 << (bit_depth - 6))
    mean = math.sqrt(16.0 * (1 << (2 * bit_depth - 9)) / math.sqrt(max(1e-5, grid.ratio)))
    # blocks without a sample that has all its neighbours weigh 1
    whole = (active_down[:, None] > 0) & (active_across[None] > 0)
    found = {}
    for place, motion in zip(list(activity)[1:], motions, strict=True):
        weights = jnp.where(whole, 1.0 / jnp.maximum(spatial + motion * area, least), 1.0)
        if grid.height * grid.width <= _SMOOTHED_TO:
            weights = _smoothed(weights)
        found[place] = mean * weights
    return found


def _smoothed(weights: Float[Array, "down across"]) -> Float[Array, "down across"]:
    """No block weighs more than all its neighbours: those left and above as smoothed before."""
    down, across = weights.shape
    flat = weights.reshape(-1)
    column, count = np.arange(down * across) % across, down * across

    def one(before: Array, given: Any) -> tuple[Array, Array]:
        weight, right, has_left, has_right, has_top, is_left_out = given
        most = jnp.maximum(jnp.where(has_left, before[-1], 0.0), jnp.where(has_right, right, 0.0))
        most = jnp.maximum(most, jnp.where(has_top, before[0], 0.0))
        new = jnp.where(is_left_out, weight, jnp.minimum(weight, most))
        return jnp.concatenate([before[1:], new[None]]), new

    index = np.arange(count)
    flags = (column > 0, column < across - 1, index >= across, (index == count - 1) & (down == 1))
    given = (flat, jnp.concatenate([flat[1:], flat[:1]]), *flags)
    return jax.lax.scan(one, jnp.zeros(across, flat.dtype), given)[1].reshape(down, across)


def _frame(*stacks: Array, grid: _Grid, bit_depth: int) -> dict[str, Array]:
    """Weighted squared errors of a frame: `{plane + place in the clip: scalar}`.

    Relative to the peak and the number of samples, as the mean square of PSNR is.
    """
    ref, dis = stacks[: len(stacks) // 2], stacks[len(stacks) // 2 :]
    activity = _activity(ref[0], grid) if grid.block else {}
    squares, units = {}, {}
    for name, r, d in zip("yuv", ref, dis, strict=False):
        height, width = r.shape[1:]
        # a picture without blocks is one block
        down = grid.block * height // grid.height or height
        across = grid.block * width // grid.width or width
        squares[name] = cpu_stage(_square_sums, r[-1], d[-1], down=down, across=across)
        units[name] = 1.0 / (height * width * ((1 << bit_depth) - 1) ** 2)
    codes = all(jnp.issubdtype(x.dtype, jnp.unsignedinteger) for x in stacks)
    names = tuple(activity)

    def weighted(*sums: Array) -> dict[str, Array]:
        sums = tuple(x.astype(jnp.float64) for x in sums)
        by_place: dict[str, Any] = {"": 1.0}
        if names:
            found = dict(zip(names, sums[: len(names)], strict=True))
            by_place = _weights(found, grid, bit_depth)
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
    frame = functools.partial(_frame, grid=_Grid(ref.height, ref.width), bit_depth=ref.depth)
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
    if ref.depth > _DEEPEST:
        raise ValueError(
            f"xpsnr takes at most {_DEEPEST} bits per sample, got {ref.depth}: convert both videos "
            "first."
        )
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
