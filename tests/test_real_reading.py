"""Names, pipes, folders, playlists, stills and damage: what is read, and what is said."""

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from contextlib import contextmanager, suppress

import numpy as np
import pytest

import jaxvqa
from jaxvqa.video import InputOptions, VideoError, open_pair
from tests.real_files import FRAMES, LOW, Studio
from tests.real_kinds import CODES
from tests.test_real_files import MODEL, codes

NAMES = (
    "a:b.mp4", "with space.mp4", "-dash.mp4", "50%d.mp4", "f_%03d.mp4", "[x]*?.mp4", "http:x.mp4",
    "C:\\film.mp4", "naïve 日本.mp4", "quote'\".mp4", "no suffix", "concat:a|b", "pipe:.mp4",
    "x.yuv.mp4",
)  # fmt: skip


@pytest.fixture(scope="session")
def studio(tmp_path_factory):
    studio = Studio(tmp_path_factory.mktemp("reading"))
    studio.recipes["hls/small.m3u8"] = (
        f"-i @src.y4m -vf scale=96:64 {LOW} -g 6 -hls_time 0.2 -hls_playlist_type vod"
    )
    return studio


@pytest.fixture(scope="session")
def plain(studio):
    return scores(studio.file("ref.mp4"), studio.file("dis.mp4"))


def scores(ref, dis, **options):
    return jaxvqa.score(ref, dis, model=MODEL, **options).frames["vmaf"]


def planes(ref, dis, **options):
    with open_pair(ref, dis, InputOptions(**options)) as pair:
        return list(pair), pair


def outcome(ref, dis, **options):
    """The pairs, and the notices or the error as text."""
    try:
        found, pair = planes(ref, dis, **options)
    except VideoError as error:
        return [], str(error)
    return found, " ".join(map(str, pair.notices))


@pytest.mark.parametrize("name", NAMES)
def test_names(studio, plain, tmp_path, monkeypatch, name):
    """A file that exists is read, however its name looks; no pattern, no protocol."""
    shutil.copy(studio.file("dis.mp4"), tmp_path / name)
    monkeypatch.chdir(tmp_path)
    np.testing.assert_array_equal(scores(studio.file("ref.mp4"), name), plain)


@contextmanager
def standard_input(path):
    """The file through a pipe, as the process's standard input."""
    read, write = os.pipe()
    kept = os.dup(0)
    os.dup2(read, 0)
    os.close(read)

    def feed():
        with suppress(BrokenPipeError), open(write, "wb") as pipe:
            pipe.write(path.read_bytes())

    feeder = threading.Thread(target=feed)
    feeder.start()
    try:
        yield
    finally:
        os.dup2(kept, 0)  # closes the reading end, so the feeder ends too
        os.close(kept)
        feeder.join(10)
        assert not feeder.is_alive()


@pytest.mark.parametrize("name", ["dis.y4m", "dis.mkv", "dis.ts", "dis.flv"])
def test_standard_input(studio, plain, name):
    with standard_input(studio.file(name)):
        np.testing.assert_array_equal(scores(studio.file("ref.mp4"), "-"), plain)


def test_standard_input_is_one_video(studio):
    with standard_input(studio.file("dis.y4m")), pytest.raises(ValueError, match="standard input"):
        scores("-", "-")


def test_command_from_pipe_to_pipe(studio, plain):
    command = [sys.executable, "-m", "jaxvqa", "score", studio.file("ref.mp4"), "-"]
    command += ["--model", MODEL, "-o", "/dev/stdout", "--format", "json"]
    with open(studio.file("dis.y4m"), "rb") as file:
        done = subprocess.run(command, stdin=file, capture_output=True, timeout=200)
    assert done.returncode == 0, done.stderr
    text = done.stdout.decode()
    written, _ = json.JSONDecoder().raw_decode(text[text.index("{") :])
    values = [frame["metrics"]["vmaf"] for frame in written["frames"]]
    np.testing.assert_allclose(values, plain, rtol=0, atol=1e-5)


def test_folder_of_pictures(studio):
    sequence = studio.file("list/frame_%03d.png")
    by_pattern, _ = planes(sequence, sequence)
    by_folder, _ = planes(sequence.parent, sequence)
    assert len(by_folder) == len(by_pattern) == FRAMES
    for one, other in zip(by_folder, by_pattern, strict=True):
        np.testing.assert_array_equal(one[1][0], other[2][0])


def test_a_gap_in_a_sequence_is_told(studio, tmp_path):
    for path in studio.file("list/frame_%03d.png").parent.glob("*.png"):
        if path.name != "frame_005.png":
            shutil.copy(path, tmp_path)
    found, said = outcome(tmp_path, tmp_path)
    assert not found or len(found) == FRAMES - 1
    assert "between 004 and 006" in said


def test_best_variant_of_a_playlist(studio, plain):
    """The larger picture, whatever stands first."""
    listed = ["#EXTM3U"]
    for name, size, rate in (("small", "96x64", 90_000), ("dis", "192x128", 200_000)):
        studio.file(f"hls/{name}.m3u8")
        listed += [f"#EXT-X-STREAM-INF:BANDWIDTH={rate},RESOLUTION={size}", f"{name}.m3u8"]
    master = studio.folder / "hls" / "master.m3u8"
    master.write_text("\n".join(listed) + "\n")
    right = scores(studio.file("ref.mp4"), studio.file("hls/dis.m3u8"))
    result = jaxvqa.score(studio.file("ref.mp4"), master, model=MODEL)
    np.testing.assert_array_equal(result.frames["vmaf"], right)
    assert codes(result) == {CODES["streams"]}


def test_a_dash_manifest_equals_the_same_stream_in_a_file(studio):
    manifest, ref = studio.file("dash/dis.mpd"), studio.file("ref.mp4")
    found, _ = outcome(ref, manifest)
    assert len(found) == FRAMES


def test_exif_orientation_of_a_picture(studio):
    ((_, stored, shown),), _ = planes(studio.file("cover.jpg"), studio.file("turned.jpg"))
    np.testing.assert_array_equal(np.rot90(stored[0], -1), shown[0])


@pytest.mark.parametrize("name", ["still.avif", "still.png", "cover.jpg"])
def test_stills(studio, name):
    path = studio.file(name)
    found, _ = planes(path, path)
    assert len(found) == 1


@pytest.mark.parametrize(
    "ref, dis, told",
    [
        ("film60.mp4", "film30.mp4", ("time", "index")),
        ("long.mp4", "dis.mp4", ("truncate", "24")),
    ],
)
def test_what_does_not_fit_is_refused_with_its_cures(studio, ref, dis, told):
    for pair in ((ref, dis), (dis, ref)):
        with pytest.raises(VideoError) as problem:
            planes(*(studio.file(name) for name in pair))
        for word in told:
            assert word in str(problem.value)


def test_a_lost_packet(studio):
    whole, damaged = studio.file("long.mp4"), studio.file("packet_lost.ts")
    with pytest.raises(VideoError, match="conceal"):
        planes(whole, damaged)
    shown, pair = planes(whole, damaged, on_damage="conceal")
    assert len(shown) == 24
    assert CODES["damage"] in {n.code for n in pair.notices}
    left, pair = planes(whole, damaged, on_damage="skip")
    assert 16 <= len(left) < 24
    assert CODES["damage"] in {n.code for n in pair.notices}
    # what was left out takes its partner along
    intact, _ = planes(whole, studio.file("gops_low.ts"))
    partners = {index_of(intact, dis): ref for _, ref, dis in left}
    for index, ref in partners.items():
        if index is not None:
            np.testing.assert_array_equal(ref[0], intact[index][1][0])


def index_of(pairs, dis):
    """The number of the intact frame that equals a decoded one, if one does."""
    equal = [i for i, _, other in pairs if np.array_equal(other[0], dis[0])]
    return equal[0] if equal else None


def test_cut_in_the_middle_of_a_group(studio):
    """A stream that starts between key frames: the advice, followed, gives the right pairs."""
    whole, cut = studio.file("gops.ts"), studio.file("mid_gop.ts")
    found, said = outcome(whole, cut, skip_ref=6)
    if not found:
        skips = re.findall(r"skip[-_](ref|dis)[ =](\d+)", said)
        assert skips, said
        options = {"skip_ref": 6} | {f"skip_{side}": int(count) for side, count in skips}
        found, said = outcome(whole, cut, **options)
    assert len(found) >= 12, said
    for _, ref, dis in found:
        np.testing.assert_array_equal(ref[0], dis[0])


def test_cut_in_the_middle_of_a_group_by_the_clock(studio):
    """A cut stream keeps its times, and these find the place."""
    whole, cut = studio.file("gops.ts"), studio.file("mid_gop.ts")
    found, _ = planes(whole, cut, pair="time", absolute_time=True, on_damage="skip")
    assert 16 <= len(found) <= 18
    for _, ref, dis in found:
        np.testing.assert_array_equal(ref[0], dis[0])


@pytest.mark.parametrize("name", ["long.mp4", "gops_low.ts", "film60.mkv"])
@pytest.mark.parametrize("kept", [0.5, 0.9])
def test_truncated(studio, tmp_path, name, kept):
    data = studio.file(name).read_bytes()
    cut = tmp_path / name
    cut.write_bytes(data[: int(len(data) * kept)])
    with pytest.raises(VideoError):
        planes(studio.file(name), cut)
    if name.endswith("mp4"):  # its index was at the end
        return
    found, pair = planes(studio.file(name), cut, on_damage="conceal", on_length_mismatch="truncate")
    assert 24 * kept - 8 < len(found) < 24
    assert pair.notices
