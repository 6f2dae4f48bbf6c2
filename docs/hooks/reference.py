"""Writes the API reference: a page for each public name, and one that lists a namespace's names.

The text of a page is the docstring; mkdocstrings lays it out. Where a page of the docs has a public
name in backquotes, as `losses.vif`, the site links it.
"""

from __future__ import annotations

import inspect
import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from names import FOLDER, NAMESPACES, PACKAGE, described, load, pages, public
from repository import prose

_NAME = re.compile(rf"(?<![\[`\w])`((?:{PACKAGE}\.)?[a-z]+\.\w+)`")
_MOST_SHOWN = 400  # characters of a constant's value


def index_of(namespace: str) -> str:
    """The page that lists a namespace."""
    return f"{FOLDER}/{namespace}/index.md"


def summary(namespace: str, name: str, value: Any) -> str:
    """The first line of a docstring; of a constant, what the text of its namespace says."""
    if described(value):
        return (inspect.getdoc(value) or "").partition("\n")[0]
    lines = (load(namespace).__doc__ or "").splitlines()
    said = next((line for line in lines if f"`{name}`" in line), "")
    text = said.removeprefix(f"`{name}`: ")
    return text[:1].upper() + text[1:]


def page_of(namespace: str, name: str, value: Any) -> str:
    """The page of a name."""
    path = f"{load(namespace).__name__}.{name}"
    head = f"---\ntitle: {name}\n---\n\n"
    if described(value):
        return f"{head}::: {path}\n"
    shown = repr(value)
    block = f"\n```python\n{shown}\n```\n" if len(shown) < _MOST_SHOWN else ""
    return f"{head}# {path}\n\n{summary(namespace, name, value)}\n{block}"


def listing(namespace: str, where: dict[str, str]) -> str:
    """The page of a namespace: how its docstring begins, and its names."""
    module, folder = load(namespace), f"{FOLDER}/{namespace}"
    first = re.split(r"\n\n(?=`|\w+:\n)", inspect.cleandoc(module.__doc__ or ""))[0]
    first = re.sub(r"docs/([\w-]+\.md)", r"[\1](../../\1)", first)
    lines = [f"# {module.__name__}", "", first, "", "| name | what it is |", "| --- | --- |"]
    for name, value in public(namespace).items():
        link = posixpath.relpath(where[f"{namespace}.{name}"], folder)
        text = summary(namespace, name, value).replace("|", "\\|")
        lines.append(f"| [`{name}`]({link}) | {text} |")
    if namespace == PACKAGE:
        lines += ["", "## Namespaces", "", "| name | what it holds |", "| --- | --- |"]
        for other in NAMESPACES[1:]:
            text = (load(other).__doc__ or "").partition("\n")[0]
            lines.append(f"| [`{PACKAGE}.{other}`](../{other}/index.md) | {text} |")
    return "\n".join([*lines, ""])


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Fills the API reference of the navigation, and appends pages that it does not name."""
    where = list(dict.fromkeys(pages().values()))
    sections: list[Any] = []
    for namespace in NAMESPACES:
        mine = [page for page in where if page.startswith(f"{FOLDER}/{namespace}/")]
        sections.append({load(namespace).__name__: [index_of(namespace), *mine]})
    nav: list[Any] = config.nav or []
    for number, entry in enumerate(nav):
        if FOLDER in entry.values():
            nav[number] = dict.fromkeys(entry, sections)
    named = set(re.findall(r"[\w-]+\.md", str(nav)))
    more = sorted({page.name for page in Path(config.docs_dir).glob("*.md")} - named)
    if more:
        nav.append({"More": more})
    config.nav = nav
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the pages of the reference."""
    where = pages()
    for namespace in NAMESPACES:
        text = listing(namespace, where)
        files.append(File.generated(config, index_of(namespace), content=text))
        for name, value in public(namespace).items():
            uri = where[f"{namespace}.{name}"]
            if files.get_file_from_path(uri) is None:
                text = page_of(namespace, name, value)
                files.append(File.generated(config, uri, content=text))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Links public names in backquotes to their pages, but for headings and code blocks."""
    uri, where = page.file.src_uri, pages()
    if uri.startswith(f"{FOLDER}/"):
        return markdown

    def linked(match: re.Match[str]) -> str:
        name = match[1] if match[1].count(".") == 1 else match[1].removeprefix(f"{PACKAGE}.")
        if name not in where:
            return match[0]
        return f"[{match[0]}]({posixpath.relpath(where[name], posixpath.dirname(uri) or '.')})"

    lines = [
        line if line.startswith("#") else _NAME.sub(linked, line)
        for is_prose, part in prose(markdown)
        for line in (part.split("\n") if is_prose else [part])
    ]
    return "\n".join(lines)
