"""Programs kept in a folder: read back without tracing, replaced when broken, off by default."""

import dataclasses
import os
import threading
import time
from types import SimpleNamespace

import jax
import numpy as np
import pytest

import jaxvqa
from jaxvqa import _drafts as drafts
from jaxvqa._scoring import engine, kept, program_store, programs, transfer
from jaxvqa._scoring.program_store import ProgramStore
from jaxvqa.features._motion.float_motion import FLOAT_MOTION as FEATURE
from jaxvqa.fusion import _series as fusion_series
from tests.test_transfer import blocks_of, pairs, place_of

FRAMES = np.random.default_rng(2).integers(0, 256, (5, 32, 48)).astype(np.uint8)


def forget():
    """Programs that this process holds are as unknown as to a new one."""
    programs.forget()
    kept.kept.cache_clear()


@pytest.fixture
def store(tmp_path, monkeypatch):
    """A store of its own, with every program that this process holds forgotten."""
    # the feature below counts its traces, and so is not the one that ships
    monkeypatch.setattr(programs, "is_builtin", lambda feature: True)
    forget()
    yield ProgramStore(tmp_path / "made" / "here")
    forget()


def series(store=None, devices=1, times=None):
    """Motion of the frames; `times` counts how often the feature is traced."""

    def extract(*arguments):
        if times is not None:
            times.append(1)
        return FEATURE.extract(*arguments)

    feature = dataclasses.replace(FEATURE, extract=extract)
    run = engine.Engine(
        [engine.Extraction(feature, feature.resolve({}))],
        8,
        jax.devices()[:devices],
        chunk_frames=2,
        store=store,
    )
    for frame in FRAMES:
        run.feed((frame,), (frame,))
    return run.finish()[0]["raw"]


def test_a_stored_program_is_not_traced_again(store):
    first = series(store)
    (file,) = store.folder.iterdir()
    assert store.usage() == (1, file.stat().st_size)
    forget()
    traced = []
    np.testing.assert_array_equal(series(store, times=traced), first)
    assert not traced
    assert list(store.folder.iterdir()) == [file]


def test_broken_files_and_those_of_others_are_not_used(store, monkeypatch):
    first = series(store)
    (file,) = store.folder.iterdir()
    whole = file.read_bytes()
    for content in (b"", whole[:100], whole[: len(whole) // 2], b"cos\nsystem\n."):
        file.write_bytes(content)
        forget()
        traced = []
        np.testing.assert_array_equal(series(store, times=traced), first)
        assert traced
        forget()
        traced = []
        np.testing.assert_array_equal(series(store, times=traced), first)
        assert not traced  # it was written anew
    forget()
    monkeypatch.setattr(os, "getuid", lambda: 12345)
    traced = []
    np.testing.assert_array_equal(series(store, times=traced), first)
    assert traced


def fill(store):
    """Three programs of others, of 1000 bytes, used in this order."""
    for age, name in enumerate("abc"):
        (store.folder / f"{name}.program").write_bytes(bytes(1000))
        os.utime(store.folder / f"{name}.program", (age, age))


@pytest.mark.parametrize("bound", ["number", "bytes"])
def test_the_programs_used_longest_ago_go(store, monkeypatch, bound):
    series(store)
    (own,) = store.folder.iterdir()
    series(store, devices=2)
    (other,) = set(store.folder.iterdir()) - {own}
    most = store.usage()[1] + 1500
    other.unlink()
    fill(store)
    forget()
    series(store)  # reading is a use too
    if bound == "number":
        monkeypatch.setattr(program_store, "_MAX_PROGRAMS", 3)
    else:
        monkeypatch.setattr(program_store, "_MAX_BYTES", most)
    series(store, devices=2)
    left = {path.name for path in store.folder.iterdir()}
    assert left == {"c.program", own.name, other.name}


def test_drafts_of_killed_processes_go(store):
    old, young = (store.folder / f".{name}.program.x{drafts.SUFFIX}" for name in ("old", "young"))
    for path in (old, young):
        path.touch()
    os.utime(old, (0, time.time() - 7200))
    series(store)
    assert not old.exists()
    assert young.exists()


def test_an_ended_process_leaves_no_draft(tmp_path):
    begun, go_on = threading.Event(), threading.Event()

    def write():
        with drafts.draft(tmp_path, "a"):
            begun.set()
            go_on.wait()

    thread = threading.Thread(target=write)
    thread.start()
    begun.wait()
    assert len(list(tmp_path.iterdir())) == 1
    drafts.abandon()
    try:
        assert not list(tmp_path.iterdir())
        other = threading.Thread(target=write, daemon=True)
        other.start()
        other.join(0.05)
        assert not list(tmp_path.iterdir())
    finally:
        drafts._beginning.release()
        go_on.set()
    thread.join()
    other.join()
    assert not list(tmp_path.iterdir())


def test_what_makes_another_program_has_another_name(monkeypatch):
    layout = programs.ChunkLayout(
        tuple(jax.devices()[:1]), 8, 0, (((4, 32, 48), np.dtype(np.uint8)),)
    )
    request = engine.Extraction(FEATURE, FEATURE.resolve({}))
    other = engine.Extraction(FEATURE, FEATURE.resolve({"motion_force_zero": True}))
    deep = programs.ChunkLayout(layout.devices, 10, 0, (((4, 32, 48), np.dtype(np.uint16)),))
    two = programs.ChunkLayout(tuple(jax.devices()[:2]), 8, 0, layout.planes)
    names = [
        programs._name(*facts)
        for facts in ((request, layout), (other, layout), (request, deep), (request, two))
    ]
    with jax.enable_x64(True):
        names.append(programs._name(request, layout))
    for fact in ("_source", "_processor"):
        with monkeypatch.context() as patched:
            patched.setattr(program_store, fact, lambda: "changed")
            names.append(programs._name(request, layout))
    assert len(set(names)) == 7
    assert programs._name(request, layout) == names[0]


def test_nothing_is_written_unless_asked_for(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    forget()
    series()
    assert not list(tmp_path.iterdir())


def test_jaxs_own_cache_has_its_programs_alone(store, monkeypatch):
    """A program that was read from there, stored again, is not whole."""
    values = {**jax.config.values, "jax_compilation_cache_dir": "/elsewhere"}
    monkeypatch.setattr(program_store.jax, "config", SimpleNamespace(values=values))
    series(store)
    assert store.usage() == (0, 0)


def test_a_folder_that_cannot_be_used_is_said(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(
        ValueError,
        match=r"the cache .*file/x can't be made \(Not a directory\): choose another folder\.",
    ):
        ProgramStore(tmp_path / "file" / "x")
    with pytest.raises(ValueError, match="can't be made"):
        jaxvqa.score(FRAMES, FRAMES, model=None, features=["float_motion"], cache=tmp_path / "file")


def test_stores_of_a_folder_are_equal(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert ProgramStore("a") == ProgramStore(tmp_path / "b" / ".." / "a")
    assert len({ProgramStore("a"), ProgramStore("a"), ProgramStore("b")}) == 2


def test_score_keeps_the_models_prediction_too(store, monkeypatch):
    def score():
        return jaxvqa.score(FRAMES, FRAMES[::-1], model="vmaf_float_v0.6.1", cache=store.folder)

    first = score()
    content = store.usage()
    forget()

    def traced(*_, **__):
        raise AssertionError("traced")

    monkeypatch.setattr(fusion_series, "predict", traced)
    monkeypatch.setattr(programs, "_chunk", traced)
    second = score()
    for name, values in first.frames.items():
        np.testing.assert_array_equal(second.frames[name], values)
    assert store.usage() == content
    assert score().frames.keys() == first.frames.keys()


@pytest.mark.parametrize("devices", [1, 2])
def test_the_joining_of_frames_is_kept(store, devices):
    frames = pairs(2 * devices)
    layout = place_of(frames, devices, 0)
    for _ in range(2):
        forget()
        sender = transfer.PerFrameTransfer(layout, store)
        for number in range(3):
            arrays = sender.send(blocks_of(frames, devices, 0), number)
            for plane in range(3):
                found = np.asarray(arrays[0][plane]).reshape(-1, *frames[0][0][plane].shape)
                np.testing.assert_array_equal(found, [pair[0][plane] for pair in frames])
        assert store.usage()[0] == 2 * devices  # with and without memory of an earlier chunk


def test_an_option_that_xla_does_not_know_leaves_the_others():
    asked = []

    class Lowered:
        def compile(self, compiler_options):
            asked.append(compiler_options)
            return jax.jit(lambda x: x).lower(0.0).compile(compiler_options=compiler_options)

    known = {"xla_backend_optimization_level": 0}
    programs._compile(Lowered(), {"xla_cpu_no_such_option": True, **known}, None, "")
    assert asked[-1] == known
