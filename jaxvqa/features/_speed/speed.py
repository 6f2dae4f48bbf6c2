"""SpEED of libvmaf: entropy differences of chroma planes and of frame differences.

A plane is low-passed, decimated by 16 and freed of its local mean. The rest is modelled as 5x5
blocks of one covariance with a scale each (`entropy.py`); the score is the mean difference of
the blocks' entropies, weighted by their scales.

Everything from pixels to score runs in float64 (`_ops/double.py`): the inverse of the covariance
amplifies rounding by its condition number, up to 1e5 on smooth chroma. The covariance is rounded to
float32 as in the source, except for float64 frames, whose derivatives the rounding would spoil.

Source: libvmaf f85a853, `speed.c`, `speed_tools.c`. Matches the tool to 1e-4 relative; the rest is
the tool's own float32 arithmetic.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxvqa._checks import check_min_size
from jaxvqa._notice import Notice
from jaxvqa._ops import taps
from jaxvqa._ops.borders import pad
from jaxvqa._ops.double import in_float64
from jaxvqa._ops.filters import gaussian, separable
from jaxvqa._ops.resize import axis_taps, scaled_size
from jaxvqa._ops.tiling import map_frames
from jaxvqa._planes import Planes, VideoLike, libvmaf_chroma_size
from jaxvqa._typing import Array, Float
from jaxvqa.features._feature import (
    CHROMA,
    XLA_FAST_COMPILE,
    Feature,
    Loss,
    Measurement,
    Output,
    Series,
    series_namespace,
)
from jaxvqa.features._kernels import check_kernel_scale, kernel, kernel_width
from jaxvqa.features._run import documented, run
from jaxvqa.features._speed import entropy, spectrum
from jaxvqa.features._speed.options import SpeedChromaOptions, SpeedOptions, SpeedTemporalOptions

_BLOCK = 5
_STEP = 16
# the covariance counts as singular if an eigenvalue is smaller than this, in squared code values
_MIN_EIGENVALUE = 1e-6

# shares of the reference's and the distorted block's variance in the two weights
_WEIGHTS = {
    0: ((1.0, 0.0), (0.0, 1.0)),
    1: ((1.0, 0.0), (1.0, 0.0)),
    2: ((0.0, 1.0), (0.0, 1.0)),
    3: ((0.5, 0.5), (0.5, 0.5)),
    4: ((1.0, 0.0), (0.5, 0.5)),
    5: ((1.0, 0.0), (0.75, 0.25)),
    6: ((1.0, 0.0), (0.25, 0.75)),
}


def _prescaled_size(height: int, width: int, options: SpeedOptions) -> tuple[int, int]:
    if abs(options.prescale - 1) < 1e-3:
        return height, width
    return scaled_size(height, width, options.prescale)


def _axis(size: int, scaled: int, options: SpeedOptions) -> taps.Taps:
    """Resize, low-pass and decimation by 16 along one axis."""
    width = kernel_width(1, options.kernel_scale)
    # twice the sigma of the width's usual kernel: this one filter stands for a whole pyramid
    smooth = gaussian(width, 2 * width / 5)
    decimated = taps.filtered(scaled, smooth, _STEP, scaled // _STEP)
    if abs(options.prescale - 1) < 1e-3:
        return decimated
    resized = taps.Taps(*axis_taps(size, scaled, options.prescale_method))
    return taps.chain(resized, decimated, size)


def _bands(planes: tuple[Array, ...], depth: int, options: SpeedOptions) -> Float[Array, "n k h w"]:
    """Planes of code values to decimated pictures without their local mean, on the 8-bit scale.

    Cropped to whole blocks. The source's offset of -128 is left out: it cancels in the local mean.
    """
    height, width = planes[0].shape[-2:]
    scaled_height, scaled_width = _prescaled_size(height, width, options)
    rows = _axis(height, scaled_height, options)
    columns = _axis(width, scaled_width, options)
    smooth = kernel(4, options.kernel_scale)
    radius = len(smooth) // 2
    dtypes = {p.dtype for p in planes}
    common = dtypes.pop() if len(dtypes) == 1 else jnp.float64

    def decimated(*frames: Array) -> Array:
        stacked = jnp.stack([f.astype(common) for f in frames])
        return taps.apply(taps.apply(stacked, rows, 1), columns, 2)

    def without_mean(low: Array) -> Array:
        mean = separable(pad(low, (radius, radius), (radius, radius)), smooth)
        return entropy.whole_blocks(low - mean, _BLOCK)

    # two loops, so that neither step is recomputed for every reader of its result
    low = map_frames(decimated, *planes)
    return map_frames(without_mean, low * (1.0 / (1 << (depth - 8))))


def _statistics(
    band: Float[Array, "*n h w"], options: SpeedOptions, rounded: bool
) -> tuple[Array, Array, Array]:
    """Variance and entropy of every block, and whether the covariance is singular."""
    matrix = entropy.covariance(band, _BLOCK)
    if rounded:
        # rounded in value, not in gradient
        nearest = matrix.astype(jnp.float32).astype(matrix.dtype)
        matrix = matrix + jax.lax.stop_gradient(nearest - matrix)
    least = jnp.full(matrix.shape[:-2], _MIN_EIGENVALUE, matrix.dtype)
    regular = spectrum.all_above(spectrum.tridiagonal(jax.lax.stop_gradient(matrix)), least)
    matrix = entropy.where_matrix(regular, matrix)
    form = spectrum.tridiagonal(matrix)
    variance = entropy.block_variance(band, matrix, _BLOCK)
    variance = jnp.where(regular[..., None], variance, jnp.zeros_like(variance))
    return (
        variance,
        entropy.block_entropy(variance, form, options.sigma_nn, entropy.LOG2_2PIE),
        ~regular,
    )


def _score(
    ref: Float[Array, "n h w"],
    dis: Float[Array, "n h w"],
    options: SpeedOptions,
    mode: int,
    rounded: bool,
) -> tuple[Float[Array, " n"], Float[Array, " n"]]:
    """Scores of bands, and 1 where a covariance was singular, else 0."""
    count = ref.shape[0]
    zero = jnp.zeros_like(ref[:, 0, 0])
    if entropy.windows(ref.shape[-2], ref.shape[-1], _BLOCK) <= _BLOCK**2:
        # fewer samples than unknowns: always singular, whatever rounding makes of the eigenvalues
        return zero, jnp.ones_like(zero)
    variance, bits, singular = _statistics(jnp.concatenate([ref, dis]), options, rounded)
    s_ref, s_dis, e_ref, e_dis = variance[:count], variance[count:], bits[:count], bits[count:]
    (a, b), (c, d) = _WEIGHTS[mode]
    ref_bits = e_ref * jnp.log2(1 + (a * s_ref + b * s_dis))
    dis_bits = e_dis * jnp.log2(1 + (c * s_ref + d * s_dis))
    noise = (1 + options.nn_floor) * options.sigma_nn
    base = _BLOCK**2 * (math.log2(noise) + entropy.LOG2_2PIE)
    silent = (e_ref < base) & (e_dis < base)
    score = jnp.where(silent, jnp.zeros_like(bits[:count]), jnp.abs(ref_bits - dis_bits)).mean(-1)
    lost_ref, lost_dis = singular[:count], singular[count:]
    # equal pictures must give 0 itself: logarithms may differ in the last bit from lane to lane
    equal = (ref == dis).all(axis=(-2, -1))
    score = jnp.where((lost_ref ^ lost_dis) | equal, zero, score)
    return score, (lost_ref | lost_dis).astype(score.dtype)


def _chroma_program(*planes: Array, depth: int, options: SpeedChromaOptions) -> dict[str, Array]:
    rounded = planes[0].dtype != jnp.float64
    ref_u, ref_v, dis_u, dis_v = jnp.moveaxis(_bands(planes, depth, options), 1, 0)
    count = ref_u.shape[0]
    score, flag = _score(
        jnp.concatenate([ref_u, ref_v]),
        jnp.concatenate([dis_u, dis_v]),
        options,
        options.weight_var_mode,
        rounded,
    )
    u, v, flag_u, flag_v = score[:count], score[count:], flag[:count], flag[count:]
    uv = jnp.where(flag_u > flag_v, v, jnp.where(flag_v > flag_u, u, (u + v) * 0.5))
    top = options.max_val
    return {
        "speed_chroma_u": jnp.minimum(u, top),
        "speed_chroma_v": jnp.minimum(v, top),
        "speed_chroma_uv": jnp.minimum(uv, top),
        "speed_chroma_flag_u": flag_u,
        "speed_chroma_flag_v": flag_v,
    }


def _chroma_extract(ref: Planes, dis: Planes, options: SpeedChromaOptions) -> Series:
    height, width = libvmaf_chroma_size(ref)
    planes = [p[:, :height, :width] for p in (ref.u, ref.v, dis.u, dis.v)]
    program = functools.partial(_chroma_program, depth=ref.depth, options=options)
    return in_float64(program, *map(jnp.asarray, planes))


def _temporal_program(
    ref: Array, dis: Array, *, depth: int, options: SpeedTemporalOptions
) -> dict[str, Array]:
    rounded = jnp.float64 not in (ref.dtype, dis.dtype)
    # a band is linear in the pixels: the difference of bands is the band of the difference
    b_ref, b_dis = jnp.moveaxis(_bands((ref, dis), depth, options), 1, 0)
    current = b_ref[1:] if options.use_ref_diff else b_dis[1:]
    score, flag = _score(b_ref[:-1] - b_ref[1:], b_dis[:-1] - current, options, 0, rounded)
    return {"speed_temporal": score, "speed_temporal_flag": flag}


def _temporal_extract(ref: Planes, dis: Planes, options: SpeedTemporalOptions) -> Series:
    program = functools.partial(_temporal_program, depth=ref.depth, options=options)
    return in_float64(program, jnp.asarray(ref.y), jnp.asarray(dis.y))


def _temporal_finish(series: Series, options: SpeedTemporalOptions) -> Series:
    xp = series_namespace(series)
    # the first frame has no predecessor
    return {k: xp.concatenate([xp.zeros_like(x[:1]), x[1:]]) for k, x in series.items()}


def _least_side(options: SpeedOptions) -> int:
    """Fewest samples along one axis of a plane that decimation leaves a block of."""
    size = 1
    while _prescaled_size(size, size, options)[0] < _BLOCK * _STEP:
        size += 1
    return size


def _check_chroma(ref: Planes, options: SpeedChromaOptions) -> None:
    check_kernel_scale("speed_kernelscale", options.kernel_scale)
    least = _least_side(options)
    high = 2 * least if ref.chroma == "420" else least
    wide = 2 * least if ref.chroma in ("420", "422") else least
    layout = ":".join(ref.chroma)
    what = f"speed_chroma of {layout} video at speed_prescale={options.prescale:g}"
    check_min_size(what, ref.height, ref.width, high, wide)


def _check_temporal(ref: Planes, options: SpeedTemporalOptions) -> None:
    check_kernel_scale("speed_kernelscale", options.kernel_scale)
    least = _least_side(options)
    what = f"speed_temporal at speed_prescale={options.prescale:g}"
    check_min_size(what, ref.height, ref.width, least, least)


def _chroma_outputs(options: SpeedChromaOptions) -> tuple[Output, ...]:
    names = [f"speed_chroma_{plane}" for plane in ("u", "v", "uv")]
    return tuple(
        Output(n, "lower", 0.0, f"Speed_chroma_feature_{n}_score", part="chroma") for n in names
    )


def _singular(name: str, flags: list[np.ndarray]) -> list[Notice]:
    """Says where SpEED is 0 by definition and not because the pictures are alike."""
    bad = int(np.count_nonzero(np.any(np.stack(flags), axis=0)))
    if not bad:
        return []
    text = (
        f"{name} has no usable covariance in {bad} of {len(flags[0])} frames (too few blocks, or a "
        "flat plane): such a plane counts as 0, as in libvmaf."
    )
    return [Notice("speed-singular", text)]


def _chroma_notices(found: Measurement[SpeedChromaOptions]) -> list[Notice]:
    notices = []
    if found.models and found.bit_depth == 8:
        text = (
            "VMAF v1 is meant to be measured at 10 bits even for 8-bit encodes: promote_to_10bit "
            "does that exactly."
        )
        notices.append(Notice("v1-bit-depth", text))
    flags = [found.series[f"speed_chroma_flag_{plane}"] for plane in ("u", "v")]
    return notices + _singular("speed_chroma", flags)


SPEED_CHROMA = Feature(
    name="speed_chroma",
    summary="entropy difference of the chroma planes (SpEED)",
    options=SpeedChromaOptions,
    outputs=_chroma_outputs,
    extract=_chroma_extract,
    planes=CHROMA,
    check=_check_chroma,
    notices=_chroma_notices,
    loss=Loss(
        "speed_chroma",
        "Entropy difference of the chroma planes: `speed_chroma_uv`.",
        value="speed_chroma_uv",
        returns="0 for an equal pair, no upper bound but `max_val`. Chroma under about 160x160 "
        "samples, and flat chroma, has a singular covariance: it counts 0 with gradient 0.",
        note="float32 frames have reverse derivatives only (`jax.grad`), float64 frames all.",
    ),
    libvmaf=True,
    cpu_compiler=XLA_FAST_COMPILE,
)

SPEED_TEMPORAL = Feature(
    name="speed_temporal",
    summary="entropy difference of luma frame differences (SpEED)",
    options=SpeedTemporalOptions,
    outputs=lambda options: (
        Output("speed_temporal", "lower", 0.0, "Speed_temporal_feature_speed_temporal_score"),
    ),
    extract=_temporal_extract,
    before=lambda options: 1,
    finish=_temporal_finish,
    check=_check_temporal,
    notices=lambda found: _singular("speed_temporal", [found.series["speed_temporal_flag"]]),
    libvmaf=True,
    cpu_compiler=XLA_FAST_COMPILE,
)


@documented(SPEED_CHROMA)
def speed_chroma(
    ref: VideoLike, dis: VideoLike, *, bit_depth: int | None = None, **options: Any
) -> dict[str, Array]:
    """SpEED of the chroma planes, `speed_chroma` of libvmaf, the driver of VMAF v1.

    Models how much of the colour's information is lost: natural pictures are locally Gaussian with
    a varying scale, and the score compares the entropies of blocks under that model.

    {args}

    Returns:
        `{"speed_chroma_u", "speed_chroma_v", "speed_chroma_uv"}`, each `(frames,)`, from 0 (equal)
        up; smaller is better. A plane whose covariance is singular in reference or distorted (flat,
        or fewer than 26 windows of 5x5 samples after decimation) scores 0 with zero gradient, as in
        libvmaf, and `uv` is the other plane then.

    Raises:
        ValueError: bad options, no chroma, or planes so small that no block is left (libvmaf
            crashes there).

    Gradients are exact, also where eigenvalues of the covariance coincide (`entropy.py`). Float32
    frames have reverse derivatives only (`jax.grad`), float64 frames all.

    Source: libvmaf f85a853, `speed.c`. Matches it to 1e-4 relative.

    Example:
        >>> import numpy as np, jaxvqa
        >>> y = np.random.default_rng(0).integers(0, 256, (1, 160, 160), np.uint8)
        >>> ref, dis = jaxvqa.Planes(y, y, y), jaxvqa.Planes(y, y // 2, y)
        >>> found = jaxvqa.features.speed_chroma(ref, dis)
        >>> {name: round(float(x[0]), 1) for name, x in found.items()}
        {'speed_chroma_u': 46.1, 'speed_chroma_v': 0.0, 'speed_chroma_uv': 23.1}
    """
    return run(SPEED_CHROMA, ref, dis, bit_depth, options)


@documented(SPEED_TEMPORAL)
def speed_temporal(
    ref: VideoLike, dis: VideoLike, *, bit_depth: int | None = None, **options: Any
) -> dict[str, Array]:
    """SpEED of luma frame differences, `speed_temporal` of libvmaf.

    Models how much of the motion's information is lost: `speed_chroma`'s entropy difference, taken
    of the difference between the previous and the current luma frame.

    {args}

    Returns:
        `{"speed_temporal"}`, `(frames,)`, from 0 (equal) up; smaller is better. 0 for the first
        frame, and 0 with zero gradient where a difference's covariance is singular (stills).

    Raises:
        ValueError: bad options, or frames so small that no block is left (libvmaf crashes there).

    Gradients: as for `speed_chroma`. Source: libvmaf f85a853, `speed.c`; matched to 1e-4 relative.

    Example:
        >>> import numpy as np, jaxvqa
        >>> ref = np.random.default_rng(0).integers(0, 256, (2, 160, 160), np.uint8)
        >>> found = jaxvqa.features.speed_temporal(ref, ref // 2)
        >>> [round(float(x), 1) for x in found["speed_temporal"]]
        [0.0, 48.1]
    """
    return run(SPEED_TEMPORAL, ref, dis, bit_depth, options)
