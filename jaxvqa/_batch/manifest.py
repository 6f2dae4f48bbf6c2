"""From rows to jobs: which columns are files, options and tags."""

from __future__ import annotations

import difflib
import functools
import os
from collections.abc import Iterable, Mapping
from typing import Any

from jaxvqa._batch.job import Job, Manifest
from jaxvqa._notice import Notice
from jaxvqa._scoring.request import ScoreRequest
from jaxvqa._settings import Setting, settings_of
from jaxvqa._tables import TableError, is_empty, read_table
from jaxvqa.video._container.pipe import STDIN
from jaxvqa.video._container.source import is_url
from jaxvqa.video._inputs import InputOptions

_FILES = {"ref": "ref", "reference": "ref", "dis": "dis", "distorted": "dis"}
# options of raw video, which needs all: without the last the others say what a file is
_RAW = ("width", "height", "bit_depth")
_RAW_NEEDS = "pixel_format"
_SEVERAL = ("model", "features")
_SEPARATOR = ";"
_NO_MODEL = "none"
_CLOSE = 0.8

Rows = str | os.PathLike[str] | Iterable[Mapping[str, Any]]
# where it stands, for messages, and its cells
PlacedRow = tuple[str, Mapping[str, Any]]


@functools.cache
def _settings() -> dict[str, Setting]:
    """The settings that files have, by name."""
    every = (*settings_of(ScoreRequest), *settings_of(InputOptions))
    return {setting.name: setting for setting in every if any(setting.flags)}


@functools.cache
def option_names() -> dict[str, str]:
    """Settings by the columns that give them: their names, and the command line's spellings."""
    known = {}
    for setting in _settings().values():
        spelt = [f[2:].replace("-", "_") for f in setting.flags if f.startswith("--")]
        known |= dict.fromkeys([setting.name, *spelt], setting.name)
    return known


def load_manifest(source: Rows | Manifest, base: Mapping[str, Any] | None = None) -> Manifest:
    """The jobs of a manifest.

    Args:
        source: a table's file, or rows as dictionaries. Each has `ref` and `dis`, may have `id` and
            any option of `jaxvqa.score`; what else there is are tags. Files are named from the
            manifest's folder, in rows from the current one.
        base: options of all rows that do not give them.

    Raises:
        ValueError: rows that can't be jobs; the message says which and why.
    """
    if isinstance(source, Manifest):
        return source
    folder = os.getcwd()
    if isinstance(source, (str, os.PathLike)):
        folder = os.path.dirname(os.path.abspath(source))
        try:
            table = read_table(source)
        except TableError as error:
            raise ValueError(f"manifest {error}") from error
        rows: Iterable[PlacedRow] = ((f"{row.table}, {row.place}", row.cells) for row in table)
    else:
        rows = ((f"row {n}", row) for n, row in enumerate(source, 1))
    return make_manifest(rows, folder, base or {})


def make_manifest(
    rows: Iterable[PlacedRow],
    folder: str,
    base: Mapping[str, Any],
    tag_columns: frozenset[str] = frozenset(),
) -> Manifest:
    """The jobs of rows.

    Args:
        rows: the rows with their places; empty cells are none.
        folder: where relative names begin.
        base: options of all rows that do not give them.
        tag_columns: columns that are tags whatever their names.
    """
    maker = _Maker(folder, base, tag_columns)
    for place, row in rows:
        maker.add(place, row)
    return maker.manifest()


class _Maker:
    def __init__(self, folder: str, base: Mapping[str, Any], tag_columns: frozenset[str]) -> None:
        self._folder = folder
        self._base = dict(base)
        self._tag_columns = tag_columns
        self._kinds: dict[str, tuple[str, str]] = {}
        self._requests: dict[str, ScoreRequest] = {}
        self._jobs: list[Job] = []
        self._places: dict[str, str] = {}

    def add(self, place: str, row: Mapping[str, Any]) -> None:
        parts: dict[str, dict[str, Any]] = {"file": {}, "option": {}, "tag": {}, "id": {}}
        for column, cell in row.items():
            if is_empty(cell):
                continue
            for text in (column, cell):
                _check_text(place, text)
            kind, name = self._kinds.get(column) or self._kind(column)
            if name in parts[kind]:
                raise ValueError(f"{place}: gives {name} twice, once as {column!r}: leave one out.")
            parts[kind][name] = cell
        self._keep_sizes(parts, row)
        files = parts["file"]
        for side in ("ref", "dis"):
            if side not in files:
                raise ValueError(f"{place}: has no {side}: give the columns ref and dis.")
        named = str(files["ref"]), str(files["dis"])
        id = str(parts["id"].get("id", named[1]))
        if id in self._places:
            raise ValueError(
                f"{place}: its id {id!r} is that of {self._places[id]} too: give each row one of "
                "its own in a column id."
            )
        self._places[id] = place
        paths = [self._path(place, name) for name in named]
        request = self._request(place, parts["option"])
        given = {name: _text(cell) for name, cell in parts["option"].items()}
        self._jobs.append(Job(id, named, paths[0], paths[1], request, given, parts["tag"]))

    def _keep_sizes(self, parts: dict[str, dict[str, Any]], row: Mapping[str, Any]) -> None:
        """Makes tags of the size and bit depth of a video that is not raw."""
        options = parts["option"]
        if self._base.get(_RAW_NEEDS) is None and _RAW_NEEDS not in options:
            for column in row:
                name = self._kinds.get(column, ("", ""))[1]
                if name in options and name in _RAW:
                    parts["tag"][str(column)] = options.pop(name)

    def _kind(self, column: str) -> tuple[str, str]:
        plain = str(column).strip().replace("-", "_")
        if column in self._tag_columns:
            kind = "tag", column
        elif plain in _FILES:
            kind = "file", _FILES[plain]
        elif plain == "id":
            kind = "id", "id"
        elif plain in option_names():
            kind = "option", option_names()[plain]
        else:
            kind = "tag", str(column)
        self._kinds[column] = kind
        return kind

    def _path(self, place: str, name: str) -> str:
        if name == STDIN:
            raise ValueError(f"{place}: standard input can't be a job's video: name a file.")
        return name if is_url(name) else os.path.normpath(os.path.join(self._folder, name))

    def _request(self, place: str, options: Mapping[str, Any]) -> ScoreRequest:
        """Equal options share one request."""
        key = repr(options)
        if key not in self._requests:
            try:
                own = {name: _parsed(name, cell) for name, cell in options.items()}
                self._requests[key] = ScoreRequest.of(**(self._base | own))
            except ValueError as error:
                raise ValueError(f"{place}: {error}") from None
        return self._requests[key]

    def manifest(self) -> Manifest:
        if not self._jobs:
            raise ValueError("there are no jobs: the manifest has no rows.")
        order = dict.fromkeys(name for job in self._jobs for name in job.given)
        tags = tuple(dict.fromkeys(name for job in self._jobs for name in job.tags))
        return Manifest(tuple(self._jobs), tuple(order), tags, tuple(self._doubts(tags)))

    def _doubts(self, tags: Iterable[str]) -> Iterable[Notice]:
        """Tags that look like misspelt options."""
        known = [name for name in option_names() if len(name) > 2]
        for tag in tags:
            close = difflib.get_close_matches(tag.lower(), known, n=1, cutoff=_CLOSE)
            if close and tag not in self._tag_columns:
                text = f"the column {tag!r} is no option and is kept as a tag: is it {close[0]}?"
                yield Notice("column", text)


def _check_text(place: str, text: Any) -> None:
    """Refuses text that no table can hold, such as a file's name in another encoding."""
    if isinstance(text, str) and not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            place = place.encode(errors="backslashreplace").decode()
            raise ValueError(f"{place}: {text!a} is no UTF-8, as tables are: rename it.") from None


def _parsed(name: str, cell: Any) -> Any:
    """An option's cell as the command line would take it."""
    if name in _SEVERAL:
        cell = _several(cell)
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)  # a column of whole numbers with gaps
    if isinstance(cell, (int, float)) and not isinstance(cell, bool):
        cell = str(cell)
    try:
        return _settings()[name].parse(cell)
    except ValueError as error:
        raise ValueError(f"{name} {error}") from None


def _several(cell: Any) -> Any:
    """Models or features of a cell: a list, or text with `;` between them; "none" for none."""
    if not isinstance(cell, str):
        return cell
    if cell.strip().lower() == _NO_MODEL:
        return None
    return [part.strip() for part in cell.split(_SEPARATOR) if part.strip()]


def _text(cell: Any) -> str:
    """An option's cell as the table shows it."""
    if isinstance(cell, (list, tuple)):
        return _SEPARATOR.join(str(part) for part in cell)
    return str(cell)
