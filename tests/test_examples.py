"""The stored outputs of the example notebooks; `examples/run_notebooks.py --short` runs them."""

import json
import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "examples"
NOTEBOOKS = sorted(EXAMPLES.glob("*.ipynb"))

problems = runpy.run_path(str(EXAMPLES / "run_notebooks.py"))["problems"]


def test_there_are_four_notebooks():
    names = [file.stem for file in NOTEBOOKS]
    assert names == ["gradients", "score_and_plot", "train_fusion", "train_restorer"]


@pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda file: file.stem)
def test_stored_outputs_are_complete_and_without_errors(file):
    assert problems(file) == []


def test_the_fusion_that_is_shown_was_trained_on_the_photographs():
    notebook = json.loads((EXAMPLES / "train_fusion.ipynb").read_text())
    shown = "".join(
        "".join(o.get("text", "")) for c in notebook["cells"] for o in c.get("outputs", [])
    )
    assert "photographs of 12 contents, 120 clips" in shown
    assert "stand-in" not in shown


def test_a_full_run_without_its_clips_is_refused(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("JAXVQA_PANS", str(tmp_path))
    monkeypatch.setattr("sys.argv", ["run_notebooks.py", str(EXAMPLES / "train_fusion.ipynb")])
    with pytest.raises(SystemExit):
        runpy.run_path(str(EXAMPLES / "run_notebooks.py"), run_name="__main__")
    assert "run python benchmarks/estimate_clips.py examples/pans" in capsys.readouterr().err


def test_a_broken_notebook_is_noticed(tmp_path):
    notebook = json.loads(NOTEBOOKS[0].read_text())
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    error = {"output_type": "error", "ename": "ValueError", "evalue": "", "traceback": []}
    cells[0]["outputs"] = [error]
    cells[-1]["execution_count"] = None
    broken = tmp_path / "broken.ipynb"
    broken.write_text(json.dumps(notebook))
    text = "\n".join(problems(broken))
    assert "holds an error" in text
    assert "not run from top to bottom" in text


def test_numbers_of_the_docs_are_those_that_the_notebooks_printed():
    page = (ROOT / "docs" / "examples.md").read_text()
    blocks = page.split("```text\n")[1:]
    assert blocks
    printed = []
    for file in NOTEBOOKS:
        for cell in json.loads(file.read_text())["cells"]:
            printed += ["".join(o.get("text", "")) for o in cell.get("outputs", [])]
    for block in blocks:
        for line in block.split("```")[0].splitlines():
            assert any(line in text.splitlines() for text in printed), line
