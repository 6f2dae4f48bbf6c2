"""How many frames each device takes at a time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

# bytes of one side that a device takes at a time; more costs memory and gains little
_CHUNK_BYTES = 1 << 24
_MAX_FRAMES = 16
# frames of a device's chunk, for large frames on CPU and for a clip that seems to be short
_MIN_FRAMES = 4
# chunks of a short clip, so that reading and computing overlap
_CHUNKS = 3


def chunk_policy(
    frame_bytes: int,
    devices: Sequence[Any],
    frame_count: int | None,
    expected_count: int | None = None,
) -> tuple[tuple[Any, ...], int]:
    """Devices to use, and the most frames that each of them takes at a time.

    A CPU program takes any number of frames up to that, so one serves clips of every length. Those
    of accelerators take all or repeat the last frame, so short clips have their own.

    Args:
        frame_bytes: bytes of one frame of one side.
        devices: the devices at hand.
        frame_count: frames to come, or None if that is not certain.
        expected_count: about how many will come, or None.
    """
    frames = max(1, min(_MAX_FRAMES, _CHUNK_BYTES // frame_bytes))
    used = tuple(devices)
    if used[0].platform == "cpu":
        # each chunk copies the frames before it, which must not be most of the work
        return used, max(frames, _MIN_FRAMES)
    if frame_count is not None:
        used = used[: max(1, min(len(used), frame_count))]
        frames = min(frames, -(-frame_count // len(used)))
    elif expected_count is not None:
        # a chunk need not be longer than the clip; much shorter only if that is certain
        frames = min(frames, max(-(-expected_count // len(used)), _MIN_FRAMES))
    return used, max(1, frames)


@dataclass(frozen=True)
class Schedule:
    """Frames of each device in each chunk.

    Args:
        devices: number of devices.
        frames: the most that a device takes at a time.
        expected: about how many frames will come, or None.
        even: spread them over the chunks, for programs that take any number; else all chunks are
            full.
    """

    devices: int
    frames: int
    expected: int | None = None
    even: bool = True

    @property
    def _chunks(self) -> int:
        """Chunks of the expected frames."""
        assert self.expected is not None
        full = math.ceil(self.expected / (self.devices * self.frames))
        short = math.ceil(self.expected / (self.devices * _MIN_FRAMES))
        return max(1, full, min(_CHUNKS, short))

    def sizes(self, number: int) -> tuple[int, ...]:
        """Frames of each device in a chunk, where as many come.

        Args:
            number: of the chunk, from 0.
        """
        if not self.even or self.expected is None or number >= (chunks := self._chunks):
            return (self.frames,) * self.devices
        first, parts = number * self.devices, chunks * self.devices
        return spread(self.expected, parts, range(first, first + self.devices))


def spread(count: int, parts: int, some: range | None = None) -> tuple[int, ...]:
    """A number in parts as equal as can be.

    Args:
        count: the number.
        parts: how many.
        some: those that are wanted, counted from 0; None for all.
    """
    wanted = range(parts) if some is None else some
    return tuple(count * (part + 1) // parts - count * part // parts for part in wanted)
