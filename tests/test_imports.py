"""Imports go down the layers only, and the core needs nothing beyond its dependencies."""

import ast
import subprocess
import sys
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "jaxvqa"
LAYERS = {
    "_typing": 0, "checks": 0, "drafts": 0, "interrupts": 0, "waiting": 0, "planes": 1,
    "pooling": 1, "ops": 2, "features": 3, "catalog": 4,
    "fusion": 4, "video": 4, "color": 5, "losses": 5, "scoring": 6, "nnx": 6, "report": 7, "cli": 8,
    "__main__": 9,
}  # fmt: skip
CORE = {"jax", "jaxlib", "numpy", "flax", "jaxvqa"}
OPTIONAL = {"av", "rich", "matplotlib", "pyarrow", "jaxtyping"}


def modules():
    for file in sorted(PACKAGE.rglob("*.py")):
        parts = file.relative_to(PACKAGE).with_suffix("").parts
        if parts != ("__init__",):
            yield file, parts[0]


def imported(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((a.name, node) for a in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "absolute imports only"
            yield from ((f"{node.module}.{a.name}", node) for a in node.names)


def test_imports_go_down():
    for file, layer in modules():
        for name, _ in imported(ast.parse(file.read_text())):
            if name.startswith("jaxvqa."):
                target = name.split(".")[1]
                if target in LAYERS:
                    assert LAYERS[target] <= LAYERS[layer], f"{file} ({layer}) imports {name}"


def test_third_party_imports_are_declared_and_optional_ones_are_local():
    for file, _ in modules():
        tree = ast.parse(file.read_text())
        for name, _ in imported(tree):
            top = name.split(".")[0]
            assert top in CORE | OPTIONAL | set(sys.stdlib_module_names), f"{file} imports {name}"
        for node in tree.body:
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                continue
            names = [n for n, _ in imported(ast.Module([node], []))]
            for name in names:
                optional = name.split(".")[0] in OPTIONAL
                guarded = isinstance(node, (ast.Try, ast.If))
                assert guarded or not optional, f"{file} imports {name} at the top level"


def test_import_starts_no_backend_and_touches_no_configuration():
    code = (
        "import jax; before = dict(jax.config.values); import jaxvqa; "
        "from jax._src import xla_bridge; assert not xla_bridge._backends; "
        "assert dict(jax.config.values) == before"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_files_and_functions_stay_small():
    for file, _ in modules():
        text = file.read_text()
        assert len(text.splitlines()) <= 400, f"{file} is too long"
