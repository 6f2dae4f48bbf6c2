"""The command line around scoring: listings, doctor, plots, help, and how JAX is set up."""

import json
import os
import subprocess
import sys
from types import SimpleNamespace

import jax
import numpy as np
import pytest

import jaxvqa
from jaxvqa._cli import doctor, runtime, terminal
from jaxvqa._cli.main import main
from jaxvqa._cli.parser import with_hyphens
from jaxvqa._planes import Planes
from jaxvqa.features import _registry as catalog
from jaxvqa.features._run import check_feature
from jaxvqa.fusion._catalog import model_names
from tests.oracles import float_features
from tests.test_report_plot import LIBVMAF_LOG


@pytest.fixture(autouse=True)
def no_cache(monkeypatch):
    """Runs inside this process must not change where it caches programs."""
    monkeypatch.setenv("JAXVQA_CACHE", "off")


def run(*arguments, **environment):
    """The command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "jaxvqa", *arguments], capture_output=True, text=True,
        timeout=300, env=os.environ | environment,
    )  # fmt: skip


def test_help_lists_the_commands(capsys):
    assert main([]) == 0
    assert main(["--help"]) == 0
    out = capsys.readouterr().out
    commands = "score", "info", "models", "features", "plot", "report", "compare", "ladder"
    for command in (*commands, "doctor"):
        assert f"    {command} " in out
        assert main([command, "--help"]) == 0
        assert f"usage: jaxvqa {command}" in (text := capsys.readouterr().out)
        assert max(map(len, text.splitlines())) <= 80


def test_version(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"jaxvqa {jaxvqa.__version__}\n"


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        (["scor"], "there is no command 'scor': did you mean score?"),
        (["xyzzy"], "there is no command 'xyzzy': there are score, batch, info"),
        (["models", "--jsn"], "there is no option --jsn: did you mean --json?"),
        (["models", "vmaf_v0.6.2"], "did you mean vmaf_v0.6."),
        (["features", "float_motin"], "did you mean float_motion"),
        (["features", "PSNR"], "did you mean psnr or"),
        (["features", "cambi", "vif"], "unexpected argument 'vif'"),
        (["plot", "x.json"], "required: -o/--output (see jaxvqa plot --help)."),
        (["doctor", "--device", "abacus"], "invalid choice: 'abacus'"),
    ],
)
def test_wrong_usage_is_one_sentence_and_exit_code_2(capsys, arguments, sentence):
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("jaxvqa: error: ")
    assert err.count("\n") == 1
    assert sentence in err


def test_models_are_listed_with_all_that_matters(capsys):
    assert main(["models"]) == 0
    out = capsys.readouterr().out
    for name in model_names():
        assert f"\n{name} " in out
    row = next(line for line in out.splitlines() if line.startswith("vmaf_v1.0.16_3d0h_2160 "))
    cells = [cell.strip() for cell in row.split("  ") if cell.strip()]
    assert cells[1:] == ["2160p TV, 3H", "0 to 110", "higher", "10 bits best"]
    assert "(also vmaf_v1_4k_3h)" in out
    assert "BSD-2-Clause-Patent" in out


def test_a_model_is_described_by_name_or_alias(capsys):
    assert main(["models", "vmaf_v1"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("vmaf_v1.0.16_3d0h\n")
    for part in ("speed_chroma", "adm_norm_view_dist=3", "3 picture heights", "f85a853"):
        assert part in out


def test_models_as_json(capsys):
    assert main(["models", "--json"]) == 0
    records = {r["name"]: r for r in json.loads(capsys.readouterr().out)}
    assert sorted(records) == sorted(model_names())
    assert records["vmaf_v1.0.16_3d0h_2160"]["score_range"] == [0, 110]
    assert records["vmaf_b_v0.6.3"]["bootstrap_members"] == 20
    assert main(["models", "vmaf_v1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["aliases"] == ["vmaf_v1"]


def test_features_are_listed(capsys):
    assert main(["features"]) == 0
    out = capsys.readouterr().out
    for name, feature in catalog.FEATURES.items():
        assert f"\n{name} " in out
        assert feature.summary in out


def test_every_feature_is_described_with_its_options(capsys):
    for name, feature in catalog.FEATURES.items():
        assert main(["features", name]) == 0
        out = capsys.readouterr().out
        for option in feature.options.spec():
            assert f"\n{option.name} " in out
            assert option.help in out
    assert main(["features", "float_motion"]) == 0
    line = next(x for x in capsys.readouterr().out.splitlines() if "motion_blend_factor" in x)
    assert line.split() == ["motion_blend_factor", "mbf", "1", "0", "to", "1"]


def test_features_as_json_say_the_smallest_frame(capsys):
    assert main(["features", "--json"]) == 0
    records = json.loads(capsys.readouterr().out)
    assert [r["name"] for r in records] == list(catalog.FEATURES)
    for record in records:
        feature = catalog.FEATURES[record["name"]]
        side, options = record["smallest_square"], feature.resolve({})
        check_feature(feature, grey(side), options)
        if side > 1:
            with pytest.raises(ValueError, match="needs"):
                check_feature(feature, grey(side - 1), options)


def grey(side):
    half = -(-side // 2)
    chroma = np.zeros((1, half, half), np.uint8)
    return Planes(np.zeros((1, side, side), np.uint8), chroma, chroma)


def test_doctor_finds_this_installation_sound(capsys):
    assert main(["doctor"]) == 0
    out = capsys.readouterr().out
    for part in (f"jaxvqa {jaxvqa.__version__}", f"jax {jax.__version__}", "x cpu", "PyAV"):
        assert part in out
    assert f"{len(model_names())} in " in out
    assert "self-test   ok" in out


def test_doctor_expects_what_plain_numpy_gives():
    ref, dis = doctor.tiny_pair()
    scores = float_features.vif(ref[0].astype(float), dis[0].astype(float))
    np.testing.assert_allclose(scores, doctor.EXPECTED, atol=1e-9)


def test_doctor_sees_what_is_broken(capsys, monkeypatch):
    monkeypatch.setattr(doctor, "EXPECTED", (0.3, 0.6, 0.7, 0.8))
    assert main(["doctor"]) == 1
    assert "self-test   broken: float_vif is off by 0.039" in capsys.readouterr().out

    def fail():
        raise FileNotFoundError("no model files")

    monkeypatch.setattr(doctor.catalog, "list_models", fail)
    assert main(["doctor"]) == 1
    assert "models      broken: no model files" in capsys.readouterr().out


def test_plot_draws_saved_files(tmp_path, capsys):
    log, picture = tmp_path / "log.json", tmp_path / "p.png"
    log.write_text(LIBVMAF_LOG)
    assert main(["plot", str(log), str(log), "--name", "a", "--name", "b", "-o", str(picture)]) == 0
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert capsys.readouterr() == ("", "")


def test_plot_refuses_what_it_cannot_draw(tmp_path, capsys):
    log = tmp_path / "log.json"
    log.write_text("no")
    assert main(["plot", str(log), "-o", str(tmp_path / "p.png")]) == 3
    assert main(["plot", str(tmp_path / "none"), "-o", str(tmp_path / "p.png")]) == 3
    log.write_text(LIBVMAF_LOG)
    assert main(["plot", str(log), "-o", str(tmp_path / "none" / "p.png")]) == 2
    assert main(["plot", str(log), "-o", str(tmp_path / "p.bmp")]) == 2
    assert main(["plot", str(log), "--metric", "x", "-o", str(tmp_path / "p.png")]) == 2
    assert os.listdir(tmp_path) == ["log.json"]
    assert capsys.readouterr().err.count("jaxvqa: error: ") == 5


def test_underscores_and_hyphens_are_equal():
    given = ["--frame_cnt", "a_b", "--skip_ref=x_y", "-o", "a_b", "--", "--a_b"]
    assert with_hyphens(given) == [
        "--frame-cnt", "a_b", "--skip-ref=x_y", "-o", "a_b", "--", "--a_b",
    ]  # fmt: skip


def test_long_text_is_folded_and_nothing_is_lost():
    assert terminal.fold("one two  three", 9) == ["one two ", "three"]
    assert terminal.fold("aa_bb_cc", 6) == ["aa_bb_", "cc"]
    assert terminal.fold("aaaaaaaa", 6) == ["aaaaaaaa"]
    assert terminal.fold("", 6) == [""]


@pytest.mark.parametrize("with_rich", [True, False])
def test_tables_fit_a_terminal_with_and_without_rich(capsys, monkeypatch, with_rich):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("TERM", "dumb")
    if not with_rich:
        monkeypatch.setitem(sys.modules, "rich.console", None)
    columns = [terminal.Column("name", fold=True), terminal.Column("value", right=True)]
    terminal.print_table(columns, [["a_long_name_" * 4, "1.0"], ["b", "22.0"]])
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 40
    assert lines[0].split() == ["name", "value"]
    assert lines[-1].endswith(" 22.0")
    assert len({line.rfind("0") for line in (lines[2], lines[-1])}) == 1


@pytest.mark.parametrize("with_rich", [True, False])
def test_progress_is_for_terminals_only(capsys, monkeypatch, with_rich):
    with terminal.progress_bar() as progress:
        assert progress is None
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    if not with_rich:
        monkeypatch.setitem(sys.modules, "rich.console", None)
    with terminal.progress_bar(wanted=False) as progress:
        assert progress is None
    with terminal.progress_bar() as progress:
        assert progress is not None
        progress(1, None)
        progress(2, 3)
    out, err = capsys.readouterr()
    assert out == ""
    assert with_rich or "\rframe 2 of 3" in err


def settings(monkeypatch, values):
    """Lets `configure` write to a record instead of JAX."""
    record = {}
    fake = SimpleNamespace(values=values, update=record.__setitem__)
    monkeypatch.setattr(runtime.jax, "config", fake)
    return record


UNSET = {"jax_num_cpu_devices": -1, "jax_compilation_cache_dir": None}


def test_jax_is_set_up_for_all_cores(monkeypatch):
    record = settings(monkeypatch, UNSET)
    runtime.configure()
    assert record == {"jax_num_cpu_devices": runtime.cores()}


def test_what_the_user_set_for_jax_stays(tmp_path, monkeypatch):
    monkeypatch.setenv("JAXVQA_CACHE", str(tmp_path))
    record = settings(
        monkeypatch, {"jax_num_cpu_devices": 3, "jax_compilation_cache_dir": "/elsewhere"}
    )
    runtime.configure("cpu", threads=1)
    assert record == {"jax_platforms": "cpu"}
    assert runtime.usable_cache() is None
    assert doctor._cache() == "JAX's own, /elsewhere (jax_compilation_cache_dir)"
    assert not list(tmp_path.iterdir())


def test_a_cache_that_is_off_or_cannot_be_written_is_no_error(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    unusable = str(tmp_path / "file" / "cache")
    told = ["off (JAXVQA_CACHE)", f"{unusable} is not writable: every run compiles anew"]
    for value, line in zip(("off", unusable), told, strict=True):
        monkeypatch.setenv("JAXVQA_CACHE", value)
        assert runtime.usable_cache() is None
        assert doctor._cache() == line


def test_doctor_counts_what_is_in_the_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("JAXVQA_CACHE", str(tmp_path / "new"))
    assert doctor._cache() == f"{tmp_path}/new, 0 compiled programs, 0.0 MB"
    (tmp_path / "new" / "a.program").write_bytes(bytes(1_200_000))
    assert doctor._cache() == f"{tmp_path}/new, 1 compiled program, 1.2 MB"


def test_importing_changes_no_setting_and_listings_start_no_backend():
    program = """
import jax, sys
before = dict(jax.config.values)
import jaxvqa, jaxvqa._cli.main
assert before == dict(jax.config.values)
for command in (["--help"], ["models"], ["features"], ["features", "cambi"]):
    assert jaxvqa._cli.main.main(command) == 0
from jax._src import xla_bridge
assert not xla_bridge.backends_are_initialized()
assert before == dict(jax.config.values)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


def test_a_reader_that_goes_away_is_no_traceback():
    command = f"{sys.executable} -m jaxvqa features --json | head -c 1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=120)
    assert done.stderr == ""


def test_errors_show_their_origin_on_request(capsys, monkeypatch):
    monkeypatch.setenv("JAXVQA_DEBUG", "1")
    assert main(["features", "none"]) == 2
    err = capsys.readouterr().err
    assert "Traceback" in err
    assert "jaxvqa: error: there is no feature named 'none'" in err


def test_a_process_says_its_error_and_exit_code(tmp_path):
    done = run("score", "none.mkv", "none.mkv", JAXVQA_CACHE="off")
    assert done.returncode == 3
    assert done.stdout == ""
    assert done.stderr == "jaxvqa: error: none.mkv: there is no such file: check the path.\n"
