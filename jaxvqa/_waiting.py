"""Waiting that an interrupt ends, and threads for work that one would have to wait for.

A signal that comes just before a thread goes to sleep, or that the system gives to another thread,
does not wake it. So nothing here sleeps for longer than a tick; after each, Python raises the
`KeyboardInterrupt` that is due.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

Result = TypeVar("Result")

TICK = 0.1  # seconds


def until_done(future: Future[Any]) -> None:
    """Waits for the future's end, whatever it is."""
    while not future.done():
        with contextlib.suppress(TimeoutError):
            future.exception(TICK)


def result_of(future: Future[Result]) -> Result:
    """`future.result()`."""
    until_done(future)
    return future.result()


def next_of(items: queue.SimpleQueue[Any]) -> Any:
    """`items.get()`."""
    while True:
        try:
            return items.get(timeout=TICK)
        except queue.Empty:
            pass


def join(thread: threading.Thread) -> None:
    """`thread.join()`."""
    while thread.is_alive():
        thread.join(TICK)


def in_thread(work: Callable[[], Result], name: str) -> Future[Result]:
    """Begins with the work in a thread that does not keep the process alive."""
    future: Future[Result] = Future()
    threading.Thread(target=_settle, args=(future, work), name=name, daemon=True).start()
    return future


def _settle(future: Future[Result], work: Callable[[], Result]) -> None:
    try:
        found = work()
    except BaseException as error:
        future.set_exception(error)
    else:
        future.set_result(found)


class Crew:
    """Threads for work in JAX: an interrupted caller leaves it, and the process's end waits for it.

    JAX's code can't be left in the middle: the process crashes if its end finds a thread there. An
    executor of the standard library waits too, but for ever if the interrupt came while one of its
    threads was started.

    Args:
        name: of the threads.
        size: number of threads.
    """

    def __init__(self, name: str, size: int) -> None:
        self._name = name
        self._size = size
        self._threads: list[threading.Thread] = []
        self._work: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._begun: set[Future[Any]] = set()
        atexit.register(self._finish)

    def submit(self, work: Callable[[], Result]) -> Future[Result]:
        """Begins with the work as soon as a thread is free."""
        future: Future[Result] = Future()
        self._begun.add(future)
        future.add_done_callback(self._begun.discard)
        self._work.put((future, work))
        if len(self._threads) < self._size:
            thread = threading.Thread(
                target=_serve, args=(self._work,), name=self._name, daemon=True
            )
            thread.start()
            self._threads.append(thread)
        return future

    def _finish(self) -> None:
        for future in list(self._begun):
            until_done(future)


def _serve(works: queue.SimpleQueue[Any]) -> None:
    while True:
        future, work = works.get()
        _settle(future, work)
        del future, work  # nothing is kept alive by a thread that waits


def aside(work: Callable[[], Result]) -> Result:
    """The result of work in JAX that a caller waits for."""
    return result_of(_aside().submit(work))


@functools.cache
def _aside() -> Crew:
    return Crew("jaxvqa-aside", 4)
