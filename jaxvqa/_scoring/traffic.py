"""Chunks on their way to the devices and back: a few at a time, whoever sent them.

Engines that take turns share one `Traffic`, so several clips together hold as much memory in flight
as one.
"""

from __future__ import annotations

import collections
from collections.abc import Callable, Sequence
from typing import Any

import jax

from jaxvqa import _waiting as waiting
from jaxvqa._scoring.program_store import ProgramStore
from jaxvqa._scoring.programs import ChunkLayout
from jaxvqa._scoring.transfer import FramePair, Transfer, transfer_for

_IN_FLIGHT = 2
_LAYOUTS = 4  # whose buffers are kept for the next chunk

# takes a chunk's results, which are there
Deliver = Callable[[list[Any]], None]


class Traffic:
    """Sends chunks and hands their results over, in the order they were sent.

    Args:
        store: keeps compiled programs for later processes.
    """

    def __init__(self, store: ProgramStore | None = None) -> None:
        self._store = store
        self._transfers: collections.OrderedDict[ChunkLayout, Transfer] = collections.OrderedDict()
        self._in_flight: collections.deque[tuple[Deliver, Any, Any, Transfer]] = collections.deque()
        self._failed: list[tuple[Deliver, Exception]] = []

    def send(
        self,
        programs: Callable[[], Sequence[Callable[..., Any]]],
        frames: Sequence[FramePair],
        layout: ChunkLayout,
        deliver: Deliver,
    ) -> None:
        """Starts programs on a chunk; waits for an earlier chunk where enough are in flight.

        Args:
            programs: gives the programs; asked after the transfer has begun.
            frames: the chunk.
            layout: how it is laid out.
            deliver: takes the results.

        Raises:
            Exception: an earlier chunk of this receiver failed.
        """
        self._raise_for(deliver)
        transfer = self._transfer(layout)
        arguments, buffers = transfer.send(frames, layout)
        ready = programs()
        # JAX makes the caller wait where much is in flight already
        results = waiting.aside(lambda: [program(*arguments) for program in ready])
        for value in jax.tree.leaves(results):
            value.copy_to_host_async()
        self._in_flight.append((deliver, results, buffers, transfer))
        while len(self._in_flight) > _IN_FLIGHT:
            self._collect()

    def finish(self, deliver: Deliver) -> None:
        """Waits for all chunks of one receiver.

        Raises:
            Exception: one of them failed.
        """
        while any(other == deliver for other, *_ in self._in_flight):
            self._collect()
        self._raise_for(deliver)

    def drop(self, deliver: Deliver) -> None:
        """Waits for all chunks of a receiver that wants them no more."""
        kept = [item if item[0] != deliver else (_ignore, *item[1:]) for item in self._in_flight]
        self._in_flight = collections.deque(kept)
        while any(other == _ignore for other, *_ in self._in_flight):
            self._collect()
        self._failed = [item for item in self._failed if item[0] not in (deliver, _ignore)]

    def _collect(self) -> None:
        deliver, results, buffers, transfer = self._in_flight.popleft()
        try:
            waiting.aside(lambda: jax.block_until_ready(results))
        except Exception as error:  # whoever waits now need not be the one whose chunk it is
            self._failed.append((deliver, error))
            return
        deliver(results)
        transfer.release(buffers)

    def _raise_for(self, deliver: Deliver) -> None:
        for receiver, error in self._failed:
            if receiver == deliver:
                raise error

    def _transfer(self, layout: ChunkLayout) -> Transfer:
        found = self._transfers.pop(layout, None) or transfer_for(layout.devices, self._store)
        self._transfers[layout] = found
        while len(self._transfers) > _LAYOUTS:
            self._transfers.popitem(last=False)
        return found


def _ignore(results: list[Any]) -> None:
    del results
