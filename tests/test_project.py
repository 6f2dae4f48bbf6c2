"""What the project says of itself in several files is the same everywhere."""

import re
import tomllib
from pathlib import Path

import yaml

import jaxvqa

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
CI = (ROOT / ".ci" / "run").read_text()


def read_yaml(name):
    return yaml.safe_load((ROOT / name).read_text())


def workflow(name):
    """A workflow's triggers and its job; YAML reads the key `on` as true."""
    found = read_yaml(f".github/workflows/{name}")
    (job,) = found["jobs"].values()
    return found[True], job


def test_the_version_is_stated_once():
    assert PROJECT["project"]["dynamic"] == ["version"]
    file = ROOT / PROJECT["tool"]["hatch"]["version"]["path"]
    assert file.read_text().count(f'__version__ = "{jaxvqa.__version__}"') == 1
    stated = [
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "jaxvqa").rglob("*.py")
        if re.search(r'version(?:__)? *= *"\d+\.\d+\.\d+"', path.read_text())
    ]
    assert stated == ["jaxvqa/_version.py"]


def test_the_citation_is_complete_and_of_this_version():
    citation = read_yaml("CITATION.cff")
    assert {"cff-version", "message", "title", "authors"} <= citation.keys()
    assert citation["version"] == jaxvqa.__version__
    assert citation["license"] in PROJECT["project"]["license"]
    assert citation["authors"] == PROJECT["project"]["authors"]
    assert citation["keywords"]


def test_hooks_are_the_lint_lines_of_ci():
    section = re.search(r'^echo "== lint and types"\n(.*?)\n\n', CI, re.DOTALL | re.MULTILINE)
    (repository,) = read_yaml(".pre-commit-config.yaml")["repos"]
    assert repository["repo"] == "local"
    assert [hook["entry"] for hook in repository["hooks"]] == section[1].splitlines()


def test_workflows_call_ci():
    triggers, job = workflow("ci.yml")
    assert triggers.keys() == {"push", "pull_request"}
    assert job["strategy"]["matrix"]["python"] == ["3.11", "3.13"]
    assert job["steps"][-1] == {"run": ".ci/run"}
    triggers, job = workflow("newest-jax.yml")
    assert "schedule" in triggers
    assert job["steps"][-1] == {"run": ".ci/run"}


def test_extras_that_commands_install_exist():
    extras = PROJECT["project"]["optional-dependencies"]
    files = [ROOT / ".ci" / "run", *ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
    named = {
        name
        for file in files
        for names in re.findall(r'pip install [^\n]*?"\.\[([\w,]+)\]"', file.read_text())
        for name in names.split(",")
    }
    assert {"all", "dev"} <= named <= extras.keys()
    # CI installs what README's second command does: tests, and all that the site needs
    assert 'pip install -q -e ".[dev]"' in CI
    assert "docs" in next(need for need in extras["dev"] if need.startswith("jaxvqa["))
