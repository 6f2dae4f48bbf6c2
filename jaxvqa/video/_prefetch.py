"""Runs an iterator in a thread: some items ahead of its consumer, or one item for each request."""

from __future__ import annotations

import queue
import threading
import weakref
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any, Generic, TypeVar

from jaxvqa import _waiting as waiting

Item = TypeVar("Item")


class _Shared:
    """What the thread and its consumer share.

    The thread holds this object and not the `Prefetch`, so a consumer that is dropped without
    `close` can be collected and stops the thread.
    """

    def __init__(self, depth: int, changed: threading.Condition | None) -> None:
        self.depth = depth
        self.items: deque[Any] = deque()
        self.changed = changed or threading.Condition()
        self.stopped = False
        self.finished = False
        self.error: BaseException | None = None

    def stop(self) -> None:
        with self.changed:
            self.stopped = True
            self.items.clear()
            self.changed.notify_all()

    def wait_for_room(self) -> bool:
        """Waits until one more item fits; False when the consumer has gone."""
        with self.changed:
            self.changed.wait_for(lambda: self.stopped or len(self.items) < self.depth)
            return not self.stopped

    def put(self, item: Any) -> None:
        with self.changed:
            if not self.stopped:
                self.items.append(item)
                self.changed.notify_all()

    def finish(self, error: BaseException | None) -> None:
        with self.changed:
            self.finished = True
            self.error = error
            self.changed.notify_all()


def _produce(iterable: Iterable[Any], shared: _Shared) -> None:
    """The thread: room first, then the next item, so at most `depth` items exist ahead."""
    error: BaseException | None = None
    try:
        iterator = iter(iterable)
        try:
            while shared.wait_for_room():
                try:
                    shared.put(next(iterator))
                except StopIteration:
                    break
        finally:
            # a generator releases what it holds here, in the thread that ran it
            close = getattr(iterator, "close", None)
            if close is not None:
                close()
    except BaseException as caught:
        error = caught
    shared.finish(error)


class Prefetch(Generic[Item]):
    """Iterates over items made in a background thread; see `prefetch`."""

    def __init__(
        self, iterable: Iterable[Item], depth: int, changed: threading.Condition | None = None
    ) -> None:
        self._shared = _Shared(depth, changed)
        self._thread = threading.Thread(
            target=_produce, args=(iterable, self._shared), name="jaxvqa-prefetch", daemon=True
        )
        self._finalizer = weakref.finalize(self, self._shared.stop)
        self._thread.start()

    def __iter__(self) -> Iterator[Item]:
        return self

    def __next__(self) -> Item:
        shared = self._shared
        with shared.changed:
            while not (shared.items or shared.finished or shared.stopped):
                shared.changed.wait(waiting.TICK)
            if shared.items:
                item = shared.items.popleft()
                shared.changed.notify_all()
                return item
            error, shared.error = shared.error, None
        waiting.join(self._thread)
        if error is not None:
            raise error
        raise StopIteration

    @property
    def ready(self) -> bool:
        """The next item, or the end, is there without a wait."""
        return bool(self._shared.items) or self._shared.finished or self._shared.stopped

    def close(self) -> None:
        """Stops the thread after the item it works on, and waits for that; safe to repeat."""
        self._shared.stop()
        waiting.join(self._thread)

    def __enter__(self) -> Prefetch[Item]:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.close()
        else:  # what the thread reads may be silent for long; closing that ends the thread
            self._shared.stop()


def prefetch(
    iterable: Iterable[Item], depth: int = 2, changed: threading.Condition | None = None
) -> Prefetch[Item]:
    """Iterates over `iterable` in a background thread, at most `depth` items ahead.

    The queue is bounded, so decoding that is faster than scoring waits instead of filling memory.
    An exception in the thread is raised in the consumer, after the items before it. The thread
    ends with the items, on `close` (or at the end of a `with` block, which an exception does not
    let wait for it), or when the returned object is collected; `iterable`'s iterator is closed in
    that thread if it is a generator.

    Args:
        iterable: what to run ahead of the consumer; it must not be used elsewhere meanwhile.
        depth: the most finished items that wait for the consumer, at least 1.
        changed: told when the next item is ready; one may serve several.

    Returns:
        An iterator over the same items, and a context manager.

    Raises:
        ValueError: a depth below 1.
    """
    if depth < 1:
        raise ValueError(f"depth must be at least 1, got {depth}.")
    return Prefetch(iterable, depth, changed)


class ThreadedIterator(Generic[Item]):
    """An iterator that makes its next item in a thread while the consumer does something else.

    Unlike `Prefetch` it never runs ahead: one item for each `request`. The thread ends with the
    `with` block, and does not keep the process alive.

    Args:
        iterable: what to run; it must not be used elsewhere between `request` and `result`.
    """

    def __init__(self, iterable: Iterable[Item]) -> None:
        self._requests: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self._results: queue.SimpleQueue[Any] = queue.SimpleQueue()
        work = (iter(iterable), self._requests, self._results)
        threading.Thread(target=_serve, args=work, name="jaxvqa-iterator", daemon=True).start()

    def request(self) -> None:
        """Begins with the next item."""
        self._requests.put(True)

    def result(self) -> tuple[Item | None, BaseException | None]:
        """Waits for the item, None at the end, and what was raised instead."""
        return waiting.next_of(self._results)

    def __enter__(self) -> ThreadedIterator[Item]:
        return self

    def __exit__(self, *_: object) -> None:
        self._requests.put(False)


class AskedIterator(Generic[Item]):
    """As `ThreadedIterator`, but makes the item in the consumer's thread, when it is waited for.

    Args:
        iterable: what to run.
    """

    def __init__(self, iterable: Iterable[Item]) -> None:
        self._iterator = iter(iterable)

    def request(self) -> None:
        """Nothing is done ahead."""

    def result(self) -> tuple[Item | None, BaseException | None]:
        """The item, None at the end; what is raised comes at once."""
        return next(self._iterator, None), None

    def __enter__(self) -> AskedIterator[Item]:
        return self

    def __exit__(self, *_: object) -> None:
        """There is nothing to end."""


def _serve(
    iterator: Iterator[Any], requests: queue.SimpleQueue[bool], results: queue.SimpleQueue[Any]
) -> None:
    """The thread of `ThreadedIterator`."""
    while requests.get():
        try:
            results.put((next(iterator, None), None))
        except BaseException as error:
            results.put((None, error))
