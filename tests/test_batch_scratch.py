"""Videos at addresses: copied, bounded, named as the manifest names them."""

from pathlib import Path

import fsspec
import pytest

import jaxvqa
from jaxvqa._batch.manifest import load_manifest
from jaxvqa._batch.order import plan_passes
from jaxvqa._batch.scratch import Scratch, is_object
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


def test_what_an_address_is(tmp_path):
    assert is_object("s3://bucket/a.mkv")
    assert is_object("https://host/a.mkv?token=1")
    assert not is_object("https://host/list.m3u8")
    assert not is_object("https://host/list.mpd?token=1")
    assert not is_object("rtsp://host/live")
    assert not is_object(str(tmp_path / "a.mkv"))
