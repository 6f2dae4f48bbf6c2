"""From a display matrix to the filters that show a frame upright, as FFmpeg's own program does."""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence

_BYTES = 36  # nine 32-bit numbers, row by row


def filters_for(matrix: bytes | None) -> tuple[str, ...]:
    """FFmpeg's filters for a display matrix, in order; none for an upright frame.

    Args:
        matrix: nine native-endian 32-bit integers, as FFmpeg attaches them to frames, or None.

    Source: `ffmpeg`'s automatic rotation (fftools, `configure_input_video_filter`).
    """
    if matrix is None or len(matrix) < _BYTES:
        return ()
    values = struct.unpack("=9i", matrix[:_BYTES])
    turn = _degrees(values)
    if turn is None:
        return ()
    if abs(turn - 90) < 1:
        return ("transpose=cclock_flip",) if values[3] > 0 else ("transpose=clock",)
    if abs(turn - 270) < 1:
        return ("transpose=clock_flip",) if values[3] < 0 else ("transpose=cclock",)
    if abs(turn - 180) < 1:
        flips = (("hflip", values[0]), ("vflip", values[4]))
        return tuple(name for name, scale in flips if scale < 0)
    if abs(turn) > 1:
        return (f"rotate={turn}*PI/180",)
    return ("vflip",) if values[4] < 0 else ()


def matrix_of(turn: float) -> bytes:
    """The display matrix of a counter-clockwise turn in degrees."""
    angle = math.radians(turn)
    cosine, sine = (round(f(angle) * (1 << 16)) for f in (math.cos, math.sin))
    return struct.pack("=9i", cosine, -sine, 0, sine, cosine, 0, 0, 0, 1 << 30)


def swaps_sides(filters: Sequence[str]) -> bool:
    """True where a frame comes out as wide as it was high."""
    return any(f.startswith("transpose") for f in filters)


def _degrees(values: Sequence[int]) -> float | None:
    """Clockwise turn that undoes the matrix, in [0, 360); None for a matrix without an inverse."""
    first, second = math.hypot(values[0], values[3]), math.hypot(values[1], values[4])
    if not first or not second:
        return None
    turn = round(math.degrees(math.atan2(values[1] / second, values[0] / first)))
    return turn - 360 * math.floor(turn / 360 + 0.9 / 360)
