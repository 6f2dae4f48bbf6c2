"""How many frames per second?

Compute: the frames are in memory and the programs compiled. End to end: the same synthetic clip
from y4m files, and from H.264 files that are decoded on the same cores. The first call compiles and
is not counted; `startup.py` measures it.

    python benchmarks/speed.py                      # 1920x1080, every feature and the main models
    python benchmarks/speed.py --size 1280x720 --only float_vif vmaf_float_v0.6.1 --devices 1
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from _report import Column, Report, cores, devices, parser, positive, rates

from jaxvqa.features._registry import FEATURES

MODELS = ("vmaf_v0.6.1", "vmaf_float_v0.6.1", "vmaf_v1.0.16_3d0h")
NAMES = (*MODELS, *FEATURES)
# as VMAF v1 asks for it
V1_CAMBI = "cambi=cambi_high_res_speedup=1080"
CONTENT = "synthetic clip (moving texture under a smooth sky; blurred, with noise)"
COLUMNS = (
    Column("name", "", "s", 20),
    Column("compute", "compute, fps", width=26),
    Column("y4m", "y4m, fps", width=26),
    Column("h264", "H.264, fps", width=26),
)


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


def request(name: str) -> dict:
    """Keywords of `jaxvqa.score` for one feature or model."""
    if name in FEATURES:
        return {"model": None, "features": [V1_CAMBI if name == "cambi" else name]}
    return {"model": name}


def content(width: int, height: int, frames: int) -> str:
    """The clip of `make_clip` in words."""
    return f"{CONTENT}, {width}x{height}, {frames} frames, 8 bits, 4:2:0"


def seconds(fn: Callable[[], object]) -> float:
    """What one call takes."""
    started = time.perf_counter()
    fn()
    return time.perf_counter() - started


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


def measure(name: str, sources: dict[str, Sequence], frames: int, passes: int) -> dict:
    """One row: rates of each source, in turn."""
    import jaxvqa

    runs = {
        kind: lambda pair=pair: jaxvqa.score(*pair, **request(name))
        for kind, pair in sources.items()
    }
    # chunks of files may have another length than those of arrays, so each source compiles
    for run in runs.values():
        run()
    times: dict[str, list[float]] = {kind: [] for kind in runs}
    for _ in range(passes):
        for kind, run in runs.items():
            times[kind].append(seconds(run))
    found = {kind: rates(frames, taken) for kind, taken in times.items()}
    return {"name": name, **found}


def main() -> None:
    """Prints one line per feature and model."""
    options = parser(__doc__, passes=5)
    options.add_argument("--size", default="1920x1080", metavar="WxH")
    options.add_argument("--frames", type=positive, default=24, metavar="N")
    options.add_argument("--devices", type=positive, default=cores(), help="host devices on CPU")
    options.add_argument("--only", nargs="+", default=NAMES, metavar="NAME", help="default: all")
    options.add_argument("--no-files", action="store_true", help="skip the end-to-end runs")
    arguments = options.parse_args()
    import jax

    jax.config.update("jax_num_cpu_devices", arguments.devices)
    size = tuple(map(int, arguments.size.split("x")))
    pair = make_clip(*size, arguments.frames)
    report = Report("speed", content(*size, arguments.frames), COLUMNS, arguments, devices())
    with tempfile.TemporaryDirectory() as folder:
        sources: dict[str, Sequence] = {"compute": pair}
        if not arguments.no_files:
            sources["y4m"] = write_y4m_pair(Path(folder), pair)
            sources["h264"] = write_h264_pair(Path(folder), pair)
        for name in arguments.only:
            report.add(**measure(name, sources, arguments.frames, arguments.passes))
    report.save()


if __name__ == "__main__":
    main()
