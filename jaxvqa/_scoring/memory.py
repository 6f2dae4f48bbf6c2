"""Memory for chunks on the host: aligned, and used again once nobody refers to it.

Fresh memory costs a page fault per 4 KiB, more than filling it does. So what arrays leave behind is
kept, within bounds, for arrays of the same size, also by later calls.
"""

from __future__ import annotations

import collections
import math
import weakref
from collections.abc import Iterable

import numpy as np

ALIGNMENT = 64  # of arrays that JAX reads on CPU without a copy
# of memory that is kept though nobody uses it
_MOST_SPARE = 1 << 28


class MemoryPool:
    """Gives arrays, and takes their memory back when they and all their views are gone."""

    def __init__(self) -> None:
        self._most = _MOST_SPARE
        # no lock: arrays may go wherever Python collects them, also in the middle of `empty`
        self._spare: dict[int, collections.deque[np.ndarray]] = {}

    def empty(self, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
        """`np.empty` at an address that is a multiple of `ALIGNMENT`."""
        size = max(1, math.prod(shape) * dtype.itemsize)
        try:
            memory = self._spare[size].pop()
        except (KeyError, IndexError):
            memory = np.empty(size + ALIGNMENT, np.uint8)
        start = -memory.ctypes.data % ALIGNMENT
        # an array of foreign memory is what all views refer to, so it is the last to go
        whole = np.frombuffer(memory.data[start : start + size], np.uint8)
        weakref.finalize(whole, self._take_back, size, memory).atexit = False
        return whole[: math.prod(shape) * dtype.itemsize].view(dtype).reshape(shape)

    def keep_only(self, sizes: Iterable[int], at_once: int = 0) -> None:
        """Lets go of spare memory for arrays of other sizes.

        Args:
            sizes: in bytes.
            at_once: bytes that come back at once and are soon wanted again.
        """
        self._most = max(_MOST_SPARE, at_once)
        for size in set(self._spare) - set(sizes):
            self._spare.pop(size, None)

    @property
    def spare_bytes(self) -> int:
        """Bytes that are kept and not used."""
        return sum(size * len(kept) for size, kept in list(self._spare.items()))

    def _take_back(self, size: int, memory: np.ndarray) -> None:
        if self.spare_bytes + size <= self._most:
            self._spare.setdefault(size, collections.deque()).append(memory)


POOL = MemoryPool()
