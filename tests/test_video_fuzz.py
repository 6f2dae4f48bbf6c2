"""Files with flipped bytes, cuts and holes: scores or one sentence, and never a hang."""

import random

import av
import numpy as np
import pytest

from jaxvqa.video import InputOptions, VideoError, describe_file, open_pair
from tests.test_video_formats import make_planes, write_clip

CLIPS = {
    "h264.mp4": ("libx264", "yuv420p", {"g": "4"}),
    "h264.mkv": ("libx264", "yuv420p", {"g": "4"}),
    "mpeg2.ts": ("mpeg2video", "yuv420p", {"g": "4"}),
    "mpeg4.avi": ("mpeg4", "yuv420p", {}),
    "ffv1.mkv": ("ffv1", "yuv420p", {}),
    "vp8.webm": ("libvpx", "yuv420p", {"cpu-used": "8"}),
    "pictures.gif": ("gif", "rgb8", {}),
    "still.avif": ("libaom-av1", "yuv420p", {"cpu-used": "8"}),
    "plain.y4m": ("wrapped_avframe", "yuv420p", {}),
}
SEEDS = 7  # of each clip
FRAMES = 6


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fuzz")
    planes = make_planes(np.random.default_rng(3), 64, 64, "420", 8, frames=FRAMES)
    for name, (codec, form, options) in CLIPS.items():
        if codec not in av.codecs_available:
            continue
        if form == "yuv420p" and codec != "wrapped_avframe":
            write_clip(folder / name, codec, form, 64, 64, planes, 8, options=options)
        elif codec == "gif":
            _write_gif(folder / name)
    header = b"YUV4MPEG2 W64 H64 F25:1 Ip A1:1 C420jpeg\n"
    frames = [b"FRAME\n" + b"".join(p[i].tobytes() for p in planes) for i in range(FRAMES)]
    (folder / "plain.y4m").write_bytes(header + b"".join(frames))
    return folder


def _write_gif(path):
    rng = np.random.default_rng(4)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("gif", rate=25)
        stream.width = stream.height = 64
        stream.pix_fmt = "rgb8"
        for _ in range(FRAMES):
            picture = rng.integers(0, 256, (64, 64, 3), np.uint8)
            frame = av.VideoFrame.from_ndarray(picture, "rgb24").reformat(format="rgb8")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def mutated(data, rng):
    data, size = bytearray(data), len(data)
    place = rng.randrange(size)
    stop = min(size, place + rng.randint(1, 400))
    match rng.choice(["flip", "head", "cut", "zero", "twice", "hole"]):
        case "flip":
            for _ in range(rng.randint(1, 30)):
                data[rng.randrange(size)] ^= 1 << rng.randrange(8)
        case "head":
            for _ in range(rng.randint(1, 8)):
                data[rng.randrange(min(size, 900))] = rng.randrange(256)
        case "cut":
            del data[place:]
        case "zero":
            data[place:stop] = bytes(stop - place)
        case "twice":
            data[stop:stop] = data[place:stop]
        case _:
            del data[place:stop]
    return bytes(data)


def read(ref, dis, **options):
    with open_pair(ref, dis, InputOptions(**options)) as pair:
        for _ in pair:
            pass
        return pair.notices


def one_sentence(call):
    """Calls; the only error may be a `VideoError` of one line that ends as a sentence does."""
    try:
        call()
    except VideoError as error:
        text = str(error)
        assert "\n" not in text
        assert text.endswith(".")


@pytest.mark.parametrize("seed", range(SEEDS))
@pytest.mark.parametrize("name", CLIPS)
def test_damage_ends_in_pairs_or_a_sentence(tmp_path, whole, name, seed):
    good = whole / name
    if not good.exists():
        pytest.skip("FFmpeg lacks the encoder")
    path = tmp_path / name
    path.write_bytes(mutated(good.read_bytes(), random.Random(f"{name} {seed}")))
    one_sentence(lambda: describe_file(path).to_dict())
    options = [
        {},
        {"on_damage": "conceal", "pair": "time", "scale": (80, 48), "deinterlace": "bwdif"},
        {"on_damage": "skip", "crop": "auto", "offset": "auto" if seed % 2 else None},
    ]
    for given in options:
        one_sentence(lambda: read(good, path, **given))  # noqa: B023
        one_sentence(lambda: read(path, good, **given))  # noqa: B023
