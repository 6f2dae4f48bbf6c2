"""Which frames of two arrays are compared: by number, or by the times that come with them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import jax
import numpy as np

from jaxvqa._notice import Notice
from jaxvqa._planes import Planes
from jaxvqa.video._inputs import InputOptions, check_for_arrays, settle_lengths
from jaxvqa.video._pair.alignment import likelier, some_of
from jaxvqa.video._pair.choice import PairChoice, choose
from jaxvqa.video._pair.report import PairingReport, Unpaired, listed, places
from jaxvqa.video._pair.thumbnail import thumbnail
from jaxvqa.video._timeline import Timeline

_COARSE = 2


@dataclass(frozen=True)
class AlignedArrays:
    """Two arrays whose frames are pairs.

    Args:
        ref: the reference.
        dis: the distorted clip.
        notices: what a user must know.
        fps: frames per second, or None.
        pairing: how they were paired, where times did it.
    """

    ref: Any
    dis: Any
    notices: list[Notice]
    fps: float | None
    pairing: PairingReport | None = None


def align_arrays(ref: Any, dis: Any, inputs: InputOptions) -> AlignedArrays:
    """Applies skips, offset, frame count, times and the length policy.

    Raises:
        ValueError: options that don't fit the arrays.
    """
    check_for_arrays(inputs)
    if inputs.ref_times is None and inputs.dis_times is None:
        return _by_number(ref, dis, inputs)
    return _by_times(ref, dis, inputs)


def _length(x: Any) -> int | None:
    y = x.y if isinstance(x, Planes) else x
    return y.shape[0] if getattr(y, "ndim", 0) == 3 else None


def _by_times(ref: Any, dis: Any, inputs: InputOptions) -> AlignedArrays:
    """Pairs as files are paired that have these times."""
    lines = (
        _timeline("ref", inputs.ref_times, _length(ref), inputs),
        _timeline("dis", inputs.dis_times, _length(dis), inputs),
    )
    skips = inputs.skip_ref, inputs.skip_dis
    lines = lines[0].part(skips[0]), lines[1].part(skips[1])
    offset: Any = inputs.offset
    if inputs.absolute_time:
        if isinstance(offset, int):
            offset = offset / (lines[0].rate or Fraction(1))
        offset = (offset or Fraction(0)) + lines[1].start - lines[0].start

    def luma(side: int, number: int) -> np.ndarray:
        x = (ref, dis)[side]
        y = x.y if isinstance(x, Planes) else x
        return np.asarray(y[number + skips[side]])

    def unlike(other: int, shown: int) -> float:
        a, b = (
            luma(side, number)[::_COARSE, ::_COARSE].astype(np.float32)
            for side, number in ((1, other), (0, shown))
        )
        return float(np.mean((a - b) ** 2))

    def small(side: int, number: int) -> np.ndarray:
        x = (ref, dis)[side]
        depth = x.bit_depth if isinstance(x, Planes) else inputs.bit_depth
        return thumbnail(luma(side, number), depth or 8)

    choice = choose(
        *lines,
        pair=inputs.pair,
        drive=inputs.drive,
        offset=offset or None,
        on_length_mismatch=inputs.on_length_mismatch,
        limit=inputs.frame_count,
        skipped=skips,
        names=("ref", "dis"),
        unlike=unlike,
    )
    if choice.rival is not None:
        choice = _decided(choice, choice.rival, small)
    numbers = choice.strategy.pairs(
        lines[0].numbered(), lines[1].numbered(), limit=inputs.frame_count
    )
    pairs = np.array(list(numbers))
    ref, dis = (
        jax.tree.map(lambda p, side=side: _taken(p, pairs[:, side] + skips[side]), x)
        for side, x in enumerate((ref, dis))
    )
    fps = inputs.fps if lines[0].rate is None else float(lines[0].rate)
    return AlignedArrays(ref, dis, list(choice.notices), fps, choice.strategy.report)


def _decided(
    choice: PairChoice, rival: PairChoice, small: Callable[[int, int], np.ndarray]
) -> PairChoice:
    """Of two ways to pair, that which compares pictures that are more alike."""
    looked = some_of(choice.differing)
    thumbs = [
        {n: small(side, n) for n in {pair[side] for way in looked for pair in way}}
        for side in (0, 1)
    ]
    return rival if likelier(looked, (thumbs[0], thumbs[1])) else choice


def _taken(plane: Any, numbers: np.ndarray) -> Any:
    """Some frames; those in a row without a copy."""
    if (np.diff(numbers) == 1).all():
        return plane[int(numbers[0]) : int(numbers[-1]) + 1]
    return plane[numbers]


def _timeline(
    name: str, times: tuple[Fraction, ...] | None, count: int | None, inputs: InputOptions
) -> Timeline:
    """When the frames of one array are shown."""
    if count is None:
        raise ValueError(f"{name} is a picture and has no times: leave them out.")
    both = inputs.ref_times is not None and inputs.dis_times is not None
    if times is None:
        if inputs.fps is None:
            raise ValueError(f"{name}_times is missing: give it too, or fps for a constant rate.")
        return Timeline.at_rate(count, Fraction(inputs.fps).limit_denominator(1001))
    if both and inputs.fps is not None:
        raise ValueError("fps is for arrays without times, but both have them: leave it out.")
    if len(times) != count:
        raise ValueError(
            f"{name}_times has {len(times)} times for {count} frames: give one for each frame."
        )
    return Timeline.from_seconds(times)


def _by_number(ref: Any, dis: Any, inputs: InputOptions) -> AlignedArrays:
    """Applies skips, offset, frame count and the length policy to arrays with a frame axis."""
    offset = _offset_frames(inputs)
    shifts = max(0, offset), max(0, -offset)
    skips = inputs.skip_ref + shifts[0], inputs.skip_dis + shifts[1]
    n, m = _length(ref), _length(dis)
    if n is None or m is None:
        if any(skips):
            raise ValueError("pictures have no frames to skip: leave skips and offset out.")
        return AlignedArrays(ref, dis, [], inputs.fps)
    counts = n, m
    if any(skip >= count for skip, count in zip(skips, counts, strict=True) if skip):
        raise ValueError(
            f"skip_ref={inputs.skip_ref}, skip_dis={inputs.skip_dis} and an offset of {offset} "
            f"must leave frames of clips with {n} and {m} frames."
        )
    limit = max(counts) if inputs.frame_count is None else inputs.frame_count
    left = [min(count - skip, limit) for count, skip in zip(counts, skips, strict=True)]
    if inputs.offset is not None:  # ends without partner are expected then
        count, problem, dropped = min(left), None, _without_partner(shifts, left)
    else:
        count, problem, dropped = settle_lengths(left[0], left[1], inputs)
    if problem is not None:
        raise ValueError(f"the distorted video has {left[1]} frames, but the reference {problem}")
    ref, dis = (
        jax.tree.map(lambda p, skip=skip: p[skip : skip + count], x)
        for x, skip in zip((ref, dis), skips, strict=True)
    )
    notices = [] if dropped is None else [Notice("dropped-frames", dropped)]
    return AlignedArrays(ref, dis, notices, inputs.fps)


def _offset_frames(inputs: InputOptions) -> int:
    """The offset of arrays in frames."""
    if not isinstance(inputs.offset, Fraction):
        return int(inputs.offset or 0)
    if inputs.fps is None:
        raise ValueError("an offset in seconds needs fps, the frames per second of the arrays.")
    return round(inputs.offset * Fraction(inputs.fps))


def _without_partner(shifts: tuple[int, int], left: list[int]) -> str | None:
    """Says which frames an offset leaves alone; None for no frames."""
    over = left[0] - left[1], left[1] - left[0]
    missed = [Unpaired(shifts[side], 0, max(0, over[side])) for side in (0, 1)]
    if not (total := sum(side.total for side in missed)):
        return None
    texts = [text for side in (0, 1) for text in places(side, missed[side])]
    return f"{listed(texts)} had no partner and {'was' if total == 1 else 'were'} not scored."
