"""Results, tables and videos that pages are made of in tests."""

import numpy as np

from jaxvqa._notice import Notice
from jaxvqa._scoring.result import ClipInfo, Result, Timing
from jaxvqa.video import VideoInfo, write_y4m

HOSTILE = '</script><img src=x onerror="window.hacked=1">&amp;'


def result_of(name, *, frames, seed=0, size=(1920, 1080), videos=(None, None), fps=25.0):
    """A result with a score and three features, from a formula."""
    rng = np.random.default_rng(seed)
    vmaf = 80 + 4 * seed + 5 * np.sin(np.arange(frames) / 40) + rng.normal(0, 1, frames)
    motion = rng.uniform(1, 3, frames)
    motion[frames // 2] = 40.0
    series = {
        "integer_adm2": vmaf / 100, "integer_vif_scale0": vmaf / 120,
        "integer_motion": motion, "vmaf": vmaf,
    }  # fmt: skip
    info = ClipInfo(*size, 8, "420", fps=fps, ref_path=videos[0], dis_path=videos[1])
    return Result(
        series, np.arange(frames), ("vmaf",), ("vmaf_v0.6.1",), info,
        (Notice("dropped-frames", f"{HOSTILE}: the last frame had no partner."),),
        Timing(2.0, 0.1, frames / 2.0),
    )  # fmt: skip


def rows_of():
    """A batch's table: two titles, two encoders, three sizes, and a row that failed."""
    rows = []
    for title, demand in (("calm", 1.0), (HOSTILE, 1.8)):
        for codec, saved in (("x264", 1.0), ("x265", 0.65)):
            for height, top in ((360, 72.0), (720, 91.0), (1080, 98.0)):
                for rate in (500, 1500, 4500):
                    spent = rate / (demand * saved * (height / 360) ** 1.1)
                    vmaf = top * (1 - np.exp(-((spent / 350) ** 0.7)))
                    rows.append({
                        "id": f"{codec}_{height}_{rate}", "ref": "/r.mkv", "dis": "/d.mkv",
                        "title": title, "codec": codec, "status": "done", "error": None,
                        "models": "vmaf_v0.6.1", "frames": "240", "vmaf_min": f"{vmaf - 9:.4f}",
                        "vmaf_mean": f"{vmaf:.4f}", "vmaf_p5": f"{vmaf - 5:.4f}",
                        "bitrate_kbps": str(rate), "dis_width": str(height * 16 // 9),
                        "dis_height": str(height), "notices": "",
                    })  # fmt: skip
    failed = dict.fromkeys(rows[0]) | {
        "id": "007", "ref": "/r.mkv", "dis": "/gone.mkv", "title": "calm", "codec": "x264",
        "status": "failed", "error": "/gone.mkv: cannot be read: No such file or directory.",
    }  # fmt: skip
    return [*rows, failed]


def video_pair(folder, *, frames, width=96, height=64):
    """Two y4m files, grey and a little darker; frame i of the distorted one is i + 1 codes lower.

    Returns:
        Their paths as text.
    """
    paths = []
    for name, drop in (("ref", 0), ("dis", 1)):
        path = folder / f"{name}.y4m"
        luma = [np.full((height, width), 160 - drop * (i + 1) * 4, np.uint8) for i in range(frames)]
        chroma = np.full((height // 2, width // 2), 128, np.uint8)
        info = VideoInfo(str(path), width, height, 8, "420")
        write_y4m(path, ((y, chroma, chroma) for y in luma), info)
        paths.append(str(path))
    return tuple(paths)
