"""Finds containers that lack their end, from the sizes their outer structure announces.

Demuxers treat a Matroska or AVI file that stops early as one that simply ends. The outermost
elements state how long they are, so comparing that with the file size shows the loss at once.
"""

from __future__ import annotations

import os
from typing import BinaryIO

_EBML_MAGIC = b"\x1a\x45\xdf\xa3"
_SEGMENT_ID = b"\x18\x53\x80\x67"
_MP4_FIRST = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot", b"styp")


def find_truncation(path: str) -> str | None:
    """A sentence about the missing end of a Matroska, WebM, MP4, MOV or AVI file, or None.

    None also stands for containers that do not say how long they are.
    """
    size = os.path.getsize(path)
    with open(path, "rb") as file:
        head = file.read(12)
        if head[:4] == _EBML_MAGIC:
            expected = _matroska_end(file)
        elif head[4:8] in _MP4_FIRST:
            expected = _mp4_end(file, size)
        elif head[:4] == b"RIFF" and head[8:12] == b"AVI ":
            expected = _riff_end(head, size)
        else:
            expected = None
    if expected is None or expected <= size:
        return None
    return (
        f"the file is cut short: its container announces {expected} bytes, but only {size} are "
        "there; copy or encode it again."
    )


def _matroska_end(file: BinaryIO) -> int | None:
    """End of the Matroska segment, or None if its size is open (live recordings)."""
    file.seek(4)
    header = _ebml_size(file)
    if header is None:
        return None
    file.seek(header, os.SEEK_CUR)
    if file.read(4) != _SEGMENT_ID:
        return None
    segment = _ebml_size(file)
    return None if segment is None else file.tell() + segment


def _ebml_size(file: BinaryIO) -> int | None:
    """An EBML variable-length size; None for a damaged or unknown one."""
    first = file.read(1)
    if not first or first[0] == 0:
        return None
    extra = 8 - first[0].bit_length()
    rest = file.read(extra)
    if len(rest) != extra:
        return None
    bits = 7 * (extra + 1)
    value = int.from_bytes(first + rest, "big") & ((1 << bits) - 1)
    return None if value == (1 << bits) - 1 else value


def _mp4_end(file: BinaryIO, size: int) -> int | None:
    """End of the last top-level box of an MP4 or MOV file."""
    position = 0
    while position + 8 <= size:
        file.seek(position)
        header = file.read(16)
        length, kind = int.from_bytes(header[:4], "big"), header[4:8]
        if length == 1 and len(header) == 16:
            length = int.from_bytes(header[8:16], "big")
        # size 0 means "to the end of the file"; odd names are trailing data of other programs
        if length < 8 or not kind.isalnum():
            return None
        position += length
    return position if position > size else None


def _riff_end(head: bytes, size: int) -> int | None:
    """End of an AVI file's first RIFF chunk; 0 and the largest value stand for "unknown"."""
    length = int.from_bytes(head[4:8], "little")
    # some programs count the eight bytes of the chunk's head too
    return None if length in (0, 0xFFFFFFFF, size) else 8 + length
