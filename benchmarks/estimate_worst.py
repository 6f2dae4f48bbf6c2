"""Where is the estimate of VMAF worst? The model that ships on the test clips, clip by clip.

FOLDER is that of `estimate_data.py`. Prints the clips that `vmaf_estimate` errs most on. `--map`
draws the errors of all test clips by content and distortion; `--picture` makes the worst clip of
*Big Buck Bunny* again and draws a part of it beside its reference.

    python benchmarks/estimate_worst.py FOLDER
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from _estimate_sources import Source, fetch, sources
from _report import Column, Report, parser
from estimate_data import ENCODES, FILTERS, FRAMES, distorted, frames_of, to_planes, to_video
from estimate_fit import SETS, SHIPPED, TARGETS, dataset, load, predicted

import jaxvqa
from jaxvqa.fusion import Model
from jaxvqa.training import TrainingData

SHOWN = 10
FILM = "test_bunny"
LICENCE = "Big Buck Bunny, (c) Blender Foundation, CC BY 3.0"
PART = (400, 240)  # of the frame, width and height, where it changed most
COLUMNS = (
    Column("content", "content", "s", 28),
    Column("distortion", "distortion", "s", 20),
    Column("vmaf", TARGETS[0], ".2f", 12),
    Column("estimate", "estimate", ".2f", 10),
    Column("error", "error", "+.2f", 8),
)


def draw_map(test: TrainingData, miss: np.ndarray, file: Path) -> None:
    """Signed errors, one row a content and one column a distortion."""
    from matplotlib.figure import Figure

    names = [*ENCODES, *FILTERS]
    contents = sorted(set(test.contents))
    table = np.zeros((len(contents), len(names)))
    for clip, error in zip(test.names, miss, strict=True):
        content, distortion = clip.split("/")
        table[contents.index(content), names.index(distortion)] = error
    figure = Figure(figsize=(9.6, 4.6), dpi=100, layout="constrained")
    axes = figure.subplots()
    limit = np.abs(table).max()
    image = axes.imshow(table, cmap="RdBu", vmin=-limit, vmax=limit, aspect="auto")
    axes.set_xticks(range(len(names)), names, rotation=90, fontsize=8)
    axes.set_yticks(range(len(contents)), [c.removeprefix("test_") for c in contents], fontsize=8)
    figure.colorbar(image, label="estimate minus VMAF, points", pad=0.01)
    figure.savefig(file)


def draw_frame(clip: str, title: str, known: list[Source], file: Path) -> None:
    """The middle frame of a clip beside its reference, in the part that changed most."""
    from matplotlib.figure import Figure
    from scipy.ndimage import uniform_filter

    content, distortion = clip.split("/")
    (source,) = (s for s in known if s.name == content)
    video = to_video(frames_of(source))
    sides = [np.asarray(side.y[FRAMES // 2]) for side in
             (to_planes(video), distorted(video, content, distortion))]  # fmt: skip
    width, height = PART
    change = uniform_filter(np.abs(sides[0].astype(np.float64) - sides[1]), (height, width))
    whole = change[height // 2 : 1 - height // 2, width // 2 : 1 - width // 2]
    y, x = np.unravel_index(whole.argmax(), whole.shape)
    figure = Figure(figsize=(8.2, 3.0), dpi=100, layout="constrained")
    for axes, side, head in zip(figure.subplots(1, 2), sides, ("reference", title), strict=True):
        axes.imshow(side[y : y + height, x : x + width], cmap="gray", vmin=16, vmax=235)
        axes.set_title(head, fontsize=10)
        axes.set_axis_off()
    figure.text(0.005, 0.01, LICENCE, fontsize=7, color="0.4")
    figure.savefig(file)


def main() -> None:
    options = parser(__doc__ or "")
    options.add_argument("folder", type=Path, help="what estimate_data.py was given")
    options.add_argument("--videos", type=Path, help="folder of further clips, as for the data")
    options.add_argument("--map", type=Path, help="write a picture of all errors here")
    options.add_argument("--picture", type=Path, help="write a picture of the worst clip here")
    given = options.parse_args()
    rows = load(given.folder)
    test = dataset(rows, SETS[SHIPPED], TARGETS[0], rows.test)
    model = jaxvqa.load_model("vmaf_estimate")
    assert isinstance(model, Model)
    found = predicted(model, test.frames)
    miss = found - test.ratings
    order = np.argsort(-np.abs(miss))
    content = f"{test.size} clips of {len(set(test.contents))} contents at 1080 lines"
    report = Report("estimate_worst.py", content, COLUMNS, given, "none")
    for i in order[:SHOWN]:
        name, distortion = test.names[i].split("/")
        report.add(
            content=name, distortion=distortion, vmaf=float(test.ratings[i]),
            estimate=float(found[i]), error=float(miss[i]),
        )  # fmt: skip
    if given.map is not None:
        draw_map(test, miss, given.map)
    if given.picture is not None:
        worst = next(i for i in order if test.names[i].startswith(FILM))
        title = f"{test.names[worst].split('/')[1]}: VMAF {test.ratings[worst]:.1f}"
        title += f", estimate {found[worst]:.1f}"
        known = sources(fetch(given.folder), given.videos)
        draw_frame(test.names[worst], title, known, given.picture)
    report.save()


if __name__ == "__main__":
    main()
