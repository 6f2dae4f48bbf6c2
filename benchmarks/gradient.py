"""What does the gradient of a loss cost, in time and memory, beside its value alone?

Each loss runs in a process of its own, on frames that the script makes. "Peak" is what the process
held at most while the compiled gradient ran, above what it held before, inputs and programs loaded;
"XLA" is what the compiler itself reserves for temporaries. In each pass value and gradient take
turns, because the machine's speed may change within seconds.

    python benchmarks/gradient.py                                  # 4 frames of 1920x1080
    python benchmarks/gradient.py --size 960x540 --frames 8 --only vmaf ms_essim
    python benchmarks/gradient.py --only vmaf --limit 1000 --ratio 3.5     # fails above
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

from _clips import content, make_clip
from _report import Column, Report, parser, positive, spread
from memory import resident

from jaxvqa import losses

LOSSES = (*losses.names(), "vmaf:vmaf_v0.6.1neg", "vmaf:vmaf_v1.0.16_3d0h")
COLUMNS = (
    Column("name", "loss", "s", 26),
    Column("value", "value, ms/frame", width=26),
    Column("gradient", "with gradient, ms/frame", width=26),
    Column("ratio", "ratio", ".2f", 24),
    Column("peak_mb", "peak MB", ".0f", 8),
    Column("xla_mb", "XLA MB", ".0f", 8),
    Column("compile", "compile, s", width=11),
)


def without_chroma(loss, pair: list) -> list:
    """The pair as luma alone, where the loss takes it so."""
    import jax

    luma = [side.luma_only() for side in pair]
    try:
        jax.eval_shape(loss, *luma)
    except ValueError:  # it needs chroma, as its message says
        return pair
    return luma


def forget_peak() -> bool:
    """Starts a new measurement of the process's peak, where the system allows it."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return False
    return True


def peak() -> float:
    """Megabytes that this process has held at most since `forget_peak`."""
    status = Path("/proc/self/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024 / 1e6


def measure(arguments: argparse.Namespace) -> dict:
    """One row; runs in a process of its own."""
    import jax
    import jax.numpy as jnp

    kind, _, model = arguments.child.partition(":")
    options = {"model": model} if model else {}
    clip = make_clip(*map(int, arguments.size.split("x")), arguments.frames)

    def total(dis, ref):
        return getattr(losses, kind)(ref, dis, reduction="sum", **options)

    pair = jax.tree.map(lambda x: jnp.asarray(x).astype(jnp.float32), list(clip))
    ref, dis = without_chroma(total, pair)
    jax.clear_caches()  # tracing is a part of compiling
    started = time.perf_counter()
    gradient = jax.jit(jax.value_and_grad(total)).lower(dis, ref).compile()
    taken = time.perf_counter() - started
    before, fresh = resident(), forget_peak()
    jax.block_until_ready(gradient(dis, ref))
    used = peak() - before if fresh else None
    value = jax.jit(total).lower(dis, ref).compile()
    jax.block_until_ready(value(dis, ref))
    runs: dict[str, list[float]] = {"value": [], "gradient": []}
    for _ in range(arguments.passes):
        for name, program in (("value", value), ("gradient", gradient)):
            started = time.perf_counter()
            jax.block_until_ready(program(dis, ref))
            runs[name].append(1000 * (time.perf_counter() - started) / arguments.frames)
    return {
        "name": arguments.child,
        **{name: spread(times) for name, times in runs.items()},
        "ratio": spread(g / v for v, g in zip(runs["value"], runs["gradient"], strict=True)),
        "peak_mb": used,
        "xla_mb": gradient.memory_analysis().temp_size_in_bytes / 1e6,
        "compile": taken,
    }


def child(name: str, arguments: argparse.Namespace) -> dict:
    """The row of a loss, measured in a process of its own."""
    command = [sys.executable, __file__, "--child", name, "--size", arguments.size]
    command += ["--frames", str(arguments.frames), "--passes", str(arguments.passes)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(f"gradient: {name} failed with exit status {done.returncode}.")
    return json.loads(done.stdout)


def problems(row: dict, limit: float, ratio: float) -> list[str]:
    """What is above the limits asked for."""
    found = []
    if limit and max(row["peak_mb"] or 0, row["xla_mb"]) > limit:
        found.append(f"gradient: {row['name']} takes more than {limit} MB.")
    if ratio and row["ratio"]["median"] > ratio:
        found.append(f"gradient: {row['name']} takes more than {ratio} x its value.")
    return found


def main() -> None:
    """Prints one line per loss."""
    options = parser(__doc__, passes=5)
    options.add_argument("--size", default="1920x1080", metavar="WxH")
    options.add_argument("--frames", type=positive, default=4, metavar="N")
    options.add_argument(
        "--only", nargs="+", default=LOSSES, metavar="LOSS", help="NAME or NAME:MODEL; default: all"
    )
    options.add_argument("--limit", type=float, default=0, help="megabytes; fail above them")
    options.add_argument("--ratio", type=float, default=0, help="gradient by value; fail above it")
    options.add_argument("--child", help=argparse.SUPPRESS)
    arguments = options.parse_args()
    if arguments.child:
        print(json.dumps(measure(arguments)))
        return
    if not Path("/proc/self/status").exists():
        sys.exit("gradient: memory is read from /proc, which this system does not have.")
    size = tuple(map(int, arguments.size.split("x")))
    clip = content(*size, arguments.frames) + ", as float32"
    report = Report("gradient", clip, COLUMNS, arguments, "JAX's own choice")
    failed = []
    for name in arguments.only:
        row = child(name, arguments)
        report.add(**row)
        failed += problems(row, arguments.limit, arguments.ratio)
    report.save()
    sys.exit("\n".join(failed) or None)


if __name__ == "__main__":
    main()
