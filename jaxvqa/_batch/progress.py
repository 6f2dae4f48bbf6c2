"""How far a batch has come."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

BatchProgressFn = Callable[["BatchProgress"], None]


@dataclass(frozen=True)
class WorkerState:
    """What a worker does.

    Args:
        name: of the worker, such as "cuda:0".
        job: id of the job, or of the first of the jobs that it scores together; None if it waits.
        jobs: how many it scores together.
        frames: frame pairs that it has scored of them.
        expected: how many there will be, or None.
        ended: jobs of them that have ended.
    """

    name: str
    job: str | None = None
    jobs: int = 0
    frames: int = 0
    expected: int | None = None
    ended: int = 0

    @property
    def under_way(self) -> float:
        """Jobs' worth of frames that it has scored of jobs that have not ended."""
        share = self.frames / self.expected if self.expected else 0.0
        return max(0.0, self.jobs * min(1.0, share) - self.ended)


@dataclass(frozen=True)
class BatchProgress:
    """How far a batch has come.

    Args:
        total: jobs in all.
        before: jobs that earlier runs have done, or tried.
        done: jobs that this run has done.
        failed: jobs that failed in this run.
        frames: frame pairs that this run has scored.
        seconds: since this run began.
        workers: what each worker does.
        row: the row of a job that has just ended, or None.
    """

    total: int
    before: int
    done: int
    failed: int
    frames: int
    seconds: float
    workers: tuple[WorkerState, ...] = ()
    row: dict | None = None

    @property
    def fps(self) -> float:
        """Frame pairs per second of this run."""
        return self.frames / self.seconds if self.seconds > 0 else 0.0

    @property
    def left(self) -> float | None:
        """Seconds that the rest will take if it goes on like this, or None."""
        begun = self.done + sum(worker.under_way for worker in self.workers)
        rest = self.total - self.before - self.failed - begun
        return None if not begun else self.seconds / begun * max(0.0, rest)
