"""How frames get to the devices: one host copy on CPU, per-frame transfers elsewhere.

A CPU device reads a chunk without a copy, so the chunk is laid out as the program wants it, in
aligned buffers that are reused. An accelerator needs a copy anyway: each frame is sent on its own,
from where the decoder left it, several at a time and while the device still works on earlier ones,
and is stacked on the device in memory that an earlier chunk donates. Laying chunks out on the host
first would cost as much as sending them.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
import numpy as np

from jaxvqa._scoring.kept import kept
from jaxvqa._scoring.program_store import ProgramStore
from jaxvqa._scoring.programs import ChunkLayout
from jaxvqa.video._formats import FramePlanes

FramePair = tuple[FramePlanes, FramePlanes]

_ALIGNMENT = 64  # of arrays that JAX takes over on CPU without a copy


@runtime_checkable
class Transfer(Protocol):
    """Takes chunks of frame pairs to the devices."""

    def send(self, frames: Sequence[FramePair], layout: ChunkLayout) -> tuple[Any, Any]:
        """The chunk's arrays on its devices, and what `release` gets once they have been used.

        Args:
            frames: `layout.history` pairs and those to score, of all devices, in order.
            layout: how the chunk is laid out.
        """
        ...

    def release(self, buffers: Any) -> None:
        """Results that needed the chunk are there."""
        ...


def transfer_for(devices: Sequence[Any], store: ProgramStore | None = None) -> Transfer:
    """The transfer that suits these devices; its program is kept in the store."""
    return HostStagedTransfer() if devices[0].platform == "cpu" else PerFrameTransfer(store)


def _blocks(frames: Sequence[FramePair], layout: ChunkLayout) -> list[Sequence[FramePair]]:
    """The pairs of each device; they begin with the frames before its own."""
    own = (len(frames) - layout.history) // len(layout.devices)
    starts = range(0, own * len(layout.devices), own)
    return [frames[start : start + layout.history + own] for start in starts]


class HostStagedTransfer:
    """Chunks that CPU devices read without a copy, in buffers that are reused."""

    def __init__(self) -> None:
        self._spare: list[list[FramePlanes]] = []

    def send(self, frames: Sequence[FramePair], layout: ChunkLayout) -> tuple[Any, Any]:
        """Copies the frames next to each other."""
        sides = self._spare.pop() if self._spare else [_buffers(layout), _buffers(layout)]
        blocks = _blocks(frames, layout)
        for side, buffers in enumerate(sides):
            for plane, whole in enumerate(buffers):
                by_device = whole if len(blocks) > 1 else whole[None]
                for device, block in enumerate(blocks):
                    for k, pair in enumerate(block):
                        by_device[device, k] = pair[side][plane]
        return jax.device_put(tuple(sides), layout.sharding), sides

    def release(self, buffers: Any) -> None:
        """The buffers serve the next chunk."""
        self._spare.append(buffers)


def _buffers(layout: ChunkLayout) -> FramePlanes:
    return tuple(_empty(shape, dtype) for shape, dtype in layout.planes)


def _empty(shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """`np.empty` at an address that is a multiple of `_ALIGNMENT`."""
    size = int(np.prod(shape)) * dtype.itemsize
    memory = np.empty(size + _ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % _ALIGNMENT
    return memory[start : start + size].view(dtype).reshape(shape)


class PerFrameTransfer:
    """Frames that are sent one by one and stacked on their device, in memory that is reused."""

    def __init__(self, store: ProgramStore | None = None) -> None:
        self._store = store
        self._last: list[Any] = []  # each device's part of the chunk before

    def send(self, frames: Sequence[FramePair], layout: ChunkLayout) -> tuple[Any, Any]:
        """Starts the transfers; nothing waits for them here.

        The memory is that of the chunk before, which is gone for the host. Programs that were
        started on it read it first: a device does one thing after the other.
        """
        parts = self._last or [None] * len(layout.devices)
        shared = len(layout.devices) > 1
        self._last = joined = [
            kept(_join, 1, self._store, device)(shared, buffer, jax.device_put(list(block), device))
            for buffer, block, device in zip(
                parts, _blocks(frames, layout), layout.devices, strict=True
            )
        ]
        if not shared:
            return joined[0], None

        def whole(*parts: Any) -> Any:
            shape = (len(parts), *parts[0].shape[1:])
            return jax.make_array_from_single_device_arrays(shape, layout.sharding, parts)

        return jax.tree.map(whole, *joined), None

    def release(self, buffers: Any) -> None:
        """Nothing to do: the next chunk has the memory already."""


@functools.partial(jax.jit, static_argnums=0, donate_argnums=1, keep_unused=True)
def _join(shared: bool, buffer: Any, frames: list[Any]) -> Any:
    """The frames next to each other, in the memory of `buffer` if there is one.

    With a devices axis in front if `shared`.
    """
    del buffer  # has the shapes of what comes out, so that takes its place
    joined = jax.tree.map(lambda *planes: jnp.stack(planes), *frames)
    return jax.tree.map(lambda x: x[None], joined) if shared else joined
