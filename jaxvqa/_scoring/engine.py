"""Runs extractions over a clip in chunks: every device, bounded memory, nothing compiled twice."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from jaxvqa import _waiting as waiting
from jaxvqa._scoring import programs
from jaxvqa._scoring.plan import Extraction
from jaxvqa._scoring.program_store import ProgramStore
from jaxvqa._scoring.schedule import Schedule, chunk_policy, spread
from jaxvqa._scoring.traffic import Traffic
from jaxvqa._scoring.transfer import FramePair, transfer_for
from jaxvqa.video._formats import FrameMemory, FramePlanes


class Engine:
    """Feeds frames to the chunk programs and gathers the raw series.

    Chunks carry the frames before them that temporal features need, so a clip scored in chunks
    equals a clip scored at once. On CPU a program takes any number of frames up to the length of
    its chunk, so none is computed in vain, and one program serves clips of every length. On
    accelerators the last chunk is filled up by repeating its last frame.

    Args:
        extractions: what to compute.
        bit_depth: bits per sample.
        devices: the devices at hand; None takes all of the default backend.
        frame_count: frames to come, or None if that is not certain.
        expected_count: about how many will come, or None.
        chunk_frames: frames per device and chunk; None leaves it to `chunk_policy`.
        store: keeps compiled programs for later processes.
        traffic: starts programs on chunks; engines that take turns may share one.
    """

    def __init__(
        self,
        extractions: Sequence[Extraction],
        bit_depth: int,
        devices: Sequence[Any] | None = None,
        frame_count: int | None = None,
        expected_count: int | None = None,
        *,
        chunk_frames: int | None = None,
        store: ProgramStore | None = None,
        traffic: Traffic | None = None,
    ) -> None:
        self._extractions = tuple(extractions)
        self._at_hand = tuple(jax.local_devices() if devices is None else devices)
        self._counts = frame_count, expected_count
        self._chunk_frames = chunk_frames
        self._store = store
        self._history_length = max((e.before for e in self._extractions), default=0)
        self._bit_depth = bit_depth
        self._layout: programs.ChunkLayout | None = None
        self._number = 0  # of the next chunk
        self._sizes: tuple[int, ...] = ()
        self._pending: list[FramePair] = []
        self._history: list[FramePair] = []
        self._traffic = Traffic() if traffic is None else traffic
        self._sent: list[tuple[int, ...]] = []  # sizes of the chunks in flight
        self._parts: list[list[dict[str, np.ndarray]]] = []

    def expect(self, planes: programs.PlaneLayouts) -> tuple[FrameMemory, FrameMemory] | None:
        """Says what frames will come; gives the places where they are best put by who reads them.

        Args:
            planes: shape and dtype of each plane of a frame.
        """
        self._start(planes)
        return self._transfer.places(self._schedule)

    def feed(self, ref: FramePlanes, dis: FramePlanes) -> None:
        """Takes one frame pair."""
        if self._layout is None:
            self._start(tuple((plane.shape, plane.dtype) for plane in ref))
        if not self._number and not self._pending:
            self._history = [(ref, dis)] * self._history_length
        self._pending.append((ref, dis))
        if len(self._pending) == sum(self._sizes):
            self._launch(self._sizes)

    def _start(self, planes: programs.PlaneLayouts) -> None:
        """A frame says how large a chunk is."""
        frame_bytes = sum(math.prod(shape) * dtype.itemsize for shape, dtype in planes)
        devices, frames = chunk_policy(frame_bytes, self._at_hand, *self._counts)
        if self._chunk_frames is not None:
            devices, frames = self._at_hand, self._chunk_frames
        lead = () if len(devices) == 1 else (len(devices),)
        length = self._history_length + frames
        shapes = tuple(((*lead, length, *shape), dtype) for shape, dtype in planes)
        self._layout = programs.ChunkLayout(devices, self._bit_depth, self._history_length, shapes)
        self._transfer = transfer_for(self._layout, self._store)
        programs.look_up(self._extractions, self._layout, self._store)
        counts = [count for count in self._counts if count is not None]
        self._schedule = Schedule(
            len(devices), frames, counts[0] if counts else None, devices[0].platform == "cpu"
        )
        self._sizes = self._schedule.sizes(0)

    def _launch(self, sizes: tuple[int, ...]) -> None:
        assert self._layout is not None
        frames = self._history + self._pending
        ends = list(itertools.accumulate(sizes))
        blocks = [
            frames[end - size : end + self._history_length]
            for size, end in zip(sizes, ends, strict=True)
        ]
        self._pending = []
        self._history = frames[len(frames) - self._history_length :] if self._history_length else []
        started = programs.start(self._extractions, self._layout, self._store)
        arguments = (*self._transfer.send(blocks, self._number), self._layout.idle(sizes))
        self._number += 1
        self._sizes = self._schedule.sizes(self._number)
        ready = [waiting.result_of(program) for program in started]
        self._sent.append(sizes)
        self._traffic.start(ready, arguments, self._deliver)

    def _deliver(self, results: list[Any]) -> None:
        """Takes the results of the oldest chunk in flight."""
        sizes = self._sent.pop(0)

        def of_frames(x: np.ndarray) -> np.ndarray:
            by_device = x[None] if len(sizes) == 1 else x
            return np.concatenate([own[:size] for own, size in zip(by_device, sizes, strict=True)])

        self._parts.append(
            [
                {
                    name: of_frames(x)
                    for name, x in programs.unpacked(jax.device_get(packed)).items()
                }
                for packed in results
            ]
        )

    def _last_sizes(self, count: int) -> tuple[int, ...]:
        """Frames of each device where fewer come than fill a chunk."""
        assert self._layout is not None
        if self._schedule.even:
            return spread(count, len(self._layout.devices))
        return tuple(
            min(max(count - device * self._layout.frames, 0), self._layout.frames)
            for device in range(len(self._layout.devices))
        )

    def finish(self) -> list[dict[str, np.ndarray]]:
        """Runs what is left; returns the raw series of every extraction over the whole clip."""
        if self._pending:
            self._launch(self._last_sizes(len(self._pending)))
        self._traffic.finish(self._deliver)
        if not self._parts:
            return []
        return [
            {name: np.concatenate([part[i][name] for part in self._parts]) for name in first}
            for i, first in enumerate(self._parts[0])
        ]

    def drop(self) -> None:
        """Lets go of what is in flight, where the results are wanted no more."""
        self._traffic.drop(self._deliver)
