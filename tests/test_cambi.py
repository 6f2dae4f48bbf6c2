import functools

import jax
import jax.export
import jax.numpy as jnp
import numpy as np
import pytest

from jaxvqa._ops.topk import means_of_largest
from jaxvqa.features._cambi import counts as banding
from jaxvqa.features._cambi import sheet
from jaxvqa.features._cambi.feature import CAMBI as FEATURE
from jaxvqa.features._cambi.feature import cambi, cambi_heatmaps
from jaxvqa.features._cambi.tables import contrasts, geometries
from tests import clips, tolerances
from tests.oracles import cambi as oracle
from tests.programs import quick

V1 = {"high_res_speedup": 1080, "max_val": 17.0, "vis_lum_threshold": 0.06}
RUNS = {
    "feature:cambi=full_ref=true": {"full_ref": True},
    "feature:cambi=enc_width=320:enc_height=180:enc_bitdepth=8": {
        "enc_width": 320, "enc_height": 180, "enc_bitdepth": 8,
    },
    "feature:cambi=window_size=31": {"window_size": 31},
    "feature:cambi=topk=0.2": {"topk": 0.2},
    "feature:cambi=tvi_threshold=0.03": {"tvi_threshold": 0.03},
    "feature:cambi=max_log_contrast=3": {"max_log_contrast": 3},
    "feature:cambi=eotf=pq": {"eotf": "pq"},
}  # fmt: skip


def banded(shape, bit_depth=8, seed=0):
    """Smooth gradients in coarse steps, some noise and a textured patch."""
    rng = np.random.default_rng(seed)
    height, width = shape[-2:]
    y, x = np.mgrid[:height, :width]
    level = 0.2 + 0.12 * np.sin(x / 61 + seed) + 0.1 * np.cos(y / 47) + 0.3 * (x + y > width)
    steps = np.round(level * 220 + 0.3 * (rng.random(shape) < 0.02)) / 256
    steps[..., : height // 4, : width // 5] += 0.2 * rng.random((height // 4, width // 5))
    codes = np.clip(np.floor(steps * (1 << bit_depth)), 0, (1 << bit_depth) - 1)
    return codes.astype(np.uint8 if bit_depth == 8 else np.uint16)


def expected_on(clip, run, suffix, frames):
    printed = clips.golden(clip)[run]
    names = {k.removesuffix(suffix): v[:frames] for k, v in printed.items() if "cambi" in k}
    assert names
    return names


def quickly(ref, dis, **options):
    return quick(functools.partial(cambi, **options))(ref, dis)


def check_golden(clip, run, frames=None, **options):
    ref, dis = (p.luma_only() for p in clips.load(clip))
    ref, dis = jax.tree.map(lambda y: y[:frames], (ref, dis))
    found = (quickly if options else jax.jit(cambi))(ref, dis, **options)
    suffix = FEATURE.resolve(options).suffix
    expected = expected_on(clip, run, suffix, frames)
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        assert found[name].dtype == np.float32
        np.testing.assert_allclose(found[name], values, rtol=0, atol=tolerances.CAMBI)


@pytest.mark.parametrize("run", RUNS)
def test_matches_libvmaf_with_options(run):
    check_golden("bunny_640x360", run, 2, **RUNS[run])


@pytest.mark.parametrize("clip", clips.CLIPS)
def test_matches_libvmaf(clip):
    check_golden(clip, "feature:cambi", 4)


def test_matches_libvmaf_as_vmaf_v1_asks():
    check_golden("bunny_353x289_444_odd", "model:vmaf_v1.0.16_3d0h", **V1)


@pytest.mark.parametrize(
    "shape, bit_depth, options",
    [
        ((97, 219), 8, {"vis_lum_threshold": 0.06}),
        (
            (97, 219), 16,
            {"enc_bitdepth": 8, "max_log_contrast": 3, "window_size": 127, "topk": 0.3,
             "tvi_threshold": 0.01, "vis_lum_threshold": 0.3, "eotf": "pq"},
        ),
        ((240, 321), 12, {"enc_width": 217, "enc_height": 151}),
        ((480, 4320), 8, {"high_res_speedup": 1080, "window_size": 31}),
        ((5, 216), 9, {"max_log_contrast": 1}),
    ],
)  # fmt: skip
def test_matches_oracle(shape, bit_depth, options):
    dis = banded((1, *shape), bit_depth)
    found = quickly(dis, dis, bit_depth=bit_depth, **options)["cambi"]
    expected = oracle.score(dis[0], bit_depth, **options)
    assert expected > 0.01  # banding was seen
    np.testing.assert_allclose(found, [expected], rtol=tolerances.CAMBI_RELATIVE)


def test_full_reference_with_other_source_size_matches_oracle():
    ref, dis = banded((1, 230, 340), seed=1), banded((1, 230, 340), seed=2)
    sizes = {"enc_width": 240, "enc_height": 160}
    found = quickly(ref, dis, full_ref=True, src_width=320, src_height=210, **sizes)
    before = oracle.score(ref[0], 8, src_size=(210, 320), **sizes)
    after = oracle.score(dis[0], 8, **sizes)
    close = functools.partial(np.testing.assert_allclose, rtol=tolerances.CAMBI_RELATIVE)
    close(found["cambi_source"], [before])
    close(found["cambi"], [after])
    np.testing.assert_allclose(
        found["cambi_full_reference"], [max(after - before, 0)], atol=tolerances.CAMBI
    )


@pytest.mark.parametrize("half, reach", [(0, 1), (1, 4), (8, 2), (16, 4), (32, 1)])
def test_counting_forms_match_oracle_bit_for_bit(half, reach):
    rng = np.random.default_rng(half)
    codes = (rng.integers(90, 99, (70, 151)) + np.arange(151) // 40).astype(np.int16)
    taking_part = rng.random(codes.shape) < 0.7
    bands = [(d, 91 + d, 100) for d in range(1, reach + 1)]
    expected = oracle.responses(codes.astype(int), taking_part, half, bands)
    masked = jnp.asarray(np.where(taking_part, codes, sheet.SKIP).astype(np.int16))
    settings = [banding.Contrast(*band) for band in bands]

    @quick
    def both(masked):
        columns = banding.response_by_columns(masked, half, settings)
        return columns, banding.response_by_offsets(masked, half, settings)

    columns, offsets = both(masked)
    assert expected.max() > 0 or half == 0  # a single pixel has no neighbours
    np.testing.assert_array_equal(columns, expected)
    np.testing.assert_array_equal(offsets, expected)


def test_pictures_on_one_sheet_do_not_meet():
    rng = np.random.default_rng(3)
    shapes = ((9, 20), (5, 10), (3, 5), (2, 3))
    pictures = [jnp.asarray(rng.integers(1, 5, s), jnp.int16) for s in shapes]
    bands = [(1, 0, 9), (2, 0, 9)]

    @quick
    def responses(pictures):
        codes = sheet.lay_out(pictures, 3, sheet.SKIP)
        found = banding.response(codes, 3, [banding.Contrast(*band) for band in bands])
        return sheet.cut_out(found, shapes, 3)

    found = responses(pictures)
    for picture, values in zip(pictures, found, strict=True):
        expected = oracle.responses(
            np.asarray(picture, int), np.ones(picture.shape, bool), 3, bands
        )
        np.testing.assert_array_equal(values, expected)


@pytest.mark.parametrize("count", [1, 7, 200, 480, 600])
@pytest.mark.parametrize("levels", [3, 10_000])
def test_means_of_largest_match_sort(count, levels):
    rng = np.random.default_rng(count)

    def picture(height, width):
        values = rng.integers(-levels // 4, levels, (height, width))
        return np.maximum(values, 0).astype(np.float32) * 0.37

    def expected(x, count):
        return np.sort(x.ravel())[x.size - count :].astype(float).mean()

    x, small = picture(20, 30), picture(9, 11)
    alone = np.ones((1, 30), bool)
    # beside a second picture, which is decided at another time, with a gap and rows to spare
    both = np.zeros((20, 46), np.float32)
    both[:, :30], both[:9, 33:44] = x, small
    owners = np.zeros((2, 46), bool)
    owners[0, :30] = owners[1, 33:44] = True
    with jax.enable_x64(True):
        one = means_of_largest(jnp.asarray(x), alone, [count], float(x.max()))
        two = means_of_largest(jnp.asarray(both), owners, [count, 40], float(both.max()))
    np.testing.assert_allclose(one, [expected(x, count)], rtol=tolerances.FLOAT64_SUM)
    np.testing.assert_allclose(
        two, [expected(x, count), expected(small, 40)], rtol=tolerances.FLOAT64_SUM
    )


def test_visibility_tables():
    tops = lambda **o: [c.high for c in contrasts(FEATURE.resolve(o))]  # noqa: E731
    assert tops(max_log_contrast=3) == [178, 305, 432, 559, 686, 813, 1023, 1023]
    assert tops(eotf="pq") == [233, 1023, 1023, 1023]
    assert tops(cambi_eotf="pq") == tops(eotf="pq")
    for eotf in ("bt1886", "pq"):
        for tvi in (0.001, 0.019, 0.03, 0.4):
            options = {"eotf": eotf, "tvi_threshold": tvi, "max_log_contrast": 5}
            assert tops(**options) == oracle.thresholds(32, tvi, eotf)
    lows = [c.low for c in contrasts(FEATURE.resolve({"cambi_vis_lum_threshold": 0.06}))]
    assert lows == [78 - 4 - d + 1 for d in range(1, 5)]


def test_window_sizes():
    def window(height, width, **options):
        return geometries(height, width, FEATURE.resolve(options))[0].window

    assert window(2160, 3840) == 65
    assert window(1080, 1920) == 33
    assert window(1080, 1920, high_res_speedup=1080) == 17
    assert window(720, 1280, high_res_speedup=1080) == 21
    assert window(324, 576) == 9


# one program for several tests
full_reference = quick(functools.partial(cambi, full_ref=True))


def test_identity_flat_black_and_saturated():
    frames = np.zeros((3, 90, 220), np.uint8)
    frames[1], frames[2] = 128, 255
    found = full_reference(frames, frames)
    for values in found.values():
        np.testing.assert_array_equal(values, np.zeros(3))


def test_equal_videos_add_no_banding():
    frames = banded((3, 90, 220))
    found = full_reference(frames, frames)
    assert found["cambi"].min() > 0
    np.testing.assert_array_equal(found["cambi"], found["cambi_source"])
    # equal up to the order of the float64 sums
    assert np.abs(found["cambi_full_reference"]).max() < tolerances.FLOAT64_SUM


def test_jit_vmap_and_chunks_give_the_same_bits():
    frames = np.stack([banded((2, 60, 220), seed=s) for s in range(2)])
    plain = lambda y: cambi(y, y)["cambi"]  # noqa: E731
    fn = quick(plain)
    whole = np.stack([fn(clip) for clip in frames])
    assert (whole > 0).all()
    np.testing.assert_array_equal(quick(jax.vmap(jax.jit(plain)))(frames), whole)
    np.testing.assert_array_equal(cambi(frames[0], frames[0])["cambi"], whole[0])
    chunks = [fn(frames[0, i : i + 1]) for i in range(2)]
    np.testing.assert_array_equal(np.concatenate(chunks), whole[0])


def test_limit():
    frames = banded((1, 90, 220))
    limit = float(quickly(frames, frames)["cambi"][0]) / 2
    found = quickly(frames, frames, max_val=limit)["cambi"]
    np.testing.assert_array_equal(found, np.full(1, limit, np.float32))


def test_heatmaps_are_the_oracles_responses():
    frame = banded((97, 219))
    expected, window = oracle.scales(frame, 8, frame.shape)
    plain, coded = quick(lambda y: (cambi_heatmaps(y), cambi_heatmaps(y, coded=True)))(frame)
    assert len(plain) == len(coded) == 5
    for values, integers, wanted in zip(plain, coded, expected, strict=True):
        np.testing.assert_array_equal(values[0], wanted)
        assert integers.dtype == np.uint16
        scaled = 65535 * wanted.astype(float) / (4 * window**2 / 4)
        # float32 may fall on the other side of a whole number
        assert np.abs(np.asarray(integers[0], float) - np.floor(scaled)).max() <= 1


@pytest.mark.parametrize("platform", ["cpu", "cuda", "tpu"])
def test_exports(platform):
    fn = jax.jit(lambda y: cambi(y, y, bit_depth=10))
    frames = jax.ShapeDtypeStruct((2, 60, 220), np.uint16)
    exported = jax.export.export(fn, platforms=[platform])(frames)
    assert exported.out_avals[0].dtype == np.float32


def test_unfit_input():
    small = np.zeros((1, 100, 215), np.uint8)
    with pytest.raises(ValueError, match="at least 216"):
        cambi(small, small)
    frames = np.zeros((1, 300, 400), np.uint8)
    with pytest.raises(TypeError, match="uint8 or uint16"):
        cambi(frames.astype(np.float32), frames.astype(np.float32), bit_depth=8)
    with pytest.raises(ValueError, match="in both directions"):
        cambi(frames, frames, enc_width=390, enc_height=200, src_width=350, src_height=250)
    wide = np.zeros((1, 2160, 3840), np.uint8)
    with pytest.raises(ValueError, match="lower window_size"):
        cambi(wide, wide, window_size=127)
    with pytest.raises(ValueError, match="has no option 'windows'"):
        cambi(frames, frames, windows=3)


def test_encode_larger_than_the_picture_is_ignored():
    options = FEATURE.resolve({"enc_width": 1920, "enc_height": 200})
    encoded, _ = geometries(240, 320, options)
    assert (encoded.height, encoded.width) == (240, 320)
    assert FEATURE.resolve({"hrs": 1080, "cmxv": 17, "vlt": 0.06}).suffix == (
        "_hrs_1080_cmxv_17_vlt_0.06"
    )
