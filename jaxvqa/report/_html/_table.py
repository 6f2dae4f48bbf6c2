"""A page of a table: many scored videos."""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Sequence
from typing import Any

from jaxvqa._pooling import POOLED
from jaxvqa.ladders import Ladders, build_ladders
from jaxvqa.ladders._columns import number_of, rates_of
from jaxvqa.report._atomic import write_atomically
from jaxvqa.report._html._page import Section, assemble
from jaxvqa.report._html._text import escaped

Row = dict[str, Any]
# whole numbers of more digits, such as an id, would be rounded in the browser
_NUMBER = re.compile(r"[+-]?(?:0|[1-9]\d{0,14})(?:\.\d+)?(?:[eE][+-]?\d{1,2})?")
_MOST_WHOLE = 10**15
# what stands beside tags and scores at first; the rest is a click away
_SHOWN = {"id", "status", "frames", "bitrate_kbps", "bitrate", "dis_width", "dis_height"}
_HIDDEN = {"ref", "dis", "models"}
_POOLS_SHOWN = ("mean", "p5", "min")
_FEW = 14
# about 4 MB of page
_MOST_CELLS = 500_000


def render_table_html(
    rows: Sequence[Row], *, title: str | None = None, quality: str | None = None, **options: Any
) -> str:
    """A table of scored videos as one page of HTML that needs nothing else.

    Args:
        rows: one mapping for each video, as `report.load_table` gives them.
        title: heading of the page.
        quality: the score of the rate-quality curves; None takes the table's first.
        **options: columns and rules of the curves, as `ladders.build_ladders` takes them. Where
            rates or titles are missing, the page has no curves and says why.

    Raises:
        ValueError: no rows.

    >>> from jaxvqa.report import render_table_html
    >>> rows = [{"title": "a", "bitrate": rate, "vmaf": 10 * rate} for rate in (5, 6, 8)]
    >>> "3 videos" in render_table_html(rows)
    True
    """
    rows = list(rows)
    if not rows:
        raise ValueError("the table has no rows: there is nothing to show.")
    names = list(dict.fromkeys(name for row in rows for name in row))
    series = _series(names)
    quality = quality or (series[0] if series else "vmaf")
    ladders: Ladders | None = None
    problem = ""
    try:
        ladders = build_ladders(rows, quality=quality, **options)
    except ValueError as error:
        problem = str(error)
    else:
        rows = _with_rates(rows, ladders.rate)
    names, left_out = _fewer(names, series, quality, len(rows))
    failed = [i for i, row in enumerate(rows) if row.get("status") == "failed"]
    note = ""
    if left_out:
        note = f"{left_out} columns of pooled features are left out: the table has them."
        note = f'<p class="hint">{note}</p>'
    sections = [Section("videos", "Videos", f'<div id="table"></div>{note}')]
    if ladders is None:
        text = f'<p class="none">No curves: {escaped(problem)}</p>'
        sections.append(Section("rates", "Rate and quality", text))
    else:
        sections += [
            Section("rates", "Rate and quality", _curves(ladders)),
            Section("bd", "Bjontegaard deltas", _BD),
            Section("ladder", "Suggested ladder", _RUNGS),
        ]
    data = {
        "kind": "table",
        "columns": [_column(n, rows, names, series, quality, bool(failed)) for n in names],
        "rows": [[_cell(row.get(n)) for n in names] for row in rows],
        "failed": failed,
        "example": next((n for n in (quality, f"{quality}_mean") if n in names), ""),
        "ladders": None if ladders is None else _plain(ladders, quality),
    }
    _numbers(data)
    lead = f"{len(rows)} videos" + (f", {len(failed)} of them failed" if failed else "")
    heading = title or "Scored videos"
    return assemble(heading, lead, "", sections, data, ["table.js", "rates.js"])


_BD = (
    '<p class="hint">How much more rate the test needs for the same quality, on average, and how '
    "much better it is at the same rate. Green: the test is better.</p>"
    '<div id="deltas" class="cards"></div>'
)
_RUNGS = (
    '<p class="hint">Encodes on the hull, from the best down, each far enough below the one '
    'before in rate and in quality.</p><div id="rungs"></div>'
)


def write_table_html(rows: Sequence[Row], file: str | os.PathLike[str], **options: Any) -> None:
    """Writes `render_table_html`, with its options, to a file, whole or not at all."""
    write_atomically(file, render_table_html(rows, **options).encode(errors="replace"))


def _with_rates(rows: Sequence[Row], rate: str) -> list[Row]:
    """Rates such as `900k` as numbers, so that they are sorted and compared as those."""
    return [
        row if value is None or number_of(row[rate]) is not None else row | {rate: value}
        for row, value in zip(rows, rates_of(rows, rate), strict=True)
    ]


def _curves(ladders: Ladders) -> str:
    text = ""
    if ladders.left_out:
        count = len(ladders.left_out)
        shown = "; ".join(ladders.left_out[:3]) + ("; …" if count > 3 else "")
        rows = "1 row is" if count == 1 else f"{count} rows are"
        text = f'<p class="hint">{rows} left out: {escaped(shown)}</p>'
    return f'<div id="curves-rd"></div>{text}'


def _series(names: Sequence[str]) -> list[str]:
    """Names of the scores of a batch's table, in order."""
    return [
        n.removesuffix("_mean")
        for n in names
        if n.endswith("_mean")
        and not n.endswith("_harmonic_mean")
        and f"{n.removesuffix('_mean')}_p5" in names
    ]


def _fewer(
    names: Sequence[str], series: Sequence[str], quality: str, rows: int
) -> tuple[list[str], int]:
    """The columns of a page, and how many a large table loses: features keep their means."""
    if rows * len(names) <= _MOST_CELLS:
        return list(names), 0
    extra = {f"{s}_{p}" for s in series if s != quality for p in POOLED if p != "mean"}
    kept = [n for n in names if n not in extra]
    return kept, len(names) - len(kept)


def _column(
    name: str,
    rows: Sequence[Row],
    names: Sequence[str],
    series: Sequence[str],
    quality: str,
    failed: bool,
) -> dict[str, Any]:
    mine = [quality, *(f"{quality}_{p}" for p in _POOLS_SHOWN)]
    if "status" in names and series:
        tags = names[: names.index("status")]
        shown = name in _SHOWN or name in mine or (name in tags and name not in _HIDDEN)
        shown |= name == "dis" and "id" not in names
    else:
        pooled = any(name.endswith(f"_{p}") for p in POOLED)
        shown = name in mine or (names.index(name) < _FEW and not pooled)
    # a column that says the same everywhere says little
    shown &= len(rows) == 1 or len({str(row.get(name)) for row in rows} - {"None", ""}) > 1
    shown |= name == "error" and failed
    prose = name in ("error", "notices")
    return {"name": name, "shown": shown, "number": False, "rate": False, "prose": prose}


def _cell(value: Any) -> Any:
    """A cell as a number, text or None."""
    if value is None or value == "":
        return None
    exact = isinstance(value, float) or (isinstance(value, int) and abs(value) < _MOST_WHOLE)
    if isinstance(value, bool) or not exact:
        return str(value)
    return value


def _numbers(data: dict[str, Any]) -> None:
    """Makes numbers of the columns that hold nothing else; `007` and names stay text."""
    for i, column in enumerate(data["columns"]):
        cells = [row[i] for row in data["rows"] if row[i] is not None]
        text = [c for c in cells if isinstance(c, str)]
        if not cells or not all(_NUMBER.fullmatch(c) for c in text):
            continue
        column["number"] = True
        column["rate"] = column["name"] == (data["ladders"] or {}).get("rate")
        for row in data["rows"]:
            if isinstance(row[i], str):
                row[i] = float(row[i]) if re.search(r"[.eE]", row[i]) else int(row[i])


def _plain(ladders: Ladders, quality: str) -> dict[str, Any]:
    document = dataclasses.asdict(ladders)
    return {**document, "label": quality, "left_out": None}
