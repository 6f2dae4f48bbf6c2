"""Small jitted functions whose programs a store keeps beside those of the extractions."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from jaxvqa._scoring.program_store import ProgramStore, program_name, wide_types


class Kept:
    """A jitted function that looks its programs up in a store.

    Args:
        function: the function of `jax.jit`, its static arguments first.
        statics: number of static arguments; their `repr` says all of them.
        store: where programs are kept.
        device: what they run on.
    """

    def __init__(self, function: Any, statics: int, store: ProgramStore, device: Any) -> None:
        self._function = function
        self._statics = statics
        self._store = store
        self._device = device
        self._programs: dict[Any, Callable[..., Any]] = {}

    def __call__(self, *arguments: Any) -> Any:
        """The function's results."""
        return self.program(*arguments)(*arguments[self._statics :])

    def program(self, *arguments: Any) -> Callable[..., Any]:
        """The program for such arguments; it takes those that are not static."""
        leaves, tree = jax.tree.flatten(arguments[self._statics :])
        shapes = tuple((np.shape(leaf), leaf.dtype.str) for leaf in leaves)
        kind = (arguments[: self._statics], tree, shapes, wide_types())
        if kind not in self._programs:
            self._programs[kind] = self._find(repr(kind), arguments)
        return self._programs[kind]

    def _find(self, kind: str, arguments: tuple[Any, ...]) -> Callable[..., Any]:
        code = self._function.__wrapped__
        devices = (self._device,)
        name = program_name((code.__module__, code.__qualname__, kind), devices)
        program = self._store.load(name, devices)
        if program is None:
            program = self._function.lower(*arguments).compile()
            self._store.save(name, program)
        return program


@functools.lru_cache(maxsize=64)
def kept(
    function: Any, statics: int, store: ProgramStore | None, device: Any
) -> Callable[..., Any]:
    """The function with its programs in the store; itself without a store."""
    return function if store is None else Kept(function, statics, store, device)
