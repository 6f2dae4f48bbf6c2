"""Options that meet each other: crop and encode size, models of two screens, pipes."""

import os
import subprocess
import threading
from contextlib import contextmanager, suppress
from functools import partial

import numpy as np
import pytest

import jaxvqa
from jaxvqa.video import InputOptions, VideoError, open_pair
from tests.test_video_pair import make


@contextmanager
def standard_input(path):
    """Standard input gives a file, through a pipe."""
    kept, (reading, writing) = os.dup(0), os.pipe()

    def pour():
        with suppress(BrokenPipeError), open(path, "rb") as file, open(writing, "wb") as pipe:
            pipe.write(file.read())

    pouring = threading.Thread(target=pour)
    pouring.start()
    os.dup2(reading, 0)
    os.close(reading)
    try:
        yield
    finally:
        os.dup2(kept, 0)
        os.close(kept)
        pouring.join()


@pytest.mark.parametrize(
    "crop, dis, encoded",
    [
        (None, (64, 48), None),
        (None, (32, 24), (32, 24, 8)),
        ((40, 20, 4, 8), (64, 48), None),
        ((40, 20, 4, 8), (32, 24), (20, 10, 8)),
    ],
)
def test_a_crop_is_no_other_size_of_encoding(tmp_path, crop, dis, encoded):
    ref, _ = make(tmp_path, "ref.y4m", width=64, height=48)
    other, _ = make(tmp_path, "dis.y4m", width=dis[0], height=dis[1])
    with open_pair(ref, other, InputOptions(crop=crop)) as pair:
        assert pair.encoded == encoded


@pytest.mark.parametrize(
    "crop, dis, told",
    [
        ((40, 20, 4, 8), (32, 24), False),
        ((40, 20, 2, 8), (32, 24), True),
        ((40, 20, 1, 3), (64, 48), False),  # half a sample off on both sides
        ((40, 20, 4, 9), (64, 96), True),
    ],
)
def test_crops_that_split_chroma_are_told(tmp_path, crop, dis, told):
    ref, _ = make(tmp_path, "ref.y4m", width=64, height=48)
    other, _ = make(tmp_path, "dis.y4m", width=dis[0], height=dis[1])
    with open_pair(ref, other, InputOptions(crop=crop)) as pair:
        texts = [n.text for n in pair.notices if n.code == "chroma"]
    assert len(texts) == told
    assert all("begins inside a chroma sample" in text for text in texts)


def test_scale_model_needs_models_of_one_screen(tmp_path):
    ref, _ = make(tmp_path, "ref.y4m", width=64, height=48)
    with pytest.raises(ValueError, match=r"made for 1080p and 2160p: .* at='1080p'"):
        jaxvqa.score(ref, ref, model=["vmaf_v0.6.1", "vmaf_4k_v0.6.1"], scale="model")
    with pytest.raises(ValueError, match="needs a model that says its size"):
        jaxvqa.score(ref, ref, model=["vmaf_v0.6.1", "auto"], scale="model")


@pytest.mark.parametrize("option", ["crop", "offset"])
def test_what_needs_a_look_ahead_refuses_a_pipe(tmp_path, option):
    ref, _ = make(tmp_path, "ref.y4m")
    with standard_input(ref), pytest.raises(VideoError, match=f"-: comes .* {option}='auto' has"):
        open_pair(ref, "-", InputOptions(**{option: "auto"}))


def test_a_piped_container_is_paired_by_time(tmp_path):
    ref, _ = make(tmp_path, "ref.mkv", frames=6, seed=3)
    dis, _ = make(tmp_path, "dis.mkv", frames=6, seed=3)
    with standard_input(dis), open_pair(ref, "-", InputOptions(pair="time")) as pair:
        pairs = [(a[0], b[0]) for _, a, b in pair]
    assert len(pairs) == 6
    assert all(np.array_equal(a, b) for a, b in pairs)
    assert pair.pairing.strategy == "time"


def test_times_that_a_pipe_tells_are_followed(tmp_path):
    """Paired by number, as they are not known beforehand; that they do not fit is told."""
    ref, _ = make(tmp_path, "ref.mkv", frames=12, rate=50)
    dis, _ = make(tmp_path, "dis.mkv", frames=6, rate=25)
    found = {}
    for options in ({"on_length_mismatch": "truncate"}, {"frame_count": 6}, {"pair": "time"}):
        with standard_input(dis), open_pair(ref, "-", InputOptions(**options)) as pair:
            assert len(list(pair)) == 6
        found[next(iter(options))] = [n.text for n in pair.notices if n.code == "pairing"]
    (told,) = found["on_length_mismatch"]
    assert "frame 1 is shown more than half a frame away from frame 1 of the reference" in told
    assert found["frame_count"] == [told]
    assert found["pair"] == []
    with standard_input(dis), open_pair(dis, "-") as pair:
        assert len(list(pair)) == 6
    assert not pair.notices


@pytest.mark.parametrize("turn", ["rotation 90", "rotation 180", "vflip"])
def test_turned_video_is_deinterlaced_by_the_rows_that_were_stored(tmp_path, turn):
    """The same as if it was not turned: its fields are no columns, and their order stays."""
    ffmpeg = [pytest.importorskip("imageio_ffmpeg").get_ffmpeg_exe(), "-v", "error"]
    source = "testsrc2=s=96x64:r=50,format=yuv420p"
    run = partial(subprocess.run, check=True, cwd=tmp_path)
    fields = "interlace=scan=tff:lowpass=off"
    tagged = ["-c:v", "libx264", "-qp", "4", "-flags", "+ildct+ilme", "-x264opts", "tff=1"]
    whole = ["-vf", "select='not(mod(n,2))'", "-r", "25", "-c:v", "libx264", "-qp", "4"]
    for name, how in (("fields", ["-vf", fields, *tagged]), ("whole", whole)):
        file = [*ffmpeg, "-f", "lavfi", "-i", source, "-frames:v", "20", *how, f"{name}.mp4"]
        run(file)
        display = f"-display_{turn}".split()
        run([*ffmpeg, *display, "-i", f"{name}.mp4", "-c", "copy", f"{name}_turned.mp4"])

    def error(kind):
        options = InputOptions(on_length_mismatch="truncate")
        with open_pair(tmp_path / f"whole{kind}", tmp_path / f"fields{kind}", options) as pair:
            return np.mean([np.square(a[0].astype(float) - b[0]).mean() for _, a, b in pair])

    assert error("_turned.mp4") == pytest.approx(error(".mp4"), rel=1e-6)
