"""Frames of any file that FFmpeg decodes, through PyAV, in the planes the decoder made.

Planes are read from the decoder's memory with its line strides, and never through a conversion:
PyAV's own arrays repeat chroma for some formats and do not know others.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Generator
from fractions import Fraction
from typing import Any

from jaxvqa._notice import Notice
from jaxvqa.video._container import avi, scan
from jaxvqa.video._container.exif import HEAD
from jaxvqa.video._container.ffv1 import SliceCheck
from jaxvqa.video._container.orientation import swaps_sides
from jaxvqa.video._container.source import Source, open_problem
from jaxvqa.video._container.streams import bit_rate, choose_stream, is_still, is_tile
from jaxvqa.video._container.tiles import REFUSED, join_tiles, read_grid
from jaxvqa.video._container.truncation import find_truncation
from jaxvqa.video._decode.frame_info import describe
from jaxvqa.video._decode.held import HeldPicture
from jaxvqa.video._decode.picture import import_av
from jaxvqa.video._errors import VideoError
from jaxvqa.video._formats import FrameMemory, FramePlanes, PixelFormat
from jaxvqa.video._info import VideoInfo
from jaxvqa.video._timeline import Timeline

# AV_CODEC_FLAG_OUTPUT_CORRUPT: without it decoders drop damaged frames, and pairing slips
_OUTPUT_CORRUPT = 1 << 3
# containers whose header lists all streams
_LISTING = ("mov,", "matroska")
_NO_ANIMATED_WEBP = (
    "is an animated WebP, which this PyAV cannot read: make an APNG of it with ffmpeg -i INPUT "
    "OUTPUT.apng, which needs FFmpeg 9."
)


class AvReader:
    """Frames of a file decoded by FFmpeg; a `Reader`.

    The first frame is decoded at once: only a frame tells the true format, size, colour tags and
    whether it is interlaced.

    Args:
        source: what FFmpeg opens; it is closed with the reader.
        stream: index in the file of the video stream to read; None takes the film.
        film_grain: "off" leaves AV1's synthesised grain out.
        conceal: go on where data is damaged; `damaged` says of which frames.

    Raises:
        VideoError: no PyAV, not a video, damage, or no frames.
    """

    def __init__(
        self,
        source: Source,
        stream: int | None = None,
        film_grain: str = "on",
        conceal: bool = False,
    ) -> None:
        path = source.name
        self._source = source
        self._av = import_av(path)
        self._path = path
        self._conceal = conceal
        self._frame: Any = None
        self._index = -1
        self._damaged = False
        self._damaged_from: int | None = None
        self._spoiled: set[int | None] = set()  # times of frames, where damage is concealed
        self._after_loss = False
        self._end_time: Fraction | None = None
        self._scan: scan.Scan | None = None
        self._slots: avi.Slots | None = None
        self.time: Fraction | None = None
        self.interlaced_frames = 0
        self.broken = 0
        self.leading = 0
        self.begins_damaged = False
        self.coded_bytes: int | None = None
        self.notices: list[Notice] = []
        self.incomplete = find_truncation(path) if source.is_file else None
        self._container: Any = None
        try:
            self._container = self._open_container()
            self._open(stream, film_grain)
        except BaseException:
            self.close()
            raise

    def _open_container(self) -> Any:
        try:
            return self._source.open(self._av)
        except (self._av.error.FFmpegError, OSError, ValueError) as error:
            self._source.check()
            problem = self.incomplete or open_problem(self._av, self._source, error)
            raise VideoError(self._path, problem) from error

    def _open(self, stream: int | None, film_grain: str) -> None:
        path = self._path
        streams = self._container.streams.video
        # FFmpeg shows plain text as a picture of a terminal
        if not streams or self._container.format.name == "tty":
            raise VideoError(path, "has no video in it.")
        if stream is None and any(map(is_tile, streams)) and self._open_tiles(streams):
            return
        several = lambda s: scan.has_several(self._av, self._source, s.index)  # noqa: E731
        self._stream, left = choose_stream(path, streams, stream, several)
        self._tell_others(left)
        if self._container.format.name == "webp_pipe" and self._source.is_animated_webp():
            raise VideoError(path, _NO_ANIMATED_WEBP)
        context = self._stream.codec_context
        self._stream.thread_type = "AUTO"
        context.flags |= _OUTPUT_CORRUPT
        if film_grain == "off" and context.name == "libdav1d":
            context.options = {"filmgrain": "0"}
        if self._container.format.name == "avi":
            pace = avi.find_pace(self._av, self._source, self._stream)
            self._slots = avi.Slots(self._source, self._stream, pace, lambda: _delay(context))
        decoded = self._decode()
        self._decoded = decoded if self._slots is None else self._slots.filled(decoded)
        self._first: Any = next(self._decoded, None)
        if self._first is None:
            raise VideoError(path, self.incomplete or "has no frames that can be decoded.")
        self._first_pts = self._first.pts
        self.begins_damaged = bool(self._first.is_corrupt)
        info, self._layout = self._describe(self._first)
        self.info = dataclasses.replace(info, other_streams=tuple(s.index for s in left))

    def _open_tiles(self, streams: Any) -> bool:
        """Opens a picture of tiles as one frame; False if another stream is the main picture."""
        grid = read_grid(self._source)
        if grid is None:
            if all(map(is_tile, streams)) or not self._source.is_file:
                raise VideoError(self._path, REFUSED)
            return False
        self._stream = next(s for s in streams if s.id == grid.tiles[0])
        self._first = join_tiles(self._av, self._path, self._container, grid)
        self._first_pts = self._first.pts
        self.begins_damaged = bool(self._first.is_corrupt)
        self._decoded = iter(())
        info, self._layout = self._describe(self._first)
        sides = (grid.height, grid.width) if swaps_sides(grid.turn) else (grid.width, grid.height)
        self.info = dataclasses.replace(
            info, orientation=grid.turn, width=sides[0], height=sides[1]
        )
        return True

    def _tell_others(self, left: list[Any]) -> None:
        if not left:
            return
        listed = ", ".join(f"{s.index}" for s in left)
        chosen = self._stream
        if bit_rate(chosen):
            size = f"{chosen.codec_context.width}x{chosen.codec_context.height}"
            what = (
                f"has {1 + len(left)} variants; the best, stream {chosen.index} with {size} and "
                f"{bit_rate(chosen) // 1000} kbit/s, was taken, and streams {listed} left out"
            )
        else:
            what = (
                f"has {1 + len(left)} video streams; stream {chosen.index} was taken, as a player "
                f"does, and {listed} left out"
            )
        text = f"{self._path}: {what}: take another with ref_stream or dis_stream."
        self.notices.append(Notice("streams", text))

    def _describe(self, frame: Any) -> tuple[VideoInfo, PixelFormat | None]:
        # the guess undoes the rounding of times to milliseconds; an average does not
        rate = self._stream.guessed_rate or self._stream.average_rate
        still = is_still(self._container, self._stream)
        self._rate = Fraction(rate) if rate and not still else None
        counted = self._stream.frames
        if self._slots is not None:
            counted = self._slots.frames_in(counted)
            if (paced := self._slots.pace.timeline) is not None:
                self._rate = paced.rate
        return describe(
            self._av,
            self._path,
            frame,
            self._stream,
            fps=self._rate,
            announced_frames=counted or None,
            expected_frames=counted or self._frames_by_duration(self._rate),
            container=self._container,
            head=lambda: self._source.head(HEAD),
        )

    def timeline(self) -> Timeline:
        """When its frames are shown, by the packets of the file."""
        listed = self._container.format.name.startswith(_LISTING)
        self._scan = scan.scan(self._av, self._source, self._stream.index, listed=listed)
        if self._scan is not None:
            self.coded_bytes = self._scan.size
            self._scan, self.leading = self._scan.from_frame(self._first_pts)
        if self._slots is not None and self._stream.time_base:
            pace = self._slots.pace
            count = avi.count_frames(self._av, self._source, self._stream, pace)
            if count is not None and pace.chunks is not None:
                return Timeline.at_rate(count, 1 / (self._stream.time_base * pace.chunks))
            if pace.timeline is not None:
                return pace.timeline
        if self._rate is None:
            return Timeline.unknown(self._scan.packets if self._scan else None)
        rates = (self._stream.guessed_rate, self._stream.average_rate, self._stream.base_rate)
        return scan.timeline_of(self._scan, self._stream.time_base, rates)

    def _decode(self) -> Generator[Any]:
        """All frames in display order; damage that a demuxer reports is kept for `damage`."""
        made = 0
        spoiled = False
        ffv1 = SliceCheck() if self._stream.codec_context.name == "ffv1" else None
        packets = self._container.demux(self._stream)
        try:
            while (packet := next(packets, None)) is not None:
                if self._slots is not None:
                    self._slots.note(packet)
                bad = packet.is_corrupt or (ffv1 is not None and ffv1.is_damaged(bytes(packet)))
                if bad and not self._damaged:
                    self._damaged, self._damaged_from = True, packet.pts
                # FFV1 goes on from the frame before, up to the next key frame
                spoiled = bad or (spoiled and ffv1 is not None and not packet.is_keyframe)
                if spoiled and packet.pts is not None:
                    self._spoiled.add(packet.pts)
                for frame in self._frames_of(packet):
                    made += 1
                    self._after_loss &= not frame.key_frame
                    if self._after_loss:  # decoded with the help of what was lost
                        self._spoiled.add(frame.pts)
                    yield frame
                self._source.check()
        except (self._av.error.FFmpegError, OSError) as error:
            if self._conceal and made:
                self._lose()
                return
            self._source.check()
            reason = getattr(error, "strerror", None) or str(error)
            raise VideoError(
                self._path,
                f"frame {made} or one soon after it cannot be decoded ({reason}): the file is "
                "damaged or cut short; score what the decoder shows with on_damage='conceal', or "
                "only the frames before with frame_count.",
            ) from error

    def _frames_of(self, packet: Any) -> Any:
        """The frames that a packet completes; none of one that cannot be decoded, if concealed."""
        if not self._conceal:
            return packet.decode()
        try:
            return packet.decode()
        except (self._av.error.FFmpegError, OSError):
            if self._slots is not None:
                self._slots.lose()  # an AVI's player goes on showing the frame before
            else:
                self._lose()
            return ()

    def _lose(self) -> None:
        """Frames are missing here, and those up to the next key frame may refer to them."""
        self._after_loss = True
        self.broken += 1
        where = "a place" if self.broken == 1 else f"{self.broken} places"
        text = f"{self._path}: its data cannot be decoded at {where}, where frames are missing."
        self.notices = [n for n in self.notices if n.code != "damage"]
        self.notices.append(Notice("damage", text))

    def grab(self) -> bool:
        """Decodes the next frame."""
        self._frame, self._first = self._first, None
        if self._frame is None:
            self._frame = next(self._decoded, None)
        self._index += 1
        if self._frame is None:
            self._finish()
            return False
        frame = self._frame
        self.interlaced_frames += bool(frame.interlaced_frame or self.info.fields)
        self.time = None
        if self._slots is not None:
            self.time, self._end_time = self._slots.time(self._index)
        elif frame.pts is not None and frame.time_base:
            self.time = frame.pts * frame.time_base
            self._end_time = self.time + (getattr(frame, "duration", 0) or 0) * frame.time_base
        return True

    def _finish(self) -> None:
        """At the end of the file: was that all of it?"""
        if self._damaged and not self._conceal:
            raise VideoError(
                self._path,
                f"its data is damaged or cut short within its {self._index} frames: score what the "
                "decoder shows with on_damage='conceal', or fewer frames with frame_count.",
            )
        if self._slots is not None and self._slots.repeated:
            text = (
                f"{self._path}: {self._slots.repeated} of its {self._index} frames are empty, "
                "AVI's sign for the frame before, and were read as that frame."
            )
            self.notices.append(Notice("repeated-frames", text))
        counted = self._announced_frames()
        announced = self._announced_duration()
        if counted is not None and self._index < counted:
            text = (
                f"{self._path}: only {self._index} of the {counted} frames that the container "
                "announces could be read."
            )
            self.notices.append(Notice("missing-frames", text))
        elif announced is None or self._end_time is None:
            return
        # half a second covers the ways in which containers round and pad their durations
        elif announced - self._end_time > Fraction(1, 2):
            text = (
                f"{self._path}: its last frame ends at {float(self._end_time):.2f} s, but the "
                f"container announces {float(announced):.2f} s of video: frames may be missing."
            )
            self.notices.append(Notice("missing-frames", text))

    def _announced_frames(self) -> int | None:
        """Frames that the container counts, without those that an edit list hides."""
        counted = self.info.announced_frames
        if counted is None or self._index >= counted:
            return counted
        found = self._scan or scan.scan(self._av, self._source, self._stream.index)
        return counted if found is None else min(counted, counted - found.hidden)

    def _announced_duration(self) -> Fraction | None:
        """End time of the video as the container states it; None if other streams may define it."""
        stream = self._stream
        start = (stream.start_time or 0) * stream.time_base if stream.time_base else Fraction(0)
        if stream.duration is not None and stream.time_base:
            return Fraction(start + stream.duration * stream.time_base)
        if len(self._container.streams) == 1 and self._container.duration is not None:
            return Fraction(self._container.duration, 1_000_000)
        return None

    def _frames_by_duration(self, rate: Fraction | None) -> int | None:
        duration = self._announced_duration()
        if duration is None or not rate:
            return None
        return math.ceil(duration * Fraction(rate)) or None

    @property
    def can_seek(self) -> bool:
        """Files can be read from any place on; AVI's frames are counted from the first."""
        return self._source.is_file and bool(self._stream.time_base) and self._slots is None

    def seek(self, time: Fraction) -> None:
        """Goes on from the last key frame before a time."""
        self._container.seek(int(time / self._stream.time_base), stream=self._stream)
        self._first, self._decoded = None, self._decode()

    def damage(self) -> str | None:
        """What is wrong with the frame stepped to, or None."""
        frame = self._frame
        # a packet cut short may still decode to a frame that looks whole to the decoder
        cut = self._damaged_from is not None and (frame.pts or 0) >= self._damaged_from
        if self._conceal:
            cut = frame.pts in self._spoiled or (self._slots is not None and self._slots.guessed)
        return "is damaged" if frame.is_corrupt or cut else None

    def retrieve(self, luma_only: bool = False, memory: FrameMemory | None = None) -> FramePlanes:
        """Planes of the frame decoded last, copied out of the decoder's memory."""
        return self.hold().retrieve(luma_only, memory)

    def picture(self) -> Any:
        """The frame decoded last."""
        return self._frame

    def hold(self) -> HeldPicture:
        """The frame decoded last, which keeps its memory."""
        return HeldPicture(self._frame, self._layout, self._path)

    def stop(self) -> None:
        """Ends a wait for a pipe's writer."""
        self._source.stop()

    def close(self) -> None:
        """Ends decoding and closes the file."""
        if isinstance(decoded := getattr(self, "_decoded", None), Generator):
            decoded.close()
        self._frame = self._first = None
        if self._container is not None:
            self._container.close()
        self._source.close()


def _delay(context: Any) -> int:
    """Frames by which a decoder lags behind its packets to put them in order."""
    depth = getattr(context, "reorder_depth", None)
    return int(context.has_b_frames) if depth is None else depth
