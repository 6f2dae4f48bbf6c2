"""What FFmpeg is given to open: a file, an address on the network, or a stream of bytes."""

from __future__ import annotations

import io
import os
import re
from dataclasses import dataclass, field
from typing import Any

from jaxvqa.video._container import dash, pipe

# seconds in which a server has to answer; without a limit FFmpeg waits for ever
_PATIENCE = 30.0
_URL = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)
_PLAYLISTS = (".m3u8", ".m3u")
# FFmpeg lets a playlist open only what it takes for harmless
_PLAYLIST_OPTIONS = {
    "protocol_whitelist": "file,http,https,tcp,tls,crypto,data",
    "allowed_extensions": "ALL",
    "extension_picky": "0",
}
_NO_PROBE = {"analyzeduration": "0", "probesize": "32"}


def is_url(name: str) -> bool:
    """True for an address such as https://host/clip.mp4, which is no file here."""
    return _URL.match(name) is not None and not os.path.exists(name)


class PipedFile:
    """A stream of bytes as PyAV reads it.

    PyAV drops errors that are raised while FFmpeg reads: they are kept for `check`.

    Args:
        stream: the bytes.
    """

    def __init__(self, stream: io.BufferedReader) -> None:
        self._stream = stream
        self._error: BaseException | None = None

    def read(self, count: int) -> bytes:
        """The next bytes, at most `count`; none at the end or after an error."""
        try:
            return b"" if self._error else self._stream.read1(count)
        except BaseException as error:
            self._error = error
            return b""

    def check(self) -> None:
        """Raises the error that ended the reading, if one did."""
        if self._error is not None:
            raise self._error

    def stop(self) -> None:
        """Ends a wait of another thread."""
        pipe.stop(self._stream)

    def close(self) -> None:
        """Closes the stream."""
        self._stream.close()


@dataclass(frozen=True)
class Source:
    """What FFmpeg opens.

    Args:
        name: the video as a user named it.
        piped: the bytes of a pipe, which can be read once, or None.
        options: of the demuxer.
    """

    name: str
    piped: PipedFile | None = None
    options: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, name: str, stream: io.BufferedReader | None = None) -> Source:
        """The source of a file, an address, or a pipe that is open already."""
        if stream is not None:
            return cls(name, PipedFile(stream))
        return cls(name, options=_PLAYLIST_OPTIONS if is_playlist(name) else {})

    @property
    def is_file(self) -> bool:
        """An ordinary file, whose bytes can be looked at."""
        return self.piped is None and not is_url(self.name)

    @property
    def manifest(self) -> str:
        """The kind of manifest it is, for which FFmpeg is given a playlist; else ""."""
        return "DASH manifest" if self.piped is None and dash.is_manifest(self.name) else ""

    def open(self, av: Any, *, probe: bool = True) -> Any:
        """The container, by the module of PyAV.

        Args:
            av: the module.
            probe: let FFmpeg decode some frames to learn about the streams, which takes 20 ms and
                which packets alone don't need where a header lists the streams.
        """
        if self.manifest:
            playlist = dash.playlist_of(self.name, _PATIENCE).encode()
            return av.open(io.BytesIO(playlist), format="hls", options=dict(_PLAYLIST_OPTIONS))
        if not probe and self.is_file:
            return av.open(f"file:{self.name}", options=self.options | _NO_PROBE)
        if self.piped is not None:
            return av.open(self.piped)
        if is_url(self.name):
            return av.open(self.name, options=self.options, timeout=_PATIENCE)
        # what stands before a colon would be a protocol
        return av.open(f"file:{self.name}", options=self.options)

    def is_animated_webp(self) -> bool:
        """Whether it is a file of moving WebP pictures."""
        head = self.head(21)
        return head[12:16] == b"VP8X" and bool(head[20] & 2)

    def head(self, size: int) -> bytes:
        """The first bytes of an ordinary file, at most `size`; none of other sources."""
        if not self.is_file:
            return b""
        with open(self.name, "rb") as file:
            return file.read(size)

    def check(self) -> None:
        """Raises the error that ended a pipe, if one did."""
        if self.piped is not None:
            self.piped.check()

    def stop(self) -> None:
        """Ends a wait for a pipe's writer."""
        if self.piped is not None:
            self.piped.stop()

    def close(self) -> None:
        """Closes a pipe."""
        if self.piped is not None:
            self.piped.close()


def is_playlist(name: str) -> bool:
    """True for a playlist of HLS or a DASH manifest, by its name."""
    path = re.split("[?#]", name)[0] if is_url(name) else name
    return path.lower().endswith(_PLAYLISTS) or dash.is_manifest(name)


def open_problem(av: Any, source: Source, error: Exception) -> str:
    """What is wrong with a source that FFmpeg could not open, as the rest of a sentence.

    Args:
        av: the module of PyAV.
        source: what was opened.
        error: what PyAV raised.
    """
    invalid = isinstance(error, av.error.InvalidDataError)
    if is_url(source.name):
        return _address_problem(av, source.name, error)
    if invalid and source.piped is not None:
        return (
            "is not a video that FFmpeg can read from a pipe: send y4m, Matroska, MPEG-TS or "
            "fragmented MP4, or name a file."
        )
    if invalid:
        return "is not a video that FFmpeg can read, or it is damaged or cut short."
    reason = getattr(error, "strerror", None) or str(error)
    return f"cannot be opened: {reason}."


def _address_problem(av: Any, name: str, error: Exception) -> str:
    if isinstance(error, av.error.InvalidDataError):
        return "is not a video that FFmpeg can read: check the address."
    if isinstance(error, getattr(av.error, "ExitError", ())):
        return f"did not answer within {_PATIENCE:.0f} s: check the address and the network."
    if isinstance(error, av.error.ProtocolNotFoundError):
        scheme = name.partition(":")[0]
        return f"has the protocol {scheme}, which this FFmpeg does not know: download the file."
    reason = getattr(error, "strerror", None) or str(error)
    return f"cannot be reached ({reason}): check the address and the network."
