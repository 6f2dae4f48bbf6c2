"""Which frames FFmpeg compares where two containers round times differently, and which we do.

Writes the same frames at 24000/1001 per second to MP4, Matroska and MPEG-TS, losslessly, each with
its number as luma code. A pair is right if both numbers are equal. FFmpeg's pairs are read from the
log of its `psnr` filter, which takes its frames through framesync as `libvmaf` does: the distorted
video is the first input, the reference the second.

    python benchmarks/framesync.py --frames 240
"""

from __future__ import annotations

import itertools
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import _report
import numpy as np

from jaxvqa.video import InputOptions, VideoError, open_pair

CONTAINERS = ("mp4", "mkv", "ts")
RATE = "24000/1001"
WIDTH, HEIGHT = 64, 64
# luma codes that are used; more frames than these begin again
CODES = range(8, 248)
STARTS = "setpts=PTS-STARTPTS"
# key, head, options of each input, filters of each input, options of the filter that compares
WAYS = (
    ("default", "default", (), "null", ""),
    ("starts", "from the start", (), STARTS, ""),
    ("nearest", "nearest", (), STARTS, "ts_sync_mode=nearest"),
    ("shortest", "nearest, shortest", (), STARTS, "ts_sync_mode=nearest:shortest=1"),
    ("rate", "-r", ("-r", RATE), "null", ""),
)
OURS = (("ours", "jaxvqa", "auto"), ("ours_time", "jaxvqa, by time", "time"))


def default_program() -> str | None:
    """The FFmpeg of `imageio_ffmpeg`, or None."""
    try:
        import imageio_ffmpeg
    except ImportError:
        return None
    return imageio_ffmpeg.get_ffmpeg_exe()


def run(program: str, *arguments: str, data: bytes | None = None, cwd: Path | None = None) -> str:
    """What FFmpeg prints; ends the benchmark where it fails."""
    command = [program, "-hide_banner", *arguments]
    done = subprocess.run(command, input=data, capture_output=True, cwd=cwd, check=False)
    if done.returncode:
        sys.exit(f"framesync: {' '.join(command)}\n{done.stderr.decode(errors='replace')}")
    return done.stdout.decode()


def write_clips(program: str, folder: Path, frames: int) -> None:
    """The numbered frames in each container."""
    chroma = np.full(WIDTH * HEIGHT // 2, 128, np.uint8)
    pictures = [
        np.concatenate([np.full(WIDTH * HEIGHT, CODES[i % len(CODES)], np.uint8), chroma])
        for i in range(frames)
    ]
    raw = ["-f", "rawvideo", "-s", f"{WIDTH}x{HEIGHT}", "-pix_fmt", "yuv420p", "-r", RATE]
    coded = ["-c:v", "libx264", "-qp", "0"]
    for container in CONTAINERS:
        target = str(folder / f"clip.{container}")
        data = np.concatenate(pictures).tobytes()
        run(program, "-v", "error", *raw, "-i", "-", *coded, target, data=data)


def theirs(program: str, folder: Path, dis: str, ref: str, way: Sequence[Any]) -> tuple[int, int]:
    """Wrong pairs and pairs of FFmpeg."""
    _, _, options, filters, compare = way
    log = folder / "pairs.log"
    graph = f"[0:v]{filters}[d];[1:v]{filters}[r];[d][r]psnr=stats_file={log.name}"
    graph += f":{compare}" if compare else ""
    inputs = [part for name in (dis, ref) for part in (*options, "-i", f"clip.{name}")]
    run(program, "-v", "error", *inputs, "-lavfi", graph, "-f", "null", "-", cwd=folder)
    errors = re.findall(r"mse_y:(\S+)", log.read_text())
    return sum(float(error) != 0 for error in errors), len(errors)


def ours(folder: Path, dis: str, ref: str, pair: str) -> tuple[int, int]:
    """Wrong pairs and pairs of `open_pair`."""
    wrong = count = 0
    files = folder / f"clip.{ref}", folder / f"clip.{dis}"
    with open_pair(*files, InputOptions(pair=pair)) as videos:
        for _, ref_planes, dis_planes in videos:
            wrong += bool((ref_planes[0] != dis_planes[0]).any())
            count += 1
    return wrong, count


def as_text(found: tuple[int, int]) -> str:
    """Wrong pairs of all."""
    return f"{found[0]} of {found[1]}"


def main() -> None:
    """Writes the clips and prints a line for each pair of containers."""
    options = _report.parser(__doc__ or "")
    options.add_argument(
        "--frames", type=_report.positive, default=240, metavar="N", help="default 240"
    )
    options.add_argument(
        "--ffmpeg", metavar="PATH", help="the program (default: that of imageio_ffmpeg)"
    )
    arguments = options.parse_args()
    program = arguments.ffmpeg or default_program()
    if program is None:
        sys.exit("framesync: there is no FFmpeg: pip install imageio-ffmpeg, or give --ffmpeg.")
    version = run(program, "-version").split()[2]
    columns = [_report.Column("name", "distorted, reference", "s", 20)]
    columns += [_report.Column(key, head, "s", 17) for key, head, *_ in (*WAYS, *OURS)]
    report = _report.Report(
        "framesync",
        f"{arguments.frames} numbered frames at {RATE} per second; wrong pairs of all pairs",
        columns,
        arguments,
        "none are used",
        f"FFmpeg {version}",
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_clips(program, folder, arguments.frames)
        for dis, ref in itertools.permutations(CONTAINERS, 2):
            found = {way[0]: theirs(program, folder, dis, ref, way) for way in WAYS}
            try:
                found |= {key: ours(folder, dis, ref, pair) for key, _, pair in OURS}
            except VideoError as error:
                sys.exit(f"framesync: {error}")
            cells = {key: as_text(pairs) for key, pairs in found.items()}
            report.add(name=f"{dis}, {ref}", **cells)
    report.save()


if __name__ == "__main__":
    main()
