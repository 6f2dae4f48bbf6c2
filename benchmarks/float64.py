"""Where a float metric and libvmaf's program differ, which side is float64 on?

Runs metrics on frames in which float32 shows: shifting checkerboards of 1920x1080, whose sums are
large, and the film that ships against sharpened copies of itself, whose edges meet a threshold.
Each is measured by the tool, by jaxvqa, and by jaxvqa on float64 frames; the tool prints six
decimals. Prints the largest differences over the frames, and in how many values that differ by
more than 1e-5 jaxvqa is the nearer one.

    python benchmarks/float64.py --libvmaf vmaf
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import jax
import numpy as np
from _clips import FILM, read_clip, write_y4m_pair
from _report import Column, Problem, Report, devices, parser
from versus import Peer

import jaxvqa
from jaxvqa import Planes

HEIGHT, WIDTH, FRAMES = 1080, 1920, 3
# side of a square, and samples that the board moves on per frame and from one video to the other
BOARDS = ((10, 1), (10, 3), (16, 5), (24, 7), (40, 13), (64, 20))
# how far the blur of an unsharp mask reaches
RADII = (1, 2, 4)
APART = 1e-5
COLUMNS = (
    Column("clip", "clip", "s", 24),
    Column("name", "output", "s", 14),
    Column("tool", "tool - ours", ".1e", 12),
    Column("ours_off", "ours - float64", ".1e", 15),
    Column("tool_off", "tool - float64", ".1e", 15),
    Column("values", "values apart", "d", 13),
    Column("nearer", "ours nearer", "d", 12),
)


def board(side: int, shift: int) -> Planes:
    """A checkerboard in limited range that moves to the right."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    odd = [((x - shift * (i + 1)) // side + y // side) % 2 for i in range(FRAMES)]
    luma = np.where(np.stack(odd) == 0, 16, 235).astype(np.uint8)
    grey = np.full((FRAMES, HEIGHT // 2, WIDTH // 2), 128, np.uint8)
    return Planes(luma, grey, grey)


def sharpened(video: Planes, radius: int) -> Planes:
    """The video plus what a box blur takes away."""
    y = np.asarray(video.y, np.float64)
    size = 2 * radius + 1
    padded = np.pad(y, ((0, 0), (radius, radius), (radius, radius)), "edge")
    blurred = np.lib.stride_tricks.sliding_window_view(padded, (size, size), (1, 2)).mean((-2, -1))
    return video.replace(y=np.clip(np.rint(2 * y - blurred), 0, 255).astype(np.uint8))


def clips() -> Iterator[tuple[str, Planes, Planes, list[str]]]:
    """Name, both videos and the features to run."""
    still = board(10, 0)
    for side, shift in BOARDS:
        moving = board(side, shift)
        yield f"board of {side} by {shift}", moving, still, ["float_motion", "float_ansnr"]
    film = read_clip(str(FILM))
    for radius in RADII:
        yield f"film, mask of {radius}", film, sharpened(film, radius), ["float_adm"]


def in_float64(luma: Sequence[np.ndarray], bit_depth: int, **wanted) -> dict[str, np.ndarray]:
    """The series of jaxvqa from float64 frames."""
    with jax.enable_x64(True):
        sides = [side.astype(np.float64) for side in luma]
        return jaxvqa.score(*sides, bit_depth=bit_depth, **wanted).frames


def rows(clip: str, tool: dict, ours: dict, exact: dict) -> Iterator[dict]:
    """One row per output that the three have."""
    for name in sorted(tool.keys() & ours.keys() & exact.keys()):
        apart = np.abs(tool[name] - ours[name])
        ours_off, tool_off = (np.abs(x[name] - exact[name]) for x in (ours, tool))
        counted = apart > APART
        yield {
            "clip": clip, "name": name, "tool": apart.max(), "ours_off": ours_off.max(),
            "tool_off": tool_off.max(), "values": int(counted.sum()),
            "nearer": int((ours_off < tool_off)[counted].sum()),
        }  # fmt: skip


def main() -> None:
    """Prints a line for each clip and output, and how often jaxvqa is the nearer one."""
    options = parser(__doc__)
    options.add_argument("--libvmaf", metavar="PATH", required=True, help="libvmaf's vmaf")
    arguments = options.parse_args()
    try:
        peer = Peer(arguments.libvmaf, threads=1, cpumask=-1)
    except Problem as error:
        sys.exit(f"float64: {error}")
    content = f"checkerboards of {WIDTH}x{HEIGHT}; the film that ships, sharpened; 8 bits"
    said = f"vmaf {peer.version}, plain C"
    report = Report("float64", content, COLUMNS, arguments, devices(), said)
    for clip, ref, dis, features in clips():
        with tempfile.TemporaryDirectory() as folder:
            files = write_y4m_pair(Path(folder), (ref, dis))
            asked = [word for name in features for word in ("--feature", name)]
            tool = peer.frames(["--no_prediction", *asked], *files)
        wanted = {"model": None, "features": features}
        ours = jaxvqa.score(ref, dis, **wanted).frames
        exact = in_float64((ref.y, dis.y), 8, **wanted)
        for row in rows(clip, tool, ours, exact):
            report.add(**row)
    report.save()


if __name__ == "__main__":
    main()
