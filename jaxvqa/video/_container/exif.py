"""The orientation that Exif data gives a picture, read from the first bytes of its file."""

from __future__ import annotations

import struct

HEAD = 1 << 18  # bytes of a file that hold its Exif data, which stands before the picture
_MARKS = (b"Exif\0\0II", b"Exif\0\0MM", b"eXIfII", b"eXIfMM")
_ORIENTATION = 0x0112
_SHORT = 3
_ENTRY = 12  # bytes

# rows of the display matrix for the orientations 1 to 8: how a stored picture is to be shown
_MATRICES = {
    1: (1, 0, 0, 1),
    2: (-1, 0, 0, 1),
    3: (-1, 0, 0, -1),
    4: (1, 0, 0, -1),
    5: (0, 1, 1, 0),
    6: (0, 1, -1, 0),
    7: (0, -1, -1, 0),
    8: (0, -1, 1, 0),
}


def exif_matrix(head: bytes) -> bytes | None:
    """The display matrix that Exif data asks for; None where there is none, or none that is valid.

    Args:
        head: the first bytes of a JPEG, PNG or WebP file.

    Source: Exif 2.32, tag 0x0112; the matrix has the form of FFmpeg's.
    """
    found = [place + len(mark) - 2 for mark in _MARKS if (place := head.find(mark)) >= 0]
    if not found and head[8:12] == b"WEBP" and (place := head.find(b"EXIF")) >= 0:
        found = [place + 8]
    matrix = _MATRICES.get(_orientation(head[min(found) :])) if found else None
    if matrix is None:
        return None
    a, b, c, d = (value << 16 for value in matrix)
    return struct.pack("=9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)


def _orientation(tiff: bytes) -> int:
    """The tag in a block of TIFF data; 0 where it cannot be read."""
    order = "<" if tiff[:2] == b"II" else ">"
    try:
        (start,) = struct.unpack_from(order + "4xI", tiff)
        (count,) = struct.unpack_from(order + "H", tiff, start)
        for entry in range(start + 2, start + 2 + count * _ENTRY, _ENTRY):
            tag, kind, _, value = struct.unpack_from(order + "HHIH", tiff, entry)
            if (tag, kind) == (_ORIENTATION, _SHORT):
                return value
    except struct.error:
        pass
    return 0
