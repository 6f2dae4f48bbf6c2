"""Scores passes of jobs on some devices: what a worker does, wherever it runs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from jaxvqa._batch.entry import entry_of, failure_of
from jaxvqa._batch.errors import OutputError, is_of_the_job, sentence_of
from jaxvqa._batch.frames import write_frames
from jaxvqa._batch.job import Job
from jaxvqa._batch.scratch import Copies, Scratch
from jaxvqa._scoring.program_store import ProgramStore
from jaxvqa._scoring.together import Pass, Plans, Scored, Task
from jaxvqa._scoring.traffic import Traffic

Keyed = tuple[Job, str]
Progress = Callable[[int, int | None], None]


class OpenPass:
    """Jobs whose files are open; ready to be scored.

    Args:
        jobs: the jobs with their keys.
        plans: plans of earlier passes.
        scratch: has copies of what is elsewhere.
    """

    def __init__(self, jobs: Sequence[Keyed], plans: Plans, scratch: Scratch) -> None:
        self.jobs = jobs
        began = time.perf_counter()
        self.copies: Copies | None = None
        self.failure: Exception | None = None
        self.open: Pass | None = None
        try:
            self.copies = scratch.copies(sorted({p for job, _ in jobs for p in (job.ref, job.dis)}))
            here = self.copies.paths
            tasks = [Task(here[job.ref], here[job.dis], job.request) for job, _ in jobs]
            self.open = Pass(tasks, plans)
        except OutputError:
            self.close()
            raise
        except Exception as error:
            self.failure = error
            self.close()
        self.seconds = time.perf_counter() - began

    @property
    def alone(self) -> bool:
        """One job, whose failure is its own."""
        return len(self.jobs) == 1

    def close_files(self) -> None:
        """Closes the files; copies stay. Safe to repeat."""
        if self.open is not None:
            self.open.close()

    def close(self) -> None:
        """Closes the files and lets the copies go; safe to repeat."""
        self.close_files()
        if self.copies is not None:
            self.copies.release()


class Scorer:
    """Scores passes one after the other.

    Args:
        folder: of the batch; values of every frame go there.
        plans: plans of earlier passes.
        scratch: has copies of what is elsewhere.
        devices: JAX devices; all of the default backend if None.
        store: keeps compiled programs for later processes.
    """

    def __init__(
        self,
        folder: Path,
        plans: Plans,
        scratch: Scratch,
        *,
        devices: Sequence[Any] | None = None,
        store: ProgramStore | None = None,
    ) -> None:
        self._folder, self._plans, self._scratch = folder, plans, scratch
        self._devices, self._store = devices, store
        self._traffic = Traffic()

    def score(self, opened: OpenPass, progress: Progress | None = None) -> Iterator[dict[str, Any]]:
        """The ledger's lines of a pass, each when its job has ended; closes the pass.

        Args:
            opened: the pass.
            progress: called with (frame pairs done, pairs in all or None).

        Raises:
            OutputError: values of frames or copies can't be written.
        """
        again: list[Keyed] = []
        try:
            yield from self._together(opened, progress, again)
            opened.close_files()
            # their copies stay for this: a pass that waits for its turn may have all other room
            for keyed in again:
                yield from self.score(OpenPass([keyed], self._plans, self._scratch), progress)
        finally:
            opened.close()

    def _together(
        self, opened: OpenPass, progress: Progress | None, again: list[Keyed]
    ) -> Iterator[dict[str, Any]]:
        if opened.failure is not None:
            yield from self._failed_to_open(opened, opened.failure, again)
        elif opened.open is not None:
            for scored in opened.open.score(
                self._traffic, devices=self._devices, store=self._store, progress=progress
            ):
                job, key = opened.jobs[scored.index]
                if self._is_for_another_try(scored, opened):
                    again.append((job, key))
                else:
                    yield self._entry(job, key, scored, opened)

    def _failed_to_open(
        self, opened: OpenPass, error: Exception, again: list[Keyed]
    ) -> Iterator[dict[str, Any]]:
        """Copies of one job may fail for another's sake."""
        if opened.alone:
            job, key = opened.jobs[0]
            yield failure_of(job, key, sentence_of(error), opened.seconds)
        else:
            again += opened.jobs

    def _is_for_another_try(self, scored: Scored, opened: OpenPass) -> bool:
        """Together they may need memory that one alone does not."""
        return scored.error is not None and not (opened.alone or is_of_the_job(scored.error))

    def _entry(self, job: Job, key: str, scored: Scored, opened: OpenPass) -> dict[str, Any]:
        named = (lambda text: text) if opened.copies is None else opened.copies.named
        if scored.result is None:
            assert scored.error is not None
            return failure_of(job, key, named(sentence_of(scored.error)), scored.seconds)
        result = named(scored.result)
        name = write_frames(self._folder, job.id, result, job.ref, job.dis)
        return entry_of(job, key, result, name, scored.seconds)
