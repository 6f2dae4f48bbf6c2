"""What do cheap metrics cost beside the reading of their files?

Milliseconds of processor time per pair of frames, of all threads together, from y4m files in the
page cache. "Copy": the bytes copied by nothing but the system, into as much memory as scoring
fills in turn. "Read": pairs read as scoring reads them, into the memory of one. "Program": the
compiled program alone, on a chunk that lies in memory, one device. "Scored" is `jaxvqa.score` of
the files, "elapsed" its time by the clock. "vmaf" is the processor time of libvmaf's program, its
start included.

    python benchmarks/reading.py
    python benchmarks/reading.py --libvmaf vmaf --only motion --size 3840x2160
"""

from __future__ import annotations

import resource
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from _clips import content, make_clip, write_y4m_pair
from _report import Column, Report, cores, devices, parser, positive, spread
from roofline import Job, job, minimum_bytes
from speed import request
from versus import Peer

COLUMNS = (
    Column("name", "", "s", 20),
    Column("mb", "MB", width=8),
    Column("copy", "copy", ".2f", 22),
    Column("read", "read", ".2f", 22),
    Column("program", "program", ".2f", 22),
    Column("scored", "scored", ".2f", 22),
    Column("elapsed", "elapsed", ".2f", 22),
    Column("vmaf", "vmaf", ".2f", 22),
)
# frames of each side that are in chunks at a time
IN_CHUNKS = 48


def copying(files: Sequence[Path], count: int, size: int) -> Callable[[], object]:
    """Copies `size` bytes of each frame, from where the files have about so many."""
    memory = np.ones((IN_CHUNKS, 2, size), np.uint8)

    def run() -> None:
        for side, path in enumerate(files):
            with open(path, "rb", buffering=0) as file:
                stride = path.stat().st_size // count
                for frame in range(count):
                    file.seek(frame * stride)
                    file.readinto(memory[frame % IN_CHUNKS, side].data)

    return run


def reading(files: Sequence[Path], chroma: bool, pair: Sequence[Any]) -> Callable[[], object]:
    """Reads all pairs."""
    from jaxvqa.video import open_pair

    planes = ("y", "u", "v") if chroma else ("y",)
    ref, dis = (tuple(np.empty_like(getattr(x, p)[0]) for p in planes) for x in pair)

    def run() -> None:
        with open_pair(*files) as opened:
            for _ in opened.read(chroma, (lambda: ref, lambda: dis)):
                pass

    return run


def programs_of(work: Job, pair: Sequence[Any]) -> tuple[Callable[[], object], int]:
    """Runs the programs on a chunk, one device; and the frames that they score."""
    import jax

    from jaxvqa._scoring import programs
    from jaxvqa._scoring.schedule import chunk_policy
    from jaxvqa._scoring.transfer import transfer_for

    names = ("y", "u", "v") if work.chroma else ("y",)
    frames = [[tuple(getattr(x, n)[i] for n in names) for i in range(x.frames)] for x in pair]
    used, count = chunk_policy(sum(p.nbytes for p in frames[0][0]), jax.devices()[:1], None)
    count = min(count, len(frames[0]) - work.history)
    shapes = tuple(((work.history + count, *p.shape), p.dtype) for p in frames[0][0])
    layout = programs.ChunkLayout(used, pair[0].depth, work.history, shapes)
    ready = [found.result() for found in programs.start(work.extractions, layout)]
    block = list(zip(*(side[: work.history + count] for side in frames), strict=True))
    arguments = (*transfer_for(layout).send([block], 0), layout.idle((count,)))
    return lambda: jax.block_until_ready([program(*arguments) for program in ready]), count


def processor_ms(run: Callable[[], object], frames: int, children: bool = False) -> float:
    """Processor time per frame of one call, or of the processes that it waits for."""
    who = resource.RUSAGE_CHILDREN if children else resource.RUSAGE_SELF

    def now() -> float:
        used = resource.getrusage(who)
        return used.ru_utime + used.ru_stime

    started = now()
    run()
    return 1000 * (now() - started) / frames


def measure(name: str, files: Sequence[Path], pair: Sequence[Any], peer: Peer | None, passes: int):
    """One row; what is compared is measured in turn."""
    import jaxvqa

    frames, height, width = pair[0].y.shape
    work = job(name)
    size = minimum_bytes(work, width, height) // 2
    run_programs, in_chunk = programs_of(work, pair)
    runs = {
        "copy": (copying(files, frames, size), frames),
        "read": (reading(files, work.chroma, pair), frames),
        "program": (run_programs, in_chunk),
        "scored": (lambda: jaxvqa.score(*files, **request(name)), frames),
    }
    found: dict[str, list[float]] = {key: [] for key in (*runs, "elapsed", "vmaf")}
    for timed in range(-1, passes):  # the first pass compiles
        for key, (run, count) in runs.items():
            started = time.perf_counter()
            taken = processor_ms(run, count)
            if timed >= 0:
                found[key].append(taken)
                if key == "scored":
                    found["elapsed"].append(1000 * (time.perf_counter() - started) / frames)
        if peer is not None and timed >= 0:
            found["vmaf"].append(processor_ms(lambda: peer.run(name, *files), frames, True))
    row = {key: spread(values) for key, values in found.items() if values}
    return {"name": name, "mb": 2 * size / 1e6, **row}


def main() -> None:
    """Prints one line per feature or model."""
    options = parser(__doc__, passes=15)
    options.add_argument("--size", default="1920x1080", metavar="WxH")
    options.add_argument("--frames", type=positive, default=48, metavar="N")
    options.add_argument("--devices", type=positive, default=cores(), help="host devices")
    options.add_argument("--only", nargs="+", default=("motion", "float_psnr", "psnr"))
    options.add_argument("--libvmaf", metavar="PATH", help="also libvmaf's program at this path")
    arguments = options.parse_args()
    import jax

    jax.config.update("jax_num_cpu_devices", arguments.devices)
    size = tuple(map(int, arguments.size.split("x")))
    pair = make_clip(*size, arguments.frames)
    peer = Peer(arguments.libvmaf, arguments.devices, 0) if arguments.libvmaf else None
    said = content(*size, arguments.frames)
    known = f"vmaf {peer.version}, --threads {arguments.devices}" if peer is not None else ""
    report = Report("reading", said, COLUMNS, arguments, devices(), known)
    with tempfile.TemporaryDirectory() as folder:
        files = write_y4m_pair(Path(folder), pair)
        for name in arguments.only:
            report.add(**measure(name, files, pair, peer, arguments.passes))
    report.save()


if __name__ == "__main__":
    main()
