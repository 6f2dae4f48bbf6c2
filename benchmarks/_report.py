"""What the benchmarks share: options, where a run took place, its table and its JSON file.

A run has columns and rows. A value is a number, a text, None, or a spread over passes (minimum,
median, maximum). `tables.py` renders the JSON files into the pages.
"""

from __future__ import annotations

import argparse
import datetime
import importlib.metadata
import json
import math
import os
import platform
import re
import statistics
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# what a run was asked for, but not where its files are
_PRIVATE = {
    "json", "child", "libvmaf", "ffmpeg", "clip", "golden", "table", "dir", "models", "folder",
    "save", "plot", "videos", "map", "picture",
}  # fmt: skip


class Problem(Exception):
    """A sentence for the person who started this."""


@dataclass(frozen=True)
class Column:
    """One column of a run's table: key of the rows, head, format ("s" for text), width."""

    key: str
    head: str
    spec: str = ".1f"
    width: int = 12


def parser(text: str, passes: int = 0) -> argparse.ArgumentParser:
    """A parser with the options that every benchmark has.

    Args:
        text: the script's docstring.
        passes: default of `--passes`; 0 where nothing is timed.
    """
    made = argparse.ArgumentParser(
        description=text, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument("--json", type=Path, metavar="FILE", help="also write the run to this file")
    if passes:
        made.add_argument(
            "--passes",
            type=positive,
            default=passes,
            metavar="N",
            help=f"how often each is measured (minimum, median, maximum); default {passes}",
        )
    return made


def positive(text: str) -> int:
    """A count given on the command line."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number from 1 on, got {text}")
    return int(text)


def spread(values: Iterable[float]) -> dict[str, float]:
    """Minimum, median and maximum."""
    values = sorted(values)
    return {"min": values[0], "median": statistics.median(values), "max": values[-1]}


def rates(count: int, seconds: Iterable[float]) -> dict[str, float]:
    """Spread of `count` per second."""
    return spread(count / s for s in seconds)


def cell(value: Any, spec: str) -> str:
    """A value as text; of a spread the median, then minimum and maximum."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return " ".join(cell(v, spec) for v in value)
    if isinstance(value, Mapping):
        middle, low, high = (cell(value[k], spec) for k in ("median", "min", "max"))
        return middle if low == high else f"{middle} ({low} to {high})"
    return re.sub(r"e([-+])0", r"e\1", f"{value:{spec}}")


def processor() -> str:
    """The processor's name, as far as the system tells."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def cores() -> int:
    """Processor cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def devices() -> str:
    """What JAX computes on; starts its backend."""
    import jax

    return f"{jax.device_count()} {jax.devices()[0].device_kind}"


def versions() -> dict[str, str]:
    """Versions of what a run depends on."""
    found = {"python": platform.python_version()}
    for name in ("jaxvqa", "jax", "jaxlib", "numpy", "av"):
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def _rounded(value: Any) -> Any:
    """Five significant digits are more than any pass repeats; JSON has no infinity."""
    if isinstance(value, float):
        return float(f"{value:.5g}") if math.isfinite(value) else str(value)
    if isinstance(value, Mapping):
        return {k: _rounded(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(v) for v in value]
    return value


class Report:
    """A run: printed row by row, written at the end.

    Args:
        script: name of the benchmark.
        content: what was measured on, in words: origin, size, length, depth.
        columns: of the table.
        arguments: the parsed options.
        devices: what JAX computes on, in words.
        peer: name and version of the program compared with.
    """

    def __init__(
        self,
        script: str,
        content: str,
        columns: Iterable[Column],
        arguments: argparse.Namespace,
        devices: str,
        peer: str = "",
    ) -> None:
        if arguments.json is not None and not arguments.json.absolute().parent.is_dir():
            sys.exit(f"{script}: there is no folder {arguments.json.parent} for --json.")
        self._file, self._columns = arguments.json, list(columns)
        options = {k: v for k, v in vars(arguments).items() if k not in _PRIVATE}
        self.facts: dict[str, Any] = {
            "script": script,
            "date": datetime.date.today().isoformat(),
            "processor": processor(),
            "cores": cores(),
            "devices": devices,
            "versions": versions(),
            "peer": peer,
            "content": content,
            "options": options,
            "rows": [],
        }
        known = ", ".join(f"{k} {v}" for k, v in self.facts["versions"].items())
        print(f"{known}\n{self.facts['processor']}, {cores()} cores; devices: {devices}")
        print(*filter(None, (peer, content)), sep="\n")
        if getattr(arguments, "passes", 1) > 1:
            print(f"median (minimum to maximum) of {arguments.passes} passes")
        print(self._line([c.head for c in self._columns]), flush=True)

    def _line(self, cells: list[str]) -> str:
        aligned = (
            text.ljust(column.width) if column.spec == "s" else text.rjust(column.width)
            for text, column in zip(cells, self._columns, strict=True)
        )
        return " ".join(aligned).rstrip()

    def add(self, **row: Any) -> None:
        """Prints and keeps one row; keys without a column are kept only."""
        print(self._line([cell(row.get(c.key), c.spec) for c in self._columns]), flush=True)
        self.facts["rows"].append(_rounded(row))

    def save(self) -> None:
        """Writes the file asked for, if any."""
        if self._file is not None:
            head = {k: v for k, v in self.facts.items() if k != "rows"}
            rows = ",\n".join(f"  {json.dumps(row)}" for row in self.facts["rows"])
            text = json.dumps(head, indent=1).removesuffix("\n}")
            self._file.write_text(f'{text},\n "rows": [\n{rows}\n ]\n}}\n')
