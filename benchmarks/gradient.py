"""What does the gradient of a loss cost, in time and memory, beside its value alone?

Each loss runs in a process of its own, on frames that the script makes. "Peak" is what the process
held at most while the compiled gradient ran, above what it held before, inputs and programs loaded;
"XLA" is what the compiler itself reserves for temporaries. The times are medians of passes in which
value and gradient take turns.

    python benchmarks/gradient.py                                  # 4 frames of 1920x1080
    python benchmarks/gradient.py --size 960x540 --frames 8 --only vmaf ms_essim
    python benchmarks/gradient.py --only vmaf --limit 1000 --ratio 3.5     # fails above
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

LOSSES = (
    "ms_essim", "y_funque_plus", "funque", "vif", "adm", "speed_qa", "speed_chroma", "cambi",
    "vmaf", "vmaf:vmaf_v0.6.1neg", "vmaf:vmaf_v1.0.16_3d0h",
)  # fmt: skip
CHROMA = ("speed_chroma", "vmaf:vmaf_v1")


def resident() -> float:
    """Megabytes that this process holds at the moment."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


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


def measure(arguments: argparse.Namespace) -> None:
    """Runs in a process of its own and prints one line."""
    import jax
    import jax.numpy as jnp
    from speed import make_clip

    from jaxvqa import losses

    kind, _, model = arguments.child.partition(":")
    options = {"model": model} if model else {}
    width, height = map(int, arguments.size.split("x"))
    pair = jax.tree.map(lambda x: jnp.asarray(x).astype(jnp.float32),
                        make_clip(width, height, arguments.frames))  # fmt: skip
    if not arguments.child.startswith(CHROMA):
        pair = tuple(side.luma_only() for side in pair)
    ref, dis = pair

    def total(dis, ref):
        return getattr(losses, kind)(ref, dis, reduction="sum", **options)

    programs, seconds, used, reserved = {}, {}, float("nan"), 0
    for name, fn in (("value", total), ("gradient", jax.value_and_grad(total))):
        started = time.perf_counter()
        programs[name] = program = jax.jit(fn).lower(dis, ref).compile()
        seconds[name] = time.perf_counter() - started
        reserved = program.memory_analysis().temp_size_in_bytes / 1e6
        before, fresh = resident(), forget_peak()
        jax.block_until_ready(program(dis, ref))
        used = peak() - before if fresh else float("nan")
    runs = {name: [] for name in programs}
    for _ in range(arguments.passes):  # in turn: the machine's speed may change within seconds
        for name, program in programs.items():
            started = time.perf_counter()
            jax.block_until_ready(program(dis, ref))
            runs[name].append(1000 * (time.perf_counter() - started) / arguments.frames)
    times = {name: statistics.median(taken) for name, taken in runs.items()}
    ratio = times["gradient"] / times["value"]
    print(f"{arguments.child:26s} {times['value']:9.1f} {times['gradient']:11.1f} {ratio:6.2f} "
          f"{used:9.0f} {reserved:7.0f} {seconds['value']:11.1f} {seconds['gradient']:11.1f}",
          flush=True)  # fmt: skip
    if arguments.limit and max(used, reserved) > arguments.limit:
        sys.exit(f"gradient: {arguments.child} takes more than {arguments.limit} MB.")
    if arguments.ratio and ratio > arguments.ratio:
        sys.exit(f"gradient: {arguments.child} takes more than {arguments.ratio} x its value.")


def main() -> None:
    """Prints one line a loss."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", default="1920x1080")
    parser.add_argument("--frames", type=int, default=4)
    parser.add_argument("--passes", type=int, default=5)
    parser.add_argument("--only", nargs="+", default=LOSSES, metavar="LOSS", help="NAME[:MODEL]")
    parser.add_argument("--limit", type=float, default=0, help="megabytes; fail above them")
    parser.add_argument("--ratio", type=float, default=0, help="gradient by value; fail above it")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        measure(arguments)
        return
    if not Path("/proc/self/status").exists():
        sys.exit("gradient: memory is read from /proc, which this system does not have.")
    import jax

    import jaxvqa

    print(f"jaxvqa {jaxvqa.__version__}, jax {jax.__version__}, {jax.default_backend()}, "
          f"{os.cpu_count()} cores, Python {platform.python_version()}, {arguments.frames} frames "
          f"of {arguments.size}, float32")  # fmt: skip
    print(f"{'loss':26s} {'value':>9s} {'gradient':>11s} {'ratio':>6s} {'peak':>9s} {'XLA':>7s} "
          f"{'compile':>11s} {'compile':>11s}\n{'':26s} {'ms/frame':>9s} {'ms/frame':>11s} {'':6s} "
          f"{'MB':>9s} {'MB':>7s} {'value, s':>11s} {'gradient, s':>11s}", flush=True)  # fmt: skip
    common = ["--size", arguments.size, "--frames", str(arguments.frames)]
    common += ["--passes", str(arguments.passes), "--limit", str(arguments.limit)]
    common += ["--ratio", str(arguments.ratio)]
    failed = 0
    for name in arguments.only:
        command = [sys.executable, __file__, "--child", name, *common]
        failed = max(failed, subprocess.run(command, check=False).returncode)
    sys.exit(failed)


if __name__ == "__main__":
    main()
