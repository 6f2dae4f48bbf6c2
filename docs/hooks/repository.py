"""Brings what lies outside of docs/ onto the site, under links that GitHub understands too.

A page links to a file of the repository by its relative path, as on GitHub. On the site, README,
CONTRIBUTING and the others in `PAGES` are pages; any other file that a page links to is copied, and
a folder is a page that lists its files.
"""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterator
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.plugins import event_priority
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[2]
PAGES = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "benchmarks/README.md": "benchmarks.md",
    "models/SOURCES.md": "models.md",
    "examples": "examples.md",
    **{f"examples/{f.name}": f"examples/{f.name}" for f in sorted(ROOT.glob("examples/*.ipynb"))},
}
_LINK = re.compile(r"(?<=\]\()(?!\w+:|#)([^)\s#]+)(?=[)\s#])")
_FENCE = re.compile(r"^(```.*?^```)$", re.DOTALL | re.MULTILINE)


def origin(uri: str) -> str:
    """The path in the repository of a file of the site."""
    found = {page: path for path, page in PAGES.items() if (ROOT / path).is_file()}
    return found.get(uri, f"docs/{uri}")


def place(path: str) -> str:
    """Where a file or folder of the repository stands on the site."""
    if path in PAGES:
        return PAGES[path]
    if path.startswith("docs/"):
        return path.removeprefix("docs/")
    copy = "files/" + "/".join(part.lstrip(".") for part in path.split("/"))  # no hidden names
    return f"{copy}.md" if (ROOT / path).is_dir() else copy


def prose(text: str) -> Iterator[tuple[bool, str]]:
    """A page in parts: whether each is prose, which code blocks are not, and its text."""
    for number, part in enumerate(_FENCE.split(text)):
        yield number % 2 == 0, part


def targets(text: str, path: str) -> dict[str, str]:
    """The links of a page to files, each with the path in the repository that it means."""
    links = {link for is_prose, part in prose(text) if is_prose for link in _LINK.findall(part)}
    return {
        link: posixpath.normpath(posixpath.join(posixpath.dirname(path), link)) for link in links
    }


def listing(folder: str) -> str:
    """The page of a folder."""
    names = sorted(f.name for f in (ROOT / folder).iterdir() if f.is_file())
    lines = (f"- [{name}]({posixpath.basename(folder)}/{name})" for name in names)
    return "\n".join([f"# {folder}", "", *lines, ""])


@event_priority(100)  # before the plugin that looks for notebooks
def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds pages of other folders, and whatever a page links to."""
    for path, uri in PAGES.items():
        if path == uri:  # a notebook, whose plugin wants a file that is where its name says
            files.append(File(uri, str(ROOT), config.site_dir, config.use_directory_urls))
        elif (ROOT / path).is_file():
            files.append(File.generated(config, uri, abs_src_path=str(ROOT / path)))
    linked: set[str] = set()
    for page in files.documentation_pages():
        if page.src_uri.endswith(".md"):
            linked.update(targets(page.content_string, origin(page.src_uri)).values())
    for path in sorted(linked):
        _add(path, files, config)
    return files


def _add(path: str, files: Files, config: MkDocsConfig) -> None:
    here, uri = ROOT / path, place(path)
    if path.startswith("..") or not here.exists() or files.get_file_from_path(uri):
        return
    if here.is_dir():
        files.append(File.generated(config, uri, content=listing(path)))
        for name in sorted(os.listdir(here)):
            if (here / name).is_file():
                _add(f"{path}/{name}", files, config)
    else:
        files.append(File.generated(config, uri, abs_src_path=str(here)))


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Turns paths of the repository into paths of the site."""
    uri = page.file.src_uri
    if uri.startswith(("files/", "api/")):
        return markdown
    meant = targets(markdown, origin(uri))

    def moved(match: re.Match[str]) -> str:
        return posixpath.relpath(place(meant[match[1]]), posixpath.dirname(uri) or ".")

    return "".join(_LINK.sub(moved, p) if is_prose else p for is_prose, p in prose(markdown))
