"""What is known about a video before its frames are read, and the shape of a reader."""

from __future__ import annotations

import dataclasses
from fractions import Fraction
from typing import Any, Protocol, runtime_checkable

from jaxvqa._notice import Notice
from jaxvqa.video._formats import FrameMemory, FramePlanes
from jaxvqa.video._timeline import Timeline

HDR_TRANSFERS = {"smpte2084": "PQ", "arib-std-b67": "HLG"}


@dataclasses.dataclass(frozen=True)
class VideoInfo:
    """Facts about a video file.

    Args:
        path: the file.
        width: luma columns as shown, after rotation and the container's crop.
        height: luma rows as shown.
        bit_depth: bits per sample.
        chroma: "400", "420", "422" or "444".
        fps: frames per second, or None if the file does not say.
        frame_count: frames in the whole file if that is certain before reading, else None.
        pixel_format: FFmpeg's name of the layout in the file.
        reader: "av", "y4m" or "yuv".
        color_range: "tv" (limited) or "pc" (full), or None if the file does not say.
        color_transfer: FFmpeg's name of the transfer function, or None if the file does not say.
        color_matrix: FFmpeg's name of the matrix between RGB and Y'CbCr, "rgb" for RGB itself, or
            None if the file does not say.
        color_primaries: FFmpeg's name of the primaries, or None if the file does not say.
        orientation: FFmpeg's filters that crop and turn a stored frame as a player shows it.
        pixel_aspect: width of a shown pixel over its height.
        stream: index in the file of the stream that is read.
        other_streams: indexes of others that could be meant.
        is_rgb: samples are red, green and blue, and have to be converted.
        direct: planes can be taken from frames as they lie in the file.
        has_alpha: frames have a channel of transparency, which is left out.
        interlaced: the file marks its frames as interlaced.
        fields: "tff" or "bff", the field shown first, where the container alone says that there are
            fields; None where frames say it.
        announced_frames: the container's own frame count, which need not be right, or None.
        expected_frames: about how many frames there are, by that count or by the duration that the
            container announces, or None.
        note: how the file was understood where that is not obvious, or None.
    """

    path: str
    width: int
    height: int
    bit_depth: int
    chroma: str
    fps: Fraction | None = None
    frame_count: int | None = None
    pixel_format: str = ""
    reader: str = "y4m"
    color_range: str | None = None
    color_transfer: str | None = None
    color_matrix: str | None = None
    color_primaries: str | None = None
    orientation: tuple[str, ...] = ()
    pixel_aspect: Fraction = Fraction(1)
    stream: int = 0
    other_streams: tuple[int, ...] = ()
    is_rgb: bool = False
    direct: bool = True
    has_alpha: bool = False
    interlaced: bool = False
    fields: str | None = None
    announced_frames: int | None = None
    expected_frames: int | None = None
    note: str | None = None

    @property
    def is_hdr(self) -> bool:
        """The transfer function is PQ or HLG."""
        return self.color_transfer in HDR_TRANSFERS


def unlike_light(ref: VideoInfo, dis: VideoInfo) -> bool:
    """Whether code values of two videos stand for light so differently that no score tells much.

    PQ and HLG differ as much from each other as from SDR. Linear light is no video's; pictures of
    renderers have it.
    """
    transfers = ref.color_transfer, dis.color_transfer
    if transfers[0] == transfers[1]:
        return False
    return "linear" in transfers or (all(transfers) and (ref.is_hdr or dis.is_hdr))


@dataclasses.dataclass(frozen=True)
class Shown:
    """A frame as it is scored.

    Args:
        time: seconds by the file's clock, or None.
        planes: its planes, converted.
        damaged: the decoder had to guess parts of it.
    """

    time: Fraction | None
    planes: FramePlanes
    damaged: bool = False


@runtime_checkable
class HeldFrame(Protocol):
    """A frame that stays when its reader goes on; what it gives is not to be changed."""

    def retrieve(self, luma_only: bool = False) -> FramePlanes:
        """Its planes."""
        ...

    def picture(self) -> Any:
        """The frame as PyAV's `VideoFrame`."""
        ...


@runtime_checkable
class Reader(Protocol):
    """A reader of one kind of file: step to a frame, then take its planes.

    Attributes:
        info: facts about the file.
        incomplete: why the file is known to lack its end, or None.
        notices: what may spoil a score.
        time: when the frame stepped to is shown, in seconds of the file's clock, or None.
        interlaced_frames: frames so far that are marked interlaced.
        leading: frames before the first that cannot be decoded; known with the timeline.
        begins_damaged: the first frame is damaged.
        coded_bytes: bytes of the stream's packets, known with the timeline, or None.
    """

    info: VideoInfo
    incomplete: str | None
    notices: list[Notice]
    time: Fraction | None
    interlaced_frames: int
    leading: int
    begins_damaged: bool
    coded_bytes: int | None

    def timeline(self) -> Timeline:
        """When its frames are shown, as far as that is known before they are read."""
        ...

    def grab(self) -> bool:
        """Steps to the next frame; False at the end.

        Raises:
            VideoError: damaged data.
        """
        ...

    @property
    def can_seek(self) -> bool:
        """Whether `seek` works."""
        ...

    def seek(self, time: Fraction) -> None:
        """Goes on with a frame at or before a time, in seconds of the file's clock."""
        ...

    def damage(self) -> str | None:
        """What is wrong with the frame stepped to, as the rest of a sentence, or None."""
        ...

    def retrieve(self, luma_only: bool = False, memory: FrameMemory | None = None) -> FramePlanes:
        """The planes of the frame stepped to, in memory of their own."""
        ...

    def picture(self) -> Any:
        """The frame stepped to as PyAV's `VideoFrame`."""
        ...

    def hold(self) -> HeldFrame:
        """The frame stepped to, to be kept while the reader goes on."""
        ...

    def stop(self) -> None:
        """Ends a wait for data in whatever thread; nothing more can be read."""
        ...

    def close(self) -> None:
        """Closes the file."""
        ...
