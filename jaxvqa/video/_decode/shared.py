"""One reader whose frames several readings share: a ladder's reference is decoded once.

Each reading is a `Reader` of its own, at its own place in the file, with the facts that the one
reader had there. So a video read this way is the same, bit for bit, as one read alone. Frames are
kept until the last reading has passed them, and no reading runs far ahead of another, so memory is
bounded.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from jaxvqa import _waiting as waiting
from jaxvqa._notice import Notice
from jaxvqa.video._errors import CLOSED, VideoError
from jaxvqa.video._formats import FrameMemory, FramePlanes
from jaxvqa.video._info import HeldFrame, Reader, VideoInfo
from jaxvqa.video._timeline import Timeline

# frames by which one reading may be ahead of another
_MOST_AHEAD = 8


@dataclass(frozen=True)
class _State:
    """What a reader says after a step; `frame` is None at the end."""

    frame: _OnceCopied | None
    time: Fraction | None
    interlaced_frames: int
    damage: str | None
    notices: tuple[Notice, ...]
    error: BaseException | None = None


class _OnceCopied:
    """A held frame whose planes are copied once for all readings."""

    def __init__(self, frame: HeldFrame) -> None:
        self._frame = frame
        self._copies: dict[bool, FramePlanes] = {}
        self._lock = threading.Lock()

    def retrieve(self, luma_only: bool = False) -> FramePlanes:
        with self._lock:
            if luma_only not in self._copies:
                self._copies[luma_only] = self._frame.retrieve(luma_only)
            return self._copies[luma_only]

    def picture(self) -> Any:
        return self._frame.picture()


class SharedReader:
    """Gives several readings of one reader.

    Args:
        reader: the reader, nothing of it read; it is closed with the last reading.
        readings: how many there will be; each is opened before any is read.

    Raises:
        ValueError: a reader whose beginning has to be looked through first.
    """

    def __init__(self, reader: Reader, readings: int) -> None:
        if reader.begins_damaged:
            raise ValueError("a video that begins damaged can't be shared: read it alone.")
        self._reader = reader
        self._timeline: Timeline | None = None
        self._states: deque[_State] = deque()
        self._first = 0  # number of the first state that is kept
        self._last: _State | None = None
        self._stepping = threading.Lock()
        self._changed = threading.Condition()
        self._places: dict[Reading, int] = {}
        self._unopened = readings
        self.decoded = 0

    def open(self) -> Reading:
        """One of the readings.

        Raises:
            VideoError: what the reader raises.
        """
        with self._stepping:
            if self._timeline is None:
                self._timeline = self._reader.timeline()
        reading = Reading(self, self._reader, self._timeline)
        with self._changed:
            self._unopened -= 1
            self._places[reading] = -1
        return reading

    def give_up(self) -> None:
        """One of the readings will not be opened."""
        with self._changed:
            self._unopened -= 1
            self._changed.notify_all()
        self._close_if_done()

    def step(self, reading: Reading) -> _State:
        """What the reader says at a reading's next place."""
        place = self._places[reading] + 1
        self._wait_for_others(reading, place)
        with self._stepping:
            if place >= self._first + len(self._states):
                self._read_on()
            state = self._last if place >= self._first + len(self._states) else None
            state = state or self._states[place - self._first]
        with self._changed:
            if reading in self._places:
                self._places[reading] = place
            self._forget()
            self._changed.notify_all()
        return state

    def _wait_for_others(self, reading: Reading, place: int) -> None:
        def may_go_on() -> bool:
            slowest = -1 if self._unopened else min(self._places.values(), default=place)
            return reading.stopped or place - slowest <= _MOST_AHEAD

        with self._changed:
            while not self._changed.wait_for(may_go_on, waiting.TICK):
                pass
        if reading.stopped:
            raise VideoError(reading.info.path, CLOSED)

    def _read_on(self) -> None:
        """Steps the reader, unless it has ended."""
        if self._last is not None:
            return
        reader, frame, damage, error = self._reader, None, None, None
        try:
            if reader.grab():
                damage = reader.damage()
                frame = _OnceCopied(reader.hold())
                self.decoded += 1
        except BaseException as raised:
            error = raised
        state = _State(
            frame, reader.time, reader.interlaced_frames, damage, tuple(reader.notices), error
        )
        if frame is None:
            self._last = state
        else:
            self._states.append(state)

    def _forget(self) -> None:
        """Lets go of frames that every reading has passed."""
        slowest = -1 if self._unopened else min(self._places.values(), default=0)
        while self._states and self._first < slowest:
            self._states.popleft()
            self._first += 1

    def close(self, reading: Reading) -> None:
        """A reading has ended; it holds the others up no longer."""
        with self._changed:
            self._places.pop(reading, None)
            self._forget()
            self._changed.notify_all()
        self._close_if_done()

    def wake(self) -> None:
        """Lets those that wait look again."""
        with self._changed:
            self._changed.notify_all()

    def _close_if_done(self) -> None:
        with self._changed:
            done = not (self._places or self._unopened)
        if done:
            with self._stepping:
                self._reader.close()


class Reading:
    """One pass over a shared reader's frames; a `Reader`."""

    def __init__(self, shared: SharedReader, reader: Reader, timeline: Timeline) -> None:
        self.info: VideoInfo = reader.info
        self.incomplete = reader.incomplete
        self.leading = reader.leading
        self.begins_damaged = False
        self.coded_bytes = reader.coded_bytes
        self.stopped = False
        self._shared = shared
        self._timeline = timeline
        self._state = _State(None, None, 0, None, tuple(reader.notices))

    @property
    def notices(self) -> list[Notice]:
        """What the reader had noticed at this place."""
        return list(self._state.notices)

    @property
    def time(self) -> Fraction | None:
        """When the frame is shown."""
        return self._state.time

    @property
    def interlaced_frames(self) -> int:
        """Frames so far that are marked interlaced."""
        return self._state.interlaced_frames

    def timeline(self) -> Timeline:
        """When the frames are shown."""
        return self._timeline

    def grab(self) -> bool:
        """Steps to the next frame."""
        self._state = self._shared.step(self)
        error = self._state.error
        if isinstance(error, VideoError):  # each reading raises one of its own
            raise VideoError(error.path, error.problem) from error
        if error is not None:
            raise error
        return self._state.frame is not None

    def _frame(self) -> _OnceCopied:
        assert self._state.frame is not None
        return self._state.frame

    @property
    def can_seek(self) -> bool:
        """Other readings need the frames in their order."""
        return False

    def seek(self, time: Fraction) -> None:
        """Not possible, see `can_seek`."""
        raise NotImplementedError

    def damage(self) -> str | None:
        """What is wrong with the frame, or None."""
        return self._state.damage

    def retrieve(self, luma_only: bool = False, memory: FrameMemory | None = None) -> FramePlanes:
        """The frame's planes, which other readings have too, so in no memory of this one's."""
        del memory
        return self._frame().retrieve(luma_only)

    def picture(self) -> Any:
        """The frame."""
        return self._frame().picture()

    def hold(self) -> HeldFrame:
        """The frame; the reader keeps no other of it."""
        return self._frame()

    def stop(self) -> None:
        """Ends a wait for other readings."""
        self.stopped = True
        self._shared.wake()

    def close(self) -> None:
        """Ends this reading; the file is closed with the last."""
        self._shared.close(self)
