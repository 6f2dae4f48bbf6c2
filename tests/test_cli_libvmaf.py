"""Command lines of libvmaf's `vmaf`, pasted behind `jaxvqa score`."""

import json
import re

import numpy as np
import pytest

import jaxvqa
from jaxvqa._cli import score as command
from jaxvqa._cli.libvmaf_options import AOM_CTC, INSTEAD, NFLX_CTC
from jaxvqa._cli.main import main
from jaxvqa._cli.runtime import choose_devices
from jaxvqa._scoring.plan import make_plan
from jaxvqa._scoring.result import ClipInfo
from tests.clips import DATA, textured

KEYS = json.loads((DATA / "libvmaf_test_conditions.json").read_text())["keys"]
SETS = [("--aom_ctc", v) for v in AOM_CTC] + [("--nflx_ctc", v) for v in NFLX_CTC]
MOTION = ["--no_prediction", "--feature", "float_motion"]


@pytest.fixture(scope="module")
def result():
    rng = np.random.default_rng(0)
    ref, dis = textured(rng, (2, 3, 48, 64))
    return jaxvqa.score(ref, dis, model=None, features=["float_motion"])


@pytest.fixture
def jv(monkeypatch, capsys, tmp_path, result):
    """Runs `jaxvqa score` without scoring; gives exit code, both streams and the request."""
    monkeypatch.setenv("JAXVQA_CACHE", "off")
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        asked = []

        def record(ref, dis, request, **_):
            asked.append((ref, dis, request))
            return result

        monkeypatch.setattr(command, "score_request", record)
        for name in ("configure", "choose_devices"):  # this machine may lack a GPU
            monkeypatch.setattr(command.runtime, name, lambda *_: None)
        code = main(["score", *arguments])
        return code, *capsys.readouterr(), asked[0] if asked else None

    return run


def shown_keys(request):
    """Names of all series that a request gives, and of numbers of the clip."""
    plan = make_plan(request, ClipInfo(480, 270, 8, "420"))
    frames = {use.name for use in plan.models}
    for extraction in plan.extractions:
        options = extraction.options
        outputs = extraction.feature.outputs(options)
        frames |= {output.name + options.suffix for output in outputs if output.shown}
    return frames


@pytest.mark.parametrize("flag, version", SETS)
def test_test_conditions_have_the_keys_of_the_tool(jv, flag, version):
    code, _, err, asked = jv("-r", "a.y4m", "-d", "b.y4m", flag, version, "--json")
    assert (code, err) == (0, "")
    expected = KEYS[f"{flag[2:]} {version}"]
    assert shown_keys(asked[2]) == set(expected["frames"])
    assert any("enable_apsnr=true" in feature for feature in asked[2].features)
    assert expected["aggregate"] == ["apsnr_cb", "apsnr_cr", "apsnr_y"]


def test_scale_of_ssim_in_the_newest_conditions(jv):
    asked = jv("a.y4m", "b.y4m", "--aom_ctc", "v7.0", "--feature", "cambi", "-m", "vmaf_v1")[3]
    assert "float_ssim=scale=1:enable_db=true:clip_db=true" in asked[2].features
    # what else is asked for comes behind
    assert asked[2].features[-1] == "cambi"
    assert asked[2].models[-1] == "vmaf_v1"


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        (["--aom_ctc", "v8.0"], "invalid choice: 'v8.0' (choose from"),
        (["-n"], "--no-model leaves nothing to measure: add --feature NAME."),
        (["--precision", "0"], "must be a whole number from 1 to 17, or max; got '0'"),
        (
            ["--precision", "9"],
            "--precision is for files: add --output FILE, or --json for stdout.",
        ),
        (["--precision", "9", "-o", "a.parquet"], "Parquet holds full precision."),
        (["--backend", "cuda"], "there is no option --backend: write --device cpu or"),
        (["--phone-model"], "--phone-model: write --model version=vmaf_v0.6.1:enable_transform."),
        # getopt completes these, and would take another one tomorrow
        (["--dist", "c.y4m"], "there is no option --dist: did you mean --distorted?"),
        (["--frame_skip_d", "1"], "--frame-skip-d: did you mean --frame-skip-dist?"),
        # --color is of videos
        (["--no-color"], "there is no option --no-color (see jaxvqa score --help)."),
    ],
)
def test_what_is_not_taken_is_answered(jv, arguments, sentence):
    code, out, err, _ = jv("a.y4m", "b.y4m", *arguments)
    assert (code, out) == (2, "")
    assert sentence in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    "model",
    ["version=vmaf_v0.6.1", "vmaf_v0.6.1neg", "vmaf_v1", "vmaf_b_v0.6.3:adm.adm_csf_mode=2"],
)
def test_without_prediction_a_model_gives_its_features(jv, model):
    pair = ["-r", "a.y4m", "-d", "b.y4m", "-m", model]
    asked = [jv(*pair, *more, "--feature", "cambi=topk=0.2")[3][2] for more in ([], ["-n"])]
    plans = [make_plan(request, ClipInfo(480, 270, 8, "420")) for request in asked]
    assert [bool(plan.models) for plan in plans] == [True, False]
    assert [{e.key for e in plan.extractions} for plan in plans] == [
        {e.key for e in plans[0].extractions}
    ] * 2
    assert shown_keys(asked[1]) == shown_keys(asked[0]) - {"vmaf"}


def test_conditions_without_prediction_have_all_but_their_scores(jv):
    asked = jv("a.y4m", "b.y4m", "--aom_ctc", "v3.0", "--no_prediction")[3][2]
    assert shown_keys(asked) == set(KEYS["aom_ctc v3.0"]["frames"]) - {"vmaf", "vmaf_neg"}


@pytest.mark.parametrize(
    "models, names",
    [
        (["version=vmaf_v0.6.1", "version=vmaf_b_v0.6.3:name=b"], ["vmaf", "b"]),
        (["vmaf_v0.6.1neg", "version=vmaf_v0.6.1:name=vmaf"], ["vmaf_v0.6.1neg", "vmaf"]),
        # the tool refuses several without names
        (["vmaf_v0.6.1", "vmaf_v0.6.1neg"], ["vmaf_v0.6.1", "vmaf_v0.6.1neg"]),
    ],
)
def test_names_of_several_models(jv, models, names):
    options = [word for model in models for word in ("-m", model)]
    plan = make_plan(jv("a.y4m", "b.y4m", *options)[3][2], ClipInfo(480, 270, 8, "420"))
    assert [use.name for use in plan.models] == names


@pytest.mark.parametrize("advice", sorted(set(INSTEAD.values())))
def test_advice_is_taken(jv, advice):
    for choice in re.sub(r"\b(FILE|N)\b", "1", advice).split(" or "):
        words = [word for word in choice.rstrip(",").split() if word != "json,"]
        if words[0] == "--format" or not words[0].startswith("--"):
            words = ["--format", words[-1]]
        assert jv("a.y4m", "b.y4m", *words)[0] == 0, words


def test_masks_change_nothing_and_say_so(jv):
    code, _, err, asked = jv(
        "--reference", "a.yuv", "--distorted", "b.yuv", "--width", "64", "--height", "48",
        "--pixel_format", "420", "--bitdepth", "8", *MOTION, "--threads", "1", "--subsample", "2",
        "--frame_cnt", "5", "--frame_skip_ref", "1", "--frame_skip_dist", "2", "--cpumask", "0x3f",
        "--gpumask", "1", "--quiet", "--csv", "--output", "o.csv",
    )  # fmt: skip
    assert code == 0
    assert [line.partition(" changes")[0] for line in err.splitlines()] == [
        "warning: --cpumask", "warning: --gpumask",
    ]  # fmt: skip
    ref, dis, request = asked
    inputs = request.inputs
    assert (ref, dis, request.subsample, inputs.frame_count) == ("a.yuv", "b.yuv", 2, 5)
    assert (inputs.skip_ref, inputs.skip_dis, inputs.bit_depth) == (1, 2, 8)


def test_zero_is_as_if_not_given(jv):
    zeros = ["--threads", "0", "--subsample", "0", "--frame_cnt", "0"]
    code, _, err, asked = jv("a.y4m", "b.y4m", *MOTION, *zeros, "-q")
    assert (code, err) == (0, "")
    request = asked[2]
    assert (request.subsample, request.inputs.frame_count) == (1, None)
    assert choose_devices(None, 0) is None
    for flag in ("--threads", "--subsample", "--frame_cnt"):
        assert jv("a.y4m", "b.y4m", *MOTION, flag, "-1")[0] == 2


def test_version(jv):
    for flag in ("-v", "--version"):
        assert jv(flag)[:2] == (0, f"jaxvqa {jaxvqa.__version__}\n")


def test_subtitles(jv, result, tmp_path):
    """The layout that libvmaf f85a853 writes with --sub."""
    assert jv("a.y4m", "b.y4m", *MOTION, "--sub", "-o", "o.sub", "-q")[0] == 0
    lines = (tmp_path / "o.sub").read_text().splitlines()
    assert len(lines) == 3
    values = "".join(f"{name}: {values[1]:.6f}|" for name, values in result.frames.items())
    assert lines[1] == f"{{1}}{{2}}frame: 1|{values}"


@pytest.mark.parametrize("file_format", ["json", "csv", "xml", "sub"])
def test_precision(jv, result, tmp_path, file_format):
    value = float(result.frames["motion"][1])
    texts = {"9": f"{value:.9g}", "max": f"{value:.17g}", "legacy": f"{value:.6f}"}
    assert len(set(texts.values())) == 3
    for precision, text in texts.items():
        wanted = ["--precision", precision, f"--{file_format}", "-o", "o", "-q"]
        code, out, _, _ = jv("a.y4m", "b.y4m", *MOTION, *wanted)
        assert code == 0
        content = (tmp_path / "o").read_text()
        assert re.search(rf"(?<![\d.]){re.escape(text)}(?![\d.])", content)
        assert out.split()[1] == (
            f"{result.pooled['motion']['mean']:.6f}" if precision == "legacy"
            else f"{result.pooled['motion']['mean']:.{17 if precision == 'max' else 9}g}"
        )  # fmt: skip
