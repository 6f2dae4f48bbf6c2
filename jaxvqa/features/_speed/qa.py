"""SpEED-QA: spatial and temporal entropy differences of a reduced luma band.

Luma is halved two to four times and freed of its local mean. That band, and the same of the frame
difference, are modelled as blocks of one covariance with a scale each (`entropy.py`); the scores
are mean differences of the blocks' entropies, weighted by their scales.

Everything from pixels to score runs in float64 (`_ops/double.py`).

Source: C. G. Bampis, P. Gupta, R. Soundararajan, A. C. Bovik, "SpEED-QA: Spatial Efficient Entropic
Differencing for Image and Video Quality", IEEE Signal Processing Letters 24(9), 2017; the MATLAB
code `matlab/SpEED` of Netflix/vmaf. Matches it to 1e-9 relative where it is defined.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from jaxvqa._ops.borders import pad
from jaxvqa._ops.double import in_float64
from jaxvqa._ops.filters import correlate, gaussian, separable
from jaxvqa._ops.stages import stage
from jaxvqa._ops.tiling import map_frames, map_rows
from jaxvqa._planes import Planes, VideoLike
from jaxvqa._typing import Array, Float
from jaxvqa.features._feature import Feature, Loss, Output, Series, series_namespace
from jaxvqa.features._options import Options, option
from jaxvqa.features._run import documented, run
from jaxvqa.features._speed import entropy, spectrum

# bicubic reduction by two (a = -1/2, stretched by two): all eight taps that are not 0
_HALF = tuple(t / 256 for t in (-3, -9, 29, 111, 111, 29, -9, -3))
_MEAN = gaussian(7, 7 / 6)

# sum of the eigenvalues (squared 8-bit code values) up to which a band counts as flat: what
# rounding leaves of a constant picture stays below, what one changed code value leaves is far above
_FLAT = 1e-18
# smallest eigenvalue over the sum of all below which the covariance has no inverse worth the name;
# pictures that can be measured keep above 1e-3
_SINGULAR = 1e-10


@dataclass(frozen=True)
class SpeedQaOptions(Options):
    """Options of `speed_qa`."""

    band: int = option(4, "how often the frames are halved", 2, 4, alias="band")
    block: int = option(5, "side of a block, in samples of the band", 3, 8, alias="blk")
    sigma_nsq: float = option(0.1, "variance of the neural noise", 0.001, 100.0, alias="snsq")


def _filtered(x: Array, axis: int) -> Array:
    return correlate(x.astype(jnp.float64), _HALF, axis, stride=2)


def _halve(x: Array) -> Float[Array, "h w"]:
    """Half the size, rounded up; a last odd sample leans on the mirrored border."""
    height, width = x.shape
    padded = pad(x, (3, 3 + height % 2), (3, 3 + width % 2), "symmetric")

    def rows(strip: Array) -> Array:
        return stage(_filtered, stage(_filtered, strip, axis=-2), axis=-1)

    return map_rows(rows, (padded,), height=(height + 1) // 2, halo=6, stride=2)


def _bands(luma: Array, depth: int, options: SpeedQaOptions) -> Float[Array, "n h w"]:
    """Frames of code values to reduced frames without their local mean, on the 8-bit scale."""

    def reduced(x: Array) -> Array:
        for _ in range(options.band):
            x = _halve(x)
        return x * (1.0 / (1 << (depth - 8)))

    def without_mean(x: Array) -> Array:
        mean = separable(pad(x, (3, 3), (3, 3), "edge"), _MEAN)
        return entropy.whole_blocks(x - mean, options.block)

    # two loops, so that the reduction is not recomputed for every tap of the mean
    return map_frames(without_mean, map_frames(reduced, luma))


def _statistics(band: Float[Array, "n h w"], options: SpeedQaOptions) -> tuple[Array, Array, Array]:
    """Variance and entropy of every block (0 on flat bands), and whether they are undefined."""
    matrix = entropy.covariance(band, options.block)
    still = jax.lax.stop_gradient(matrix)
    power = jnp.trace(still, axis1=-2, axis2=-1)  # sum of all eigenvalues
    flat = power <= _FLAT
    singular = ~flat & ~spectrum.all_above(spectrum.tridiagonal(still), _SINGULAR * power)
    usable = ~flat & ~singular
    matrix = entropy.where_matrix(usable, matrix)
    form = spectrum.tridiagonal(matrix)
    variance = entropy.block_variance(band, matrix, options.block)
    variance = jnp.where(usable[..., None], variance, jnp.zeros_like(variance))
    # the reference takes the natural logarithm in the constant and base 2 everywhere else
    bits = entropy.block_entropy(variance, form, options.sigma_nsq, entropy.LN_2PIE)
    return variance, jnp.where(usable[..., None], bits, jnp.zeros_like(bits)), singular


def _program(ref: Array, dis: Array, *, depth: int, options: SpeedQaOptions) -> dict[str, Array]:
    ref, dis = _bands(ref, depth, options), _bands(dis, depth, options)
    # a band is linear in the pixels: the difference of bands is the band of the difference
    signals = (ref[1:], dis[1:], ref[:-1] - ref[1:], dis[:-1] - dis[1:])
    count = signals[0].shape[0]
    variance, bits, singular = (
        x.reshape(4, count, *x.shape[1:]) for x in _statistics(jnp.concatenate(signals), options)
    )
    weight = jnp.log2(1 + variance)
    spatial = jnp.abs(bits[0] * weight[0] - bits[1] * weight[1]).mean(-1)
    temporal = jnp.abs(bits[2] * weight[0] * weight[2] - bits[3] * weight[1] * weight[3]).mean(-1)
    # equal pictures must give 0 itself: logarithms may differ in the last bit from lane to lane
    equal = (signals[0] == signals[1]).all(axis=(-2, -1))
    still = equal & (signals[2] == signals[3]).all(axis=(-2, -1))
    zero = jnp.zeros_like(spatial)
    spatial, temporal = jnp.where(equal, zero, spatial), jnp.where(still, zero, temporal)
    no_spatial = (singular[0] | singular[1]) & ~equal
    no_temporal = (no_spatial | singular[2] | singular[3]) & ~still
    # NaN comes last: a product with it has no gradient, not even a masked one
    score = jnp.where(no_temporal, spatial, spatial * temporal)
    missing = jnp.full_like(zero, jnp.nan)
    return {
        "speed_qa": jnp.where(no_spatial, missing, score),
        "speed_qa_spatial": jnp.where(no_spatial, missing, spatial),
        "speed_qa_temporal": jnp.where(no_temporal, missing, temporal),
    }


def _extract(ref: Planes, dis: Planes, options: SpeedQaOptions) -> Series:
    program = partial(_program, depth=ref.depth, options=options)
    return in_float64(program, jnp.asarray(ref.y), jnp.asarray(dis.y))


def _finish(series: Series, options: SpeedQaOptions) -> Series:
    xp = series_namespace(series)
    spatial = series["speed_qa_spatial"]
    if spatial.shape[0] == 1:
        missing = xp.full_like(spatial, xp.nan)
        return {
            "speed_qa": spatial,
            "speed_qa_spatial": spatial,
            "speed_qa_temporal": missing,
        }
    # the first frame has no predecessor and borrows all values of the second
    return {name: xp.concatenate([x[1:2], x[1:]]) for name, x in series.items()}


def _measurable(height: int, width: int, options: SpeedQaOptions) -> bool:
    """Whether a covariance of this size of frame can have full rank."""
    high, wide = (-(-size // (1 << options.band)) for size in (height, width))
    return entropy.windows(high, wide, options.block) > options.block**2


def _check(ref: Planes, options: SpeedQaOptions) -> None:
    if not _measurable(ref.height, ref.width, options):
        side = 1
        while not _measurable(side, side, options):
            side += 1
        raise ValueError(
            f"speed_qa at band={options.band} and block={options.block} needs frames of about "
            f"{side}x{side} or more, got {ref.width}x{ref.height}: choose a smaller band."
        )


def _defined(series: Mapping[str, Array]) -> Array:
    value = series["speed_qa"]
    return jnp.where(jnp.isnan(value), jnp.zeros_like(value), value)


SPEED_QA = Feature(
    name="speed_qa",
    summary="spatial times temporal entropy difference of a reduced luma band (SpEED-QA)",
    options=SpeedQaOptions,
    outputs=lambda options: (
        Output("speed_qa", "lower", 0.0),
        Output("speed_qa_spatial", "lower", 0.0),
        Output("speed_qa_temporal", "lower", 0.0),
    ),
    extract=_extract,
    before=lambda options: 1,
    finish=_finish,
    check=_check,
    loss=Loss(
        "speed_qa",
        "Spatial times temporal entropy difference of luma: SpEED-QA.",
        value=_defined,
        returns="0 for an equal pair, no upper bound. The first frame repeats the second one's "
        "value; a single frame has the spatial part alone. Frames where the metric is undefined "
        "(singular covariance) count 0 with gradient 0.",
        note="`band=2` or 3 allows smaller crops than 4. float32 frames have reverse derivatives "
        "only (`jax.grad`), float64 frames all.",
    ),
)


@documented(SPEED_QA)
def speed_qa(
    ref: VideoLike, dis: VideoLike, *, bit_depth: int | None = None, **options: Any
) -> dict[str, Array]:
    """SpEED-QA of Bampis et al. 2017.

    Models how much information is lost, spatially and over time: natural pictures are locally
    Gaussian with a varying scale, and the score compares the entropies of blocks under that model.

    {args}

    Returns:
        `{"speed_qa", "speed_qa_spatial", "speed_qa_temporal"}`, each `(frames,)`, from 0 (equal)
        up; smaller is better. `speed_qa` is the product of the other two; a clip's score is its
        mean. The first frame repeats the second one's values. A single picture has no temporal
        value: `speed_qa` is the spatial one then, and `speed_qa_temporal` is NaN.

        The original inverts covariances that are singular and returns rounding noise. Here a flat
        band has scale and entropy 0 (so has the band of a repeated frame), and any other singular
        band makes the values that need it NaN: `speed_qa` is the spatial value alone where only
        the temporal one is NaN. Equal videos always give 0.

    Raises:
        ValueError: bad options, or frames so small that every covariance is singular.

    Gradients are exact, also where eigenvalues of a covariance coincide, and 0 where a value is
    NaN or a band flat. Float32 frames have reverse derivatives only, float64 frames all.

    Source: `matlab/SpEED` of Netflix/vmaf f85a853. Matches it to 1e-9 relative in float64, and to
    the rounding of the result for other frames.

    Example:
        >>> import numpy as np, jaxvqa
        >>> ref = np.random.default_rng(0).integers(0, 256, (2, 160, 160), np.uint8)
        >>> found = jaxvqa.features.speed_qa(ref, ref // 2)
        >>> [round(float(x), 1) for x in found["speed_qa"]]
        [2174.6, 2174.6]
    """
    return run(SPEED_QA, ref, dis, bit_depth, options)
