"""Interrupts that would be lost, or come out as another error, in code that is not ours.

Python raises `KeyboardInterrupt` wherever the main thread is. In a callback of the garbage
collector it is dropped; JAX has one, and a signal that waits for the end of a long collection
arrives there. Called from native code it may come back as `SystemError`.
"""

from __future__ import annotations

import _thread
import contextlib
import gc
import signal
import threading
from collections.abc import Callable, Iterator
from types import CodeType, FrameType
from typing import Any, TypeVar

AnyFunction = TypeVar("AnyFunction", bound=Callable[..., Any])

_LATER = 0.01  # seconds

_whole: set[CodeType] = set()


def whole(function: AnyFunction) -> AnyFunction:
    """A short function that `kept` lets come to its end, as what it opens would be lost."""
    _whole.add(function.__code__)
    return function


@contextlib.contextmanager
def kept() -> Iterator[None]:
    """While the block runs, every interrupt ends it with `KeyboardInterrupt`, later if need be.

    Only in the main thread, and where interrupts raise `KeyboardInterrupt` at all.
    """
    main = threading.current_thread() is threading.main_thread()
    if not main or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    raised = False

    def heard(_: int, frame: FrameType | None) -> None:
        nonlocal raised
        if _must_end(frame):
            threading.Timer(_LATER, _thread.interrupt_main).start()
            return
        raised = True
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, heard)
    try:
        yield
    except Exception as error:
        if raised:
            raise KeyboardInterrupt from error
        raise
    finally:
        if signal.getsignal(signal.SIGINT) is heard:
            signal.signal(signal.SIGINT, signal.default_int_handler)


def _must_end(frame: FrameType | None) -> bool:
    """A collector's callback is running, or a function that is `whole`."""
    codes = {getattr(callback, "__code__", None) for callback in gc.callbacks} | _whole
    while frame is not None:
        if frame.f_code in codes:
            return True
        frame = frame.f_back
    return False
