"""Ctrl-C at any moment: the command ends with 130, and `jaxvqa.score` raises KeyboardInterrupt.

Each process says or shows where it has come to, waits there for good, and is interrupted then.
Without an interrupt that is heard none of them would end, so no test depends on time.
"""

import contextlib
import fcntl
import os
import pty
import signal
import subprocess
import sys
import termios
import time

import pytest

from tests.test_cli_score import MOTION, clip

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs /proc and named pipes")

LIMIT = 120  # seconds until a process that hangs fails its test

COMMAND = "from jaxvqa.__main__ import run; run()"
# the caller goes on, nothing of the call is left, and the process comes to its end
SCORE = """
import os, threading, time
import jaxvqa
go_on = threading.Event()
{prelude}
def left():
    names = [t.name for t in threading.enumerate()]
    for fd in os.listdir("/proc/self/fd"):
        try:
            names.append(os.readlink("/proc/self/fd/" + fd))
        except OSError:
            pass
    ours = ("jaxvqa-prefetch", "jaxvqa-beside", "jaxvqa-open", ".y4m")
    return [name for name in names if name.endswith(ours)]
try:
    jaxvqa.score({ref!r}, {dis!r}, model=None, features=["float_motion"])
except KeyboardInterrupt:
    print("raised", flush=True)
go_on.set()
while left():
    time.sleep(0.01)
print("closed", flush=True)
"""
HOLD = """
import threading
go_on = threading.Event()
def hold(place):
    print(place, flush=True)
    while not go_on.wait(0.1):  # an interrupt just before the wait does not wake it
        pass
"""
COMPILING = """
from jaxvqa._scoring import programs
def compile_nothing(*arguments):
    hold("here")
    raise OSError("nobody waits for this")
programs._compile = compile_nothing
"""
COMPUTING = """
import jax
jax.block_until_ready = lambda results: hold("here")
"""
LOST = """
from jaxvqa._scoring import programs
def start(*arguments):
    while True:
        try:
            hold("here")
        except KeyboardInterrupt:
            pass
programs.start = start
"""
WRITING = """
import os
os.fsync = lambda file: hold("here")
"""
COLLECTING = """
import gc
from jaxvqa._scoring import programs
def callback(phase, info):
    if phase == "start" and not done:
        done.append(phase)
        print("here", flush=True)
        while not any(isinstance(thread, threading.Timer) for thread in threading.enumerate()):
            time.sleep(0.001)
done = []
def start(*arguments):
    gc.callbacks.append(callback)
    gc.collect()
    while True:
        time.sleep(0.001)
programs.start = start
"""
TURNED = """
from jaxvqa._scoring import programs
def start(*arguments):
    try:
        hold("here")
    except KeyboardInterrupt:
        raise SystemError("returned a result with an exception set")
programs.start = start
"""
STORING = """
import os
os.environ["JAXVQA_CACHE"] = "cache"
os.replace = lambda *paths: hold("here")
"""
IMPORTING = """
import sys
class Finder:
    def find_spec(self, name, *_):
        if name == "jax":
            hold("here")
sys.meta_path.insert(0, Finder())
"""


@pytest.fixture
def folder(tmp_path):
    """A clip, the first half of one, and two pipes."""
    clip(tmp_path / "ref.y4m")
    (tmp_path / "half.y4m").write_bytes((tmp_path / "ref.y4m").read_bytes()[:14000])
    for name in ("pipe.y4m", "other.y4m"):
        os.mkfifo(tmp_path / name)
    return tmp_path


@contextlib.contextmanager
def running(folder, program, *arguments, **options):
    """A process of Python with this program."""
    process = subprocess.Popen(
        [sys.executable, "-c", program, *arguments], cwd=folder, text=True,
        env=os.environ | {"JAXVQA_CACHE": "off", "TERM": "xterm"},
        **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def until(process, condition):
    end = time.monotonic() + LIMIT
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.005)


def opened(process, path):
    """The process has opened the file."""
    links = f"/proc/{process.pid}/fd"
    found = []
    for link in os.listdir(links):
        with contextlib.suppress(OSError):
            found.append(os.readlink(f"{links}/{link}"))
    return str(path) in found


def unread(pipe):
    """Bytes that wait in a pipe."""
    count = bytearray(4)
    fcntl.ioctl(pipe, termios.FIONREAD, count)
    return int.from_bytes(count, sys.byteorder)


def interrupted(process):
    """Interrupts the process and gives its exit code and both streams."""
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=LIMIT)
    return process.returncode, out, err


@contextlib.contextmanager
def at_pipe(process, folder, state, names):
    """The time in which the process waits for a pipe.

    Args:
        process: the process.
        folder: where the pipes are.
        state: "no writer", "silent" (both of the first pipe) or "some frames" (of all).
        names: the files that it reads.
    """
    pipes = [folder / name for name in names if name != "ref.y4m"]
    with contextlib.ExitStack() as stack:
        writers = []
        for pipe in pipes if state == "some frames" else pipes[:1]:
            until(process, lambda pipe=pipe: opened(process, pipe))
            if state != "no writer":
                writers.append(stack.enter_context(pipe.open("wb", buffering=0)))
            if state == "some frames":
                writers[-1].write((folder / "half.y4m").read_bytes())
        if state == "some frames":
            until(process, lambda: not any(map(unread, writers)))
        yield


PAIRS = [("ref.y4m", "pipe.y4m"), ("pipe.y4m", "ref.y4m"), ("pipe.y4m", "other.y4m")]
ENDED = (130, "", "jaxvqa: interrupted\n")


@pytest.mark.parametrize("state", ["no writer", "silent", "some frames"])
@pytest.mark.parametrize("ref, dis", PAIRS[:2])
def test_the_command_at_a_pipe(folder, ref, dis, state):
    with (
        running(folder, COMMAND, "score", ref, dis, *MOTION) as process,
        at_pipe(process, folder, state, (ref, dis)),
    ):
        assert interrupted(process) == ENDED


@pytest.mark.parametrize(
    "place", [COMPILING, COMPUTING, LOST, IMPORTING], ids=["compile", "compute", "lost", "import"]
)
def test_the_command_at_work(folder, place):
    program = HOLD + place + COMMAND
    with running(folder, program, "score", "ref.y4m", "ref.y4m", *MOTION) as process:
        assert process.stdout.readline() == "here\n"
        assert interrupted(process) == ENDED


@pytest.mark.parametrize("place", [WRITING, STORING], ids=["result", "program"])
def test_nothing_partial_is_left(folder, place):
    (folder / "cache").mkdir()
    before = sorted(folder.rglob("*"))
    arguments = ("score", "ref.y4m", "ref.y4m", *MOTION, "-o", "out.json")
    with running(folder, HOLD + place + COMMAND, *arguments) as process:
        assert process.stdout.readline() == "here\n"
        assert len(list(folder.rglob("*"))) == len(before) + 1
        assert interrupted(process) == ENDED
    assert sorted(folder.rglob("*")) == before


def test_a_terminal_gets_its_line_and_cursor_back(folder):
    ours, its = pty.openpty()
    with running(folder, COMMAND, "score", *PAIRS[0], *MOTION, stderr=its) as process:
        os.close(its)
        with at_pipe(process, folder, "some frames", PAIRS[0]):
            assert interrupted(process) == (130, "", None)
        shown = b""
        with contextlib.suppress(OSError):  # the end of a terminal is an error
            while piece := os.read(ours, 4096):
                shown += piece
    os.close(ours)
    assert shown.endswith(b"\r\x1b[2K\x1b[?25hjaxvqa: interrupted\r\n")


def test_where_it_was_is_shown_on_request(folder):
    program = "import os; os.environ['JAXVQA_DEBUG'] = '1'\n" + HOLD + LOST + COMMAND
    with running(folder, program, "score", "ref.y4m", "ref.y4m", *MOTION) as process:
        assert process.stdout.readline() == "here\n"
        code, _, err = interrupted(process)
    assert code == 130
    assert "in start\n" in err
    assert err.endswith("jaxvqa: interrupted\n")


def test_a_background_job_goes_on(folder):
    ignoring = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
    with running(folder, ignoring + COMMAND, "score", *PAIRS[0], *MOTION) as process:
        pipe = folder / "pipe.y4m"
        with open(pipe, "wb"):
            until(process, lambda: opened(process, pipe))
            process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=LIMIT)
    assert process.returncode == 3
    assert err.startswith("jaxvqa: error: pipe.y4m: is not a y4m file")


@pytest.mark.parametrize("state", ["no writer", "silent", "some frames"])
@pytest.mark.parametrize("ref, dis", PAIRS)
def test_a_callers_score_at_a_pipe(folder, ref, dis, state):
    with (
        running(folder, SCORE.format(ref=ref, dis=dis, prelude="")) as process,
        at_pipe(process, folder, state, (ref, dis)),
    ):
        assert interrupted(process) == (0, "raised\nclosed\n", "")


@pytest.mark.parametrize(
    "place",
    [COMPILING, COMPUTING, COLLECTING, TURNED],
    ids=["compile", "compute", "collect", "turned"],
)
def test_a_callers_score_at_work(folder, place):
    program = SCORE.format(ref="ref.y4m", dis="ref.y4m", prelude=HOLD + place)
    with running(folder, program) as process:
        assert process.stdout.readline() == "here\n"
        assert interrupted(process) == (0, "raised\nclosed\n", "")


# another thread takes the signal: it does not wake the main thread, and Python has it all the same
ELSEWHERE = """
import queue, signal, threading
from concurrent.futures import Future
from jaxvqa import _waiting as waiting
from jaxvqa.video import open_video, prefetch

asleep = threading.Event()

def forever():
    asleep.wait()
    yield 1

def signalled():
    signal.pthread_kill(threading.get_ident(), signal.SIGINT)

sleeper = threading.Thread(target=asleep.wait, daemon=True)
sleeper.start()
for wait in (
    lambda: waiting.result_of(Future()),
    lambda: waiting.next_of(queue.SimpleQueue()),
    lambda: waiting.join(sleeper),
    lambda: waiting.aside(asleep.wait),
    lambda: next(prefetch(forever())),
    lambda: open_video("pipe.y4m"),
):
    try:
        threading.Timer(0.2, signalled).start()
        wait()
    except KeyboardInterrupt:
        print("raised", flush=True)
asleep.set()
"""


def test_a_signal_that_does_not_wake_the_main_thread(folder):
    with running(folder, ELSEWHERE) as process:
        out, err = process.communicate(timeout=LIMIT)
    assert (process.returncode, out, err) == (0, "raised\n" * 6, "")
