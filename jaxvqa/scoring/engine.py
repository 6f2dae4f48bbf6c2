"""Runs extractions over a clip in chunks: one compiled program, every device, bounded memory."""

from __future__ import annotations

import collections
import functools
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from jaxvqa.planes import Planes
from jaxvqa.scoring.plan import Request

FramePlanes = tuple[np.ndarray, ...]

# samples of luma that one device takes at a time; more costs memory and gains nothing
_CHUNK_SAMPLES = 1 << 23
_MOST_FRAMES = 16
_IN_FLIGHT = 2


def chunk_frames(height: int, width: int, devices: int, frame_count: int | None) -> int:
    """Frames that each device takes at a time."""
    frames = max(1, min(_MOST_FRAMES, _CHUNK_SAMPLES // (height * width)))
    return frames if frame_count is None else max(1, min(frames, -(-frame_count // devices)))


@functools.lru_cache(maxsize=32)
def _program(
    requests: tuple[Request, ...], bit_depth: int, devices: tuple[Any, ...]
) -> tuple[Any, Any]:
    """The compiled chunk program and how its arguments lie on the devices."""
    history = max(r.before for r in requests)

    def extract(ref: Any, dis: Any) -> list[dict[str, Any]]:
        results = []
        for request in requests:
            cut = history - request.before
            pair = [Planes(*(p[cut:] for p in x), bit_depth=bit_depth) for x in (ref, dis)]
            if not request.feature.needs_chroma(request.options):
                pair = [x.luma_only() for x in pair]
            results.append(request.feature.extract(pair[0], pair[1], request.options))
        return results

    if len(devices) == 1:
        return jax.jit(extract), devices[0]

    def shard(ref: Any, dis: Any) -> Any:
        ref, dis = jax.tree.map(lambda x: x[0], (ref, dis))
        return jax.tree.map(lambda x: x[None], extract(ref, dis))

    mesh = Mesh(np.array(devices), ("frames",))
    spec = PartitionSpec("frames")
    mapped = jax.shard_map(shard, mesh=mesh, in_specs=spec, out_specs=spec, check_vma=False)
    return jax.jit(mapped), NamedSharding(mesh, spec)


class Engine:
    """Feeds frames to the chunk program and gathers the raw series.

    Chunks carry the frames before them that temporal features need, so a clip scored in chunks
    equals a clip scored at once. The last chunk is filled up by repeating its last frame, so that
    one program serves the whole clip.
    """

    def __init__(
        self,
        requests: Sequence[Request],
        bit_depth: int,
        frames: int,
        devices: Sequence[Any],
    ) -> None:
        """Takes the requests, the clip's bit depth, frames per device and the devices."""
        self._requests = tuple(requests)
        self._devices = tuple(devices)
        self._frames = frames
        self._history_length = max((r.before for r in self._requests), default=0)
        self._bit_depth = bit_depth
        self._pending: list[tuple[FramePlanes, FramePlanes]] = []
        self._history: list[tuple[FramePlanes, FramePlanes]] = []
        self._in_flight: collections.deque[tuple[int, Any]] = collections.deque()
        self._parts: list[list[dict[str, np.ndarray]]] = []

    @property
    def chunk(self) -> int:
        """Frames that one run of the program takes on all devices together."""
        return self._frames * len(self._devices)

    def feed(self, ref: FramePlanes, dis: FramePlanes) -> None:
        """Takes one frame pair."""
        if not self._requests:
            return
        if not self._history and not self._pending:
            self._history = [(ref, dis)] * self._history_length
        self._pending.append((ref, dis))
        if len(self._pending) == self.chunk:
            self._launch(len(self._pending))

    def _launch(self, count: int) -> None:
        frames = self._history + self._pending
        frames += [frames[-1]] * (self.chunk - count)
        self._pending = []
        self._history = frames[len(frames) - self._history_length :] if self._history_length else []
        program, placement = _program(self._requests, self._bit_depth, self._devices)
        sides = [self._stack([pair[side] for pair in frames]) for side in (0, 1)]
        arguments = jax.device_put(tuple(sides), placement)
        self._in_flight.append((count, program(*arguments)))
        while len(self._in_flight) > _IN_FLIGHT:
            self._collect()

    def _stack(self, frames: list[FramePlanes]) -> FramePlanes:
        """Frames as arrays `(devices, history + frames, height, width)`, or without devices."""
        block = self._history_length + self._frames
        planes = []
        for index, sample in enumerate(frames[0]):
            # memory of its own every time: the device may use it in place
            stack = np.empty((len(self._devices), block, *sample.shape), sample.dtype)
            for device in range(len(self._devices)):
                for k in range(block):
                    stack[device, k] = frames[device * self._frames + k][index]
            planes.append(stack if len(self._devices) > 1 else stack[0])
        return tuple(planes)

    def _collect(self) -> None:
        count, results = self._in_flight.popleft()
        lead = 1 if len(self._devices) == 1 else 2
        self._parts.append(
            [
                {
                    name: np.asarray(x).reshape((-1, *x.shape[lead:]))[:count]
                    for name, x in series.items()
                }
                for series in results
            ]
        )

    def finish(self) -> list[dict[str, np.ndarray]]:
        """Runs what is left; returns the raw series of every request over the whole clip."""
        if self._pending:
            self._launch(len(self._pending))
        while self._in_flight:
            self._collect()
        if not self._parts:
            return []
        return [
            {name: np.concatenate([part[i][name] for part in self._parts]) for name in first}
            for i, first in enumerate(self._parts[0])
        ]
