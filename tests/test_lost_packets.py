"""Packets that cannot be decoded: pairs stay right, and what is shown instead is counted.

Every frame holds one luma value, which tells its number.
"""

import re

import av
import numpy as np
import pytest

from jaxvqa.video import InputOptions, VideoError, open_pair

FRAMES, LOST = 20, 8
STEP, DARKEST = 10, 16
# file: codec, format, options, and what is left of the damaged packet
KINDS = {
    "ffv1.mkv": ("ffv1", "yuv420p", {}, lambda data: data[:8]),
    "png.mov": ("png", "rgb24", {}, lambda data: bytes(len(data))),
    "intra.mkv": ("libx264", "yuv420p", {"qp": "10", "g": "1"}, lambda data: data[:8]),
    "mpeg4.mp4": ("mpeg4", "yuv420p", {"g": "1"}, lambda data: bytes(len(data))),
    "mjpeg.avi": ("mjpeg", "yuvj420p", {}, lambda data: data[:8]),
}


def write(path, codec, form, options, damage=None):
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25, options=options)
        stream.width = stream.height = 64
        stream.pix_fmt = form
        packets = []
        for number in range(FRAMES):
            frame = av.VideoFrame(64, 64, form)
            tone = DARKEST + STEP * number
            for index, plane in enumerate(frame.planes):
                np.frombuffer(plane, np.uint8)[:] = 128 if index else tone
            frame.pts = number
            packets += stream.encode(frame)
        for number, packet in enumerate([*packets, *stream.encode(None)]):
            if damage is not None and number == LOST:
                broken = av.Packet(damage(bytes(packet)))
                broken.pts, broken.dts, broken.duration = packet.pts, packet.dts, packet.duration
                broken.time_base, broken.stream = packet.time_base, packet.stream
                broken.is_keyframe = packet.is_keyframe
                packet = broken
            container.mux(packet)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lost")
    for name, (codec, form, options, damage) in KINDS.items():
        write(folder / f"whole_{name}", codec, form, options)
        write(folder / f"lost_{name}", codec, form, options, damage)
    return folder


def numbers(ref, dis, **options):
    """Numbers of the frames in each pair, and the codes of the notices."""

    def shown(planes):
        tone = float(planes[0].mean())
        if str(ref).endswith("png.mov"):  # RGB, which became limited Y'CbCr
            tone = (tone - 16) * 255 / 219
        return round((tone - DARKEST) / STEP)

    with open_pair(ref, dis, InputOptions(color="as-is", **options)) as pair:
        pairs = [(shown(a), shown(b)) for _, a, b in pair]
        return pairs, [notice.code for notice in pair.notices]


@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize("pairing", ["auto", "index"])
@pytest.mark.parametrize("name", KINDS)
def test_what_is_lost_shifts_no_later_pair(files, name, pairing, swapped):
    sides = [files / f"whole_{name}", files / f"lost_{name}"][:: -1 if swapped else 1]
    pairs, codes = numbers(*sides, pair=pairing, on_damage="skip")
    assert all(a == b for a, b in pairs), pairs
    assert FRAMES - 4 <= len(pairs) < FRAMES
    assert LOST not in {a for a, _ in pairs}
    assert "damage" in codes


@pytest.mark.parametrize("name", KINDS)
def test_what_is_concealed_is_told(files, name):
    pairs, codes = numbers(files / f"whole_{name}", files / f"lost_{name}", on_damage="conceal")
    wrong = [(a, b) for a, b in pairs if a != b]
    assert wrong in ([], [(LOST, LOST - 1)]), wrong  # a player goes on showing the frame before
    assert "damage" in codes


def test_ffv1_that_its_checksums_show_damaged_is_left_out_up_to_a_key_frame(files, tmp_path):
    data = bytearray((files / "whole_ffv1.mkv").read_bytes())
    places = [found.start() for found in re.finditer(rb"\x1f\x43\xb6\x75|\xa3", bytes(data))]
    data[places[len(places) // 2] + 20] ^= 4
    damaged = tmp_path / "flipped.mkv"
    damaged.write_bytes(data)
    with pytest.raises(VideoError, match="on_damage='skip'"):
        numbers(files / "whole_ffv1.mkv", damaged)
    pairs, codes = numbers(files / "whole_ffv1.mkv", damaged, on_damage="skip")
    assert all(a == b for a, b in pairs)
    assert 0 < len(pairs) < FRAMES
    assert set(codes) == {"damage"}


def test_no_offset_is_guessed_from_frames_that_are_missing(files):
    with pytest.raises(VideoError, match="offset=N in frames"):
        numbers(
            files / "whole_mpeg4.mp4", files / "lost_mpeg4.mp4", on_damage="conceal", offset="auto"
        )
    pairs, _ = numbers(
        files / "whole_mpeg4.mp4", files / "lost_mpeg4.mp4", on_damage="conceal", offset=2
    )
    assert all(a == b + 2 for a, b in pairs)
    assert len(pairs) == FRAMES - 3


def test_pairs_that_are_left_out_are_told(files):
    with open_pair(
        files / "whole_mjpeg.avi", files / "lost_mjpeg.avi", InputOptions(on_damage="skip")
    ) as pair:
        assert [index for index, *_ in pair] == list(range(FRAMES - 1))
        texts = [notice.text for notice in pair.notices if notice.code == "damage"]
    assert any("1 of 20 pairs hold a damaged frame and were left out" in text for text in texts)
    assert any("1 damaged frame was left out" in text for text in texts)
