"""Makes a small study to train on: clips, a table of them, and votes of simulated people.

    python examples/make_study.py study
    python examples/make_study.py study --contents 4

writes `study/clips.csv` (id, ref, dis, content), `study/votes.csv` (id, subject, score) and the
clips as y4m, 160x96 with 6 frames: moving textures, and each of them blurred, coarsely quantised,
noisy or scaled down, at three strengths. The votes follow from the strength of what was done and
from a taste for each content, with subjects who are strict or kind and one who votes at random.
Nobody watched these clips: they show how the commands work; a model of them is good for nothing.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np

WIDTH, HEIGHT, FRAMES = 160, 96, 6
STRENGTHS = (1, 2, 3)
SUBJECTS = 15
SEED = 0


def smooth(picture: np.ndarray, radius: int) -> np.ndarray:
    """A box blur along both axes, edges repeated."""
    for axis in (-2, -1):
        pads = [(0, 0)] * picture.ndim
        pads[axis] = (radius, radius)
        wide = np.pad(picture, pads, mode="edge")
        windows = np.lib.stride_tricks.sliding_window_view(wide, 2 * radius + 1, axis)
        picture = windows.mean(-1)
    return picture


def content(rng: np.random.Generator) -> np.ndarray:
    """Luma of a texture that moves, `(FRAMES, HEIGHT, WIDTH)`, with detail at several sizes."""
    big = np.zeros((2 * HEIGHT, 2 * WIDTH))
    for radius in (1, 3, 8, 16):
        layer = smooth(rng.normal(size=big.shape), radius)
        big += layer / layer.std() * rng.uniform(4, 16)
    big = 125 + big * rng.uniform(0.6, 1.3)
    step = rng.uniform(0.5, 6, 2)
    frames = []
    for i in range(FRAMES):
        top, left = (round(i * s) for s in step)
        frames.append(big[top : top + HEIGHT, left : left + WIDTH])
    return np.clip(np.stack(frames), 16, 235)


def blurred(luma: np.ndarray, strength: int, rng: np.random.Generator) -> np.ndarray:
    """Details are lost."""
    return smooth(luma, strength)


def quantised(luma: np.ndarray, strength: int, rng: np.random.Generator) -> np.ndarray:
    """Few levels are left."""
    step = (10, 22, 40)[strength - 1]
    return np.round(luma / step) * step


def noisy(luma: np.ndarray, strength: int, rng: np.random.Generator) -> np.ndarray:
    """Noise is added."""
    return luma + rng.normal(0, (4, 10, 20)[strength - 1], luma.shape)


def shrunk(luma: np.ndarray, strength: int, rng: np.random.Generator) -> np.ndarray:
    """Pixels become blocks."""
    side = (2, 4, 8)[strength - 1]
    blocks = luma.reshape(len(luma), HEIGHT // side, side, WIDTH // side, side).mean((2, 4))
    return blocks.repeat(side, 1).repeat(side, 2)


DISTORTIONS: tuple[Callable[..., np.ndarray], ...] = (blurred, quantised, noisy, shrunk)


def write_y4m(path: Path, luma: np.ndarray) -> None:
    """Writes frames with flat chroma."""
    samples = np.clip(np.round(luma), 0, 255).astype(np.uint8)
    flat = np.full(WIDTH * HEIGHT // 2, 128, np.uint8).tobytes()
    head = f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F25:1 Ip A1:1 C420jpeg\n".encode()
    path.write_bytes(head + b"".join(b"FRAME\n" + f.tobytes() + flat for f in samples))


def votes(quality: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Grades from 1 to 5, `(clips, SUBJECTS)`; the last subject does not look."""
    bias, spread = rng.normal(0, 0.3, SUBJECTS), rng.uniform(0.3, 0.7, SUBJECTS)
    given = quality[:, None] + bias + spread * rng.normal(size=(len(quality), SUBJECTS))
    given[:, -1] = rng.uniform(1, 5, len(quality))
    return np.clip(np.round(given), 1, 5).astype(int)


def write_table(path: Path, rows: list[dict[str, object]]) -> None:
    """Writes a CSV."""
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def main() -> None:
    """Writes the study."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("folder", type=Path, help="where to write")
    parser.add_argument("--contents", type=int, default=8, help="how many textures (8)")
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(SEED)
    clips, quality = [], []
    for number in range(1, args.contents + 1):
        luma, taste = content(rng), rng.normal(0, 0.25)
        name = f"texture{number}"
        write_y4m(args.folder / f"{name}.y4m", luma)
        for distort in DISTORTIONS:
            for strength in STRENGTHS:
                id = f"{name}_{distort.__name__}{strength}"
                write_y4m(args.folder / f"{id}.y4m", distort(luma, strength, rng))
                clips.append({"id": id, "ref": f"{name}.y4m", "dis": f"{id}.y4m", "content": name})
                quality.append(5.2 - 1.1 * strength + taste + rng.normal(0, 0.1))
    write_table(args.folder / "clips.csv", clips)
    grades = votes(np.array(quality), rng)
    rows = [
        {"id": clip["id"], "subject": f"s{subject + 1:02d}", "score": int(grades[i, subject])}
        for i, clip in enumerate(clips)
        for subject in range(SUBJECTS)
    ]
    write_table(args.folder / "votes.csv", rows)
    print(f"{len(clips)} clips of {args.contents} contents and {len(rows)} votes in {args.folder}")


if __name__ == "__main__":
    main()
