"""PSNR-HVS-M: golden values, oracle, float frames, gradient, bad input."""

import functools

import jax
import numpy as np
import pytest

from jaxvqa import Planes, losses
from jaxvqa.features import psnr_hvs
from jaxvqa.features._psnr_hvs import tables
from jaxvqa.features._psnr_hvs.psnr_hvs import PSNR_HVS
from tests import clips, laws, tolerances
from tests.oracles import psnr_hvs as oracle
from tests.programs import check_gradients, quick, scored

CSF = (tables.LUMA, tables.CB, tables.CR)
program = scored(lambda ref, dis: psnr_hvs(ref, dis), PSNR_HVS)


@functools.cache
def pair(bit_depth=8, chroma="420", height=31, width=46):
    """A textured frame and a noisy copy of less contrast; a flat block; a part that is equal."""
    rng = np.random.default_rng(bit_depth)
    scale = 1 << (bit_depth - 8)
    down, across = {"420": (2, 2), "422": (1, 2), "444": (1, 1)}[chroma]
    sizes = [(height, width), *[(-(-height // down), -(-width // across))] * 2]
    sides = [[], []]
    for size in sizes:
        ref = clips.textured(rng, (1, *size), bit_depth)
        ref[:, :9, :9] = 100 * scale
        dis = np.rint(0.8 * ref + rng.normal(0, 5 * scale, ref.shape))
        dis = np.clip(dis, 0, (1 << bit_depth) - 1).astype(ref.dtype)
        dis[:, -9:] = ref[:, -9:]
        for side, plane in zip(sides, (ref, dis), strict=True):
            side.append(plane)
    return tuple(Planes(*side, bit_depth=bit_depth) for side in sides)


def floats(planes, dtype=np.float32):
    return jax.tree.map(lambda p: np.asarray(p, dtype), planes)


def expected_errors(ref, dis, sizes):
    triples = zip((ref.y, ref.u, ref.v), (dis.y, dis.u, dis.v), CSF, sizes, strict=True)
    return [
        oracle.plane_error(r[0, :h, :w].astype(int), d[0, :h, :w].astype(int), c, ref.depth)
        for r, d, c, (h, w) in triples
    ]


def check_oracle(found, errors):
    total = 0.8 * errors[0] + 0.1 * (errors[1] + errors[2])
    np.testing.assert_allclose(found["visible_error"], total, rtol=tolerances.PSNR_HVS_FLOAT32)
    for name, error in zip(("_y", "_cb", "_cr", ""), (*errors, total), strict=True):
        np.testing.assert_allclose(
            found[f"psnr_hvs{name}"], -10 * np.log10(error), rtol=0,
            atol=10 * tolerances.PSNR_HVS_FLOAT32,
        )  # fmt: skip


@pytest.mark.parametrize("clip", clips.CLIPS)
def test_matches_libvmaf(clip):
    found = program(*clips.load(clip))
    for name, values in clips.golden(clip)["feature:psnr_hvs"].items():
        np.testing.assert_allclose(
            found[name], values, rtol=0, atol=tolerances.PSNR_HVS, err_msg=name
        )


@pytest.mark.parametrize("bit_depth, chroma", [(8, "420"), (10, "422"), (12, "444")])
def test_equals_the_oracle(bit_depth, chroma):
    ref, dis = pair(bit_depth, chroma)
    # libvmaf rounds the size of chroma down: the last row and column of 31x46 play no part
    small = {"420": (15, 23), "422": (31, 23), "444": (31, 46)}[chroma]
    errors = expected_errors(ref, dis, ((31, 46), small, small))
    assert min(errors) > 0
    check_oracle(quick(psnr_hvs)(ref, dis), errors)
    check_oracle(quick(psnr_hvs)(floats(ref), floats(dis)), errors)


def test_extreme_codes_do_not_overflow():
    rng = np.random.default_rng(0)
    ref, dis = (
        Planes(*(4095 * rng.integers(0, 2, (3, 1, 22, 22))).astype(np.uint16), bit_depth=12)
        for _ in range(2)
    )
    check_oracle(quick(psnr_hvs)(ref, dis), expected_errors(ref, dis, [(22, 22)] * 3))


def test_equal_frames_have_a_finite_score():
    ref, _ = pair()
    for video in (ref, floats(ref)):
        found = quick(psnr_hvs)(video, video)
        np.testing.assert_array_equal(found.pop("visible_error"), 0)
        for value in found.values():
            np.testing.assert_array_equal(value, 160)


def loss(ref, dis):
    return losses.psnr_hvs(laws.same_planes(ref), laws.same_planes(dis))


def test_gradient_between_codes():
    """Within half a code of whole ones the loss is smooth but for the threshold of masking."""
    with jax.enable_x64(True):
        ref, dis = pair(chroma="444", height=15, width=15)
        rest = np.random.default_rng(1).uniform(-0.3, 0.3, dis.y.shape)
        frames = [floats(ref, np.float64).y, floats(dis, np.float64).y + rest]

        check_gradients(loss, tuple(frames), rtol=tolerances.GRADIENT, atol=1e-7, eps=1e-4)


def test_descent():
    laws.check_descent_of(loss, floats(pair(chroma="444")[0]).y)


def test_bad_input():
    frame = np.zeros((16, 16), np.uint16)
    with pytest.raises(ValueError, match="psnr_hvs needs chroma, but the video is monochrome"):
        psnr_hvs(frame, frame, bit_depth=10)
    deep = Planes(frame, frame, frame, bit_depth=16)
    with pytest.raises(ValueError, match="psnr_hvs takes at most 12 bits per sample, got 16"):
        psnr_hvs(deep, deep)
    small = Planes(frame[:15], frame[:8, :8], frame[:8, :8], bit_depth=10)
    with pytest.raises(ValueError, match="psnr_hvs needs frames of at least 16x16"):
        psnr_hvs(small, small)
    video = Planes(frame, frame, frame, bit_depth=10)
    with pytest.raises(ValueError, match="psnr_hvs has no option 'size'"):
        psnr_hvs(video, video, size=3)
