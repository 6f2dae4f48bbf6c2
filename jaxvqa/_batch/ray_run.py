"""Workers in a Ray cluster: the same jobs, ledger and table.

What is done already is left out before Ray sees it, so nothing depends on Ray's own checkpoints. A
job that fails is a line as elsewhere; an actor that dies is started again, and its pass with it.
"""

from __future__ import annotations

import json
import logging
import os
import pickle
import re
import shutil
from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path
from typing import Any

from jaxvqa._batch.entry import failure_of
from jaxvqa._batch.errors import OutputError
from jaxvqa._batch.progress import WorkerState
from jaxvqa._batch.ray_actor import FATAL, LINE, WORK, ScoreActor
from jaxvqa._batch.scorer import Keyed
from jaxvqa._optional import require
from jaxvqa._own_folder import remove_left

_MOST_BLOCKS = 10_000
_MOST_TRIES = 3
_LOST = f"Ray gave no result in {_MOST_TRIES} runs: score it alone with jaxvqa score to see why."
_CORES = 4  # of an actor without an accelerator, where there are so many


def checked_runner(text: str) -> str:
    """The text if it names Ray, with or without an address.

    Raises:
        ValueError: it doesn't.
    """
    if not re.fullmatch(r"ray(://.+)?", text):
        raise ValueError(f"must be ray or ray://HOST:PORT, got {text!r}.")
    return text


class RayRun:
    """Scores passes with actors of a Ray cluster.

    Args:
        passes: the jobs.
        folder: of the batch, which all hosts share.
        tries: name of a folder in it for how often passes were begun, this run's own.
        append: keeps a line of the ledger.
        address: of the cluster, or None for RAY_ADDRESS or a cluster on this machine.
        actors: how many there are at the most; None for as many as the cluster has room for.
        options: further arguments of `ScoreActor`.
    """

    def __init__(
        self,
        passes: Sequence[Sequence[Keyed]],
        folder: Path,
        tries: str,
        append: Callable[[dict[str, Any]], None],
        *,
        address: str | None = None,
        actors: int | None = None,
        **options: Any,
    ) -> None:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        self._ray = require("ray", "runner='ray'", "ray")
        require("ray.data", "runner='ray'", "ray")
        self._passes, self._append = passes, append
        self._address, self._actors = address, actors
        self._tries = folder / tries
        self._options = {"folder": os.fspath(folder.resolve()), "tries": tries, **options}
        self.states: list[WorkerState] = []
        self.frames = 0

    def outcomes(self) -> Generator[dict[str, Any] | None]:
        """The ledger's lines as passes end.

        Raises:
            OutputError: an actor can't write.
        """
        ray = self._ray
        ours = not ray.is_initialized()
        if ours:
            about = {"include_dashboard": False} if self._is_local() else {}
            ray.init(
                address=self._address, log_to_driver=False, logging_level=logging.ERROR, **about
            )
        try:
            shutil.rmtree(self._tries, ignore_errors=True)
            self._tries.mkdir()
            yield None
            yield from self._each_job_once()
        finally:
            shutil.rmtree(self._tries, ignore_errors=True)
            if ours:
                ray.shutdown()
                remove_left(self._options["scratch"])  # of actors that had no time for it

    def _each_job_once(self) -> Generator[dict[str, Any]]:
        """The ledger's lines; Ray can lose those of an actor that dies, or bring them twice."""
        waiting = {key: job for jobs in self._passes for job, key in jobs}
        for _ in range(_MOST_TRIES):
            left = [[keyed for keyed in jobs if keyed[1] in waiting] for jobs in self._passes]
            for entry in self._lines([jobs for jobs in left if jobs]):
                if waiting.pop(entry["key"], None) is not None:
                    yield self._kept(entry)
            if not waiting:
                return
        for key, job in waiting.items():
            yield self._kept(failure_of(job, key, _LOST, 0.0))

    def _kept(self, entry: dict[str, Any]) -> dict[str, Any]:
        self.frames += entry.get("frames", 0)
        self._append(entry)
        return entry

    def _lines(self, passes: Sequence[Sequence[Keyed]]) -> Iterator[dict[str, Any]]:
        """What actors say as passes end."""
        for batch in self._scored(passes).iter_batches(batch_size=None, prefetch_batches=0):
            for line in batch[LINE]:
                entry = json.loads(line)
                if FATAL in entry:
                    raise OutputError(entry[FATAL])
                yield entry

    def _is_local(self) -> bool:
        return self._address is None and not os.environ.get("RAY_ADDRESS")

    def _scored(self, passes: Sequence[Sequence[Keyed]]) -> Any:
        """The data set of the ledger's lines; nothing is scored before it is read."""
        data = self._ray.data
        context = data.DataContext.get_current()
        context.enable_progress_bars = False
        logging.getLogger("ray.data").setLevel(logging.ERROR)
        items = [{WORK: pickle.dumps(list(jobs))} for jobs in passes]
        size, needs, cores = self._pool(len(items))
        return data.from_items(
            items, override_num_blocks=min(len(items), _MOST_BLOCKS)
        ).map_batches(
            ScoreActor,
            batch_size=1,
            compute=data.ActorPoolStrategy(size=size),
            max_restarts=-1,  # `_MOST_TRIES` ends it
            max_task_retries=-1,
            fn_constructor_kwargs={**self._options, "cores": cores},
            **needs,
        )

    def _pool(self, passes: int) -> tuple[int, dict[str, int], int]:
        """Number of actors, what each takes of the cluster, and the cores that it keeps to."""
        have = self._ray.cluster_resources()
        if accelerators := int(have.get("GPU", 0)):
            return self._size(accelerators, passes), {"num_gpus": 1}, 0
        every = max(1, int(have.get("CPU", 1)))
        cores = max(1, every // self._actors) if self._actors else min(_CORES, every)
        return self._size(every // cores, passes), {"num_cpus": cores}, cores

    def _size(self, room: int, passes: int) -> int:
        return max(1, min(room, passes, self._actors or room))
