"""How far are the FUNQUE features from the official Python programs?

Scores every clip of a folder of golden clips (`CLIP/ref.mkv`, `CLIP/dis.mkv`, and
`CLIP/golden.json` with values of funque_plus and of FUNQUE 2022) and prints, for each output, the
largest difference over frames, absolute and relative.

    python benchmarks/parity_funque.py                 # the clip that ships with the project
    python benchmarks/parity_funque.py --golden DIR    # another folder
    python benchmarks/parity_funque.py --float64       # the same programs in double precision
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import jax
import numpy as np
from _report import Column, Report, devices, parser

from jaxvqa._planes import Planes
from jaxvqa.features._funque import sets
from jaxvqa.features._run import with_history
from jaxvqa.video import open_video

SHIPPED = Path(__file__).parent.parent / "tests" / "data"
COLUMNS = (
    Column("clip", "clip", "s", 28),
    Column("feature", "feature", "s", 18),
    Column("key", "output", "s", 38),
    Column("absolute", "largest", ".1e", 9),
    Column("relative", "relative", ".1e", 9),
)
EXTRACTORS = {
    "funque": ("FUNQUE_fex", sets._FUNQUE),
    "y_funque_plus": ("Y_FUNQUE_Plus_fex", sets._Y_PLUS),
    "3c_funque_plus": ("3C_FUNQUE_Plus_fex", sets._3C_PLUS),
    "fs_y_funque_plus": ("FS_Y_FUNQUE_Plus_fex", sets._FS_Y_PLUS),
    "fs_3c_funque_plus": ("FS_3C_FUNQUE_Plus_fex", sets._FS_3C_PLUS),
    "funque_2022": ("", sets._2022),
}


def _expected(golden: dict, name: str) -> dict[str, np.ndarray]:
    official, extractor = EXTRACTORS[name]
    if not official:
        frames = golden["funque_2022"]["frames"]
        return {o: np.array([f[o] for f in frames]) for o, _ in extractor.outputs}
    found = golden["funque_plus"]["extractors"][official]
    return dict(zip(found["feat_names"], np.array(found["frames"]).T, strict=True))


def _read(path: Path) -> Planes:
    with open_video(path) as video:
        stacks = [np.stack(planes) for planes in zip(*video, strict=True)]
        return Planes(*stacks, bit_depth=video.info.bit_depth)


def _measured(pair: tuple[Planes, Planes], name: str, float64: bool) -> dict[str, np.ndarray]:
    """The series of one extractor; float64 samples hold the same whole codes."""
    extractor = EXTRACTORS[name][1]
    if extractor.transform.channels == ("y",):
        pair = (pair[0].luma_only(), pair[1].luma_only())
    dtype = np.float64 if float64 else pair[0].y.dtype

    def series(ref: Planes, dis: Planes) -> dict:
        history = (with_history(ref, 1), with_history(dis, 1))
        return dict(sets._extract(extractor, *history, rounded=True))

    with jax.enable_x64(True) if float64 else nullcontext():
        found = jax.jit(series)(*jax.tree.map(lambda p: p.astype(dtype), pair))
        found = sets.zero_first_frame(found, extractor.zero_first)
    return {name: np.asarray(values, float) for name, values in found.items()}


def compare(folder: Path, only: list[str], float64: bool) -> Iterator[dict]:
    """One row per feature and output of one clip."""
    golden = json.loads((folder / "golden.json").read_text())
    if "funque_plus" not in golden:  # values of another reference program
        return
    pair = (_read(folder / "ref.mkv"), _read(folder / "dis.mkv"))
    for name in only:
        expected, found = _expected(golden, name), _measured(pair, name, float64)
        for output, values in expected.items():
            gap = np.abs(found[output] - values)
            relative = gap / np.maximum(np.abs(values), 1e-12)
            yield {
                "clip": folder.name,
                "feature": name,
                "key": output,
                "absolute": float(gap.max()),
                "relative": float(relative.max()),
            }


def main() -> None:
    """Prints a line per clip and output."""
    options = parser(__doc__)
    options.add_argument("--golden", type=Path, default=SHIPPED, help="folder of golden clips")
    options.add_argument("--only", nargs="*", choices=EXTRACTORS, default=list(EXTRACTORS))
    options.add_argument("--float64", action="store_true", help="compute in double precision")
    arguments = options.parse_args()
    folders = sorted(p.parent for p in arguments.golden.glob("*/golden.json"))
    precision = "float64" if arguments.float64 else "float32"
    content = f"golden clips, {precision}; largest over all frames"
    peer = "funque_plus 65d0b88b, funque 74c0ea76"
    report = Report("parity_funque", content, COLUMNS, arguments, devices(), peer)
    for folder in folders:
        for row in compare(folder, arguments.only, arguments.float64):
            report.add(**row)
    report.save()


if __name__ == "__main__":
    main()
