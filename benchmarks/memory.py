"""How much memory does scoring take, and does it grow with the clip?

Scores a 1920x1080 clip of each length in a process of its own, from y4m files, and prints the peak
resident memory. The frames of the longer clips repeat.

    python benchmarks/memory.py --frames 24 96 --model vmaf_v0.6.1
"""

from __future__ import annotations

import argparse
import itertools
import resource
import subprocess
import sys
import tempfile
from pathlib import Path


def write_files(folder: Path, frames: int) -> list[Path]:
    """A reference and a distorted y4m file of so many frames."""
    from speed import make_clip

    from jaxvqa.video import VideoInfo, write_y4m

    files = []
    for side, video in zip(("ref", "dis"), make_clip(1920, 1080, 8), strict=True):
        file = folder / f"{side}{frames}.y4m"
        cycle = itertools.islice(itertools.cycle(range(video.frames)), frames)
        planes = ((video.y[i], video.u[i], video.v[i]) for i in cycle)
        write_y4m(file, planes, VideoInfo(str(file), 1920, 1080, 8, "420"))
        files.append(file)
    return files


def score_once(ref: str, dis: str, model: str) -> None:
    """Runs in a process of its own; prints the peak in MiB."""
    import jax

    jax.config.update("jax_num_cpu_devices", 2)
    import jaxvqa

    result = jaxvqa.score(ref, dis, model=model)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{len(result.frame_numbers):7d} frames  {model:22s} peak {peak:7.0f} MiB")


def main() -> None:
    """Prints one line per length."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, nargs="+", default=[24, 96])
    parser.add_argument("--model", default="vmaf_v0.6.1")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        score_once(*arguments.child, arguments.model)
        return
    with tempfile.TemporaryDirectory() as folder:
        for frames in arguments.frames:
            files = map(str, write_files(Path(folder), frames))
            command = [sys.executable, __file__, "--model", arguments.model, "--child", *files]
            subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
