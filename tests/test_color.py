import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxvqa.color import rgb_to_planes
from tests import tolerances

# 8-bit limited range codes of 100 % bars, as BT.601 and BT.709 tables list them, and BT.2020's
# from its equations: (R, G, B) -> (Y, Cb, Cr)
BARS = {
    "bt601": {
        (1, 1, 1): (235, 128, 128), (0, 0, 0): (16, 128, 128), (1, 1, 0): (210, 16, 146),
        (0, 1, 1): (170, 166, 16), (0, 1, 0): (145, 54, 34), (1, 0, 1): (106, 202, 222),
        (1, 0, 0): (81, 90, 240), (0, 0, 1): (41, 240, 110),
    },
    "bt709": {
        (1, 1, 1): (235, 128, 128), (0, 0, 0): (16, 128, 128), (1, 1, 0): (219, 16, 138),
        (0, 1, 1): (188, 154, 16), (0, 1, 0): (173, 42, 26), (1, 0, 1): (78, 214, 230),
        (1, 0, 0): (63, 102, 240), (0, 0, 1): (32, 240, 118),
    },
    "bt2020": {
        (1, 1, 1): (235, 128, 128), (0, 0, 0): (16, 128, 128), (1, 0, 0): (74, 97, 240),
        (0, 1, 0): (164, 47, 25), (0, 0, 1): (29, 240, 119),
    },
}  # fmt: skip


def codes(planes):
    return [np.asarray(p) for p in (planes.y, planes.u, planes.v)]


def flat(colour, size=(2, 2)):
    return np.broadcast_to(np.array(colour, np.float32), (*size, 3))


@pytest.mark.parametrize("matrix", BARS)
def test_colour_bars(matrix):
    for colour, expected in BARS[matrix].items():
        found = codes(rgb_to_planes(flat(colour), matrix=matrix, chroma="444"))
        for plane, code in zip(found, expected, strict=True):
            np.testing.assert_array_equal(np.rint(plane), code, err_msg=str(colour))


@pytest.mark.parametrize(
    ("depth", "span", "white", "neutral", "top"),
    [
        (8, "limited", 235, 128, 240),
        (10, "limited", 940, 512, 960),
        (10, "full", 1023, 512, 1023.5),
    ],
)
def test_depth_and_range(depth, span, white, neutral, top):
    y, u, v = codes(rgb_to_planes(flat((1, 1, 1)), range=span, bit_depth=depth, chroma="422"))
    np.testing.assert_allclose([y[0, 0], u[0, 0], v[0, 0]], [white, neutral, neutral], atol=1e-3)
    _, u, _ = codes(rgb_to_planes(flat((0, 0, 1)), range=span, bit_depth=depth))
    np.testing.assert_allclose(u, top, atol=1e-3)


def test_matches_pyav_swscale_on_444():
    av = pytest.importorskip("av")
    rng = np.random.default_rng(1)
    rgb = rng.integers(0, 256, (16, 32, 3), np.uint8)
    frame = av.VideoFrame.from_ndarray(rgb, "rgb24").reformat(
        format="yuv444p", dst_colorspace="itu709", interpolation="BICUBIC"
    )
    expected = frame.to_ndarray().astype(float)
    # swscale works with 15-bit coefficients and its own rounding: a code at most
    for found, theirs in zip(codes(rgb_to_planes(rgb, chroma="444")), expected, strict=True):
        assert np.abs(found - theirs).max() <= tolerances.COLOUR_SWSCALE


@pytest.mark.parametrize(
    ("siting", "rows", "columns"),
    [
        ("left", (0.5, 0.5), (0.25, 0.5, 0.25)),
        ("center", (0.5, 0.5), (0.5, 0.5)),
        ("topleft", (0.25, 0.5, 0.25), (0.25, 0.5, 0.25)),
    ],
)
@pytest.mark.parametrize("size", [(6, 8), (7, 5)])
def test_chroma_siting(siting, rows, columns, size):
    rng = np.random.default_rng(2)
    rgb = rng.uniform(size=(*size, 3))
    with jax.enable_x64(True):
        full = codes(rgb_to_planes(rgb, chroma="444"))
        for chroma in ("420", "422"):
            found = codes(rgb_to_planes(rgb, chroma=chroma, siting=siting))
            np.testing.assert_array_equal(found[0], full[0])
            for half, whole in zip(found[1:], full[1:], strict=True):
                expected = whole
                if chroma == "420":
                    expected = loop_halve(expected.T, rows).T
                expected = loop_halve(expected, columns)
                np.testing.assert_allclose(half, expected, rtol=tolerances.FLOAT64_RELATIVE)


def loop_halve(x, taps):
    """Taps around every other column, one sample at a time; three taps lie on it, two after it."""
    height, width = x.shape
    out = np.zeros((height, -(-width // 2)))
    first = -1 if len(taps) == 3 else 0
    for j in range(out.shape[1]):
        for k, tap in enumerate(taps):
            out[:, j] += tap * x[:, min(max(2 * j + first + k, 0), width - 1)]
    return out


def test_luma_alone_and_leading_axes():
    rgb = np.random.default_rng(3).uniform(size=(2, 3, 4, 6, 3)).astype(np.float32)
    planes = rgb_to_planes(rgb, chroma="400")
    assert planes.u is None
    assert planes.y.shape == (2, 3, 4, 6)
    assert rgb_to_planes(rgb).u.shape == (2, 3, 2, 3)


def test_integer_codes_equal_floats():
    rgb = np.random.default_rng(4).integers(0, 1024, (4, 4, 3), np.uint16)
    found = codes(rgb_to_planes(rgb, rgb_bit_depth=10, bit_depth=10))
    expected = codes(rgb_to_planes((rgb / 1023).astype(np.float32), bit_depth=10))
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-3)


def test_linear_and_differentiable():
    rng = np.random.default_rng(5)
    with jax.enable_x64(True):
        rgb = rng.uniform(-0.2, 1.2, (5, 6, 3))
        step = rng.normal(size=rgb.shape)

        def convert(x):
            return jax.tree.leaves(rgb_to_planes(x, siting="center"))

        _, tangents = jax.jvp(convert, (jnp.asarray(rgb),), (jnp.asarray(step),))
        for tangent, after, before in zip(tangents, convert(rgb + step), convert(rgb), strict=True):
            np.testing.assert_allclose(tangent, after - before, rtol=0, atol=1e-9)
        assert convert(rgb)[0].dtype == np.float64


def test_bfloat16_is_computed_in_float32():
    rgb = np.random.default_rng(6).uniform(size=(4, 4, 3)).astype(jnp.bfloat16)
    found, exact = (codes(jax.jit(rgb_to_planes)(x)) for x in (rgb, rgb.astype(np.float32)))
    for a, b in zip(found, exact, strict=True):
        assert a.dtype == np.float32
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    ("rgb", "options", "error", "message"),
    [
        (np.zeros((4, 4, 3), np.float32), {"matrix": "bt470"}, ValueError, "matrix must be one of"),
        (np.zeros((4, 4, 3), np.float32), {"range": "tv"}, ValueError, "range must be one of"),
        (np.zeros((4, 4, 3), np.float32), {"chroma": "411"}, ValueError, "chroma must be one of"),
        (np.zeros((4, 4, 3), np.float32), {"siting": "top"}, ValueError, "siting must be one of"),
        (np.zeros((4, 4, 3), np.float32), {"bit_depth": 11}, ValueError, "bit_depth must be"),
        (np.zeros((4, 4, 3), np.float32), {"rgb_bit_depth": 8}, ValueError, "for integer codes"),
        (np.zeros((4, 4, 3), np.uint16), {}, ValueError, "rgb_bit_depth is needed"),
        (np.zeros((3, 4, 4), np.float32), {}, ValueError, "height, width, 3"),
        (np.zeros((4, 4, 3), np.int32), {}, TypeError, "int32"),
        ([[[0.0, 0.0, 0.0]]], {}, TypeError, "must be an array"),
    ],
)  # fmt: skip
def test_bad_input(rgb, options, error, message):
    with pytest.raises(error, match=message):
        rgb_to_planes(rgb, **options)
