"""PSNR-HVS-M: signal to noise ratio of what the eye sees of an error, libvmaf's `psnr_hvs`.

Source: libvmaf f85a853, `third_party/xiph/psnr_hvs.c`.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import jax.numpy as jnp
import numpy as np

from jaxvqa._checks import check_max_depth, check_min_size
from jaxvqa._ops import safe
from jaxvqa._ops.stages import cpu_stage
from jaxvqa._ops.tiling import map_frames
from jaxvqa._planes import Planes, VideoLike
from jaxvqa._typing import Array, Float, Integer
from jaxvqa.features._feature import (
    CHROMA,
    XLA_OLDER_EMITTERS,
    Feature,
    Loss,
    Output,
    Series,
)
from jaxvqa.features._options import Options
from jaxvqa.features._psnr_hvs import tables
from jaxvqa.features._psnr_hvs.dct import lifted
from jaxvqa.features._psnr_hvs.plain import MASKING, SIZE, STEP, counts, visible_error
from jaxvqa.features._run import documented, run

WEIGHTS = {"y": 0.8, "cb": 0.1, "cr": 0.1}
_DEEPEST = 12
# a smaller error counts as this one: equal frames have a finite score, that of libvmaf's PSNR at 25
# bits. One code in one 12-bit sample of an 8K frame makes 2e-15
_LEAST = 1e-16
_EQUAL = -10.0 * math.log10(_LEAST)
# n / (n - 1) of a quarter of a block over that of a whole block
_SMALL_SAMPLES = (16 / 15) / (64 / 63)

Grid = list[list[Any]]


def _samples(planes: Integer[Array, "tables frames h w"]) -> Grid:
    """64 arrays, each with one sample of every block: a block is worked on in one lane."""
    down, across = counts(*planes.shape[-2:])
    rows = [slice(i, i + STEP * (down - 1) + 1, STEP) for i in range(SIZE)]
    columns = [slice(j, j + STEP * (across - 1) + 1, STEP) for j in range(SIZE)]
    return [[planes[..., r, c].astype(jnp.int32) for c in columns] for r in rows]


def _transform(samples: Grid) -> Grid:
    """Coefficients by vertical and horizontal frequency: columns first, then rows."""
    columns = [lifted([row[j] for row in samples]) for j in range(SIZE)]
    return [lifted([column[k] for column in columns]) for k in range(SIZE)]


def _evenness(samples: Grid, middle: int) -> Array:
    """Variances of the four quarters over that of the block, from whole numbers below 2^31."""
    within, sums = [], []
    for i in (0, 4):
        for j in (0, 4):
            quarter = [x - middle for row in samples[i : i + 4] for x in row[j : j + 4]]
            total = functools.reduce(jnp.add, quarter)
            squares = functools.reduce(jnp.add, [x * x for x in quarter])
            within.append((16 * squares - total * total).astype(jnp.float32))
            sums.append(total.astype(jnp.float32))
    inside = functools.reduce(jnp.add, within)
    mean = functools.reduce(jnp.add, sums) * 0.25
    between = functools.reduce(jnp.add, [(s - mean) ** 2 for s in sums])
    return safe.divide(inside, inside + between) * _SMALL_SAMPLES


def _block_errors(
    ref: Integer[Array, "tables frames h w"],
    dis: Integer[Array, "tables frames h w"],
    *,
    names: tuple[str, ...],
    bit_depth: int,
) -> Float[Array, "tables frames down across"]:
    """Sum of squared visible errors of each block, one plane per table.

    One loop over blocks with all of a block's numbers at hand: nothing between is written.
    """
    sensitivity = np.stack([getattr(tables, name.upper()) for name in names])
    share = (MASKING * sensitivity) ** 2

    def by_table(values: np.ndarray, k: int, j: int) -> Any:
        factor = values[:, k, j].astype(np.float32)
        return factor.item() if len(factor) == 1 else factor[:, None, None, None]

    sides, limits = [], []
    for planes in (ref, dis):
        samples = _samples(planes)
        coefs = _transform(samples)
        energy: Any = 0.0
        for k, j in np.ndindex(SIZE, SIZE):
            if k or j:
                value = coefs[k][j].astype(jnp.float32)
                energy = energy + value * value * by_table(share, k, j)
        limits.append(_evenness(samples, 1 << (bit_depth - 1)) * energy)
        sides.append(coefs)
    limit = jnp.sqrt(jnp.maximum(*limits)) * (1 / 32)
    total: Any = 0.0
    for k, j in np.ndindex(SIZE, SIZE):
        error = jnp.abs(sides[0][k][j] - sides[1][k][j]).astype(jnp.float32)
        if k or j:
            error = jnp.maximum(error - limit * by_table(1 / share, k, j), 0.0)
        error = error * by_table(sensitivity, k, j)
        total = total + error * error
    return total


def _chroma_size(planes: Planes) -> tuple[int, int]:
    """Height and width of what is read of chroma; libvmaf rounds odd sizes down."""
    height = planes.height // 2 if planes.chroma == "420" else planes.height
    return height, planes.width if planes.chroma == "444" else planes.width // 2


def _read(planes: Planes) -> tuple[Array, Array, Array]:
    """Y, Cb and Cr as far as they are read."""
    height, width = _chroma_size(planes)
    return planes.y, planes.u[..., :height, :width], planes.v[..., :height, :width]


def _of_codes(ref: Planes, dis: Planes) -> dict[str, Array]:
    """Visible errors of whole codes, by plane."""
    sides = [_read(x) for x in (ref, dis)]
    pairs = {
        ("luma",): [y[None] for y, _, _ in sides],
        ("cb", "cr"): [jnp.stack([u, v]) for _, u, v in sides],
    }
    errors = []
    for names, pair in pairs.items():
        found = cpu_stage(_block_errors, *pair, names=names, bit_depth=ref.depth)
        errors += list(found.mean(-1).mean(-1) * (1.0 / (SIZE * SIZE * ref.peak**2)))
    return dict(zip(WEIGHTS, errors, strict=True))


def _of_floats(ref: Planes, dis: Planes) -> dict[str, Array]:
    """The same for float frames, with a gradient."""

    def errors(*planes: Array) -> dict[str, Array]:
        sensitivity = (tables.LUMA, tables.CB, tables.CR)
        kinds = zip(WEIGHTS, sensitivity, planes[:3], planes[3:], strict=True)
        return {name: visible_error(r, d, table, ref.peak) for name, table, r, d in kinds}

    return map_frames(errors, *_read(ref), *_read(dis), recompute=True)


def _decibels(error: Array) -> Array:
    score = (-10.0 / math.log(10.0)) * jnp.log(jnp.maximum(error, _LEAST))
    return jnp.where(error <= _LEAST, _EQUAL, score)


def _extract(ref: Planes, dis: Planes, options: Options) -> Series:
    codes = all(jnp.issubdtype(x.dtype, jnp.integer) for p in (ref, dis) for x in (p.y, p.u, p.v))
    errors = _of_codes(ref, dis) if codes else _of_floats(_as_floats(ref), _as_floats(dis))
    total = functools.reduce(jnp.add, [WEIGHTS[name] * errors[name] for name in WEIGHTS])
    series = {f"psnr_hvs_{name}": _decibels(error) for name, error in errors.items()}
    return series | {"psnr_hvs": _decibels(total), "visible_error": total}


def _as_floats(planes: Planes) -> Planes:
    """Float64 planes as they are, all others as float32."""
    parts = {"y": planes.y, "u": planes.u, "v": planes.v}
    wide = any(x.dtype == np.float64 for x in parts.values())
    return planes.replace(
        **{k: x.astype(jnp.float64 if wide else jnp.float32) for k, x in parts.items()}
    )


def _outputs(options: Options) -> tuple[Output, ...]:
    names = [*(f"psnr_hvs_{name}" for name in WEIGHTS), "psnr_hvs"]
    return (
        *(Output(name, "higher", _EQUAL, name) for name in names),
        Output("visible_error", "lower", 0.0, shown=False),
    )


def _check(ref: Planes, options: Options) -> None:
    check_max_depth("psnr_hvs", ref.depth, _DEEPEST)
    height, width = _chroma_size(ref)
    scale_down, scale_across = ref.height // max(height, 1), ref.width // max(width, 1)
    check_min_size("psnr_hvs", ref.height, ref.width, SIZE * scale_down, SIZE * scale_across)


PSNR_HVS = Feature(
    name="psnr_hvs",
    summary="signal to noise ratio of visible errors (PSNR-HVS-M), of luma, chroma and all",
    extract=_extract,
    outputs=_outputs,
    planes=CHROMA,
    check=_check,
    loss=Loss(
        "psnr_hvs",
        "Mean square of the errors that the eye sees, relative to the peak.",
        value="visible_error",
        returns="0 for an equal pair, about 1 from black to white; the score in dB is "
        "`-10 log10` of it. Errors that the texture hides cost nothing and have no gradient.",
        note="Frames go through the transform of the nearest whole codes, and through the same "
        "transform without rounding from there on.",
    ),
    libvmaf=True,
    cpu_compiler=XLA_OLDER_EMITTERS,
)


@documented(PSNR_HVS)
def psnr_hvs(
    ref: VideoLike, dis: VideoLike, *, bit_depth: int | None = None, **options: Any
) -> dict[str, Array]:
    """Signal to noise ratio of visible errors, PSNR-HVS-M, `psnr_hvs` of libvmaf.

    Models how well the eye sees each frequency of an error, and what the texture around it hides,
    in blocks of 8x8 samples.

    {args}

    Returns:
        `{"psnr_hvs_y", "psnr_hvs_cb", "psnr_hvs_cr", "psnr_hvs", "visible_error"}`, each
        `(frames,)`: scores of the planes and of all (0.8, 0.1 and 0.1 of their errors) in dB,
        higher is better, 160 for equal frames; and the mean square behind the last, from 0.

    Raises:
        ValueError: video without chroma or of more than 12 bits, frames without an 8x8 block of
            chroma, bad options or shapes. TypeError: bad dtypes.

    Source: libvmaf f85a853, `psnr_hvs.c`. Matches it within 2e-3 dB, what its float32 sums lose;
    differs for equal frames, where libvmaf is infinite.

    Example:
        >>> import numpy as np, jaxvqa
        >>> y, c = np.full((1, 16, 16), 100, np.uint8), np.full((1, 8, 8), 128, np.uint8)
        >>> ref, dis = jaxvqa.Planes(y, c, c), jaxvqa.Planes(y + 2, c, c)
        >>> found = jaxvqa.features.psnr_hvs(ref, dis)
        >>> round(float(found["psnr_hvs_y"][0]), 2), round(float(found["psnr_hvs"][0]), 2)
        (38.48, 39.45)
    """
    return run(PSNR_HVS, ref, dis, bit_depth, options)
