"""What `jaxvqa score` prints: a table of pooled values, and of single frames."""

from __future__ import annotations

import math

from jaxvqa._cli.terminal import Column, print_styled, print_table
from jaxvqa._scoring.result import Result

# frames that are listed without being asked for: what a terminal shows with the pooled table
_MAX_ROWS = 24


def frame_count(result: Result) -> str:
    """`8 frames`, `1 frame`."""
    count = len(result.frame_numbers)
    return f"{count} frame" if count == 1 else f"{count} frames"


def number(value: float) -> str:
    """A value as tables show it: four decimals, or three digits where these would not do."""
    if not math.isfinite(value):
        return "-"
    if value != 0 and not 1e-3 <= abs(value) < 1e6:
        return f"{value:.3g}"
    return f"{value:.4f}"


def print_summary(result: Result, subsample: int) -> None:
    """The pooled values as a table: scores first, then features."""
    clip = result.clip
    chroma = ":".join(clip.chroma)
    every = f" (1 in {subsample})" if subsample > 1 else ""
    models = f"model {', '.join(result.models)}" if result.models else "no model"
    line = f"{clip.width}x{clip.height}, {chroma}, {clip.bit_depth} bits"
    print_styled(f"{line}; {frame_count(result)}{every}; {models}", "dim")
    for text in _preparation(result):
        print_styled(text, "dim")
    print()
    pools = {"mean": "mean", "harmonic": "harmonic_mean", "min": "min", "p5": "p5", "max": "max"}
    columns = [Column("", fold=True, style="cyan")]
    columns += [Column(title, right=True) for title in pools]
    names = [n for n in result.frames if n in result.score_names]
    names += [n for n in result.frames if n not in names]
    rows = [[n, *(number(result.pooled[n][key]) for key in pools.values())] for n in names]
    print_table(columns, rows)


def _preparation(result: Result) -> list[str]:
    """What was done to the files, a line for each part; none where nothing was."""
    prepared = result.preparation
    if prepared is None or prepared.is_plain:
        return []
    sides = {"reference": prepared.ref_filters, "distorted": prepared.dis_filters}
    lines = [f"{side}: {filters}" for side, filters in sides.items() if filters]
    pairing = prepared.pairing
    if pairing.strategy == "time":
        lines.append(f"paired by time, {pairing.drive} frames drive, offset {pairing.offset}")
    elif pairing.offset != "0":
        lines.append(f"paired by {pairing.strategy}, offset {pairing.offset}")
    return lines


def print_frames(result: Result, wanted: bool | None) -> None:
    """The values of every frame: scores, and outputs of the features asked for, or of all.

    Args:
        result: what was scored.
        wanted: None lists them for short clips, and only where features were asked for.
    """
    features = [r for r in result.requested if r.kind == "feature"]
    if (wanted is None and not features) or wanted is False:
        return
    print()
    if wanted is None and len(result.frame_numbers) > _MAX_ROWS:
        print_styled("every frame: add --per-frame, or --output FILE", "dim")
        return
    asked = [name for feature in features for name in feature.outputs]
    names = list(dict.fromkeys([*result.score_names, *(asked or result.frames)]))
    columns = [Column("frame", right=True, style="dim")]
    columns += [Column(name, right=True, fold=True) for name in names]
    rows = [
        [str(index), *(number(float(result.frames[name][i])) for name in names)]
        for i, index in enumerate(result.frame_numbers)
    ]
    print_table(columns, rows)
