"""Chunks on their devices: laid out in memory or sent frame by frame, the same arrays arrive."""

import dataclasses
import gc
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxvqa
from jaxvqa._scoring import transfer
from jaxvqa._scoring.memory import ALIGNMENT, MemoryPool
from jaxvqa._scoring.programs import ChunkLayout
from jaxvqa._scoring.schedule import Schedule

RNG = np.random.default_rng(7)


def pairs(count, dtype=np.uint8, planes=3):
    """Frame pairs whose planes are views with line strides, as decoders leave them."""

    def plane(rows, columns):
        return RNG.integers(0, 200, (rows, columns + 5)).astype(dtype)[:, :columns]

    shapes = [(6, 9), (3, 5), (3, 5)][:planes]
    return [tuple(tuple(plane(*s) for s in shapes) for _ in range(2)) for _ in range(count)]


def place_of(frames, devices, history):
    own = (len(frames) - history) // devices
    lead = (history + own,) if devices == 1 else (devices, history + own)
    planes = tuple((lead + plane.shape, plane.dtype) for plane in frames[0][0])
    return ChunkLayout(tuple(jax.devices()[:devices]), 8, history, planes)


def blocks_of(frames, devices, history):
    """The pairs of each device, those before its own in front."""
    own = (len(frames) - history) // devices
    return [frames[d * own : (d + 1) * own + history] for d in range(devices)]


def check(arrays, blocks, layout):
    """That the devices have these frames."""
    for side in range(2):
        for plane, (shape, kind) in enumerate(layout.planes):
            array = arrays[side][plane]
            assert (array.shape, array.dtype) == (shape, jax.dtypes.canonicalize_dtype(kind))
            assert array.sharding.is_equivalent_to(layout.sharding, array.ndim)
            by_device = np.asarray(array).reshape(len(blocks), -1, *shape[-2:])
            for device, block in enumerate(blocks):
                for k, pair in enumerate(block):
                    wanted = pair[side][plane].astype(array.dtype)
                    np.testing.assert_array_equal(by_device[device, k], wanted)


@pytest.mark.parametrize("history", [0, 2])
@pytest.mark.parametrize("devices", [1, 2])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float64])
def test_transfers_bring_the_same_arrays(devices, history, dtype):
    frames = pairs(history + 3 * devices, dtype)
    layout = place_of(frames, devices, history)
    blocks = blocks_of(frames, devices, history)
    for kind in (transfer.HostStagedTransfer, transfer.PerFrameTransfer):
        check(kind(layout).send(blocks, 0), blocks, layout)


@pytest.mark.parametrize("devices", [1, 2])
def test_the_last_blocks_of_accelerators_are_filled_up(devices):
    frames = pairs(1 + 3 * devices)
    layout = place_of(frames, devices, 1)
    blocks = [frames[:3], *[frames[2:3]] * (devices - 1)]
    full = [[*block, *[frames[2]] * (4 - len(block))] for block in blocks]
    check(transfer.PerFrameTransfer(layout).send(blocks, 0), full, layout)


def read_into(places, frames):
    """Frame pairs whose planes lie in their places."""
    found = []
    for pair in frames:
        sides = [memory() for memory in places]
        for side, planes in zip(sides, pair, strict=True):
            for there, plane in zip(side, planes, strict=True):
                there[...] = plane
        found.append(tuple(sides))
    return found


def addresses(arrays):
    return {
        shard.data.unsafe_buffer_pointer()
        for array in jax.tree.leaves(arrays)
        for shard in array.addressable_shards
    }


@pytest.mark.parametrize("devices", [1, 2])
def test_frames_read_into_their_places_are_not_copied(devices):
    made = pairs(1 + 6 * devices)
    layout = place_of(made[: 1 + 3 * devices], devices, 1)
    carrier = transfer.HostStagedTransfer(layout)
    places = carrier.places(Schedule(devices, 3))
    frames = read_into(places, made[1:])
    for number in range(2):
        part = [
            made[0] if number == 0 else frames[3 * devices - 1],
            *frames[3 * devices * number :],
        ]
        blocks = blocks_of(part[: 1 + 3 * devices], devices, 1)
        arrays = carrier.send(blocks, number)
        check(arrays, blocks, layout)
        # a plane of one device is at most 16 rows of 9 samples, and begins with the history
        starts = {
            plane.ctypes.data - plane.nbytes
            for pair in frames[3 * devices * number :][: 3 * devices : 3]
            for side in pair
            for plane in side
        }
        assert addresses(arrays) == starts
    assert places[0]() is not None


@pytest.mark.parametrize("case", ["left out", "repeated", "late"])
def test_frames_out_of_their_places_are_copied(case):
    made = pairs(8)
    layout = place_of(made[:3], 1, 0)
    carrier = transfer.HostStagedTransfer(layout)
    places = carrier.places(Schedule(1, 3))
    frames = read_into(places, made)
    order = {"left out": [0, 2, 3, 4, 5, 6], "repeated": [0, 1, 1, 2, 3, 4],
             "late": [0, 1, 2, 4, 5, 6]}[case]  # fmt: skip
    for number in range(2):
        chosen = order[3 * number :][:3]
        arrays = carrier.send([[frames[k] for k in chosen]], number)
        check(arrays, [[made[k] for k in chosen]], layout)
    # readers have memory of their own from here on
    assert [memory() for memory in places] == [None, None]


def test_a_chunk_with_too_few_frames_is_laid_out_anew():
    made = pairs(2)
    layout = place_of(pairs(6), 2, 0)
    carrier = transfer.HostStagedTransfer(layout)
    frames = read_into(carrier.places(Schedule(2, 3)), made)
    check(carrier.send([[frames[0]], [frames[1]]], 0), [[made[0]], [made[1]]], layout)


def test_memory_serves_again_when_nobody_refers_to_it():
    pool = MemoryPool()
    first = pool.empty((5, 7), np.dtype(np.uint16))
    assert first.ctypes.data % ALIGNMENT == 0
    address, row = first.ctypes.data, first[1:, 2:]
    second = pool.empty((5, 7), np.dtype(np.uint16))
    assert second.ctypes.data != address
    del first
    assert pool.spare_bytes == 0  # the view is in use
    del row
    assert pool.spare_bytes == 70
    assert pool.empty((7, 5), np.dtype(np.uint16)).ctypes.data == address
    del second
    assert pool.spare_bytes == 140
    pool.keep_only([70])
    assert pool.spare_bytes == 140
    pool.keep_only([64])
    assert pool.spare_bytes == 0


def test_memory_of_a_clip_serves_the_next_without_a_collection_of_garbage(monkeypatch):
    pool = MemoryPool()
    monkeypatch.setattr(transfer, "POOL", pool)
    monkeypatch.setattr("jaxvqa._scoring.places.POOL", pool)
    made = pairs(4)
    layout = place_of(made[:3], 1, 0)

    def run():
        carrier = transfer.HostStagedTransfer(layout)
        spare = pool.spare_bytes
        frames = read_into(carrier.places(Schedule(1, 3)), made)  # one of the second chunk
        arrays = carrier.send([frames[:3]], 0)
        jax.block_until_ready(jax.jit(lambda x: jax.tree.map(jnp.sum, x))(arrays))
        return spare

    gc.disable()
    try:
        run()
        assert pool.spare_bytes > 0  # of the chunk begun, which no device has seen
        chunk = sum(math.prod(shape) * dtype.itemsize for shape, dtype in layout.planes)
        assert run() == 2 * 2 * chunk
    finally:
        gc.enable()


def test_memory_in_use_by_a_device_does_not_serve_again():
    pool = MemoryPool()
    memory = pool.empty((64, 64), np.dtype(np.uint8))
    memory[...] = 3
    array = jax.device_put(memory, jax.devices()[0])
    assert array.unsafe_buffer_pointer() == memory.ctypes.data  # no copy
    del memory
    pool.empty((64, 64), np.dtype(np.uint8))[...] = 4
    np.testing.assert_array_equal(array, 3)
    del array


def test_little_is_kept_that_nobody_uses(monkeypatch):
    monkeypatch.setattr("jaxvqa._scoring.memory._MOST_SPARE", 100)
    pool = MemoryPool()
    arrays = [pool.empty((40,), np.dtype(np.uint8)) for _ in range(3)]
    arrays.clear()
    assert pool.spare_bytes == 80
    pool.keep_only([40], at_once=130)  # a chunk of many devices comes back whole
    arrays = [pool.empty((40,), np.dtype(np.uint8)) for _ in range(4)]
    arrays.clear()
    assert pool.spare_bytes == 120


@pytest.mark.parametrize("devices", [1, 2])
def test_a_chunk_is_donated_to_the_next(devices):
    layout = place_of(pairs(2 * devices + 1), devices, 1)
    carrier = transfer.PerFrameTransfer(layout)

    def send(number):
        return carrier.send(blocks_of(pairs(2 * devices + 1), devices, 1), number)

    first = send(0)
    sums = jax.jit(lambda sides: jax.tree.map(lambda plane: plane.sum(), sides))
    expected = jax.device_get(sums(first))
    used, pending = addresses(first), sums(first)
    assert addresses(send(1)) == used
    assert jax.device_get(pending) == expected


@pytest.mark.parametrize("devices", [1, 2])
def test_a_clip_sent_frame_by_frame_scores_the_same(monkeypatch, devices):
    ref = RNG.integers(0, 256, (7, 40, 48)).astype(np.uint8)
    dis = np.clip(ref.astype(int) + RNG.integers(-9, 9, ref.shape), 0, 255).astype(np.uint8)
    wanted = {"model": None, "features": ["motion", "float_vif"]}
    used = jax.devices()[:devices]
    laid_out = jaxvqa.score(ref, dis, devices=used, **wanted)
    monkeypatch.setattr(
        "jaxvqa._scoring.engine.transfer_for",
        lambda layout, store: transfer.PerFrameTransfer(layout, store),
    )
    sent = jaxvqa.score(ref, dis, devices=used, **wanted)
    for name, values in laid_out.frames.items():
        np.testing.assert_array_equal(sent.frames[name], values)


def test_cpu_devices_read_in_place_and_others_do_not():
    class Accelerator:
        platform = "gpu"

    layout = place_of(pairs(2), 1, 0)
    assert isinstance(transfer.transfer_for(layout), transfer.HostStagedTransfer)
    other = dataclasses.replace(layout, devices=(Accelerator(),))
    assert isinstance(transfer.transfer_for(other), transfer.PerFrameTransfer)
