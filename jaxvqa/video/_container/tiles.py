"""Pictures that HEIF and AVIF store as a grid of tiles, which FFmpeg gives as streams.

Source: ISO/IEC 23008-12, boxes `meta`, `iinf`, `iref`, `iloc`, `iprp`, and the derived item `grid`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from jaxvqa.video._container.source import Source
from jaxvqa.video._errors import VideoError
from jaxvqa.video._formats import parse_pixel_format

REFUSED = (
    "is a picture made of several others in a way that is not understood: make one picture of it "
    "with ffmpeg -i INPUT OUTPUT.png, which needs FFmpeg 8 or later."
)
_TURNS = {1: ("transpose=cclock",), 2: ("hflip", "vflip"), 3: ("transpose=clock",)}


@dataclass(frozen=True)
class Grid:
    """How tiles make a picture.

    Args:
        tiles: numbers of the tiles' items, row by row.
        columns: tiles side by side.
        rows: tiles one below the other.
        width: columns of pixels of the picture, from the left.
        height: rows of pixels, from the top.
        turn: FFmpeg's filters that turn it as a viewer shows it.
    """

    tiles: tuple[int, ...]
    columns: int
    rows: int
    width: int
    height: int
    turn: tuple[str, ...] = ()


def read_grid(source: Source) -> Grid | None:
    """The grid that a file's main picture is; None if it is something else."""
    if not source.is_file:
        return None
    with open(source.name, "rb") as file:
        data = file.read()
    try:
        return _grid_of(data)
    except (IndexError, KeyError, ValueError):
        return None


def _grid_of(data: bytes) -> Grid | None:
    meta = dict(_boxes(dict(_boxes(data))[b"meta"][4:]))
    item = _number(meta[b"pitm"], 4, 4 if meta[b"pitm"][0] else 2)
    tiles = _tiles_of(meta[b"iref"], item)
    content = _content(data, meta, item)
    turn = _turn(dict(_boxes(meta[b"iprp"])), item)
    if tiles is None or content is None or turn is None:
        return None
    size = 4 if content[1] & 1 else 2
    rows, columns = content[2] + 1, content[3] + 1
    if rows * columns != len(tiles):
        return None
    width, height = _number(content, 4, size), _number(content, 4 + size, size)
    return Grid(tiles, columns, rows, width, height, turn)


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Kinds and contents of boxes."""
    position = 0
    while position + 8 <= len(data):
        size, kind, head = _number(data, position, 4), data[position + 4 : position + 8], 8
        if size == 1:
            size, head = _number(data, position + 8, 8), 16
        size = size or len(data) - position
        if size < head:
            raise ValueError(size)
        yield kind, data[position + head : position + size]
        position += size


def _number(data: bytes, position: int, size: int) -> int:
    if position + size > len(data):
        raise ValueError(position)
    return int.from_bytes(data[position : position + size], "big")


def _tiles_of(iref: bytes, item: int) -> tuple[int, ...] | None:
    """The items that an item is made of."""
    size = 4 if iref[0] else 2
    for kind, body in _boxes(iref[4:]):
        if kind == b"dimg" and _number(body, 0, size) == item:
            count = _number(body, size, 2)
            return tuple(_number(body, size + 2 + i * size, size) for i in range(count))
    return None


def _content(data: bytes, meta: dict[bytes, bytes], item: int) -> bytes | None:
    """The bytes of an item of one extent, in the file or in `idat`."""
    iloc = meta[b"iloc"]
    version, wide = iloc[0], 4 if iloc[0] == 2 else 2
    offset_size, length_size = iloc[4] >> 4, iloc[4] & 15
    base_size, index_size = iloc[5] >> 4, iloc[5] & 15 if version else 0
    position = 6 + wide
    for _ in range(_number(iloc, 6, wide)):
        number = _number(iloc, position, wide)
        position += wide
        method = _number(iloc, position, 2) & 15 if version else 0
        position += (2 if version else 0) + 2
        base = _number(iloc, position, base_size)
        count = _number(iloc, position + base_size, 2)
        position += base_size + 2
        if number == item:
            at = position + index_size
            start = base + _number(iloc, at, offset_size)
            length = _number(iloc, at + offset_size, length_size)
            where = {0: data, 1: meta.get(b"idat", b"")}.get(method, b"")
            return where[start : start + length] if count == 1 else None
        position += count * (index_size + offset_size + length_size)
    return None


def _turn(iprp: dict[bytes, bytes], item: int) -> tuple[str, ...] | None:
    """Filters for an item's properties; None for one that changes the picture otherwise."""
    properties = list(_boxes(iprp[b"ipco"]))
    found: list[str] = []
    for index in _associated(iprp[b"ipma"], item):
        kind, body = properties[index - 1]
        if kind == b"irot":
            found += _TURNS.get(body[0] & 3, ())
        elif kind == b"imir":
            found.append("hflip" if body[0] & 1 else "vflip")
        elif kind == b"clap":
            return None
    return tuple(found)


def _associated(ipma: bytes, item: int) -> list[int]:
    """Numbers of an item's properties, from 1."""
    wide, size = 4 if ipma[0] else 2, 2 if ipma[3] & 1 else 1
    position = 8
    for _ in range(_number(ipma, 4, 4)):
        number, count = _number(ipma, position, wide), ipma[position + wide]
        position += wide + 1
        if number == item:
            mask = (1 << (8 * size - 1)) - 1  # the highest bit says "essential"
            places = [_number(ipma, position + i * size, size) & mask for i in range(count)]
            return [place for place in places if place]
        position += count * size
    return []


def join_tiles(av: Any, path: str, container: Any, grid: Grid) -> Any:
    """The picture as PyAV's frame, of tiles decoded from their streams.

    Args:
        av: the module of PyAV.
        path: the file, for messages.
        container: the open file, not read yet.
        grid: its layout.

    Raises:
        VideoError: tiles that are missing or do not fit each other.
    """
    found: dict[int, Any] = {}
    streams = [s for s in container.streams.video if s.id in grid.tiles]
    for packet in container.demux(*streams):
        for frame in packet.decode():
            found.setdefault(packet.stream.id, frame)
    frames = [found[tile] for tile in grid.tiles if tile in found]
    kinds = {(f.width, f.height, f.format.name) for f in frames}
    layout = parse_pixel_format(frames[0].format.name) if frames else None
    if len(frames) < len(grid.tiles) or len(kinds) > 1 or layout is None:
        raise VideoError(path, REFUSED)
    first = frames[0]
    whole = av.VideoFrame(grid.width, grid.height, first.format.name)
    shapes = layout.stored_shapes(grid.height, grid.width)
    tile_shapes = layout.stored_shapes(first.height, first.width)
    for i, ((rows, columns), tile) in enumerate(zip(shapes, tile_shapes, strict=True)):
        pieces = [_lines(f.planes[i], tile[0], tile[1] * layout.sample_bytes) for f in frames]
        across = grid.columns
        joined = np.block([pieces[at : at + across] for at in range(0, len(pieces), across)])
        plane, row_bytes = whole.planes[i], columns * layout.sample_bytes
        _lines(plane, rows, row_bytes)[:] = joined[:rows, :row_bytes]
    whole.color_range, whole.colorspace = first.color_range, first.colorspace
    return whole


def _lines(plane: Any, rows: int, row_bytes: int) -> np.ndarray:
    """A view of a plane's bytes."""
    memory = np.frombuffer(plane, np.uint8, count=rows * plane.line_size)
    return memory.reshape(rows, plane.line_size)[:, :row_bytes]
