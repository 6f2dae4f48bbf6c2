"""One view of clips given as files and clips given as arrays."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from jaxvqa._planes import Planes, as_pair, chroma_size
from jaxvqa._scoring.result import ClipInfo, Notice
from jaxvqa.video._pairing import Pair, open_pair
from jaxvqa.video._prefetch import prefetch

FramePlanes = tuple[np.ndarray, ...]
FramePair = tuple[int, FramePlanes, FramePlanes]

# decoded frame pairs that may wait for the device
_AHEAD = 8


@dataclass
class Source:
    """A pair of clips ready to be read once.

    Args:
        clip: what the frames look like.
        example: frames of one picture with a frame axis, for static checks; not real samples.
        frame_count: number of pairs, or None if only the end will tell.
        frames: the pairs.
        notices: what reading found out; complete after the last frame.
    """

    clip: ClipInfo
    example: Planes
    frame_count: int | None
    frames: Iterable[FramePair]
    pair: Pair | None = None

    @property
    def expected_count(self) -> int | None:
        """About how many pairs there will be, as files announce it; None for arrays."""
        return None if self.pair is None else self.pair.expected_count

    @property
    def notices(self) -> list[Notice]:
        """What reading found out; complete after the last frame."""
        if self.pair is None:
            return []
        return [Notice("input", text) for text in self.pair.warnings]


def is_path(x: Any) -> bool:
    """True for what names a file."""
    return isinstance(x, (str, os.PathLike))


def _example(info: Any, dtype: Any) -> Planes:
    luma = jax.ShapeDtypeStruct((1, info.height, info.width), dtype)
    chroma = None
    if info.chroma != "400":
        chroma = jax.ShapeDtypeStruct(
            (1, *chroma_size(info.height, info.width, info.chroma)), dtype
        )
    return Planes(luma, chroma, chroma, bit_depth=info.bit_depth)


@contextlib.contextmanager
def open_files(
    ref: Any,
    dis: Any,
    *,
    width: int | None,
    height: int | None,
    pixel_format: str | None,
    bit_depth: int | None,
    skip_ref: int,
    skip_dis: int,
    frame_count: int | None,
    on_length_mismatch: str,
) -> Iterator[Source]:
    """Opens two files; frames are decoded in a thread ahead of the consumer."""
    with open_pair(
        ref, dis, width=width, height=height, pixel_format=pixel_format, bit_depth=bit_depth,
        skip_ref=skip_ref, skip_dis=skip_dis, frame_count=frame_count,
        on_length_mismatch=on_length_mismatch,
    ) as pair:  # fmt: skip
        info = pair.ref.info
        clip = ClipInfo(
            info.width, info.height, info.bit_depth, info.chroma,
            fps=float(info.fps) if info.fps else None, ref_path=os.fspath(ref),
            dis_path=os.fspath(dis),
        )  # fmt: skip
        example = _example(info, np.uint8 if info.bit_depth == 8 else np.uint16)
        with prefetch(pair, _AHEAD) as frames:
            yield Source(clip, example, pair.frame_count, frames, pair)


@contextlib.contextmanager
def open_arrays(
    ref: Any,
    dis: Any,
    *,
    bit_depth: int | None,
    fps: float | None,
    frame_count: int | None,
    skip_ref: int,
    skip_dis: int,
    on_length_mismatch: str,
) -> Iterator[Source]:
    """Views luma arrays or `Planes` as a source; unequal lengths follow the policy of files."""
    ref, dis, dropped = _align(ref, dis, skip_ref, skip_dis, frame_count, on_length_mismatch)
    ref, dis = as_pair(ref, dis, bit_depth)
    clip = ClipInfo(ref.width, ref.height, ref.depth, ref.chroma, fps=fps)

    def frames() -> Iterator[FramePair]:
        for i in range(ref.frames):
            yield (
                i,
                tuple(np.asarray(p[i]) for p in jax.tree.leaves(ref)),
                tuple(np.asarray(p[i]) for p in jax.tree.leaves(dis)),
            )

    source = _ArraySource(clip, ref, ref.frames, frames())
    if dropped:
        source.dropped = dropped
    yield source


@dataclass
class _ArraySource(Source):
    dropped: str = ""

    @property
    def notices(self) -> list[Notice]:
        return [Notice("input", self.dropped)] if self.dropped else []


def _align(
    ref: Any, dis: Any, skip_ref: int, skip_dis: int, count: int | None, policy: str
) -> tuple[Any, Any, str]:
    """Applies skips, frame count and the length policy to arrays with a frame axis."""

    def length(x: Any) -> int | None:
        y = x.y if isinstance(x, Planes) else x
        return y.shape[0] if getattr(y, "ndim", 0) == 3 else None

    n, m = length(ref), length(dis)
    if n is None or m is None:
        return ref, dis, ""
    if skip_ref < 0 or skip_dis < 0 or skip_ref >= n or skip_dis >= m:
        raise ValueError(
            f"skip_ref={skip_ref} and skip_dis={skip_dis} must leave frames of clips with {n} and "
            f"{m} frames."
        )
    n, m, dropped = n - skip_ref, m - skip_dis, ""
    if count is not None:
        if count < 1:
            raise ValueError(f"frame_count must be at least 1, got {count}.")
        n, m = min(n, count), min(m, count)
    if n != m and policy == "truncate":
        longer = "reference" if n > m else "distorted video"
        dropped = (
            f"the last {abs(n - m)} frames of the {longer} had no partner and were not scored."
        )
        n = m = min(n, m)
    ref = jax.tree.map(lambda p: p[skip_ref : skip_ref + n], ref)
    dis = jax.tree.map(lambda p: p[skip_dis : skip_dis + m], dis)
    return ref, dis, dropped
