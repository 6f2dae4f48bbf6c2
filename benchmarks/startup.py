"""How long from typing `jaxvqa score` to the first score?

Times the command from the start of its process to its end on a short synthetic clip, from y4m and
from H.264 files: with an empty cache, so that everything is compiled, and once more with the
programs that this left there. All commands take turns, pass by pass. Python may keep bytecode, as
it has that of an installed package.

    python benchmarks/startup.py                                  # ten frames of 1920x1080
    python benchmarks/startup.py --only vmaf_v0.6.1 --passes 1 --json startup.json
"""

from __future__ import annotations

import functools
import itertools
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from _clips import content, make_clip, write_h264_pair, write_y4m_pair
from _report import Column, Problem, Report, parser, positive, spread
from speed import MODELS, request, seconds

COLUMNS = (
    Column("name", "", "s", 20),
    Column("source", "source", "s", 6),
    Column("empty", "empty cache, s", width=22),
    Column("full", "full cache, s", width=22),
)


def run_command(name: str, files: Sequence[Path], cache: str) -> None:
    """One run of `jaxvqa score`."""
    command = [sys.executable, "-m", "jaxvqa", "score", *map(str, files), "--quiet"]
    asked = request(name)
    command += (
        ["--model", name] if asked["model"] else ["--no-model", "--feature", *asked["features"]]
    )
    # a cache of JAX's own would be full, and an installed package has its bytecode
    left_out = ("JAX_COMPILATION_CACHE_DIR", "PYTHONDONTWRITEBYTECODE")
    environment = {k: v for k, v in os.environ.items() if k not in left_out}
    environment["JAXVQA_CACHE"] = cache
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise Problem(f"jaxvqa score of {name} failed: {done.stderr.strip()}")


def main() -> None:
    """Prints one line per model and kind of file."""
    options = parser(__doc__, passes=5)
    options.add_argument("--size", default="1920x1080", metavar="WxH")
    options.add_argument("--frames", type=positive, default=10, metavar="N")
    options.add_argument(
        "--only", nargs="+", default=MODELS, metavar="NAME", help="models and features"
    )
    arguments = options.parse_args()
    size = tuple(map(int, arguments.size.split("x")))
    clip = content(*size, arguments.frames)
    report = Report("startup", clip, COLUMNS, arguments, "the command line's choice")
    empty, full = defaultdict(list), defaultdict(list)
    with tempfile.TemporaryDirectory() as folder:
        pair = make_clip(*size, arguments.frames)
        writers = {"y4m": write_y4m_pair, "H.264": write_h264_pair}
        sources = {kind: write(Path(folder), pair) for kind, write in writers.items()}
        cases = list(itertools.product(arguments.only, sources))
        for _, case in itertools.product(range(arguments.passes), cases):
            name, kind = case
            with tempfile.TemporaryDirectory() as cache:
                run = functools.partial(run_command, name, sources[kind], cache)
                empty[case].append(seconds(run))
                full[case].append(seconds(run))
    for name, kind in cases:
        taken = {"empty": spread(empty[name, kind]), "full": spread(full[name, kind])}
        report.add(name=name, source=kind, **taken)
    report.save()


if __name__ == "__main__":
    try:
        main()
    except Problem as error:
        sys.exit(f"startup: {error}")
