"""Chunks in the host's memory, and the place of each frame in them before it is read.

Who reads a frame is given the place where its chunk will have it, so no copy is made. Frames that
turn up elsewhere, because pairing left others out or repeated them, are copied.
"""

from __future__ import annotations

import collections
from collections.abc import Sequence

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
        # the memory of each chunk begun, and the places in it
        self._chunks: dict[int, tuple[ChunkMemory, list[FramePlanes]]] = {}
        self._number = 0  # of the next chunk
        # no generator, which would keep the memory in a cycle
        self._left: collections.deque[FramePlanes] = collections.deque()
        self._stopped = False

    def __call__(self) -> FramePlanes | None:
        """The place of the next frame, or None where frames no longer come one after the other."""
        if self._stopped:
            return None
        if not self._left:
            self._begin()
        return self._left.popleft()

    def _begin(self) -> None:
        """Takes memory for the next chunk."""
        chunk, history = chunk_memory(self._layout), self._layout.history
        places = [
            tuple(plane[history + k] for plane in planes)
            for planes, size in zip(chunk, self._schedule.sizes(self._number), strict=True)
            for k in range(size)
        ]
        self._chunks[self._number] = chunk, places
        self._left.extend(places)
        self._number += 1

    def take(self, number: int, blocks: Sequence[Sequence[FramePlanes]]) -> ChunkMemory | None:
        """The chunk's memory if its frames are all in their places; else there are no more places.

        Args:
            number: of the chunk; they are taken in order.
            blocks: frames of each device.
        """
        chunk, places = self._chunks.pop(number, (None, []))
        sizes = tuple(map(len, blocks))
        if chunk is not None and sizes == self._schedule.sizes(number):
            frames = (frame for block in blocks for frame in block)
            if all(_is_at(frame, place) for frame, place in zip(frames, places, strict=True)):
                return chunk
        self._stopped = True
        self._chunks.clear()
        self._left.clear()
        return None


def _is_at(frame: FramePlanes, place: FramePlanes) -> bool:
    """Whether the planes are those that the reader was given."""
    return all(plane is there for plane, there in zip(frame, place, strict=True))
