import dataclasses
import json

import jax
import numpy as np
import pytest

import jaxvqa
from jaxvqa import Planes
from jaxvqa._ops import tiling
from jaxvqa._planes import picture_form
from jaxvqa._scoring.auto import choose_model
from jaxvqa._scoring.clip import open_clips
from jaxvqa._scoring.engine import Engine
from jaxvqa._scoring.plan import Extraction, make_plan
from jaxvqa._scoring.request import ScoreRequest
from jaxvqa._scoring.result import ClipInfo
from jaxvqa._scoring.schedule import chunk_policy
from jaxvqa.features import FEATURES
from jaxvqa.video._inputs import InputOptions
from tests import clips, tolerances
from tests.fusion_files import libvmaf_file

CLIP = "bunny_320x180_422_10b"


@pytest.fixture(scope="module")
def integer_models():
    """One run of the default family on files: the extractors compile once for all of them."""
    return jaxvqa.score(
        clips.path(CLIP, "ref"),
        clips.path(CLIP, "dis"),
        model=["vmaf_v0.6.1", "vmaf_v0.6.1:name=phone:enable_transform", "vmaf_b_v0.6.3"],
    )


def compare(frames, run, tolerance, rename):
    for name, expected in clips.golden(CLIP)[run].items():
        key = rename + name[4:] if name.startswith("vmaf") else name
        np.testing.assert_allclose(
            frames[key], np.array(expected, float), rtol=0, atol=tolerance, err_msg=name
        )


def test_integer_models_match_libvmaf(integer_models):
    frames = integer_models.frames
    compare(frames, "model:vmaf_v0.6.1", tolerances.INTEGER_SCORE, "vmaf_v0.6.1")
    compare(frames, "model:vmaf_v0.6.1:phone", tolerances.INTEGER_SCORE, "phone")
    compare(frames, "model:vmaf_b_v0.6.3", tolerances.INTEGER_SCORE, "vmaf_b_v0.6.3")
    assert integer_models.score_names == ("vmaf_v0.6.1", "phone", "vmaf_b_v0.6.3")
    assert integer_models.score == integer_models.pooled["vmaf_v0.6.1"]["mean"]
    assert integer_models.warnings == ()


def test_progress_knows_how_many_pairs_containers_announce():
    frames = len(next(iter(clips.golden(CLIP)["model:vmaf_v0.6.1"].values())))
    sides = clips.path(CLIP, "ref"), clips.path(CLIP, "dis")
    for wanted, there in ((None, frames), (frames + 5, frames), (3, 3)):
        with open_clips(*sides, InputOptions(frame_count=wanted)) as clip:
            assert (clip.frame_count, clip.length) == (None, there)


def test_shared_features_run_once():
    models = ["vmaf_v0.6.1", "vmaf_4k_v0.6.1", "vmaf_v0.6.1neg"]
    request = ScoreRequest(model=models, features=["vif", "adm=debug=true"])
    plan = make_plan(request, ClipInfo(640, 360, 8, "420"))
    assert [(e.feature.name, e.options.suffix) for e in plan.extractions] == [
        ("adm", ""), ("motion", ""), ("vif", ""), ("adm", "_egl_1"), ("vif", "_egl_1"),
    ]  # fmt: skip
    # switches that only add outputs are merged, not dropped
    assert plan.extractions[0].options.debug


@pytest.mark.parametrize("asked", [{"model": "vmaf_v1"}, {"model": None, "features": ["cambi"]}])
def test_what_files_say_of_an_encode_is_never_refused(asked):
    def planned(encoded, **said):
        clip = ClipInfo(1920, 1080, 10, "420", encoded=encoded)
        plan = make_plan(ScoreRequest(**asked, **said), clip)
        plan.check(picture_form(1080, 1920, "420", 10))
        (options,) = (e.options for e in plan.extractions if e.feature.name == "cambi")
        told = [notice.text for notice in plan.notices if notice.code == "left-out"]
        return (options.enc_width, options.enc_height, options.enc_bitdepth), told

    assert planned((640, 360, 8)) == ((640, 360, 8), [])
    for size, why in (
        ((160, 90), "enc_width must lie between 180 and 7680, got 160."),
        ((256, 144), "enc_height must lie between 150 and 7680, got 144."),
        ((200, 160), "side of at least 216 samples, got 200x160."),
    ):
        filled, (notice,) = planned((*size, 8))
        assert filled == (0, 0, 8)
        assert notice.startswith("cambi goes without the size that the distorted video has in its")
        assert notice.endswith(why)
        # what is stated counts, and is refused
        assert planned((*size, 8), encode_size=(640, 360)) == ((640, 360, 8), [])
        with pytest.raises(ValueError, match=why):
            planned(None, encode_size=size)
    with pytest.raises(ValueError, match="enc_bitdepth must lie between 6 and 16, got 32"):
        planned((640, 360, 8), encode_bitdepth=32)


@pytest.mark.parametrize(
    ("plain", "other", "output", "suffix"),
    [
        ("adm", "adm=adm_skip_aim=true", "integer_aim", "_adm_skip_aim_"),
        ("float_adm", "float_adm=adm_skip_aim=true", "aim", "_adm_skip_aim_"),
    ],
)
def test_options_without_an_alias_keep_their_values_apart(plain, other, output, suffix):
    cropped = (np.asarray(video.y)[:2, :64, :64] for video in clips.load(CLIP))
    ref, dis = (Planes(y, bit_depth=10) for y in cropped)
    single = [
        jaxvqa.score(ref, dis, model=None, features=[f]).frames[output] for f in (plain, other)
    ]
    assert (single[0] > 0).all()
    assert (single[1] == 0).all()
    for order in ((0, 1), (1, 0)):
        both = [(plain, other)[i] for i in order]
        result = jaxvqa.score(ref, dis, model=None, features=both)
        named = [output, f"{output}{suffix}{order[1]}"]
        for place, i in enumerate(order):
            assert named[place] in result.requested[place].outputs
            np.testing.assert_array_equal(result.frames[named[place]], single[i])


def test_every_option_that_decides_values_keeps_extractions_apart():
    """Two requests of a feature share a run only if they differ in switches that add outputs."""
    for feature in FEATURES.values():
        plain = feature.options()
        for option in feature.options.spec():
            given = not option.default if isinstance(option.default, bool) else option.high
            if option.choices is not None:
                given = next((c for c in option.choices if c != option.default), None)
            if given is None or given == option.default:
                continue
            try:
                other = plain.replace(**{option.python: option.parse(given)})
            except ValueError:  # a value that another option must go with
                continue
            apart = Extraction(feature, plain).key != Extraction(feature, other).key
            assert apart is not option.adds_outputs, (feature.name, option.name)


def test_float_model_and_float_twin_match_libvmaf():
    ref, dis = clips.load(CLIP)
    result = jaxvqa.score(ref, dis, model=["vmaf_float_v0.6.1", "vmaf_v0.6.1"], arithmetic="float")
    compare(result.frames, "model:vmaf_float_v0.6.1", tolerances.FLOAT_SCORE, "vmaf_float_v0.6.1")
    expected = clips.golden(CLIP)["model:vmaf_v0.6.1"]["vmaf"]
    gap = np.abs(result.frames["vmaf_v0.6.1"] - expected).max()
    assert gap < tolerances.FLOAT_TWIN_SCORE
    assert gap > 0  # it really is the other arithmetic
    assert result.notices[0].code == "float-twins"


def test_vmaf_v1_matches_libvmaf():
    result = jaxvqa.score(clips.path(CLIP, "ref"), clips.path(CLIP, "dis"), model="vmaf_v1")
    compare(result.frames, "model:vmaf_v1.0.16_3d0h", tolerances.V1_SCORE, "vmaf")
    assert set(result.frames) == set(clips.golden(CLIP)["model:vmaf_v1.0.16_3d0h"])


MOTION = {"model": None, "features": ["float_motion", "motion=motion_five_frame_window=true"]}


@pytest.fixture(scope="module")
def moving():
    rng = np.random.default_rng(0)
    return Planes(clips.textured(rng, (45, 48, 40)))


def test_chunks_devices_and_whole_agree(moving):
    assert jax.device_count() == 2
    both = jaxvqa.score(moving, moving, **MOTION)
    one = jaxvqa.score(moving, moving, devices=jax.devices()[:1], **MOTION)
    whole = jaxvqa.features.motion(moving, moving)
    assert chunk_policy(48 * 40, jax.devices()[:1], None)[1] < 45  # several chunks
    for name in both.frames:
        np.testing.assert_array_equal(both.frames[name], one.frames[name])
    np.testing.assert_array_equal(both.frames["motion2"], whole["motion2"])


def test_compiler_options_are_known_or_left_out(moving):
    from jaxvqa._scoring import engine
    from jaxvqa.features._feature import XLA_FAST_COMPILE
    from jaxvqa.features._motion.float_motion import FLOAT_MOTION as FEATURE

    # else what asks for these options takes longer to compile, and nothing says so
    jax.jit(jax.lax.neg).lower(1.0).compile(compiler_options=dict(XLA_FAST_COMPILE))
    gone = (("xla_of_another_year", True),)
    feature = dataclasses.replace(FEATURE, cpu_compiler=gone)
    run = engine.Engine(
        [engine.Extraction(feature, feature.resolve({}))], 8, jax.devices()[:1], chunk_frames=2
    )
    for frame in moving.y[:4]:
        run.feed((frame,), (frame,))
    assert len(run.finish()[0]["raw"]) == 4


class Counted:
    """Counts the frames that a feature's loop works on."""

    def __init__(self):
        self.frames = 0

    def extract(self, ref, dis, options):
        def frame(y):
            jax.debug.callback(self._count)
            return y.astype(np.float32).mean()

        return {"mean": tiling.map_frames(frame, ref.y)}

    def _count(self):
        self.frames += 1


@pytest.mark.parametrize("devices", [1, 2])
@pytest.mark.parametrize("known", [True, False])
def test_no_frame_is_computed_in_vain(moving, devices, known):
    from jaxvqa.features._feature import Feature, Output

    counted = Counted()
    feature = Feature(
        name="counted", summary="", outputs=lambda options: (Output("mean", "neither", 0.0),),
        extract=counted.extract,
    )  # fmt: skip
    request = Extraction(feature, feature.resolve({}))
    for count in (45, 33, 1):
        counted.frames = 0
        run = Engine([request], 8, jax.devices()[:devices], count if known else None)
        for frame in moving.y[:count]:
            run.feed((frame,), (frame,))
        (series,) = run.finish()
        jax.effects_barrier()
        assert counted.frames == count
        np.testing.assert_allclose(series["mean"], moving.y[:count].mean((1, 2)), rtol=1e-6)


@pytest.mark.parametrize("announced", [None, 1, 9])
def test_files_are_read_into_their_chunks(tmp_path, monkeypatch, moving, announced):
    from tests.test_video_formats import make_planes, write_clip

    stacks = make_planes(np.random.default_rng(0), 48, 40, "420", 8, frames=37)
    path = tmp_path / "clip.mkv"
    write_clip(path, "ffv1", "yuv420p", 48, 40, stacks, 8)
    arrays = Planes(*stacks)
    options = {"model": None, "features": ["float_motion"]}
    if announced is not None:  # a container may announce another length
        monkeypatch.setattr(
            "jaxvqa.video._decode.av_reader.AvReader._frames_by_duration", lambda *_: announced
        )
        monkeypatch.setattr("jaxvqa.video._container.scan.scan", lambda *_, **__: None)
    for skip in (0, 1, 30):
        found = jaxvqa.score(path, path, skip_ref=skip, skip_dis=skip, **options)
        wanted = jaxvqa.score(arrays, arrays, skip_ref=skip, skip_dis=skip, **options)
        for name, values in wanted.frames.items():
            np.testing.assert_array_equal(found.frames[name], values)


def test_runs_are_deterministic(moving):
    first, second = (jaxvqa.score(moving, moving, **MOTION) for _ in range(2))
    for name, values in first.frames.items():
        np.testing.assert_array_equal(values, second.frames[name])


def test_subsample_reads_all_frames_for_motion(moving):
    features = ["float_motion", "float_adm"]
    full = jaxvqa.score(moving, moving, model=None, features=features, frame_count=7)
    third = jaxvqa.score(moving, moving, model=None, features=features, frame_count=7, subsample=3)
    np.testing.assert_array_equal(third.frame_numbers, [0, 3, 6])
    for name in full.frames:
        np.testing.assert_allclose(third.frames[name], full.frames[name][::3], atol=1e-6)


def test_frame_selection_and_length_policy(moving):
    short = Planes(moving.y[:5])
    with pytest.raises(ValueError, match="has 5 frames, but the reference has 45"):
        jaxvqa.score(moving, short, **MOTION)
    cut = jaxvqa.score(moving, short, on_length_mismatch="truncate", **MOTION)
    assert len(cut.frame_numbers) == 5
    assert "the last 40 frames of the reference" in cut.warnings[0]
    late = jaxvqa.score(moving, moving, skip_ref=1, skip_dis=1, frame_count=4, **MOTION)
    same = jaxvqa.score(moving.y[1:5], moving.y[1:5], **MOTION)
    np.testing.assert_array_equal(late.frames["motion"], same.frames["motion"])


def test_an_offset_of_arrays(moving):
    y, same = moving.y[:8], jaxvqa.score(moving.y[2:8], moving.y[:6], **MOTION)
    for offset, fps in ((2, None), ("0.08s", 25)):
        found = jaxvqa.score(y, y, offset=offset, fps=fps, **MOTION)
        np.testing.assert_array_equal(found.frames["motion"], same.frames["motion"])
        assert found.warnings == (
            "the first 2 frames of the reference and the last 2 frames of the distorted video had "
            "no partner and were not scored.",
        )
    back = jaxvqa.score(y, y, offset=-2, **MOTION)
    later = jaxvqa.score(y[:6], y[2:], **MOTION)
    np.testing.assert_array_equal(back.frames["motion"], later.frames["motion"])
    with pytest.raises(ValueError, match="must leave frames of clips with 8 and 8"):
        jaxvqa.score(y, y, offset=8, **MOTION)
    with pytest.raises(ValueError, match="needs fps"):
        jaxvqa.score(y, y, offset="1s", **MOTION)
    with pytest.raises(ValueError, match="no frames to skip"):
        jaxvqa.score(y[0], y[0], skip_ref=1, **MOTION)


@pytest.mark.parametrize(
    "option",
    [
        {"crop": (32, 32, 0, 0)}, {"crop": "auto"}, {"scale": (64, 64)}, {"at": "1080p"},
        {"pair": "time"}, {"deinterlace": "bwdif"}, {"width": 64}, {"ref_stream": 0},
        {"absolute_time": True}, {"offset": "auto"},
    ],
)  # fmt: skip
def test_arrays_refuse_what_only_files_take(moving, option):
    with pytest.raises(ValueError, match=f"{next(iter(option))}.* files"):
        jaxvqa.score(moving, moving, **MOTION, **option)


def test_one_program_serves_a_clip_and_the_next(moving):
    import chex

    from jaxvqa._scoring import engine
    from jaxvqa.features._motion.float_motion import FLOAT_MOTION as FEATURE

    traced = chex.assert_max_traces(FEATURE.extract, n=1)
    feature = dataclasses.replace(FEATURE, name="counted", extract=traced)
    request = engine.Extraction(feature, feature.resolve({}))
    for _ in range(2):
        run = engine.Engine([request], 8, jax.devices()[:1], chunk_frames=4)
        for frame in moving.y[:10]:
            run.feed((frame,), (frame,))
        assert len(run.finish()[0]["raw"]) == 10


def test_sets_that_share_names_stay_apart(moving):
    y = moving.y[:2]
    chroma = np.full((2, 24, 20), 128, np.uint8)
    video = Planes(y, chroma, chroma)
    features = ["y_funque_plus", "3c_funque_plus"]
    found = jaxvqa.score(video, video, model=None, features=features)
    assert "dlm_channel_y_scale_2" in found.frames
    assert "3c_funque_plus.dlm_channel_y_scale_2" in found.frames
    # every output belongs to one of the two
    first, second = found.requested
    assert ([first.text, second.text], {first.kind, second.kind}) == (features, {"feature"})
    assert (*first.outputs, *second.outputs) == tuple(found.frames)
    assert "dlm_channel_y_scale_2" in first.outputs
    assert "3c_funque_plus.dlm_channel_y_scale_2" in second.outputs


def test_requests_own_their_outputs_beside_a_model_and_with_subsample(moving, tmp_path):
    keys = ["VMAF_feature_motion2_score"]
    content = libvmaf_file(np.random.default_rng(0), count=1, feature_names=keys)
    (tmp_path / "mine.json").write_text(json.dumps(content))
    features = ["float_motion", "float_motion=motion_fps_weight=0.5"]
    found = jaxvqa.score(moving, moving, model=tmp_path / "mine.json", features=features,
                         frame_count=5, subsample=2)  # fmt: skip
    model, plain, weighted = found.requested
    assert (model.text, model.kind, model.outputs) == ("mine", "model", ("vmaf",))
    assert (plain.text, plain.outputs) == (features[0], ("motion", "motion2", "motion3"))
    assert (weighted.text, weighted.kind) == (features[1], "feature")
    assert weighted.outputs == tuple(f"{name}_mfw_0.5" for name in plain.outputs)
    owned = {name for one in found.requested for name in one.outputs}
    assert owned == set(found.frames)
    assert {len(x) for x in found.frames.values()} == {3}
    assert list(found.frame_numbers) == [0, 2, 4]


def test_promotion_to_10_bits_multiplies_codes(moving):
    y = moving.y[:3]
    up = jaxvqa.score(y, y, promote_to_10bit=True, **MOTION)
    by_hand = jaxvqa.score(y.astype(np.uint16) * 4, y.astype(np.uint16) * 4, bit_depth=10, **MOTION)
    assert up.clip.bit_depth == 10
    for name in up.frames:
        np.testing.assert_array_equal(up.frames[name], by_hand.frames[name])
    with pytest.raises(ValueError, match="for 8-bit video"):
        jaxvqa.score(by_hand_video(y), by_hand_video(y), promote_to_10bit=True, **MOTION)


def by_hand_video(y):
    return Planes(y.astype(np.uint16) * 4, bit_depth=10)


@pytest.mark.parametrize(
    ("width", "height", "fps", "expected"),
    [
        (1920, 1080, 24.0, "vmaf_v1.0.16_3d0h"),
        (1920, 1080, 59.94, "vmaf_v1.0.16_hfr_3d0h"),
        (1280, 720, None, "vmaf_v1.0.16_3d0h"),
        (3840, 2160, 25.0, "vmaf_v1.0.16_1d5h_2160"),
        (3840, 1600, 50.0, "vmaf_v1.0.16_hfr_1d5h_2160"),
    ],
)
def test_auto_model(width, height, fps, expected):
    name, notice = choose_model(ClipInfo(width, height, 10, "420", fps))
    assert name == expected
    assert expected in notice.text


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"model": "vmaf_v0.6.2"}, "no model named 'vmaf_v0.6.2'"),
        ({"model": None}, "nothing to score"),
        ({"model": None, "features": ["vif_float"]}, "no feature named"),
        ({"model": None, "features": ["float_vif=vif_kernelscale"]}, "option=value"),
        ({"model": None, "features": ["speed_chroma"]}, "needs chroma"),
        ({"subsample": 0}, "subsample must be"),
        ({"frame_count": 0}, "frame_count must be"),
        ({"model": ["vmaf_v0.6.1", "vmaf_v0.6.1"]}, "two models"),
        ({"arithmetic": "exact"}, "auto, float"),
    ],
)
def test_bad_requests(moving, keywords, message):
    with pytest.raises(ValueError, match=message):
        jaxvqa.score(moving, moving, **keywords)


def test_input_of_wrong_type(moving, tmp_path):
    with pytest.raises(TypeError, match="both be files or both be arrays"):
        jaxvqa.score("ref.mkv", moving)
    with pytest.raises(TypeError, match="uint8 or uint16"):
        jaxvqa.score(moving.y.astype(np.float32), moving.y.astype(np.float32), bit_depth=8)
    with pytest.raises(ValueError, match="missing"):
        jaxvqa.score(tmp_path / "missing.mkv", tmp_path / "missing.mkv")


def test_speed_that_is_0_by_definition_is_said():
    rng = np.random.default_rng(0)
    y, u, v = (clips.textured(rng, (2, *s)) for s in ((176, 170), (88, 85), (88, 85)))
    video, other = Planes(y, u, v), Planes(y, v, u)
    result = jaxvqa.score(video, other, model=None, features=["speed_chroma"])
    assert (result.frames["speed_chroma_uv"] == 0).all()
    assert [n.code for n in result.notices] == ["speed-singular"]
    assert "2 of 2 frames" in result.warnings[0]


def test_funque_2022_predicts_impairment_and_says_so():
    ref, dis = clips.load(CLIP)
    result = jaxvqa.score(ref, dis, model="funque_2022", frame_count=2)
    assert result.score_names == ("funque_2022",)
    total = result.frames["funque_2022"] + result.frames["funque_2022_quality"]
    np.testing.assert_allclose(total, 100.0)
    assert "lower scores are better" in result.warnings[0]


def test_planes_replaced_are_checked_anew():
    y, chroma = np.zeros((1, 8, 8), np.uint8), np.zeros((1, 4, 4), np.uint8)
    planes = Planes(y, chroma, chroma)
    brighter = planes.replace(y=y + 1)
    assert brighter.chroma == "420"
    np.testing.assert_array_equal(brighter.y, 1)
    with pytest.raises(ValueError, match="fit no format"):
        planes.replace(y=y[:, :5])


def test_a_64_bit_scope_has_programs_of_its_own():
    y = np.random.default_rng(3).uniform(0, 255, (2, 32, 40))
    wanted = {"model": None, "features": ["float_motion"], "bit_depth": 8}
    outside = jaxvqa.score(y, y[::-1], **wanted).frames["motion"]
    with jax.enable_x64(True):
        inside = jaxvqa.score(y, y[::-1], **wanted).frames["motion"]
    assert outside.dtype == np.float32
    assert inside.dtype == np.float64
    np.testing.assert_allclose(inside, outside, atol=tolerances.FLOAT_MOTION)
