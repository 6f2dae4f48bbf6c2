"""Pictures of tiles are joined as FFmpeg's own program does, and never shown as one tile."""

import struct

import pytest

from jaxvqa.video import VideoError, open_video
from tests.test_video_pictures import check
from tests.test_video_sources import ffmpeg

TILE = 64
WHOLE = 120, 100
TURNED = b"irot", b"\1"
MIRRORED = b"imir", b"\1"


def box(kind, *parts):
    data = b"".join(parts)
    return struct.pack(">I", len(data) + 8) + kind + data


def full(kind, version, *parts):
    return box(kind, struct.pack(">I", version << 24), *parts)


def inside(data, *kinds):
    """The content of a box in boxes."""
    start, end = 0, len(data)
    for kind in kinds:
        while data[start + 4 : start + 8] != kind:
            start += int.from_bytes(data[start : start + 4], "big")
            assert start < end
        size = int.from_bytes(data[start : start + 4], "big")
        start, end = start + 8 + 4 * (kind == b"meta"), start + size
    return data[start:end]


def entry(item, kind):
    return full(b"infe", 2, struct.pack(">HH", item, 0), kind, b"\0")


def extent(item, method, start, size):
    return struct.pack(">HHHHII", item, method, 0, 1, start, size)


def properties(count, decoder, extra):
    """Item 1 is the grid, items 2 on are its tiles."""
    sizes = [full(b"ispe", 0, struct.pack(">II", *size)) for size in ((TILE, TILE), WHOLE)]
    ipco = box(b"ipco", decoder, *sizes, *(box(*e) for e in extra))
    own = bytes([0x80 | (4 + i) for i in range(len(extra))])
    grid = struct.pack(">HBB", 1, 1 + len(extra), 3) + own
    tiles = [struct.pack(">HBBB", i + 2, 2, 0x81, 2) for i in range(count)]
    ipma = full(b"ipma", 0, struct.pack(">I", count + 1), grid, *tiles)
    return box(b"iprp", ipco, ipma)


def grid_file(tiles, side, extra=()):
    """An AVIF file of a grid; the tiles are AVIF files of one picture each."""
    count = len(tiles)
    decoder = box(b"av1C", inside(tiles[0], b"meta", b"iprp", b"ipco", b"av1C"))
    data = [inside(tile, b"mdat") for tile in tiles]
    items = [entry(1, b"grid"), *(entry(i + 2, b"av01") for i in range(count))]
    parts = [struct.pack(">H", i + 2) for i in range(count)]
    layout = bytes([0, 0, side - 1, side - 1]) + struct.pack(">HH", *WHOLE)

    def meta(start):
        extents = [extent(1, 1, 0, len(layout))]
        for i, part in enumerate(data):
            extents.append(extent(i + 2, 0, start, len(part)))
            start += len(part)
        return full(
            b"meta", 0,
            full(b"hdlr", 0, bytes(4), b"pict", bytes(13)),
            full(b"pitm", 0, struct.pack(">H", 1)),
            full(b"iloc", 1, b"\x44\0", struct.pack(">H", count + 1), *extents),
            full(b"iinf", 0, struct.pack(">H", count + 1), *items),
            full(b"iref", 0, box(b"dimg", struct.pack(">HH", 1, count), *parts)),
            properties(count, decoder, extra),
            box(b"idat", layout),
        )  # fmt: skip

    head = box(b"ftyp", b"avif", bytes(4), b"avifmif1miaf")
    start = len(head) + len(meta(0)) + 8
    return head + meta(start) + box(b"mdat", *data)


@pytest.fixture(scope="module")
def tiles(tmp_path_factory):
    """Four tiles of one picture."""
    folder = tmp_path_factory.mktemp("tiles")
    for i in range(4):
        ffmpeg(
            folder, "-f", "lavfi", "-i", f"testsrc2=s={2 * TILE}x{2 * TILE}", "-vf",
            f"crop={TILE}:{TILE}:{i % 2 * TILE}:{i // 2 * TILE}", "-frames:v", "1", "-pix_fmt",
            "yuv420p", "-c:v", "libaom-av1", "-cpu-used", "8", f"{i}.avif",
        )  # fmt: skip
    return [(folder / f"{i}.avif").read_bytes() for i in range(4)]


@pytest.mark.parametrize(
    "extra, size",
    [((), WHOLE), ((TURNED,), WHOLE[::-1]), ((MIRRORED,), WHOLE)],
    ids=["plain", "turned", "mirrored"],
)
def test_tiles_are_joined(tmp_path, tiles, extra, size):
    (tmp_path / "grid.avif").write_bytes(grid_file(tiles, 2, extra))
    info, notices = check(tmp_path, "grid.avif", stream=None, count=1)
    assert (info.width, info.height, info.fps) == (*size, None)
    assert notices == []


def test_tiles_that_cannot_be_joined_are_refused(tmp_path, tiles):
    aperture = b"clap", struct.pack(">8i", 64, 1, 64, 1, 0, 1, 0, 1)
    (tmp_path / "grid.avif").write_bytes(grid_file(tiles, 2, (aperture,)))
    with pytest.raises(VideoError, match=r"of several others.*ffmpeg -i INPUT OUTPUT\.png"):
        open_video(tmp_path / "grid.avif")


def test_the_way_around_works(tmp_path, tiles):
    (tmp_path / "grid.avif").write_bytes(grid_file(tiles, 2))
    ffmpeg(tmp_path, "-i", "grid.avif", "whole.png")
    with open_video(tmp_path / "whole.png") as video:
        assert (video.info.width, video.info.height) == WHOLE
