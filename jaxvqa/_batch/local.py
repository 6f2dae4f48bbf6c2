"""Workers of this process: a thread per device, or per share of the processor.

One thread for each worker opens the passes to come, so files are opened and decoded while others
are scored.
"""

from __future__ import annotations

import atexit
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from jaxvqa import _waiting as waiting
from jaxvqa._batch.progress import WorkerState
from jaxvqa._batch.scorer import Keyed, OpenPass, Scorer
from jaxvqa._batch.scratch import Scratch
from jaxvqa._scoring.together import Plans

_PATIENCE = 2.0  # seconds that an interrupted caller waits for its threads


class _Stopped(BaseException):
    """The caller wants no more."""


class LocalRun:
    """Scores passes with workers of this process.

    Args:
        passes: the jobs.
        scorers: a worker's name and its scorer, for each worker.
        append: keeps a line of the ledger; called in the workers' threads.
        plans: plans that all share.
        scratch: has copies of what is elsewhere.
    """

    def __init__(
        self,
        passes: Sequence[Sequence[Keyed]],
        scorers: Sequence[tuple[str, Scorer]],
        append: Callable[[dict[str, Any]], None],
        plans: Plans,
        scratch: Scratch,
    ) -> None:
        self._waiting = deque(passes)
        self._append = append
        self._plans, self._scratch = plans, scratch
        self._ready: queue.SimpleQueue[OpenPass | None] = queue.SimpleQueue()
        self._room = threading.Semaphore(len(scorers))
        self._events: queue.SimpleQueue[dict[str, Any] | BaseException | None]
        self._events = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._openers = len(scorers)
        self._workers = len(scorers)
        self.states = [WorkerState(name) for name, _ in scorers]
        self.frames = 0
        self._threads = [self._thread(self._open_passes, "open") for _ in scorers]
        self._threads += [
            self._thread(lambda i=i, s=s: self._work(i, s), "worker")
            for i, (_, s) in enumerate(scorers)
        ]

    def _thread(self, work: Callable[[], None], name: str) -> threading.Thread:
        return threading.Thread(target=work, name=f"jaxvqa-batch-{name}", daemon=True)

    def outcomes(self) -> Iterator[dict[str, Any] | None]:
        """The ledger's lines as jobs end; None where none has for a moment.

        Raises:
            Exception: what ended the batch.
        """
        # the process's end may not find a thread within JAX
        atexit.register(self._finish)
        try:
            for thread in self._threads:
                thread.start()
            while True:
                try:
                    event = self._events.get(timeout=waiting.TICK)
                except queue.Empty:
                    yield None
                    continue
                if event is None:
                    return
                if isinstance(event, BaseException):
                    raise event
                yield event
        finally:
            self._stop(_PATIENCE)
            if not any(thread.is_alive() for thread in self._threads):
                atexit.unregister(self._finish)

    def _stop(self, patience: float | None) -> None:
        self._stopping.set()
        until = None if patience is None else time.monotonic() + patience
        for thread in self._threads:
            while thread.is_alive() and (until is None or time.monotonic() < until):
                thread.join(waiting.TICK)

    def _finish(self) -> None:
        self._stop(None)

    def _open_passes(self) -> None:
        try:
            while not self._stopping.is_set():
                if not self._room.acquire(timeout=waiting.TICK):
                    continue
                with self._lock:
                    jobs = self._waiting.popleft() if self._waiting else None
                if jobs is None:
                    break
                opened = OpenPass(jobs, self._plans, self._scratch)
                if opened.failure is None or opened.alone:
                    self._ready.put(opened)
                    continue
                # here and not by the worker: it could wait for room that the next pass has
                with self._lock:
                    self._waiting.extendleft([keyed] for keyed in reversed(opened.jobs))
                self._room.release()
        except BaseException as error:
            self._events.put(error)
        with self._lock:
            self._openers -= 1
            last = not self._openers
        if last:
            for _ in self.states:
                self._ready.put(None)

    def _next(self) -> OpenPass | None:
        while not self._stopping.is_set():
            try:
                return self._ready.get(timeout=waiting.TICK)
            except queue.Empty:
                pass
        return None

    def _work(self, number: int, scorer: Scorer) -> None:
        try:
            while (opened := self._next()) is not None:
                self._room.release()
                self._score(number, scorer, opened)
        except _Stopped:
            pass
        except BaseException as error:
            self._stopping.set()
            self._events.put(error)
        with self._lock:
            self._workers -= 1
            last = not self._workers
        if last:
            self._drain()
            self._events.put(None)

    def _score(self, number: int, scorer: Scorer, opened: OpenPass) -> None:
        state = replace(self.states[number], job=opened.jobs[0][0].id, jobs=len(opened.jobs))
        self.states[number] = state
        before = ended = 0

        def progress(done: int, expected: int | None) -> None:
            nonlocal before
            if self._stopping.is_set():
                raise _Stopped
            with self._lock:
                # a job that is tried again begins anew
                self.frames += done - before if done > before else done
            before = done
            self.states[number] = replace(state, frames=done, expected=expected, ended=ended)

        try:
            for entry in scorer.score(opened, progress):
                self._append(entry)
                ended += 1
                self.states[number] = replace(self.states[number], ended=ended)
                self._events.put(entry)
        finally:
            self.states[number] = WorkerState(state.name)

    def _drain(self) -> None:
        """Closes what was opened and will not be scored."""
        while not self._ready.empty():
            opened = self._ready.get()
            if opened is not None:
                opened.close()
