"""How frames get to the devices: without a copy on CPU, by per-frame transfers elsewhere.

A CPU device reads a chunk where it lies, so it is laid out as the program wants it, if possible by
who reads the frames (`places.py`). An accelerator needs a copy anyway: each frame is sent on its
own, from where the decoder left it, several at a time and while the device still works on earlier
ones, and is stacked on the device in memory that an earlier chunk donates. Laying chunks out on the
host first would cost as much as sending them.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
import numpy as np

from jaxvqa._scoring.kept import kept
from jaxvqa._scoring.memory import POOL
from jaxvqa._scoring.places import ChunkMemory, Places, chunk_memory
from jaxvqa._scoring.program_store import ProgramStore
from jaxvqa._scoring.programs import ChunkLayout
from jaxvqa._scoring.schedule import Schedule
from jaxvqa.video._formats import FrameMemory, FramePlanes

FramePair = tuple[FramePlanes, FramePlanes]


@runtime_checkable
class Transfer(Protocol):
    """Takes chunks of frame pairs to the devices."""

    def places(self, schedule: Schedule) -> tuple[FrameMemory, FrameMemory] | None:
        """Where the frames of each side are best put by who reads them; None: anywhere."""
        ...

    def send(self, blocks: Sequence[Sequence[FramePair]], number: int) -> tuple[Any, Any]:
        """The planes of both sides on their devices.

        Args:
            blocks: pairs of each device, `layout.history` of them in front of its own.
            number: of the chunk, from 0.
        """
        ...


def transfer_for(layout: ChunkLayout, store: ProgramStore | None = None) -> Transfer:
    """The transfer that suits the layout's devices; its program is kept in the store."""
    if layout.devices[0].platform == "cpu":
        return HostStagedTransfer(layout)
    return PerFrameTransfer(layout, store)


class HostStagedTransfer:
    """Chunks that CPU devices read where they lie.

    Args:
        layout: how chunks are laid out.
    """

    def __init__(self, layout: ChunkLayout) -> None:
        self._layout = layout
        self._places: tuple[Places, Places] | None = None
        sizes = [
            math.prod(layout.block_shape(shape)) * dtype.itemsize for shape, dtype in layout.planes
        ]
        # JAX lets go of what the last programs read when it next takes an array
        jax.device_put(np.int32(0), layout.devices[0])
        POOL.keep_only(sizes, at_once=2 * len(layout.devices) * sum(sizes))

    def places(self, schedule: Schedule) -> tuple[FrameMemory, FrameMemory] | None:
        """The places that the frames will have in their chunks."""
        self._places = Places(self._layout, schedule), Places(self._layout, schedule)
        return self._places

    def send(self, blocks: Sequence[Sequence[FramePair]], number: int) -> tuple[Any, Any]:
        """Copies what is not in its place."""
        ref, dis = (self._laid_out(blocks, side, number) for side in range(2))
        return _on_devices(ref, self._layout), _on_devices(dis, self._layout)

    def _laid_out(
        self, blocks: Sequence[Sequence[FramePair]], side: int, number: int
    ) -> ChunkMemory:
        history = self._layout.history
        frames = [[pair[side] for pair in block] for block in blocks]
        chunk = None
        if self._places is not None:
            chunk = self._places[side].take(number, [block[history:] for block in frames])
        there = chunk is not None
        if chunk is None:
            chunk = chunk_memory(self._layout)
        for planes, block in zip(chunk, frames, strict=True):
            for k, frame in enumerate(block[:history] if there else block):
                for whole, plane in zip(planes, frame, strict=True):
                    whole[k] = plane
            for whole in planes:
                if whole.dtype.kind == "f":  # what is left there may be no number
                    whole[len(block) :] = 0
        return chunk


def _on_devices(chunk: ChunkMemory, layout: ChunkLayout) -> tuple[jax.Array, ...]:
    """The arrays of one side; they keep the memory until they are gone."""
    shared = len(layout.devices) > 1
    parts = [
        jax.device_put([plane[None] if shared else plane for plane in planes], device)
        for planes, device in zip(chunk, layout.devices, strict=True)
    ]
    return tuple(_joined(plane, layout) for plane in zip(*parts, strict=True))


def _joined(parts: Sequence[Any], layout: ChunkLayout) -> Any:
    """One array of the parts that the devices have."""
    if len(layout.devices) == 1:
        return parts[0]
    shape = (len(parts), *parts[0].shape[1:])
    return jax.make_array_from_single_device_arrays(shape, layout.sharding, list(parts))


class PerFrameTransfer:
    """Frames that are sent one by one and stacked on their device, in memory that is reused.

    Args:
        layout: how chunks are laid out.
        store: keeps the program that stacks them.
    """

    def __init__(self, layout: ChunkLayout, store: ProgramStore | None = None) -> None:
        self._layout = layout
        self._store = store
        self._last: list[Any] = []  # each device's part of the chunk before

    def places(self, schedule: Schedule) -> tuple[FrameMemory, FrameMemory] | None:
        """None: a frame is sent from where it is."""
        return None

    def send(self, blocks: Sequence[Sequence[FramePair]], number: int) -> tuple[Any, Any]:
        """Starts the transfers; nothing waits for them here.

        Blocks that are not full are filled up by repeating the last frame. The memory is that of
        the chunk before, which is gone for the host. Programs that were started on it read it
        first: a device does one thing after the other.
        """
        layout = self._layout
        parts = self._last or [None] * len(layout.devices)
        shared = len(layout.devices) > 1
        last = [block for block in blocks if block][-1][-1]
        full = [
            [*block, *[last] * (layout.history + layout.frames - len(block))] for block in blocks
        ]
        self._last = joined = [
            kept(_join, 1, self._store, device)(shared, buffer, jax.device_put(block, device))
            for buffer, block, device in zip(parts, full, layout.devices, strict=True)
        ]
        return jax.tree.map(lambda *parts: _joined(parts, layout), *joined)


@functools.partial(jax.jit, static_argnums=0, donate_argnums=1, keep_unused=True)
def _join(shared: bool, buffer: Any, frames: list[Any]) -> Any:
    """The frames next to each other, in the memory of `buffer` if there is one.

    With a devices axis in front if `shared`.
    """
    del buffer  # has the shapes of what comes out, so that takes its place
    joined = jax.tree.map(lambda *planes: jnp.stack(planes), *frames)
    return jax.tree.map(lambda x: x[None], joined) if shared else joined
