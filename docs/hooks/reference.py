"""Writes the API reference: a page for each public name, and one that lists a namespace's names.

The text of a page is the docstring; mkdocstrings lays it out. Where a page of the docs has a public
name in backquotes, as `losses.vif`, the site links it.
"""

from __future__ import annotations

import inspect
import posixpath
import re
import sys
import types
from importlib import import_module
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

sys.path.insert(0, str(Path(__file__).parent))
from repository import prose

NAMESPACES = ("jaxvqa", "features", "losses", "fusion", "report", "video", "color", "nnx")
MODULES = ("color", "nnx")  # whose code is in the file itself, among names that it imports
_FOLDER = "api"
_NAME = re.compile(r"(?<![\[`\w])`((?:jaxvqa\.)?[a-z]+\.\w+|jaxvqa\.\w+\.\w+)`")


def load(namespace: str) -> types.ModuleType:
    """A namespace by its short name."""
    return import_module("jaxvqa" if namespace == "jaxvqa" else f"jaxvqa.{namespace}")


def public(namespace: str) -> dict[str, Any]:
    """The public names of a namespace, other namespaces left out."""
    module = load(namespace)
    found = {}
    for name in sorted(set(dir(module)), key=str.lower):
        value = getattr(module, name)
        if name.startswith("_") or isinstance(value, types.ModuleType):
            continue
        if namespace in MODULES and getattr(value, "__module__", "") != module.__name__:
            continue
        found[name] = value
    return found


def pages() -> dict[str, str]:
    """The page of every public name, by the name without `jaxvqa.`, as `features.vif`.

    A name that several namespaces have is on one page, that of the first.
    """
    found: dict[str, str] = {}
    seen: list[tuple[str, Any, str]] = []
    for namespace in NAMESPACES:
        for name, value in public(namespace).items():
            uri = next((u for n, v, u in seen if n == name and v is value), None)
            if uri is None:
                uri = f"{_FOLDER}/{namespace}/{name}.md"
                seen.append((name, value, uri))
            found[f"{namespace}.{name}"] = uri
    return found


def _described(value: Any) -> bool:
    return inspect.isclass(value) or inspect.isroutine(value)


def _summary(namespace: str, name: str, value: Any) -> str:
    """The first line of a docstring; of a constant, what its namespace says of it."""
    if _described(value):
        return (inspect.getdoc(value) or "").partition("\n")[0]
    text = " ".join((load(namespace).__doc__ or "").split())
    said = re.search(rf"`{name}`(?:, `\w+`)*:? (.*?)[.;](?: |$)", text)
    assert said is not None, f"the docstring of {namespace} does not say what {name} is"
    return f"{said[1][0].upper()}{said[1][1:]}."


def _page(namespace: str, name: str, value: Any) -> str:
    """The page of a name."""
    path = "jaxvqa." + f"{namespace}.{name}".removeprefix("jaxvqa.")
    if _described(value):
        return f"---\ntitle: {name}\n---\n\n::: {path}\n"
    shown = repr(value)
    block = f"\n```python\n{shown}\n```\n" if len(shown) < 400 else ""
    return f"---\ntitle: {name}\n---\n\n# {path}\n\n{_summary(namespace, name, value)}\n{block}"


def _index(namespace: str, where: dict[str, str]) -> str:
    """The page of a namespace: what its docstring begins with, and its names."""
    module = load(namespace)
    first = inspect.cleandoc(module.__doc__ or "").split("\n\n`")[0]
    first = first.partition("\n\nScoring:")[0]
    first = re.sub(r"docs/([\w-]+\.md)", r"[\1](../../\1)", first)
    folder = f"{_FOLDER}/{namespace}"
    lines = [f"# {module.__name__}", "", first, "", "| name | what it is |", "| --- | --- |"]
    for name, value in public(namespace).items():
        link = posixpath.relpath(where[f"{namespace}.{name}"], folder)
        summary = _summary(namespace, name, value).replace("|", "\\|")
        lines.append(f"| [`{name}`]({link}) | {summary} |")
    if namespace == "jaxvqa":
        lines += ["", "## Namespaces", "", "| name | what it holds |", "| --- | --- |"]
        for other in NAMESPACES[1:]:
            summary = (load(other).__doc__ or "").partition("\n")[0]
            lines.append(f"| [`jaxvqa.{other}`](../{other}/index.md) | {summary} |")
    return "\n".join([*lines, ""])


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Fills the API reference of the navigation, and appends pages that it does not name."""
    where = pages()
    sections = []
    for namespace in NAMESPACES:
        mine = [u for u in dict.fromkeys(where.values()) if u.startswith(f"{_FOLDER}/{namespace}/")]
        index = f"{_FOLDER}/{namespace}/index.md"
        sections.append({load(namespace).__name__: [index, *mine]})
    assert config.nav is not None
    config.nav = [
        {title: sections} if entry == {"API reference": _FOLDER} else entry
        for entry in config.nav
        for title in [next(iter(entry))]
    ]
    written = {page.name for page in Path(config.docs_dir).glob("*.md")}
    more = sorted(page for page in written if page not in re.findall(r"[\w-]+\.md", str(config.nav)))
    if more:
        config.nav.append({"More": more})
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the pages of the reference."""
    where = pages()
    for namespace in NAMESPACES:
        uri = f"{_FOLDER}/{namespace}/index.md"
        files.append(File.generated(config, uri, content=_index(namespace, where)))
        for name, value in public(namespace).items():
            uri = where[f"{namespace}.{name}"]
            if files.get_file_from_path(uri) is None:
                text = _page(namespace, name, value)
                files.append(File.generated(config, uri, content=text))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Links public names in backquotes to their pages."""
    if page.file.src_uri.startswith(f"{_FOLDER}/") and "/index.md" not in page.file.src_uri:
        return markdown
    where = pages()

    def linked(match: re.Match[str]) -> str:
        name = match[1] if match[1].count(".") == 1 else match[1].removeprefix("jaxvqa.")
        uri = where.get(name)
        if uri is None:
            return match[0]
        return f"[{match[0]}]({posixpath.relpath(uri, posixpath.dirname(page.file.src_uri))})"

    lines = [
        line if line.startswith("#") else _NAME.sub(linked, line)
        for is_prose, part in prose(markdown)
        for line in (part.split("\n") if is_prose else [part])
    ]
    return "\n".join(lines)
