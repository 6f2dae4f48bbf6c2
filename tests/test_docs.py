"""The docs say what is so: their code runs, their tables and paths are those of the project."""

import doctest
import importlib.util
import inspect
import re
import shlex
import shutil
import types
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxvqa
import jaxvqa.nnx
from jaxvqa._cli.main import _parsers, main
from jaxvqa._cli.parser import with_hyphens
from jaxvqa.features import _registry
from tests import clips

pytestmark = pytest.mark.usefixtures("compile_fast")

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
# pages of the site that lie elsewhere: their links are checked too
ELSEWHERE = [ROOT / "benchmarks" / "README.md", ROOT / "models" / "SOURCES.md"]
MODULES = ("color", "nnx")  # whose code is in the file itself
NAMESPACES = (
    "", "evaluation", "features", "fusion", "ladders", "losses", "report", "training", "video",
    *MODULES,
)  # fmt: skip


def blocks(page, language):
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(), re.DOTALL | re.MULTILINE)


def name_of(page):
    return page.relative_to(ROOT).as_posix()


RUNNABLE = [page for page in PAGES if blocks(page, "python")]


@pytest.fixture(autouse=True)
def forget_registered():
    before = set(_registry.FEATURES)
    yield
    for name in set(_registry.FEATURES) - before:
        _registry.forget(name)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working folder with a clip, as the pages take it for granted."""
    for side in ("ref", "dis"):
        shutil.copy(clips.path("bbb_320x180", side), tmp_path / f"{side}.mkv")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def given(page):
    """What a page speaks of without making it, by the block that needs it."""
    rng = np.random.default_rng(0)
    deep = clips.textured(rng, (2, 256, 320), 10)
    u, v = deep[:, ::2, ::2], deep[:, 1::2, ::2]
    luma = jnp.asarray(clips.textured(rng, (2, 64, 96)), jnp.float32)
    frames = {"jaxvqa": jaxvqa, "ref": luma, "dis": 0.9 * luma, "mask": np.array([True, False])}
    planes = {"y": deep, "u": u, "v": v, "dis": jaxvqa.Planes(deep // 2, u, v, bit_depth=10)}
    return {"README.md": [planes, frames], "docs/losses.md": [frames]}.get(name_of(page), [])


def learns(names):
    assert abs(float(names["gain"]) - 1) < 0.1
    assert names["values"][-1] < names["values"][0]


def measures(names):
    scores, pooled = names["scores"], names["result"].pooled
    assert 0 < pooled["gmsd"]["mean"] < pooled["gmsd_c_50"]["mean"] < 0.5
    # the model is a line through its five points, nearly
    expected = np.interp(pooled["gmsd"]["mean"], names["gmsd"][:, 0], names["opinion"])
    assert abs(scores.score - expected) < 5
    assert np.isfinite(names["slope"]).all()
    for file in ("scores.csv", "gmsd.png", "toy.json"):
        assert Path(file).stat().st_size


RESULTS = {"docs/losses.md": learns, "docs/adding-a-metric.md": measures}


@pytest.mark.parametrize("page", RUNNABLE, ids=name_of)
def test_the_code_of_a_page_runs(page, folder):
    names = {"__name__": "page"}
    arrays = given(page)
    # as a user has it, who may use optax, which mixes types
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        for i, block in enumerate(blocks(page, "python")):
            names |= arrays[i] if i < len(arrays) else {}
            exec(compile(block, f"{page.name}, block {i + 1}", "exec"), names)
    RESULTS.get(name_of(page), lambda names: None)(names)


def commands():
    """Every `jaxvqa` command in a shell block, as (page, arguments)."""
    for page in PAGES:
        for block in blocks(page, "bash"):
            for line in block.replace("\\\n", " ").splitlines():
                for part in re.split(r"\s*(?:;|&&)\s*", line):
                    words = shlex.split(part, comments=True)
                    if words[:1] == ["jaxvqa"]:
                        yield page, words[1:]


def test_commands_of_the_pages_are_understood():
    found = list(commands())
    assert len(found) > 8
    parser, _ = _parsers()
    for page, arguments in found:
        _, unknown = parser.parse_known_args(with_hyphens(arguments))
        assert not unknown, f"{page.name}: {arguments}"


def test_quick_commands_of_the_pages_run(folder, monkeypatch, capsys):
    monkeypatch.setenv("JAXVQA_CACHE", "off")
    (folder / "docs" / "images").mkdir(parents=True)
    result = jaxvqa.score("ref.mkv", "dis.mkv", model=None, features=["float_motion"])
    for name in ("scores", "x264", "x265", "before", "after"):
        jaxvqa.report.write(result, f"{name}.json")
    Path("results").mkdir()
    Path("results/table.csv").write_text(
        "id,title,codec,dis_width,dis_height,bitrate_kbps,vmaf_mean\n"
        "a,film,x264,640,360,500,70\nb,film,x264,1280,720,1500,85\n"
        "c,film,x265,640,360,400,71\nd,film,x265,1280,720,1200,86\n"
    )
    quick = [
        words for _, words in commands() if words[0] not in ("score", "batch", "evaluate", "train")
    ]
    assert {words[0] for words in quick} == {
        "models", "features", "plot", "doctor", "info", "report", "compare", "ladder",
    }  # fmt: skip
    for words in quick:
        assert main(words) == 0, capsys.readouterr().err


def headings(page):
    """The anchors of a page, as GitHub makes them."""
    found = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-") for text in found}


@pytest.mark.parametrize("page", [*PAGES, *ELSEWHERE], ids=name_of)
def test_links_lead_somewhere(page):
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if re.match(r"\w+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        if anchor:
            assert anchor in headings(target), link


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_files_that_a_page_names_exist(page):
    for path in re.findall(r"`([\w./-]+/[\w.-]*)`", page.read_text()):
        if path != path.lower() and path.split("/")[-1] != path.split("/")[-1].upper():
            continue  # a placeholder such as tests/test_NAME.py
        places = (ROOT, ROOT / "jaxvqa", page.parent)
        assert any((place / path).exists() for place in places), path


def load_script(path):
    spec = importlib.util.spec_from_file_location(Path(path).stem, ROOT / "docs" / path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_tables_are_those_of_the_registry():
    for page, text in load_script("generate.py").pages().items():
        assert page.read_text() == text, f"{page.name}: run python docs/generate.py"


def test_a_page_without_a_section_is_refused():
    with pytest.raises(ValueError, match="no section 'metrics'"):
        load_script("generate.py").generated("<!-- end of metrics -->", "metrics", "")


def namespace(name):
    return getattr(jaxvqa, name) if name else jaxvqa


def public(name):
    """Public names of a namespace, without what a module imports for itself."""
    found = namespace(name)
    for key in sorted(set(dir(found))):
        value = getattr(found, key)
        if key.startswith("_") or isinstance(value, types.ModuleType):
            continue
        if name in MODULES and getattr(value, "__module__", "") != found.__name__:
            continue
        yield key, value


@pytest.mark.parametrize("name", NAMESPACES)
def test_a_namespace_names_what_is_public(name):
    text = namespace(name).__doc__
    for key, value in public(name):
        assert f"`{key}`" in text or name in MODULES, key
        if inspect.isclass(value) or inspect.isroutine(value):
            assert value.__doc__, key


def test_every_public_name_has_a_page_of_the_reference():
    pages = load_script("hooks/names.py").pages()
    for name in NAMESPACES:
        for key, _ in public(name):
            assert f"{name or 'jaxvqa'}.{key}" in pages, key
    # a page holds one name, under the namespaces that share it
    assert {page.rpartition("/")[2] for page in pages.values()} == {
        f"{name.rpartition('.')[2]}.md" for name in pages
    }
    assert pages["features.Feature"] == pages["jaxvqa.Feature"] == "api/jaxvqa/Feature.md"
    assert pages["features.vif"] != pages["losses.vif"]


def examples():
    """Public classes and functions with an example in their docstring, each under one name."""
    found = {}
    for name in reversed(NAMESPACES):
        for key, value in public(name):
            described = inspect.isclass(value) or inspect.isroutine(value)
            if described and ">>>" in str(value.__doc__) and value not in found.values():
                found[f"{name}.{key}".lstrip(".")] = value
    return found


EXAMPLES = examples()


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_of_docstrings_run(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # some write files
    finder, runner = doctest.DocTestFinder(), doctest.DocTestRunner()
    for case in finder.find(EXAMPLES[name], name, module=False, globs={}):
        runner.run(case)
    assert runner.tries > 0
    assert runner.failures == 0


def test_every_metric_and_every_loss_has_an_example():
    metrics = {key for key, value in public("features") if hasattr(value, "feature")}
    assert len(metrics) == len(_registry.FEATURES)
    assert {f"features.{key}" for key in metrics} <= EXAMPLES.keys()
    assert {f"losses.{key}" for key in jaxvqa.losses.names()} <= EXAMPLES.keys()
