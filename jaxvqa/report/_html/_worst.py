"""The worst frames of a result, as pictures where its files can still be read."""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np

from jaxvqa._optional import MissingPackage
from jaxvqa.features._registry import direction_of
from jaxvqa.report._html._facts import Details, details_of, fps_of, part, paths_of
from jaxvqa.report._html._moments import motion_of, worst_moments
from jaxvqa.report._html._pictures import GAIN, Moment, Progress, take_pictures
from jaxvqa.report._html._text import cell, escaped, number, table
from jaxvqa.report._numbers import clock
from jaxvqa.report._plot import AnyResult
from jaxvqa.video import InputOptions


@dataclass(frozen=True)
class Worst:
    """The worst frames of a result.

    Args:
        places: their indices in the result, the worst first.
        moments: pictures of them, or none.
        problem: why there are no pictures, or None.
        change: how much each frame of the reference differs from the one before, or None.
    """

    places: tuple[int, ...] = ()
    moments: tuple[Moment, ...] = ()
    problem: str | None = None
    change: np.ndarray | None = None

    def markup(self, index: int, score: str, result: AnyResult) -> str:
        """The section of one result.

        Args:
            index: of the result in the page.
            score: the series that decided.
            result: the result.
        """
        if not self.places:
            return '<p class="none">This result has no such score.</p>'
        values, rate = result.frames[score], fps_of(result)
        if self.moments:
            return "".join(
                _moment(m, n, index, score, float(values[i]), rate)
                for n, (m, i) in enumerate(zip(self.moments, self.places, strict=True))
            )
        rows = [
            f'<td class="n">{frame}</td>{_time_cell(frame, rate)}{cell(float(values[i]))}'
            f"<td>{_button(index, frame, 'Show')}</td>"
            for i in self.places
            for frame in [int(result.frame_numbers[i])]
        ]
        heads = [("frame", True), *([("time", True)] if rate else []), (score, True), ("", False)]
        problem = escaped(self.problem or "none were asked for.")
        return (
            table(heads, rows, label="Worst frames", narrow=True)
            + f'<p class="hint">No pictures: {problem}</p>'
        )


def find_worst(
    result: AnyResult,
    score: str,
    count: int,
    videos: tuple[str, str] | None,
    progress: Progress | None,
) -> Worst:
    """Picks the worst frames and takes their pictures.

    Args:
        result: where the scores are.
        score: the series that decides.
        count: how many frames; 0 reads no file.
        videos: the reference and the distorted file, or None for those that the result names.
        progress: called with (frames done, frames in all or None).
    """
    if score not in result.frames:
        return Worst()
    values = np.asarray(result.frames[score], np.float64)
    lowest = direction_of(score) != "lower"
    places = tuple(
        worst_moments(
            result.frame_numbers, values, max(count, 0), fps=fps_of(result), lowest=lowest
        )
    )
    if not places:
        return Worst()
    details = details_of(result)
    ref, dis = videos or paths_of(result, details)
    if not ref or not dis:
        return Worst(places, problem="the result does not name the files it compared.")
    missing = [path for path in (ref, dis) if not os.path.exists(path)]
    if missing:
        return Worst(places, problem=f"{missing[0]} was not found.")
    frames = [int(result.frame_numbers[i]) for i in places]
    try:
        moments, change = take_pictures(
            ref, dis, _inputs(details), frames, size=_size(details), progress=progress,
            changes=motion_of(result.frames) is None,
        )  # fmt: skip
    except (ValueError, TypeError, OSError, MissingPackage) as error:
        return Worst(places, problem=" ".join(str(error).split()))
    return Worst(places, tuple(moments), change=change)


def _inputs(details: Details) -> InputOptions:
    """How the files were read; the settings of a file are parsed as anybody's."""
    return InputOptions(**part(details, "inputs"))


def _size(details: Details) -> tuple[int, int] | None:
    clip = part(details, "clip")
    width, height = clip.get("width"), clip.get("height")
    return (width, height) if isinstance(width, int) and isinstance(height, int) else None


def _moment(
    moment: Moment, place: int, index: int, score: str, value: float, rate: float | None
) -> str:
    time = f" · {clock(moment.frame / rate)}" if rate else ""
    size = f'width="{moment.width}" height="{moment.height}"'
    what = f"frame {moment.frame}"
    sides = "".join(
        f'<figure><button type="button" class="swap" data-side="{side}" aria-pressed="false" '
        f'aria-label="Swap the {name} picture of {what} with the {other} one">'
        f'<img data-side="{side}" src="{address}" {size} alt="{name}, {what}"></button>'
        f"<figcaption>{name.capitalize()}</figcaption></figure>"
        for side, name, other, address in (
            ("ref", "reference", "distorted", moment.ref),
            ("dis", "distorted", "reference", moment.dis),
        )
    )
    return (
        f'<article class="moment"><header><h3>{place + 1}. {escaped(score)} '
        f'<span class="num">{number(value)}</span></h3><span class="at">{what}{time}</span>'
        f"{_button(index, moment.frame)}</header>"
        f'<div class="trio">{sides}<figure><img src="{moment.difference}" {size} '
        f'alt="difference, {what}"><figcaption>Difference of luma, × {GAIN}</figcaption></figure>'
        "</div></article>"
    )


def _button(index: int, frame: int, text: str = "Show in the curve") -> str:
    where = f'data-result="{index}" data-frame="{frame}"'
    label = f"Show frame {frame} in the curve"
    return f'<button type="button" {where} aria-label="{label}">{text}</button>'


def _time_cell(frame: int, rate: float | None) -> str:
    return f'<td class="n">{clock(frame / rate)}</td>' if rate else ""
