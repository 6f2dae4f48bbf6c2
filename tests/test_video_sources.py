"""Videos come from pipes, standard input, addresses and files with odd names."""

import contextlib
import functools
import http.server
import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

import jaxvqa
from jaxvqa.video import VideoError, open_video
from tests.test_video_formats import make_planes, write_clip

imageio_ffmpeg = pytest.importorskip("imageio_ffmpeg")

MOTION = ("-n", "--feature", "float_motion", "-q")
pipes = pytest.mark.skipif(sys.platform == "win32", reason="needs named pipes")
STREAMS = {"clip.mkv": (), "clip.ts": (), "clip.y4m": (), "clip.mp4": ("frag_keyframe+empty_moov",)}


def ffmpeg(folder, *arguments):
    """Runs FFmpeg's own program in a folder and gives what it writes to its output."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-loglevel", "error", "-y"]
    return subprocess.run(
        [*command, *arguments], cwd=folder, check=True, stdout=subprocess.PIPE
    ).stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The same frames in containers that stream, `big.mp4` with its index at the end."""
    folder = tmp_path_factory.mktemp("sources")
    stacks = make_planes(np.random.default_rng(1), 64, 48, "420", 8, frames=4)
    write_clip(folder / "big.mp4", "libx264", "yuv420p", 64, 48, stacks, 8, options={"qp": "0"})
    for name, flags in STREAMS.items():
        codec = () if name.endswith("y4m") else ("-c", "copy")
        moving = ("-movflags", *flags) if flags else ()
        ffmpeg(folder, "-i", "big.mp4", *codec, *moving, name)
    return folder


def same(found, folder):
    with open_video(folder / "big.mp4") as video:
        wanted = list(video)
    assert len(found) == len(wanted) == 4
    for ours, theirs in zip(found, wanted, strict=True):
        assert all(map(np.array_equal, ours, theirs))


@contextlib.contextmanager
def piped(path, data):
    """A named pipe that a thread writes to."""
    os.mkfifo(path)

    def write():
        with contextlib.suppress(BrokenPipeError), open(path, "wb") as pipe:
            pipe.write(data)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield path
    finally:
        writer.join()


@pipes
@pytest.mark.parametrize("name", STREAMS)
def test_pipes_carry_containers(folder, tmp_path, name):
    data = (folder / name).read_bytes()
    with piped(tmp_path / "pipe", data) as path, open_video(path) as video:
        assert video.info.path == str(path)
        same(list(video), folder)


def command(folder, *arguments, **options):
    program = "from jaxvqa.__main__ import run; run()"
    return subprocess.Popen(
        [sys.executable, "-c", program, "score", *arguments], cwd=folder, text=False,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ | {"JAXVQA_CACHE": "off"},
        **options,
    )  # fmt: skip


@pipes
@pytest.mark.parametrize("arguments", [("-", "clip.y4m"), ("clip.mkv", "-")])
def test_standard_input_is_a_video(folder, arguments):
    process = command(folder, *arguments, *MOTION, stdin=subprocess.PIPE)
    out, err = process.communicate((folder / "clip.ts").read_bytes(), timeout=120)
    assert (process.returncode, err) == (0, b"")
    assert out.startswith(b"motion ")


@pipes
def test_standard_input_that_is_a_file_or_closed(folder):
    with open(folder / "clip.mkv", "rb") as file:
        process = command(folder, "-", "clip.mkv", *MOTION, stdin=file)
        out, err = process.communicate(timeout=120)
    assert (process.returncode, err) == (0, b"")
    assert out
    program = "import sys; sys.stdin = None; from jaxvqa.video import open_video; open_video('-')"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert "-: stands for standard input, but nothing is piped into it" in done.stderr


def test_standard_input_holds_one_video():
    with pytest.raises(VideoError, match="-: stands for standard input, which holds one video"):
        jaxvqa.score("-", "-")


@pipes
def test_a_pipe_that_is_no_video(folder, tmp_path):
    noise = np.random.default_rng(2).bytes(5000)
    with (
        piped(tmp_path / "pipe", noise) as path,
        pytest.raises(VideoError, match="pipe: is not a video that FFmpeg can read from a pipe"),
    ):
        open_video(path)


@pipes
@pytest.mark.parametrize("share", [0.01, 0.6])
def test_an_interrupt_ends_the_wait_for_a_container(folder, share):
    data = (folder / "clip.mkv").read_bytes()
    process = command(folder, "-", "clip.mkv", *MOTION, stdin=subprocess.PIPE)
    process.stdin.write(data[: int(share * len(data))])
    process.stdin.flush()
    time.sleep(4)
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    process.wait(timeout=60)  # before the pipe is closed
    out, err = process.communicate()
    assert (process.returncode, out, err) == (130, b"", b"jaxvqa: interrupted\n")


@pipes
def test_closing_ends_the_wait_for_a_container(tmp_path):
    data = ffmpeg(tmp_path, "-f", "lavfi", "-i", "color=s=64x48:d=12", "-f", "mpegts", "-")
    os.mkfifo(tmp_path / "pipe")
    holder = os.open(tmp_path / "pipe", os.O_RDWR)
    assert os.write(holder, data[: min(60000, len(data) - 10000)])
    video = open_video(tmp_path / "pipe")
    threading.Timer(0.3, video.close).start()
    with pytest.raises(VideoError, match="was closed"):
        list(video)
    os.close(holder)


@pytest.mark.parametrize("name", ["-clip.mkv", "a b ü 50%.mkv", "a:b.mkv", "x=1:y,z.mkv"])
def test_odd_names(folder, tmp_path, name):
    if sys.platform == "win32" and ":" in name:
        pytest.skip("no file name on Windows")
    path = tmp_path / name
    path.write_bytes((folder / "clip.mkv").read_bytes())
    with open_video(path) as video:
        same(list(video), folder)


def test_a_name_that_looks_like_an_option(folder, tmp_path):
    (tmp_path / "-clip.mkv").write_bytes((folder / "clip.mkv").read_bytes())
    process = command(tmp_path, *MOTION, "--", "-clip.mkv", str(folder / "clip.y4m"))
    assert process.communicate(timeout=120)[1] == b""
    assert process.returncode == 0


@pytest.fixture
def server(folder):
    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        """Says nothing."""


@pytest.mark.parametrize("name", [*STREAMS, "big.mp4"])
def test_addresses(folder, server, name):
    with open_video(f"{server}/{name}?x=1") as video:
        same(list(video), folder)
    with open_video((folder / name).as_uri()) as video:
        same(list(video), folder)


@pytest.mark.parametrize(
    "address, problem",
    [
        ("{}/none.mkv", "cannot be reached (Server returned 404 Not Found)"),
        ("http://127.0.0.1:9/x.mkv", "cannot be reached (Connection refused)"),
        ("foo://host/x.mkv", "has the protocol foo, which this FFmpeg does not know"),
    ],
)
def test_addresses_that_cannot_be_read(server, address, problem):
    address = address.format(server)
    with pytest.raises(VideoError) as caught:
        open_video(address)
    assert str(caught.value).startswith(f"{address}: {problem}")
    with pytest.raises(VideoError, match="raw video is read from files and pipes"):
        open_video(address, width=2, height=2, pixel_format="yuv420p")
