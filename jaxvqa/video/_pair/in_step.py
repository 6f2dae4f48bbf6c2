"""Two videos read in step: their frames with times, the second's decoded in a thread."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import numpy as np

from jaxvqa.video._info import Shown
from jaxvqa.video._prefetch import AskedIterator, ThreadedIterator
from jaxvqa.video._reader import Video

_Timed = tuple[Fraction | None, Shown]
_COARSE = 2


def unlike(dis: Shown, ref: Shown) -> float:
    """Mean squared difference of luma, of every few samples."""
    a, b = (shown.planes[0][::_COARSE, ::_COARSE].astype(np.float32) for shown in (dis, ref))
    return float(np.mean((a - b) ** 2))


class InStep:
    """Frames of two videos with times from their starts, the second's in a thread if it is decoded.

    A frame of the distorted video is asked for when one of the reference is, so both are decoded at
    once, and none is read far ahead.
    """

    def __init__(self, ref: Video, dis: Video) -> None:
        self._videos = ref, dis
        # a thread costs more than copying samples
        iterate = AskedIterator if dis.is_stored else ThreadedIterator
        self._frames: AskedIterator[Shown] | ThreadedIterator[Shown] = iterate(dis.shown())
        self._asked = False

    def __enter__(self) -> InStep:
        return self

    def __exit__(self, *_: object) -> None:
        self._frames.__exit__()

    def ref(self) -> Iterator[_Timed]:
        """The reference's frames; of two errors its own is told."""
        frames = self._videos[0].shown()

        def asked() -> Iterator[Shown]:
            while True:
                self._ask()
                shown = next(frames, None)
                if shown is None:
                    return
                yield shown

        return _from_start(self._videos[0], asked())

    def dis(self) -> Iterator[_Timed]:
        """The distorted video's frames."""

        def received() -> Iterator[Shown]:
            while (shown := self._receive()) is not None:
                yield shown

        return _from_start(self._videos[1], received())

    def count_ref(self, most: int | None) -> int:
        """Counts the rest of the reference."""
        return self._videos[0].count_rest(most)

    def count_dis(self, most: int | None) -> int:
        """Counts the rest of the distorted video."""
        if most == 0:
            return 0
        if not self._asked:
            return self._videos[1].count_rest(most)
        if self._receive() is None:
            return 0
        return 1 + self._videos[1].count_rest(None if most is None else most - 1)

    def _ask(self) -> None:
        if not self._asked:
            self._asked = True
            self._frames.request()

    def _receive(self) -> Shown | None:
        self._ask()
        shown, error = self._frames.result()
        self._asked = False
        if error is not None:
            raise error
        return shown


def _from_start(video: Video, frames: Iterator[Shown]) -> Iterator[_Timed]:
    start = video.start
    for shown in frames:
        if start is None:
            start = shown.time
        known = shown.time is not None and start is not None
        yield (shown.time - start if known else None), shown  # type: ignore[operator]
