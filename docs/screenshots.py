"""Makes the pictures of docs/report.md: `python docs/screenshots.py`.

Encodes a clip of three scenes that FFmpeg draws, scores it, makes pages, and photographs them in
headless Chromium. Needs `pip install -e ".[dev]"`, chromium and chromium-driver; takes minutes.
"""

from __future__ import annotations

import csv
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import imageio_ffmpeg

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))
from tests.browser import browser, picture  # noqa: E402

IMAGES = ROOT / "docs" / "images"
SIZE, RATE, SCENE = "640x360", 24, 3
SCENES = ("mandelbrot", "testsrc2", "mandelbrot=start_x=-0.1:start_y=0.85:start_scale=0.05")
ENCODERS = {"x264": ["libx264", "-preset", "veryfast"], "x265": ["libx265", "-preset", "veryfast"]}
SIZES = ("256x144", "448x252", "640x360")
KBPS = (40, 80, 160, 320, 640)


def ffmpeg(*arguments: str) -> None:
    """Runs FFmpeg, quietly."""
    program = imageio_ffmpeg.get_ffmpeg_exe()
    subprocess.run([program, "-v", "error", "-y", *arguments], check=True)


def jaxvqa(*arguments: str) -> None:
    """Runs a command of ours."""
    print("jaxvqa", *arguments)
    subprocess.run([sys.executable, "-m", "jaxvqa", *arguments], check=True)


def reference(folder: Path) -> str:
    """Three scenes, without loss."""
    inputs, parts = [], ""
    for i, scene in enumerate(SCENES):
        joint = ":" if "=" in scene else "="
        source = f"{scene}{joint}size={SIZE}:rate={RATE}"
        inputs += ["-f", "lavfi", "-t", str(SCENE), "-i", source]
        parts += f"[{i}:v]format=yuv420p[s{i}];"
    joined = "".join(f"[s{i}]" for i in range(len(SCENES)))
    graph = f"{parts}{joined}concat=n={len(SCENES)}"
    path = str(folder / "ref.mkv")
    ffmpeg(*inputs, "-filter_complex", graph, "-c:v", "ffv1", path)
    return path


def encode(ref: str, path: Path, encoder: str, kbps: int, size: str = SIZE) -> str:
    """One rendition."""
    codec, *options = ENCODERS[encoder]
    scale = size.replace("x", ":")
    ffmpeg(
        "-i", ref, "-vf", f"scale={scale}", "-c:v", codec, *options, "-b:v", f"{kbps}k", str(path)
    )
    return str(path)


def results_page(folder: Path, ref: str) -> Path:
    """Two encodes of the same rate, compared."""
    files = []
    for encoder in ENCODERS:
        dis = encode(ref, folder / f"{encoder}.mkv", encoder, 160)
        files.append(str(folder / f"{encoder}.json"))
        jaxvqa("score", ref, dis, "-o", files[-1])
    page = folder / "results.html"
    names = [part for encoder in ENCODERS for part in ("--name", encoder)]
    jaxvqa("report", *files, *names, "--title", "160 kb/s, x264 and x265", "-o", str(page))
    return page


def table_page(folder: Path, ref: str) -> Path:
    """A ladder of two encoders, three sizes and five rates."""
    rows = []
    for encoder in ENCODERS:
        for size in SIZES:
            for kbps in KBPS:
                name = f"{encoder}_{size}_{kbps}"
                dis = encode(ref, folder / f"{name}.mkv", encoder, kbps, size)
                command = ["score", ref, dis, "--subsample", "3", "--quiet"]
                found = subprocess.run(
                    [sys.executable, "-m", "jaxvqa", *command], capture_output=True, text=True,
                    check=True,
                )  # fmt: skip
                seconds = SCENE * len(SCENES)
                spent = Path(dis).stat().st_size * 8 / seconds / 1000
                rows.append({
                    "id": name, "title": "three scenes", "codec": encoder, "size": size,
                    "bitrate_kbps": f"{spent:.1f}", "vmaf_mean": found.stdout.strip(),
                })  # fmt: skip
                print(rows[-1])
    with (folder / "table.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    page = folder / "table.html"
    table = str(folder / "table.csv")
    jaxvqa("ladder", table, "--encoder", "codec", "-o", str(IMAGES / "ladder.png"))
    jaxvqa("report", table, "--encoder", "codec", "--title", "A ladder", "-o", str(page))
    return page


def top_of(driver: Any, selector: str) -> int:
    """Where a part of the page begins, with some air above it."""
    script = "return document.querySelector(arguments[0]).getBoundingClientRect().top + scrollY"
    return max(0, round(driver.execute_script(script, selector)) - 24)


def main() -> None:
    """Makes all pictures."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ref = reference(folder)
        results, table = results_page(folder, ref), table_page(folder, ref)
        with browser() as driver:
            driver.get(results.as_uri())
            start = top_of(driver, "#frames")
            picture(driver, IMAGES / "report_scores.png", start, 1130)
            driver.get(table.as_uri())
            start = top_of(driver, "#rates")
            picture(driver, IMAGES / "report_rates.png", start, 960)


if __name__ == "__main__":
    main()
