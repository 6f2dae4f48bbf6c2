"""How much memory does scoring take, and does it grow with the clip?

Scores each clip in a process of its own and prints that process's resident megabytes at ten points
along the way (of the last pass) and its peak, compilation included. The videos come through two
named pipes that repeat a few frames as y4m, so a clip of 2,000 frames takes no disk and the scorer
can't know that it repeats.

    python benchmarks/memory.py --frames 24 120                      # 1920x1080, vmaf_v0.6.1
    python benchmarks/memory.py --frames 2000 --limit 1500           # fails above 1,500 MB
    python benchmarks/memory.py --frames 60 --size 1920x1080 3840x2160 --only vif y_funque_plus
"""

from __future__ import annotations

import argparse
import io
import itertools
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from _report import Column, Report, parser, positive, spread

UNIQUE = 8
POINTS = 10
COLUMNS = (
    Column("name", "", "s", 22),
    Column("size", "size", "s", 10),
    Column("frames", "frames", "d", 7),
    Column("peak_mb", "peak MB", ".0f", 20),
    Column("tenths_mb", "MB at each tenth", ".0f", 50),
)


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


def score_once(arguments: argparse.Namespace) -> dict:
    """Scores two pipes, in a process of its own; its memory in megabytes."""
    import jax

    jax.config.update("jax_num_cpu_devices", arguments.devices)
    import jaxvqa
    from jaxvqa.features._registry import FEATURES

    (count,), (name,) = arguments.frames, arguments.only
    wanted = {"model": None, "features": [name]} if name in FEATURES else {"model": name}
    marks = {round(count * (i + 1) / POINTS) for i in range(POINTS)}
    seen = []

    def progress(done: int, _: int | None) -> None:
        if done in marks:
            seen.append(resident())

    result = jaxvqa.score(*arguments.child, progress=progress, **wanted)
    assert len(result.frame_numbers) == count
    return {"tenths_mb": seen, "peak_mb": peak()}


def score_stream(name: str, pair: list, count: int, devices: int) -> dict:
    """Feeds a scoring process through two pipes; what it says of its memory."""
    with tempfile.TemporaryDirectory() as folder:
        pipes, writers = [], []
        for side, video in zip(("ref", "dis"), pair, strict=True):
            pipe = Path(folder) / f"{side}.y4m"
            os.mkfifo(pipe)
            pipes.append(pipe)
            work = (pipe, *y4m_frames(video), count)
            writers.append(threading.Thread(target=pour, args=work, daemon=True))
        command = [sys.executable, __file__, "--frames", str(count), "--only", name]
        command += ["--devices", str(devices), "--child", *map(str, pipes)]
        scorer = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        for writer in writers:
            writer.start()
        said, _ = scorer.communicate()
    if scorer.returncode:
        sys.exit(f"memory: scoring {name} failed with exit status {scorer.returncode}.")
    return json.loads(said)


def main() -> None:
    """Prints one line per model or feature, size and length."""
    options = parser(__doc__, passes=1)
    options.add_argument("--frames", type=positive, nargs="+", default=[24, 96], metavar="N")
    options.add_argument("--size", nargs="+", default=["1920x1080"], metavar="WxH")
    options.add_argument(
        "--only", nargs="+", default=["vmaf_v0.6.1"], metavar="NAME", help="models and features"
    )
    options.add_argument("--devices", type=positive, default=2, help="host devices")
    options.add_argument("--limit", type=float, default=0, help="megabytes; fail above them")
    options.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    arguments = options.parse_args()
    if arguments.child:
        print(json.dumps(score_once(arguments)))
        return
    if not hasattr(os, "mkfifo"):
        sys.exit("memory: this system has no named pipes.")
    from _clips import CONTENT, make_clip

    clip = f"{CONTENT}, 8 bits, 4:2:0, {UNIQUE} frames that repeat"
    report = Report("memory", clip, COLUMNS, arguments, f"{arguments.devices} cpu")
    failed = []
    for size in arguments.size:
        pair = list(make_clip(*map(int, size.split("x")), UNIQUE))
        for name, count in itertools.product(arguments.only, arguments.frames):
            taken = [
                score_stream(name, pair, count, arguments.devices) for _ in range(arguments.passes)
            ]
            peaks = spread(t["peak_mb"] for t in taken)
            last = taken[-1]["tenths_mb"]
            report.add(name=name, size=size, frames=count, peak_mb=peaks, tenths_mb=last)
            if arguments.limit and peaks["max"] > arguments.limit:
                failed.append(f"memory: {name}, {size}: {peaks['max']:.0f} MB is above the limit.")
    report.save()
    sys.exit("\n".join(failed) or None)


if __name__ == "__main__":
    main()
