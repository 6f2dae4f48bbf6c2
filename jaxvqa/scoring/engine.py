"""Runs extractions over a clip in chunks: every device, bounded memory, nothing compiled twice."""

from __future__ import annotations

import collections
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from jaxvqa import waiting
from jaxvqa.scoring import programs, transfer
from jaxvqa.scoring.plan import Request
from jaxvqa.scoring.transfer import FramePair, FramePlanes

# bytes of one side that a device takes at a time; more costs memory and gains little
_CHUNK_BYTES = 1 << 24
_MOST_FRAMES = 16
_IN_FLIGHT = 2


def chunk_frames(frame_bytes: int, devices: int, frame_count: int | None) -> int:
    """Frames that each device takes at a time."""
    frames = max(1, min(_MOST_FRAMES, _CHUNK_BYTES // frame_bytes))
    return frames if frame_count is None else max(1, min(frames, -(-frame_count // devices)))


class Engine:
    """Feeds frames to the chunk programs and gathers the raw series.

    Chunks carry the frames before them that temporal features need, so a clip scored in chunks
    equals a clip scored at once. The last chunk is filled up by repeating its last frame, so that
    the same programs serve the whole clip.
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
        self._pending: list[FramePair] = []
        self._history: list[FramePair] = []
        self._carrier = transfer.carrier_for(self._devices)
        self._in_flight: collections.deque[tuple[int, Any, Any]] = collections.deque()
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
        place = self._place(frames[0][0])
        started = programs.start(self._requests, place)
        arguments, lease = self._carrier.send(frames, place)
        ready = [waiting.result_of(program) for program in started]
        # JAX makes the caller wait where much is in flight already
        results = waiting.aside(lambda: [program(*arguments) for program in ready])
        for value in jax.tree.leaves(results):
            value.copy_to_host_async()
        self._in_flight.append((count, results, lease))
        while len(self._in_flight) > _IN_FLIGHT:
            self._collect()

    def _place(self, planes: FramePlanes) -> programs.Place:
        """How chunks of such frames lie: `(devices, history + frames, height, width)`."""
        lead = (self._history_length + self._frames,)
        if len(self._devices) > 1:
            lead = (len(self._devices), *lead)
        layout = tuple((lead + plane.shape, plane.dtype) for plane in planes)
        return programs.Place(self._devices, self._bit_depth, self._history_length, layout)

    def _collect(self) -> None:
        count, results, lease = self._in_flight.popleft()
        waiting.aside(lambda: jax.block_until_ready(results))
        lead = 1 if len(self._devices) == 1 else 2
        part = []
        for packed in results:
            found = programs.unpacked({names: np.asarray(x) for names, x in packed.items()})
            part.append({k: x.reshape((-1, *x.shape[lead:]))[:count] for k, x in found.items()})
        self._parts.append(part)
        self._carrier.release(lease)

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
