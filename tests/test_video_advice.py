"""Advice in errors and notices, followed to the letter, leads to the right pairs.

Every frame shows one of 20 patterns, which tells its number.
"""

import re
from fractions import Fraction

import av
import numpy as np
import pytest

from jaxvqa._cli.flags import as_flags
from jaxvqa.video import InputOptions, VideoError, open_pair
from tests.test_video_sources import ffmpeg

PATTERNS = [
    np.kron(np.random.default_rng(seed).integers(40, 200, (6, 8)), np.ones((8, 8))).astype(np.uint8)
    for seed in range(20)
]
ADVICE = re.compile(r"\b([a-z_]+)=('[^']+'|-?\d+)")


def write(path, shown, times=None, rate=25, codec="ffv1", bars=0, **stream_options):
    """A clip that shows patterns, at times in 1/1000 s or at a rate, between black bars."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate, **stream_options)
        stream.width, stream.height, stream.pix_fmt = 64, 48 + 2 * bars, "yuv420p"
        if times is not None:
            stream.codec_context.time_base = Fraction(1, 1000)
        for index, number in enumerate(shown):
            frame = av.VideoFrame(64, 48 + 2 * bars, "yuv420p")
            for plane, grey in zip(frame.planes, (16, 128, 128), strict=True):
                np.frombuffer(plane, np.uint8)[:] = grey
            rows = np.frombuffer(frame.planes[0], np.uint8).reshape(-1, frame.planes[0].line_size)
            rows[bars : bars + 48, :64] = PATTERNS[number]
            frame.pts = index if times is None else times[index]
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def number(luma):
    rows = luma[(len(luma) - 48) // 2 :][:48].astype(int)
    return int(np.argmin([np.abs(rows - pattern).mean() for pattern in PATTERNS]))


def pairs(ref, dis, **options):
    """Numbers of the frames of each pair, and the texts of notices."""
    with open_pair(ref, dis, InputOptions(**options)) as pair:
        found = [(number(a[0]), number(b[0])) for _, a, b in pair]
        return found, {notice.code: notice.text for notice in pair.notices}


def refused(ref, dis, **options):
    """The options that a refusal names, in its order."""
    with pytest.raises(VideoError) as caught:
        pairs(ref, dis, **options)
    return advised(caught.value.problem)


def advised(text):
    """The options that a text names; each has its flag on the command line."""
    found = [{name: value.strip("'")} for name, value in ADVICE.findall(text)]
    spelt = as_flags(text)
    for option in found:
        ((name, value),) = option.items()
        flag = f"--{name.replace('_', '-')} "
        assert flag + value.strip("'") in spelt
    return found


def straight(count, shift=0):
    return [(i + shift, i + shift) for i in range(count)]


def test_another_rate(tmp_path):
    ref = write(tmp_path / "r.mkv", range(20), rate=50)
    dis = write(tmp_path / "d.mkv", range(0, 20, 2), rate=25)
    by_time, by_ref, by_index = refused(ref, dis)
    assert pairs(ref, dis, **by_time)[0] == [(i, i) for i in range(0, 20, 2)]
    assert pairs(ref, dis, **by_time, **by_ref)[0] == [(i, i - i % 2) for i in range(20)]
    same = write(tmp_path / "slow.mkv", range(20), rate=25)
    assert refused(ref, same) == [by_time, by_ref, by_index]
    assert pairs(ref, same, **by_index)[0] == straight(20)


def test_another_rate_of_the_wrong_stream(tmp_path):
    """The film that was meant is not the largest of the file."""
    ref = write(tmp_path / "r.mkv", range(20), rate=25)
    meant = write(tmp_path / "small.mkv", range(20), rate=25)
    large = ["-f", "lavfi", "-i", "testsrc2=s=128x96:r=50:d=0.4"]
    ffmpeg(
        tmp_path, *large, "-i", meant.name, "-map", "0", "-map", "1", "-c", "ffv1",
        "-disposition", "0", "-fps_mode", "passthrough", "d.mkv",
    )  # fmt: skip
    both = tmp_path / "d.mkv"
    for files, stream in (((ref, both), "dis_stream"), ((both, ref), "ref_stream")):
        *_, other = refused(*files)
        assert other == {stream: "1"}
        assert pairs(*files, **{stream: 1})[0] == straight(20)
    alone = write(tmp_path / "o.mkv", range(20), rate=50)
    assert all("stream" not in name for option in refused(ref, alone) for name in option)


def test_a_shorter_end(tmp_path):
    ref, dis = write(tmp_path / "r.mkv", range(20)), write(tmp_path / "d.mkv", range(16))
    by_time, truncate = refused(ref, dis)
    assert pairs(ref, dis, **by_time)[0] == straight(16)
    assert pairs(ref, dis, **truncate)[0] == straight(16)
    late = write(tmp_path / "late.mkv", range(4, 20))
    with pytest.raises(VideoError, match=r"offset=N \(frames\)"):
        pairs(ref, late)
    assert pairs(ref, late, offset=4)[0] == straight(16, 4)


def test_a_frame_that_is_missing_inside(tmp_path):
    times = [40 * i for i in range(20) if i != 7]
    ref = write(tmp_path / "r.mkv", range(20))
    dis = write(tmp_path / "d.mkv", [i for i in range(20) if i != 7], times)
    (by_time,) = refused(ref, dis)
    assert pairs(ref, dis, **by_time)[0] == [(i, i) for i in range(20) if i != 7]


def test_no_times(tmp_path):
    ref = write(tmp_path / "r.mkv", range(20))
    dis = write(tmp_path / "d.h264", range(20), codec="libx264", options={"bf": "0", "qp": "4"})
    (by_index,) = refused(ref, dis, pair="time")
    assert pairs(ref, dis, **by_index)[0] == straight(20)


@pytest.mark.parametrize("given", [None, 3, "0.12s"])
@pytest.mark.parametrize("late", [1, -1])
def test_a_frame_too_late(tmp_path, late, given):
    """Also on top of an offset that was given."""
    start = 5 if given is None else 2
    ref = write(tmp_path / "r.mkv", [i % 20 for i in range(start, start + 90)])
    dis = write(tmp_path / "d.mkv", [(i + late) % 20 for i in range(5, 95)])
    given = {} if given is None else {"offset": given}
    found, notices = pairs(ref, dis, **given)
    assert all((b - a) % 20 == late % 20 for a, b in found)
    (offset,) = advised(notices["lag"])
    found, notices = pairs(ref, dis, **offset)
    assert len(found) == 90 - abs(late + 5 - start)
    assert all(a == b for a, b in found)
    assert "lag" not in notices


def test_a_dropped_and_a_doubled_frame(tmp_path):
    """As many frames, at the same times."""
    right = [*range(60), *range(61, 121), *range(120, 240)]
    ref = write(tmp_path / "r.mkv", [i % 20 for i in range(240)])
    dis = write(tmp_path / "d.mkv", [i % 20 for i in right])
    found, notices = pairs(ref, dis)
    assert [b for _, b in found] == [i % 20 for i in right]
    assert all((b - a) % 20 == (60 <= i < 120) for i, (a, b) in enumerate(found))
    (by_pictures,) = advised(notices["lag"])
    found, notices = pairs(ref, dis, **by_pictures)
    assert found == [(i % 20, i % 20) for i in right]
    assert "lag" not in notices


def test_a_frame_too_late_by_time_at_half_the_rate(tmp_path):
    ref = write(tmp_path / "r.mkv", [i % 20 for i in range(160)], rate=50)
    dis = write(tmp_path / "d.mkv", [(2 * i + 2) % 20 for i in range(80)], rate=25)
    _, notices = pairs(ref, dis, pair="time")
    (offset,) = advised(notices["lag"])
    assert offset == {"offset": "2"}
    found, notices = pairs(ref, dis, pair="time", **offset)
    assert all(a == b for a, b in found)
    assert "lag" not in notices


def test_bars_on_one_side(tmp_path):
    ref = write(tmp_path / "r.mkv", range(20))
    dis = write(tmp_path / "d.mkv", range(20), bars=16)
    _, notices = pairs(ref, dis)
    (crop,) = advised(notices["shape"])
    found, notices = pairs(ref, dis, **crop)
    assert found == straight(20)
    assert "shape" not in notices
    assert "48" in notices["cropped"]


def test_streams(tmp_path):
    path = tmp_path / "two.mkv"
    parts = [
        write(tmp_path / f"{i}.mkv", shown) for i, shown in enumerate((range(9), range(9, 18)))
    ]
    with av.open(str(path), "w") as container:
        inputs = [av.open(str(part)) for part in parts]
        streams = [container.add_stream_from_template(i.streams.video[0]) for i in inputs]
        for source, stream in zip(inputs, streams, strict=True):
            for packet in source.demux():
                if packet.size:
                    packet.stream = stream
                    container.mux(packet)
            source.close()
    found, notices = pairs(path, path)
    assert found == straight(9)
    assert "take another with ref_stream or dis_stream" in notices["streams"]
    assert pairs(path, path, ref_stream=1, dis_stream=1)[0] == straight(9, 9)
    assert pairs(path, parts[1], ref_stream=1)[0] == straight(9, 9)


def test_other_ranges_sizes_and_fields(tmp_path):
    ref = write(tmp_path / "r.mkv", range(9))
    small = write(tmp_path / "s.mkv", range(9), bars=16)
    assert refused(ref, small, scale="none") == [{"scale": "none"}]
    assert len(pairs(ref, small)[0]) == 9
    header = b"YUV4MPEG2 W64 H48 F25:1 I%s A1:1 C420jpeg XCOLORRANGE=%s\n"
    grey = bytes([128]) * 1536
    wide = [np.rint((p - 16.0) * 255 / 219).astype(np.uint8) for p in PATTERNS]
    body, stretched = (
        b"".join(b"FRAME\n" + p.tobytes() + grey for p in frames) for frames in (PATTERNS, wide)
    )
    (tmp_path / "full.y4m").write_bytes(header % (b"p", b"FULL") + stretched)
    (tmp_path / "tv.y4m").write_bytes(header % (b"p", b"LIMITED") + body)
    (tmp_path / "fields.y4m").write_bytes(header % (b"t", b"LIMITED") + body)
    _, notices = pairs(tmp_path / "tv.y4m", tmp_path / "full.y4m")
    (as_is,) = advised(notices["range"])
    found, notices = pairs(tmp_path / "tv.y4m", tmp_path / "full.y4m", **as_is)
    assert found == straight(20)
    assert not advised(notices["range"])
    # the same samples with other tags: one of them is wrong
    (tmp_path / "wrong.y4m").write_bytes(header % (b"p", b"LIMITED") + stretched)
    _, notices = pairs(tmp_path / "wrong.y4m", tmp_path / "full.y4m")
    (ref_range,) = advised(notices["range"])
    assert ref_range == {"ref_range": "full"}
    files = tmp_path / "wrong.y4m", tmp_path / "full.y4m"
    with open_pair(*files, InputOptions(**ref_range)) as pair:
        assert all(np.array_equal(a[0], b[0]) for _, a, b in pair)
    _, notices = pairs(tmp_path / "fields.y4m", tmp_path / "fields.y4m")
    (bwdif,) = advised(notices["interlaced"])
    found, notices = pairs(tmp_path / "fields.y4m", tmp_path / "fields.y4m", **bwdif)
    assert "interlaced" not in notices


def test_damage(tmp_path):
    ref = write(tmp_path / "r.mkv", range(20))
    data = bytearray(ref.read_bytes())
    data[len(data) // 2] ^= 4
    dis = tmp_path / "d.mkv"
    dis.write_bytes(data)
    with pytest.raises(VideoError, match="with frame_count") as caught:
        pairs(ref, dis)
    conceal, skip = advised(caught.value.problem)
    whole = int(re.search(r"frame (\d+) is damaged", caught.value.problem)[1])
    assert pairs(ref, dis, frame_count=whole)[0] == straight(whole)
    assert len(pairs(ref, dis, **conceal)[0]) == 20
    found, _ = pairs(ref, dis, **skip)
    assert found
    assert all(a == b for a, b in found)
