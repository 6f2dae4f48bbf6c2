"""How many frames per second?

Compute: the frames are in memory and the programs compiled. End to end: the same clip from y4m
files, and from H.264 files that are decoded on the same cores; "decode" reads these without
scoring them. The first call compiles and is not counted; `startup.py` measures it. Clips are a
synthetic one and two of real pictures (`_clips.py`).

    python benchmarks/speed.py                      # 1920x1080, every feature and the main models
    python benchmarks/speed.py --size 1280x720 --only float_vif vmaf_float_v0.6.1 --devices 1
    python benchmarks/speed.py --clip reference.mkv distorted.mkv --only vmaf_v0.6.1
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from _clips import CLIPS, content, read_clip, write_h264_pair, write_y4m_pair
from _report import Column, Report, cores, devices, parser, positive, rates

from jaxvqa.features._registry import FEATURES

MODELS = ("vmaf_v0.6.1", "vmaf_float_v0.6.1", "vmaf_v1.0.16_3d0h")
NAMES = (*MODELS, *FEATURES)
# as VMAF v1 asks for it
V1_CAMBI = "cambi=cambi_high_res_speedup=1080"
COLUMNS = (
    Column("clip", "clip", "s", 10),
    Column("name", "", "s", 20),
    Column("compute", "compute, fps", width=26),
    Column("y4m", "y4m, fps", width=26),
    Column("h264", "H.264, fps", width=26),
    Column("decode", "decode, fps", width=26),
)


def request(name: str) -> dict:
    """Keywords of `jaxvqa.score` for one feature or model."""
    if name in FEATURES:
        return {"model": None, "features": [V1_CAMBI if name == "cambi" else name]}
    return {"model": name}


def seconds(fn: Callable[[], object]) -> float:
    """What one call takes."""
    started = time.perf_counter()
    fn()
    return time.perf_counter() - started


def read_all(files: Sequence[Path]) -> None:
    """Every pair of frames, as scoring reads it."""
    from jaxvqa.video import open_pair

    with open_pair(*files) as pair:
        for _ in pair.read(True):
            pass


def measure(name: str, sources: dict[str, Sequence], frames: int, passes: int) -> dict:
    """One row: rates of each source, in turn."""
    import jaxvqa

    runs = {
        kind: lambda pair=pair: jaxvqa.score(*pair, **request(name))
        for kind, pair in sources.items()
    }
    if "h264" in sources:
        runs["decode"] = lambda: read_all(sources["h264"])
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
    options.add_argument("--size", default="1920x1080", metavar="WxH", help="of made clips")
    options.add_argument("--frames", type=positive, default=24, metavar="N", help="of made clips")
    options.add_argument("--clips", nargs="+", choices=CLIPS, default=list(CLIPS))
    options.add_argument("--clip", nargs=2, metavar=("REF", "DIS"), help="two video files instead")
    options.add_argument("--devices", type=positive, default=cores(), help="host devices on CPU")
    options.add_argument("--only", nargs="+", default=NAMES, metavar="NAME", help="default: all")
    options.add_argument("--no-files", action="store_true", help="skip the end-to-end runs")
    arguments = options.parse_args()
    import jax

    jax.config.update("jax_num_cpu_devices", arguments.devices)
    size = tuple(map(int, arguments.size.split("x")))
    if arguments.clip:
        said = " and ".join(Path(path).name for path in arguments.clip)
        clips = [("own", [read_clip(path) for path in arguments.clip])]
    else:
        said = content(*size, arguments.frames, arguments.clips)
        clips = ((name, CLIPS[name][1](*size, arguments.frames)) for name in arguments.clips)
    report = Report("speed", said, COLUMNS, arguments, devices())
    for clip, pair in clips:
        with tempfile.TemporaryDirectory() as folder:
            sources: dict[str, Sequence] = {"compute": pair}
            if not arguments.no_files:
                sources["y4m"] = write_y4m_pair(Path(folder), pair)
                sources["h264"] = write_h264_pair(Path(folder), pair)
            for name in arguments.only:
                row = measure(name, sources, pair[0].frames, arguments.passes)
                report.add(clip=clip, **row)
    report.save()


if __name__ == "__main__":
    main()
