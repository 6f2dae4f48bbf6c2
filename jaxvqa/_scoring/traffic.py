"""Chunks that the devices work on: a few at a time, whoever sent them.

Engines that take turns share one `Traffic`, so several clips together have as much in flight as
one.
"""

from __future__ import annotations

import collections
from collections.abc import Callable, Sequence
from typing import Any

import jax

from jaxvqa import _waiting as waiting

_IN_FLIGHT = 2

# takes a chunk's results, which are there
Deliver = Callable[[list[Any]], None]


class Traffic:
    """Starts programs on chunks and hands their results over, in the order they were started."""

    def __init__(self) -> None:
        self._in_flight: collections.deque[tuple[Deliver, Any]] = collections.deque()
        self._failed: list[tuple[Deliver, Exception]] = []

    def start(
        self, programs: Sequence[Callable[..., Any]], arguments: Sequence[Any], deliver: Deliver
    ) -> None:
        """Starts programs on a chunk; waits for an earlier chunk where enough are in flight.

        Args:
            programs: the programs.
            arguments: of each of them.
            deliver: takes the results.

        Raises:
            Exception: an earlier chunk of this receiver failed.
        """
        self._raise_for(deliver)
        # JAX makes the caller wait where much is in flight already
        results = waiting.aside(lambda: [program(*arguments) for program in programs])
        for value in jax.tree.leaves(results):
            value.copy_to_host_async()
        self._in_flight.append((deliver, results))
        while len(self._in_flight) > _IN_FLIGHT:
            self._collect()

    def finish(self, deliver: Deliver) -> None:
        """Waits for all chunks of one receiver.

        Raises:
            Exception: one of them failed.
        """
        while any(other == deliver for other, _ in self._in_flight):
            self._collect()
        self._raise_for(deliver)

    def drop(self, deliver: Deliver) -> None:
        """Waits for all chunks of a receiver that wants them no more."""
        kept = [(_ignore if other == deliver else other, x) for other, x in self._in_flight]
        self._in_flight = collections.deque(kept)
        while any(other == _ignore for other, _ in self._in_flight):
            self._collect()
        self._failed = [item for item in self._failed if item[0] not in (deliver, _ignore)]

    def _collect(self) -> None:
        deliver, results = self._in_flight.popleft()
        try:
            waiting.aside(lambda: jax.block_until_ready(results))
        except Exception as error:  # whoever waits now need not be the one whose chunk it is
            self._failed.append((deliver, error))
            return
        deliver(results)

    def _raise_for(self, deliver: Deliver) -> None:
        for receiver, error in self._failed:
            if receiver == deliver:
                raise error


def _ignore(results: list[Any]) -> None:
    del results
