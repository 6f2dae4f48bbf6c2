"""Fixed-point arithmetic of libvmaf's `adm`: decoupling, masking and cube sums of one scale.

Every integer equals the plain-C extractor's, its two overflows included: one that full-contrast
pictures reach (`_fifteenth` at scale 0), one that every picture reaches (the same and `_thirtieth`
at the other scales). Scale 0 fits 32 bits up to the squares; the other scales carry 32-bit bands
whose products need 64 bits, and up to 2^62, so float64 would not be exact. Factors are widened
from 32 bits just before they are multiplied, which compilers turn into one widening product per
vector lane, and non-negative values are unsigned, since vector units shift those faster.

Source: libvmaf f85a853, `integer_adm.c`. Call `scale_sums` inside `jax.enable_x64(True)`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np

from jaxvqa._typing import Array, Int
from jaxvqa.features._adm_wavelet import Bands, Region
from jaxvqa.ops.stages import integer_row_sums, stage
from jaxvqa.ops.tiling import map_rows

# squared cosine of one degree, rounded to float32 as in the reference
_COSINE_SQUARED = float(np.float32(math.cos(math.pi / 180.0) ** 2))
# by orientation (horizontal, vertical, diagonal), at scale 0
_MASKER_ADD = (16384, 16384, 65535)
_MASKER_SHIFT = (15, 15, 17)
_THRESHOLD_SHIFT = (10, 10, 12)
_SQUARE_SHIFT = (29, 29, 30)
_CUBE_SHIFT_OFFSET = (4, 4, 3)
# by scale: fractional bits of masked cubes before the shifts for size, of the reference's cubes,
# and the shift of the reference's squares
_MASKED_BITS = ((52, 52, 57), (45, 45, 45), (39, 39, 39), (36, 36, 36))
_REFERENCE_BITS = (18, 32, 27, 23)
_REFERENCE_SQUARE_SHIFT = (0, 31, 30, 31)


def _log2_ceil(n: int) -> int:
    return (n - 1).bit_length()


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


def _aligned(*vectors: Array, wide: np.dtype) -> Array:
    """True where the (horizontal, vertical) vectors of reference and distorted are within 1 degree.

    The reference rounds exact integers to float32 and multiplies in float64; so does this. Both
    sides are products only, so there is nothing that a compiler could contract.
    """
    oh, ov, th, tv = (x.astype(wide) for x in vectors)

    def dot(a: Array, b: Array, c: Array, d: Array) -> Array:
        return (a * b + c * d).astype(jnp.float32).astype(jnp.float64)

    cross, oo, tt = dot(oh, th, ov, tv), dot(oh, oh, ov, ov), dot(th, th, tv, tv)
    return (cross >= 0) & (cross * cross >= _COSINE_SQUARED * oo * tt)


def _restored_size(size: Array, negative: Array, same: Array, scale: int) -> Array:
    """|k o| as an integer, with k = t / o clipped to 0..1 and rounded to 15 bits.

    `size` is |o|; `same` is t with the sign of o taken off, clipped at 0. The reference rounds
    halves of the signed product up, so halves of a negative product go down in magnitude.
    """
    half = 16384 - negative.astype(jnp.int32)
    if scale == 0:
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


def _with_gain(restored: Array, same: Array, gain: float, scale: int) -> Array:
    """`min(restored * gain, same)` without its fraction."""
    if gain == 1.0:
        return jnp.minimum(restored, same)
    if scale == 0 and gain == int(gain):
        return jnp.minimum(restored * int(gain), same)
    product = restored.astype(jnp.float64) * gain
    return jnp.minimum(product, same.astype(jnp.float64)).astype(jnp.int32)


def _restored(o: Array, t: Array, aligned: Array, *, gain: float, scale: int) -> Array:
    """What a band `t` of the distorted picture still has of the reference's `o`."""
    negative = o < 0
    o32, t32 = o.astype(jnp.int32), t.astype(jnp.int32)
    same = jnp.maximum(jnp.where(negative, -t32, t32), 0)
    size = _restored_size(jnp.abs(o32), negative, same, scale)
    size = jnp.where(aligned, _with_gain(size, same, gain, scale), size)
    return jnp.where(negative, -size, size).astype(o.dtype)


def _masker(band: Array, weight: int, scale: int, orientation: int) -> Array:
    """Magnitude of a weighted band as the reference stores it for masking."""
    if scale == 0:
        product = band.astype(jnp.int32) * weight + _MASKER_ADD[orientation]
        return jnp.abs(product >> _MASKER_SHIFT[orientation])
    return jnp.abs(((band.astype(jnp.int64) * weight + (1 << 27)) >> 28).astype(jnp.int32))


def _thirtieth(y: Array, scale: int) -> Array:
    """What a masker adds to the threshold of each of its eight neighbours."""
    if scale == 0:
        return (4369 * y + 2048) >> 12
    # the rounding constant 2^31 is negative in the reference's 32-bit variable: one too little
    return ((_unsigned(y) * 143165577 + (1 << 31)) >> 32).astype(jnp.int32) - 1


def _fifteenth(y: Array, scale: int) -> Array:
    """What a masker adds to the threshold at its own place."""
    if scale == 0:
        # kept in 16 bits by the reference, which wrap near full contrast
        return ((8738 * y + 2048) >> 12).astype(jnp.int16).astype(jnp.int32)
    return ((_unsigned(y) * 286331153 + (1 << 31)) >> 32).astype(jnp.int32) - 1


def _maskers(bands: Sequence[Array], weights: tuple[int, ...], scale: int) -> list[Array]:
    pairs = enumerate(zip(bands, weights, strict=True))
    return [_masker(band, weight, scale, b) for b, (band, weight) in pairs]


def _near(*bands: Array, weights: tuple[int, ...], scale: int) -> Array:
    """What the bands at one place add to the thresholds around it."""
    h, v, d = (_thirtieth(y, scale) for y in _maskers(bands, weights, scale))
    return h + v + d


def _surrounded(near: Array, *bands: Array, weights: tuple[int, ...], scale: int) -> Array:
    """Thresholds from what the places around and each place itself add."""
    inner = [x[1:-1, 1:-1] for x in bands]
    h, v, d = (_fifteenth(y, scale) for y in _maskers(inner, weights, scale))
    rows = near[:-2] + near[1:-1] + near[2:]
    box = rows[:, :-2] + rows[:, 1:-1] + rows[:, 2:]
    return box - near[1:-1, 1:-1] + h + v + d


def _threshold(bands: Sequence[Array], weights: tuple[int, ...], scale: int) -> Array:
    """Masking threshold that `bands` set at all but the outer samples."""
    near = stage(_near, *bands, weights=weights, scale=scale)
    return stage(_surrounded, near, *bands, weights=weights, scale=scale)


def _cubes(x: Array, square_shift: int, shift: int) -> Array:
    """Rounded cubes of `x >= 0`."""
    wide = _unsigned(x)
    square = _unsigned((wide * wide + (1 << (square_shift - 1))) >> square_shift)
    return ((square * wide + (1 << (shift - 1))) >> shift).astype(jnp.int64)


def _cube_shifts(scale: int, orientation: int, width: int) -> tuple[int, int]:
    """Shifts of the square and of the cube in a band of `width` columns."""
    if scale == 0:
        return _SQUARE_SHIFT[orientation], _log2_ceil(width) - _CUBE_SHIFT_OFFSET[orientation]
    return 30, _log2_ceil(width)


def _masked(
    band: Array, threshold: Array, *, weight: int, scale: int, orientation: int, width: int
) -> Array:
    """Cubes of how far a weighted band rises above the threshold."""
    band = band[1:-1, 1:-1]
    if scale == 0:
        signal = jnp.abs(band.astype(jnp.int32) * weight)
        threshold = threshold << _THRESHOLD_SHIFT[orientation]
    else:
        signal = _masker(band, weight, scale, orientation)
    excess = jnp.maximum(signal - threshold, 0)
    return _cubes(excess, *_cube_shifts(scale, orientation, width))


def _reference_cubes(band: Array, *, scale: int, width: int) -> Array:
    """|o|^3 over the region, for the denominator."""
    wide = _unsigned(jnp.abs(band[1:-1, 1:-1].astype(jnp.int32)))
    if scale == 0:
        return (_unsigned(wide * wide) * wide).astype(jnp.int64)
    # the reference adds 2^bits where rounding would add half of it
    bits, shift = _REFERENCE_SQUARE_SHIFT[scale], _log2_ceil(width)
    square = _unsigned((wide * wide + (1 << bits)) >> bits)
    return ((square * wide + (1 << (shift - 1))) >> shift).astype(jnp.int64)


def _reference_row_shift(scale: int, region: Region) -> int:
    if scale == 0:
        return max(_log2_ceil(region.height * region.width) - 20, 0)
    return _log2_ceil(region.height)


def scale_sums(
    ref: Bands,
    dis: Bands,
    *,
    scale: int,
    size: tuple[int, int],
    weights: tuple[int, ...],
    gain: float,
    with_aim: bool,
) -> Int[Array, "rows 9"]:
    """Sums of cubes in each row of one scale, to be rounded by `summed`.

    Args:
        ref: detail bands of the reference over the region plus one sample around.
        dis: the same of the distorted picture.
        scale: 0 to 3.
        size: height and width of the whole bands.
        weights: contrast sensitivity of each orientation, in the scale's fixed point.
        gain: limit of the enhancement gain.
        with_aim: False to leave the second three 0.

    Returns:
        int64 sums of masked restored detail, masked additive impairment and reference detail, each
        of three orientations.
    """
    region = Region.of(*size)
    wide = np.dtype(np.int32 if scale == 0 else np.int64)

    def masked(signal: Sequence[Array], masker: Sequence[Array]) -> list[Array]:
        threshold = _threshold(masker, weights, scale)
        return [
            stage(_masked, x, threshold, weight=w, scale=scale, orientation=b, width=size[1])
            for b, (x, w) in enumerate(zip(signal, weights, strict=True))
        ]

    def rows(*bands: Array) -> Array:
        ref, dis = bands[:3], bands[3:]
        aligned = stage(_aligned, *ref[:2], *dis[:2], wide=wide)
        restored = [
            stage(_restored, o, t, aligned, gain=gain, scale=scale)
            for o, t in zip(ref, dis, strict=True)
        ]
        additive = [stage(jnp.subtract, t, r) for t, r in zip(dis, restored, strict=True)]
        detail = masked(restored, additive)
        aim = masked(additive, restored) if with_aim else []
        reference = [stage(_reference_cubes, o, scale=scale, width=region.width) for o in ref]
        sums = integer_row_sums(*detail, *aim, *reference)
        none = [] if with_aim else [jnp.zeros_like(sums[0])] * 3
        return jnp.stack([*sums[:-3], *none, *sums[-3:]], axis=-1)

    return map_rows(rows, (*ref, *dis), height=region.height, halo=2, first=max(region.top - 1, 0))


def summed(
    sums: Sequence[Int[Array, "_rows 9"] | None], sizes: Sequence[tuple[int, int]]
) -> Int[Array, "scales 3 3"]:
    """Sums over the rows of every scale, as the reference accumulates them: every row rounded.

    Args:
        sums: `scale_sums` of the scales, None for one that is left out.
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
            [_log2_ceil(size[0])] * 6 + [_reference_row_shift(scale, Region.of(*size))] * 3
            for scale, size in enumerate(sizes)
        ]
    )[:, None]
    return ((rows + ((1 << bits) >> 1)) >> bits).sum(1).reshape(-1, 3, 3)


def cube_bits(scale: int, size: tuple[int, int]) -> np.ndarray:
    """Fractional bits of one scale's `summed`, same shape, for bands of `size`."""
    region = Region.of(*size)
    masked = [
        _MASKED_BITS[scale][b] - _cube_shifts(scale, b, size[1])[1] - _log2_ceil(size[0])
        for b in range(3)
    ]
    reference = _REFERENCE_BITS[scale] - _reference_row_shift(scale, region)
    if scale > 0:
        reference -= _log2_ceil(region.width)
    return np.array([masked, masked, [reference] * 3])
