"""Which form of CAMBI's counting is fastest on this machine?

CPU milliseconds of one 1080p frame, in XLA's usual options: the counting of the finest scale in
each form, at the windows that 1080p has with and without the speed-up, then the whole feature.
CPU time, so that other programs on the machine disturb it less; on one core:

    JAX_NUM_CPU_DEVICES=1 python benchmarks/cambi_forms.py
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import jax
import jax.numpy as jnp
import numpy as np
from _report import Column, Report, devices, parser, spread

from jaxvqa.features._cambi import counts
from jaxvqa.features._cambi.feature import CAMBI, cambi
from jaxvqa.features._cambi.tables import contrasts

HEIGHT, WIDTH = 1080, 1920
FLAT = 0.55  # share of the height
CONTENT = "synthetic frame (smooth sky in coarse steps over textured ground), 1920x1080, 8 bits"
COLUMNS = (
    Column("what", "", "s", 28),
    Column("form", "form", "s", 36),
    Column("ms", "ms/frame", width=24),
)
V1 = {"high_res_speedup": 1080, "max_val": 17.0, "vis_lum_threshold": 0.06}


def frame() -> np.ndarray:
    """A sky-like 8-bit gradient in coarse steps over a textured ground."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:HEIGHT, :WIDTH] / HEIGHT
    sky = 40 + 60 * y + 8 * np.sin(3 * x)
    ground = sky + 40 * rng.random((HEIGHT, WIDTH))
    return np.where(y < FLAT, sky, ground).astype(np.uint8)


def cpu_ms(fn, *args, passes: int, frames: int = 1) -> dict[str, float]:
    """Spread over passes, after one that compiles."""
    jax.block_until_ready(fn(*args))
    found = []
    for _ in range(passes):
        start = time.process_time()
        jax.block_until_ready(fn(*args))
        found.append(1e3 * (time.process_time() - start) / frames)
    return spread(found)


def counting(passes: int) -> Iterator[dict]:
    """A row for each form of counting at each window."""
    settings = contrasts(CAMBI.resolve({"cambi_vis_lum_threshold": 0.06}))
    for step, half in ((2, 8), (1, 16)):
        y = frame()[::step, ::step].astype(np.int16) * 4
        height, width = y.shape
        flat = np.arange(height)[:, None] < FLAT * height
        codes = jnp.asarray(np.where(flat, y, counts.SKIP).astype(np.int16))
        what = f"{width}x{height}, window {2 * half + 1}"
        for tile in ((32, 64), (64, 128), (128, 128), (height, width)):
            fn = jax.jit(lambda c, t=tile, h=half: counts.response_by_tiles(c, h, settings, t))
            name = f"codes in tiles of {tile[0]}x{tile[1]}"
            form = name if tile != (height, width) else "codes of the whole picture at once"
            yield {"what": what, "form": form, "ms": cpu_ms(fn, codes, passes=passes)}
        fn = jax.jit(lambda c, h=half: counts.response_by_offsets(c, h, settings))
        yield {"what": what, "form": "all offsets", "ms": cpu_ms(fn, codes, passes=passes)}


def whole(passes: int) -> Iterator[dict]:
    """A row for the whole feature, with v1's options and its own."""
    clip = np.stack([frame()] * 2)
    for form, options in (("VMAF v1's options", V1), ("defaults", {})):
        fn = jax.jit(lambda y, o=options: cambi(y, y, **o))
        yield {"what": "the whole feature", "form": form, "ms": cpu_ms(fn, clip, passes=passes,
               frames=len(clip))}  # fmt: skip


def main() -> None:
    """Prints one line per form."""
    arguments = parser(__doc__, passes=5).parse_args()
    report = Report("cambi_forms", CONTENT, COLUMNS, arguments, devices())
    for rows in (counting, whole):
        for row in rows(arguments.passes):
            report.add(**row)
    report.save()


if __name__ == "__main__":
    main()
