"""What does a batch lose when its process is killed?

Starts `jaxvqa batch` over small jobs, kills it with SIGKILL at a random moment, and starts it
again, until it comes to its end; then compares the table with that of a run that nothing disturbed.
Kills fall anywhere: while Python starts, while programs are read, between jobs and within them. A
batch that ends before it is killed begins from nothing again.

    python benchmarks/batch_crash.py                       # 20 kills over 60 jobs
    python benchmarks/batch_crash.py --kills 5 --jobs 12
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from _clips import CONTENT, make_clip, write_y4m_pair
from _report import Column, Report, parser, positive

COLUMNS = (
    Column("name", "", "s", 12),
    Column("seconds", "after, s", ".2f", 9),
    Column("kept", "jobs in the ledger", ".0f", 20),
    Column("drafts", "files left over", ".0f", 16),
)


def begin(folder: Path, out: Path) -> subprocess.Popen[str]:
    """The command, whichever way it will end."""
    command = [sys.executable, "-m", "jaxvqa", "batch", str(folder / "jobs.csv"), "--out", str(out)]
    command += ["--no-model", "--feature", "float_motion", "--feature", "psnr", "--no-timing", "-q"]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


def kept(out: Path) -> tuple[int, int]:
    """Jobs that the ledger knows, and files that belong to none of them."""
    from jaxvqa._batch.ledger import Ledger

    ids = set()
    if out.is_dir():
        with Ledger(out) as ledger:
            for key in ledger.places:
                entry = ledger.entry(key)
                if entry is not None:
                    ids.add(entry["facts"]["frames_file"])
    files = {f"frames/{path.name}" for path in (out / "frames").glob("*")}
    return len(ids), len(files - ids)


def main() -> None:
    """Prints a line for each kill, and whether the tables are equal."""
    options = parser(__doc__)
    options.add_argument("--jobs", type=positive, default=60, metavar="N")
    options.add_argument("--kills", type=positive, default=20, metavar="N")
    options.add_argument("--seed", type=int, default=0, metavar="N")
    arguments = options.parse_args()
    content = f"{CONTENT}, 320x180, 24 frames; {arguments.jobs} jobs of float_motion and psnr"
    report = Report("batch_crash", content, COLUMNS, arguments, "the command line's choice")
    rng = random.Random(arguments.seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["JAXVQA_CACHE"] = str(folder / "cache")
        ref, dis = write_y4m_pair(folder, make_clip(320, 180, 24))
        lines = ["id,ref,dis"]
        for i in range(arguments.jobs):
            copy = ref.with_name(f"ref{i // 4}.y4m")
            if not copy.exists():
                copy.symlink_to(ref)
            lines.append(f"{i},{copy},{dis}")
        (folder / "jobs.csv").write_text("\n".join(lines))
        began = time.perf_counter()
        if begin(folder, folder / "whole").wait():
            sys.exit("batch_crash: the undisturbed run failed.")
        whole = time.perf_counter() - began
        out, kills = folder / "killed", 0
        while kills < arguments.kills:
            process = begin(folder, out)
            moment = rng.uniform(0, whole)
            try:
                process.wait(moment)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                process.wait()
                kills += 1
                done, drafts = kept(out)
                report.add(name=f"kill {kills}", seconds=moment, kept=done, drafts=drafts)
            if kept(out)[0] == arguments.jobs and kills < arguments.kills:
                shutil.rmtree(out)
        process = begin(folder, out)
        if process.wait():
            sys.exit("batch_crash: the last run failed.")
        tables = [
            [(folder / run / f"table.{kind}").read_bytes() for kind in ("csv", "parquet")]
            for run in ("whole", "killed")
        ]
        done, drafts = kept(out)
        report.add(name="the last run", kept=done, drafts=drafts)
        if tables[0] != tables[1]:
            sys.exit("batch_crash: the tables differ.")
        print("the table equals that of the undisturbed run, byte for byte")
    report.save()


if __name__ == "__main__":
    main()
