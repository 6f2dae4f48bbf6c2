"""Programs kept in a folder: read back without tracing, replaced when broken, off by default."""

import dataclasses
import os

import jax
import numpy as np
import pytest

from jaxvqa._scoring import engine, program_store, programs
from jaxvqa.features._motion.float_motion import FLOAT_MOTION as FEATURE

FRAMES = np.random.default_rng(2).integers(0, 256, (5, 32, 48)).astype(np.uint8)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A store of its own, with every program that this process holds forgotten."""
    # the feature below counts its traces, and so is not the one that ships
    monkeypatch.setattr(program_store, "is_builtin", lambda feature: True)
    programs.forget()
    program_store.use(tmp_path)
    yield tmp_path
    program_store.use(None)
    programs.forget()


def series(devices=1, times=None):
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
    )
    for frame in FRAMES:
        run.feed((frame,), (frame,))
    return run.finish()[0]["raw"]


def test_a_stored_program_is_not_traced_again(folder):
    first = series()
    (file,) = folder.iterdir()
    programs.forget()
    traced = []
    np.testing.assert_array_equal(series(times=traced), first)
    assert not traced
    assert list(folder.iterdir()) == [file]


def test_broken_files_and_those_of_others_are_not_used(folder, monkeypatch):
    first = series()
    (file,) = folder.iterdir()
    whole = file.read_bytes()
    for content in (b"", whole[:100], whole[: len(whole) // 2], b"cos\nsystem\n."):
        file.write_bytes(content)
        programs.forget()
        traced = []
        np.testing.assert_array_equal(series(times=traced), first)
        assert traced
        assert len(file.read_bytes()) == len(whole)
    programs.forget()
    monkeypatch.setattr(os, "getuid", lambda: 12345)
    traced = []
    np.testing.assert_array_equal(series(times=traced), first)
    assert traced


def test_the_oldest_programs_go(folder, monkeypatch):
    monkeypatch.setattr(program_store, "_MAX_PROGRAMS", 2)
    for age, name in enumerate("abc"):
        (folder / f"{name}.program").touch()
        os.utime(folder / f"{name}.program", (age, age))
    series()
    left = {path.name for path in folder.iterdir()}
    assert len(left) == 2
    assert "c.program" in left


def test_what_makes_another_program_has_another_key(folder, monkeypatch):
    layout = programs.ChunkLayout(
        tuple(jax.devices()[:1]), 8, 0, (((4, 32, 48), np.dtype(np.uint8)),)
    )
    request = engine.Extraction(FEATURE, FEATURE.resolve({}))
    other = engine.Extraction(FEATURE, FEATURE.resolve({"motion_force_zero": True}))
    wide = programs.ChunkLayout(layout.devices, 10, 0, (((4, 32, 48), np.dtype(np.uint16)),))
    keys = [
        program_store.key(*facts)
        for facts in (
            (request, layout, False), (other, layout, False), (request, wide, False),
            (request, layout, True),
        )
    ]  # fmt: skip
    monkeypatch.setattr(program_store, "_source", lambda: "changed")
    keys.append(program_store.key(request, layout, False))
    assert len(set(keys)) == 5


def test_nothing_is_written_unless_asked_for(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    programs.forget()
    series()
    assert not list(tmp_path.iterdir())
