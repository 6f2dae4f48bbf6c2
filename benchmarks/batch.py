"""What does a batch cost beside a loop of commands, and beside the scoring itself?

Three parts, one a run:

    python benchmarks/batch.py ladders  # 24 clips of three sizes, 8 renditions each, beside loops
    python benchmarks/batch.py tiny     # 2,000 pairs of 16 frames: time per pair, memory
    python benchmarks/batch.py start    # manifests of 10,000 rows, two pairs, and two with Ray

`ladders` takes the sizes in turn: the batch, then the loop of `jaxvqa score`, then, with `--ffmpeg
PATH`, a loop of FFmpeg's libvmaf filter. Every command finds its programs compiled. Processor time
is that of all processes; it varies less than the clock on a machine that others use.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from _clips import CONTENT, encode, make_clip
from _ffmpeg import FFmpeg
from _report import Column, Problem, Report, cores, parser, positive
from memory import resident

SIZES = ((320, 180), (480, 272), (640, 360))
COLUMNS = {
    "ladders": (
        Column("name", "", "s", 30),
        Column("pairs", "pairs", ".0f", 6),
        Column("seconds", "seconds", width=9),
        Column("cpu", "processor, s", width=13),
        Column("decoded", "reference frames decoded", ".0f", 26),
    ),
    "tiny": (
        Column("name", "", "s", 34),
        Column("milliseconds", "ms per pair", width=12),
        Column("cpu", "processor, ms per pair", width=24),
        Column("memory", "MB after 100", ".0f", 14),
        Column("later", "MB at the end", ".0f", 14),
    ),
    "start": (
        Column("name", "", "s", 46),
        Column("seconds", "seconds", ".2f", 9),
        Column("memory", "MB of all processes", ".0f", 20),
        Column("size", "KB", ".1f", 8),
    ),
}


def ladder(folder: Path, size: tuple[int, int], frames: int, renditions: int) -> list[Path]:
    """A reference and its renditions; the last half of them at half the size."""
    ref, _ = make_clip(*size, frames)
    small, _ = make_clip(size[0] // 2, size[1] // 2, frames)
    files = [folder / f"ref_{size[0]}.mp4"]
    encode(files[0], ref, {"preset": "veryfast", "crf": "10"})
    for n in range(renditions):
        half = n >= renditions // 2
        files.append(folder / f"dis_{size[0]}_{n}.mp4")
        encode(files[-1], small if half else ref, {"preset": "veryfast", "crf": str(20 + 4 * n)})
    return files


def copies(files: Sequence[Path], count: int) -> Iterator[list[Path]]:
    """The same ladder under other names."""
    for n in range(count):
        names = [file.with_name(f"{n}_{file.name}") for file in files]
        for file, name in zip(files, names, strict=True):
            name.symlink_to(file)
        yield names


def manifest(path: Path, pairs: Sequence[tuple[Path, Path]]) -> Path:
    """A CSV manifest of pairs."""
    with open(path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "ref", "dis"])
        writer.writerows((str(i), *pair) for i, pair in enumerate(pairs))
    return path


def timed(run: Callable[[], object]) -> tuple[float, float]:
    """Seconds by the clock, and of the processor in all child processes."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    run()
    seconds = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return seconds, used


def command(*arguments: Any) -> None:
    """One command, which must succeed."""
    done = subprocess.run([str(a) for a in arguments], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"batch: {' '.join(map(str, arguments))} failed: {done.stderr.strip()}")


JAXVQA = (sys.executable, "-m", "jaxvqa")


def libvmaf(ffmpeg: str, pair: tuple[Path, Path], size: tuple[int, int]) -> None:
    """FFmpeg's filter, with the distorted video scaled as a batch does."""
    graph = (
        f"[0:v]scale={size[0]}:{size[1]}:flags=bicubic[d];"
        f"[d][1:v]libvmaf=n_threads={cores()}:log_fmt=json:log_path={os.devnull}"
    )
    command(ffmpeg, "-v", "error", "-i", pair[1], "-i", pair[0], "-lavfi", graph, "-f", "null", "-")


def count_decoded(pairs: Sequence[tuple[Path, Path]], folder: Path) -> int:
    """Frames of references that a batch of these pairs decodes, counted where they are."""
    code = (
        "import sys, json\n"
        "from jaxvqa.video._decode.av_reader import AvReader\n"
        "import jaxvqa\n"
        "count, grab = [0], AvReader.grab\n"
        "def counted(self):\n"
        "    found = grab(self)\n"
        "    count[0] += found and 'ref_' in self.info.path\n"
        "    return found\n"
        "AvReader.grab = counted\n"
        "pairs = enumerate(json.load(sys.stdin))\n"
        "rows = [{'id': str(i), 'ref': ref, 'dis': dis} for i, (ref, dis) in pairs]\n"
        "options = dict(model=None, features=['float_motion'])\n"
        "assert all(r['status'] == 'done' for r in jaxvqa.batch(rows, sys.argv[1], **options))\n"
        "print(count[0])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder)],
        input=json.dumps([[str(p) for p in pair] for pair in pairs]),
        capture_output=True,
        text=True,
        check=True,
    )
    return int(done.stdout)


def ladders(arguments: argparse.Namespace, folder: Path, report: Report) -> None:
    """A batch beside loops."""
    taken: dict[str, list[tuple[float, float]]] = {}
    every: list[tuple[Path, Path]] = []

    def keep(name: str, run: Callable[[], object]) -> None:
        taken.setdefault(name, []).append(timed(run))

    for size in SIZES:
        files = ladder(folder, size, arguments.frames, arguments.renditions)
        pairs = [(f[0], d) for f in copies(files, arguments.clips // len(SIZES)) for d in f[1:]]
        every += pairs
        for pair in (pairs[0], pairs[-1]):  # compiles, so that nothing below has to
            command(*JAXVQA, "score", *pair, "-q")
        out = folder / f"out_{size[0]}"
        names = manifest(folder / f"{size[0]}.csv", pairs)
        command(*JAXVQA, "batch", manifest(folder / "one.csv", pairs[:2]), "--out", folder / "one")
        keep("jaxvqa batch", lambda n=names, o=out: command(*JAXVQA, "batch", n, "--out", o))
        keep(
            "a loop of jaxvqa score",
            lambda p=pairs: [command(*JAXVQA, "score", *pair, "-q") for pair in p],
        )
        if arguments.ffmpeg:
            keep(
                "a loop of FFmpeg's libvmaf",
                lambda p=pairs, s=size: [libvmaf(arguments.ffmpeg, pair, s) for pair in p],
            )
    decoded = {
        "jaxvqa batch": count_decoded(every, folder / "counted"),
        "a loop of jaxvqa score": len(every) * arguments.frames,
        "a loop of FFmpeg's libvmaf": len(every) * arguments.frames,
    }
    for name, parts in taken.items():
        seconds, used = (sum(p[i] for p in parts) for i in (0, 1))
        report.add(
            name=name, pairs=len(every), seconds=seconds, cpu=used, decoded=decoded[name]
        )  # fmt: skip


def tiny(arguments: argparse.Namespace, folder: Path, report: Report) -> None:
    """Many tiny pairs in one process, and their frames scored alone."""
    import jax

    jax.config.update("jax_num_cpu_devices", cores())
    import jaxvqa

    files = ladder(folder, SIZES[0], 16, 1)
    pairs = [(f[0], f[1]) for f in copies(files, arguments.pairs)]
    rows = [{"id": str(i), "ref": str(r), "dis": str(d)} for i, (r, d) in enumerate(pairs)]
    marks: dict[int, tuple[float, float, float]] = {}
    for i, row in enumerate(jaxvqa.batch(rows, folder / "out"), 1):
        if row["status"] != "done":
            sys.exit(f"batch: {row['error']}")
        if i in (min(100, len(rows) // 2), len(rows)):
            marks[i] = time.perf_counter(), time.process_time(), resident()
    (first, begun), (last, ended) = marks.items()
    count = last - first
    report.add(
        name="jaxvqa.batch",
        milliseconds=(ended[0] - begun[0]) / count * 1e3,
        cpu=(ended[1] - begun[1]) / count * 1e3,
        memory=begun[2],
        later=ended[2],
    )
    wall, used = frames_alone(pairs[0], min(200, len(rows)))
    report.add(name="its frames from memory, scored", milliseconds=wall * 1e3, cpu=used * 1e3)


def frames_alone(pair: tuple[Path, Path], count: int) -> tuple[float, float]:
    """Seconds and processor seconds to score the decoded frames of a pair, as the engine does."""
    import jaxvqa
    from jaxvqa._scoring.clip import open_clips
    from jaxvqa._scoring.plan import make_plan
    from jaxvqa._scoring.run import Run
    from jaxvqa._scoring.traffic import Traffic

    request, traffic = jaxvqa.ScoreRequest(), Traffic()
    with open_clips(*pair, request.inputs) as clip:
        plan = make_plan(request, clip.info)
        frames = list(clip.read(plan.reads_chroma, None))
        for i in range(count + 5):
            if i == 5:
                began, used = time.perf_counter(), time.process_time()
            run = Run(plan, clip, traffic=traffic)
            for frame in frames:
                run.feed(frame)
            series = run.finish()
            for model in plan.models:
                model.score(series.by_key)
    return (time.perf_counter() - began) / count, (time.process_time() - used) / count


def below(number: int) -> list[int]:
    """A process and all that it started."""
    parents = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            stat = Path(f"/proc/{name}/stat").read_text()
        except OSError:
            continue
        parents[int(name)] = int(stat.rsplit(")", 1)[1].split()[1])
    found = [number]
    for process in found:
        found += [child for child, parent in parents.items() if parent == process]
    return found


def most_memory(run: Callable[[], object]) -> float:
    """The most megabytes that the child processes had together, shared pages counted once."""
    most, done = 0.0, threading.Event()

    def watch() -> None:
        nonlocal most
        while not done.wait(0.2):
            total = 0
            for process in below(os.getpid())[1:]:
                try:
                    text = Path(f"/proc/{process}/smaps_rollup").read_text()
                except OSError:
                    continue
                total += sum(int(line.split()[1]) for line in text.splitlines() if "Pss:" in line)
            most = max(most, total / 1e3)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    run()
    done.set()
    thread.join()
    return most


def start(arguments: argparse.Namespace, folder: Path, report: Report) -> None:
    """Manifests, and what it takes until the first rows."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from jaxvqa._batch.keys import Keys
    from jaxvqa._batch.manifest import load_manifest

    rows = [
        {
            "id": f"t{i}",
            "ref": f"{i // 8}/ref.mkv",
            "dis": f"{i // 8}/{i % 8}.mp4",
            "crf": str(i % 8),
        }
        for i in range(arguments.rows)
    ]
    with open(folder / "m.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    (folder / "m.jsonl").write_text("\n".join(map(json.dumps, rows)))
    pq.write_table(pa.Table.from_pylist(rows), folder / "m.parquet")
    load_manifest(folder / "m.csv")  # imports
    for name in ("m.csv", "m.jsonl", "m.parquet"):
        spans = []
        for _ in range(3):
            began = time.perf_counter()
            jobs = load_manifest(folder / name).jobs
            spans.append(time.perf_counter() - began)
        report.add(name=f"load {len(jobs)} rows, {name[2:]}, best of 3", seconds=min(spans))
    keys, began = Keys(), time.perf_counter()
    for job in jobs:
        keys.of(job)
    report.add(name=f"keys of {len(jobs)} rows", seconds=time.perf_counter() - began)
    files = ladder(folder, SIZES[0], 16, 1)
    names = manifest(folder / "pairs.csv", [(f[0], f[1]) for f in copies(files, 2)])
    command(*JAXVQA, "batch", names, "--out", folder / "warm")
    stored = {
        "ledger, a pair": (folder / "warm/ledger.jsonl").read_bytes().splitlines()[-1],
        "values of its frames": next((folder / "warm/frames").iterdir()).read_bytes(),
        "table.csv, a row": (folder / "warm/table.csv").read_bytes().splitlines()[-1],
    }
    for name, data in stored.items():
        report.add(name=name, size=len(data) / 1e3)
    runners = {"jaxvqa batch, two pairs": ()}
    try:
        import ray

        runners[f"with Ray {ray.__version__}, two actors"] = ("--runner", "ray", "--jobs", "2")
    except ImportError:
        print("Ray is not installed: its row is left out", file=sys.stderr)
    for i, (name, more) in enumerate(runners.items()):
        spent: list[float] = []

        def run(i: int = i, more: Sequence[str] = more, spent: list[float] = spent) -> None:
            whole = (*JAXVQA, "batch", names, "--out", folder / f"start_{i}", *more)
            spent.append(timed(lambda: command(*whole))[0])

        if more:
            run()  # compiles for an actor's one core
            i += 10
        most = most_memory(lambda i=i: run(i))
        report.add(name=name, seconds=spent[-1], memory=most)


PARTS = {"ladders": ladders, "tiny": tiny, "start": start}


def main() -> None:
    """Prints one part."""
    options = parser(__doc__)
    options.add_argument("part", choices=PARTS)
    options.add_argument("--clips", type=positive, default=24, metavar="N")
    options.add_argument("--renditions", type=positive, default=8, metavar="N")
    options.add_argument("--frames", type=positive, default=24, metavar="N", help="of ladders")
    options.add_argument("--pairs", type=positive, default=2000, metavar="N", help="of tiny")
    options.add_argument("--rows", type=positive, default=10_000, metavar="N", help="of start")
    options.add_argument("--ffmpeg", metavar="PATH", help="a program that has libvmaf")
    arguments = options.parse_args()
    sizes = ", ".join(f"{w}x{h}" for w, h in SIZES)
    about = {
        "ladders": f"{arguments.clips} clips of {sizes} and {arguments.frames} frames, "
        f"{arguments.renditions} renditions each, half of them at half the size",
        "tiny": f"{arguments.pairs} pairs of 320x180 and 16 frames",
        "start": "pairs of 320x180 and 16 frames",
    }[arguments.part]
    content = f"{about}; H.264, {CONTENT}; vmaf_v0.6.1"
    try:
        peer = f"FFmpeg {FFmpeg(arguments.ffmpeg).version}" if arguments.ffmpeg else ""
    except Problem as error:
        sys.exit(f"batch: {error}")
    report = Report(
        "batch", content, COLUMNS[arguments.part], arguments, "the command line's choice", peer
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["JAXVQA_CACHE"] = str(folder / "cache")
        PARTS[arguments.part](arguments, folder, report)
    report.save()


if __name__ == "__main__":
    main()
