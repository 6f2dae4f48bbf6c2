"""The unified transform of the FUNQUE family: planes to Haar pyramids, once a frame.

Every extractor names a `Transform` and a function of pyramids. This module turns frames into
pyramids, hands each frame's pyramids to the atoms together with what they remember of the frame
before, and so computes nothing twice: one loop over the frames carries the memory along.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from jaxvqa._checks import check_min_size
from jaxvqa._ops.tiling import STRIP_ROWS, map_rows
from jaxvqa._planes import Planes
from jaxvqa._typing import Array, Num
from jaxvqa.features._feature import Series
from jaxvqa.features._funque.csf import SPATIAL_CSF, spatial_csf, wavelet_weights
from jaxvqa.features._funque.haar import Pyramid, pyramid, repeated_pyramid
from jaxvqa.features._funque.sast import half_size

CHANNELS = ("y", "u", "v")


class PyramidPair(NamedTuple):
    """Pyramids of the reference and the distorted frame, by channel."""

    ref: dict[str, Pyramid]
    dis: dict[str, Pyramid]


@dataclass(frozen=True)
class Transform:
    """How planes become pyramids.

    Args:
        levels: levels of the pyramid.
        csf: a name of `csf.py`, wavelet or spatial, or "none".
        half: halve the picture first (`sast.py`).
        multiple: crop the (halved) picture to a multiple of this, top left kept; 1 keeps all of
            it, and then levels of odd length repeat their last sample.
        channels: which of "y", "u", "v".
    """

    levels: int
    csf: str
    half: bool
    multiple: int
    channels: tuple[str, ...] = ("y",)

    def cropped(self, height: int, width: int) -> tuple[int, int]:
        """Rows and columns of the transformed part of a picture, in (halved) luma samples."""
        shift = 1 if self.half else 0
        m = self.multiple
        return (height >> shift) // m * m, (width >> shift) // m * m

    @property
    def min_size(self) -> int:
        """Smallest picture side that leaves a sample on the coarsest level."""
        side = max(self.multiple, 1 << self.levels)
        return side * (2 if self.half else 1)

    def check(self, name: str, height: int, width: int) -> None:
        """Raises ValueError for a picture too small for the pyramid."""
        check_min_size(name, height, width, self.min_size, self.min_size)


def plane_pyramid(
    plane: Num[Array, "h w"],
    channel: str,
    luma_size: tuple[int, int],
    bit_depth: int,
    transform: Transform,
    *,
    rounded: bool,
) -> Pyramid:
    """The pyramid of one plane.

    Args:
        plane: code values; chroma at its own size (it is enlarged by repetition).
        channel: "y", "u" or "v", for weights that tell them apart.
        luma_size: height and width of the luma plane.
        bit_depth: bits per sample; samples are divided by 2^bit_depth - 1.
        transform: what to do.
        rounded: round the halved picture to whole codes, as the reference does.
    """
    spatial = transform.csf in SPATIAL_CSF
    weights = None
    if not spatial and transform.csf != "none":
        weights = wavelet_weights(transform.csf, transform.levels, channel)
    keep, build = transform.cropped(*luma_size), pyramid
    if not transform.half:
        plane, keep, build = _enlarged(plane, luma_size, keep, spatial)
    peak = float((1 << bit_depth) - 1)
    precise = rounded and channel == "y" and not (spatial and transform.half)
    precise = precise and jnp.issubdtype(plane.dtype, jnp.integer)
    # strips hold whole blocks of the coarsest level; a picture without such is one strip
    block = 1 << transform.levels
    block = block if keep[0] % block == 0 else keep[0]

    def samples(codes: Array) -> Array:
        return _divided(codes.astype(jnp.float64) if precise else _to_float(codes), peak)

    def blocks(x: Array) -> Pyramid:
        bands = build(x, transform.levels, weights)
        if precise:
            bands = jax.tree.map(lambda band: band.astype(jnp.float32), bands)
        return jax.tree.map(
            lambda band: band.reshape(x.shape[0] // block, -1, band.shape[-1]), bands
        )

    def transformed(codes: Array) -> Pyramid:
        with _float64_if(precise):
            return blocks(samples(codes))

    halving = {"rounded": rounded, "keep": keep}
    if spatial:
        codes = half_size(plane, luma_size, bit_depth, **halving) if transform.half else plane
        with _float64_if(precise):
            bands = spatial_csf(codes, transform.csf, first=samples, then=blocks, block=block)
    elif transform.half:
        bands = half_size(plane, luma_size, bit_depth, **halving, then=transformed, block=block)
    else:
        rows = max(1, STRIP_ROWS // block)
        bands = map_rows(transformed, (plane,), height=keep[0] // block, stride=block, rows=rows)
    return jax.tree.map(lambda x: x.reshape(-1, x.shape[-1]), bands)


def _enlarged(
    plane: Num[Array, "h w"], luma_size: tuple[int, int], keep: tuple[int, int], spatial: bool
) -> tuple[Array, tuple[int, int], Callable[..., Pyramid]]:
    """A plane at luma size by repetition, cropped; or at its own, if the pyramid can repeat it.

    Returns:
        The plane, its size, and what makes the pyramid.
    """
    factors = [-(-luma // own) for own, luma in zip(plane.shape, luma_size, strict=True)]
    build: Callable[..., Pyramid] = pyramid
    if factors == [2, 2] and not spatial and all(side % 2 == 0 for side in keep):
        keep, build = (keep[0] // 2, keep[1] // 2), repeated_pyramid
    else:
        for axis, factor in enumerate(factors):
            plane = jnp.repeat(plane, factor, axis) if factor > 1 else plane
    return plane[: keep[0], : keep[1]], keep, build


def _float64_if(precise: bool) -> AbstractContextManager[Any]:
    """A scope for pyramids in float64, whose bands are then rounded to float32.

    DLM reads the sign of details that are 0 but for rounding. float64 in the reference's order
    has the reference's rounding, and float32 keeps the sign: DLM then agrees to 1e-6, not 4e-4.
    The difference of two nearly equal activities gains a digit.
    """
    return jax.enable_x64(True) if precise else nullcontext()


def _divided(codes: Array, peak: float) -> Array:
    """`codes / peak`, correctly rounded.

    XLA makes division by a constant a product with its rounded reciprocal, which moves samples by
    a bit; so the constant is hidden.
    """
    return codes / (codes * 0.0 + peak)


def _to_float(codes: Array) -> Array:
    return codes.astype(jnp.float64 if codes.dtype == jnp.float64 else jnp.float32)


def is_rounded(planes: Planes) -> bool:
    """Whether a clip is scored (whole codes, rounded as the reference) or trained on (floats)."""
    return bool(jnp.issubdtype(planes.y.dtype, jnp.integer))


def over_frames(
    ref: Planes,
    dis: Planes,
    transform: Transform,
    memory: Callable[[PyramidPair], Any],
    atoms: Callable[[PyramidPair, Any], Mapping[str, Array]],
    *,
    rounded: bool,
) -> Series:
    """Runs atoms over the frames of a clip that has one extra frame in front.

    Args:
        ref: reference planes `(1 + n, h, w)`.
        dis: distorted planes.
        transform: how planes become pyramids.
        memory: what the next frame needs of this frame's pyramids.
        atoms: values of a frame from its pyramids and the frame before's memory.
        rounded: see `plane_pyramid`.

    Returns:
        `{name: (n,)}`.
    """
    luma_size = (ref.height, ref.width)
    # a Planes without unused chroma, so that the loop doesn't carry it along
    stacks = [{c: getattr(side, c) for c in transform.channels} for side in (ref, dis)]

    @jax.checkpoint
    def pyramids(index: Array) -> PyramidPair:
        def side(stack: dict[str, Array]) -> dict[str, Pyramid]:
            return {
                c: plane_pyramid(
                    jax.lax.dynamic_index_in_dim(frames, index, keepdims=False),
                    c, luma_size, ref.depth, transform, rounded=rounded,
                )
                for c, frames in stack.items()
            }  # fmt: skip

        return PyramidPair(side(stacks[0]), side(stacks[1]))

    shape = jax.eval_shape(pyramids, jax.ShapeDtypeStruct((), jnp.int32))
    before = jax.tree.map(lambda s: jnp.zeros(s.shape, s.dtype), jax.eval_shape(memory, shape))
    values = jax.eval_shape(atoms, shape, before)
    nothing = jax.tree.map(lambda s: jnp.zeros(s.shape, s.dtype), values)

    def step(before: Any, index: Array) -> tuple[Any, Mapping[str, Array]]:
        now = pyramids(index)
        # the frame in front only fills the memory; transforming it here, and not ahead of the
        # loop, makes a clip in chunks give the same bits as the clip at once
        found = jax.lax.cond(index > 0, lambda: atoms(now, before), lambda: nothing)
        return memory(now), found

    _, series = jax.lax.scan(step, before, jnp.arange(ref.frames, dtype=jnp.int32))
    return {name: value[1:] for name, value in series.items()}
