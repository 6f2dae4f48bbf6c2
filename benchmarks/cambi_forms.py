"""Which form of CAMBI's counting is fastest on this machine, and what does its cost depend on?

CPU milliseconds of one 1080p frame with VMAF v1's options, under XLA's usual options: the counting
of all scales in each form, on a synthetic frame, on ramps of few and many codes, and on the first
frame of each video given; then the whole feature. CPU time, so that other programs on the machine
disturb it less; on one core:

    JAX_NUM_CPU_DEVICES=1 python benchmarks/cambi_forms.py --clip film.y4m photo.y4m
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from _report import Column, Report, devices, parser, spread

from jaxvqa._ops.platforms import traced_for
from jaxvqa._ops.stages import stage
from jaxvqa.features._cambi import counts
from jaxvqa.features._cambi.feature import CAMBI, cambi
from jaxvqa.features._cambi.score import codes_sheet
from jaxvqa.features._cambi.sheet import SKIP, padded
from jaxvqa.features._cambi.tables import contrasts, geometries
from jaxvqa.features._cambi.tiles import (
    codes_upwards,
    flattened,
    over_tiles,
    shifted_sum,
    unflattened,
)
from jaxvqa.video import open_video

HEIGHT, WIDTH = 1080, 1920
FLAT = 0.55  # share of the height
RAMPS = (4, 16, 64, 256)
CONTENT = (
    "1920x1080; synthetic: smooth sky in coarse steps over textured ground, 8 bits; "
    "ramps: 10 bits, flat everywhere"
)
COLUMNS = (
    Column("what", "", "s", 20),
    Column("flat", "flat", ".1%", 7),
    Column("form", "form", "s", 28),
    Column("ms", "ms/frame", width=24),
)
V1 = {"cambi_high_res_speedup": 1080, "cambi_max_val": 17.0, "cambi_vis_lum_threshold": 0.06}
OPTIONS = CAMBI.resolve(V1)


def frame() -> np.ndarray:
    """A sky-like 8-bit gradient in coarse steps over a textured ground."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:HEIGHT, :WIDTH] / HEIGHT
    sky = 40 + 60 * y + 8 * np.sin(3 * x)
    ground = sky + 40 * rng.random((HEIGHT, WIDTH))
    return np.where(y < FLAT, sky, ground).astype(np.uint8)


def ramp(codes: int) -> np.ndarray:
    """A 10-bit ramp from left to right that uses so many codes."""
    steps = np.arange(WIDTH) * codes // WIDTH * (256 // codes)
    return np.tile(200 + steps, (HEIGHT, 1)).astype(np.uint16)


def first_frame(path: str) -> tuple[np.ndarray, int]:
    """Luma of a video's first frame and its bit depth."""
    with open_video(path) as video:
        return np.asarray(next(iter(video))[0]), video.info.bit_depth


def pictures(clips: list[str]) -> Iterator[tuple[str, np.ndarray, int]]:
    """Name, luma and bit depth."""
    yield "synthetic", frame(), 8
    for codes in RAMPS:
        yield f"ramp of {codes}", ramp(codes), 10
    for path in clips:
        yield Path(path).stem, *first_frame(path)


def response_by_codes(codes, half, settings):
    """The responses by walking through the codes of each tile, a box sum for each."""
    size = 2 * half + 1

    def code_count(flat, code, stride, length):
        across = shifted_sum((flat == code).astype(jnp.uint8), size, 1, flat.size - 2 * half)
        most = 255 // size
        parts = [
            shifted_sum(across[first * stride :], min(most, size - first), stride, length)
            for first in range(0, size, most)
        ]
        return sum(part.astype(jnp.int16) for part in parts)

    def kept(core, code, count, best):
        steps = np.arange(best.shape[0], dtype=np.int16)[:, None]
        met = jnp.abs(core - code)[None] == steps
        return jnp.maximum(best, jnp.where(met, count[None], 0))

    def one_tile(area):
        flat, core, stride = flattened(area, half)

        def keep(code, best):
            count = stage(code_count, flat, code, stride=stride, length=core.size)
            return stage(kept, core, code, count, best)

        nothing = jnp.zeros((len(settings) + 1, core.size), jnp.int16)
        own, *others = codes_upwards(flat, keep, nothing)
        return unflattened(counts.combined(core, own, others, settings), half, stride)

    return over_tiles(one_tile, (padded(codes, half, SKIP),), half, jnp.float32)


FORMS: dict[str, Callable[..., jax.Array]] = {
    "histograms of columns": counts.response_by_columns,
    "codes in tiles of 64x128": response_by_codes,
    "all offsets": counts.response_by_offsets,
}


def cpu_ms(fn, *args, passes: int, frames: int = 1) -> dict[str, float]:
    """Spread over passes, after one that compiles."""
    jax.block_until_ready(fn(*args))
    found = []
    for _ in range(passes):
        start = time.process_time()
        jax.block_until_ready(fn(*args))
        found.append(1e3 * (time.process_time() - start) / frames)
    return spread(found)


def main() -> None:
    """Prints a row for each picture and form."""
    options = parser(__doc__, passes=5)
    options.add_argument("--clip", nargs="+", default=[], metavar="FILE", help="1920x1080 videos")
    arguments = options.parse_args()
    content = CONTENT + "".join(f"; {Path(path).stem}" for path in arguments.clip)
    report = Report("cambi_forms", content, COLUMNS, arguments, devices())
    settings, half = contrasts(OPTIONS), geometries(HEIGHT, WIDTH, OPTIONS)[0].window // 2
    forms = {name: jax.jit(lambda c, f=f: f(c, half, settings)) for name, f in FORMS.items()}
    for what, y, depth in pictures(arguments.clip):
        geometry = geometries(*y.shape, OPTIONS)[0]
        sheet = jax.jit(lambda y, d=depth, g=geometry: codes_sheet(y, d, g, OPTIONS))(y)
        row = {
            "what": what,
            "flat": float((sheet < SKIP).sum() / sum(h * w for h, w in geometry.sizes())),
        }
        for form, fn in forms.items():
            report.add(**row, form=form, ms=cpu_ms(fn, sheet, passes=arguments.passes))
        clip = np.stack([y] * 2)
        with traced_for("cpu"):
            whole = jax.jit(lambda y, d=depth: cambi(y, y, bit_depth=d, **V1))
            ms = cpu_ms(whole, clip, passes=arguments.passes, frames=len(clip))
        report.add(**row, form="the whole feature", ms=ms)
    report.save()


if __name__ == "__main__":
    main()
