"""Results as JSON: libvmaf's five keys, and one of ours beside them."""

from __future__ import annotations

import dataclasses
import json
import os
from fractions import Fraction
from typing import Any

import jax

from jaxvqa._scoring.result import ClipInfo, Preparation, Result
from jaxvqa._settings import settings_of
from jaxvqa._version import __version__
from jaxvqa.report._atomic import write_atomically
from jaxvqa.report._numbers import format_number
from jaxvqa.video._inputs import InputOptions

SCHEMA = 1
POOLS = ("min", "max", "mean", "harmonic_mean")


class _Verbatim(str):
    """Text that is JSON already."""


def render_json(result: Result, *, timing: bool = True, precision: int | None = None) -> str:
    """A result as JSON text.

    The keys `version`, `fps` (frames scored per second), `frames`, `pooled_metrics` and
    `aggregate_metrics` are libvmaf's, in its order and with its number format; a value that is not
    finite is `null`. The key `jaxvqa` holds what libvmaf has no place for.

    Args:
        result: what `jaxvqa.score` gave.
        timing: False leaves out everything that differs from run to run.
        precision: significant digits; None for libvmaf's six decimals.
    """
    frames = [
        {"frameNum": int(number), "metrics": {k: float(v[i]) for k, v in result.frames.items()}}
        for i, number in enumerate(result.frame_numbers)
    ]
    pooled = {name: {k: values[k] for k in POOLS} for name, values in result.pooled.items()}
    document = {
        "version": __version__,
        "fps": _Verbatim(f"{result.timing.fps:.2f}") if timing else None,
        "frames": frames,
        "pooled_metrics": pooled,
        "aggregate_metrics": dict(result.aggregate),
        "jaxvqa": extra_block(result, timing=timing),
    }
    return _text(document, "", precision) + "\n"


def write_json(
    result: Result,
    file: str | os.PathLike[str],
    *,
    timing: bool = True,
    precision: int | None = None,
) -> None:
    """Writes `render_json` to a file, whole or not at all."""
    write_atomically(file, render_json(result, timing=timing, precision=precision).encode())


def extra_block(result: Result, *, timing: bool = True) -> dict[str, Any]:
    """What our JSON says beyond libvmaf's, as plain Python values."""
    block: dict[str, Any] = {
        "schema": SCHEMA,
        "version": __version__,
        "jax": jax.__version__,
        "devices": _devices(),
        "models": [
            {"name": model, "score": score}
            for model, score in zip(result.models, result.score_names, strict=True)
        ],
        "clip": {**_clip(result.clip), "frames_scored": len(result.frame_numbers)},
        "pooled": {
            name: {k: v for k, v in values.items() if k not in POOLS}
            for name, values in result.pooled.items()
        },
        "warnings": [{"code": n.code, "text": n.text} for n in result.notices],
    }
    prepared = result.preparation
    if prepared is not None and not prepared.is_plain:
        block["preparation"] = _preparation(prepared)
    if inputs := changed_settings(result.inputs):
        block["inputs"] = inputs
    if timing:
        block["timing"] = {
            "total_s": result.timing.total,
            "waiting_for_frames_s": result.timing.waiting,
            "fps": result.timing.fps,
        }
    return block


def changed_settings(inputs: InputOptions) -> dict[str, Any]:
    """The settings that are not their defaults, as plain values that `InputOptions` takes."""
    found = {}
    for known in settings_of(InputOptions):
        value = getattr(inputs, known.name)
        if value != known.default:
            found[known.name] = _as_option(value)
    return found


def _as_option(value: Any) -> Any:
    """A setting as the command line takes it: sizes and seconds are text."""
    if isinstance(value, Fraction):
        return f"{float(value):.9f}s"
    if isinstance(value, tuple):
        size, place = value[:2], value[2:]
        return "x".join(map(str, size)) + "".join(f"+{x}" for x in place)
    return value


def _clip(clip: ClipInfo) -> dict[str, Any]:
    facts = dataclasses.asdict(clip)
    if facts["encoded"] is None:
        del facts["encoded"]
    return facts


def _preparation(prepared: Preparation) -> dict[str, Any]:
    pairing = dataclasses.asdict(prepared.pairing)
    largest = pairing["largest_time_difference"]
    pairing["largest_time_difference"] = None if largest is None else float(largest)
    return {
        "reference_filters": prepared.ref_filters,
        "distorted_filters": prepared.dis_filters,
        "pairing": pairing,
    }


def _devices() -> list[dict[str, Any]]:
    """The devices of the default backend, alike ones counted together."""
    counts: dict[tuple[str, str], int] = {}
    for device in jax.local_devices():
        key = (device.platform, device.device_kind)
        counts[key] = counts.get(key, 0) + 1
    return [{"platform": p, "kind": kind, "count": n} for (p, kind), n in counts.items()]


def _text(value: Any, indent: str, precision: int | None) -> str:
    if isinstance(value, _Verbatim):
        return value
    if isinstance(value, float):
        return format_number(value, precision) or "null"
    inner = indent + "  "
    if isinstance(value, dict) and value:
        lines = [f"{inner}{json.dumps(k)}: {_text(v, inner, precision)}" for k, v in value.items()]
        return "{\n" + ",\n".join(lines) + f"\n{indent}}}"
    if isinstance(value, (list, tuple)) and value:
        return (
            "[\n" + ",\n".join(inner + _text(v, inner, precision) for v in value) + f"\n{indent}]"
        )
    return json.dumps(value)
