"""How many bytes does each metric move, and how fast could a machine that only moves bytes be?

Compiles every feature and model as the scoring engine runs it (one device's chunk) in two forms and
counts bytes and operations in the compiled programs (`hlo_cost.py` says how):

- accelerator form: whole pictures, what CUDA and TPU programs are made from. Without an accelerator
  XLA's CPU compiler fuses it; other compilers fuse otherwise, so the bytes are a model;
- CPU form, on a CPU: strips of rows; its bytes mostly stay in cache.

The minimum is to read each pair of frames once. The prediction for an accelerator is its
published bandwidth over the bytes of the accelerator form; arithmetic is left out. The ceiling of
the machine at hand is the lower of bandwidth over bytes (on a CPU the minimum, on an accelerator
the bytes of its program) and arithmetic over operations, both measured here. "XLA MB" is what XLA's
own analysis says of the accelerator form, each loop body (so, mostly, one frame) counted once.
"Kernels" are the different fused kernels of the program for the machine at hand, "compile" is what
tracing and compiling it took. Loops whose trip count is not in the program's text are counted once;
"open loops" says how many there are. Per frame; MB = 1e6 bytes, Gop = 1e9 operations.

    python benchmarks/roofline.py                         # 1920x1080, everything: some minutes
    python benchmarks/roofline.py --only motion vif --no-measure
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import jax
import jax.numpy as jnp
from _clips import CONTENT, make_clip
from _report import Column, Report, devices, parser, rates
from hlo_cost import Cost, cost, different_kernels
from speed import NAMES, V1_CAMBI

from jaxvqa import Planes
from jaxvqa._ops.platforms import traced_for
from jaxvqa._scoring.plan import Extraction, make_plan
from jaxvqa._scoring.request import ScoreRequest
from jaxvqa._scoring.result import ClipInfo
from jaxvqa._scoring.schedule import chunk_policy
from jaxvqa.features._registry import FEATURES
from jaxvqa.features._run import read_planes

# bytes per second, as their makers publish them
BANDWIDTH = {"H100 SXM": 3.35e12, "H200": 4.8e12, "TPU v5e": 819e9, "TPU v5p": 2.765e12}


@dataclass
class Job:
    """One feature or model as the engine would run it."""

    name: str
    extractions: tuple[Extraction, ...]

    @property
    def history(self) -> int:
        """Frames before a chunk that it needs."""
        return max(e.before for e in self.extractions)

    @property
    def chroma(self) -> bool:
        """Whether it reads more than luma."""
        return any(e.reads_chroma for e in self.extractions)

    def extract(self, ref: Planes, dis: Planes) -> list[dict[str, jax.Array]]:
        """Raw values of every extractor for the last frames."""
        found = []
        for extraction in self.extractions:
            feature, options = extraction.feature, extraction.options
            cut = self.history - extraction.before
            pair = [jax.tree.map(lambda p, c=cut: p[c:], x) for x in (ref, dis)]
            pair = [read_planes(feature, x, options) for x in pair]
            found.append(feature.extract(pair[0], pair[1], options))
        return found


def job(name: str) -> Job:
    """The job of a feature's or a model's name."""
    request = ScoreRequest(model=name)
    if name in FEATURES:
        request = ScoreRequest(model=None, features=[V1_CAMBI if name == "cambi" else name])
    return Job(name, make_plan(request, ClipInfo(1920, 1080, 8, "420")).extractions)


def compiled(work: Job, pair: list[Planes], accelerator: bool):
    """The compiled program of a job in one of its two forms, and the seconds it took."""
    jax.clear_caches()  # traced in the other form
    shapes = jax.tree.map(lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype), pair)
    started = time.perf_counter()
    with traced_for("gpu" if accelerator else jax.default_backend()):
        program = jax.jit(work.extract).lower(*shapes).compile()
    return program, time.perf_counter() - started


def frames_for(work: Job, width: int, height: int) -> tuple[list[Planes], int]:
    """A chunk's worth of a made clip, and how many frames of it are scored."""
    frame_bytes = minimum_bytes(work, width, height) // 2
    _, count = chunk_policy(frame_bytes, jax.devices()[:1], None)
    pair = list(make_clip(width, height, count + work.history))
    return (pair if work.chroma else [x.luma_only() for x in pair]), count


def minimum_bytes(work: Job, width: int, height: int) -> int:
    """8-bit samples of one pair of 4:2:0 frames, or of its luma."""
    chroma = 2 * ((width + 1) // 2) * ((height + 1) // 2) if work.chroma else 0
    return 2 * (width * height + chroma)


def seconds(fn: Callable[[], object], rounds: int) -> list[float]:
    """Times of several calls after a first one that isn't timed."""
    jax.block_until_ready(fn())
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        jax.block_until_ready(fn())
        times.append(time.perf_counter() - started)
    return times


def machine() -> tuple[float, float]:
    """Bytes and operations per second of the default backend: a triad, chains of multiply-adds."""
    # an accelerator needs more to do than what starting it takes
    wide, many = (25, 20) if jax.default_backend() == "cpu" else (28, 28)
    size, rounds, links, chains = 1 << wide, 7, 32, 4
    a, b = jnp.ones(size, jnp.float32), jnp.ones(size, jnp.float32)
    # in place: fresh memory would be timed for its page faults
    triad = jax.jit(lambda a, b: a + 2 * b, donate_argnums=0)
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        a = jax.block_until_ready(triad(a, b))
        times.append(time.perf_counter() - started)

    def multiply_add(x: jax.Array) -> jax.Array:
        ys = [x + i for i in range(chains)]
        for _ in range(links):
            ys = [y * x + 0.5 for y in ys]
        return sum(ys[1:], ys[0])

    x, run = jnp.full(1 << many, 0.5, jnp.float32), jax.jit(multiply_add)
    operations = 2 * links * chains * x.size
    return 3 * 4 * size / min(times), operations / min(seconds(lambda: run(x), rounds))


def measured(program, pair: list[Planes], count: int, passes: int) -> dict[str, float]:
    """Frames per second of one device with the frames on it already."""
    placed = jax.device_put(pair, jax.devices()[0])
    return rates(count, seconds(lambda: program(*placed), passes))


def per_frame(total: Cost, count: int) -> tuple[float, float]:
    """Bytes and operations of one frame."""
    return total.bytes / count, total.operations / count


def columns(on_cpu: bool, measure: bool) -> list[Column]:
    """Columns of the table."""
    own = [Column("cpu_mb", "CPU MB", ".0f", 7), Column("cpu_gop", "CPU Gop", ".2f", 8)]
    here = [Column("ceiling", "ceiling, fps", ".0f"), Column("fps", "measured, fps", ".1f", 26)]
    return [
        Column("name", "", "s", 20),
        Column("minimum_mb", "minimum MB", ".1f", 10),
        Column("mb", "accel. MB", ".0f", 9),
        Column("xla_mb", "XLA MB", ".0f", 7),
        Column("gop", "accel. Gop", ".2f", 10),
        *(own if on_cpu else []),
        *(Column(name, name, ".0f", 9) for name in BANDWIDTH),
        Column("kernels", "kernels", "d", 7),
        Column("compile", "compile, s", ".1f", 10),
        *(here if measure else []),
        Column("open_loops", "open loops", "d", 10),
    ]


def row(
    name: str, size: tuple[int, int], on_cpu: bool, limits: tuple[float, float] | None, passes: int
) -> dict:
    """What is known of one feature or model; timed where the machine's limits are given."""
    work = job(name)
    pair, count = frames_for(work, *size)
    minimum = minimum_bytes(work, *size)
    general, taken = compiled(work, pair, accelerator=True)
    own, taken = compiled(work, pair, accelerator=False) if on_cpu else (general, taken)
    (moved, done), (own_moved, own_done) = (
        per_frame(cost(program.as_text()), count) for program in (general, own)
    )
    found = {
        "name": name,
        "minimum_mb": minimum / 1e6,
        "mb": moved / 1e6,
        "xla_mb": general.cost_analysis().get("bytes accessed", math.nan) / 1e6,
        "gop": done / 1e9,
        **{accelerator: rate / moved for accelerator, rate in BANDWIDTH.items()},
        "kernels": different_kernels(own.as_text()),
        "compile": taken,
        "open_loops": cost(general.as_text()).open_loops,
    }
    if on_cpu:
        found |= {"cpu_mb": own_moved / 1e6, "cpu_gop": own_done / 1e9}
    if limits is not None:
        bandwidth, arithmetic = limits
        found["ceiling"] = min(bandwidth / (minimum if on_cpu else moved), arithmetic / own_done)
        found["fps"] = measured(own, pair, count, passes)
    return found


def main() -> None:
    """Prints one line per feature and model."""
    options = parser(__doc__, passes=5)
    options.add_argument("--size", default="1920x1080", metavar="WxH")
    options.add_argument("--only", nargs="+", default=NAMES, metavar="NAME", help="default: all")
    options.add_argument("--no-measure", action="store_true", help="count only, time nothing")
    arguments = options.parse_args()
    width, height = map(int, arguments.size.split("x"))
    on_cpu = jax.default_backend() == "cpu"
    content, limits = f"{CONTENT}, {arguments.size}, 8 bits, 4:2:0, one device", None
    if not arguments.no_measure:
        limits = machine()
        content += (
            f"; this machine: {limits[0] / 1e9:.1f} GB/s (triad), "
            f"{limits[1] / 1e9:.0f} G operations/s (float32 multiply-add)"
        )
    table = columns(on_cpu, limits is not None)
    report = Report("roofline", content, table, arguments, devices())
    for name in arguments.only:
        report.add(**row(name, (width, height), on_cpu, limits, arguments.passes))
    report.save()


if __name__ == "__main__":
    main()
