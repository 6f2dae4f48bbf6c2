"""Sentences of the library on the command line: its flags, and advice that works."""

import ast
import re
from pathlib import Path

import numpy as np
import pytest

import jaxvqa
from jaxvqa import InputOptions, ScoreRequest
from jaxvqa._cli.flags import as_flags
from jaxvqa._cli.main import main
from jaxvqa._settings import settings_of
from jaxvqa.video import VideoInfo, write_y4m
from tests.test_video_formats import make_planes, write_clip

PACKAGE = Path(jaxvqa.__file__).parent
MOTION = ["--no-model", "--feature", "float_motion", "-q"]
SENTENCES = {
    "or with on_length_mismatch='truncate'.": "or with --on-length-mismatch truncate.",
    "only the frames before with frame_count.": "only the frames before with --frame-count.",
    "give `width`, `height` and `pixel_format`.": "give --width, --height and --pixel-format.",
    "pass promote_to_10bit=True, or `bit_depth=8`.": "pass --promote-to-10bit, or --bitdepth 8.",
    "skip_ref=3 and skip_dis=0 leave none": "--skip-ref 3 and --skip-dis 0 leave none",
    "give encode_size=(64, 48)": "give --encode-size 64x48",
    "model='vmaf_v1', features='cambi'": "--model vmaf_v1, --feature cambi",
    "try offset=-1.": "try --offset -1.",
    "offset=1.5s or offset=N (frames)": "--offset 1.5s or --offset N (frames)",
    "crop='WxH+X+Y', crop='auto'; pair='time'": "--crop WxH+X+Y, --crop auto; --pair time",
    "leave out scale='none', and": "leave out --scale none, and",
    "drive='reference', color='as-is'": "--drive reference, --color as-is",
    "on_damage='skip' or deinterlace='bwdif'": "--on-damage skip or --deinterlace bwdif",
    "take ref_stream or dis_stream.": "take --ref-stream or --dis-stream.",
}
UNTOUCHED = [
    "FFmpeg's filters scale=80:80:flags=bicubic,format=gray and crop=8:8:0:0:exact=1",
    "scale=80:80 fails: check crop and scale",
    "the reference offset=1.mp4 and pair=time.mkv: pair them",
    "color, pair, at, scale, drive, exact, crop, offset, kernel and model are plain words",
    "model vmaf has 3 features and a width of 9; fps=3 is for arrays",
    "feature 'vif=width=3:height=4' has no option 'width'",
    "there is no model named 'frame_count=3' nor 'skip_ref'",
    "/clips/frame_count.y4m and frame_count.y4m and skip_ref/a.y4m",
    "enc_width=3, adm_csf_mode=1, cambi.enc_width=576, my_frame_count, frame_counts",
]


@pytest.mark.parametrize("text", SENTENCES)
def test_keywords_of_settings_become_flags(text):
    assert as_flags(text) == SENTENCES[text]


@pytest.mark.parametrize("text", UNTOUCHED)
def test_other_words_paths_and_quotations_stay(text):
    assert as_flags(text) == text


def test_every_setting_of_the_command_line_is_known():
    for known in (*settings_of(ScoreRequest), *settings_of(InputOptions)):
        expected = known.flags[0] if known.flags[0] else f"`{known.name}`"
        assert as_flags(f"`{known.name}`") == expected


def texts(path):
    """Text constants of a module that are no docstrings and no spellings of settings."""
    tree = ast.parse(path.read_text())
    left_out = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr):
            left_out.add(id(node.value))
        elif isinstance(node, ast.keyword) and node.arg == "flags":
            left_out |= {id(part) for part in ast.walk(node.value)}
    for node in ast.walk(tree):
        is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
        if is_text and id(node) not in left_out:
            yield node.value


def test_the_library_names_no_flags():
    for path in sorted(PACKAGE.rglob("*.py")):
        if "_cli" in path.parts:
            continue
        for text in texts(path):
            # the flag that a name makes, "--" + name, is no flag yet
            assert not re.search(r"(^|\s)--[a-z]", text), (path.name, text)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Videos of 4 and 6 frames, without a header, and one that is damaged."""
    folder = tmp_path_factory.mktemp("flags")
    for name, frames in (("ref", 4), ("long", 6)):
        y, u, v = make_planes(np.random.default_rng(0), 48, 32, "420", 8, frames)
        info = VideoInfo(name, 48, 32, 8, "420")
        write_y4m(folder / f"{name}.y4m", zip(y, u, v, strict=True), info)
    (folder / "luma.yuv").write_bytes(y.tobytes())
    write_clip(folder / "whole.mkv", "ffv1", "yuv420p", 48, 32, (y, u, v), 8)
    data = bytearray((folder / "whole.mkv").read_bytes())
    data[len(data) // 2] ^= 1
    (folder / "damaged.mkv").write_bytes(data)
    return folder


@pytest.fixture
def jv(folder, monkeypatch, capsys):
    """Runs `jaxvqa score` on the fixture's videos; gives the exit code and what stderr got."""
    monkeypatch.setenv("JAXVQA_CACHE", "off")
    monkeypatch.chdir(folder)

    def run(*arguments):
        return main(["score", *arguments, *MOTION]), capsys.readouterr().err

    return run


def test_advice_about_lengths_works(jv):
    code, err = jv("ref.y4m", "long.y4m")
    assert code == 3
    advice = re.search(r"the common part with (--[\w-]+ \w+)\.", err)[1]
    assert jv("ref.y4m", "long.y4m", *advice.split())[0] == 0
    assert "align them with --skip-ref or --skip-dis" in err
    assert jv("ref.y4m", "long.y4m", "--skip-dis", "2")[0] == 0


def test_advice_about_raw_video_works(jv):
    code, err = jv("luma.yuv", "luma.yuv")
    assert code == 3
    flags = re.search(r"give (--[\w-]+), (--[\w-]+), (--[\w-]+) and (--[\w-]+)\.", err).groups()
    values = ("48", "32", "400", "8")
    given = [part for pair in zip(flags, values, strict=True) for part in pair]
    assert jv("luma.yuv", "luma.yuv", *given)[0] == 0
    code, err = jv("ref.y4m", "ref.y4m", *given)
    assert code == 3
    assert err.endswith(f"leave out {flags[0]}, {flags[1]}, {flags[2]} and {flags[3]}.\n")


def test_advice_about_damaged_video_works(jv):
    code, err = jv("whole.mkv", "damaged.mkv")
    assert code == 3
    assert err.startswith("jaxvqa: error: damaged.mkv: frame ")
    flag = re.search(r"only the frames before with (--[\w-]+)\.", err)[1]
    assert jv("whole.mkv", "damaged.mkv", flag, "1")[0] == 0


def test_notices_have_flags_too(jv):
    code, err = jv("ref.y4m", "ref.y4m", "--encode-bitdepth", "8")
    assert code == 0
    assert err == (
        "warning: nothing here asks how the video was encoded: --encode-bitdepth changes nothing.\n"
    )
