"""Videos at addresses: copied, bounded, named as the manifest names them."""

import os
import resource
import signal
import threading
import time
from pathlib import Path

import fsspec
import pytest

import jaxvqa
from jaxvqa import _drafts as drafts
from jaxvqa import _waiting as waiting
from jaxvqa._batch.errors import OutputError
from jaxvqa._batch.manifest import load_manifest
from jaxvqa._batch.order import plan_passes
from jaxvqa._batch.scratch import Scratch, is_object
from jaxvqa._own_folder import OwnFolder
from tests.test_cli_score import clip

FAST = {"model": None, "features": ["float_motion"]}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """An object store in memory with a reference and three videos, and one that is cut short."""
    folder = tmp_path_factory.mktemp("objects")
    files = fsspec.filesystem("memory")
    for seed, name in enumerate(("r", "a", "b", "c")):
        clip(folder / f"{name}.y4m", seed=seed)
        files.pipe(f"/store/{name}.y4m", (folder / f"{name}.y4m").read_bytes())
    files.pipe("/store/z.y4m", (folder / "a.y4m").read_bytes())
    files.pipe("/store/cut.y4m", (folder / "a.y4m").read_bytes()[:-9])
    yield folder
    files.rm("/store", recursive=True)


def address(name):
    return f"memory://store/{name}.y4m"


def rows(*names):
    return [{"id": n, "ref": address("r"), "dis": address(n)} for n in names]


def run(jobs, out, scratch, **options):
    found = jaxvqa.batch(jobs, out, scratch=scratch, **(FAST | options))
    return {row["id"]: row for row in found}


def test_objects_are_scored_as_files_are_and_leave_nothing(store, tmp_path):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    found = run(rows("a", "b", "cut", "gone"), tmp_path / "out", scratch)
    for name in ("a", "b"):
        one = jaxvqa.score(store / "r.y4m", store / f"{name}.y4m", **FAST)
        assert found[name]["motion_mean"] == one.pooled["motion"]["mean"]
        assert (found[name]["ref"], found[name]["dis"]) == (address("r"), address(name))
        assert found[name]["dis_bytes"] == (store / f"{name}.y4m").stat().st_size
    assert found["cut"]["error"].startswith(f"{address('cut')}: is cut short")
    assert (
        found["gone"]["error"] == f"{address('gone')}: there is no such object: check the address."
    )
    assert list(scratch.iterdir()) == []
    # an address is taken as what it was
    seen = []
    run(rows("a", "b"), tmp_path / "out", scratch, progress=lambda s: seen.append(s.row))
    assert not any(seen)


def test_a_ladder_of_objects_is_one_pass(store):
    jobs = load_manifest([*rows("a", "b"), rows("c")[0] | {"film_grain": "off"}]).jobs
    passes = plan_passes([(job, job.id) for job in jobs])
    assert [[job.id for job, _ in each] for each in passes] == [["a", "b"], ["c"]]


def test_copies_keep_to_the_limit(store, tmp_path):
    size = (store / "a.y4m").stat().st_size
    scratch = Scratch(tmp_path, limit=2 * size)
    first = scratch.copies([address("a"), address("b")])
    assert [Path(path).stat().st_size for path in first.paths.values()] == [size] * 2
    assert first.named(f"see {first.paths[address('a')]}.") == f"see {address('a')}."
    first.release()
    # what is there already is not copied again, and what was used longest ago makes room
    second = scratch.copies([address("b"), address("c")])
    assert second.paths[address("b")] == first.paths[address("b")]
    assert len(list(tmp_path.rglob("*.y4m"))) == 2
    with pytest.raises(ValueError, match=f"need {3 * size} bytes of scratch space, but .*: raise"):
        scratch.copies([address(n) for n in "abc"])
    second.release()
    scratch.close()
    assert list(tmp_path.iterdir()) == []


def test_a_ladder_larger_than_the_limit_is_scored_pair_by_pair(store, tmp_path):
    size = (store / "a.y4m").stat().st_size
    found = run(rows("a", "b", "c"), tmp_path, None, scratch_limit=2 * size)
    assert {row["status"] for row in found.values()} == {"done"}
    found = run(rows("a"), tmp_path / "small", None, scratch_limit=size)
    assert "but scratch_limit is" in found["a"]["error"]


def test_jobs_of_a_ladder_that_is_too_large_do_not_wait_for_the_next_one(store, tmp_path):
    """The worker would wait for room that the next pass has, which waits for the worker."""
    size = (store / "a.y4m").stat().st_size
    jobs = [*rows("a", "b", "c"), {"id": "last", "ref": address("z"), "dis": address("c")}]
    found = run(jobs, tmp_path, None, scratch_limit=3 * size)
    assert {name: row["status"] for name, row in found.items()} == dict.fromkeys(found, "done")
    assert len(found) == 4


def test_what_is_there_waits_for_nobody(store, tmp_path):
    size = (store / "a.y4m").stat().st_size
    scratch = Scratch(tmp_path, limit=2 * size)
    first = scratch.copies([address("a"), address("b")])
    waits = waiting.in_thread(lambda: scratch.copies([address("c")]), "waits")
    time.sleep(0.05)
    again = scratch.copies([address("a")])
    assert not waits.done()
    first.release()
    again.release()
    waiting.result_of(waits).release()
    first = scratch.copies([address("a"), address("b")])
    waits = waiting.in_thread(lambda: scratch.copies([address("c")]), "waits")
    time.sleep(0.05)
    scratch.close()  # and nobody waits for what is closed
    with pytest.raises(Exception, match="not wanted any more"):
        waiting.result_of(waits)


def test_objects_that_do_not_tell_their_size_keep_to_the_limit(store, tmp_path, monkeypatch):
    size = (store / "a.y4m").stat().st_size
    monkeypatch.setattr("jaxvqa._batch.scratch._size", lambda _: 0)
    scratch = Scratch(tmp_path, limit=2 * size)
    for name in "abc":
        scratch.copies([address(name)]).release()
        assert len(list(tmp_path.rglob("*.y4m"))) <= 2
    with pytest.raises(ValueError, match=f"scratch_limit is {2 * size}: raise it"):
        scratch.copies([address(n) for n in "abc"])
    assert not list(tmp_path.rglob("*.part"))
    scratch.close()


def test_a_full_scratch_folder_ends_the_batch(store, tmp_path):
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
        with pytest.raises(OutputError, match="cannot be written: File too large; nothing that"):
            run(rows("a"), tmp_path / "out", tmp_path / "scratch")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert list((tmp_path / "scratch").iterdir()) == []
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match=r"file: cannot be written: .*exists"):
        run(rows("a"), tmp_path / "other", tmp_path / "file")


def test_copies_of_killed_processes_go(tmp_path, monkeypatch):
    own = [OwnFolder(tmp_path) for _ in range(3)]
    for folder in own[:2]:
        os.utime(folder.path / "lock", (1, 1))
    own[1]._lock.close()  # as the end of its process does
    own[2]._lock.close()  # as one that is only being made
    new = OwnFolder(tmp_path)
    assert set(tmp_path.iterdir()) == {own[0].path, own[2].path, new.path}
    new.remove()
    # an interrupt ends the process without more ado
    monkeypatch.setattr(drafts, "_beginning", threading.Lock())
    drafts.abandon()
    assert list(tmp_path.iterdir()) == []
    own[0].remove()
    own[2].remove()


def test_what_an_address_is(tmp_path):
    assert is_object("s3://bucket/a.mkv")
    assert is_object("https://host/a.mkv?token=1")
    assert not is_object("https://host/list.m3u8")
    assert not is_object("https://host/list.mpd?token=1")
    assert not is_object("rtsp://host/live")
    assert not is_object(str(tmp_path / "a.mkv"))
