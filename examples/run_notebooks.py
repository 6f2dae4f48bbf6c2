"""Runs the example notebooks and stores or checks what they show.

    python examples/run_notebooks.py              run in full and keep the outputs in the files
    python examples/run_notebooks.py --short      few training steps, nothing is stored: for CI
    python examples/run_notebooks.py --check      only look at the stored outputs

A full run also writes the pictures of cells tagged `image=NAME` to docs/images/NAME.png. That of
train_fusion needs the clips that `python benchmarks/estimate_clips.py examples/pans` makes, there
or where the environment variable JAXVQA_PANS says; a short run takes a stand-in.
Needs `pip install -e ".[examples]"`.
"""

from __future__ import annotations

import argparse
import base64
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat

HERE = Path(__file__).resolve().parent
IMAGES = HERE.parent / "docs" / "images"
MOST_BYTES = 1_500_000
TAG = "image="
NEEDS_CLIPS = "train_fusion"


def run(file: Path) -> Any:
    """Executes a notebook; the first cell that fails raises."""
    from nbclient import NotebookClient

    notebook = nbformat.read(file, as_version=4)
    client = NotebookClient(
        notebook, timeout=3600, kernel_name="python3", resources={"metadata": {"path": str(HERE)}}
    )
    client.execute()
    return notebook


def clean(notebook: Any) -> None:
    """Leaves what readers see: no times, no names of the machine that ran it."""
    python = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook.metadata = {"kernelspec": python, "language_info": {"name": "python"}}
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number}"
        tags = cell.metadata.get("tags")
        cell.metadata = {"tags": tags} if tags else {}


def outputs(notebook: Any) -> Iterator[tuple[Any, Any]]:
    """All outputs with their cells."""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            for output in cell.outputs:
                yield cell, output


def images(notebook: Any) -> Iterator[tuple[str, bytes]]:
    """Pictures for the documentation: names from the cells' tags, and PNG data."""
    for cell, output in outputs(notebook):
        names = [t[len(TAG) :] for t in cell.metadata.get("tags", []) if t.startswith(TAG)]
        if names and "image/png" in output.get("data", {}):
            yield names[0], base64.b64decode(output.data["image/png"])


def problems(file: Path) -> list[str]:
    """What is wrong with the stored outputs of a notebook."""
    notebook = nbformat.read(file, as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    found = []
    if [cell.execution_count for cell in code] != list(range(1, len(code) + 1)):
        found.append("was not run from top to bottom")
    kinds = [output.output_type for _, output in outputs(notebook)]
    if "error" in kinds:
        found.append("holds an error")
    if any(o.output_type == "stream" and o.name == "stderr" for _, o in outputs(notebook)):
        found.append("holds messages of stderr")
    if not any("image/png" in output.get("data", {}) for _, output in outputs(notebook)):
        found.append("has no picture")
    if file.stat().st_size > MOST_BYTES:
        found.append(f"has {file.stat().st_size} bytes, more than {MOST_BYTES}")
    for name, data in images(notebook):
        stored = IMAGES / f"{name}.png"
        if not stored.is_file() or stored.read_bytes() != data:
            found.append(f"docs/images/{name}.png is not the picture that it shows")
    return [f"{file.name}: {text}" for text in found]


def main() -> None:
    """Runs or checks notebooks; the exit status is 1 if something is wrong."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("notebooks", nargs="*", type=Path, help="all of examples/ if left out")
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--short", action="store_true", help="few steps, store nothing")
    mode.add_argument("--check", action="store_true", help="do not run, check stored outputs")
    args = parser.parse_args()
    files = args.notebooks or sorted(HERE.glob("*.ipynb"))
    clips = HERE / os.environ.get("JAXVQA_PANS", "pans") / "clips.csv"
    needed = any(file.stem == NEEDS_CLIPS for file in files) and not (args.check or args.short)
    if needed and not clips.is_file():
        parser.error(
            f"{NEEDS_CLIPS} needs {clips}: run python benchmarks/estimate_clips.py examples/pans, "
            "or run it with --short on a stand-in."
        )
    if not args.check:
        if args.short:
            os.environ["JAXVQA_EXAMPLE_SHORT"] = "1"
        else:
            os.environ.pop("JAXVQA_EXAMPLE_SHORT", None)
        # the notebooks share compiled programs
        with tempfile.TemporaryDirectory() as folder:
            os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", folder)
            for file in files:
                began = time.perf_counter()
                notebook = run(file)
                print(f"{file.name}: ran in {time.perf_counter() - began:.0f} s", flush=True)
                if not args.short:
                    clean(notebook)
                    nbformat.write(notebook, file)
                    for name, data in images(notebook):
                        (IMAGES / f"{name}.png").write_bytes(data)
    found = [text for file in files for text in problems(file)]
    for text in found:
        print(text, file=sys.stderr)
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
