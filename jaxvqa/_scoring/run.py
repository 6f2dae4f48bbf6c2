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

    Features that look back see every frame, the others the sampled ones alone.

    Args:
        plan: what to compute.
        clip: where the frames come from.
        subsample: take every n-th frame.
        devices: JAX devices; all of the default backend if None.
        progress: called with (frames done, frames in all or None).
        store: keeps compiled programs for later processes.
    """
    every = [e for e in plan.extractions if subsample == 1 or e.before > 0]
    sampled = [e for e in plan.extractions if subsample > 1 and e.before == 0]
    groups = [
        _Group(extractions, step, clip, devices, store)
        for extractions, step in ((every, 1), (sampled, subsample))
        if extractions
    ]
    count, waiting = 0, 0.0
    # a frame has one place, so one group's
    memory = groups[0].expect(clip.example, plan.reads_chroma) if len(groups) == 1 else None
    frames = iter(clip.read(plan.reads_chroma, memory))
    while True:
        asked = time.perf_counter()
        pair = next(frames, None)
        waiting += time.perf_counter() - asked
        if pair is None:
            break
        index, ref, dis = pair
        if not plan.reads_chroma:
            ref, dis = ref[:1], dis[:1]
        for group in groups:
            group.feed(index, ref, dis)
        count += 1
        if progress is not None:
            progress(count, clip.frame_count)
    numbers = np.arange(0, count, subsample)
    by_key = {k: v for group in groups for k, v in group.finished(subsample).items()}
    return Series({e.key: by_key[e.key] for e in plan.extractions}, numbers, waiting)


class _Group:
    """Extractions that see the same frames: all, or every n-th."""

    def __init__(
        self,
        extractions: Sequence[Extraction],
        step: int,
        clip: ClipPair,
        devices: Any,
        store: ProgramStore | None,
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
        )

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
