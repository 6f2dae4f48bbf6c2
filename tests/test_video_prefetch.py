"""The decode thread: order, bounds, errors, and no thread left behind."""

import gc
import itertools
import threading
import time

import pytest

from jaxvqa.video import prefetch
from jaxvqa.video._prefetch import ThreadedIterator


def threads():
    return [t for t in threading.enumerate() if t.name == "jaxvqa-prefetch"]


def wait_until(condition, seconds=5.0):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.002)
    return condition()


@pytest.fixture(autouse=True)
def _no_thread_left():
    yield
    gc.collect()
    assert wait_until(lambda: not threads())


@pytest.mark.parametrize("depth", [1, 2, 50])
def test_same_items_in_order(depth):
    items = prefetch(iter(range(20)), depth)
    assert list(items) == list(range(20))
    assert next(items, "end") == "end"


def test_runs_ahead_but_only_by_depth():
    made = []

    def source():
        for i in itertools.count():
            made.append(i)
            yield i

    with prefetch(source(), 3) as items:
        assert wait_until(lambda: len(made) == 3)
        time.sleep(0.05)
        assert len(made) == 3
        assert next(items) == 0
        assert wait_until(lambda: len(made) == 4)
        time.sleep(0.05)
        assert len(made) == 4


def test_slow_source():
    def source():
        for i in range(3):
            time.sleep(0.02)
            yield i

    with prefetch(source(), 2) as items:
        assert list(items) == [0, 1, 2]


def test_exception_comes_after_the_items_before_it():
    def source():
        yield 1
        yield 2
        raise KeyError("broken")

    items = prefetch(source(), 5)
    assert [next(items), next(items)] == [1, 2]
    with pytest.raises(KeyError, match="broken"):
        next(items)
    with pytest.raises(StopIteration):
        next(items)


def test_not_iterable():
    with pytest.raises(TypeError), prefetch(7, 1) as items:  # type: ignore[arg-type]
        next(items)


def test_close_stops_a_waiting_thread_and_closes_the_generator():
    closed_in = []

    def source():
        try:
            yield from itertools.count()
        finally:
            closed_in.append(threading.current_thread().name)

    items = prefetch(source(), 2)
    assert next(items) == 0
    start = time.monotonic()
    items.close()
    assert time.monotonic() - start < 1
    assert closed_in == ["jaxvqa-prefetch"]
    assert not threads()
    items.close()
    with pytest.raises(StopIteration):
        next(items)


def test_leaving_a_loop_early():
    with prefetch(itertools.count(), 4) as items:
        for item in items:
            if item == 3:
                break
    assert not threads()


def test_dropped_without_close():
    items = prefetch(itertools.count(), 2)
    assert next(items) == 0
    assert len(threads()) == 1
    del items
    gc.collect()
    assert wait_until(lambda: not threads())


def test_threads_are_daemons_and_depth_is_checked():
    with prefetch(itertools.count(), 1):
        assert all(t.daemon for t in threads())
    with pytest.raises(ValueError, match="at least 1, got 0"):
        prefetch([1], 0)


def test_a_threaded_iterator_makes_one_item_for_each_request():
    made = []

    def source():
        for i in range(2):
            made.append((i, threading.current_thread().name))
            yield i

    with ThreadedIterator(source()) as items:
        time.sleep(0.02)
        assert made == []
        for i in range(2):
            items.request()
            assert items.result() == (i, None)
            assert made == [(k, "jaxvqa-iterator") for k in range(i + 1)]
        items.request()
        assert items.result() == (None, None)
        threads = [t for t in threading.enumerate() if t.name == "jaxvqa-iterator"]
        assert len(threads) == 1
        assert threads[0].daemon
    assert wait_until(lambda: not threads[0].is_alive())


def test_a_threaded_iterator_hands_errors_over():
    def source():
        yield 1
        raise KeyError("second")

    with ThreadedIterator(source()) as items:
        items.request()
        assert items.result() == (1, None)
        items.request()
        item, error = items.result()
        assert item is None
        assert isinstance(error, KeyError)
