"""AVI's dropped frames: empty chunks, for which a player goes on showing the frame before.

FFmpeg leaves them out and counts on, so that the times of packets have gaps. Time in AVI is a
number of chunks: at each, a player hands the chunk to the decoder and shows what comes out of it.
Where the chunks are a clock much finer than the frames, as after copying H.264 into AVI, most are
empty, and the frames' own pace is found from where they stand.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, BinaryIO

from jaxvqa.video._container.source import Source
from jaxvqa.video._timeline import Timeline

_FASTEST = 120  # frames per second; chunks that come faster are a clock


@dataclass(frozen=True)
class Pace:
    """How many chunks a frame takes.

    Args:
        chunks: at a constant rate; None where frames are as long as they are, and none is repeated.
        timeline: when frames are shown, where chunks are but a clock.
    """

    chunks: Fraction | None = Fraction(1)
    timeline: Timeline | None = None

    def slot(self, chunk: int) -> int:
        """The number of the frame that is due at a chunk."""
        return chunk if self.chunks is None else round(chunk / self.chunks)


def find_pace(av: Any, source: Source, stream: Any) -> Pace:
    """The pace of a stream, by where its frames stand if chunks come faster than they do."""
    if not stream.time_base:
        return Pace()
    clock = 1 / Fraction(stream.time_base)
    coded = Fraction(stream.codec_context.framerate or 0)
    if clock <= _FASTEST and not 0 < coded < clock:
        return Pace()
    rates = [Fraction(r) for r in (coded, stream.base_rate, stream.guessed_rate) if r and r < clock]
    places = _places(av, source, stream) if source.is_file else []
    if len(places) < 2:
        return Pace(clock / rates[0]) if rates else Pace()
    timeline = Timeline.from_pts(places, stream.time_base, rates)
    even = timeline.rate is not None and (timeline.constant or timeline.gaps)
    return Pace(clock / timeline.rate if even and timeline.rate else None, timeline)


def _places(av: Any, source: Source, stream: Any) -> list[int]:
    """The chunks of all frames."""
    found = _Places(stream.duration)
    try:
        with source.open(av) as container:
            for packet in container.demux(container.streams[stream.index]):
                if packet.size:
                    found.note(packet)
    except (av.error.FFmpegError, OSError, ValueError):
        return []
    return found.chunks


class _Places:
    """Where packets stand, in chunks."""

    def __init__(self, most: int | None) -> None:
        self.chunks: list[int] = []
        self._most = most or 0

    def note(self, packet: Any) -> int:
        """Takes the next packet that is not empty; gives its chunk."""
        after = self.chunks[-1] + 1 if self.chunks else 0
        place = after if packet.dts is None else packet.dts
        # times that do not count chunks say nothing
        self.chunks.append(place if after <= place < max(self._most, after + 1) else after)
        return self.chunks[-1]


class Slots:
    """Fills the places of dropped frames with the frame before.

    Args:
        source: the file.
        stream: its video stream.
        pace: how many chunks a frame takes.
        delay: gives the frames by which the decoder lags behind its packets; asked after the first
            frame.

    Attributes:
        repeated: frames given again so far, for empty chunks.
        guessed: the frame given last stands for one that could not be decoded.
    """

    def __init__(self, source: Source, stream: Any, pace: Pace, delay: Callable[[], int]) -> None:
        self.pace = pace
        self._tick = Fraction(stream.time_base or 0)
        self.repeated = 0
        self.guessed = False
        self._lost: set[int] = set()
        self._missing = 0
        self._delay = delay
        self._places = _Places(stream.duration)
        self._chunks: list[int] = []  # in slots of a frame
        trailing = _count_trailing(source.name, stream.index) if source.is_file else 0
        self._trailing = 0 if pace.chunks is None else int(trailing / pace.chunks)

    def note(self, packet: Any) -> None:
        """Remembers where a packet stands; to be called in the order of the file."""
        if packet.size:
            chunk = self._places.note(packet)
            self._chunks.append(
                len(self._chunks) if self.pace.chunks is None else self.pace.slot(chunk)
            )

    def time(self, index: int) -> tuple[Fraction, Fraction]:
        """When a frame, those given again counted too, begins and ends, in seconds."""
        if self.pace.chunks is not None:
            slot = self.pace.chunks * self._tick
            return index * slot, (index + 1) * slot
        chunks = self._places.chunks
        after = index + 1 < len(chunks)
        return chunks[min(index, len(chunks) - 1)] * self._tick, (
            chunks[index + 1] if after else chunks[-1] + 1
        ) * self._tick

    def frames_in(self, chunks: int) -> int:
        """How many frames a number of chunks holds."""
        if self.pace.timeline is not None and self.pace.chunks is None:
            return self.pace.timeline.count or 0
        return self.pace.slot(chunks)

    def lose(self) -> None:
        """A packet cannot be decoded: the frame before is shown again."""
        self._missing += 1

    def filled(self, frames: Iterator[Any]) -> Iterator[Any]:
        """The frames, and each as often again as chunks after it are empty."""
        previous, index = None, -1
        for index, frame in enumerate(frames):
            self._leave_out_lost(index, frame.pts)
            if previous is not None:
                yield from self._again(previous, self._place(index - 1) + 1, self._place(index))
            previous = frame
            yield frame
        if previous is not None:
            after = self._place(index) + 1
            self._leave_out_lost(index + 1, None)
            last = max((place for place in self._lost if place >= after), default=after - 1)
            yield from self._again(previous, after, last + 1 + self._trailing)

    def count(self) -> int | None:
        """Frames in all, if any was dropped; to be asked after the last packet."""
        if not self._chunks:
            return None
        count = self._chunks[-1] - self._chunks[0] + 1 + self._trailing
        return count if count > len(self._chunks) else None

    def _leave_out_lost(self, index: int, time: int | None) -> None:
        """Finds the chunks behind lost packets: those before a frame's time, at the end the last.

        Decoders that work on several frames at once tell of an error late.
        """
        while self._missing and index < len(self._chunks) and not self._delay():
            if time is not None and self._chunks[index] >= time:
                return
            self._lost.add(self._chunks.pop(index))
            self._missing -= 1

    def _again(self, frame: Any, start: int, stop: int) -> Iterator[Any]:
        for place in range(start, stop):
            self.guessed = place in self._lost
            self.repeated += not self.guessed
            yield frame
        self.guessed = False

    def _place(self, index: int) -> int:
        """The chunk at which the frame of this number comes out of the decoder."""
        chunk, last = index + self._delay(), len(self._chunks) - 1
        return self._chunks[chunk] if chunk <= last else self._chunks[last] + chunk - last


def count_frames(av: Any, source: Source, stream: Any, pace: Pace) -> int | None:
    """Frames that a player shows, if any was dropped; None also for what cannot be read twice."""
    if not source.is_file:
        return None
    slots = Slots(source, stream, pace, lambda: 0)
    try:
        with source.open(av) as container:
            for packet in container.demux(container.streams[stream.index]):
                slots.note(packet)
    except (av.error.FFmpegError, OSError, ValueError):
        return None
    return slots.count()


def _count_trailing(path: str, stream: int) -> int:
    """Empty chunks of a stream after its last frame, by the file's index."""
    with open(path, "rb") as file:
        index = _find_index(file)
    ours = [index[i : i + 16] for i in range(0, len(index) - 15, 16) if _is_of(index, i, stream)]
    count = 0
    while count < len(ours) and not any(ours[-1 - count][12:]):
        count += 1
    return count if count < len(ours) else 0


def _is_of(index: bytes, position: int, stream: int) -> bool:
    kind = index[position : position + 4]
    return kind in (b"%02ddc" % stream, b"%02ddb" % stream)


def _find_index(file: BinaryIO) -> bytes:
    """The entries of the index `idx1`; empty without one."""
    position, end = 12, os.fstat(file.fileno()).st_size
    while position + 8 <= end:
        file.seek(position)
        head = file.read(8)
        size = int.from_bytes(head[4:], "little")
        if head[:4] == b"idx1":
            return file.read(size)
        position += 8 + size + size % 2
    return b""
