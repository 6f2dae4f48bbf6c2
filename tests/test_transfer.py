"""Chunks on their devices: laid out in memory or sent frame by frame, the same arrays arrive."""

import jax
import numpy as np
import pytest

import jaxvqa
from jaxvqa._scoring import transfer
from jaxvqa._scoring.programs import ChunkLayout

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


@pytest.mark.parametrize("history", [0, 2])
@pytest.mark.parametrize("devices", [1, 2])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float64])
def test_transfers_bring_the_same_arrays(devices, history, dtype):
    frames = pairs(history + 3 * devices, dtype)
    layout = place_of(frames, devices, history)
    for carrier in (transfer.HostStagedTransfer(), transfer.PerFrameTransfer()):
        arrays, lease = carrier.send(frames, layout)
        for side in range(2):
            for plane, (shape, kind) in enumerate(layout.planes):
                array = arrays[side][plane]
                assert (array.shape, array.dtype) == (shape, jax.dtypes.canonicalize_dtype(kind))
                assert array.sharding.is_equivalent_to(layout.sharding, array.ndim)
                blocks = np.asarray(array).reshape(devices, history + 3, *shape[-2:])
                for device in range(devices):
                    for k in range(history + 3):
                        wanted = frames[device * 3 + k][side][plane]
                        np.testing.assert_array_equal(blocks[device, k], wanted.astype(array.dtype))
        carrier.release(lease)


def test_shelves_serve_again_once_released():
    frames = pairs(3)
    layout = place_of(frames, 1, 0)
    carrier = transfer.HostStagedTransfer()
    first = carrier.send(frames, layout)[1]
    second = carrier.send(frames, layout)[1]
    assert second is not first
    carrier.release(first)
    assert carrier.send(frames, layout)[1] is first


@pytest.mark.parametrize("devices", [1, 2])
def test_a_chunk_is_donated_to_the_next(devices):
    carrier = transfer.PerFrameTransfer()
    layout = place_of(pairs(2 * devices + 1), devices, 1)

    def addresses(arrays):
        return {
            shard.data.unsafe_buffer_pointer()
            for array in jax.tree.leaves(arrays)
            for shard in array.addressable_shards
        }

    first, _ = carrier.send(pairs(2 * devices + 1), layout)
    sums = jax.jit(lambda sides: jax.tree.map(lambda plane: plane.sum(), sides))
    expected = jax.device_get(sums(first))
    used, pending = addresses(first), sums(first)
    second, _ = carrier.send(pairs(2 * devices + 1), layout)
    assert addresses(second) == used
    assert jax.device_get(pending) == expected


@pytest.mark.parametrize("devices", [1, 2])
def test_a_clip_sent_frame_by_frame_scores_the_same(monkeypatch, devices):
    ref = RNG.integers(0, 256, (7, 40, 48)).astype(np.uint8)
    dis = np.clip(ref.astype(int) + RNG.integers(-9, 9, ref.shape), 0, 255).astype(np.uint8)
    wanted = {"model": None, "features": ["motion", "float_vif"]}
    used = jax.devices()[:devices]
    laid_out = jaxvqa.score(ref, dis, devices=used, **wanted)
    monkeypatch.setattr(
        "jaxvqa._scoring.traffic.transfer_for",
        lambda devices, store: transfer.PerFrameTransfer(store),
    )
    sent = jaxvqa.score(ref, dis, devices=used, **wanted)
    for name, values in laid_out.frames.items():
        np.testing.assert_array_equal(sent.frames[name], values)


def test_cpu_devices_read_in_place_and_others_do_not():
    class Accelerator:
        platform = "gpu"

    assert isinstance(transfer.transfer_for(jax.devices()), transfer.HostStagedTransfer)
    assert isinstance(transfer.transfer_for([Accelerator()]), transfer.PerFrameTransfer)
