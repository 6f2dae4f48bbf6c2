"""Imports go down the layers; what is not public is private; files and functions stay small."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "jaxvqa"
# a module or package may import what stands in an earlier row, and itself
LAYERS = (
    {"_typing", "_pytree", "_checks", "_notice", "_version", "_lazy"},
    {"_drafts", "_interrupts", "_waiting", "_optional"},
    {"_settings", "_planes", "_pooling", "_tables", "_own_folder", "evaluation"},
    {"_ops"},
    {"features"},
    {"fusion", "video", "color"},
    {"losses", "_scoring", "ladders"},
    {"nnx", "report"},
    {"training"},
    {"_study", "_batch"},
    {"__init__"},
    {"_cli"},
    {"__main__"},
)
# inside `video`: what is not named here stands in the first row
VIDEO = (
    {"_container"},
    {"_decode"},
    {"_convert"},
    {"_reader"},
    {"_pair", "_describe"},
    {"__init__"},
)
PUBLIC = {
    "color",
    "evaluation",
    "features",
    "fusion",
    "ladders",
    "losses",
    "nnx",
    "report",
    "training",
    "video",
}
CORE = {"jax", "jaxlib", "numpy", "scipy", "flax", "jaxvqa"}
OPTIONAL = {"av", "rich", "matplotlib", "pyarrow", "sklearn", "optax", "jaxtyping", "fsspec", "ray"}
MAX_FILE, MAX_FUNCTION = 400, 60

FILES = sorted(PACKAGE.rglob("*.py"))
TREES = {file: ast.parse(file.read_text()) for file in FILES}


def top(file):
    """The module or package at the top of jaxvqa that a file belongs to."""
    return file.relative_to(PACKAGE).with_suffix("").parts[0]


def rank(name):
    for level, names in enumerate(LAYERS):
        if name in names:
            return level
    raise AssertionError(f"{name} stands in no layer")


def imported(tree):
    """Full names of what is imported, and where."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((a.name, node) for a in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "absolute imports only"
            yield from ((f"{node.module}.{a.name}", node) for a in node.names)


def target(name):
    """The top of jaxvqa that an import reaches; `import jaxvqa` reaches `__init__`."""
    parts = name.split(".")
    if len(parts) == 1:
        return "__init__"
    path = PACKAGE / parts[1]
    return parts[1] if path.is_dir() or path.with_suffix(".py").is_file() else "__init__"


def test_every_module_stands_in_a_layer():
    assert {top(file) for file in FILES} == set().union(*LAYERS)


@pytest.mark.parametrize("file", FILES, ids=lambda f: str(f.relative_to(PACKAGE)))
def test_imports_go_down(file):
    own = top(file)
    for name, _ in imported(TREES[file]):
        if name.split(".")[0] == "jaxvqa":
            other = target(name)
            down = rank(other) < rank(own) or other == own
            assert down, f"{own} imports {name}, which stands in the same layer or above"


def video_rank(name):
    ranks = {part: level for level, row in enumerate(VIDEO, 1) for part in row}
    return ranks.get(name, 0)


@pytest.mark.parametrize("file", sorted((PACKAGE / "video").rglob("*.py")), ids=lambda f: f.stem)
def test_imports_inside_video_go_down(file):
    own = file.relative_to(PACKAGE / "video").with_suffix("").parts[0]
    for name, _ in imported(TREES[file]):
        parts = name.split(".")
        if parts[:2] == ["jaxvqa", "video"] and parts[2].startswith("_"):
            other = video_rank(parts[2])
            down = parts[2] == own or other < video_rank(own) or other == video_rank(own) == 0
            assert down, f"{own} imports {name}, which stands above"


def test_operations_know_no_metric():
    words = {"vif", "adm", "cambi", "speed", "funque", "vmaf", "psnr", "ssim", "banding"}
    for file in (PACKAGE / "_ops").glob("*.py"):
        for node in ast.walk(TREES[file]):
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                assert not words & set(node.name.lower().split("_")), f"{file}: {node.name}"


def test_what_is_not_public_is_private():
    tops = {top(file) for file in FILES} - {"__init__", "__main__"}
    assert {name for name in tops if not name.startswith("_")} == PUBLIC
    for package in (name for name in PUBLIC if (PACKAGE / name).is_dir()):
        for file in (PACKAGE / package).iterdir():
            assert file.name.startswith("_"), f"{file} looks public"


def test_no_module_has_the_name_of_an_export():
    for init in PACKAGE.rglob("__init__.py"):
        modules = {p.stem for p in init.parent.iterdir() if p.stem != "__init__"}
        for node in ast.walk(TREES[init]):
            if isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    name = alias.asname or alias.name
                    if name in modules:
                        whole = f"{node.module}.{alias.name}"
                        inside = "jaxvqa." + ".".join(init.parent.relative_to(PACKAGE).parts)
                        assert whole == f"{inside.rstrip('.')}.{name}", f"{init} hides {name}"


def test_third_party_imports_are_declared_and_optional_ones_are_local():
    for file in FILES:
        for name, _ in imported(TREES[file]):
            first = name.split(".")[0]
            assert first in CORE | OPTIONAL | set(sys.stdlib_module_names), f"{file}: {name}"
        for node in TREES[file].body:
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                continue
            names = [n for n, _ in imported(ast.Module([node], []))]
            for name in names:
                optional = name.split(".")[0] in OPTIONAL
                guarded = isinstance(node, (ast.Try, ast.If))
                assert guarded or not optional, f"{file} imports {name} at the top level"
                # it loads Pallas, which stored programs can do without
                assert not name.startswith("jax.extend"), f"{file} imports {name} at the top level"


def test_import_starts_no_backend_and_touches_no_configuration():
    code = (
        "import jax; before = dict(jax.config.values); import jaxvqa; "
        "from jax._src import xla_bridge; assert not xla_bridge._backends; "
        "assert dict(jax.config.values) == before"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_scoring_loads_neither_pages_nor_ladders_nor_studies():
    code = (
        "import sys; from jaxvqa._cli import errors, main; main._parsers(['score']); "
        "errors.sentence(ValueError('give frame_count=3')); "
        "print(*(m for m in sys.modules if m.startswith('jaxvqa.')))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    loaded = {".".join(name.split(".")[:3]) for name in done.stdout.split()}
    assert "jaxvqa._cli.score" in loaded
    others = ("evaluation", "training", "ladders", "_study", "report._html", "report._plot")
    assert not loaded & {f"jaxvqa.{name}" for name in others}


@pytest.mark.parametrize("file", FILES, ids=lambda f: str(f.relative_to(PACKAGE)))
def test_files_and_functions_stay_small(file):
    assert len(file.read_text().splitlines()) <= MAX_FILE
    for node in ast.walk(TREES[file]):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            # the docstring is for the reader and does not count
            body = node.body[1:] if ast.get_docstring(node) and len(node.body) > 1 else node.body
            size = node.end_lineno - body[0].lineno + 1
            assert size <= MAX_FUNCTION, f"{node.name} has {size} lines"
