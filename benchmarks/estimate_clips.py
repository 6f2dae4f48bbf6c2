"""Makes a small part of the estimate's data as files: 12 photographs at 480x270, distorted 10 ways.

FOLDER gets two packages of Debian that hold the photographs (27 MB; needs `apt-get` and
`dpkg-deb`), the clips as y4m (260 MB) and `clips.csv`: per clip its reference, its content and the
scores of VMAF v0.6.1 and v1.0.16, which `jaxvqa train` and `examples/train_fusion.ipynb` take for
ratings. Contents, cameras and distortions are those of `estimate_data.py`.

    python benchmarks/estimate_clips.py FOLDER
    jaxvqa train FOLDER/clips.csv --rating vmaf_v0.6.1 --features y_funque_plus --output mine.json
"""

from __future__ import annotations

import argparse
import csv
from fractions import Fraction
from pathlib import Path

from _estimate_sources import Source, fetch, photographs
from estimate_data import MODELS, distorted, frames_of, to_planes, to_video

import jaxvqa
from jaxvqa.video import VideoInfo, write_y4m

PACKAGES = ("lomiri-wallpapers-16.04", "lomiri-wallpapers-20.04")
NAMES = (
    "Bridge_by_Sander", "Dragonfly_by_Bolly", "Fossa_by_Jasper", "Kleiber_by_Lukas",
    "Wine_by_Jakkub", "aitzgorri_by", "free_by_Peter", "friends_by_Aitzol", "greentock_by",
    "life_by_Aitzol", "picosdeeuropa_by", "seeding_by",
)  # fmt: skip
DISTORTIONS = (
    "x264_28", "x264_38", "x264_43", "x264_third_24", "x265_32", "av1_58", "vp9_60", "blur_small",
    "sharpen", "contrast",
)  # fmt: skip
SIZE = (480, 270)


def write(path: Path, clip: jaxvqa.Planes) -> None:
    """Writes a clip as y4m."""
    info = VideoInfo(str(path), *SIZE, 8, "420", fps=Fraction(25), color_range="tv")
    write_y4m(path, zip(clip.y, clip.u, clip.v, strict=True), info)


def make(source: Source, folder: Path) -> list[dict[str, object]]:
    """Writes the clips of a content; returns their rows of the table."""
    content = source.name.removeprefix("photo_")
    video = frames_of(source)
    ref = to_planes(to_video(video))
    write(folder / f"{content}.y4m", ref)
    rows = []
    for name in DISTORTIONS:
        dis = distorted(to_video(video), source.name, name)
        result = jaxvqa.score(ref, dis, model=list(MODELS), cache=folder / "programs")
        file = f"{content}_{name}.y4m"
        write(folder / file, dis)
        scores = {
            model: round(float(result.frames[name].mean()), 4)
            for model, name in zip(MODELS, result.score_names, strict=True)
        }
        rows.append({"ref": f"{content}.y4m", "dis": file, "content": content} | scores)
    return rows


def main() -> None:
    """Writes the clips and the table."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("folder", type=Path, help="where packages, clips and table go")
    folder = options.parse_args().folder
    files = fetch(folder / "packages", PACKAGES, (), ())
    rows = []
    for source in photographs(files, NAMES, SIZE):
        rows += make(source, folder)
        print(f"{source.name}: {len(rows)} clips", flush=True)
    with (folder / "clips.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main()
