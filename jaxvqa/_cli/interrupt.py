"""An interrupt ends the command at once, whatever its threads are doing.

Python raises `KeyboardInterrupt` in the main thread alone, between two of its instructions: neither
while a program is compiled nor while a device computes, and not at all where a callback of JAX is
running, which loses it. So a thread that does nothing else hears the signal and ends the process.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import traceback
from typing import Any

from jaxvqa import _drafts as drafts

INTERRUPTED = 130


def debugging() -> bool:
    """The user wants to see where a command ended."""
    return os.environ.get("JAXVQA_DEBUG", "") not in ("", "0")


def listen() -> None:
    """From now on SIGINT ends this process, unless a shell had it ignored."""
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        return
    heard, told = os.pipe()
    os.set_blocking(told, False)
    signal.set_wakeup_fd(told, warn_on_full_buffer=False)
    signal.signal(signal.SIGINT, _leave_it)
    threading.Thread(target=_end, args=(heard,), name="jaxvqa-interrupt", daemon=True).start()


def _leave_it(*_: Any) -> None:
    """Only signals that Python handles are told to `_end`."""


def _end(heard: int) -> None:
    while os.read(heard, 1) != bytes([signal.SIGINT]):
        pass
    drafts.abandon()
    if debugging():
        traceback.print_stack(sys._current_frames()[threading.main_thread().ident or 0])
    # past Python's buffers: another thread may hold their locks for good
    os.write(2, _clear_line() + b"jaxvqa: interrupted\n")
    os._exit(INTERRUPTED)


def _clear_line() -> bytes:
    """Takes away a progress bar and gives the cursor back, on a terminal."""
    if not os.isatty(2):
        return b""
    plain = os.environ.get("TERM", "dumb") in ("dumb", "unknown")
    return b"\n" if plain else b"\r\x1b[2K\x1b[?25h"
