"""Verifies the checksums of FFV1 packets.

FFmpeg finds a damaged FFV1 slice, but only logs it and shows the slice of an earlier frame, so the
frame looks whole. The checksums are in the stream, so they are checked here. Source: RFC 9043,
sections 4.8 and 4.9 (slice footer: 24-bit size, error status, CRC-32 with its bits from high to
low, which makes the remainder over slice and footer 0).
"""

from __future__ import annotations

import zlib

_FOOTER = 8
# zlib's CRC-32 takes bits from low to high: with the bits of each byte reversed it is the same
_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def _slices_intact(packet: bytes) -> bool:
    """True if the packet is a chain of slices whose checksums are all right."""
    end = len(packet)
    while end:
        start = end - _FOOTER - int.from_bytes(packet[end - _FOOTER : end - _FOOTER + 3], "big")
        if end < _FOOTER or start < 0:
            return False
        # zlib inverts the register before and after; a start of all ones undoes the first
        if zlib.crc32(packet[start:end].translate(_REVERSED), 0xFFFFFFFF) ^ 0xFFFFFFFF:
            return False
        end = start
    return True


class SliceCheck:
    """Checks one FFV1 stream, if its first packet shows that it carries checksums."""

    def __init__(self) -> None:
        self._protected: bool | None = None

    def is_damaged(self, packet: bytes) -> bool:
        """True if the next packet's data differ from what the encoder wrote."""
        if self._protected is False or not packet:
            return False
        intact = _slices_intact(packet)
        if self._protected is None:
            # older versions and unprotected streams have no such footers
            self._protected = intact
        return self._protected and not intact
