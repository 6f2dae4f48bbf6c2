"""Results as XML in libvmaf's layout."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping

from jaxvqa._scoring.result import Result
from jaxvqa._version import __version__
from jaxvqa.report._atomic import write_atomically
from jaxvqa.report._json_file import POOLS
from jaxvqa.report._numbers import format_number

# compiled when they are used: so many characters take a moment
_NOT_IN_NAMES = r"[^A-Za-z0-9_.\-]"
_NOT_IN_XML = r"[^\t\n\r\x20-\uD7FF\uE000-\uFFFD\U00010000-\U0010FFFF]"


def render_xml(result: Result, *, timing: bool = True, precision: int | None = None) -> str:
    """A result as XML text.

    A value that is not finite is left out. Names of series are attribute names here, so characters
    that XML does not allow there become `_`; `pooled_metrics` has the names as they are.

    Args:
        result: what `jaxvqa.score` gave.
        timing: False leaves the speed empty, which differs from run to run.
        precision: significant digits; None for libvmaf's six decimals.
    """
    from xml.sax.saxutils import quoteattr  # loads the library's network code

    clip, keys = result.clip, _attribute_names(result.frames)
    fps = f"{result.timing.fps:.2f}" if timing else ""
    lines = [
        f"<VMAF version={quoteattr(__version__)}>",
        f'  <params qualityWidth="{clip.width}" qualityHeight="{clip.height}" />',
        f'  <fyi fps="{fps}" />',
        "  <frames>",
    ]
    for i, number in enumerate(result.frame_numbers):
        values = _attributes({keys[k]: float(v[i]) for k, v in result.frames.items()}, precision)
        lines.append(f'    <frame frameNum="{int(number)}" {values}/>')
    lines += ["  </frames>", "  <pooled_metrics>"]
    for name, pooled in result.pooled.items():
        values = _attributes({k: pooled[k] for k in POOLS}, precision)
        lines.append(f"    <metric name={quoteattr(re.sub(_NOT_IN_XML, '?', name))} {values}/>")
    names = _attribute_names(result.aggregate)
    aggregate = _attributes({names[k]: v for k, v in result.aggregate.items()}, precision)
    lines += ["  </pooled_metrics>", f"  <aggregate_metrics {aggregate}/>", "</VMAF>", ""]
    return "\n".join(lines)


def write_xml(
    result: Result,
    file: str | os.PathLike[str],
    *,
    timing: bool = True,
    precision: int | None = None,
) -> None:
    """Writes `render_xml` to a file, whole or not at all."""
    write_atomically(file, render_xml(result, timing=timing, precision=precision).encode())


def _attributes(values: Mapping[str, float], precision: int | None) -> str:
    texts = {key: format_number(value, precision) for key, value in values.items()}
    return "".join(f'{key}="{text}" ' for key, text in texts.items() if text is not None)


def _attribute_names(names: Iterable[str]) -> dict[str, str]:
    """A different valid attribute name for every series."""
    found: dict[str, str] = {}
    taken = {"frameNum"}
    for name in names:
        key = re.sub(_NOT_IN_NAMES, "_", name)
        if not re.match(r"[A-Za-z_]", key):
            key = f"_{key}"
        while key in taken:
            key += "_"
        taken.add(key)
        found[name] = key
    return found
