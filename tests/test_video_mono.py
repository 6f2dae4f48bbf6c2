"""Monochrome video and its range: luma is the same whatever else is read."""

import numpy as np
import pytest

from jaxvqa.video import InputOptions, open_pair
from tests.real_files import RGB_OF_LIMITED, Studio

FILES = ("ref.mp4", "full.mp4", "gray.mkv", "gray_full.mkv", "gray_plain.mkv", "ten.mkv")
PAIRS = [(a, b) for a in FILES for b in FILES if a != b and (a + b).count("gray")]


@pytest.fixture(scope="module")
def studio(tmp_path_factory):
    studio = Studio(tmp_path_factory.mktemp("mono"))
    studio.recipes |= {
        "gray_plain.mkv": "-i @src.y4m -vf extractplanes=y -c:v ffv1",
        "one.png": "-i @full.mp4 -frames:v 1 -vf extractplanes=y -update 1",
        "one.pgm": "-i @full.mp4 -frames:v 1 -vf extractplanes=y -update 1",
        "bars.mkv": f"-i @src.y4m -vf crop=192:96,pad=192:128:0:16,{RGB_OF_LIMITED},format=gbrp "
        "-c:v ffv1",
    }
    return studio


def luma(studio, ref, dis, chroma):
    with open_pair(studio.file(ref), studio.file(dis), InputOptions(frame_count=2)) as pair:
        return [(a[0].astype(int), b[0].astype(int)) for _, a, b in pair.read(chroma=chroma)]


@pytest.mark.parametrize("ref, dis", PAIRS)
def test_luma_does_not_depend_on_the_reading_of_chroma(studio, ref, dis):
    alone, beside = (luma(studio, ref, dis, chroma) for chroma in (False, True))
    np.testing.assert_array_equal(alone, beside)


@pytest.mark.parametrize("ref", ["ref.mp4", "gray.mkv"])
def test_full_range_becomes_limited(studio, ref):
    ((_, stored),) = luma(studio, "gray_full.mkv", "gray_full.mkv", False)[:1]
    ((_, shown),) = luma(studio, ref, "gray_full.mkv", False)[:1]
    np.testing.assert_allclose(shown, 16 + stored * 219 / 255, rtol=0, atol=0.75)


@pytest.mark.parametrize("name", ["one.png", "one.pgm"])
def test_grey_pictures_are_of_full_range(studio, name):
    """Also where their format has no tag for it."""
    with open_pair(studio.file(name), studio.file("full.mp4"), InputOptions(frame_count=1)) as pair:
        assert pair.ref.info.color_range == "pc"
        assert not pair.notices
        ((_, ref, dis),) = pair.read(chroma=False)
    np.testing.assert_array_equal(ref[0], dis[0])


def test_black_bars_of_rgb_are_found(studio):
    with open_pair(
        studio.file("bars.mkv"), studio.file("bars.mkv"), InputOptions(crop="auto")
    ) as pair:
        assert (pair.alike.width, pair.alike.height) == (192, 96)
