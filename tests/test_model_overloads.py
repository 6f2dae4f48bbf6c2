"""Options of features in a model's text, from Python and from the command line."""

import json

import numpy as np
import pytest

import jaxvqa
from jaxvqa._cli.main import main
from jaxvqa.video import VideoInfo, write_y4m
from tests.clips import textured
from tests.fusion_files import libvmaf_file

NOTICE = "model motion does not use cambi: its option enc_width changes nothing."


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A video, and a model of motion alone."""
    folder = tmp_path_factory.mktemp("overloads")
    y = textured(np.random.default_rng(0), (3, 32, 40))
    info = VideoInfo("clip.y4m", 40, 32, 8, "400")
    write_y4m(folder / "clip.y4m", ((frame,) for frame in y), info)
    keys = ["VMAF_feature_motion_score"]
    content = libvmaf_file(np.random.default_rng(1), count=1, feature_names=keys)
    (folder / "motion.json").write_text(json.dumps(content))
    return folder


def test_an_option_of_a_feature_that_the_model_lacks_is_taken_with_a_notice(folder):
    clip, path = folder / "clip.y4m", folder / "motion.json"
    plain = jaxvqa.score(clip, clip, model=path)
    found = jaxvqa.score(clip, clip, model=f"path={path}:cambi.enc_width=576")
    assert [(n.code, n.text) for n in found.notices] == [("unused-option", NOTICE)]
    np.testing.assert_array_equal(found.frames["vmaf"], plain.frames["vmaf"])
    assert plain.notices == ()


def test_the_command_line_warns_of_it(folder, monkeypatch, capsys):
    monkeypatch.setenv("JAXVQA_CACHE", "off")
    monkeypatch.chdir(folder)
    line = ["score", "clip.y4m", "clip.y4m", "-q", "--model"]
    assert main([*line, "path=motion.json:cambi.enc_width=576"]) == 0
    assert capsys.readouterr().err == f"warning: {NOTICE}\n"
    assert main([*line, "path=motion.json:cambo.enc_width=576"]) == 2
    assert "there is no feature named 'cambo': did you mean cambi" in capsys.readouterr().err


def test_an_unknown_extractor_is_refused(folder):
    clip, path = folder / "clip.y4m", folder / "motion.json"
    with pytest.raises(ValueError, match="there is no feature named 'cambo': did you mean cambi"):
        jaxvqa.score(clip, clip, model=f"path={path}:cambo.enc_width=576")
    # and an option that its extractor does not have
    with pytest.raises(ValueError, match=r"model motion: float_motion has no option 'enc_width'"):
        jaxvqa.score(clip, clip, model=f"path={path}:float_motion.enc_width=576")
