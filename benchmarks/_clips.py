"""The clips that benchmarks measure, made from what ships: one synthetic, two of real pictures.

What a metric costs depends on the pictures: CAMBI's time on how much is flat, decoding on how much
is noise. So a number that depends on them names its clip.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

FILM = Path(__file__).parent.parent / "examples" / "clips" / "bunny_640x360" / "ref.mkv"
_MAKER = Callable[[int, int, int], tuple[Any, Any]]
# samples that the view moves on per frame, to the right and down; even, for the sake of chroma
_PAN = 4, 2


def make_clip(width: int, height: int, frames: int):
    """A textured, moving 4:2:0 clip and its noisy, blurred version, as uint8 `Planes`.

    The upper third is a smooth sky, without noise, whose steps CAMBI finds in the second version.
    """
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


def make_mosaic(width: int, height: int, frames: int):
    """The film side by side with itself, in its own resolution; and as x264 leaves it (CRF 28)."""
    film = _film(lambda frame: frame)
    height_of, width_of = film[0][0].shape
    end = [side + (frames - 1) * pan for side, pan in zip((width, height), _PAN, strict=True)]
    across, down = -(-end[0] // width_of), -(-end[1] // height_of)

    def picture(i: int) -> list[np.ndarray]:
        def tile(plane: int, row: int, column: int) -> np.ndarray:
            shown = film[_swing(i + 3 * (row * across + column), len(film))][plane]
            return shown[:, ::-1] if (row + column) % 2 else shown

        return [
            np.block([[tile(plane, r, c) for c in range(across)] for r in range(down)])
            for plane in range(3)
        ]

    return _with_encode([_view(picture(i), width, height, i) for i in range(frames)], crf=28)


def make_dusk(width: int, height: int, frames: int):
    """The film enlarged and darkened to the right, so much of it is flat; x264 at CRF 30."""
    end = [side + (frames - 1) * pan for side, pan in zip((width, height), _PAN, strict=True)]
    size = [-(-side // 2) * 2 for side in end]
    film = _film(lambda frame: frame.reformat(*size, interpolation="LANCZOS"))
    light = np.linspace(1.0, 0.05, width)

    def darker(plane: np.ndarray, black: int) -> np.ndarray:
        columns = np.linspace(0, width - 1, plane.shape[1])
        there = np.interp(columns, np.arange(width), light)
        return np.rint(black + (plane.astype(np.float32) - black) * there).astype(np.uint8)

    def picture(i: int) -> list[np.ndarray]:
        planes = _view(film[_swing(i, len(film))], width, height, i)
        return [darker(p, black) for p, black in zip(planes, (16, 128, 128), strict=True)]

    return _with_encode([picture(i) for i in range(frames)], crf=30)


# name, what it is in words, and how it is made
CLIPS: dict[str, tuple[str, _MAKER]] = {
    "synthetic": (
        "synthetic clip (moving texture under a smooth sky; blurred, with noise)",
        make_clip,
    ),
    "mosaic": (
        "mosaic clip (a film side by side with itself, slow pan; x264, CRF 28)",
        make_mosaic,
    ),
    "dusk": ("dusk clip (a film enlarged and darkened, slow pan; x264, CRF 30)", make_dusk),
}
CONTENT = CLIPS["synthetic"][0]


def content(width: int, height: int, frames: int, names: Sequence[str] = ("synthetic",)) -> str:
    """Clips in words."""
    clips = "; ".join(CLIPS[name][0] for name in names)
    return f"{clips}; {width}x{height}, {frames} frames, 8 bits, 4:2:0"


def _film(change: Callable[[Any], Any]) -> list[list[np.ndarray]]:
    """Planes of the frames of the clip that ships."""
    import av

    with av.open(str(FILM)) as container:
        return [planes_of(change(frame)) for frame in container.decode(video=0)]


def stacked(pictures: Sequence[Sequence[np.ndarray]], bit_depth: int = 8):
    """Frames of three planes each as `Planes`."""
    from jaxvqa import Planes

    return Planes(*(np.stack(p) for p in zip(*pictures, strict=True)), bit_depth=bit_depth)


def planes_of(frame: Any) -> list[np.ndarray]:
    """Planes of a PyAV frame in yuv420p."""
    packed = frame.to_ndarray(format="yuv420p").reshape(-1)
    height, width = frame.height, frame.width
    chroma = (height // 2) * (width // 2)
    parts = np.split(packed, [height * width, height * width + chroma])
    return [
        part.reshape(shape)
        for part, shape in zip(
            parts, [(height, width), *[(height // 2, width // 2)] * 2], strict=True
        )
    ]


def _swing(i: int, count: int) -> int:
    """Number of the film's frame: it runs forth and back."""
    return abs((i + count - 1) % (2 * (count - 1)) - (count - 1))


def _view(planes: Sequence[np.ndarray], width: int, height: int, i: int) -> list[np.ndarray]:
    """What frame i shows of a larger picture."""
    x, y = _PAN[0] * i, _PAN[1] * i
    return [
        plane[y // step :, x // step :][: height // step, : width // step]
        for plane, step in zip(planes, (1, 2, 2), strict=True)
    ]


def _with_encode(pictures: Sequence[Sequence[np.ndarray]], crf: int):
    """The pictures as `Planes`, and those that an encoder leaves of them."""
    import av

    ref = stacked(pictures)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "dis.mkv"
        encode(file, ref, {"preset": "medium", "crf": str(crf)})
        with av.open(str(file)) as container:
            return ref, stacked([planes_of(frame) for frame in container.decode(video=0)])


def encode(file: Path, video: Any, options: dict[str, str]) -> None:
    """Writes `Planes` as H.264."""
    import av

    height, width = video.y.shape[1:]
    with av.open(str(file), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(25))
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.options = options
        for planes in zip(video.y, video.u, video.v, strict=True):
            packed = np.concatenate([plane.reshape(-1) for plane in planes])
            frame = av.VideoFrame.from_ndarray(packed.reshape(-1, width), format="yuv420p")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def write_y4m_pair(folder: Path, pair: Sequence) -> list[Path]:
    """A pair of `Planes` as y4m files."""
    from jaxvqa.video import VideoInfo, write_y4m

    files = []
    for side, video in zip(("ref", "dis"), pair, strict=True):
        file = folder / f"{side}.y4m"
        info = VideoInfo(str(file), video.width, video.height, video.depth, video.chroma)
        write_y4m(file, zip(video.y, video.u, video.v, strict=True), info)
        files.append(file)
    return files


def write_h264_pair(folder: Path, pair: Sequence) -> list[Path]:
    """A pair of `Planes` as H.264 files; noise makes them large, and so much to decode."""
    files = [folder / f"{side}.mkv" for side in ("ref", "dis")]
    for file, video in zip(files, pair, strict=True):
        encode(file, video, {"preset": "veryfast", "crf": "23"})
    return files


def read_clip(path: str):
    """All frames of a video file as `Planes`; it must have chroma."""
    from jaxvqa.video import open_video

    with open_video(path) as video:
        frames = list(video)
        if len(frames[0]) != 3:
            raise ValueError(f"{path} has no chroma: give a colour clip.")
        return stacked(frames, video.info.bit_depth)
