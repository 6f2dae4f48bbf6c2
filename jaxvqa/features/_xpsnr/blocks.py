"""Blocks of a picture: their squared errors, and what an error in each weighs."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxvqa._ops.stages import cpu_stage
from jaxvqa._typing import Array, Float

_UHD = 3840 * 2160
# larger pictures are measured at half resolution, smaller ones have their weights smoothed
_HALVED_ABOVE, _SMOOTHED_TO = 2048 * 1152, 640 * 480
_MOTION = 2.0
_ROWS = 16

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
class Grid:
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


def _numbers(codes: Array, most: int) -> Array:
    """Codes in the shortest type that has `most`; floats stay floats."""
    if jnp.issubdtype(codes.dtype, jnp.floating):
        return codes if codes.dtype == np.float64 else codes.astype(jnp.float32)
    kinds = {jnp.int16: 1 << 15, jnp.int32: 1 << 31}
    return codes.astype(next((kind for kind, end in kinds.items() if most < end), jnp.float32))


def _block_sums(terms: Array, down: int, across: int) -> Float[Array, "down across"]:
    """Sums over blocks of a picture; integers are added as such, as far as that is exact."""
    height, width = terms.shape
    rows, columns = -(-height // down), -(-width // across)
    padded = jnp.pad(terms, ((0, rows * down - height), (0, columns * across - width)))
    # few rows at a time: a column of more doesn't stay in a CPU's cache
    few = math.gcd(down, _ROWS)
    few_rows = padded.reshape(rows * down // few, few, columns * across)
    if jnp.issubdtype(terms.dtype, jnp.integer):
        sums = few_rows.sum(1, dtype=jnp.int32).astype(jnp.float32)
    else:
        sums = few_rows.sum(1)
    sums = sums.reshape(rows, down // few, columns * across).sum(1)
    return sums.reshape(rows, columns, across).sum(-1)


def _columns(luma: Array, *, step: int) -> list[Array]:
    """Even and odd columns by themselves, so that a filter of every other sample reads in order."""
    return [luma[:, k::step] for k in range(step)]


def _high_pass(*columns: Array, width: int, peak: int) -> Array:
    """Absolute response of the filter, 0 along the border; one value for each 2x2 samples if 2."""
    step, height = len(columns), columns[0].shape[0]
    taps = _FINE if step == 1 else _coarse()
    numbers = [_numbers(x, peak * sum(w for w in taps.values() if w > 0)) for x in columns]
    total: Any = 0
    for (y, x), weight in taps.items():
        begin, count = (step + x) // step, len(range(step + x, width - step + x, step))
        rows = slice(step + y, height - step + y, step)
        total = total + weight * numbers[x % step][rows, begin : begin + count]
    return jnp.pad(jnp.abs(total), 1)


def _halved(*columns: Array, peak: int) -> Array:
    """Sums of 2x2 samples; the last of an odd number are left out."""
    rows, width = columns[0].shape[0] // 2 * 2, columns[1].shape[1]
    even, odd = (_numbers(x[:rows, :width], 4 * peak) for x in columns)
    pairs = even + odd
    return pairs[::2] + pairs[1::2]


def _motion_sums(*frames: Array, size: int, peak: int) -> dict[str, Array]:
    """How much each block moves, for each place in a clip; the latest frame comes first."""
    now, *earlier = (_numbers(x, 4 * peak) for x in frames)
    motions = {"": now - earlier[0], "_first": now}
    if len(earlier) == 2:
        motions = {"": now - 2 * earlier[0] + earlier[1], "_second": now - 2 * earlier[0]}
        motions["_first"] = now
    return {name: _block_sums(jnp.abs(x), size, size) for name, x in motions.items()}


def square_sums(ref: Array, dis: Array, *, down: int, across: int, peak: int) -> Array:
    """Squared errors of each block."""
    change = _numbers(_numbers(ref, peak) - _numbers(dis, peak), _ROWS * peak**2)
    return _block_sums(change * change, down, across)


def activity_sums(frames: Array, grid: Grid, peak: int) -> dict[str, Array]:
    """Sums over blocks of the high-passed picture, and of its motion for each place in a clip.

    FFmpeg takes what is before the first frame as black, so the first frames seem to move much.

    Args:
        frames: luma of the reference; the last is the frame to weigh, those before it are one or,
            where motion is a second difference, two.
        grid: blocks of the picture.
        peak: largest code.
    """
    size, step = grid.block // grid.step, grid.step
    # units of their own on CPUs: a filter fused with its sum runs one sample at a time there
    latest_first = [cpu_stage(_columns, frame, step=step) for frame in frames[::-1]]
    filtered = cpu_stage(_high_pass, *latest_first[0], width=grid.width, peak=peak)
    samples = [
        columns[0] if step == 1 else cpu_stage(_halved, *columns, peak=peak)
        for columns in latest_first
    ]
    motions = cpu_stage(_motion_sums, *samples, size=size, peak=peak * step**2)
    return {"spatial": _block_sums(filtered, size, size), **motions}


def block_weights(activity: dict[str, Array], grid: Grid, bit_depth: int) -> dict[str, Array]:
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
