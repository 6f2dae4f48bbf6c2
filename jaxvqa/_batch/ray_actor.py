"""The actor that scores passes in a Ray cluster; it imports JAX when it has its cores.

Rows go in and out, never frames: videos are read, and values of frames written, where the actor is.
"""

from __future__ import annotations

import json
import os
import pickle
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

WORK, LINE = "work", "line"
FATAL = "fatal"  # of a line: what ends the batch
_MOST_TRIES = 3
_DIED = (
    f"the process that scored it died {_MOST_TRIES} times: score it alone with jaxvqa score to see "
    "why."
)


class ScoreActor:
    """Scores passes of jobs, one after another.

    Args:
        folder: of the batch, which all hosts share.
        tries: folder in it for how often passes were begun.
        cores: of the processor that it keeps to; 0 for all, where it has an accelerator.
        cache: folder to keep compiled programs in, or None.
        scratch: folder for copies of what is elsewhere, or None.
        scratch_limit: bytes that these may take.
    """

    def __init__(
        self,
        folder: str,
        tries: str,
        cores: int,
        cache: str | None,
        scratch: str | None,
        scratch_limit: int,
    ) -> None:
        self._slot = _keep_to(cores) if cores else None
        import jax

        from jaxvqa._batch.scorer import Scorer
        from jaxvqa._batch.scratch import Scratch
        from jaxvqa._scoring.program_store import ProgramStore
        from jaxvqa._scoring.together import Plans

        if cores:
            jax.config.update("jax_platforms", "cpu")
            jax.config.update("jax_num_cpu_devices", cores)
        self._plans = Plans()
        self._scratch = Scratch(scratch, scratch_limit)
        store = None if cache is None else ProgramStore(cache)
        self._tries = Path(folder) / tries
        self._scorer = Scorer(Path(folder), self._plans, self._scratch, store=store)

    def __del__(self) -> None:
        # what Ray does where an actor's work is over
        scratch = getattr(self, "_scratch", None)
        if scratch is not None:
            scratch.close()

    def __call__(self, batch: Mapping[str, Sequence[Any]]) -> dict[str, list[str]]:
        """The ledger's lines of some passes."""
        from jaxvqa._batch.errors import OutputError, unwritable

        lines = []
        try:
            for work in batch[WORK]:
                lines += [json.dumps(entry) for entry in self._entries(pickle.loads(work))]
        except OutputError as error:
            lines.append(json.dumps({FATAL: str(error)}))
        except OSError as error:
            lines.append(json.dumps({FATAL: str(unwritable(self._tries, error))}))
        return {LINE: lines}

    def _entries(self, jobs: Sequence[Any]) -> Iterator[dict[str, Any]]:
        """The ledger's lines of a pass; Ray would try without end one that ends its process."""
        from jaxvqa._batch.entry import failure_of
        from jaxvqa._batch.scorer import OpenPass

        mark = self._tries / str(jobs[0][1])
        with open(mark, "ab") as tries:
            tries.write(b"x")
        if os.path.getsize(mark) <= _MOST_TRIES:
            yield from self._scorer.score(OpenPass(jobs, self._plans, self._scratch))
        elif len(jobs) == 1:
            job, key = jobs[0]
            yield failure_of(job, key, _DIED, 0.0)
        else:  # one of them is to blame
            mark.unlink()
            for keyed in jobs:
                yield from self._entries([keyed])
        mark.unlink(missing_ok=True)


def _keep_to(cores: int) -> Any:
    """Takes cores that no other actor of this host has; gives what holds them.

    Ray counts cores, and lets every actor use all of them.
    """
    if not hasattr(os, "sched_setaffinity"):
        return None
    import fcntl

    there = sorted(os.sched_getaffinity(0))
    for slot in range(max(1, len(there) // cores)):
        name = f"jaxvqa-cores-{os.getuid()}-{there[0]}-{cores}-{slot}.lock"
        file = open(os.path.join(tempfile.gettempdir(), name), "a")  # noqa: SIM115
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.close()
            continue
        os.sched_setaffinity(0, there[slot * cores : (slot + 1) * cores])
        return file
    return None
