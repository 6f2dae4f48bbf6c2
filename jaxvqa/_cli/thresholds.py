"""`--min vmaf=90`: what a score must reach, and the line that says where it does not."""

from __future__ import annotations

import argparse
import difflib
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from jaxvqa._cli.summary import number
from jaxvqa._pooling import POOLED
from jaxvqa._scoring.result import Result
from jaxvqa.report._numbers import clock


@dataclass(frozen=True)
class Threshold:
    """What a pooled value must reach.

    Args:
        metric: a key of `Result.frames`; None is the first score.
        pool: how its frames are pooled.
        least: the least value.
        text: as it was asked for.
    """

    metric: str | None
    pool: str
    least: float
    text: str


def parse_threshold(text: str) -> Threshold:
    """Parses METRIC=VALUE, POOL=VALUE or METRIC:POOL=VALUE.

    Raises:
        ArgumentTypeError: the rest of a sentence about it.
    """
    name, equals, value = text.rpartition("=")
    try:
        least = float(value) if equals and name else math.nan
    except ValueError:
        least = math.nan
    if not math.isfinite(least):
        raise argparse.ArgumentTypeError(
            f"must be NAME=NUMBER, such as vmaf=90, p5=80 or psnr_y:min=30, got {text!r}"
        )
    if name in POOLED:
        return Threshold(None, name, least, text)
    metric, colon, pool = name.rpartition(":")
    if not colon:
        return Threshold(name, "mean", least, text)
    if pool not in POOLED:
        raise argparse.ArgumentTypeError(f"{text!r}: there are the pools {', '.join(POOLED)}")
    return Threshold(metric, pool, least, text)


def unmet(result: Result, thresholds: Sequence[Threshold]) -> list[str]:
    """A sentence for every threshold that a result does not reach.

    Raises:
        ValueError: a metric that the result does not have.
    """
    found = []
    for threshold in thresholds:
        name = threshold.metric or (*result.score_names, *result.frames)[0]
        if name not in result.frames:
            close = difflib.get_close_matches(name, result.frames, n=1, cutoff=0.6)
            advice = (
                f"did you mean {close[0]}?" if close else f"there are {', '.join(result.frames)}."
            )
            raise ValueError(f"--min {threshold.text}: nothing of that name was measured: {advice}")
        value = result.pooled[name][threshold.pool]
        if not value >= threshold.least:
            found.append(_sentence(result, name, threshold, value))
    return found


def _sentence(result: Result, name: str, threshold: Threshold, value: float) -> str:
    series = np.asarray(result.frames[name], np.float64)
    what = f"{name} {threshold.pool}"
    if not math.isfinite(value):
        frame = int(result.frame_numbers[np.flatnonzero(~np.isfinite(series))[0]])
        return f"{what} is undefined, from frame {frame} on, where {threshold.least:g} is asked for"
    index = int(np.argmin(series))
    frame, lowest = int(result.frame_numbers[index]), number(float(series[index]))
    rate = result.clip.fps
    when = f" ({clock(frame / rate).removesuffix('.00')})" if rate else ""
    return (
        f"{what} is {number(value)}, below {threshold.least:g}: "
        f"the lowest is frame {frame}{when} with {lowest}"
    )
