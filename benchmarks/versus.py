"""How fast is jaxvqa beside libvmaf's own program?

Runs the same y4m files through a `vmaf` program and through `jaxvqa.score`, in turn (A B A B ...),
and prints the medians and their ratio per model and feature. Both sides read and parse the files
(they lie in the page cache), both are held to the same cores: `vmaf --threads N`, N host devices.
`vmaf` is timed as a process, some milliseconds of start included; ours in this process after a
first call that compiles, whose time stands in a column of its own. "Compute fps" is ours with the
frames in memory. "Gap" is the largest difference of a pooled mean between the two.

    python benchmarks/versus.py                                # ours alone
    python benchmarks/versus.py --libvmaf /usr/bin/vmaf        # 270p, 540p, 1080p, 2160p
    python benchmarks/versus.py --libvmaf vmaf --clip ref.y4m dis.y4m --only vmaf_v0.6.1 cambi
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from speed import V1_CAMBI, make_clip, write_y4m_pair

MODELS = ("vmaf_v0.6.1", "vmaf_v0.6.1neg", "vmaf_float_v0.6.1", "vmaf_v1.0.16_3d0h")
FEATURES = ("vif", "adm", "motion", "cambi", "speed_chroma", "float_vif", "float_adm")
SIZES = {"270p": (480, 270), "540p": (960, 540), "1080p": (1920, 1080), "2160p": (3840, 2160)}
# about the same number of samples a clip, so that each run takes seconds
FRAMES = {"270p": 256, "540p": 96, "1080p": 48, "2160p": 16}


class Problem(Exception):
    """A sentence for the person who started this."""


def _feature(name: str) -> str:
    return V1_CAMBI if name == "cambi" else name


class Peer:
    """A `vmaf` program: libvmaf's command line tool.

    Args:
        path: the program, or its name on the PATH.
        threads: value of its `--threads`.
        cpumask: value of its `--cpumask`, the instruction sets it must leave out.
    """

    def __init__(self, path: str, threads: int, cpumask: int) -> None:
        found = shutil.which(path)
        if found is None:
            raise Problem(f"{path}: there is no such program: give the path of libvmaf's vmaf.")
        self._path = found
        self._options = ["--threads", str(threads), "--quiet"]
        if cpumask:
            self._options += ["--cpumask", str(cpumask)]
        said = self._call(["--version"])
        self.version = (said.stdout + said.stderr).strip().splitlines()[-1:]
        self.version = self.version[0] if self.version else "of unknown version"

    def _call(self, options: list[str]) -> subprocess.CompletedProcess[str]:
        try:
            done = subprocess.run([self._path, *options], capture_output=True, text=True)
        except OSError as error:
            raise Problem(f"{self._path} cannot be run: {error.strerror or error}.") from error
        if done.returncode:
            said = (done.stderr.strip() or done.stdout.strip() or "no message").splitlines()
            raise Problem(
                f"{self._path} {' '.join(options)} failed with exit status {done.returncode}: "
                f"{next((s for s in said if s.strip()), '').strip()}"
            )
        return done

    def run(self, name: str, ref: Path, dis: Path) -> dict[str, float]:
        """Pooled means of one model's or feature's run."""
        output = ref.with_name("peer.json")
        asked = ["--model", f"version={name}"]
        if name not in MODELS:
            asked = ["--no_prediction", "--feature", _feature(name)]
        files = ["--reference", str(ref), "--distorted", str(dis)]
        self._call([*files, *asked, *self._options, "--json", "--output", str(output)])
        try:
            pooled = json.loads(output.read_text())["pooled_metrics"]
        except (OSError, ValueError, KeyError) as error:
            raise Problem(f"{self._path} left no JSON scores: is it libvmaf's vmaf?") from error
        return {k: v["mean"] for k, v in pooled.items() if v.get("mean") is not None}


def ours(name: str, ref, dis) -> dict[str, float]:
    """The same of jaxvqa, from files or arrays."""
    import jaxvqa

    wanted = {"model": name} if name in MODELS else {"model": None, "features": [_feature(name)]}
    return {k: v["mean"] for k, v in jaxvqa.score(ref, dis, **wanted).pooled.items()}


def seconds(fn: Callable[[], object]) -> float:
    started = time.perf_counter()
    fn()
    return time.perf_counter() - started


def compare(name: str, files: list[Path], planes: list, peer: Peer | None, passes: int) -> str:
    """One line of the table."""
    frames = planes[0].frames
    first = seconds(lambda: ours(name, *files))
    runs: dict[str, Callable[[], object]] = {}
    if peer is not None:
        runs["peer"] = lambda: peer.run(name, *files)
    runs["files"] = lambda: ours(name, *files)
    runs["arrays"] = lambda: ours(name, *planes)
    runs["arrays"]()  # arrays may want a program of their own
    times: dict[str, list[float]] = {kind: [] for kind in runs}
    for _ in range(passes):
        for kind, run in runs.items():
            times[kind].append(seconds(run))
    fps = {kind: frames / statistics.median(t) for kind, t in times.items()}
    line = f"{name:20s} {fps['files']:9.1f} {fps['arrays']:12.1f} {first:13.1f}"
    if peer is None:
        return line
    found, expected = ours(name, *files), peer.run(name, *files)
    shared = found.keys() & expected.keys()
    if not shared:
        raise Problem(f"{name}: the two programs have no output in common.")
    gap = max(abs(found[k] - expected[k]) for k in shared)
    return f"{line} {fps['peer']:9.1f} {fps['files'] / fps['peer']:8.2f} {gap:9.1e}"


def read_clip(path: str):
    """All frames of a video file as `Planes`; it must have chroma."""
    import numpy as np

    from jaxvqa import Planes
    from jaxvqa.video import open_video

    with open_video(path) as video:
        frames = list(video)
        if len(frames[0]) != 3:
            raise Problem(f"{path} has no chroma: give a colour clip.")
        planes = [np.stack(p) for p in zip(*frames, strict=True)]
        return Planes(*planes, bit_depth=video.info.bit_depth)


def cpu_name() -> str:
    """The processor's name, as far as the system tells."""
    try:
        with open("/proc/cpuinfo") as file:
            for line in file:
                if line.startswith("model name"):
                    return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def hold_to_cores(threads: int) -> str:
    """Keeps this process and what it starts on so many cores; says what was done."""
    if not hasattr(os, "sched_setaffinity"):
        return "cores not held"
    cores = sorted(os.sched_getaffinity(0))
    if threads > len(cores):
        raise Problem(f"--threads {threads} is more than the {len(cores)} cores to be had here.")
    os.sched_setaffinity(0, cores[:threads])
    return f"both held to {threads} core(s)"


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--libvmaf", metavar="PATH", help="a vmaf program; without it ours alone")
    parser.add_argument("--clip", nargs=2, metavar=("REF", "DIS"), help="two video files to use")
    parser.add_argument(
        "--sizes", nargs="+", choices=SIZES, help="sizes of made clips; default all"
    )
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--only", nargs="+", choices=[*MODELS, *FEATURES], metavar="NAME",
                        default=[*MODELS, *FEATURES], help="models and features")  # fmt: skip
    parser.add_argument("--frames", type=int, help="frames of a made clip; default by size")
    parser.add_argument("--passes", type=int, default=5)
    parser.add_argument(
        "--cpumask", type=int, default=0,
        help="vmaf's --cpumask; on x86 48 leaves AVX-512 out, 56 AVX2 too, 63 all assembly",
    )  # fmt: skip
    arguments = parser.parse_args()
    if arguments.clip and arguments.sizes:
        raise Problem("--clip has a size of its own: leave out --sizes.")
    if arguments.threads < 1 or arguments.passes < 1 or (arguments.frames or 1) < 1:
        raise Problem("--threads, --passes and --frames must be at least 1.")
    return arguments


def run() -> None:
    """Prints one table per size."""
    arguments = parse()
    held = hold_to_cores(arguments.threads)
    peer = None
    if arguments.libvmaf:
        peer = Peer(arguments.libvmaf, arguments.threads, arguments.cpumask)
    import jax

    jax.config.update("jax_num_cpu_devices", arguments.threads)
    import jaxvqa

    devices = f"{jax.device_count()} {jax.default_backend()} device(s)"
    versions = f"jaxvqa {jaxvqa.__version__}, jax {jax.__version__}"
    print(f"{versions}, Python {platform.python_version()}, {devices}")
    if peer is not None:
        print(f"vmaf {peer.version}, --threads {arguments.threads}, cpumask {arguments.cpumask}")
    print(f"{cpu_name()}, {held}, medians of {arguments.passes} runs in turn, reading included")
    heads = f"{'':20s} {'ours fps':>9s} {'compute fps':>12s} {'first call s':>13s}"
    if peer is not None:
        heads += f" {'vmaf fps':>9s} {'ratio':>8s} {'gap':>9s}"
    for size in ["clip"] if arguments.clip else arguments.sizes or SIZES:
        if arguments.clip:
            planes = [read_clip(path) for path in arguments.clip]
        else:
            planes = list(make_clip(*SIZES[size], arguments.frames or FRAMES[size]))
        height, width = planes[0].y.shape[1:]
        print(f"\n{width}x{height}, {planes[0].frames} frames\n{heads}", flush=True)
        with tempfile.TemporaryDirectory() as folder:
            files = write_y4m_pair(Path(folder), planes)
            for name in arguments.only:
                print(compare(name, files, planes, peer, arguments.passes), flush=True)


def main() -> None:
    """Runs; a problem is one sentence."""
    try:
        run()
    except (Problem, ValueError) as error:
        sys.exit(f"versus: {error}")


if __name__ == "__main__":
    main()
