"""Chunks in the host's memory, and the place of each frame in them before it is read.

Who reads a frame is given the place where its chunk will have it, so no copy is made. Frames that
turn up elsewhere, because pairing left others out or repeated them, are copied.
"""

from __future__ import annotations

import collections
from collections.abc import Iterator, Sequence

import numpy as np

from jaxvqa._scoring.memory import POOL
from jaxvqa._scoring.programs import ChunkLayout
from jaxvqa._scoring.schedule import Schedule
from jaxvqa.video._formats import FramePlanes

# the planes of each device: `(history + frames, height, width)`
ChunkMemory = list[FramePlanes]


def chunk_memory(layout: ChunkLayout) -> ChunkMemory:
    """Memory for one side of a chunk, not initialised."""
    planes = [(layout.block_shape(shape), dtype) for shape, dtype in layout.planes]
    return [tuple(POOL.empty(*plane) for plane in planes) for _ in layout.devices]


class Places:
    """The places of one side's frames, in the order in which they are read; a `FrameMemory`.

    Args:
        layout: how chunks are laid out.
        schedule: how many frames of a chunk each device takes.
    """

    def __init__(self, layout: ChunkLayout, schedule: Schedule) -> None:
        self._layout, self._schedule = layout, schedule
        self._chunks: dict[int, ChunkMemory] = {}
        self._number = 0  # of the next chunk
        # of the chunk begun; no generator, which would keep its memory in a cycle
        self._left: collections.deque[FramePlanes] = collections.deque()
        self._stopped = False

    def __call__(self) -> FramePlanes | None:
        """The place of the next frame, or None where frames no longer come one after the other."""
        if self._stopped:
            return None
        if not self._left:
            self._left.extend(self._begun())
        return self._left.popleft()

    def _begun(self) -> Iterator[FramePlanes]:
        """The places of the next chunk."""
        self._chunks[self._number] = chunk = chunk_memory(self._layout)
        for planes, size in zip(chunk, self._schedule.sizes(self._number), strict=True):
            for k in range(size):
                yield tuple(plane[self._layout.history + k] for plane in planes)
        self._number += 1

    def take(self, number: int, blocks: Sequence[Sequence[FramePlanes]]) -> ChunkMemory | None:
        """The chunk's memory if its frames are all in their places; else there are no more places.

        Args:
            number: of the chunk; they are taken in order.
            blocks: frames of each device.
        """
        chunk = self._chunks.pop(number, None)
        if chunk is not None and all(
            len(block) == size and _in_place(block, planes, self._layout.history)
            for block, planes, size in zip(blocks, chunk, self._schedule.sizes(number), strict=True)
        ):
            return chunk
        self._stopped = True
        self._chunks.clear()
        self._left.clear()
        return None


def _in_place(frames: Sequence[FramePlanes], block: FramePlanes, first: int) -> bool:
    return all(
        _address(plane) == _address(whole[first + k])
        for k, frame in enumerate(frames)
        for plane, whole in zip(frame, block, strict=True)
    )


def _address(plane: np.ndarray) -> tuple[int, tuple[int, ...], tuple[int, ...] | None]:
    about = plane.__array_interface__
    return about["data"][0], about["shape"], about["strides"]
