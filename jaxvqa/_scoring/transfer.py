"""How frames get to the devices: once around in memory on CPUs, frame by frame everywhere else.

A CPU device reads a chunk where it lies, so the chunk is laid out as the program wants it, in
memory that serves again. An accelerator needs a copy anyway: each frame goes there by itself, from
where the decoder left it, several at a time and while the device still works on earlier ones, and
the device joins them in memory that an earlier chunk gives up. Laying chunks out first would cost
as much as sending them.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
import numpy as np

from jaxvqa._scoring.programs import Place

FramePlanes = tuple[np.ndarray, ...]
FramePair = tuple[FramePlanes, FramePlanes]

_ALIGNMENT = 64  # of arrays that JAX takes over on CPU without a copy


@runtime_checkable
class Carrier(Protocol):
    """Takes chunks of frame pairs to the devices."""

    def send(self, frames: Sequence[FramePair], place: Place) -> tuple[Any, Any]:
        """The chunk's arrays on its devices, and what `release` gets once they have been used.

        Args:
            frames: `place.history` pairs and those to score, of all devices, in order.
            place: where the chunk goes.
        """
        ...

    def release(self, lease: Any) -> None:
        """Results that needed the chunk are there."""
        ...


def carrier_for(devices: Sequence[Any]) -> Carrier:
    """The carrier that suits these devices."""
    return Shelves() if devices[0].platform == "cpu" else Couriers()


def _blocks(frames: Sequence[FramePair], place: Place) -> list[Sequence[FramePair]]:
    """The pairs of each device; they begin with the frames before its own."""
    own = (len(frames) - place.history) // len(place.devices)
    starts = range(0, own * len(place.devices), own)
    return [frames[start : start + place.history + own] for start in starts]


class Shelves:
    """Chunks that devices read in place, in memory that is used again."""

    def __init__(self) -> None:
        self._spare: list[list[FramePlanes]] = []

    def send(self, frames: Sequence[FramePair], place: Place) -> tuple[Any, Any]:
        """Copies the frames next to each other."""
        sides = self._spare.pop() if self._spare else [_room(place), _room(place)]
        blocks = _blocks(frames, place)
        for side, room in enumerate(sides):
            for plane, whole in enumerate(room):
                shelves = whole if len(blocks) > 1 else whole[None]
                for device, block in enumerate(blocks):
                    for k, pair in enumerate(block):
                        shelves[device, k] = pair[side][plane]
        return jax.device_put(tuple(sides), place.sharding), sides

    def release(self, lease: Any) -> None:
        """The memory serves the next chunk."""
        self._spare.append(lease)


def _room(place: Place) -> FramePlanes:
    return tuple(_empty(shape, dtype) for shape, dtype in place.layout)


def _empty(shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """`np.empty` at an address that is a multiple of `_ALIGNMENT`."""
    size = int(np.prod(shape)) * dtype.itemsize
    memory = np.empty(size + _ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % _ALIGNMENT
    return memory[start : start + size].view(dtype).reshape(shape)


class Couriers:
    """Frames that go to their device one by one and are joined there, in memory used again."""

    def __init__(self) -> None:
        self._last: list[Any] = []  # each device's part of the chunk before

    def send(self, frames: Sequence[FramePair], place: Place) -> tuple[Any, Any]:
        """Starts the transfers; nothing waits for them here.

        The memory is that of the chunk before, which is gone for the host. Programs that were
        started on it read it first: a device does one thing after the other.
        """
        rooms = self._last or [None] * len(place.devices)
        shared = len(place.devices) > 1
        self._last = joined = [
            _join(room, jax.device_put(list(block), device), shared)
            for room, block, device in zip(
                rooms, _blocks(frames, place), place.devices, strict=True
            )
        ]
        if not shared:
            return joined[0], None

        def whole(*parts: Any) -> Any:
            shape = (len(parts), *parts[0].shape[1:])
            return jax.make_array_from_single_device_arrays(shape, place.sharding, parts)

        return jax.tree.map(whole, *joined), None

    def release(self, lease: Any) -> None:
        """Nothing to do: the next chunk has the memory already."""


@functools.partial(jax.jit, static_argnums=2, donate_argnums=0, keep_unused=True)
def _join(room: Any, frames: list[Any], shared: bool) -> Any:
    """The frames next to each other, in the memory of `room` if there is one.

    With a devices axis in front if `shared`.
    """
    del room  # has the shapes of what comes out, so that takes its place
    joined = jax.tree.map(lambda *planes: jnp.stack(planes), *frames)
    return jax.tree.map(lambda x: x[None], joined) if shared else joined
