"""One pass of a plan over a clip: frames in, finished series of every extraction out."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from jaxvqa._planes import Planes
from jaxvqa._scoring.clip import ClipPair, PairMemory
from jaxvqa._scoring.engine import Engine
from jaxvqa._scoring.plan import Extraction, ExtractionKey, Plan
from jaxvqa._scoring.program_store import ProgramStore
from jaxvqa._scoring.traffic import Traffic
from jaxvqa.video._pair.pairing import NumberedPair

Progress = Callable[[int, int | None], None]


@dataclass(frozen=True)
class Series:
    """What a run computed.

    Args:
        by_key: finished series of every extraction at the sampled frames.
        numbers: `(frames,)`, the index in the clip of every sampled frame.
        waiting: seconds spent waiting for frames.
    """

    by_key: dict[ExtractionKey, dict[str, np.ndarray]]
    numbers: np.ndarray
    waiting: float


class Run:
    """A pass of a plan over one clip, fed a pair at a time.

    Features that look back see every frame, the others the sampled ones alone.

    Args:
        plan: what to compute.
        clip: where the frames come from.
        subsample: take every n-th frame.
        devices: JAX devices; all of the default backend if None.
        store: keeps compiled programs for later processes.
        traffic: starts programs on chunks; runs that take turns may share one.
    """

    def __init__(
        self,
        plan: Plan,
        clip: ClipPair,
        *,
        subsample: int = 1,
        devices: Sequence[Any] | None = None,
        store: ProgramStore | None = None,
        traffic: Traffic | None = None,
    ) -> None:
        self._plan, self._clip, self._subsample = plan, clip, subsample
        every = [e for e in plan.extractions if subsample == 1 or e.before > 0]
        sampled = [e for e in plan.extractions if subsample > 1 and e.before == 0]
        self._groups = [
            _Group(extractions, step, clip, devices, store, traffic)
            for extractions, step in ((every, 1), (sampled, subsample))
            if extractions
        ]
        self.count = 0
        self.waiting = 0.0

    def memory(self) -> PairMemory | None:
        """Where the frames are best put by who reads them, before the first is read."""
        # a frame has one place, so one group's
        if len(self._groups) > 1:
            return None
        return self._groups[0].expect(self._clip.example, self._plan.reads_chroma)

    def feed(self, pair: NumberedPair) -> None:
        """Takes the next pair."""
        index, ref, dis = pair
        if not self._plan.reads_chroma:
            ref, dis = ref[:1], dis[:1]
        for group in self._groups:
            group.feed(index, ref, dis)
        self.count += 1

    def finish(self) -> Series:
        """Computes what is left; gives all series."""
        numbers = np.arange(0, self.count, self._subsample)
        by_key: dict[ExtractionKey, dict[str, np.ndarray]] = {}
        for group in self._groups:
            by_key |= group.finished(self._subsample)
        return Series({e.key: by_key[e.key] for e in self._plan.extractions}, numbers, self.waiting)

    def drop(self) -> None:
        """Lets go of what is in flight, where the series are wanted no more."""
        for group in self._groups:
            group.drop()


def run(
    plan: Plan,
    clip: ClipPair,
    *,
    subsample: int = 1,
    devices: Sequence[Any] | None = None,
    progress: Progress | None = None,
    store: ProgramStore | None = None,
) -> Series:
    """Reads a clip once and computes everything that a plan asks for.

    Args:
        plan: what to compute.
        clip: where the frames come from.
        subsample: take every n-th frame.
        devices: JAX devices; all of the default backend if None.
        progress: called with (frames done, about how many there are or None).
        store: keeps compiled programs for later processes.
    """
    going = Run(plan, clip, subsample=subsample, devices=devices, store=store)
    frames = iter(clip.read(plan.reads_chroma, going.memory()))
    while True:
        asked = time.perf_counter()
        pair = next(frames, None)
        going.waiting += time.perf_counter() - asked
        if pair is None:
            return going.finish()
        going.feed(pair)
        if progress is not None:
            progress(going.count, clip.length)


class _Group:
    """Extractions that see the same frames: all, or every n-th."""

    def __init__(
        self,
        extractions: Sequence[Extraction],
        step: int,
        clip: ClipPair,
        devices: Any,
        store: ProgramStore | None,
        traffic: Traffic | None,
    ) -> None:
        def fewer(count: int | None) -> int | None:
            return None if count is None else -(-count // step)

        self._extractions, self._step = extractions, step
        self._engine = Engine(
            extractions,
            clip.info.bit_depth,
            devices,
            fewer(clip.frame_count),
            fewer(clip.expected_count),
            store=store,
            traffic=traffic,
        )

    def drop(self) -> None:
        """Lets go of what is in flight."""
        self._engine.drop()

    def expect(self, example: Planes, chroma: bool) -> PairMemory | None:
        """Where the frames are best put by who reads them, if the group sees them all."""
        planes = jax.tree.leaves(example if chroma else example.luma_only())
        if self._step > 1:
            return None
        return self._engine.expect(tuple((p.shape[1:], np.dtype(p.dtype)) for p in planes))

    def feed(self, index: int, ref: Any, dis: Any) -> None:
        """Takes a frame pair if it is one of the group's."""
        if index % self._step == 0:
            self._engine.feed(ref, dis)

    def finished(self, subsample: int) -> dict[ExtractionKey, dict[str, np.ndarray]]:
        """Finished series at every `subsample`-th frame of the clip, by extraction."""
        left = subsample // self._step
        found = {}
        for extraction, series in zip(self._extractions, self._engine.finish(), strict=True):
            whole = extraction.finished(series)
            found[extraction.key] = {name: x[::left] for name, x in whole.items()}
        return found
