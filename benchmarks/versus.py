"""How fast is jaxvqa beside libvmaf's own program?

Runs the same y4m files through a `vmaf` program and through `jaxvqa.score`, in turn (A B A B ...).
The clips are a synthetic one and two of real pictures (`_clips.py`). Both programs read and parse
the files (from the page cache) and both are held to the same cores: `vmaf --threads N`, N host
devices. `vmaf` is timed as a process, some milliseconds of start included; ours in this process,
compiled before, or with `--whole` as a process too, which finds its programs in a cache. "Compute"
is ours with the frames in memory, "ratio" ours over libvmaf's, pass by pass, "gap" the largest
difference of a pooled mean. Features that the program does not have are
left out; with `--ffmpeg`, those that FFmpeg has run beside its filter.

    python benchmarks/versus.py                                # ours alone
    python benchmarks/versus.py --libvmaf /usr/bin/vmaf --sizes 1080p --clips mosaic dusk
    python benchmarks/versus.py --libvmaf vmaf --clip ref.y4m dis.y4m --only vmaf_v0.6.1 cambi
    python benchmarks/versus.py --libvmaf vmaf --whole --sizes 1080p --frames 100
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
from _clips import CLIPS, read_clip, write_y4m_pair
from _ffmpeg import FILTERS, FFmpeg
from _report import Column, Problem, Report, cores, devices, parser, positive, rates, spread
from speed import FEATURES, NAMES, V1_CAMBI, request, seconds
from startup import run_command

SIZES = {"270p": (480, 270), "540p": (960, 540), "1080p": (1920, 1080), "2160p": (3840, 2160)}
# about the same number of samples per clip, so that each run takes seconds
FRAMES = {"270p": 256, "540p": 96, "1080p": 48, "2160p": 16}
OURS = (
    Column("clip", "clip", "s", 10),
    Column("size", "size", "s", 10),
    Column("name", "", "s", 20),
    Column("ours", "ours, fps", width=26),
    Column("compute", "compute, fps", width=26),
)
THEIRS = (
    Column("vmaf", "vmaf, fps", width=26),
    Column("ratio", "ratio", ".2f", 22),
    Column("gap", "gap", ".1e", 8),
)


class Missing(Problem):
    """The program has no such feature."""


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
            if any("problem loading feature extractor" in line for line in said):
                raise Missing(f"{self._path} does not have this feature.")
            raise Problem(
                f"{self._path} {' '.join(options)} failed with exit status {done.returncode}: "
                f"{next((s for s in said if s.strip()), '').strip()}"
            )
        return done

    def _scores(self, part: str, asked: list[str], ref: Path, dis: Path) -> Any:
        """A part of the program's JSON file."""
        output = ref.with_name("peer.json")
        files = ["--reference", str(ref), "--distorted", str(dis)]
        self._call([*files, *asked, *self._options, "--json", "--output", str(output)])
        try:
            return json.loads(output.read_text())[part]
        except (OSError, ValueError, KeyError) as error:
            raise Problem(f"{self._path} left no JSON scores: is it libvmaf's vmaf?") from error

    def frames(self, asked: list[str], ref: Path, dis: Path) -> dict[str, np.ndarray]:
        """Values of every frame for options of the program."""
        frames = [frame["metrics"] for frame in self._scores("frames", asked, ref, dis)]
        return {name: np.array([f[name] for f in frames], float) for name in frames[0]}

    def run(self, name: str, ref: Path, dis: Path) -> dict[str, float]:
        """Pooled means of one model's or feature's run."""
        asked = ["--model", f"version={name}"]
        if name in FEATURES:
            feature = V1_CAMBI if name == "cambi" else name
            asked = ["--no_prediction", "--feature", feature]
        pooled = self._scores("pooled_metrics", asked, ref, dis)
        return {k: v["mean"] for k, v in pooled.items() if v.get("mean") is not None}


def ours(name: str, ref, dis) -> dict[str, float]:
    """The same of jaxvqa, from files or arrays."""
    import jaxvqa

    return {k: v["mean"] for k, v in jaxvqa.score(ref, dis, **request(name)).pooled.items()}


def compare(
    name: str, files: list[Path], planes: list, peer: Peer | FFmpeg | None, passes: int, whole: bool
) -> dict:
    """One row of the table."""
    frames, gap = planes[0].frames, None
    if peer is not None:
        gap = largest_gap(name, peer.run(name, *files), ours(name, *files))
    runs: dict[str, Callable[[], object]] = {}
    if peer is not None:
        runs["vmaf"] = lambda: peer.run(name, *files)
    with tempfile.TemporaryDirectory() as cache:
        if whole:
            runs["ours"] = lambda: run_command(name, files, cache)
        else:
            runs["ours"] = lambda: ours(name, *files)
            runs["compute"] = lambda: ours(name, *planes)
        for run in runs.values():
            run()  # arrays may want a program of their own
        times: dict[str, list[float]] = {kind: [] for kind in runs}
        for _ in range(passes):
            for kind, run in runs.items():
                times[kind].append(seconds(run))
    found = {"name": name, **{kind: rates(frames, taken) for kind, taken in times.items()}}
    if peer is not None:
        ratios = (v / o for v, o in zip(times["vmaf"], times["ours"], strict=True))
        found |= {"ratio": spread(ratios), "gap": gap}
    return found


def largest_gap(name: str, expected: dict[str, float], found: dict[str, float]) -> float:
    """Largest difference of two runs' pooled means."""
    shared = found.keys() & expected.keys()
    if not shared:
        raise Problem(f"{name}: the two programs have no output in common.")
    return max(abs(found[k] - expected[k]) for k in shared)


def hold_to_cores(threads: int) -> str:
    """Keeps this process and what it starts on so many cores; says what was done."""
    if not hasattr(os, "sched_setaffinity"):
        return "cores not held"
    if threads > cores():
        raise Problem(f"--threads {threads} is more than the {cores()} cores available here.")
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
    return f"both held to {threads} core(s)"


def parse() -> argparse.Namespace:
    options = parser(__doc__, passes=5)
    options.add_argument("--libvmaf", metavar="PATH", help="a vmaf program; without it ours alone")
    options.add_argument("--ffmpeg", metavar="PATH", help="an ffmpeg program, for xpsnr")
    options.add_argument("--clip", nargs=2, metavar=("REF", "DIS"), help="two video files to use")
    options.add_argument(
        "--sizes", nargs="+", choices=SIZES, help="sizes of made clips; default: all"
    )
    options.add_argument(
        "--clips", nargs="+", choices=CLIPS, help="which clips are made; default: all"
    )
    options.add_argument("--threads", type=positive, default=cores(), metavar="N")
    options.add_argument("--only", nargs="+", default=NAMES, metavar="NAME", help="default: all")
    options.add_argument(
        "--frames", type=positive, metavar="N", help="of a made clip; default by size"
    )
    options.add_argument("--whole", action="store_true", help="time processes of ours as well")
    options.add_argument(
        "--cpumask",
        type=int,
        default=0,
        help="vmaf's --cpumask; on x86 48 leaves AVX-512 out, 56 AVX2 too, 63 all assembly",
    )
    arguments = options.parse_args()
    if arguments.clip and (arguments.sizes or arguments.clips):
        raise Problem("--clip has a size and content of its own: leave out --sizes and --clips.")
    return arguments


def clips(arguments: argparse.Namespace) -> tuple[str, Iterable[tuple[str, list]]]:
    """The clips asked for: in words; each with its name, as `Planes` made when their turn comes."""
    if arguments.clip:
        names = " and ".join(Path(path).name for path in arguments.clip)
        return names, [("own", [read_clip(path) for path in arguments.clip])]
    chosen = arguments.clips or list(CLIPS)
    sizes = {name: arguments.frames or FRAMES[name] for name in arguments.sizes or SIZES}
    lengths = ", ".join(f"{count} frames at {name}" for name, count in sizes.items())
    pairs = (
        (clip, list(CLIPS[clip][1](*SIZES[name], count)))
        for name, count in sizes.items()
        for clip in chosen
    )
    return f"{'; '.join(CLIPS[clip][0] for clip in chosen)}; 8 bits, 4:2:0, {lengths}", pairs


def run() -> None:
    """Prints one line per size and name."""
    arguments = parse()
    held = hold_to_cores(arguments.threads)
    peer, table, said = None, OURS, ""
    if arguments.libvmaf:
        peer, table = Peer(arguments.libvmaf, arguments.threads, arguments.cpumask), OURS + THEIRS
        said = f"vmaf {peer.version}, --threads {arguments.threads}, --cpumask {arguments.cpumask}"
    others = {}
    if arguments.ffmpeg:
        ffmpeg = FFmpeg(arguments.ffmpeg, arguments.threads)
        others, table = dict.fromkeys(FILTERS, ffmpeg), OURS + THEIRS
        said += f"{', ' if said else ''}FFmpeg {ffmpeg.version} for {', '.join(FILTERS)}"
    import jax

    jax.config.update("jax_num_cpu_devices", arguments.threads)
    content, pairs = clips(arguments)
    report = Report("versus", content, table, arguments, f"{devices()}, {held}", said)
    for clip, planes in pairs:
        height, width = planes[0].y.shape[1:]
        with tempfile.TemporaryDirectory() as folder:
            files = write_y4m_pair(Path(folder), planes)
            for name in arguments.only:
                try:
                    row = compare(
                        name, files, planes, others.get(name, peer), arguments.passes,
                        arguments.whole,
                    )  # fmt: skip
                except Missing as error:
                    print(f"{name}: {error}")
                    continue
                report.add(clip=clip, size=f"{width}x{height}", **row)
    report.save()


def main() -> None:
    """Runs; a problem is one sentence."""
    try:
        run()
    except (Problem, ValueError) as error:
        sys.exit(f"versus: {error}")


if __name__ == "__main__":
    main()
