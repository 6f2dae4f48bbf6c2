"""How many frames each device takes at a time."""

import jax

from jaxvqa._scoring.schedule import Schedule, chunk_policy


def test_a_clip_whose_length_is_known_is_spread_over_its_chunks():
    assert [Schedule(2, 8, 24).sizes(k) for k in range(4)] == [(4, 4)] * 3 + [(8, 8)]
    assert [Schedule(2, 8, 100).sizes(k) for k in (0, 6)] == [(7, 7), (7, 8)]
    for devices, frames, count in ((1, 8, 1), (2, 8, 1), (3, 5, 46), (2, 16, 1000), (64, 8, 100)):
        schedule = Schedule(devices, frames, count)
        sizes = [schedule.sizes(k) for k in range(1 + count // devices)]
        sizes = sizes[
            : 1 + next(k for k in range(len(sizes)) if sum(map(sum, sizes[: k + 1])) >= count)
        ]
        assert sum(map(sum, sizes)) == count
        assert max(map(max, sizes)) <= frames
        assert max(map(max, sizes)) - min(map(min, sizes)) <= 1
    # what an accelerator takes is full
    assert Schedule(2, 8, 24, even=False).sizes(0) == (8, 8)


def test_short_clips_have_programs_of_their_own_on_accelerators_alone():
    class Accelerator:
        platform = "gpu"

    frame = 48 * 40
    for count in (5, None):
        for expected in (5, None):
            assert chunk_policy(frame, jax.devices(), count, expected) == ((*jax.devices(),), 16)
    gpus = (Accelerator(), Accelerator())
    assert chunk_policy(frame, gpus, 1) == (gpus[:1], 1)
    assert chunk_policy(frame, gpus, 6) == (gpus, 3)
    assert chunk_policy(frame, gpus, None, 20) == (gpus, 10)
    assert chunk_policy(frame, gpus, None, 2) == (gpus, 4)
    assert chunk_policy(frame, gpus, None) == (gpus, 16)
    # 4K with chroma
    large = 3840 * 2160 * 3 // 2
    assert chunk_policy(large, gpus, None) == (gpus, 1)
    assert chunk_policy(large, jax.devices(), None) == ((*jax.devices(),), 4)
    assert chunk_policy(1 << 22, gpus, None) == (gpus, 4)
