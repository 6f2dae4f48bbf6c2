"""FFmpeg's program as the one to compare with, for metrics that libvmaf does not have."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
from _report import Problem

# what its filters measure: name of the filter, and ours of its values
FILTERS = {"xpsnr": {f"lavfi.xpsnr.xpsnr.{name}": f"xpsnr_{name}" for name in "yuv"}}


class FFmpeg:
    """A program `ffmpeg`.

    Args:
        path: the program, or its name on the PATH.
        threads: how many threads it may use.
    """

    def __init__(self, path: str, threads: int = 1) -> None:
        found = shutil.which(path)
        if found is None:
            raise Problem(f"{path}: there is no such program: give the path of ffmpeg.")
        self._path, self._threads = found, str(threads)
        said = self._call(["-version"]).split()
        self.version = said[2] if len(said) > 2 else "of unknown version"

    def _call(self, options: list[str]) -> str:
        done = subprocess.run([self._path, *options], capture_output=True, text=True)
        if done.returncode:
            said = done.stderr.strip().splitlines() or ["no message"]
            raise Problem(f"{self._path} failed: {said[-1]}")
        return done.stdout

    def frames(self, name: str, ref: Path, dis: Path) -> dict[str, np.ndarray]:
        """Values of a filter for every frame, under our names."""
        names, threads = FILTERS[name], ["-threads", self._threads]
        files = [*threads, "-i", str(ref), *threads, "-i", str(dis)]
        graph = f"[0:v][1:v]{name},metadata=print:file=-"
        told = self._call(["-v", "error", *files, "-lavfi", graph, "-f", "null", "-"])
        return {
            ours: np.array(re.findall(rf"^{re.escape(key)}=(\S+)", told, re.MULTILINE), float)
            for key, ours in names.items()
        }

    def run(self, name: str, ref: Path, dis: Path) -> dict[str, float]:
        """Their means."""
        return {key: float(x.mean()) for key, x in self.frames(name, ref, dis).items()}
