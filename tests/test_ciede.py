"""CIEDE2000: golden values, published pairs, float64 oracle, gradient, bad input."""

import jax
import numpy as np
import pytest

from jaxvqa import Planes, losses
from jaxvqa.features import ciede
from jaxvqa.features._ciede import plain
from jaxvqa.features._ciede.ciede import CIEDE
from tests import clips, laws, tolerances
from tests.oracles import ciede as oracle
from tests.programs import check_gradients, quick, scored

# of Sharma, Wu and Dalal's table 1, with the difference for weights of 1: hues across 0 degrees,
# opposite hues, blues, greys, large differences
PUBLISHED = [
    ((50.0, 2.6772, -79.7751), (50.0, 0.0, -82.7485), 2.0425),
    ((50.0, -1.3802, -84.2814), (50.0, 0.0, -82.7485), 1.0),
    ((50.0, 0.0, 0.0), (50.0, -1.0, 2.0), 2.3669),
    ((50.0, 2.49, -0.001), (50.0, -2.49, 0.0009), 7.1792),
    ((50.0, 2.5, 0.0), (73.0, 25.0, -18.0), 27.1492),
    ((50.0, 2.5, 0.0), (58.0, 24.0, 15.0), 19.4535),
    ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
    ((90.8027, -2.0831, 1.441), (91.1528, -1.6435, 0.0447), 1.4441),
]
program = scored(lambda ref, dis: ciede(ref, dis), CIEDE)


def noise(seed, shape=(2, 3, 24, 40), bit_depth=8):
    dtype = np.uint8 if bit_depth == 8 else np.uint16
    return np.random.default_rng(seed).integers(0, 1 << bit_depth, shape).astype(dtype)


def planes(frames, bit_depth=8):
    return Planes(*np.moveaxis(frames, 1, 0), bit_depth=bit_depth)


def as_the_tool_reads(video):
    """4:2:2 as 4:4:4: libvmaf repeats rows instead of columns and reads on into the next row."""

    def misread(plane):
        frames, height, width = plane.shape
        flat = np.pad(plane.reshape(frames, -1), ((0, 0), (0, width)), "edge")
        index = np.arange(height)[:, None] // 2 * width + np.arange(2 * width)
        return flat[:, index]

    return Planes(video.y, misread(video.u), misread(video.v), bit_depth=video.depth)


@pytest.mark.parametrize("clip", clips.CLIPS)
def test_matches_libvmaf(clip):
    ref, dis = clips.load(clip)
    expected = clips.golden(clip)["feature:ciede"]
    if ref.chroma == "422":
        ref, dis = as_the_tool_reads(ref), as_the_tool_reads(dis)
    found = program(ref, dis)
    np.testing.assert_allclose(
        found["ciede2000"], expected["ciede2000"], rtol=0, atol=tolerances.CIEDE
    )


def test_the_oracle_has_the_published_differences():
    for one, other, expected in PUBLISHED:
        found = oracle.difference(np.array(one), np.array(other), (1.0, 1.0, 1.0))
        np.testing.assert_allclose(found, expected, rtol=0, atol=tolerances.CIEDE_PUBLISHED)


@pytest.mark.parametrize("bit_depth", [8, 10, 16])
def test_equals_the_oracle(bit_depth):
    ref, dis = noise(1, bit_depth=bit_depth), noise(2, bit_depth=bit_depth)
    # a grey column, and one with a grey reference
    ref[:, 1:, :, :2] = dis[:, 1:, :, 1] = 128 << (bit_depth - 8)
    expected = [oracle.mean_difference(*p, bit_depth) for p in zip(ref, dis, strict=True)]
    found = ciede(planes(ref, bit_depth), planes(dis, bit_depth))
    np.testing.assert_allclose(found["delta_e"], expected, rtol=tolerances.CIEDE_RELATIVE)
    np.testing.assert_allclose(
        found["ciede2000"], 45 - 20 * np.log10(expected), rtol=0, atol=tolerances.CIEDE
    )


def test_plain_form_is_the_fast_one():
    with jax.enable_x64(True):
        ref, dis = (noise(k).astype(np.float64) for k in (3, 4))
        expected = [oracle.mean_difference(*pair) for pair in zip(ref, dis, strict=True)]
        pages = quick(jax.vmap(plain.ciede))(ref, dis)
        np.testing.assert_allclose(pages, 45 - 20 * np.log10(expected), rtol=0, atol=1e-6)
        fast = quick(ciede)(planes(ref), planes(dis))["ciede2000"]
        np.testing.assert_allclose(fast, pages, rtol=0, atol=tolerances.CIEDE_SERIES)


@pytest.mark.parametrize("chroma", ["420", "422"])
def test_chroma_is_repeated(chroma):
    y, (u, v) = noise(5, (2, 9, 13)), noise(6, (2, 2, 5 if chroma == "420" else 9, 7))
    whole = [c.repeat(2, 2)[:, :, :13] for c in (u, v)]
    if chroma == "420":
        whole = [c.repeat(2, 1)[:, :9] for c in whole]
    found = ciede(Planes(y, u, v), Planes(y, v, u))
    expected = ciede(Planes(y, *whole), Planes(y, *whole[::-1]))
    np.testing.assert_array_equal(found["delta_e"], expected["delta_e"])


def test_equal_frames_have_a_finite_score():
    video = planes(noise(7))
    found = ciede(video, video)
    np.testing.assert_array_equal(found["delta_e"], 0)
    np.testing.assert_array_equal(found["ciede2000"], np.float32(285))


def loss(ref, dis):
    return losses.ciede(planes_of(ref), planes_of(dis))


def test_gradient():
    with jax.enable_x64(True):
        ref, dis = (np.random.default_rng(k).uniform(40, 200, (1, 3, 4, 5)) for k in (8, 9))

        check_gradients(loss, (ref, dis), rtol=tolerances.GRADIENT, atol=tolerances.GRADIENT)


def planes_of(frames):
    return Planes(frames[:, 0], frames[:, 1], frames[:, 2], bit_depth=8)


def test_descent():
    ref = np.stack([clips.textured(np.random.default_rng(k), (1, 24, 32)) for k in range(3)], 1)
    laws.check_descent_of(loss, ref.astype(np.float32))


def test_bad_input():
    frame = np.zeros((4, 4), np.uint8)
    with pytest.raises(ValueError, match="ciede needs chroma, but the video is monochrome"):
        ciede(frame, frame)
    video = Planes(frame, frame, frame)
    with pytest.raises(ValueError, match="ciede has no option 'size'"):
        ciede(video, video, size=3)
