"""Runs extractions over a clip in chunks: every device, bounded memory, nothing compiled twice."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from jaxvqa import _waiting as waiting
from jaxvqa._scoring import programs
from jaxvqa._scoring.plan import Extraction
from jaxvqa._scoring.program_store import ProgramStore
from jaxvqa._scoring.traffic import Traffic
from jaxvqa._scoring.transfer import FramePair
from jaxvqa.video._formats import FramePlanes

# bytes of one side that a device takes at a time; more costs memory and gains little
_CHUNK_BYTES = 1 << 24
_MAX_FRAMES = 16
# frames of a device's chunk for a clip that seems to be short
_MIN_FRAMES = 4


def chunk_policy(
    frame_bytes: int,
    devices: Sequence[Any],
    frame_count: int | None,
    expected_count: int | None = None,
) -> tuple[tuple[Any, ...], int]:
    """Devices to use, and frames that each of them takes at a time.

    Args:
        frame_bytes: bytes of one frame of one side.
        devices: the devices at hand.
        frame_count: frames to come, or None if that is not certain.
        expected_count: about how many will come, or None.
    """
    frames = max(1, min(_MAX_FRAMES, _CHUNK_BYTES // frame_bytes))
    used = tuple(devices)
    if frame_count is not None:
        used = used[: max(1, min(len(used), frame_count))]
        frames = min(frames, -(-frame_count // len(used)))
    elif expected_count is not None:
        # a chunk need not be longer than the clip; much shorter only if that is certain
        frames = min(frames, max(-(-expected_count // len(used)), _MIN_FRAMES))
    return used, max(1, frames)


class Engine:
    """Feeds frames to the chunk programs and gathers the raw series.

    Chunks carry the frames before them that temporal features need, so a clip scored in chunks
    equals a clip scored at once. The last chunk is filled up by repeating its last frame, so that
    the same programs serve the whole clip.

    Args:
        extractions: what to compute.
        bit_depth: bits per sample.
        devices: the devices at hand; None takes all of the default backend.
        frame_count: frames to come, or None if that is not certain.
        expected_count: about how many will come, or None.
        chunk_frames: frames per device and chunk; None leaves it to `chunk_policy`.
        store: keeps compiled programs for later processes.
        traffic: takes chunks to the devices; engines that take turns may share one.
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
        self._devices: tuple[Any, ...] = ()
        self._frames = 0
        self._pending: list[FramePair] = []
        self._history: list[FramePair] = []
        self._traffic = Traffic(store) if traffic is None else traffic
        self._counts_sent: list[int] = []  # frames of the chunks in flight
        self._parts: list[list[dict[str, np.ndarray]]] = []

    @property
    def chunk(self) -> int:
        """Frames that one run of the program takes on all devices together."""
        return self._frames * len(self._devices)

    def feed(self, ref: FramePlanes, dis: FramePlanes) -> None:
        """Takes one frame pair."""
        if not self._devices:
            self._start(ref, dis)
        self._pending.append((ref, dis))
        if len(self._pending) == self.chunk:
            self._launch(len(self._pending))

    def _start(self, ref: FramePlanes, dis: FramePlanes) -> None:
        """The first frame says how large a chunk is."""
        frame_bytes = sum(math.prod(p.shape) * p.dtype.itemsize for p in ref)
        self._devices, self._frames = chunk_policy(frame_bytes, self._at_hand, *self._counts)
        if self._chunk_frames is not None:
            self._devices, self._frames = self._at_hand, self._chunk_frames
        self._history = [(ref, dis)] * self._history_length

    def _launch(self, count: int) -> None:
        frames = self._history + self._pending
        frames += [frames[-1]] * (self.chunk - count)
        self._pending = []
        self._history = frames[len(frames) - self._history_length :] if self._history_length else []
        layout = self._layout(frames[0][0])
        started = programs.start(self._extractions, layout, self._store)
        self._counts_sent.append(count)
        self._traffic.send(
            lambda: [waiting.result_of(program) for program in started],
            frames,
            layout,
            self._deliver,
        )

    def _layout(self, planes: FramePlanes) -> programs.ChunkLayout:
        """Chunks of such frames: `(devices, history + frames, height, width)`."""
        lead = (self._history_length + self._frames,)
        if len(self._devices) > 1:
            lead = (len(self._devices), *lead)
        shapes = tuple((lead + plane.shape, plane.dtype) for plane in planes)
        return programs.ChunkLayout(self._devices, self._bit_depth, self._history_length, shapes)

    def _deliver(self, results: list[Any]) -> None:
        """Takes the results of the oldest chunk in flight."""
        count = self._counts_sent.pop(0)
        lead = 1 if len(self._devices) == 1 else 2
        part = []
        for packed in results:
            series = programs.unpacked({names: np.asarray(x) for names, x in packed.items()})
            part.append({k: x.reshape((-1, *x.shape[lead:]))[:count] for k, x in series.items()})
        self._parts.append(part)

    def finish(self) -> list[dict[str, np.ndarray]]:
        """Runs what is left; returns the raw series of every extraction over the whole clip."""
        if self._pending:
            self._launch(len(self._pending))
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
