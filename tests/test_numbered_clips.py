"""Clips whose frames carry their number in their luma: every pair is the right one, in every
container and at every rate."""

from pathlib import Path

import numpy as np
import pytest

from jaxvqa.video import InputOptions, VideoError, open_pair
from tests.real_files import run

COUNT, STEP, BLACK = 40, 5, 16
RATES = ("24000/1001", "24", "25", "30000/1001", "30", "50", "60000/1001", "60")
VARIABLE = "vfr"
CONTAINERS = ("mp4", "mkv", "ts", "flv", "frag.mp4", "webm")
SOURCE = f"color=black:s=64x64:r={{}},trim=end_frame=48,geq=lum={BLACK}+{STEP}*N:cb=128:cr=128"
# frames 20 to 47 ms apart, never evenly
UNEVEN = "settb=1/1000,setpts='40*N+mod(17*N,27)'"
CODECS = {
    False: ["-c:v", "libx264", "-preset", "veryfast", "-qp", "1", "-bf", "2", "-g", "12"],
    True: ["-c:v", "libvpx-vp9", "-lossless", "1", "-cpu-used", "8", "-deadline", "realtime"],
}
FLAGS = {"frag.mp4": ["-movflags", "frag_keyframe+empty_moov+default_base_moof"]}


class Clips:
    """Numbered clips, each encoded once and copied into its containers."""

    def __init__(self, folder: Path):
        self.folder = folder

    def make(self, container, rate, steps="", start=0.0) -> Path:
        """The clip after `steps`, FFmpeg's filters that see 48 numbered frames."""
        vp9 = container == "webm"
        words = f"{rate} {steps}".translate({ord(c): "_" for c in "/,'=*()\\: "})
        encoded = self.folder / f"{words}.{'webm' if vp9 else 'mp4'}"
        steps = steps or f"select='lt(n,{COUNT})'"
        if not encoded.exists():
            times = [UNEVEN] if rate == VARIABLE else []
            source = SOURCE.format("25" if rate == VARIABLE else rate)
            graph = ",".join([source, "format=yuv420p", *times, steps])
            keep = ["-fps_mode", "passthrough", "-enc_time_base", "demux"]
            run("-f", "lavfi", "-i", graph, *CODECS[vp9], *keep, encoded)
        if not start and container in ("mp4", "webm"):
            return encoded
        made = self.folder / f"{words} {start}.{container}"
        if not made.exists():
            late = ["-output_ts_offset", start] if start else []
            run("-i", encoded, "-c", "copy", *late, *FLAGS.get(container, ()), made)
        return made


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    return Clips(tmp_path_factory.mktemp("numbered"))


def number(planes) -> int:
    value = (float(np.mean(planes[0])) - BLACK) / STEP
    assert abs(value - round(value)) < 0.2
    return round(value)


def numbers(ref, dis, **options):
    """Pairs of frame numbers, in the order of reading."""
    with open_pair(ref, dis, InputOptions(**options)) as pair:
        return [(number(r), number(d)) for _, r, d in pair]


ALL = [(k, k) for k in range(COUNT)]


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("rate", [*RATES, VARIABLE])
def test_containers(clips, rate, container):
    one, other = clips.make("mp4", rate), clips.make(container, rate)
    for ref, dis in ((one, other), (other, one)):
        for pair in ("auto", "time", "index"):
            assert numbers(ref, dis, pair=pair) == ALL


@pytest.mark.parametrize("container", ["mkv", "ts", "flv"])
@pytest.mark.parametrize("rate", ["24000/1001", "25", "60", VARIABLE])
def test_start_offsets(clips, rate, container):
    one, other = clips.make("mp4", rate), clips.make(container, rate, start=3.217)
    for ref, dis in ((one, other), (other, one)):
        assert numbers(ref, dis) == ALL
        assert numbers(ref, dis, pair="time") == ALL


@pytest.mark.parametrize("container", ["mp4", "mkv", "ts"])
@pytest.mark.parametrize("rate", ["24000/1001", "25", "60000/1001", VARIABLE])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_drops(clips, rate, container, seed):
    """Whatever frames the distorted lacks, those left meet their own."""
    gone = sorted(np.random.default_rng(seed).choice(range(1, COUNT - 1), seed * 3, replace=False))
    lacking = "+".join(f"eq(n,{k})" for k in gone)
    kept = f"select='lt(n,{COUNT})*not({lacking})'"
    ref, dis = clips.make("mp4", rate), clips.make(container, rate, kept)
    with pytest.raises(VideoError):
        numbers(ref, dis)
    assert numbers(ref, dis, pair="time") == [p for p in ALL if p[0] not in gone]


def test_two_frames_lost_from_the_reference_are_shown_as_the_nearest(clips):
    kept = f"select='lt(n,{COUNT})*not(eq(n,17)+eq(n,18))'"
    ref, dis = clips.make("mkv", "25", kept), clips.make("mp4", "25")
    nearest = {17: 16, 18: 19}
    assert numbers(ref, dis, pair="time") == [(nearest.get(k, k), k) for k in range(COUNT)]


@pytest.mark.parametrize("container", ["mp4", "mkv", "ts"])
def test_a_frame_shown_twice(clips, container):
    """Everything after it is one frame late, and the last one has no partner."""
    twice = f"select='lt(n,{COUNT})',loop=loop=1:size=1:start=10"
    ref, dis = clips.make("mp4", "25"), clips.make(container, "25", twice)
    late = [(k, k if k < 10 else k - 1) for k in range(COUNT)]
    assert numbers(ref, dis, pair="time", on_length_mismatch="truncate") == late


@pytest.mark.parametrize("container", ["mp4", "mkv", "ts", "webm"])
@pytest.mark.parametrize("rate", RATES)
def test_trimmed_start(clips, rate, container):
    trimmed = f"select='between(n,7,{COUNT - 1})',setpts=PTS-STARTPTS"
    whole, part = clips.make("mp4", rate), clips.make(container, rate, trimmed)
    right = ALL[7:]
    top, _, bottom = rate.partition("/")
    seconds = f"{7 * int(bottom or 1) / int(top):.6f}s"
    for offset in (7, seconds):
        assert numbers(whole, part, offset=offset) == right
    assert numbers(part, whole, offset=-7) == right
    assert numbers(whole, part, skip_ref=7) == right


@pytest.mark.parametrize("container", ["mp4", "mkv"])
def test_clocks_of_the_files(clips, container):
    """Cut out with its times kept, a clip finds its place by them."""
    trimmed = f"select='between(n,7,{COUNT - 1})',setpts=PTS-STARTPTS"
    whole = clips.make("mkv", "25")
    part = clips.make(container, "25", trimmed, start=0.28)
    assert numbers(whole, part, pair="time", absolute_time=True) == ALL[7:]


@pytest.mark.parametrize("containers", [("mp4", "mkv"), ("mkv", "mp4"), ("ts", "mkv")])
@pytest.mark.parametrize("rate", ["50", "60000/1001", "60"])
def test_half_the_rate(clips, rate, containers):
    """Of every two frames of the faster video one is shown in both."""
    halved = f"select='lt(n,{COUNT})*not(mod(n,2))'"
    fast, slow = clips.make(containers[0], rate), clips.make(containers[1], rate, halved)
    assert numbers(fast, slow, pair="time") == ALL[::2]
    held = [(k - k % 2, k) for k in range(COUNT)]
    assert numbers(slow, fast, pair="time") == held
    driven = [(k, k - k % 2) for k in range(COUNT)]
    assert numbers(fast, slow, pair="time", drive="reference") == driven
    with pytest.raises(VideoError, match="pair"):
        numbers(fast, slow)
