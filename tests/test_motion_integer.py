import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxvqa._planes import Planes
from jaxvqa.features._motion.integer_motion import MOTION as FEATURE
from jaxvqa.features._motion.integer_motion import motion_integer
from jaxvqa.features._options import parse_text
from tests import clips, tolerances
from tests.oracles import motion_integer as oracle

SAD = "VMAF_integer_feature_motion_sad_score"
RUNS = [
    (clip, run)
    for clip in clips.CLIPS
    for run in clips.golden(clip)
    if parse_text(run.removeprefix("feature:"))[0] == "motion"
]


@functools.cache
def sads(clip, before):
    """SAD scores of a shared clip: the options only matter after them."""
    ref, dis = (p.luma_only() for p in clips.load(clip))
    options = FEATURE.resolve({"motion_five_frame_window": before == 2, "debug": True})
    found = motion_integer(ref, dis, **options.changed())
    return {"sad": np.asarray(found[SAD])}


@pytest.mark.parametrize("clip, run", RUNS)
def test_matches_libvmaf(clip, run):
    options = FEATURE.resolve(parse_text(run.removeprefix("feature:"))[1])
    found = FEATURE.finish(sads(clip, FEATURE.before(options)), options)
    expected = clips.golden(clip)[run]
    names = [o.name for o in FEATURE.outputs(options)]
    assert [n + options.suffix for n in names] == list(expected)
    for name in names:
        values = np.float32(expected[name + options.suffix])
        np.testing.assert_array_max_ulp(found[name], values, tolerances.INTEGER_MOTION_ULP)
        if name != "integer_motion3" and not options.changed():
            # nothing but the sum itself, and its one rounding to float32
            np.testing.assert_array_equal(found[name], values)


def adversarial(rng, height, width, bit_depth):
    peak, dtype = (1 << bit_depth) - 1, np.uint8 if bit_depth == 8 else np.uint16
    rows, columns = np.mgrid[:height, :width]
    black, white = np.zeros((height, width), int), np.full((height, width), peak)
    fine, coarse = (rows + columns) % 2 * peak, (rows // 4 + columns // 3) % 2 * peak
    impulse = black.copy()
    impulse[height // 2, width // 2] = peak
    noise = rng.integers(0, peak + 1, (height, width))
    frames = [black, white, black, black, fine, peak - fine, coarse, noise, white, impulse, noise]
    return np.stack(frames).astype(dtype)


@pytest.mark.parametrize(
    "bit_depth, shape",
    [
        (8, (3, 3)), (8, (70, 37)), (10, (41, 5)), (12, (9, 64)), (16, (35, 34)),
        (16, (150, 960)),  # several strips, the last of which overlaps
    ],
)  # fmt: skip
def test_equals_64_bit_oracle(bit_depth, shape):
    frames = adversarial(np.random.default_rng(bit_depth), *shape, bit_depth)
    before = frames.copy()
    score = jax.jit(lambda r: motion_integer(r, r, bit_depth=bit_depth, debug=True))
    found = score(frames)
    np.testing.assert_array_equal(frames, before)
    expected = oracle.motion(frames, bit_depth)
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        assert found[name].dtype == jnp.float32
        np.testing.assert_array_equal(found[name], np.float32(values), err_msg=name)


@pytest.mark.parametrize("count", range(1, 7))
@pytest.mark.parametrize("five", [False, True])
@pytest.mark.parametrize("average", [False, True])
def test_series_of_any_length(count, five, average):
    rng = np.random.default_rng(count)
    frames = rng.integers(0, 256, (count, 8, 9), dtype=np.uint8)
    start = 2 if five else 1
    raw = [oracle.sad(frames[max(i - start, 0)], frames[i], 8) for i in range(count)]
    settings = {"weight": 0.7, "top": 25.0, "factor": 0.4, "offset": 12.0}
    expected = oracle.motion(frames, 8, **settings, five=five, average=average)
    options = FEATURE.resolve({
        "fps_weight": 0.7, "max_val": 25.0, "blend_factor": 0.4, "blend_offset": 12.0,
        "five_frame_window": five, "moving_average": average,
    })  # fmt: skip
    for xp in (np, jnp):
        found = FEATURE.finish({"sad": xp.asarray(raw, xp.float32)}, options)
        for name, values in expected.items():
            np.testing.assert_array_max_ulp(
                np.asarray(found[name]), np.float32(values), tolerances.INTEGER_MOTION_ULP
            )


def test_force_zero():
    frames = adversarial(np.random.default_rng(0), 8, 8, 8)
    found = motion_integer(frames, frames, force_zero=True)
    assert list(found) == [SAD, "integer_motion2", "integer_motion3"]
    for values in found.values():
        np.testing.assert_array_equal(values, 0)


@pytest.mark.parametrize("five", [False, True])
def test_chunks_equal_the_whole(five):
    frames = adversarial(np.random.default_rng(4), 21, 30, 8)
    options = FEATURE.resolve({"five_frame_window": five})
    before = FEATURE.before(options)
    series = []
    for start, stop in ((0, 4), (4, 9), (9, 11)):
        history = np.stack([frames[max(i, 0)] for i in range(start - before, stop)])
        chunk = Planes(jnp.asarray(history), bit_depth=8)
        series.append(np.asarray(FEATURE.extract(chunk, chunk, options)["sad"]))
    found = FEATURE.finish({"sad": np.concatenate(series)}, options)
    whole = motion_integer(frames, frames, five_frame_window=five)
    for name, values in whole.items():
        np.testing.assert_array_equal(found[name], values)


def test_vmap_is_a_loop():
    frames = adversarial(np.random.default_rng(6), 12, 40, 8)[:10].reshape(2, 5, 12, 40)
    score = jax.jit(lambda r: motion_integer(r, r))
    found = jax.jit(jax.vmap(score))(frames)
    for clip in range(2):
        for name, values in score(frames[clip]).items():
            np.testing.assert_array_equal(found[name][clip], values)


def test_bad_input():
    small = np.zeros((2, 2, 30), np.uint8)
    with pytest.raises(ValueError, match="3x3"):
        motion_integer(small, small)
    frames = np.zeros((2, 8, 8), np.float32)
    with pytest.raises(TypeError, match="integer code values"):
        motion_integer(frames, frames, bit_depth=8)
    with pytest.raises(ValueError, match="between 0 and 5"):
        motion_integer(small, small, fps_weight=6)
    with pytest.raises(ValueError, match="no option 'motion_filter_size'"):
        motion_integer(small, small, motion_filter_size=3)


def test_exports_for_every_platform():
    frames = jax.ShapeDtypeStruct((3, 40, 48), jnp.uint16)
    score = jax.jit(lambda r: motion_integer(r, r, bit_depth=16, five_frame_window=True))
    exported = jax.export.export(score, platforms=["cpu", "cuda", "tpu"])(frames)
    codes = adversarial(np.random.default_rng(3), 40, 48, 16)[4:7]
    for name, values in exported.call(codes).items():
        np.testing.assert_array_equal(values, score(codes)[name])
