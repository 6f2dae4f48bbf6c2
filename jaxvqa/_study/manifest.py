"""Studies as tables: one row a clip, and votes as a long table."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePath
from typing import Any

from jaxvqa._checks import shown, truth
from jaxvqa._scoring.request import ScoreRequest
from jaxvqa._settings import Setting, settings_of
from jaxvqa._study.study import Clip, Study, interval_of, vote_table
from jaxvqa._tables import Row, TableError, as_number, read_table
from jaxvqa.video._inputs import InputOptions

# columns that hold ratings, in libvmaf's order of preference
RATINGS = ("dmos", "mos", "score", "groundtruth")
_OWN = ("id", "ref", "dis", "content", "results", "ci", "standard_error", "is_reference")
_MEASURES = ("model", "features", "arithmetic")


def options_of_clips() -> dict[str, Setting]:
    """Settings that a row may have; what is measured is the same for all rows."""
    known = (*settings_of(ScoreRequest), *settings_of(InputOptions))
    return {s.name: s for s in known if s.name not in _MEASURES and any(s.flags)}


def read_manifest(
    path: str | os.PathLike[str],
    rating: str | None = None,
    root: str | os.PathLike[str] | None = None,
) -> Study:
    """Clips from a table with the columns `ref, dis, content, mos` or `dmos`, and more.

    Files are looked for beside the table. Without `content` it is the reference's name; without
    `id` a clip is named by its distorted video or its results. `results` names a file of saved
    scores. `ci` is the half width of the rating's 95 % interval, `standard_error` its standard
    error. `is_reference` is true for a clip that shows its reference, as one whose dis is its ref
    does. Settings of `jaxvqa score` are read as such; other columns of numbers can be judged.

    Args:
        path: a table as `read_table` takes it.
        rating: the column of the ratings; None takes the one of `RATINGS` that there is.
        root: the folder that relative paths begin at; None takes that of the table.

    Raises:
        TableError: a table that makes no study.
    """
    rows = read_table(path)
    name = os.fspath(path)
    column = _rating_column(name, rows, rating)
    folder = os.path.dirname(name) if root is None else os.fspath(root)
    return Study(name, tuple(_clip(row, folder, column) for row in rows), column or "votes")


def _rating_column(name: str, rows: Sequence[Row], rating: str | None) -> str | None:
    columns = dict.fromkeys(c for row in rows for c, cell in row.cells.items() if cell is not None)
    if rating is not None:
        if rating not in columns:
            raise TableError(f"{name}: has no column {rating!r}; it has {', '.join(columns)}.")
        return rating
    found = [column for column in RATINGS if column in columns]
    if len(found) > 1:
        raise TableError(f"{name}: has {' and '.join(found)}: say with `rating` which one to use.")
    return found[0] if found else None


def _clip(row: Row, folder: str, rating: str | None) -> Clip:
    ref, dis, results = (_file(row.text(c), folder) for c in ("ref", "dis", "results"))
    name = row.text("id") or row.text("dis") or row.text("results")
    content = row.text("content") or (PurePath(ref).name if ref else None)
    if name is None:
        row.fail("names no clip: give id, or dis with the distorted video.")
    if content is None:
        row.fail("has no content: name what was filmed, or give ref with the reference.")
    known = options_of_clips()
    options = {}
    for column, setting in known.items():
        if row.cells.get(column) is not None:
            try:
                options[column] = setting.parse(row.cells[column])
            except ValueError as error:
                row.fail(f"{column} {error}")
    rest = {c: v for c, v in row.cells.items() if c not in known and c not in _OWN and c != rating}
    values = {c: as_number(v) for c, v in rest.items()}
    score = None if rating is None else row.number_of(rating)
    return Clip(
        name=name,
        content=content,
        ref=ref,
        dis=dis,
        results=results,
        options=options,
        values={c: v for c, v in values.items() if v is not None},
        rating=float("nan") if score is None else score,
        interval=_interval(row),
        is_reference=_is_reference(row, dis is not None and dis == ref),
    )


def _interval(row: Row) -> float:
    try:
        return interval_of(row.number_of("ci"), row.number_of("standard_error"))
    except TableError:
        raise
    except ValueError as error:
        row.fail(str(error))


def _is_reference(row: Row, same: bool) -> bool:
    said = row.cells.get("is_reference")
    found = same if said is None else truth(said)
    if found is None:
        row.fail(f"is_reference must be true or false, got {shown(said)}.")
    return found


def _file(path: str | None, folder: str) -> str | None:
    """A path of a table, relative to a folder; addresses stay."""
    if path is None or "://" in path or path == "-":
        return path
    return os.path.join(folder, path)


def add_votes(study: Study, path: str | os.PathLike[str]) -> Study:
    """The study with votes from a table with the columns `id, subject, score[, repetition]`.

    Raises:
        TableError: a table that holds no votes on these clips.
    """
    found: dict[tuple[str, str], dict[str, float]] = {}
    for row in read_table(path):
        clip, subject, score = row.text("id"), row.text("subject"), row.number_of("score")
        if clip is None or subject is None or score is None:
            row.fail("a vote needs id, subject and score.")
        again = row.text("repetition") or "1"
        given = found.setdefault((clip, subject), {})
        if again in given:
            row.fail(
                f"subject {subject!r} votes on {clip!r} again: number the votes in a column named "
                "repetition."
            )
        given[again] = score
    votes = {k: [given[again] for again in sorted(given, key=_order)] for k, given in found.items()}
    table, subjects = vote_table(os.fspath(path), [clip.name for clip in study.clips], votes)
    return replace(study, votes=table, subjects=subjects)


def _order(again: str) -> tuple[float, str]:
    number = as_number(again)
    return (float("inf") if number is None else number, again)


def text_of(value: Any) -> str:
    """An id as text, whole numbers without a point."""
    return f"{value:g}" if isinstance(value, float) else str(value)
