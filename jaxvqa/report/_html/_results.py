"""A page of one or several results."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from pathlib import PurePath
from typing import Any

import numpy as np

from jaxvqa._scoring.result import Result
from jaxvqa.features._registry import direction_of
from jaxvqa.report._atomic import write_atomically
from jaxvqa.report._html._facts import details_of, facts, fps_of, notices_of, paths_of
from jaxvqa.report._html._moments import cuts, motion_of
from jaxvqa.report._html._page import Section, assemble
from jaxvqa.report._html._pictures import Progress
from jaxvqa.report._html._series import pack, pack_frames
from jaxvqa.report._html._text import cell, escaped, number, swatch, table
from jaxvqa.report._html._worst import Worst, find_worst
from jaxvqa.report._load import SavedResult
from jaxvqa.report._plot import AnyResult, default_names

# beyond so many values, curves of features keep two characters of each
_MOST_EXACT = 60_000
_POOLS = {
    "mean": "mean", "harmonic_mean": "harmonic", "min": "min", "p1": "p1", "p5": "p5",
    "p10": "p10", "p50": "median", "max": "max", "std": "std",
}  # fmt: skip


def render_html(
    results: AnyResult | Sequence[AnyResult],
    names: Sequence[str] | None = None,
    *,
    title: str | None = None,
    moments: int = 5,
    videos: Sequence[tuple[str, str] | None] | None = None,
    progress: Progress | None = None,
) -> str:
    """Results as one page of HTML that needs nothing else.

    Args:
        results: what `jaxvqa.score` or `report.load` gave, of one clip.
        names: what to call them; by default their file names.
        title: heading of the page; by default the distorted file's name.
        moments: how many of the worst frames to show, as pictures where the files can be read; 0
            reads no file.
        videos: for each result its reference and distorted file, where the result does not tell
            them; None for those that do.
        progress: called with (frames done, frames in all or None) while files are read.

    Returns:
        The page. Scores are float32; features of long clips are kept to 1/4094 of their range.

    Raises:
        ValueError: no results, or lists of unequal length.

    >>> import numpy as np
    >>> from jaxvqa.report import SavedResult, render_html
    >>> scores = {"vmaf": np.array([90.0, 80.0])}
    >>> page = render_html(SavedResult("a.json", scores, np.arange(2), ("vmaf",)), title="A clip")
    >>> page.splitlines()[0], "<h1>A clip</h1>" in page
    ('<!doctype html>', True)
    """
    results = [results] if isinstance(results, (Result, SavedResult)) else list(results)
    if not results:
        raise ValueError("there is nothing to show: give at least one result.")
    for what, given in (("names", names), ("videos", videos)):
        if given is not None and len(given) != len(results):
            raise ValueError(f"{len(results)} results need as many {what}, got {len(given)}.")
    names = list(names or default_names(results))
    results = [_in_order(r) for r in results]
    scores = _score_names(results)
    worst = [
        find_worst(r, scores[0], moments, None if videos is None else videos[i], progress)
        for i, r in enumerate(results)
    ]
    features = [n for r in results for n in r.frames if n not in scores]
    features = list(dict.fromkeys(features))
    sections = [
        Section("compared", "What was compared", _compared(results, names)),
        Section("pooled", "Pooled scores", _pooled(results, names, scores, features)),
        Section("frames", "Score by frame", '<div id="curves"></div>'),
        Section("worst", "Worst moments", _moments(worst, names, scores[0], results)),
        Section("distribution", "Distribution", '<div id="spread" class="pair"></div>'),
    ]
    if features:
        body = (
            '<p class="hint">On one cursor and one zoom with the scores.</p>'
            '<div id="features-charts" class="small"></div>'
        )
        sections.append(Section("features", "Features", body))
    count = sum(len(r.frame_numbers) for r in results) * max(len(r.frames) for r in results)
    data = {
        "kind": "results",
        "scores": scores,
        "features": features,
        "results": [
            _data(r, n, scores, count > _MOST_EXACT, w)
            for r, n, w in zip(results, names, worst, strict=True)
        ],
    }
    heading, lead = _heading(results, names)
    return assemble(
        title or heading, lead, _tiles(results, names, scores), sections, data, ["results.js"]
    )


def write_html(
    results: AnyResult | Sequence[AnyResult],
    file: str | os.PathLike[str],
    names: Sequence[str] | None = None,
    **options: Any,
) -> None:
    """Writes `render_html`, with its options, to a file, whole or not at all."""
    page = render_html(results, names, **options)
    write_atomically(file, page.encode(errors="replace"))


def _heading(results: Sequence[AnyResult], names: Sequence[str]) -> tuple[str, str]:
    """A page's heading and the line below it."""
    models = ", ".join(dict.fromkeys(m for r in results for m in r.models))
    by = f" by {models}" if models else ""
    if len(results) > 1:
        return f"{len(results)} results compared", f"Full-reference video quality{by}"
    ref, dis = paths_of(results[0], details_of(results[0]))
    if not ref or not dis:
        return names[0], f"Full-reference video quality{by}"
    return PurePath(dis).name, f"Measured against {PurePath(ref).name}{by}"


def _in_order(result: AnyResult) -> AnyResult:
    """The same with rising frame numbers, each once; files may hold any."""
    numbers = np.asarray(result.frame_numbers)
    if (np.diff(numbers) > 0).all():
        return result
    kept, places = np.unique(numbers, return_index=True)
    frames = {name: np.asarray(values)[places] for name, values in result.frames.items()}
    return dataclasses.replace(result, frames=frames, frame_numbers=kept)


def _score_names(results: Sequence[AnyResult]) -> list[str]:
    """Scores of models in any result; without a model the first series."""
    found = list(dict.fromkeys(n for r in results for n in r.score_names))
    return found or [next(iter(results[0].frames))]


def _data(
    result: AnyResult, name: str, scores: Sequence[str], long: bool, worst: Worst
) -> dict[str, Any]:
    series = {
        n: pack(np.asarray(v), coarse=long and n not in scores) for n, v in result.frames.items()
    }
    low = {n: result.pooled[n]["p5"] for n in scores if _has_low(result, n)}
    change = worst.change
    motion = motion_of(result.frames) if change is None else change
    found = [] if motion is None else cuts(motion)
    numbers = result.frame_numbers
    places = [i if change is not None else int(numbers[i]) for i in found]
    return {
        "name": name,
        "fps": fps_of(result),
        "frames": pack_frames(numbers),
        "series": series,
        "low": low,
        "cuts": places,
    }


def _has_low(result: AnyResult, name: str) -> bool:
    return name in result.frames and direction_of(name) == "higher"


def _tiles(results: Sequence[AnyResult], names: Sequence[str], scores: Sequence[str]) -> str:
    """The scores at a glance: a tile per result, or per pool of the only one."""
    if len(results) == len(scores) == 1:
        return _own_tiles(results[0], scores[0])
    tiles = []
    for i, (result, name) in enumerate(zip(results, names, strict=True)):
        for score in [s for s in scores if s in result.frames]:
            pooled = result.pooled[score]
            who = escaped(name if len(results) > 1 else score)
            if len(results) > 1 and len(scores) > 1:
                who += f" · {escaped(score)}"
            mark = swatch(i) if len(results) > 1 else ""
            tiles.append(
                f'<li class="tile"><div class="who">{mark}<span>{who}</span></div>'
                f'<div class="score num">{number(pooled["mean"])} <small>mean</small></div>'
                f'<div class="more num">p5 <b>{number(pooled["p5"])}</b> &nbsp; '
                f"min <b>{number(pooled['min'])}</b></div></li>"
            )
    return f'<ul class="tiles">{"".join(tiles)}</ul>'


def _own_tiles(result: AnyResult, score: str) -> str:
    pooled = result.pooled[score]
    shown = ("mean", "mean"), ("harmonic mean", "harmonic_mean"), ("p5", "p5"), ("lowest", "min")
    tiles = "".join(
        f'<li class="tile"><div class="who">{escaped(score)}, {label}</div>'
        f'<div class="score num">{number(pooled[key])}</div></li>'
        for label, key in shown
    )
    return f'<ul class="tiles">{tiles}</ul>'


def _compared(results: Sequence[AnyResult], names: Sequence[str]) -> str:
    cards = []
    several = len(results) > 1
    for i, (result, name) in enumerate(zip(results, names, strict=True)):
        details = details_of(result)
        rows = "".join(f"<dt>{label}</dt><dd>{text}</dd>" for label, text in facts(result, details))
        title = f"<h3>{swatch(i)}<span>{escaped(name)}</span></h3>" if several else ""
        notices = "".join(
            f"<li><b>{escaped(code)}</b>{escaped(text)}</li>" for code, text in notices_of(details)
        )
        notices = f'<ul class="notices">{notices}</ul>' if notices else ""
        cards.append(f'<article class="card">{title}<dl>{rows}</dl>{notices}</article>')
    return f'<div class="cards{" two" if several else ""}">{"".join(cards)}</div>'


def _pooled(
    results: Sequence[AnyResult],
    names: Sequence[str],
    scores: Sequence[str],
    features: Sequence[str],
) -> str:
    body = _pool_table(results, names, scores)
    if features:
        inner = _pool_table(results, names, features)
        body += f"<details><summary>Features ({len(features)})</summary>{inner}</details>"
    aggregate = [
        f'<th scope="row">{escaped(n)}</th><td class="text">{escaped(name)}</td>{cell(v)}'
        for r, name in zip(results, names, strict=True)
        for n, v in r.aggregate.items()
    ]
    if aggregate:
        heads = ("of the whole clip", False), ("result", False), ("value", True)
        body += table(heads, aggregate, label="Values of the whole clip", narrow=True)
    return body


def _pool_table(results: Sequence[AnyResult], names: Sequence[str], metrics: Sequence[str]) -> str:
    several = len(results) > 1
    heads = [("metric", False), *([("result", False)] if several else [])]
    heads += [(label, True) for label in _POOLS.values()]
    rows = []
    for metric in metrics:
        for i, (result, name) in enumerate(zip(results, names, strict=True)):
            if metric in result.frames:
                pooled = result.pooled[metric]
                who = f'<td class="text">{swatch(i)}{escaped(name)}</td>' if several else ""
                cells = "".join(cell(pooled[key]) for key in _POOLS)
                rows.append(f'<th scope="row">{escaped(metric)}</th>{who}{cells}')
    return table(heads, rows, label="Pooled scores")


def _moments(
    worst: Sequence[Worst], names: Sequence[str], score: str, results: Sequence[AnyResult]
) -> str:
    if not any(w.places for w in worst):
        return '<p class="none">No frames were picked out.</p>'
    hint = f"Frames with the worst {escaped(score)}, apart from each other."
    if any(w.moments for w in worst):
        hint += " Point at a picture, or press it, to swap reference and distorted."
    hint = f'<p class="hint">{hint}</p>'
    if len(worst) == 1:
        return hint + worst[0].markup(0, score, results[0])
    panels = "".join(
        f'<div class="tabpanel" data-name="{escaped(name)}"{" hidden" if i else ""}>'
        f"{w.markup(i, score, r)}</div>"
        for i, (w, name, r) in enumerate(zip(worst, names, results, strict=True))
    )
    return f'{hint}<div class="tools" id="moment-tabs"></div>{panels}'
