"""How many bytes does each metric move, and how fast could a machine that only moves bytes be?

Compiles every feature and model as the scoring engine runs it (one device's chunk) in two forms and
counts bytes and operations in the compiled programs (`hlo_cost.py` says how):

- accelerator form: whole pictures, what CUDA and TPU programs are made from. Without an accelerator
  XLA's CPU compiler fuses it; other compilers fuse otherwise, so the bytes are a model;
- CPU form, on a CPU: strips of rows; its bytes mostly stay in cache.

The least possible is to read each pair of frames once. The prediction for an accelerator is its
published bandwidth over the bytes of the accelerator form; arithmetic is left out. The ceiling of
the machine at hand is the lower of bandwidth over bytes (on a CPU the least bytes, on an
accelerator those of its program) and arithmetic over operations, both measured here. "XLA MB" is
what XLA's own analysis says of the accelerator form, each loop body (so, mostly, one frame) counted
once. "Kernels" are the different fused kernels of the program for the machine at hand, "compile s"
is what tracing and compiling it took.

    python benchmarks/roofline.py                         # 1920x1080, everything: some minutes
    python benchmarks/roofline.py --only motion vif --no-measure
"""

from __future__ import annotations

import argparse
import math
import os
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import jax
import jax.numpy as jnp
from hlo_cost import Cost, cost, different_kernels
from speed import FEATURES, MODELS, V1_CAMBI, make_clip

import jaxvqa
from jaxvqa import Planes
from jaxvqa._ops.platforms import traced_for
from jaxvqa._scoring.engine import chunk_frames
from jaxvqa._scoring.plan import Planner, Request

# bytes a second, as their makers publish them
BANDWIDTH = {"H100 SXM": 3.35e12, "H200": 4.8e12, "TPU v5e": 819e9, "TPU v5p": 2.765e12}


@dataclass
class Job:
    """One feature or model as the engine would run it."""

    name: str
    requests: tuple[Request, ...]

    @property
    def history(self) -> int:
        """Frames before a chunk that it needs."""
        return max(r.before for r in self.requests)

    @property
    def chroma(self) -> bool:
        """Whether it reads more than luma."""
        return any(r.feature.needs_chroma(r.options) for r in self.requests)

    def extract(self, ref: Planes, dis: Planes) -> list[dict[str, jax.Array]]:
        """Raw values of every extractor for the last frames."""
        found = []
        for request in self.requests:
            cut = self.history - request.before
            pair = [jax.tree.map(lambda p, c=cut: p[c:], x) for x in (ref, dis)]
            if not request.feature.needs_chroma(request.options):
                pair = [x.luma_only() for x in pair]
            found.append(request.feature.extract(pair[0], pair[1], request.options))
        return found


def job(name: str) -> Job:
    """The job of a feature's or a model's name."""
    planner = Planner()
    if name in MODELS or name.startswith("vmaf"):
        planner.add_model(jaxvqa.load_model(name), name)
    else:
        planner.add_feature(V1_CAMBI if name == "cambi" else name)
    return Job(name, tuple(planner.plan().requests))


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
    count = chunk_frames(least_bytes(work, width, height) // 2, 1, None)
    pair = list(make_clip(width, height, count + work.history))
    return (pair if work.chroma else [x.luma_only() for x in pair]), count


def least_bytes(work: Job, width: int, height: int) -> int:
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
    """Bytes and operations a second of the default backend: a triad and chains of multiply-adds."""
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


def measured_fps(program, pair: list[Planes], count: int) -> float:
    """Frames a second of one device with the frames on it already."""
    placed = jax.device_put(pair, jax.devices()[0])
    return count / statistics.median(seconds(lambda: program(*placed), 5))


def per_frame(total: Cost, count: int) -> tuple[float, float]:
    """Bytes and operations of one frame."""
    return total.bytes / count, total.operations / count


def heads(on_cpu: bool, measure: bool) -> list[str]:
    """Titles of the columns."""
    own = ["CPU MB", "CPU Gop"] if on_cpu else []
    here = ["ceiling here", "measured"] if measure else []
    return ["least MB", "accel MB", "x least", "XLA MB", "accel Gop", *own, *BANDWIDTH,
            "kernels", "compile s", *here]  # fmt: skip


def row(name: str, size: tuple[int, int], on_cpu: bool, limits: tuple[float, float] | None) -> str:
    """The cells of one feature or model; timed where the machine's limits are given."""
    work = job(name)
    pair, count = frames_for(work, *size)
    least = least_bytes(work, *size)
    general, taken = compiled(work, pair, accelerator=True)
    own, taken = compiled(work, pair, accelerator=False) if on_cpu else (general, taken)
    (moved, done), (own_moved, own_done) = (
        per_frame(cost(program.as_text()), count) for program in (general, own)
    )
    naive = general.cost_analysis().get("bytes accessed", math.nan)
    cells = [f"{least / 1e6:.1f}", f"{moved / 1e6:.0f}", f"{moved / least:.0f}"]
    cells += [f"{naive / 1e6:.0f}", f"{done / 1e9:.2f}"]
    cells += [f"{own_moved / 1e6:.0f}", f"{own_done / 1e9:.2f}"] if on_cpu else []
    cells += [f"{rate / moved:.0f}" for rate in BANDWIDTH.values()]
    cells += [f"{different_kernels(own.as_text())}", f"{taken:.1f}"]
    if limits is not None:
        bandwidth, arithmetic = limits
        ceiling = min(bandwidth / (least if on_cpu else moved), arithmetic / own_done)
        cells += [f"{ceiling:.0f}", f"{measured_fps(own, pair, count):.1f}"]
    open_loops = cost(general.as_text()).open_loops
    note = f"  {open_loops} loop(s) of unknown length counted once" if open_loops else ""
    return f"{name:18s}" + "".join(f"{c:>13s}" for c in cells) + note


def main() -> None:
    """Prints one line per feature and model."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", default="1920x1080")
    parser.add_argument("--only", nargs="*", default=[*FEATURES, *MODELS])
    parser.add_argument("--no-measure", action="store_true", help="count only, time nothing")
    arguments = parser.parse_args()
    width, height = map(int, arguments.size.split("x"))
    on_cpu = jax.default_backend() == "cpu"
    device = f"{jax.devices()[0].device_kind} ({jax.default_backend()}), {os.cpu_count()} cores"
    versions = f"jaxvqa {jaxvqa.__version__}, jax {jax.__version__}"
    print(f"{versions}, Python {platform.python_version()}, {device}, {arguments.size}, 8 bits")
    limits = None
    if not arguments.no_measure:
        limits = machine()
        print(f"measured here: {limits[0] / 1e9:.1f} GB/s (triad), {limits[1] / 1e9:.0f} G "
              f"operations/s (float32 multiply-add)")  # fmt: skip
    print("per frame: MB = 1e6 bytes, Gop = 1e9 operations; "
          "fps predicted from bandwidth and the bytes of the accelerator form")  # fmt: skip
    print(f"{'':18s}" + "".join(f"{h:>13s}" for h in heads(on_cpu, limits is not None)))
    for name in arguments.only:
        print(row(name, (width, height), on_cpu, limits), flush=True)


if __name__ == "__main__":
    main()
