"""Waiting that an interrupt ends.

A signal that comes just before a thread goes to sleep, or that the system gives to another thread,
does not wake it. So nothing here sleeps for longer than a tick; after each, Python raises the
`KeyboardInterrupt` that is due.
"""

from __future__ import annotations

import functools
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any, TypeVar

Result = TypeVar("Result")

TICK = 0.1  # seconds


def until_done(future: Future[Any]) -> None:
    """Waits for the future's end, whatever it is."""
    while not future.done():
        wait([future], TICK)


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

    def run() -> None:
        try:
            found = work()
        except BaseException as error:
            future.set_exception(error)
        else:
            future.set_result(found)

    threading.Thread(target=run, name=name, daemon=True).start()
    return future


def aside(work: Callable[[], Result]) -> Result:
    """The result of work that must not be cut off, as in JAX: an interrupt leaves it to itself.

    It goes on in a thread that the process waits for at its end.
    """
    return result_of(_aside().submit(work))


@functools.cache
def _aside() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(4, "jaxvqa-aside")
