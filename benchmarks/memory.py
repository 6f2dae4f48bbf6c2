"""How much memory does scoring take, and does it grow with the clip?

Scores a clip of each length in a process of its own and prints that process's resident memory at
ten points along the way and its peak. The videos come through two named pipes that repeat a few
frames as y4m, so a clip of 2,000 frames takes no disk and the scorer can't know that it repeats.

    python benchmarks/memory.py --frames 24 120                      # 1920x1080, vmaf_v0.6.1
    python benchmarks/memory.py --frames 2000 --limit 1500           # fails above 1,500 MB
    python benchmarks/memory.py --frames 2000 --size 3840x2160 --limit 3000
    python benchmarks/memory.py --frames 2000 --only y_funque_plus
"""

from __future__ import annotations

import argparse
import io
import os
import resource
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

UNIQUE = 8
POINTS = 10


def y4m_frames(video) -> tuple[bytes, list[bytes]]:
    """The header of a y4m stream and its frames."""
    height, width = video.y.shape[1:]
    header = f"YUV4MPEG2 W{width} H{height} F25:1 Ip A1:1 C420jpeg\n".encode()
    frames = []
    for planes in zip(video.y, video.u, video.v, strict=True):
        frames.append(b"FRAME\n" + b"".join(p.tobytes() for p in planes))
    return header, frames


def pour(pipe: Path, header: bytes, frames: list[bytes], count: int) -> None:
    """Writes `count` frames, over and over the same, into a pipe that someone reads."""
    try:
        with io.FileIO(pipe, "w") as file, io.BufferedWriter(file) as stream:
            stream.write(header)
            for index in range(count):
                stream.write(frames[index % len(frames)])
    except BrokenPipeError:
        pass  # the scorer failed and says so itself


def resident() -> float:
    """Megabytes that this process holds at the moment; the peak where that can't be told."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return peak()
    return pages * resource.getpagesize() / 1e6


def peak() -> float:
    """Megabytes that this process has held at most."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def score_once(arguments: argparse.Namespace) -> None:
    """Runs in a process of its own; prints its memory, and fails above the limit."""
    import jax

    jax.config.update("jax_num_cpu_devices", arguments.devices)
    import jaxvqa
    from jaxvqa.features._registry import FEATURES

    count, name = arguments.frames[0], arguments.only
    wanted = {"model": None, "features": [name]} if name in FEATURES else {"model": name}
    marks = {round(count * (i + 1) / POINTS) for i in range(POINTS)}
    seen = []

    def progress(done: int, _: int | None) -> None:
        if done in marks:
            seen.append(resident())

    result = jaxvqa.score(*arguments.child, progress=progress, **wanted)
    assert len(result.frame_numbers) == count
    print(f"{arguments.size} {count:6d} frames {name:20s} {' '.join(f'{s:5.0f}' for s in seen)}"
          f"  peak {peak():5.0f} MB", flush=True)  # fmt: skip
    if arguments.limit and peak() > arguments.limit:
        sys.exit(f"memory: the peak of {peak():.0f} MB is above the limit of {arguments.limit} MB.")


def score_stream(arguments: argparse.Namespace, pair: list, count: int) -> int:
    """Feeds a scoring process through two pipes; its exit status."""
    with tempfile.TemporaryDirectory() as folder:
        pipes, writers = [], []
        for side, video in zip(("ref", "dis"), pair, strict=True):
            pipe = Path(folder) / f"{side}.y4m"
            os.mkfifo(pipe)
            pipes.append(pipe)
            work = (pipe, *y4m_frames(video), count)
            writers.append(threading.Thread(target=pour, args=work, daemon=True))
        command = [sys.executable, __file__, "--frames", str(count), "--only", arguments.only]
        command += ["--size", arguments.size, "--devices", str(arguments.devices)]
        command += ["--limit", str(arguments.limit), "--child", *map(str, pipes)]
        child = subprocess.Popen(command)
        for writer in writers:
            writer.start()
        return child.wait()


def main() -> None:
    """Prints one line per length."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, nargs="+", default=[24, 96])
    parser.add_argument("--size", default="1920x1080")
    parser.add_argument("--only", "--model", default="vmaf_v0.6.1", help="a model or a feature")
    parser.add_argument("--devices", type=int, default=2, help="host devices")
    parser.add_argument("--limit", type=float, default=0, help="megabytes; fail above it")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        score_once(arguments)
        return
    if not hasattr(os, "mkfifo"):
        sys.exit("memory: this system has no named pipes.")
    from speed import make_clip

    pair = list(make_clip(*map(int, arguments.size.split("x")), UNIQUE))
    print(f"resident MB at each tenth of the clip, {arguments.devices} host devices", flush=True)
    failed = [score_stream(arguments, pair, count) for count in arguments.frames]
    sys.exit(max(failed))


if __name__ == "__main__":
    main()
