"""What a result says about how it came to be, whatever kind of result it is."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jaxvqa._scoring.result import Result
from jaxvqa.report._html._text import escaped
from jaxvqa.report._json_file import extra_block
from jaxvqa.report._plot import AnyResult

Details = dict[str, Any]


def details_of(result: AnyResult) -> Details:
    """What our JSON says beyond libvmaf's; empty for a file of libvmaf's."""
    return extra_block(result) if isinstance(result, Result) else result.details


def part(details: Details, name: str) -> Details:
    """A block of the details; files may hold anything."""
    found = details.get(name)
    return found if isinstance(found, dict) else {}


def fps_of(result: AnyResult) -> float | None:
    """Frames per second of the clip, or None."""
    return result.clip.fps if isinstance(result, Result) else result.fps


def notices_of(details: Details) -> list[tuple[str, str]]:
    """Codes and sentences."""
    found = details.get("warnings")
    items = [n for n in found if isinstance(n, dict)] if isinstance(found, list) else []
    return [(str(n.get("code", "")), str(n.get("text", ""))) for n in items]


def paths_of(result: AnyResult, details: Details) -> tuple[str | None, str | None]:
    """The two files, as they were named or relative to the result's; None if it names none."""
    clip = part(details, "clip")
    found = []
    for key in ("ref_path", "dis_path"):
        path = clip.get(key)
        path = path if isinstance(path, str) and path else None
        if path and not os.path.exists(path) and not isinstance(result, Result):
            beside = Path(result.path).parent / path
            path = str(beside) if beside.exists() else path
        found.append(path)
    return found[0], found[1]


def facts(result: AnyResult, details: Details) -> Iterator[tuple[str, str]]:
    """Names and markup of what is known, in order."""
    clip = part(details, "clip")
    for label, key in (("Reference", "ref_path"), ("Distorted", "dis_path")):
        if clip.get(key):
            yield label, f"<code>{escaped(clip[key])}</code>"
    if not isinstance(result, Result):
        yield "Result file", f"<code>{escaped(result.path)}</code>"
    if clip.get("width"):
        yield "Compared as", escaped(_picture(clip))
    encoded = clip.get("encoded")
    if isinstance(encoded, (list, tuple)) and len(encoded) == 3:
        yield "Encoded as", escaped(f"{encoded[0]}×{encoded[1]}, {encoded[2]} bits")
    yield "Frames", escaped(_frames(result))
    models = ", ".join(result.models)
    if models:
        yield "Model", escaped(models)
    yield "Pairing", escaped(_pairing(details, clip))
    prepared = part(details, "preparation")
    for side in ("reference", "distorted"):
        if prepared.get(f"{side}_filters"):
            text = escaped(prepared[f"{side}_filters"])
            yield f"Applied to {side}", f"<code>{text}</code>"
    if not details:
        yield "Note", "The file does not tell what was compared."
        return
    yield "Measured by", escaped(_program(details))


def _picture(clip: Details) -> str:
    parts = [f"{clip.get('width')}×{clip.get('height')}"]
    if clip.get("chroma"):
        parts.append(":".join(str(clip["chroma"])))
    if clip.get("bit_depth"):
        parts.append(f"{clip['bit_depth']} bits")
    if isinstance(clip.get("fps"), (int, float)):
        parts.append(f"{clip['fps']:.5g} frames per second")
    return ", ".join(parts)


def _frames(result: AnyResult) -> str:
    numbers = result.frame_numbers
    count = len(numbers)
    text = f"{count} scored"
    if count > 1 and int(numbers[1]) - int(numbers[0]) > 1:
        text += f", one in {int(numbers[1]) - int(numbers[0])}"
    rate = fps_of(result)
    if rate and count:
        text += f" ({(int(numbers[-1]) + 1) / rate:.5g} s)"
    return text


def _pairing(details: Details, clip: Details) -> str:
    if not details:
        return "not told"
    pairing = part(part(details, "preparation"), "pairing")
    if not pairing:
        whole = "in their order, all of both files" if clip.get("dis_path") else "in their order"
        return f"frame by frame, {whole}"
    strategy = pairing.get("strategy")
    if strategy == "time":
        text = f"by time, each frame of the {pairing.get('drive')} video once"
    elif strategy == "pictures":
        text = "by pictures, each frame of the distorted video with the one that it shows"
    else:
        text = "frame by frame, in their order"
    if str(pairing.get("offset", "0")) != "0":
        text += f", offset {pairing['offset']}"
    for side, key in (("reference", "unpaired_ref"), ("distorted", "unpaired_dis")):
        counts = part(pairing, key)
        left = sum(v for v in counts.values() if isinstance(v, int))
        if left:
            text += f"; {left} {side} frame{'s' * (left > 1)} without a partner"
    reused = pairing.get("reused")
    if isinstance(reused, int) and reused:
        text += f"; {reused} frame{'s' * (reused > 1)} used more than once"
    return text


def _program(details: Details) -> str:
    text = f"jaxvqa {details.get('version', '?')}, JAX {details.get('jax', '?')}"
    devices = details.get("devices")
    for device in devices if isinstance(devices, list) else []:
        if isinstance(device, dict):
            text += f", {device.get('count', 1)} × {device.get('kind', '?')}"
    timing = part(details, "timing")
    total, speed = timing.get("total_s"), timing.get("fps")
    if isinstance(total, (int, float)) and isinstance(speed, (int, float)):
        text += f", in {total:.3g} s ({speed:.3g} frames per second)"
    return text
