"""Which form of CAMBI's counting is fastest on this machine?

Prints CPU milliseconds of one 1080p frame (minimum of several runs): the counting of the first
scale in each form, at the windows that 1080p has with and without the speed-up, then the whole
feature. CPU time, so that other programs on the machine disturb it less; run it with
`JAX_NUM_CPU_DEVICES=1 python benchmarks/cambi_forms.py`.
"""

import time

import jax
import jax.numpy as jnp
import numpy as np

from jaxvqa.features._cambi import counts as banding
from jaxvqa.features._cambi.score import CAMBI as FEATURE
from jaxvqa.features._cambi.score import cambi
from jaxvqa.features._cambi.tables import contrasts

V1 = {"high_res_speedup": 1080, "max_val": 17.0, "vis_lum_threshold": 0.06}


def frame(height: int, width: int) -> np.ndarray:
    """A sky-like 8-bit gradient in coarse steps over a textured ground."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:height, :width] / height
    sky = 40 + 60 * y + 8 * np.sin(3 * x)
    ground = sky + 40 * rng.random((height, width))
    return np.where(y < 0.55, sky, ground).astype(np.uint8)


def cpu_ms(fn, *args, rounds: int = 5) -> float:
    jax.block_until_ready(fn(*args))
    least = float("inf")
    for _ in range(rounds):
        start = time.process_time()
        jax.block_until_ready(fn(*args))
        least = min(least, time.process_time() - start)
    return 1e3 * least


def counting() -> None:
    settings = contrasts(FEATURE.resolve({"cambi_vis_lum_threshold": 0.06}))
    for height, width, half in ((540, 960, 8), (1080, 1920, 16)):
        y = frame(1080, 1920)[:: 1080 // height, :: 1080 // height].astype(np.int16) * 4
        flat = np.arange(height)[:, None] < 0.55 * height
        codes = jnp.asarray(np.where(flat, y, banding.SKIP).astype(np.int16))
        print(f"counting, {width}x{height}, window {2 * half + 1}:")
        for tile in ((32, 64), (64, 128), (128, 128), (height, width)):
            fn = jax.jit(lambda c, t=tile, h=half: banding.response_by_tiles(c, h, settings, t))
            name = "whole picture" if tile == (height, width) else f"tiles {tile[0]}x{tile[1]}"
            print(f"  codes in {name:14s} {cpu_ms(fn, codes):8.1f} ms", flush=True)
        fn = jax.jit(lambda c, h=half: banding.response_by_offsets(c, h, settings))
        print(f"  offsets                 {cpu_ms(fn, codes, rounds=2):8.1f} ms", flush=True)


def whole() -> None:
    clip = np.stack([frame(1080, 1920)] * 2)
    for name, options in (("VMAF v1's options", V1), ("defaults", {})):
        fn = jax.jit(lambda y, o=options: cambi(y, y, **o))
        print(f"cambi, 1920x1080, {name}: {cpu_ms(fn, clip, rounds=3) / 2:.1f} ms", flush=True)


if __name__ == "__main__":
    counting()
    whole()
