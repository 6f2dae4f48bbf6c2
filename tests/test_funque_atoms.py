import functools

import jax
import numpy as np
import pytest

from jaxvqa.features._funque import atoms
from jaxvqa.features._funque.box import mirror, window_variance
from jaxvqa.features._funque.csf import SPATIAL_CSF, WAVELET_CSF, spatial_csf, wavelet_weights
from jaxvqa.features._funque.dlm import dlm
from jaxvqa.features._funque.haar import haar, pyramid, repeated_pyramid
from jaxvqa.features._funque.information import st_rred, vif_approximation
from jaxvqa.features._funque.sast import half_size
from tests import clips, tolerances
from tests.oracles import funque as oracle
from tests.programs import check_gradients, quick


def samples(seed, height=40, width=52):
    return clips.textured(np.random.default_rng(seed), (height, width)) / 255.0


def both(seed=0, levels=2):
    """The same four pyramids for us (float64) and for the oracle."""
    pictures = [samples(seed + i) for i in range(4)]
    pictures[1] = 0.5 * pictures[0] + 0.5 * pictures[1]
    weights = wavelet_weights("nadenau_weight", levels)
    ours = [pyramid(jax.numpy.asarray(x), levels, weights) for x in pictures]
    return ours, [oracle.pyramid(x, levels, weights) for x in pictures]


def test_haar_has_the_bits_of_pywt():
    """Sums of rounded products, which fused multiply-adds would not give."""
    x = samples(1) * 255 / 255
    with jax.enable_x64(True):
        found = jax.tree.leaves(jax.jit(lambda x: haar(haar(x)[0]))(x))
    expected = jax.tree.leaves(oracle.haar(oracle.haar(x)[0]))
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_repetition_leaves_nothing_for_the_first_level():
    x = np.asarray(samples(2), np.float32)
    direct = pyramid(jax.numpy.asarray(x.repeat(2, 0).repeat(2, 1)), 3)
    short = repeated_pyramid(jax.numpy.asarray(x)[:40, :52], 3)
    assert short.details[0] is None
    for level in (1, 2, 3):
        for a, b in zip(direct.bands(level), short.bands(level), strict=True):
            np.testing.assert_allclose(a, b, atol=tolerances.ROUND_OFF)
        np.testing.assert_allclose(
            direct.approximations[level - 1],
            short.approximations[level - 1],
            rtol=tolerances.ROUND_OFF,
        )


@pytest.mark.parametrize("bit_depth", [8, 10, 12, 16])
def test_halving_is_exact(bit_depth):
    rng = np.random.default_rng(bit_depth)
    dtype = np.uint8 if bit_depth == 8 else np.uint16
    x = rng.integers(0, 1 << bit_depth, (50, 66)).astype(dtype)
    x[:, ::2] = np.where(rng.random((50, 33)) < 0.5, 0, (1 << bit_depth) - 1)  # overshoots
    expected = oracle.halve(x, 50, 66, bit_depth)
    found = jax.jit(lambda x: half_size(x, (50, 66), bit_depth, rounded=True))(x)
    np.testing.assert_array_equal(found, expected)
    if bit_depth == 10:
        assert expected.max() > 1023
    if bit_depth <= 12:  # the float form of the same sums
        found = half_size(jax.numpy.asarray(x, np.float32), (50, 66), bit_depth, rounded=True)
        np.testing.assert_array_equal(found, expected)


def test_rounds_half_to_even():
    x = np.array([[10, 13] * 4, [10, 14] * 4] * 4, np.uint8)
    found = np.asarray(half_size(jax.numpy.asarray(x), (8, 8), 8, rounded=True))
    np.testing.assert_array_equal(found, oracle.halve(x, 8, 8, 8))


@functools.cache
def measured():
    """{atom: (ours, oracle's)} on random pyramids in float64."""
    with jax.enable_x64(True):
        (x, y, x0, y0), (p, q, p0, q0) = both()
        change = oracle.detail_change(p, q)
        found = quick(lambda x, y, x0, y0: {
            "ms_essim": atoms.ms_essim(x, y),
            "ms_essim mean": atoms.ms_essim(x, y, pooling="mean"),
            "ms_essim mink": atoms.ms_essim(x, y, pooling="mink"),
            "dlm": dlm(x, y),
            "vif": vif_approximation(x, y, level=1),
            "edge": atoms.edge(x, y),
            "blur": atoms.blur(x, y),
            "sai": atoms.sai_difference(x, y),
            "mad": atoms.mad(x, y),
            **st_rred(x, y, x0, y0)._asdict(),
        })(x, y, x0, y0)  # fmt: skip
        found = {k: float(v) for k, v in found.items()}
    spatial, temporal, product = oracle.rred(p, q, p0, q0)
    expected = {
        "ms_essim": oracle.ms_ssim(p, q),
        "ms_essim mean": oracle.ms_ssim(p, q, np.mean),
        "ms_essim mink": oracle.ms_ssim(p, q, lambda m: 1 - np.cbrt(((1 - m) ** 3).mean())),
        "dlm": oracle.dlm(p[1][-1], q[1][-1]),
        "vif": oracle.vif(p[0][0], q[0][0]),
        "edge": -np.minimum(change, 0).mean(),
        "blur": np.maximum(change, 0).mean(),
        "sai": oracle.activity(p) - oracle.activity(q),
        "mad": np.abs(p[0][-1] - q[0][-1]).mean(),
        "srred": spatial, "trred": temporal, "strred": product,
    }  # fmt: skip
    assert found.keys() == expected.keys()
    return {k: (found[k], expected[k]) for k in found}


def test_atoms_match_oracle():
    for name, (found, expected) in measured().items():
        np.testing.assert_allclose(found, expected, rtol=tolerances.FUNQUE_FLOAT64, err_msg=name)


def test_alignment_follows_the_angles_of_the_reference():
    """Zeros, the cut straight down and the one-degree limit, against arctan itself."""
    values = (-1.0, -0.99, -0.01, 0.0, 0.01, 0.99, 1.0)
    grid = np.array([(a, b, c, d) for a in values for b in values for c in values for d in values])
    side = len(values) ** 2
    xh, xv, yh, yv = (grid[:, i].reshape(side, side) for i in range(4))
    rng = np.random.default_rng(4)
    diagonal = [rng.standard_normal((side, side)) for _ in range(2)]
    x, y = (xh, xv, diagonal[0]), (yh, yv, diagonal[1])
    with jax.enable_x64(True):
        arrays = [tuple(map(jax.numpy.asarray, side)) for side in (x, y)]
        blank = jax.numpy.zeros((side, side))
        ours = [pyramid(blank, 1)._replace(details=(bands,), approximations=(blank,))
                for bands in arrays]  # fmt: skip
        found = float(dlm(*ours))
    np.testing.assert_allclose(found, oracle.dlm(x, y), rtol=tolerances.FUNQUE_FLOAT64)


PAIR_ATOMS = {
    "essim cov": lambda x, y: atoms.essim(x, y),
    "ms_essim mean": lambda x, y: atoms.ms_essim(x, y, pooling="mean"),
    "ms_essim mink": lambda x, y: atoms.ms_essim(x, y, pooling="mink"),
    "ms_essim cov": lambda x, y: atoms.ms_essim(x, y),
    "dlm": dlm,
    "vif": lambda x, y: vif_approximation(x, y, level=1),
    "st_rred": lambda x, y: 1e4 * sum(st_rred(x, y, y, x)[:2]),
    "edge, blur": lambda x, y: atoms.edge(x, y) + 2 * atoms.blur(x, y),
    "sai": lambda x, y: atoms.sai_difference(x, y),
    "mad": lambda x, y: atoms.mad(x, y),
}


@pytest.mark.parametrize("name", PAIR_ATOMS)
def test_gradients(name):
    atom = PAIR_ATOMS[name]

    def of_pictures(x, y):
        return atom(pyramid(x, 2), pyramid(y, 2))

    with jax.enable_x64(True):
        x = samples(7, 24, 28)
        y = 0.6 * x + 0.4 * samples(8, 24, 28)
        check_gradients(
            of_pictures, (x, y), ("rev",), eps=1e-6,
            rtol=tolerances.FUNQUE_GRADIENT, atol=tolerances.FUNQUE_GRADIENT,
        )  # fmt: skip


def test_weights():
    assert {len(wavelet_weights(n, 5)) for n in WAVELET_CSF} == {5}
    assert wavelet_weights("watson", 1, "v") == ((0.00599886, 0.00599886, 0.00164671),)
    for name, wrong in (("csf", ("moon", 2, "y")), ("levels", ("li", 6, "y"))):
        with pytest.raises(ValueError, match=name):
            wavelet_weights(*wrong)
    # the filters' gains at rest
    gains = {"nadenau_spat": 0.98861697, "ngan_spat": 0.61636858, "ngan_exact": 0.61636858}
    for name in SPATIAL_CSF:
        flat = spatial_csf(jax.numpy.ones((24, 24), np.float32), name)
        np.testing.assert_allclose(flat, gains[name] ** 2, rtol=tolerances.ROUND_OFF)


@pytest.mark.parametrize("shape", [(1, 3), (4, 9), (12, 20)])
def test_windows_mirror_small_pictures_too(shape):
    x = np.random.default_rng(0).random(shape).astype(np.float32)
    padded = np.pad(x.astype(float), 4, "reflect")
    views = np.lib.stride_tricks.sliding_window_view(padded, (9, 9))
    found = window_variance(mirror(jax.numpy.asarray(x), 4), 9)
    np.testing.assert_allclose(found, views.var((-1, -2)), atol=tolerances.ROUND_OFF)


def test_unknown_pooling():
    x = pyramid(jax.numpy.zeros((8, 8), np.float32), 1)
    with pytest.raises(ValueError, match="pooling must be one of mean, cov, mink"):
        atoms.essim(x, x, pooling="median")
