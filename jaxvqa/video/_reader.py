"""Opens a video file with the reader that fits it, and iterates over its frames."""

from __future__ import annotations

import dataclasses
import os
import threading
from collections.abc import Iterator
from fractions import Fraction

import numpy as np

from jaxvqa._notice import Notice
from jaxvqa.video._container.pipe import STDIN
from jaxvqa.video._convert.chain import Steps
from jaxvqa.video._convert.conform import own_steps, stated_colors
from jaxvqa.video._convert.converter import Converter
from jaxvqa.video._decode.open import RawFormat, open_reader
from jaxvqa.video._errors import CLOSED, VideoError
from jaxvqa.video._formats import FrameMemory, FramePlanes
from jaxvqa.video._info import HDR_TRANSFERS, Reader, Shown, VideoInfo
from jaxvqa.video._reader_texts import counted, interlaced_notice, skip_problem
from jaxvqa.video._timeline import Timeline

# frames at the start that are looked at for one that is whole
_MOST_LEADING = 600


class Video:
    """An open video file: facts in `info`, then one pass over its frames.

    A context manager, and an iterator over tuples of planes: `(y, u, v)`, or `(y,)` for monochrome
    video; contiguous uint8 arrays at 8 bits, else uint16, each at its own size. Frames come as a
    player shows them, turned by the file's orientation; RGB and other formats without such planes
    are converted. A second pass needs a second `open_video`.

    Args:
        reader: the reader of the file.
        skip: frames to leave out at the start.
        on_damage: "error", "conceal" or "skip"; see `InputOptions`.
    """

    def __init__(self, reader: Reader, skip: int = 0, on_damage: str = "error") -> None:
        self._reader = reader
        self.skip = skip
        self._on_damage = on_damage
        self._skipped = False
        # closing while another thread decodes would free memory under the decoder
        self._lock = threading.Lock()
        self._closed = False
        self._stopped = False
        self._ended = False
        self._read = 0
        self._whole: Timeline | None = None
        self._timeline: Timeline | None = None
        self._damaged_frames = 0
        self._damaged = False
        self.info: VideoInfo = reader.info
        self._stated: tuple[str | None, str | None] = (None, None)
        self._converter = self._own_converter()

    @property
    def frames_left(self) -> int | None:
        """Frames after the skipped ones in the whole file, or None before that is certain."""
        count = self.info.frame_count
        return None if count is None else count - self.skip

    @property
    def leading(self) -> int:
        """Frames before the first that cannot be decoded, as far as that is known."""
        return self._reader.leading

    @property
    def incomplete(self) -> str | None:
        """Why the file is known to lack its end, or None; not asked where damage is accepted."""
        return self._reader.incomplete if self._on_damage == "error" else None

    @property
    def coded_bytes(self) -> int | None:
        """Bytes of the stream's packets, where the file has packets; known with the timeline."""
        return self._reader.coded_bytes

    @property
    def conversion(self) -> str:
        """The filters that frames pass, in FFmpeg's notation; empty for none."""
        return self._converter.text

    def state_colors(self, color_range: str | None, matrix: str | None) -> None:
        """Says how samples are to be read, whatever tags say; before the first frame is read.

        Args:
            color_range: "limited" or "full"; None goes by the tags.
            matrix: "bt601", "bt709" or "bt2020"; None goes by the tags.

        Raises:
            VideoError: a matrix for RGB.
        """
        if matrix is not None and self.info.is_rgb:
            raise VideoError(
                self.info.path, "is RGB, which has no matrix: leave ref_matrix or dis_matrix out."
            )
        self._stated = stated_colors(color_range, matrix)
        self.info = dataclasses.replace(
            self.info,
            color_range=self._stated[0] or self.info.color_range,
            color_matrix=self._stated[1] or self.info.color_matrix,
        )
        if self._stated != (None, None):
            self._converter = self._own_converter()

    def _own_converter(self) -> Converter:
        """Makes planes of frames as they are."""
        info = self.info
        direct = info.direct and not info.orientation
        size = info.width, info.height
        return Converter(info, own_steps(info), size, self._stated, direct=direct)

    def timeline(self) -> Timeline:
        """When the frames after the skipped ones are shown, as far as that is known beforehand."""
        if self._timeline is None or self._whole is None:
            self._whole = self._reader.timeline()
            self._timeline = self._whole.part(self.skip)
        return self._timeline

    @property
    def duration(self) -> Fraction | None:
        """Seconds that all frames are shown, as far as that is known before they are read."""
        self.timeline()
        return None if self._whole is None else self._whole.duration

    @property
    def start(self) -> Fraction | None:
        """The file's time of the first frame after the skipped ones, if it is known beforehand."""
        timeline = self.timeline()
        return None if timeline.steps is None else timeline.start

    def convert(
        self,
        steps: Steps,
        size: tuple[int, int],
        *,
        direct: bool,
        luma_only: bool = False,
        memory: FrameMemory | None = None,
    ) -> None:
        """Says what frames pass before they are given; before the first is read.

        Args:
            steps: the filters.
            size: columns and rows that come out.
            direct: frames like the first need none.
            luma_only: leave chroma out.
            memory: where to put the planes.
        """
        self._converter = Converter(
            self.info, steps, size, self._stated, direct=direct, luma_only=luma_only, memory=memory
        )

    @property
    def notices(self) -> list[Notice]:
        """What may spoil a score; some of it is known only after the last frame."""
        info, found = self.info, []
        if info.is_hdr:
            kind = HDR_TRANSFERS[info.color_transfer or ""]
            text = (
                f"{info.path}: the video is HDR ({kind}), but the metrics and models were made for "
                "SDR: read the scores with care."
            )
            found.append(Notice("hdr", text))
        found += self._interlaced()
        if info.note:
            found.append(Notice("format", f"{info.path}: {info.note}"))
        if self._damaged_frames:
            text = f"{info.path}: {counted(self._damaged_frames, self._on_damage == 'skip')}."
            found.append(Notice("damage", text))
        elif self._reader.incomplete and self._on_damage != "error":
            found.append(Notice("damage", f"{info.path}: {self._reader.incomplete}"))
        return found + self._converter.notices + self._reader.notices

    def _interlaced(self) -> list[Notice]:
        count = max(self._reader.interlaced_frames, int(self.info.interlaced))
        if not count or self._converter.deinterlaces:
            return []
        return [interlaced_notice(self.info.path, count, self.skip + self._read)]

    def __iter__(self) -> Iterator[FramePlanes]:
        for shown in self.shown():
            yield shown.planes

    def shown(self) -> Iterator[Shown]:
        """The frames with their times; once."""
        if self._ended:
            raise VideoError(self.info.path, "was read to its end: open it again for another pass.")
        # filters that hold frames back give them with the facts of the frame that they are of
        facts: dict[int, tuple[Fraction | None, bool]] = {}
        going = True
        while going:
            with self._lock:
                going = self._grab()
                if going:
                    number = self.skip + self._read - 1
                    facts[number] = self._reader.time, self._damaged
                    ready = self._converter.convert(self._reader, number)
                else:
                    ready = self._converter.flush()
            for number, planes in ready:
                self._check_samples(planes)
                yield Shown(facts[number][0], planes, facts[number][1])
                facts = {k: v for k, v in facts.items() if k > number}

    @property
    def is_file(self) -> bool:
        """An ordinary file, which can be opened once more."""
        return os.path.isfile(self.info.path)

    @property
    def is_stored(self) -> bool:
        """Whether its frames are read as they lie in a file, without a decoder or a filter."""
        return self.is_file and self.info.reader in ("y4m", "yuv") and self._converter.direct

    @property
    def is_pipe(self) -> bool:
        """Standard input or another pipe, which can be read only once."""
        name = self.info.path
        there = os.path.exists(name) and not os.path.isdir(name)
        return name == STDIN or (there and not self.is_file)

    @property
    def can_seek(self) -> bool:
        """Whether `seek` works."""
        return self._reader.can_seek

    def seek(self, time: Fraction) -> None:
        """Goes on with a frame at or before a time of the file's clock, for a look at some frames.

        Args:
            time: in seconds.
        """
        with self._lock:
            self._check_open()
            self._skipped, self._ended = True, False
            self._converter.flush()
            self._reader.seek(time)

    def count_rest(self, most: int | None = None) -> int:
        """Steps over the remaining frames, at most `most`, and returns how many there were."""
        count = 0
        while most is None or count < most:
            with self._lock:
                if not self._grab():
                    break
            count += 1
        return count

    def _grab(self) -> bool:
        """Steps to the next frame after the skipped ones."""
        self._check_open()
        if self._ended:
            return False
        if not self._skipped:
            self._skipped = True
            for done in range(self.skip):
                self._check_open()
                if not self._reader.grab():
                    raise VideoError(self.info.path, skip_problem(done, self.skip))
        if self._reader.grab():
            self._look_for_damage()
            self._read += 1
            return True
        self._ended = True
        if self.incomplete:
            raise VideoError(self.info.path, self.incomplete)
        if self.skip and not self._read:
            raise VideoError(self.info.path, skip_problem(self.skip, self.skip))
        if not self._read:
            raise VideoError(self.info.path, "has no frames.")
        return False

    def _look_for_damage(self) -> None:
        problem = self._reader.damage()
        self._damaged = problem is not None
        if problem is None:
            return
        if self._on_damage != "error":
            self._damaged_frames += 1
            return
        number = self.skip + self._read
        raise VideoError(
            self.info.path,
            f"frame {number} {problem}: score what the decoder shows with on_damage='conceal', "
            "leave such frames out with on_damage='skip', or score only the frames before with "
            "frame_count.",
        )

    @property
    def begins_damaged(self) -> bool:
        """Its first frames are damaged, and not skipped."""
        return self._on_damage == "error" and not self.skip and self._reader.begins_damaged

    def count_damaged_start(self) -> int | None:
        """Damaged frames before the first whole one, None if there is none soon; reads them."""
        for count in range(_MOST_LEADING):
            if not self._reader.grab():
                return None
            if self._reader.damage() is None:
                return count
        return None

    def _check_open(self) -> None:
        if self._stopped:
            raise VideoError(self.info.path, CLOSED)

    def _check_samples(self, planes: FramePlanes) -> None:
        depth = self.info.bit_depth
        if not 8 < depth < 16 or not self._converter.direct:
            return
        highest = max(int(np.max(plane)) for plane in planes)
        if highest >> depth:
            raise VideoError(
                self.info.path,
                f"frame {self.skip + self._read - 1} holds the sample value {highest}, more "
                f"than {depth} bits allow: check the bit depth and pixel format.",
            )

    def close(self) -> None:
        """Closes the file; safe to repeat. Reading that goes on in another thread ends."""
        self._stopped = True
        self._reader.stop()
        with self._lock:
            if not self._closed:
                self._closed = True
                self._converter.close()
                self._reader.close()

    def __enter__(self) -> Video:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_video(
    path: str | os.PathLike[str],
    *,
    width: int | None = None,
    height: int | None = None,
    pixel_format: str | None = None,
    bit_depth: int | None = None,
    skip: int = 0,
    stream: int | None = None,
    film_grain: str = "on",
    on_damage: str = "error",
) -> Video:
    """Opens a video file.

    With any of `width`, `height`, `pixel_format` and `bit_depth` the file is read as raw video
    without a header, and all of them are needed (an FFmpeg pixel format brings its bit depth).
    Otherwise a y4m file is read directly, and every other file by FFmpeg through PyAV.

    Args:
        path: the file, a pipe, `-` for standard input, an address such as https://host/clip.mp4,
            numbered pictures (`frame_%03d.png`), or a folder of pictures.
        width: luma columns of raw video.
        height: luma rows of raw video.
        pixel_format: of raw video: "420", "422", "444", "400", or FFmpeg's name ("yuv420p10le").
        bit_depth: bits per sample of raw video; above 8 a sample takes 16 bits, little endian.
        skip: frames to leave out at the start.
        stream: index of the video stream in the file; None takes the film.
        film_grain: "off" leaves AV1's synthesised grain out.
        on_damage: "error", "conceal" or "skip"; see `InputOptions`.

    Returns:
        The open video; use it in a `with` block.

    Raises:
        VideoError: a file that is missing, empty, damaged or not a video, or wrong arguments.
    """
    name = os.fspath(path)
    raw = RawFormat(width, height, pixel_format, bit_depth)
    try:
        reader = open_reader(name, raw, stream, film_grain, conceal=on_damage != "error")
    except OSError as error:
        raise VideoError(name, f"cannot be read: {error.strerror or error}.") from error
    return video_of(reader, skip, on_damage)


def video_of(reader: Reader, skip: int = 0, on_damage: str = "error") -> Video:
    """The video behind a reader, which is closed where it can't be one.

    Raises:
        VideoError: more frames to skip than there are.
    """
    count = reader.info.frame_count
    if skip < 0 or (count is not None and skip >= count):
        reader.close()
        problem = skip_problem(count or 0, skip)
        if skip < 0:
            problem = f"cannot skip {skip} frames: give 0 or more."
        raise VideoError(reader.info.path, problem)
    return Video(reader, skip, on_damage)
