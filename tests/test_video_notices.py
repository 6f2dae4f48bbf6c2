"""Every notice about the input has a code of its own, in results and in files."""

import json
from fractions import Fraction

import numpy as np
import pytest

import jaxvqa
from jaxvqa import report
from tests.test_video_formats import make_planes, write_clip
from tests.test_video_pair import make


def pair(folder, ref, dis, **both):
    return make(folder, "ref.y4m", **both, **ref)[0], make(folder, "dis.y4m", **both, **dis)[0]


def longer(folder):
    ref, dis = pair(folder, {"frames": 4}, {"frames": 3})
    return ref, dis, {"on_length_mismatch": "truncate"}


def faster(folder):
    return *pair(folder, {"fps": Fraction(25)}, {"fps": Fraction(50)}), {"pair": "time"}


def fuller(folder):
    return *pair(folder, {"color_range": "tv"}, {"color_range": "pc"}), {}


def interlaced(folder):
    return *pair(folder, {"interlaced": True}, {"interlaced": True}), {}


def half_interlaced(folder):
    return *pair(folder, {"interlaced": True}, {}), {}


def deeper(folder):
    return *pair(folder, {}, {"depth": 10}), {}


def smaller(folder):
    return *pair(folder, {"width": 32, "height": 32}, {"width": 28, "height": 28}), {}


def brighter(folder):
    """HDR of another kind than the other's: both are told."""
    sides = (("hlg.mkv", 18), ("sdr.mkv", 1))
    files = [make(folder, name, depth=10, tags={"color_trc": tag})[0] for name, tag in sides]
    return *files, {}


def linear(folder):
    """Linear light, as pictures of renderers have, against video that does not say."""
    sides = ("linear.mkv", {"color_trc": 8}), ("plain.mkv", {})
    return *(make(folder, name, depth=10, tags=tags)[0] for name, tags in sides), {}


def hdr(folder):
    path, _ = make(folder, "pq.mkv", depth=10, tags={"color_trc": 16})
    return path, path, {}


def rounded_down(folder):
    """Raw video as libvmaf reads it: chroma of odd sizes rounded down."""
    path = folder / "odd.yuv"
    path.write_bytes(bytes(3 * (27 * 35 + 2 * 13 * 17)))
    return path, path, {"width": 35, "height": 27, "pixel_format": "420", "bit_depth": 8}


def lost(folder):
    """The later part of a Matroska file overwritten: its demuxer ends there without an error."""
    path = folder / "lost.mkv"
    stacks = make_planes(np.random.default_rng(3), 64, 64, "420", 8, frames=50)
    write_clip(path, "mjpeg", "yuvj420p", 64, 64, stacks, 8)
    data = bytearray(path.read_bytes())
    third = data.index(b"\xff\xd9", len(data) // 3) + 2
    data[third:-2000] = bytes(len(data) - 2000 - third)
    path.write_bytes(data)
    return path, path, {}


CASES = {
    "dropped-frames": longer, "pairing": faster, "range": fuller, "interlaced": interlaced,
    "deinterlaced": half_interlaced, "depth": deeper, "scaled": smaller,
    "transfer": brighter, "hdr": hdr, "format": rounded_down, "missing-frames": lost,
}  # fmt: skip
BESIDE = {"transfer": {"hdr"}, "pairing": {"dropped-frames"}}


def test_linear_light_is_told(tmp_path):
    ref, dis, _ = linear(tmp_path)
    for pair in ((ref, dis), (dis, ref)):
        (notice,) = jaxvqa.score(*pair, model=None, features=["float_motion"]).notices
        assert notice.code == "transfer"
        assert "linear" in notice.text
        assert "not known" in notice.text


@pytest.mark.parametrize("code", CASES)
def test_notice(tmp_path, code):
    ref, dis, options = CASES[code](tmp_path)
    result = jaxvqa.score(ref, dis, model=None, features=["float_motion"], **options)
    assert {n.code for n in result.notices} == {code} | BESIDE.get(code, set())
    told, *more = sorted({n.text for n in result.notices if n.code == code})
    assert len(more) < (code == "interlaced") + 1  # which is said of both files
    assert str(tmp_path) in told  # it names the file
    assert told.endswith(".")
    written = json.loads(report.render_json(result))["jaxvqa"]["warnings"]
    assert {"code": code, "text": told} in written


def test_arrays_have_the_code_of_dropped_frames_too():
    y = np.zeros((4, 16, 16), np.uint8)
    result = jaxvqa.score(
        y, y[:3], model=None, features=["float_motion"], on_length_mismatch="truncate"
    )
    assert [n.code for n in result.notices] == ["dropped-frames"]
