"""Black bars: found where they are, and nowhere else."""

import numpy as np
import pytest

from jaxvqa.video import open_video
from jaxvqa.video._pair.bars import Bars, Rectangle
from tests import clips


@pytest.fixture(scope="module")
def film():
    with open_video(clips.path("bunny_640x360", "ref")) as video:
        return np.stack([planes[0] for planes in video])


def framed(film, top=0, bottom=0, left=0, right=0, black=16):
    sides = ((0, 0), (top, bottom), (left, right))
    return np.pad(film, sides, constant_values=black)


def found(frames, bit_depth=8, full_range=False):
    bars = Bars(bit_depth, full_range)
    for frame in frames:
        bars.add(frame)
    return bars.rectangle()


@pytest.mark.parametrize("bit_depth", [8, 10])
@pytest.mark.parametrize("full_range", [False, True])
@pytest.mark.parametrize(
    "sides",
    [
        (40, 40, 0, 0),
        (0, 0, 80, 80),
        (40, 40, 80, 80),
        (12, 60, 0, 4),
        (0, 20, 0, 0),
    ],
)
def test_bars_with_noise(film, sides, bit_depth, full_range):
    top, _, left, _ = sides
    frames = framed(film, *sides, black=0 if full_range else 16).astype(np.int64)
    noise = np.random.default_rng(4).integers(0 if full_range else -4, 7, frames.shape)
    frames = (frames + noise).clip(0, 255) << (bit_depth - 8)
    frames = frames.astype(np.uint8 if bit_depth == 8 else np.uint16)
    assert found(frames, bit_depth, full_range) == Rectangle(640, 360, left, top)


def test_no_bars(film):
    assert found(film) is None
    assert found(film.astype(np.uint16) << 2, 10) is None


@pytest.mark.parametrize("thin", [1, 2])
def test_thin_bars_stay(film, thin):
    assert found(framed(film, thin, thin, thin, thin)) is None
    assert found(framed(film, thin, 40)) == Rectangle(640, 360 + thin + thin % 2, 0, 0)


def test_odd_bars_leave_a_black_row(film):
    assert found(framed(film, 41, 39, 5, 3)) == Rectangle(642, 362, 4, 40)
    # the last column of an odd width stays
    assert found(framed(film[:, :, :639], 40, 40)) == Rectangle(639, 360, 0, 40)


def test_dark_frames_are_not_bars(film):
    bars = framed(film, 40, 40)
    black = np.full_like(bars, 16)
    assert found(black) is None
    assert found([*black, *bars, *black]) == Rectangle(640, 360, 0, 40)
    assert found([*black, *framed(film, 20, 60), *bars]) == Rectangle(640, 380, 0, 20)
    assert found([]) is None


def test_dark_scenes_are_not_cropped():
    rows, columns = np.mgrid[:360, :640]
    lamp = 16 + 200 * np.exp(-((rows - 150) ** 2 + (columns - 300) ** 2) / 40**2)
    assert found([lamp.astype(np.uint8)]) is None
    title = np.full((360, 640), 16, np.uint8)
    title[170:190, 200:440:6] = 235
    assert found([title]) is None
    skyline = np.where(rows > 100 + 60 * np.sin(columns / 30), 80, 16).astype(np.uint8)
    assert found([skyline]) is None


def test_a_subtitle_keeps_its_bar(film):
    frames = framed(film, 40, 40)
    frames[3:, 410:425, 250:390:5] = 235
    assert found(frames) == Rectangle(640, 400, 0, 40)


def test_a_lit_picture_after_a_dark_start(film):
    frames = framed(film, 40, 40)
    dark = np.where(np.arange(640) < 320, frames, 16).astype(np.uint8)
    assert found([*dark[:4], *frames[4:]]) == Rectangle(640, 360, 0, 40)


def test_sizes_must_not_change(film):
    bars = Bars(8)
    bars.add(film[0])
    with pytest.raises(ValueError, match="640x360 and 640x358"):
        bars.add(film[0, :358])
