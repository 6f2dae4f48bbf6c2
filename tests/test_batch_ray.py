"""A batch on Ray: an actor that is killed costs nothing, and the table is that of one process."""

import os
import re
import signal
import subprocess
import sys
from types import SimpleNamespace

import pytest

from jaxvqa._batch.manifest import load_manifest
from jaxvqa._batch.ray_run import RayRun
from tests.test_cli_score import clip

pytest.importorskip("ray", reason="the extra jaxvqa[ray]")
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="finds actors in /proc")

JOBS = 8
# a process of its own: Ray sets up more than a test may leave behind
RUN = """
import json, os, sys
import jaxvqa
if __name__ == "__main__":
    out, runner = sys.argv[1:]
    rows = [{"id": str(n), "ref": f"r{n}.y4m", "dis": f"d{n}.y4m"} for n in range(%d)]
    rows.append({"id": "gone", "ref": "r0.y4m", "dis": "gone.y4m"})
    options = {"model": None, "features": ["float_motion"], "timing": False}
    options |= {"runner": runner, "jobs": 2} if runner else {}
    for row in jaxvqa.batch(rows, out, **options):
        print("row", row["id"], row["status"], flush=True)
"""


def actors(above):
    """Processes of actors below a process."""
    parents, found = {}, []
    for number in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{number}/stat") as stat, open(f"/proc/{number}/cmdline") as line:
                parents[int(number)] = int(stat.read().rsplit(")", 1)[1].split()[1])
                if "MapWorker(MapBatches(ScoreActor))" in line.read():
                    found.append(int(number))
        except OSError:
            continue

    def below(number):
        while number in parents and number != above:
            number = parents[number]
        return number == above

    return [number for number in found if below(number)]


def start(folder, out, runner=""):
    environment = os.environ | {"PYTHONWARNINGS": "default"}
    return subprocess.Popen(
        [sys.executable, "-c", RUN % JOBS, out, runner],
        cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def test_every_row_comes_though_an_actor_is_killed(tmp_path):
    for n in range(JOBS):
        clip(tmp_path / f"r{n}.y4m", seed=n)
        clip(tmp_path / f"d{n}.y4m", seed=n + 50)
    process = start(tmp_path, "out", "ray")
    first = process.stdout.readline()
    running = actors(process.pid)
    assert 1 <= len(running) <= 2
    os.kill(running[0], signal.SIGKILL)
    rest, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    # Ray has its say there too
    told = re.findall(r"row (\S+) (done|failed)", first + rest)
    assert len(told) == JOBS + 1
    assert dict(told) == {str(n): "done" for n in range(JOBS)} | {"gone": "failed"}
    alone = start(tmp_path, "alone")
    assert alone.communicate()[1] == ""
    for name in ("table.csv", "table.parquet"):
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "alone" / name).read_bytes()
    assert not (tmp_path / "out/tries").exists()


class LossyRay(RayRun):
    """Of each run, the first line is lost and the others come twice."""

    def __init__(self, passes, folder, kept):
        super().__init__(passes, folder, "tries", kept.append, scratch=None)
        self.asked = []
        self._ray = SimpleNamespace(is_initialized=lambda: True)

    def _lines(self, passes):
        keys = [key for jobs in passes for _, key in jobs]
        self.asked.append(len(keys))
        return iter([{"key": key, "status": "done", "frames": 3} for key in 2 * keys[1:]])


@pytest.mark.parametrize(("jobs", "asked"), [(3, [3, 1, 1]), (1, [1, 1, 1])])
def test_a_line_that_ray_loses_is_asked_for_again_and_then_fails(tmp_path, jobs, asked):
    kept = []
    rows = [{"id": str(n), "ref": "r.y4m", "dis": f"{n}.y4m"} for n in range(jobs)]
    passes = [[(job, f"k{job.id}")] for job in load_manifest(rows).jobs]
    run = LossyRay(passes, tmp_path, kept)
    told = [entry for entry in run.outcomes() if entry]
    assert run.asked == asked
    assert told == kept
    assert sorted(entry["key"] for entry in told) == [f"k{n}" for n in range(jobs)]
    assert [e["key"] for e in told if e["status"] == "failed"] == ["k0"]
    assert run.frames == 3 * (jobs - 1)


def test_a_job_that_ends_its_process_again_and_again_fails(tmp_path):
    from jaxvqa._batch.keys import Keys
    from jaxvqa._batch.ray_actor import _MOST_TRIES, ScoreActor

    for name in ("r", "a", "b"):
        clip(tmp_path / f"{name}.y4m")
    rows = [{"ref": str(tmp_path / "r.y4m"), "dis": str(tmp_path / f"{n}.y4m")} for n in "ab"]
    jobs = load_manifest(rows, {"model": None, "features": ["float_motion"]}).jobs
    keyed = [(job, Keys().of(job)) for job in jobs]
    (tmp_path / "tries").mkdir()
    (tmp_path / "frames").mkdir()
    actor = ScoreActor(str(tmp_path), "tries", 0, None, None, 10**6)
    for _, key in keyed[:1]:
        (tmp_path / "tries" / key).write_bytes(b"x" * _MOST_TRIES)
    # of a pass that was begun too often each job has tries of its own
    assert [e["status"] for e in actor._entries(keyed)] == ["done", "done"]
    (tmp_path / "tries" / keyed[0][1]).write_bytes(b"x" * _MOST_TRIES)
    (entry,) = actor._entries(keyed[:1])
    assert entry["error"].startswith("the process that scored it died 3 times")
    assert list((tmp_path / "tries").iterdir()) == []
