"""What a file's packets tell without decoding: when its frames are shown, and how many."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from jaxvqa.video._container.source import Source
from jaxvqa.video._timeline import Timeline


@dataclass(frozen=True)
class Scan:
    """The packets of one stream.

    Args:
        times: shown times in units of the stream's clock, sorted; None where a packet has none.
        packets: packets that are shown.
        hidden: packets that an edit list hides.
        size: bytes of the packets that are shown or referred to.
    """

    times: tuple[int, ...] | None
    packets: int
    hidden: int
    size: int = 0

    def from_frame(self, first: int | None) -> tuple[Scan, int]:
        """The packets from the first frame that was decoded, and how many were lost before it.

        A file that was cut inside a group of pictures begins with frames that refer to others
        before the cut; decoders leave some of them out.

        Args:
            first: time of the first frame, in units of the stream's clock.
        """
        if self.times is None or first is None or first not in self.times:
            return self, 0
        lost = self.times.index(first)
        return dataclasses.replace(self, times=self.times[lost:], packets=self.packets - lost), lost


def scan(av: Any, source: Source, stream: int, *, listed: bool = False) -> Scan | None:
    """Reads all packets of a stream; None for what should not be read twice.

    Args:
        av: the module of PyAV.
        source: what FFmpeg opens.
        stream: index of the stream.
        listed: the file's header lists its streams.
    """
    if not source.is_file:  # a network would be asked for everything twice
        return None
    times: list[int] | None = []
    packets = hidden = size = 0
    try:
        with source.open(av, probe=not listed) as container:
            found = container.streams[stream]
            hides = _is_invisible if "vp8" in found.codec_context.name else _never
            for packet in container.demux(found):
                if packet.size == 0:
                    continue
                if getattr(packet, "is_discard", False):
                    hidden += 1
                    continue
                size += packet.size
                if hides(packet):
                    continue
                packets += 1
                if packet.pts is None:
                    times = None
                elif times is not None:
                    times.append(packet.pts)
    except (av.error.FFmpegError, OSError, ValueError):
        return None
    # two packets at one time are two fields of a frame, or damage
    if times is not None and len(set(times)) < len(times):
        times = None
    return Scan(None if times is None else tuple(sorted(times)), packets, hidden, size)


def _never(_: Any) -> bool:
    return False


def _is_invisible(packet: Any) -> bool:
    """A VP8 frame that is only referred to; source: RFC 6386, section 9.1."""
    return not bytes(packet)[0] & 0x10


def has_several(av: Any, source: Source, stream: int) -> bool:
    """Whether a stream has more than one frame; False for a file that cannot be read twice."""
    if source.piped is not None:
        return False
    with source.open(av) as container:
        found = 0
        for packet in container.demux(container.streams[stream]):
            found += packet.size > 0
            if found > 1:
                return True
    return False


def timeline_of(found: Scan | None, time_base: Fraction | None, rates: tuple[Any, ...]) -> Timeline:
    """The timeline behind a scan.

    Args:
        found: the scan, or None for a file that was not scanned.
        time_base: seconds a unit of its times.
        rates: frames per second that the container declares, the best first.
    """
    declared = tuple(Fraction(rate) for rate in rates if rate)
    if found is None:  # times that are told by reading
        return Timeline.unknown(rate=next(iter(declared), None), time_base=time_base)
    if found.times is None or time_base is None:
        return Timeline.unknown(rate=next(iter(declared), None))
    return Timeline.from_pts(found.times, time_base, declared)
