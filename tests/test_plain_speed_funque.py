"""The plain forms of SpEED and FUNQUE against the oracles, and the fast forms against them."""

import functools
from collections.abc import Callable
from typing import NamedTuple

import jax
import numpy as np
import pytest

from jaxvqa._planes import Planes, chroma_size
from jaxvqa.features._funque import plain as plain_funque
from jaxvqa.features._funque.functions import (
    fs_funque_plus_3c,
    fs_y_funque_plus,
    funque,
    funque_2022,
    funque_plus_3c,
    y_funque_plus,
)
from jaxvqa.features._funque.plain_transform import halve
from jaxvqa.features._funque.st_rred import strred
from jaxvqa.features._registry import FEATURES
from jaxvqa.features._speed import plain as plain_speed
from jaxvqa.features._speed import plain_qa
from jaxvqa.features._speed.qa import speed_qa
from jaxvqa.features._speed.speed import speed_chroma, speed_temporal
from tests import tolerances
from tests.oracles import funque as funque_oracle
from tests.oracles import speed as speed_oracle
from tests.oracles import speed_qa as qa_oracle

# codes so fine that no detail of a random frame is exactly 0, where rounding would decide for DLM
DEPTH = 16
PERFECT = {"dlm": 1.0, "vif": 1.0}  # all other values of an equal pair are 0


class Metric(NamedTuple):
    """Plain form, fast form and oracle, each `(ref, dis, **options) -> {name: (frames,)}`.

    Clips are (Y, Cb, Cr), of the given chroma format and bit depth.
    """

    plain: Callable
    fast: Callable
    oracle: Callable | None
    chroma: str = "420"
    depth: int = DEPTH
    rtol: float = tolerances.FUNQUE_FLOAT64


def _oracle_chroma(ref, dis, **options):
    pairs = zip(zip(*ref[1:], strict=True), zip(*dis[1:], strict=True), strict=True)
    found = [speed_oracle.chroma(r, d, rounded=False, **_oracle_names(options)) for r, d in pairs]
    names = ("speed_chroma_u", "speed_chroma_v", "speed_chroma_uv")
    return dict(zip(names, np.transpose(found), strict=True))


def _oracle_temporal(ref, dis, **options):
    found = speed_oracle.temporal(ref[0], dis[0], rounded=False, **_oracle_names(options))
    return {"speed_temporal": np.array(found)}


def _oracle_names(options):
    names = {"sigma_nn": "noise", "nn_floor": "floor", "sigma_nsq": "noise"}
    return {names.get(name, name): value for name, value in options.items()}


def _oracle_qa(ref, dis, **options):
    r, d = ref[0], dis[0]
    later = (1, *range(1, len(r)))  # the first frame repeats the second
    found = [qa_oracle.frame(r[i], r[i - 1], d[i], d[i - 1], **_oracle_names(options))
             for i in later]  # fmt: skip
    spatial, temporal = np.transpose(found)
    score = np.where(np.isnan(temporal), spatial, spatial * temporal)
    return {"speed_qa": score, "speed_qa_spatial": spatial, "speed_qa_temporal": temporal}


def _picture(clip, frame, channels):
    return dict(zip(channels, (plane[frame] for plane in clip), strict=False))


def _oracle_set(name):
    channels = "yuv" if "3c" in name else "y"

    def oracle(ref, dis):
        record = FEATURES[name]
        names = [output.name for output in record.outputs(record.resolve({}))]
        before, found = (None, None), []
        for i in range(len(ref[0])):
            now = [_picture(clip, i, channels) for clip in (ref, dis)]
            found.append(funque_oracle.frame(name, *now, *before, DEPTH))
            before = now
        return dict(zip(names, np.transpose(found), strict=True))

    return oracle


def _oracle_strred(ref, dis):
    pyramids = [[funque_oracle.pyramids("fs_y_funque_plus", _picture(clip, i, "y"), DEPTH)["y"]
                 for i in range(len(clip[0]))] for clip in (ref, dis)]  # fmt: skip
    quartets = zip(*(p[1:] for p in pyramids), *(p[:-1] for p in pyramids), strict=True)
    found = [(0.0, 0.0, 0.0), *(funque_oracle.rred(*q) for q in quartets)]
    return dict(zip(("srred", "trred", "strred"), np.transpose(found), strict=True))


def _luma(function, depth=DEPTH):
    given = {} if depth is None else {"bit_depth": depth}
    return lambda ref, dis, **options: function(ref[0], dis[0], **given, **options)


def _planes(function, depth=DEPTH):
    def call(ref, dis, **options):
        return function(*(Planes(*clip, bit_depth=depth) for clip in (ref, dis)), **options)

    return call


def _set(plain, fast, name):
    """A set with chroma if its name says so."""
    if "3c" in name:
        whole = functools.partial(plain, bit_depth=DEPTH)
        return Metric(whole, _planes(fast), _oracle_set(name))
    return Metric(_luma(plain), _luma(fast), _oracle_set(name))


METRICS = {
    "speed_chroma": Metric(
        lambda r, d, **o: plain_speed.speed_chroma(*r[1:], *d[1:], **o),
        _planes(speed_chroma, 8), _oracle_chroma, "444", 8, tolerances.SPEED_FLOAT64,
    ),
    "speed_temporal": Metric(
        _luma(plain_speed.speed_temporal, None), _luma(speed_temporal, 8), _oracle_temporal,
        "444", 8, tolerances.SPEED_FLOAT64,
    ),
    "speed_qa": Metric(
        _luma(plain_qa.speed_qa, None), _luma(speed_qa, 8), _oracle_qa, "444", 8,
        tolerances.SPEED_QA_FLOAT64,
    ),
    "funque": _set(plain_funque.funque, funque, "funque"),
    "y_funque_plus": _set(plain_funque.y_funque_plus, y_funque_plus, "y_funque_plus"),
    "3c_funque_plus": _set(plain_funque.funque_plus_3c, funque_plus_3c, "3c_funque_plus"),
    "fs_y_funque_plus": _set(plain_funque.fs_y_funque_plus, fs_y_funque_plus, "fs_y_funque_plus"),
    "fs_3c_funque_plus": _set(
        plain_funque.fs_funque_plus_3c, fs_funque_plus_3c, "fs_3c_funque_plus"
    ),
    # no oracle: what it has beyond `funque` is an unrounded filter and odd levels
    "funque_2022": Metric(_luma(plain_funque.funque_2022), _luma(funque_2022), None),
    "strred": Metric(_luma(plain_funque.strred), _luma(strred), _oracle_strred),
}  # fmt: skip

_OTHER_SPEED = {"kernel_scale": 1.5, "sigma_nn": 0.19, "nn_floor": 0.3}
_SMOOTH = {"rounded": False}  # fast forms don't round float frames

# (metric, height and width, options of the plain and fast form): what the oracle is asked, the
# smallest sizes included
ORACLE_ROWS = [
    ("speed_chroma", (160, 160), {}),
    ("speed_chroma", (171, 245), _OTHER_SPEED),
    ("speed_chroma", (80, 120), {}),  # fewer windows than unknowns
    ("speed_temporal", (160, 160), {}),
    ("speed_qa", (145, 145), {}),
    ("speed_qa", (21, 24), {"band": 2, "block": 3, "sigma_nsq": 0.4}),
    ("funque", (43, 50), {}),
    ("y_funque_plus", (43, 50), {}),
    ("3c_funque_plus", (43, 50), {}),
    ("3c_funque_plus", (8, 8), {}),
    ("fs_y_funque_plus", (43, 50), {}),
    ("fs_3c_funque_plus", (43, 50), {}),
    ("strred", (43, 50), {}),
]
# what the fast form is asked
FAST_ROWS = [
    *(row for row in ORACLE_ROWS if row[0].startswith("speed")),
    ("funque", (44, 60), _SMOOTH),
    ("y_funque_plus", (44, 60), _SMOOTH),
    ("3c_funque_plus", (44, 60), _SMOOTH),
    ("fs_y_funque_plus", (43, 50), {}),
    ("fs_3c_funque_plus", (43, 50), {}),
    ("funque_2022", (44, 60), _SMOOTH),
    ("strred", (43, 50), {}),
]


@functools.cache
def clips(chroma, depth, shape):
    """Reference and distorted clip of three random float64 frames, fainter to the left."""
    rng = np.random.default_rng(7)
    small = chroma_size(*shape, chroma)
    peak = (1 << depth) - 1

    def plane(size):
        rows, columns = np.mgrid[: size[0], : size[1]]
        waves = 0.15 * np.sin(rows / 3.7) * np.cos(columns / 5.1)
        grain = (0.01 + 0.25 * columns / size[1]) * rng.uniform(-1, 1, (3, *size))
        return peak * (0.5 + waves + grain)

    ref = tuple(plane(size) for size in (shape, small, small))
    return ref, tuple(0.7 * x + 0.3 * plane(x.shape[1:]) for x in ref)


@functools.cache
def compiled(name, form, options):
    # programs run once or twice here: what LLVM would gain is less than it costs
    quick = {"xla_backend_optimization_level": 0}
    function = functools.partial(getattr(METRICS[name], form), **dict(options))
    return jax.jit(function, compiler_options=quick)


def measured(name, form, ref, dis, options):
    with jax.enable_x64(True):
        found = compiled(name, form, tuple(options.items()))(ref, dis)
        return {key: np.asarray(value) for key, value in found.items()}


def pair_of(name, shape):
    return clips(METRICS[name].chroma, METRICS[name].depth, shape)


def assert_close(found, expected, rtol):
    assert found.keys() == expected.keys()
    for key, values in expected.items():
        assert found[key].dtype == np.float64
        # zeros of an oracle may be rounding, far below any other value
        np.testing.assert_allclose(found[key], values, rtol=rtol, atol=1e-18, err_msg=key)


@pytest.mark.parametrize(("name", "shape", "options"), ORACLE_ROWS)
def test_plain_matches_oracle(name, shape, options):
    ref, dis = pair_of(name, shape)
    found = measured(name, "plain", ref, dis, options)
    assert_close(found, METRICS[name].oracle(ref, dis, **options), METRICS[name].rtol)


@pytest.mark.parametrize(("name", "shape", "options"), FAST_ROWS)
def test_fast_matches_plain(name, shape, options):
    ref, dis = pair_of(name, shape)
    plain = measured(name, "plain", ref, dis, options)
    fast = {key: value for key, value in options.items() if key != "rounded"}
    assert_close(measured(name, "fast", ref, dis, fast), plain, METRICS[name].rtol)


@pytest.mark.parametrize(("name", "shape", "options"), FAST_ROWS)
def test_equal_pair(name, shape, options):
    ref, _ = pair_of(name, shape)
    for key, values in measured(name, "plain", ref, ref, options).items():
        if "motion" not in key and "mad_ref" not in key and "mad_dis" not in key:
            perfect = PERFECT.get(key.split("_")[0], 0.0)
            np.testing.assert_allclose(
                values, perfect, rtol=0, atol=tolerances.PLAIN_EQUAL_PAIR, err_msg=key
            )


SINGULAR = {
    "flat": lambda x: np.full_like(x, 100.0),
    "still": lambda x: np.repeat(x[:1], len(x), axis=0),
    # columns that change alike: the covariance of the difference has rank 1
    "ramp": lambda x: x[0] + np.arange(len(x))[:, None, None] * np.arange(x.shape[2]) ** 2 / 200,
}


@pytest.mark.parametrize("spoil", SINGULAR)
@pytest.mark.parametrize("name", ["speed_chroma", "speed_temporal", "speed_qa"])
def test_singular_covariance(name, spoil):
    shape, options = next(row[1:] for row in ORACLE_ROWS if row[0] == name)
    (y, u, v), dis = pair_of(name, shape)
    ref = (SINGULAR[spoil](y), SINGULAR[spoil](u), v)
    plain = measured(name, "plain", ref, dis, options)
    assert_close(plain, METRICS[name].oracle(ref, dis, **options), METRICS[name].rtol)
    assert_close(measured(name, "fast", ref, dis, options), plain, METRICS[name].rtol)
    if name == "speed_chroma" and spoil == "flat":
        np.testing.assert_array_equal(plain["speed_chroma_u"], 0)
        np.testing.assert_array_equal(plain["speed_chroma_uv"], plain["speed_chroma_v"])


@pytest.mark.parametrize("shape", [(14, 20), (15, 19)])
def test_halving_rounds_to_even(shape):
    codes = np.random.default_rng(0).integers(0, 256, shape).astype(np.float64)
    codes[:, ::2] = np.where(codes[:, ::2] < 128, 0, 255)  # overshoots
    with jax.enable_x64(True):
        found = np.asarray(halve(jax.numpy.asarray(codes), 8, True))
    np.testing.assert_array_equal(found, funque_oracle.halve(codes, *shape, 8))


@pytest.mark.parametrize("name", ["speed_qa", "funque"])
def test_float32_is_usable(name):
    shape, options = next(row[1:] for row in FAST_ROWS if row[0] == name)
    ref, dis = pair_of(name, shape)
    expected = measured(name, "plain", ref, dis, options)
    single = [tuple(x.astype(np.float32) for x in clip) for clip in (ref, dis)]
    found = compiled(name, "plain", tuple(options.items()))(*single)
    for key, values in expected.items():
        assert found[key].dtype == np.float32
        np.testing.assert_allclose(found[key], values, rtol=tolerances.PLAIN_FLOAT32, err_msg=key)
