"""Compiled programs of the scoring engine: one for each extraction, compiled side by side.

Tracing holds Python's lock, compiling doesn't. So each program is traced in turn and handed to a
thread that compiles it while the next one is traced; a model's extractors share the time of the
longest.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from jaxvqa import _waiting as waiting
from jaxvqa._ops.platforms import traced_for
from jaxvqa._ops.tiling import cut_in_place, frames_left_out, later_frames
from jaxvqa._planes import Planes
from jaxvqa._scoring.plan import Extraction
from jaxvqa._scoring.program_store import ProgramStore, program_name, wide_types
from jaxvqa.features._registry import is_builtin
from jaxvqa.features._run import extracted, read_planes

_THREADS = 4
# programs that a process holds: a model needs about five for each size and each short length
_HELD = 256

# shape and dtype of each plane of a side as the program takes it, devices axis included
PlaneLayouts = tuple[tuple[tuple[int, ...], np.dtype], ...]


@dataclass(frozen=True)
class ChunkLayout:
    """How a chunk is laid out, and on which devices.

    Args:
        devices: the devices; with several, arrays have a leading devices axis.
        bit_depth: bits per sample.
        history: frames in front of those that are scored.
        planes: shapes and dtypes of the planes.
    """

    devices: tuple[Any, ...]
    bit_depth: int
    history: int
    planes: PlaneLayouts

    def block_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """What one device has of a plane: `(history + frames, height, width)`."""
        return shape if len(self.devices) == 1 else shape[1:]

    @property
    def frames(self) -> int:
        """The most frames that a device scores at a time."""
        return self.block_shape(self.planes[0][0])[0] - self.history

    def idle(self, sizes: Sequence[int]) -> Any:
        """The last argument of a program: how many frames fewer than `frames` each device scores.

        Args:
            sizes: frames of each device.
        """
        idle = np.array([self.frames - size for size in sizes], np.int32)
        return jax.device_put(idle if len(self.devices) > 1 else idle[0], self.sharding)

    @functools.cached_property
    def sharding(self) -> Any:
        """What `jax.device_put` needs."""
        if len(self.devices) == 1:
            return jax.sharding.SingleDeviceSharding(self.devices[0])
        return NamedSharding(Mesh(np.array(self.devices), ("frames",)), PartitionSpec("frames"))


def start(
    extractions: Sequence[Extraction], layout: ChunkLayout, store: ProgramStore | None = None
) -> list[Future[Callable[..., Any]]]:
    """Starts compiling a program for each extraction; those that exist are not compiled again.

    Those exist that this process holds, and those in the store.

    A program takes the planes of both sides, two tuples of arrays laid out as `layout` says, and
    `layout.idle`; it gives the raw series of its extraction, to be read by `unpacked`. On CPU
    nothing is computed of frames that do not count.
    """
    wide = wide_types()
    # few outputs mostly mean a small program: it compiles while the larger ones are traced
    order = sorted(extractions, key=lambda e: len(e.feature.outputs(e.options)))
    look_up(order, layout, store)
    programs = {e: _program(e, layout, wide, _store_of(e, store)) for e in order}
    return [programs[extraction] for extraction in extractions]


def look_up(
    extractions: Sequence[Extraction], layout: ChunkLayout, store: ProgramStore | None = None
) -> None:
    """Starts reading the programs that are in the store."""
    wide = wide_types()
    for extraction in extractions:
        _stored(extraction, layout, wide, _store_of(extraction, store))


def _store_of(extraction: Extraction, store: ProgramStore | None) -> ProgramStore | None:
    """No store for a user's own feature, whose code may have changed without a trace."""
    return store if is_builtin(extraction.feature) else None


@functools.cache
def _threads(purpose: str) -> waiting.Crew:
    # a crew for each purpose: reading never waits for what compiles
    return waiting.Crew(f"jaxvqa-{purpose}", _THREADS)


@functools.lru_cache(maxsize=_HELD)
def _stored(
    extraction: Extraction, layout: ChunkLayout, wide: bool, store: ProgramStore | None
) -> Future[Callable[..., Any] | None]:
    """The program as an earlier process stored it; reading goes on beside that of others."""
    if store is None:
        return _ready(None)
    name = _name(extraction, layout)
    return _threads("read").submit(lambda: store.load(name, layout.devices))


def _ready(value: Any) -> Future[Any]:
    future: Future[Any] = Future()
    future.set_result(value)
    return future


def _name(extraction: Extraction, layout: ChunkLayout) -> str:
    planes = [(shape, dtype.str) for shape, dtype in layout.planes]
    what = ("chunk", extraction.feature.name, extraction.options)
    return program_name((*what, layout.bit_depth, layout.history, planes), layout.devices)


def forget() -> None:
    """Forgets the programs that this process holds."""
    _stored.cache_clear()
    _program.cache_clear()


@functools.lru_cache(maxsize=_HELD)
def _program(
    extraction: Extraction, layout: ChunkLayout, wide: bool, store: ProgramStore | None
) -> Future[Callable[..., Any]]:
    stored = waiting.result_of(_stored(extraction, layout, wide, store))
    if stored is not None:
        return _ready(stored)
    side = tuple(
        jax.ShapeDtypeStruct(shape, dtype, sharding=layout.sharding)
        for shape, dtype in layout.planes
    )
    platform = layout.devices[0].platform
    idle = () if len(layout.devices) == 1 else (len(layout.devices),)
    idle = jax.ShapeDtypeStruct(idle, np.int32, sharding=layout.sharding)
    with traced_for(platform):
        lowered = jax.jit(_chunk(extraction, layout)).lower(side, side, idle)
    options = dict(extraction.feature.cpu_compiler) if platform == "cpu" else {}
    name = "" if store is None else _name(extraction, layout)
    return _threads("compile").submit(lambda: _compile(lowered, options, store, name))


def _compile(
    lowered: Any, options: dict[str, bool | int], store: ProgramStore | None, name: str
) -> Callable[..., Any]:
    try:
        compiled = lowered.compile(compiler_options=options)
    except jax.errors.JaxRuntimeError:
        if not options:
            raise
        # a later XLA may have dropped one
        known: dict[str, Any] = {k: v for k, v in options.items() if _is_known(k, v)}
        compiled = lowered.compile(compiler_options=known)
    if store is not None:
        store.save(name, compiled)
    return compiled


@functools.cache
def _is_known(name: str, value: bool | int) -> bool:
    """Whether this XLA takes an option, found out by a program of nothing."""
    option: dict[str, Any] = {name: value}
    try:
        jax.jit(lambda x: x).lower(0.0).compile(compiler_options=option)
    except jax.errors.JaxRuntimeError:
        return False
    return True


def _packed(series: Mapping[str, Any]) -> dict[tuple[str, ...], Any]:
    """Series of one shape and type as one array: each output is a kernel, and a transfer."""
    alike: dict[Any, list[str]] = {}
    for name, x in series.items():
        alike.setdefault((x.shape, x.dtype), []).append(name)
    return {
        tuple(names): jnp.stack([series[name] for name in names], -1) for names in alike.values()
    }


def unpacked(packed: Mapping[tuple[str, ...], np.ndarray]) -> dict[str, np.ndarray]:
    """The series that a program's results hold."""
    return {name: x[..., k] for names, x in packed.items() for k, name in enumerate(names)}


def _chunk(extraction: Extraction, layout: ChunkLayout) -> Callable[..., Any]:
    """The series of one extraction over a chunk."""
    cut = layout.history - extraction.before
    # a loop of unknown length would have an accelerator ask the host after every frame
    any_number = layout.devices[0].platform == "cpu"

    def extract(ref: Any, dis: Any, idle: Any) -> dict[tuple[str, ...], Any]:
        feature, options = extraction.feature, extraction.options
        with frames_left_out(idle if any_number else None), cut_in_place():
            cuts = [[later_frames(p, cut) for p in x] for x in (ref, dis)]
            pair = [Planes(*x, bit_depth=layout.bit_depth) for x in cuts]
            pair = [read_planes(feature, x, options) for x in pair]
            return _packed(extracted(feature, pair[0], pair[1], options))

    def shard(ref: Any, dis: Any, idle: Any) -> Any:
        ref, dis, idle = jax.tree.map(lambda x: x[0], (ref, dis, idle))
        return jax.tree.map(lambda x: x[None], extract(ref, dis, idle))

    if len(layout.devices) == 1:
        return extract
    spec = PartitionSpec("frames")
    mesh = layout.sharding.mesh
    return jax.shard_map(shard, mesh=mesh, in_specs=spec, out_specs=spec, check_vma=False)
