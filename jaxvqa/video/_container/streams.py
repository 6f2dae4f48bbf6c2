"""Which of a file's video streams is the film: as FFmpeg's own program chooses, and no still."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jaxvqa.video._errors import VideoError

# AV_DISPOSITION_*
_DEFAULT = 1 << 0
_COVER = 1 << 10
_THUMBNAILS = 1 << 11
_DEPENDENT = 1 << 19
_STILL = 1 << 20

# codecs of pictures, which containers hold as covers without saying so
_PICTURES = {"png", "gif", "bmp", "webp", "tiff", "jpegls", "jpegxl"}
# of HEIF and AVIF
_PICTURE_BRANDS = {"avif", "avis", "heic", "heix", "heim", "heis", "mif1", "msf1", "miaf"}
_DEFAULT_WEIGHT = 100_000_000


def _disposition(stream: Any) -> int:
    disposition = getattr(stream, "disposition", 0)  # PyAV 14.0 does not tell
    return int(getattr(disposition, "value", disposition))


def is_tile(stream: Any) -> bool:
    """A part of a picture, which does not stand for itself."""
    return bool(_disposition(stream) & _DEPENDENT)


def is_cover(stream: Any) -> bool:
    """A cover picture, a strip of thumbnails, or a part of another picture."""
    return bool(_disposition(stream) & (_COVER | _THUMBNAILS | _DEPENDENT))


def is_default(stream: Any) -> bool:
    """Marked as the track to play."""
    return bool(_disposition(stream) & _DEFAULT)


def choose_stream(
    path: str, streams: Sequence[Any], wanted: int | None, packets: Any
) -> tuple[Any, list[Any]]:
    """The stream to read, and others that could be meant.

    Args:
        path: the file, for messages.
        streams: its video streams.
        wanted: index in the file of the stream to take, or None.
        packets: function from a stream to whether it has more than one packet; asked only where
            pictures and films stand side by side.

    Raises:
        VideoError: no video, no such stream, or a codec that FFmpeg cannot decode.
    """
    if wanted is not None:
        found = next((s for s in streams if s.index == wanted), None)
        if found is None:
            known = ", ".join(str(s.index) for s in streams) or "none"
            raise VideoError(
                path, f"has no video stream {wanted}: its video streams are {known}; take one."
            )
        return _decodable(path, found), []
    films = [s for s in streams if not is_cover(s)]
    if not films:
        raise VideoError(path, "has no video in it.")
    if len(films) > 1:
        films = [s for s in films if packets(s)] or films
    usable = [s for s in films if s.codec_context is not None] or films
    chosen = max(usable, key=_score)
    return _decodable(path, chosen), [s for s in films if s is not chosen]


def bit_rate(stream: Any) -> int:
    """Bits per second that a playlist says of its variant, or 0."""
    text = stream.metadata.get("variant_bitrate", "0")
    return int(text) if text.isdigit() else 0


def is_still(container: Any, stream: Any) -> bool:
    """A picture, whose frame rate FFmpeg makes up."""
    if container.format.name.endswith("_pipe"):
        return True
    brand = container.metadata.get("major_brand", "")
    return brand in _PICTURE_BRANDS and stream.frames == 1


def _score(stream: Any) -> tuple[int, int]:
    """FFmpeg's order: the default track, the most pixels, the most bits of a variant, the first."""
    context = stream.codec_context
    pixels = context.width * context.height if context is not None else 0
    weight = _DEFAULT_WEIGHT * bool(_disposition(stream) & _DEFAULT)
    return pixels + weight, bit_rate(stream)


def _decodable(path: str, stream: Any) -> Any:
    if stream.codec_context is None:
        raise VideoError(path, "holds video in a codec that this FFmpeg cannot decode.")
    return stream
