"""AVI's dropped frames: empty chunks, for which a player goes on showing the frame before.

FFmpeg leaves them out and counts on, so that the times of packets have gaps. Time in AVI is a
number of chunks: at each, a player hands the chunk to the decoder and shows what comes out of it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

from jaxvqa.video._source import Source


class Slots:
    """Fills the places of dropped frames with the frame before.

    Args:
        source: the file.
        stream: its video stream.
        delay: gives the frames by which the decoder lags behind its packets; asked after the first
            frame.

    Attributes:
        repeated: frames given again so far, for empty chunks.
        guessed: the frame given last stands for one that could not be decoded.
    """

    def __init__(self, source: Source, stream: Any, delay: Callable[[], int]) -> None:
        self.repeated = 0
        self.guessed = False
        self._lost: set[int] = set()
        self._missing = 0
        self._delay = delay
        self._chunks: list[int] = []
        self._most = stream.duration or 0
        self._trailing = _count_trailing(source.name, stream.index) if source.is_file else 0

    def note(self, packet: Any) -> None:
        """Remembers where a packet stands; to be called in the order of the file."""
        if packet.size:
            after = self._chunks[-1] + 1 if self._chunks else 0
            place = after if packet.dts is None else packet.dts
            # times that do not count chunks say nothing
            self._chunks.append(place if after <= place < max(self._most, after + 1) else after)

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


def count_frames(av: Any, source: Source, stream: Any) -> int | None:
    """Frames that a player shows, if any was dropped; None also for what cannot be read twice."""
    if not source.is_file:
        return None
    slots = Slots(source, stream, lambda: 0)
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
