"""Which numbers ship? Writes models/ from model files as libvmaf and FUNQUE publish them.

    python benchmarks/import_models.py FOLDER models

FOLDER holds the JSON files of libvmaf's `model/` (subfolders flattened) and FUNQUE's
`funque_release.json`. Every file is read back and compared with its origin before this ends.
"""

from __future__ import annotations

import argparse
import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

import jax
import numpy as np

from jaxvqa.fusion import _libvmaf_json as libvmaf_json
from jaxvqa.fusion import _own_json as own_json
from jaxvqa.fusion._model import AnyModel, Collection, describe

LIBVMAF = ("Netflix/vmaf", "f85a853")
FUNQUE = ("abhinaukumar/funque", "74c0ea76")
LICENSE = "BSD-2-Clause-Patent"

TV, TV_4K, PHONE = "1080p TV", "2160p TV", "phone"
LIVING_ROOM, NEAR, ANY = "3 picture heights", "1.5 picture heights", "as the viewer likes"
V0_DEPTH = "8 or 10 bits"
V1_DEPTH = "10 bits best, 8-bit video converted to 10: banding is judged better"


@dataclass(frozen=True)
class Entry:
    """One shipped model: its file at the origin and what a person should know about it."""

    file: str
    summary: str
    display: str = TV
    distance: str = LIVING_ROOM
    bit_depth: str = V0_DEPTH
    direction: str = "higher"
    origin: tuple[str, str] = LIBVMAF
    folder: str = "model"
    svr_from: str | None = None
    members_from: str | None = None
    transform: bool = False


NEG = "without credit for sharpening or contrast (NEG), for comparing codecs"
V1 = "vmaf_v1.0.16_3d0h"

ENTRIES = {
    "vmaf_v0.6.1": Entry("vmaf_v0.6.1", "general video quality; VMAF's long-standing default"),
    "vmaf_v0.6.1_phone": Entry(
        "vmaf_v0.6.1", "vmaf_v0.6.1 with its score transform on: the same video on a phone",
        PHONE, ANY, svr_from="vmaf_v0.6.1", transform=True,
    ),
    "vmaf_v0.6.1neg": Entry("vmaf_v0.6.1neg", f"vmaf_v0.6.1 {NEG}", svr_from="vmaf_v0.6.1"),
    "vmaf_v0.6.1mfz": Entry(
        "vmaf_v0.6.1mfz", "vmaf_v0.6.1 with motion held at 0", folder="model/other_models",
        svr_from="vmaf_v0.6.1",
    ),
    # libvmaf's revision has no file of this name; the one in circulation equals the mfz model
    "vmaf_v0.6.1still": Entry(
        "vmaf_v0.6.1mfz", "vmaf_v0.6.1 with motion held at 0, for still pictures",
        folder="model/other_models", svr_from="vmaf_v0.6.1",
    ),
    "vmaf_v0.6.0": Entry(
        "vmaf_v0.6.0", "the model before vmaf_v0.6.1, for old results",
        folder="model/other_models",
    ),
    "vmaf_float_v0.6.1": Entry(
        "vmaf_float_v0.6.1", "vmaf_v0.6.1 on float features", svr_from="vmaf_v0.6.1"
    ),
    "vmaf_float_v0.6.1neg": Entry(
        "vmaf_float_v0.6.1neg", f"vmaf_float_v0.6.1 {NEG}", svr_from="vmaf_v0.6.1"
    ),
    "vmaf_4k_v0.6.1": Entry("vmaf_4k_v0.6.1", "quality on a 4K TV seen from near", TV_4K, NEAR),
    "vmaf_4k_v0.6.1neg": Entry(
        "vmaf_4k_v0.6.1neg", f"vmaf_4k_v0.6.1 {NEG}", TV_4K, NEAR, svr_from="vmaf_4k_v0.6.1"
    ),
    "vmaf_float_4k_v0.6.1": Entry(
        "vmaf_float_4k_v0.6.1", "vmaf_4k_v0.6.1 on float features", TV_4K, NEAR,
        svr_from="vmaf_4k_v0.6.1",
    ),
    "vmaf_b_v0.6.3": Entry(
        "vmaf_b_v0.6.3", "score with a 95 % confidence interval from 20 bootstrap models"
    ),
    "vmaf_float_b_v0.6.3": Entry(
        "vmaf_float_b_v0.6.3", "vmaf_b_v0.6.3 on float features",
        svr_from="vmaf_b_v0.6.3", members_from="vmaf_b_v0.6.3",
    ),
    "vmaf_rb_v0.6.3": Entry(
        "vmaf_rb_v0.6.3", "score with a 95 % interval from 20 residue bootstrap models, float",
        folder="model/vmaf_rb_v0.6.3", svr_from="vmaf_b_v0.6.3",
    ),
    "vmaf_4k_rb_v0.6.2": Entry(
        "vmaf_4k_rb_v0.6.2", "4K score with a 95 % interval from 19 residue bootstrap models",
        TV_4K, NEAR, folder="model/vmaf_4k_rb_v0.6.2", svr_from="vmaf_4k_v0.6.1",
    ),
    "funque_2022": Entry(
        "funque_release", "FUNQUE of 2022: predicted DMOS, lower is better; cheap to compute",
        direction="lower", origin=FUNQUE,
    ),
}  # fmt: skip

_V1_VARIANTS = {
    "3d0h": ("VMAF v1 for 1080p TV", TV, LIVING_ROOM),
    "5d0h": ("VMAF v1 for phones", PHONE, "5 picture heights"),
    "1d5h_2160": ("VMAF v1 for 4K TV seen from near; the usual choice for 4K", TV_4K, NEAR),
    "3d0h_2160": (
        "VMAF v1 for 4K TV at home; up to 110, so that 4K's gain over 1080p shows", TV_4K,
        LIVING_ROOM,
    ),
}  # fmt: skip

for _variant, (_summary, _display, _distance) in _V1_VARIANTS.items():
    for _hfr, _more in (("", ""), ("_hfr", "; for high frame rates (50 or 60)")):
        _name = f"vmaf_v1.0.16{_hfr}_{_variant}"
        ENTRIES[_name] = Entry(
            _name,
            _summary + _more,
            _display,
            _distance,
            V1_DEPTH,
            folder=f"model/vmaf_v1.0.16{_hfr}",
            svr_from=None if _name == V1 else V1,
        )


def build(name: str, entry: Entry, content: bytes) -> AnyModel:
    """The model of `entry` with its description."""
    model = libvmaf_json.read(content, f"{entry.file}.json")
    if entry.transform:
        assert not isinstance(model, Collection)
        assert model.score_transform is not None
        on = replace(model.score_transform, enabled=True)
        model = replace(model, score_transform=on)
    return describe(
        model,
        name=name,
        summary=entry.summary,
        display=entry.display,
        viewing_distance=entry.distance,
        bit_depth=entry.bit_depth,
        direction=entry.direction,
        source=f"{entry.origin[0]}, {entry.folder}/{entry.file}.json",
        revision=entry.origin[1],
        license=LICENSE,
    )


def same(one: AnyModel, other: AnyModel) -> bool:
    """Whether two models agree in every number and every word."""
    if jax.tree.structure(one) != jax.tree.structure(other):
        return False
    pairs = zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True)
    return all(np.array_equal(a, b) for a, b in pairs)


def sources(rows: list[tuple[str, Entry, str]]) -> str:
    """Text of SOURCES.md."""
    lines = [
        "# Where the numbers come from",
        "",
        "The files here hold model parameters: support vectors, coefficients, normalisation. They",
        "were written by `benchmarks/import_models.py` from the files named below, no number",
        "changed. The layout and the descriptions are ours, and so are two names:",
        "`vmaf_v0.6.1_phone` is its origin with `enabled` set in the score transform, and",
        "`vmaf_v0.6.1still` is the mfz model again. A `same_as` in a file stands for the same",
        "numbers in another one.",
        "",
        f"- libvmaf's models: github.com/{LIBVMAF[0]}, revision {LIBVMAF[1]}, SPDX `{LICENSE}`,",
        "  Copyright (c) 2020 Netflix, Inc.",
        f"- FUNQUE 2022: github.com/{FUNQUE[0]}, revision {FUNQUE[1]}, SPDX `{LICENSE}`;",
        "  its licence file names Copyright (c) 2020 Netflix, Inc. for the parts built on VMAF and",
        "  gives no warranty on the part of the University of Texas.",
        "",
        f"The licence text is in `LICENSE.{LICENSE}.txt`. The rest of jaxvqa has its own licence.",
        "",
        "| model | origin | SHA-256 of the origin file |",
        "|---|---|---|",
    ]
    lines += [
        f"| `{name}` | `{entry.folder}/{entry.file}.json` of {entry.origin[0]} | `{digest}` |"
        for name, entry, digest in rows
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description="Writes models/ from published model files.")
    parser.add_argument("folder", type=Path, help="the published model files")
    parser.add_argument("models", type=Path, help="where to write ours")
    arguments = parser.parse_args()
    rows = []
    built: dict[str, AnyModel] = {}
    for name, entry in ENTRIES.items():
        content = (arguments.folder / f"{entry.file}.json").read_bytes()
        built[name] = build(name, entry, content)
        text = own_json.write(built[name], svr_from=entry.svr_from, members_from=entry.members_from)
        if not same(own_json.read(text, name, shared=built.__getitem__), built[name]):
            raise SystemExit(f"{name}: what was written differs from its origin")
        (arguments.models / f"{name}.json").write_text(text, encoding="utf-8")
        rows.append((name, entry, hashlib.sha256(content).hexdigest()))
    (arguments.models / "SOURCES.md").write_text(sources(rows), encoding="utf-8")
    print(f"{len(rows)} models written to {arguments.models}")


if __name__ == "__main__":
    main()
