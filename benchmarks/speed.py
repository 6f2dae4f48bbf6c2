"""How many frames a second?

Compute only: frames lie in memory, compilation is done before; the median of several passes over a
made clip (texture that moves, distorted by noise and blur). End to end: the same clip as y4m files,
and as H.264 files that are decoded alongside; the median of as many passes.

    python benchmarks/speed.py                      # 1920x1080, every feature and the main models
    python benchmarks/speed.py --size 1280x720 --only float_vif vmaf_float_v0.6.1 --devices 1
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

FEATURES = (
    "float_vif", "float_adm", "float_motion", "vif", "adm", "motion", "speed_chroma", "cambi",
    "y_funque_plus", "3c_funque_plus", "funque",
)  # fmt: skip
MODELS = ("vmaf_float_v0.6.1", "vmaf_v0.6.1", "vmaf_v1.0.16_3d0h")
V1_CAMBI = "cambi=cambi_high_res_speedup=1080"


def make_clip(width: int, height: int, frames: int):
    """A textured, moving 4:2:0 clip and its noisy, blurred version, as uint8 `Planes`.

    The upper third is a smooth sky, without noise, whose steps CAMBI finds in the second version.
    """
    import numpy as np

    from jaxvqa import Planes

    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[: height + 64, : width + 64]
    base = 120 + 60 * np.sin(rows / 23.0) * np.cos(columns / 31.0) + rng.normal(0, 18, rows.shape)
    sky = height // 3
    base[:sky] = 150 + 40 * rows[:sky] / sky + 15 * np.cos(columns[:sky] / width * 4)
    grain = np.where(np.arange(height) < sky, 0.1, 2.0)[:, None]

    def shifted(array, step):
        return array[step : step + height, 2 * step : 2 * step + width]

    def codes(x):
        return np.clip(np.rint(x), 0, 255).astype(np.uint8)

    ref = np.stack([codes(shifted(base, i % 30)) for i in range(frames)])
    blurred = (base + np.roll(base, 1, 0) + np.roll(base, 1, 1) + np.roll(base, (1, 1), (0, 1))) / 4
    dis = np.stack(
        [
            codes(shifted(blurred, i % 30) + grain * rng.normal(0, 1, (height, width)))
            for i in range(frames)
        ]
    )
    chroma = [x[:, : (height + 1) // 2, : (width + 1) // 2] // 2 + 64 for x in (ref, dis)]
    return Planes(ref, chroma[0], chroma[0]), Planes(dis, chroma[1], chroma[1])


def _kwargs(name: str) -> dict:
    if name in MODELS or name.startswith("vmaf"):
        return {"model": name}
    return {"model": None, "features": [V1_CAMBI if name == "cambi" else name]}


def measure(ref, dis, name: str, passes: int) -> tuple[float, float]:
    """Frames a second with compiled programs, and the seconds of the first call."""
    import jaxvqa

    started = time.perf_counter()
    jaxvqa.score(ref, dis, **_kwargs(name))
    first = time.perf_counter() - started
    times = []
    for _ in range(passes):
        started = time.perf_counter()
        jaxvqa.score(ref, dis, **_kwargs(name))
        times.append(time.perf_counter() - started)
    return ref.frames / statistics.median(times), first


def write_y4m_pair(folder: Path, pair: Sequence) -> list[Path]:
    """A pair of `Planes` as y4m files."""
    from jaxvqa.video import VideoInfo, write_y4m

    files = []
    for side, video in zip(("ref", "dis"), pair, strict=True):
        file = folder / f"{side}.y4m"
        height, width = video.y.shape[1:]
        chroma = {(1, 1): "444", (1, 2): "422", (2, 2): "420"}[
            (round(height / video.u.shape[1]), round(width / video.u.shape[2]))
        ]
        info = VideoInfo(str(file), width, height, video.bit_depth or 8, chroma)
        write_y4m(file, zip(video.y, video.u, video.v, strict=True), info)
        files.append(file)
    return files


def write_h264_pair(folder: Path, pair: Sequence) -> list[Path]:
    """The clip as H.264 files; the noise makes them large, so this is much to decode."""
    import av
    import numpy as np

    files = [folder / f"{side}.mkv" for side in ("ref", "dis")]
    for file, video in zip(files, pair, strict=True):
        height, width = video.y.shape[1:]
        with av.open(str(file), "w") as container:
            stream = container.add_stream("libx264", rate=25)
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            stream.options = {"preset": "veryfast", "crf": "23"}
            for planes in zip(video.y, video.u, video.v, strict=True):
                packed = np.concatenate([plane.reshape(-1) for plane in planes])
                frame = av.VideoFrame.from_ndarray(packed.reshape(-1, width), format="yuv420p")
                container.mux(stream.encode(frame))
            container.mux(stream.encode())
    return files


def end_to_end(files: list[Path], frames: int, name: str, passes: int) -> float:
    """Frames a second from files, with compiled programs."""
    import jaxvqa

    jaxvqa.score(*files, **_kwargs(name))  # chunks of files may have another length, so compile
    times = []
    for _ in range(passes):
        started = time.perf_counter()
        jaxvqa.score(*files, **_kwargs(name))
        times.append(time.perf_counter() - started)
    return frames / statistics.median(times)


def main() -> None:
    """Prints one line per feature and model."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", default="1920x1080")
    parser.add_argument("--frames", type=int, default=24)
    parser.add_argument("--passes", type=int, default=3)
    parser.add_argument("--devices", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--only", nargs="*", default=[*FEATURES, *MODELS])
    parser.add_argument("--no-files", action="store_true", help="skip the end-to-end runs")
    arguments = parser.parse_args()
    import jax

    jax.config.update("jax_num_cpu_devices", arguments.devices)
    import jaxvqa

    width, height = map(int, arguments.size.split("x"))
    ref, dis = make_clip(width, height, arguments.frames)
    print(f"jaxvqa {jaxvqa.__version__}, jax {jax.__version__}, {jax.device_count()} "
          f"{jax.default_backend()} device(s), {os.cpu_count()} cores, Python "
          f"{platform.python_version()}, {width}x{height}, {arguments.frames} frames")  # fmt: skip
    columns = ("compute fps", "ms/frame", "first call s", "y4m fps", "H.264 fps")
    print(f"{'':22s} {columns[0]:>12s} {columns[1]:>9s} {columns[2]:>13s} "
          f"{columns[3]:>9s} {columns[4]:>10s}")  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        sources = []
        if not arguments.no_files:
            sources = [
                write(Path(folder), (ref, dis)) for write in (write_y4m_pair, write_h264_pair)
            ]
        for name in arguments.only:
            fps, first = measure(ref, dis, name, arguments.passes)
            line = f"{name:22s} {fps:12.1f} {1000 / fps:9.1f} {first:13.1f}"
            for files, room in zip(sources, (9, 10), strict=False):
                rate = end_to_end(files, arguments.frames, name, arguments.passes)
                line += f" {rate:{room}.1f}"
            print(line, flush=True)


if __name__ == "__main__":
    main()
