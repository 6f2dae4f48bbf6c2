import functools
import hashlib
import json

import jax
import numpy as np
import pytest

from jaxvqa._planes import Planes, chroma_size
from jaxvqa.features._funque import sets
from jaxvqa.features._funque.functions import (
    fs_funque_plus_3c,
    fs_y_funque_plus,
    funque,
    funque_2022,
    funque_plus_3c,
    y_funque_plus,
)
from jaxvqa.features._funque.sast import half_size
from jaxvqa.features._funque.sets import zero_first_frame
from jaxvqa.features._funque.st_rred import strred
from jaxvqa.features._registry import FEATURES
from jaxvqa.features._run import with_history
from tests import clips, tolerances
from tests.oracles import funque as oracle
from tests.programs import quick

CLIP = "bbb_320x180"
FUNCTIONS = {
    "funque": funque,
    "y_funque_plus": y_funque_plus,
    "3c_funque_plus": funque_plus_3c,
    "fs_y_funque_plus": fs_y_funque_plus,
    "fs_3c_funque_plus": fs_funque_plus_3c,
    "funque_2022": funque_2022,
}
OFFICIAL = {
    "funque": "FUNQUE_fex",
    "y_funque_plus": "Y_FUNQUE_Plus_fex",
    "3c_funque_plus": "3C_FUNQUE_Plus_fex",
    "fs_y_funque_plus": "FS_Y_FUNQUE_Plus_fex",
    "fs_3c_funque_plus": "FS_3C_FUNQUE_Plus_fex",
}


@functools.cache
def golden():
    return json.loads((clips.DATA / CLIP / "golden.json").read_text())


@functools.cache
def compiled(name):
    return jax.jit(FUNCTIONS[name])


@functools.cache
def quickly(name):
    return quick(FUNCTIONS[name])


def official(name):
    """(output names, (frames, outputs)) of the official code."""
    if name == "funque_2022":
        frames = golden()["funque_2022"]["frames"]
        names = output_names(name)
        return names, np.array([[f[n] for n in names] for f in frames])
    found = golden()["funque_plus"]["extractors"][OFFICIAL[name]]
    return found["feat_names"], np.array(found["frames"])


def output_names(name):
    record = FEATURES[name]
    return [o.name for o in record.outputs(record.resolve({}))]


def matrix(name, series):
    """(frames, outputs) in the order of the record: jit sorts dictionaries."""
    assert set(series) == set(output_names(name))
    return np.stack([np.asarray(series[n]) for n in output_names(name)], 1)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_matches_official_code(name):
    names, expected = official(name)
    found = compiled(name)(*clips.load(CLIP))
    assert output_names(name) == names
    np.testing.assert_allclose(
        matrix(name, found), expected, rtol=tolerances.FUNQUE_FLOAT32, atol=1e-12
    )


@pytest.mark.parametrize("name", ["y_funque_plus", "3c_funque_plus"])
def test_matches_official_code_in_float64(name):
    """Codes as float64 with the reference's rounding: every bit that matters to DLM is there."""
    record = FEATURES[name]
    extractor = {"y_funque_plus": sets._Y_PLUS, "3c_funque_plus": sets._3C_PLUS}[name]
    _, expected = official(name)

    def series(ref, dis):
        pair = (with_history(ref, 1), with_history(dis, 1))
        raw = sets._extract(extractor, *pair, rounded=True)
        return zero_first_frame(raw, extractor.zero_first)

    pair = [jax.tree.map(lambda p: p[:4].astype(np.float64), x) for x in clips.load(CLIP)]
    if record.planes == "y":
        pair = [x.luma_only() for x in pair]
    with jax.enable_x64(True):
        found = matrix(name, quick(series)(*pair))
    np.testing.assert_allclose(found, expected[:4], rtol=tolerances.FUNQUE_FLOAT64, atol=1e-15)


def test_halved_planes_have_the_official_bits():
    ref, dis = clips.load(CLIP)
    size = (ref.height, ref.width)
    halve = quick(lambda plane: half_size(plane, size, 8, rounded=True))
    for frame, expected in enumerate(golden()["funque_plus"]["intermediate_frames_0_1"]):
        for side, planes in (("ref", ref), ("dis", dis)):
            for channel in "yuv":
                found = np.asarray(halve(getattr(planes, channel)[frame])).astype(np.uint8)
                digest = hashlib.sha256(found.tobytes()).hexdigest()
                assert digest == expected[f"resized_{channel}_{side}"]["sha256"], (channel, side)


def pictures(shape, chroma, bit_depth, seed=3):
    """Two clips of two frames; the second is a coarser version of the first."""
    rng = np.random.default_rng(seed)
    small = chroma_size(*shape, chroma)
    stacks = [clips.textured(rng, (2, *s), bit_depth) for s in (shape, small, small)]
    step = 1 << (bit_depth - 4)
    return (
        Planes(*stacks, bit_depth=bit_depth),
        Planes(*((s // step * step).astype(s.dtype) for s in stacks), bit_depth=bit_depth),
    )


@pytest.mark.parametrize(
    ("name", "shape", "chroma", "bit_depth"),
    [
        ("3c_funque_plus", (91, 117), "420", 8),
        ("3c_funque_plus", (90, 118), "422", 10),
        ("fs_3c_funque_plus", (67, 75), "444", 10),
        ("fs_y_funque_plus", (53, 66), "420", 8),
        ("funque", (95, 83), "420", 10),
        ("funque", (8, 14), "420", 8),
    ],
)
def test_matches_oracle(name, shape, chroma, bit_depth):
    ref, dis = pictures(shape, chroma, bit_depth)
    found = matrix(name, quickly(name)(ref, dis))
    wanted = "yuv" if name.count("3c") else "y"
    before = (None, None)
    for i in range(2):
        now = [{c: getattr(p, c)[i] for c in wanted} for p in (ref, dis)]
        expected = oracle.frame(name, *now, *before, bit_depth)
        np.testing.assert_allclose(
            found[i], expected, rtol=tolerances.FUNQUE_DLM_FLOAT32, atol=1e-12
        )
        before = now


@pytest.mark.parametrize(
    ("csf", "half", "source", "outputs"),
    [
        ("nadenau_spat", False, "fs_y_funque_plus", {"strred": "strred_scalar_channel_y_levels_2"}),
        ("li", True, "3c_funque_plus", {
            "srred": "srred_scalar_channel_y_levels_2", "trred": "trred_scalar_channel_y_levels_2",
        }),
    ],
)  # fmt: skip
def test_strred_matches_official_code(csf, half, source, outputs):
    names, expected = official(source)
    ref, dis = (jax.tree.map(lambda p: p[:3], x) for x in clips.load(CLIP))
    found = quick(lambda r, d: strred(r, d, csf=csf, half_size=half))(ref, dis)
    for ours, theirs in outputs.items():
        column = expected[:3, names.index(theirs)]
        np.testing.assert_allclose(found[ours], column, rtol=tolerances.FUNQUE_FLOAT32)


def flat(value):
    return np.full((48, 64), value, np.uint8)


def ramp():
    return np.tile(np.arange(0, 192, 3, dtype=np.uint8), (48, 1))


EDGE_CASES = {
    "identical_noise_64x48": lambda t: (noise(t, 0, 48, 64), noise(t, 0, 48, 64)),
    "noise_vs_flat_64x48": lambda t: (noise(t, 0, 48, 64), flat(128)),
    "flat_vs_noise_64x48": lambda t: (flat(128), noise(t, 0, 48, 64)),
    "flat100_vs_flat100_64x48": lambda t: (flat(100), flat(100)),
    "flat100_vs_flat110_64x48": lambda t: (flat(100), flat(110)),
    "noise_vs_noise_32x32": lambda t: (noise(t, 0, 32, 32), noise(t, 9, 32, 32)),
    "noise_vs_noise_16x16": lambda t: (noise(t, 0, 16, 16), noise(t, 9, 16, 16)),
    "hramp_vs_banded_64x48": lambda t: (ramp(), ramp() // 8 * 8),
}


def noise(frame, seed, height, width):
    return np.random.default_rng(seed + frame).integers(0, 256, (height, width)).astype(np.uint8)


@pytest.mark.parametrize("case", EDGE_CASES)
def test_edge_cases_match_official_code(case):
    cases = json.loads((clips.DATA / CLIP / "edge_cases.json").read_text())["cases"][case]
    frames = [EDGE_CASES[case](t) for t in (0, 1)]
    ref, dis = (np.stack(side) for side in zip(*frames, strict=True))
    grey = np.full((2, ref.shape[1] // 2, ref.shape[2] // 2), 128, np.uint8)
    ref, dis = Planes(ref, grey, grey), Planes(dis, grey, grey)
    for name in ("funque", "y_funque_plus", "3c_funque_plus"):
        found = matrix(name, quickly(name)(ref, dis))
        expected = np.array(cases[OFFICIAL[name]])
        np.testing.assert_allclose(
            found, expected, rtol=tolerances.FUNQUE_FLOAT32, atol=tolerances.FUNQUE_NOISE,
            err_msg=name,
        )  # fmt: skip


def test_perfect_and_still_pairs():
    ref, dis = clips.load(CLIP)
    still = jax.tree.map(lambda p: np.repeat(p[:1], len(p), 0), dis)
    for name in ("y_funque_plus", "3c_funque_plus"):
        function = compiled(name)
        for key, values in function(ref, ref).items():
            if "mad_ref" not in key and "mad_dis" not in key:
                perfect = 1.0 if "dlm" in key else 0.0
                np.testing.assert_allclose(
                    values, perfect, rtol=tolerances.ROUND_OFF, atol=0, err_msg=key
                )
        for key, values in function(still, still).items():
            if "mad" in key or "trred" in key:
                np.testing.assert_array_equal(values, 0.0, err_msg=key)


@pytest.mark.parametrize("bit_depth", [8, 10])
def test_activity_keeps_its_digits(bit_depth):
    """Pictures that differ by little: the difference is a thousandth of what is subtracted."""
    rng = np.random.default_rng(8)
    ref = clips.textured(rng, (1, 120, 164), bit_depth)
    dis = ref.copy()
    dis[:, 40:44, 60:70] //= 2
    found = quickly("fs_y_funque_plus")(*(Planes(x, bit_depth=bit_depth) for x in (ref, dis)))
    expected = oracle.frame("fs_y_funque_plus", {"y": ref[0]}, {"y": dis[0]}, None, None, bit_depth)
    assert abs(expected[4]) < 2e-3
    np.testing.assert_allclose(
        found["sai_diff_channel_y_scale_2"], expected[4:5], rtol=tolerances.FUNQUE_FLOAT32
    )


def test_float_frames_come_close_to_integer_frames():
    """The smooth twin leaves out a rounding of half a code, no more."""
    scored = compiled("y_funque_plus")(*clips.load(CLIP))
    ref, dis = (x.y[:2].astype(np.float32) for x in clips.load(CLIP))
    smooth = quick(lambda r, d: y_funque_plus(r, d, bit_depth=8))(ref, dis)
    for key, values in scored.items():
        values = values[:2]
        np.testing.assert_allclose(smooth[key], values, atol=0.02, err_msg=key)
        assert key.startswith("mad") or not np.array_equal(smooth[key], values)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: funque(x[:, :7], x[:, :7]), "at least 8x8"),
        (lambda x: fs_funque_plus_3c(x, x), "needs chroma"),
        (lambda x: y_funque_plus(x, x, csf="li"), "has no option 'csf'"),
        (lambda x: strred(x, x, csf="luminance"), "csf must be one of"),
        (lambda x: strred(x, x, levels=6), "between 1 and 5"),
        (lambda x: strred(x, x[:, :40]), "differ in size"),
    ],
)
def test_says_what_is_wrong(call, message):
    with pytest.raises(ValueError, match=message):
        call(np.zeros((2, 64, 64), np.uint8))


def test_loop_needs_no_future():
    """`over_frames` gives frame i from frames up to i only."""
    ref, dis = (x.y for x in pictures((48, 56), "420", 8))
    longer = [np.concatenate([x, x[::-1]]) for x in (ref, dis)]
    short, full = (quickly("y_funque_plus")(*pair) for pair in ((ref, dis), longer))
    for key in short:
        np.testing.assert_array_equal(short[key], full[key][:2])
