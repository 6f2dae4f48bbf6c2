"""The picture type: luma and chroma planes with their bit depth, as one pytree."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxvqa import _checks as checks
from jaxvqa._pytree import pytree, static
from jaxvqa._typing import Array, Float, Integer

CHROMA_FORMATS = ("400", "420", "422", "444")


def chroma_size(height: int, width: int, chroma: str) -> tuple[int, int]:
    """Height and width of the chroma planes; odd luma sizes round up, as decoders store them."""
    if chroma == "420":
        return (height + 1) // 2, (width + 1) // 2
    if chroma == "422":
        return height, (width + 1) // 2
    return height, width


@pytree()
class Planes:
    """Frames of video as code values: luma, optional chroma, and the bit depth.

    Args:
        y: luma, shape `(frames, height, width)` or `(height, width)`; uint8, uint16 or float code
            values (0 to 2^bit_depth - 1).
        u: Cb at its own size, or None for a monochrome picture.
        v: Cr, the same shape as `u`.
        bit_depth: bits per sample; may be left out for uint8 only.

    Raises:
        ValueError: a missing bit depth, or chroma that fits no format, or only one chroma plane.
        TypeError: a dtype other than uint8, uint16 or float.

    A `Planes` is a pytree whose leaves are the planes, so `jit`, `vmap` and `grad` take it.
    """

    y: Any
    u: Any = None
    v: Any = None
    bit_depth: int | None = static(default=None)

    def __post_init__(self) -> None:
        """Checks what can be checked without looking at sample values."""
        for name, plane in (("y", self.y), ("u", self.u), ("v", self.v)):
            if plane is None and name != "y":
                continue
            if plane is None or not (hasattr(plane, "ndim") and hasattr(plane, "dtype")):
                raise TypeError(
                    "Planes takes arrays: wrap lists in numpy.asarray(..., numpy.uint8)."
                )
            checks.check_sample_dtype(name, plane.dtype)
        object.__setattr__(self, "bit_depth", checks.check_bit_depth(self.bit_depth, self.y.dtype))
        if (self.u is None) != (self.v is None):
            raise ValueError("give both chroma planes u and v, or neither for monochrome video.")
        if self.u is None:
            return
        if self.u.shape != self.v.shape:
            raise ValueError(f"u and v differ in shape: {self.u.shape} against {self.v.shape}.")
        if self.y.ndim >= 2 and self._find_chroma() is None:
            raise ValueError(
                f"chroma planes of {self.u.shape[-1]}x{self.u.shape[-2]} fit no format of a "
                f"{self.width}x{self.height} luma plane: 4:2:0, 4:2:2 and 4:4:4 are known "
                "(odd sizes round up)."
            )

    def replace(self, **fields: Any) -> Planes:
        """The same with some fields replaced, checked anew."""
        return dataclasses.replace(self, **fields)

    def _find_chroma(self) -> str | None:
        if self.u is None:
            return "400"
        for chroma in ("444", "422", "420"):
            if self.u.shape[-2:] == chroma_size(self.height, self.width, chroma):
                return chroma
        return None

    @property
    def height(self) -> int:
        """Luma rows."""
        return self.y.shape[-2]

    @property
    def width(self) -> int:
        """Luma columns."""
        return self.y.shape[-1]

    @property
    def chroma(self) -> str:
        """Chroma format: "400", "420", "422" or "444"."""
        found = self._find_chroma()
        assert found is not None  # the constructor refused everything else
        return found

    @property
    def frames(self) -> int:
        """Number of frames; 1 for a `(height, width)` picture."""
        return 1 if self.y.ndim == 2 else self.y.shape[0]

    @property
    def peak(self) -> int:
        """Largest code value, 2^bit_depth - 1."""
        return (1 << self.depth) - 1

    @property
    def depth(self) -> int:
        """The bit depth as a plain int."""
        assert self.bit_depth is not None
        return self.bit_depth

    def luma_only(self) -> Planes:
        """The same frames without chroma."""
        return Planes(self.y, bit_depth=self.bit_depth)


def picture_form(height: int, width: int, chroma: str, bit_depth: int, dtype: Any = None) -> Planes:
    """A picture with a frame axis and without samples, for static checks.

    Args:
        height: luma rows.
        width: luma columns.
        chroma: "400", "420", "422" or "444".
        bit_depth: bits per sample.
        dtype: of the samples; None takes the smallest whole numbers.
    """
    dtype = dtype or (np.uint8 if bit_depth == 8 else np.uint16)
    y: Any = jax.ShapeDtypeStruct((1, height, width), dtype)
    u: Any = None
    if chroma != "400":
        u = jax.ShapeDtypeStruct((1, *chroma_size(height, width, chroma)), dtype)
    return Planes(y, u, u, bit_depth=bit_depth)


if TYPE_CHECKING:
    VideoLike = Planes | Array | np.ndarray
else:  # checked by `as_planes`, with a sentence of its own
    VideoLike = Any


def as_planes(name: str, video: VideoLike, bit_depth: int | None) -> Planes:
    """Makes a `Planes` with a frame axis from luma arrays or from a `Planes`."""
    if isinstance(video, Planes):
        if bit_depth is not None and bit_depth != video.bit_depth:
            raise ValueError(
                f"{name} carries bit_depth={video.bit_depth}, but bit_depth={bit_depth} was given: "
                "leave the argument out."
            )
        planes = video
    elif hasattr(video, "shape") and hasattr(video, "dtype"):
        checks.check_sample_dtype(name, video.dtype)
        planes = Planes(video, bit_depth=checks.check_bit_depth(bit_depth, video.dtype))
    else:
        raise TypeError(
            f"{name} must be an array of luma code values or a jaxvqa.Planes, "
            f"got {type(video).__name__}."
        )
    if planes.y.ndim not in (2, 3):
        raise ValueError(
            f"{name} has shape {planes.y.shape}: luma is (frames, height, width) or "
            "(height, width); use jax.vmap over clips."
        )
    if 0 in planes.y.shape:
        raise ValueError(f"{name} is empty: its luma shape is {planes.y.shape}.")
    if planes.y.ndim == 2:
        planes = jax.tree.map(lambda p: p[None], planes)
    return planes


def as_pair(ref: VideoLike, dis: VideoLike, bit_depth: int | None) -> tuple[Planes, Planes]:
    """Checks a reference and a distorted video against each other; both come back with frames."""
    ref = as_planes("ref", ref, bit_depth)
    dis = as_planes("dis", dis, bit_depth)
    size = lambda p: f"{p.width}x{p.height}"  # noqa: E731
    checks.check_same("size", size(ref), size(dis), "scale one of them first.")
    checks.check_same("bit depth", ref.bit_depth, dis.bit_depth, "convert one of them first.")
    checks.check_same("number of frames", ref.frames, dis.frames, "cut the longer one.")
    if ref.u is not None and dis.u is not None:
        checks.check_same("chroma format", ref.chroma, dis.chroma, "convert one of them first.")
    return ref, dis


def libvmaf_chroma_size(planes: Planes) -> tuple[int, int]:
    """Chroma rows and columns that count: libvmaf drops the last of an odd luma size.

    Decoders round up. A picture one sample wide or high keeps the one that it has.
    """
    height = planes.height // 2 if planes.chroma == "420" else planes.height
    width = planes.width // 2 if planes.chroma in ("420", "422") else planes.width
    return max(height, 1), max(width, 1)


def to_float(codes: Any, bit_depth: int, *, offset: float = 0.0) -> Float[Array, "*shape"]:
    """Code values on the 8-bit scale as floats: `codes / 2^(bit_depth - 8) + offset`.

    float64 stays float64; every other dtype becomes float32.
    """
    dtype = jnp.float64 if codes.dtype == np.float64 else jnp.float32
    return jnp.asarray(codes).astype(dtype) * (1.0 / (1 << (bit_depth - 8))) + offset


def to_codes(samples: Any, bit_depth: int) -> Integer[Array, "*shape"]:
    """Float samples as the integer codes that a file would store, without gradient."""
    codes = jnp.clip(jnp.rint(jax.lax.stop_gradient(samples)), 0, (1 << bit_depth) - 1)
    return codes.astype(jnp.uint8 if bit_depth == 8 else jnp.uint16)
