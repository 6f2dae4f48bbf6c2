"""From finished series to a `Result`: names, scores of models, notices."""

from __future__ import annotations

import time
from collections.abc import Container, Sequence

import numpy as np

from jaxvqa._notice import Notice
from jaxvqa._scoring.clip import ClipPair
from jaxvqa._scoring.plan import Extraction, ExtractionKey, Plan
from jaxvqa._scoring.program_store import ProgramStore
from jaxvqa._scoring.result import Requested, Result, Timing
from jaxvqa._scoring.run import Series
from jaxvqa.features._feature import Measurement
from jaxvqa.video._inputs import InputOptions


def publish(
    plan: Plan,
    clip: ClipPair,
    series: Series,
    started: float,
    inputs: InputOptions,
    store: ProgramStore | None = None,
) -> Result:
    """The result of a run.

    Args:
        plan: what was computed.
        clip: the clip, read to its end.
        series: what the run gave.
        started: `time.perf_counter()` before the files were opened.
        inputs: how the videos were read.
        store: keeps compiled programs for later processes.
    """
    frames: dict[str, np.ndarray] = {}
    shown: dict[ExtractionKey, tuple[str, ...]] = {}
    aggregate: dict[str, float] = {}
    notices = [*plan.notices, *clip.read_notices()]
    for extraction in plan.extractions:
        values = _shown(extraction, series)
        names = {n: _free(n, frames, extraction) for n in values}
        frames |= {names[n]: x for n, x in values.items()}
        shown[extraction.key] = tuple(names.values())
        found, told = _of_the_clip(plan, extraction, clip, series)
        aggregate |= {_free(n, aggregate, extraction): x for n, x in found.items()}
        notices += told
    requested = []
    for use in plan.models:
        scores = use.score(series.by_key, store)
        frames |= scores
        requested.append(Requested(use.model.name or use.name, "model", tuple(scores)))
        notices += _typical_error(use.name, use.model.info.typical_error)
    requested += [Requested(text, "feature", shown[key]) for text, key in plan.features]
    seconds = time.perf_counter() - started
    return Result(
        frames=frames,
        frame_numbers=series.numbers,
        score_names=tuple(use.name for use in plan.models),
        models=tuple(use.model.name or use.name for use in plan.models),
        clip=clip.info,
        notices=(*notices, *_undefined(frames)),
        timing=Timing(seconds, series.waiting, len(series.numbers) / seconds),
        requested=tuple(requested),
        aggregate=aggregate,
        preparation=clip.read_preparation(),
        inputs=inputs,
    )


def _free(name: str, taken: Container[str], extraction: Extraction) -> str:
    """The name, spelt out where an earlier one is the same.

    Features that differ only in options without an alias get these options behind their names, and
    sets of FUNQUE, which share names, their own name in front.
    """
    told_apart = name + extraction.options.hidden_suffix
    spelt = f"{extraction.feature.name}.{told_apart}"
    return next(n for n in (name, told_apart, spelt) if n not in taken)


def _shown(extraction: Extraction, series: Series) -> dict[str, np.ndarray]:
    """An extraction's outputs under the names that results show."""
    values, suffix = series.by_key[extraction.key], extraction.options.suffix
    outputs = extraction.feature.outputs(extraction.options)
    there = (o for o in outputs if o.shown and o.name in values)  # monochrome video may lack some
    return {o.name + suffix: np.asarray(values[o.name]) for o in there}


def _of_the_clip(
    plan: Plan, extraction: Extraction, clip: ClipPair, series: Series
) -> tuple[dict[str, float], Sequence[Notice]]:
    """Numbers of the whole clip, and what the user must be told."""
    feature, suffix = extraction.feature, extraction.options.suffix
    measured = Measurement(
        series.by_key[extraction.key],
        extraction.options,
        clip.info.bit_depth,
        plan.models_of(extraction),
    )
    numbers = {} if feature.aggregate is None else feature.aggregate(measured)
    notices = () if feature.notices is None else tuple(feature.notices(measured))
    return {name + suffix: float(x) for name, x in numbers.items()}, notices


def _typical_error(name: str, error: tuple[float, float] | None) -> list[Notice]:
    """Says how far off an estimate usually is."""
    if error is None:
        return []
    # a digit behind the point, or two digits of an error below a point, as on a scale of 1 to 5
    mean, large = (f"{size:.1f}" if size >= 1 else f"{size:.2g}" for size in error)
    text = (
        f"{name} is an estimate: on contents that its fit had not seen it was off by {mean} points "
        f"on average, by more than {large} in one clip of 20."
    )
    return [Notice("estimate", text)]


def _undefined(frames: dict[str, np.ndarray]) -> list[Notice]:
    """Says which outputs have no value on some frames."""
    notices = []
    for name, values in frames.items():
        bad = int(np.count_nonzero(~np.isfinite(values)))
        if bad:
            text = f"{name} is undefined on {bad} of {len(values)} frames and reported as null."
            notices.append(Notice("undefined", text))
    return notices
