"""Fixed-point arithmetic of libvmaf's `adm`: decoupling, masking and cube sums.

Every integer equals the plain-C extractor's, two overflows included: one that full-contrast
pictures reach (`_fifteenth` at scale 0), one that every picture reaches (the same and `_thirtieth`
at the other scales); and those that only unusual weights bring about (`wraps`). Scale 0 fits 32
bits up to the squares; the other scales carry 32-bit bands whose products need 64 bits, and up to
2^62, so float64 would not be exact. Factors are widened from 32 bits just before they are
multiplied, which compilers turn into one widening product per vector lane, and non-negative values
are unsigned, since vector units shift those faster.

Source: libvmaf f85a853, `integer_adm.c`. To be called inside `jax.enable_x64(True)`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxvqa._ops.stages import joint_row_sums, stage
from jaxvqa._ops.tiling import map_rows
from jaxvqa._typing import Array, Int
from jaxvqa.features._adm.fixed_scales import Coarse, Finest, cube_shifts, log2_ceil
from jaxvqa.features._adm.fixed_wavelet import FixedBands, Region

Scales = Finest | Coarse

# squared cosine of one degree, rounded to float32 as in the reference
_COSINE_SQUARED = float(np.float32(math.cos(math.pi / 180.0) ** 2))
# by orientation (horizontal, vertical, diagonal), at scale 0
_MASKER_ADD = (16384, 16384, 65535)
_MASKER_SHIFT = (15, 15, 17)
_THRESHOLD_SHIFT = (10, 10, 12)
# by scale: fractional bits of masked cubes before the shifts for size, and of the reference's cubes
_MASKED_BITS = ((52, 52, 57), (45, 45, 45), (39, 39, 39), (36, 36, 36))
_REFERENCE_BITS = (18, 32, 27, 23)


def _unsigned(x: Array) -> Array:
    """A non-negative number below 2^32, as 64 bits of which 32 are visibly zero."""
    return x.astype(jnp.uint32).astype(jnp.uint64)


def reciprocal(m: Int[Array, "*shape"]) -> Int[Array, "*shape"]:
    """`floor(2^30 / m)` for 1 <= m <= 2^15, exact with any float32 division good to a few ulp.

    The first quotient is within 2^9 / m + 1 of the true one, so the remainder stays below 2^16 in
    magnitude, the second quotient is off by one at most, and the comparisons put that right.
    Unlike integer division it vectorises.
    """
    divisor = m.astype(jnp.float32)
    quotient = (jnp.float32(2**30) / divisor).astype(jnp.int32)
    rest = (1 << 30) - quotient * m
    quotient = quotient + (rest.astype(jnp.float32) / divisor).astype(jnp.int32)
    rest = (1 << 30) - quotient * m
    return quotient + (rest >= m).astype(jnp.int32) - (rest < 0).astype(jnp.int32)


def _aligned(*bands: Array, wide: np.dtype) -> Array:
    """True where the (horizontal, vertical) vectors of reference and distorted are within 1 degree.

    The reference rounds exact integers to float32 and multiplies in float64; so does this. Both
    sides are products only, so there is nothing that a compiler could contract.
    """
    oh, th, ov, tv = (x[:, k].astype(wide) for x in _apart(bands)[:2] for k in (0, 1))

    def dot(a: Array, b: Array, c: Array, d: Array) -> Array:
        return (a * b + c * d).astype(jnp.float32).astype(jnp.float64)

    cross, oo, tt = dot(oh, th, ov, tv), dot(oh, oh, ov, ov), dot(th, th, tv, tv)
    return (cross >= 0) & (cross * cross >= _COSINE_SQUARED * oo * tt)


def _restored_size(size: Array, negative: Array, same: Array, finest: bool) -> Array:
    """|k o| as an integer, with k = t / o clipped to 0..1 and rounded to 15 bits.

    `size` is |o|; `same` is t with the sign of o taken off, clipped at 0. The reference rounds
    halves of the signed product up, so halves of a negative product go down in magnitude.
    """
    half = 16384 - negative.astype(jnp.int32)
    if finest:
        # from |o| + 1 on k is 1 after clipping; the smaller t keeps the product in 32 bits
        capped = jnp.minimum(same, size + 1).astype(jnp.uint32)
        product = reciprocal(jnp.maximum(size, 1)).astype(jnp.uint32) * capped
        k = jnp.minimum((product + 16384) >> 15, 32768).astype(jnp.int32)
        return (k * size + half) >> 15
    # divide by the 15 leading bits of |o| only
    drop = jnp.maximum(17 - jax.lax.clz(size), 0)
    leading = (size + ((1 << drop) >> 1)) >> drop
    product = _unsigned(reciprocal(jnp.maximum(leading, 1))) * _unsigned(same)
    drop = _unsigned(drop)
    k = jnp.minimum((product + (jnp.uint64(16384) << drop)) >> (drop + 15), 32768)
    return ((_unsigned(k) * _unsigned(size) + _unsigned(half)) >> 15).astype(jnp.int32)


def _with_gain(restored: Array, same: Array, gain: float, finest: bool) -> Array:
    """`min(restored * gain, same)` without its fraction."""
    if gain == 1.0:
        return jnp.minimum(restored, same)
    if finest and gain == int(gain):
        return jnp.minimum(restored * int(gain), same)
    product = restored.astype(jnp.float64) * gain
    return jnp.minimum(product, same.astype(jnp.float64)).astype(jnp.int32)


def _restored(band: Array, aligned: Array, *, gain: float, finest: bool) -> Array:
    """What a band of the distorted picture still has of the reference's."""
    o, t = band[:, :, 0], band[:, :, 1]
    negative, aligned = o < 0, aligned[:, None]
    o32, t32 = o.astype(jnp.int32), t.astype(jnp.int32)
    same = jnp.maximum(jnp.where(negative, -t32, t32), 0)
    size = _restored_size(jnp.abs(o32), negative, same, finest)
    size = jnp.where(aligned, _with_gain(size, same, gain, finest), size)
    return jnp.where(negative, -size, size).astype(o.dtype)


def _additive(band: Array, restored: Array) -> Array:
    """What a band of the distorted picture has beyond what is restored."""
    return band[:, :, 1] - restored


def _in_16_bits(x: Array, scales: Scales) -> Array:
    """What is left of a number in the reference's 16 bits, where it may not fit them."""
    return x.astype(jnp.int16).astype(jnp.int32) if scales.wraps else x


def _masker(band: Array, weight: Any, scales: Scales, orientation: int) -> Array:
    """Magnitude of a weighted band as the reference stores it for masking."""
    if scales.finest:
        product = band.astype(jnp.int32) * weight + _MASKER_ADD[orientation]
        return jnp.abs(_in_16_bits(product >> _MASKER_SHIFT[orientation], scales))
    return jnp.abs(((band.astype(jnp.int64) * weight + (1 << 27)) >> 28).astype(jnp.int32))


def _thirtieth(y: Array, scales: Scales) -> Array:
    """What a masker adds to the threshold of each of its eight neighbours."""
    if scales.finest:
        return _in_16_bits((4369 * y + 2048) >> 12, scales)
    # the rounding constant 2^31 is negative in the reference's 32-bit variable: one too little
    return ((_unsigned(y) * 143165577 + (1 << 31)) >> 32).astype(jnp.int32) - 1


def _fifteenth(y: Array, finest: bool) -> Array:
    """What a masker adds to the threshold at its own place."""
    if finest:
        # kept in 16 bits by the reference, which wrap near full contrast
        return ((8738 * y + 2048) >> 12).astype(jnp.int16).astype(jnp.int32)
    return ((_unsigned(y) * 286331153 + (1 << 31)) >> 32).astype(jnp.int32) - 1


def _maskers(first: Any, bands: Sequence[Array], scales: Scales, inner: bool) -> list[Array]:
    """Maskers of the horizontal, vertical and diagonal orientation."""
    found = []
    for band, group in zip(bands, scales.groups, strict=True):
        weight = scales.weight(group, first, inner)
        found.append(_masker(band, weight, scales, group[0]))
    return _apart(found)


def _near(first: Any, *bands: Array, scales: Scales) -> Array:
    """What the bands at one place add to the thresholds around it."""
    h, v, d = (_thirtieth(y, scales) for y in _maskers(first, bands, scales, False))
    return h + v + d


def _surrounded(near: Array, first: Any, *bands: Array, scales: Scales) -> Array:
    """Thresholds from what the places around and each place itself add."""
    own = _maskers(_inner(first), [x[1:-1, :, 1:-1] for x in bands], scales, True)
    h, v, d = (_fifteenth(y, scales.finest) for y in own)
    rows = near[:-2] + near[1:-1] + near[2:]
    box = rows[:, :-2] + rows[:, 1:-1] + rows[:, 2:]
    return box - near[1:-1, 1:-1] + h + v + d


def _apart(bands: Sequence[Array]) -> list[Array]:
    """Every orientation by itself, of arrays that hold some along their second axis."""
    return [band[:, k] for band in bands for k in range(band.shape[1])]


def _inner(first: Any) -> Any:
    return None if first is None else first[1:-1]


def _threshold(first: Any, bands: Sequence[Array], scales: Scales) -> Array:
    """Masking threshold that `bands` set at all but the outer samples."""
    near = stage(_near, first, *bands, scales=scales)
    return stage(_surrounded, near, first, *bands, scales=scales)


def _half(shift: Any) -> Any:
    """What is added before a shift to round."""
    return 1 << (shift - 1) if isinstance(shift, int) else jnp.ones_like(shift) << (shift - 1)


def _cubes(x: Array, square_shift: int, shift: Any, wraps: bool) -> Array:
    """Rounded cubes of `x >= 0`; `wraps` if squares may not fit the reference's 32 bits."""
    wide = _unsigned(x)
    square = (wide * wide + _half(square_shift)) >> square_shift
    if wraps:
        cube = square.astype(jnp.int32).astype(jnp.int64) * wide.astype(jnp.int64)
        shift = shift if isinstance(shift, int) else shift.astype(jnp.int64)
        return (cube + _half(shift)) >> shift
    return ((_unsigned(square) * wide + _half(shift)) >> shift).astype(jnp.int64)


def _masked(
    band: Array, threshold: Array, first: Any, *, scales: Scales, group: tuple[int, ...]
) -> Array:
    """Cubes of how far weighted bands rise above the threshold."""
    band, first, threshold = band[1:-1, :, 1:-1], _inner(first), threshold[:, None]
    weight = scales.weight(group, first, True)
    if isinstance(scales, Finest):
        signal = jnp.abs(band.astype(jnp.int32) * weight)
        excess = jnp.maximum(signal - (threshold << _THRESHOLD_SHIFT[group[0]]), 0)
    else:
        excess = jnp.maximum(_masker(band, weight, scales, group[0]) - threshold, 0)
        excess = jnp.where(scales.scored(first), excess, 0)
    return _cubes(excess, *scales.cube_shifts(group, first), scales.wraps)


def _reference_cubes(band: Array, first: Any, *, scales: Scales) -> Array:
    """|o|^3 over the region, for the denominator."""
    size, first = jnp.abs(band[1:-1, :, 0, 1:-1].astype(jnp.int32)), _inner(first)
    if isinstance(scales, Finest):
        wide = _unsigned(size)
        return (_unsigned(wide * wide) * wide).astype(jnp.int64)
    wide = _unsigned(jnp.where(scales.scored(first), size, 0))
    # the reference adds 2^bits where rounding would add half of it
    bits, shift = scales.reference_shifts(first)
    square = _unsigned((wide * wide + (jnp.uint64(1) << bits)) >> bits)
    return ((square * wide + _half(shift)) >> shift).astype(jnp.int64)


def _reference_row_shift(scale: int, region: Region) -> int:
    if scale == 0:
        return max(log2_ceil(region.height * region.width) - 20, 0)
    return log2_ceil(region.height)


def _row_sums(
    first: Any, bands: Sequence[Array], scales: Scales, gain: float, with_aim: bool
) -> Array:
    """Sums over the columns, `(rows, 9, ...)`, of bands `(rows, orientations, 2, columns)`."""
    wide = np.dtype(np.int32 if scales.finest else np.int64)
    aligned = stage(_aligned, *bands, wide=wide)
    restored = [stage(_restored, x, aligned, gain=gain, finest=scales.finest) for x in bands]
    additive = [stage(_additive, x, r) for x, r in zip(bands, restored, strict=True)]

    def masked(signal: Sequence[Array], masker: Sequence[Array]) -> list[Array]:
        threshold = _threshold(first, masker, scales)
        return [
            stage(_masked, x, threshold, first, scales=scales, group=group)
            for x, group in zip(signal, scales.groups, strict=True)
        ]

    detail = masked(restored, additive)
    aim = masked(additive, restored) if with_aim else []
    reference = [stage(_reference_cubes, x, first, scales=scales) for x in bands]
    sums = joint_row_sums(*map(scales.parts, (*detail, *aim, *reference)))
    count = len(bands)
    none = () if with_aim else (jnp.zeros_like(x) for x in sums[:count])
    return jnp.concatenate([*sums[:-count], *none, *sums[-count:]], axis=1)


def finest_sums(
    bands: FixedBands,
    *,
    size: tuple[int, int],
    weights: tuple[int, ...],
    gain: float,
    with_aim: bool,
) -> Int[Array, "rows 9"]:
    """Sums of cubes in each row of scale 0, to be rounded by `summed`.

    Args:
        bands: detail bands, as `wavelet` gives them.
        size: height and width of the whole bands.
        weights: contrast sensitivity of each orientation, in the scale's fixed point.
        gain: limit of the enhancement gain.
        with_aim: False to leave the second three 0.

    Returns:
        int64 sums of masked restored detail, masked additive impairment and reference detail, each
        of three orientations.
    """
    region, scales = Region.of(*size), Finest(size[1], weights)

    def rows(*bands: Array) -> Array:
        return _row_sums(None, [x[:, None] for x in bands], scales, gain, with_aim)

    return map_rows(rows, bands, height=region.height, halo=2, first=max(region.top - 1, 0))


def coarse_sums(
    bands: Sequence[FixedBands], *, sizes: Sequence[tuple[int, int]],
    weights: Sequence[tuple[int, ...]], gain: float, with_aim: bool,
) -> list[Int[Array, "_rows 9"]]:  # fmt: skip
    """`finest_sums` of the scales 1 to 3; bands, sizes and weights are those of each scale."""
    scales = Coarse(tuple(sizes), tuple(weights))

    def rows(first: Array, sheet: Array) -> Array:
        return _row_sums(first, [sheet], scales, gain, with_aim)

    images = jnp.asarray(scales.first_rows()), scales.sheet(bands)
    return scales.rows_of(map_rows(rows, images, height=scales.shape[0] - 2, halo=2))


def summed(
    sums: Sequence[Int[Array, "_rows 9"] | None], sizes: Sequence[tuple[int, int]]
) -> Int[Array, "scales 3 3"]:
    """Sums over the rows of every scale, as the reference accumulates them: every row rounded.

    Args:
        sums: those of each scale, None for one that is left out.
        sizes: height and width of their whole bands.

    Returns:
        For every scale rows of masked restored detail, masked additive impairment and reference
        detail, columns for the orientations; in the units that `cube_bits` states.
    """
    most = max(Region.of(*size).height for size in sizes)
    none = jnp.zeros((0, 9), jnp.int64)
    found = [none if x is None else x for x in sums]
    rows = jnp.stack([jnp.pad(x, ((0, most - len(x)), (0, 0))) for x in found])
    bits = np.array(
        [
            [log2_ceil(size[0])] * 6 + [_reference_row_shift(scale, Region.of(*size))] * 3
            for scale, size in enumerate(sizes)
        ]
    )[:, None]
    rounded = (rows + ((1 << bits) >> 1)) >> bits
    kinds = jnp.split(jnp.moveaxis(rounded, 1, -1), 3, axis=1)
    return jnp.stack(joint_row_sums(*kinds), axis=1)


def cube_bits(scale: int, size: tuple[int, int]) -> np.ndarray:
    """Fractional bits of one scale's `summed`, same shape, for bands of `size`."""
    region = Region.of(*size)
    masked = [
        _MASKED_BITS[scale][b] - cube_shifts(scale, b, size[1])[1] - log2_ceil(size[0])
        for b in range(3)
    ]
    reference = _REFERENCE_BITS[scale] - _reference_row_shift(scale, region)
    if scale > 0:
        reference -= log2_ceil(region.width)
    return np.array([masked, masked, [reference] * 3])
