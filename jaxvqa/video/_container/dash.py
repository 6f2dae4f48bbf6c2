"""DASH manifests as HLS playlists, which FFmpeg reads also where it is built without XML.

Every representation becomes a variant, so that streams are chosen as for HLS.
Source: ISO/IEC 23009-1 (manifest), RFC 8216 (playlists).
"""

from __future__ import annotations

import base64
import functools
import itertools
import math
import os
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

from jaxvqa.video._errors import VideoError

Element = ElementTree.Element
_DURATION = re.compile(r"P(?:(\d+)D)?T?(?:(\d+)H)?(?:(\d+)M)?(?:([\d.]+)S)?")
_FIELD = re.compile(r"\$(?:(RepresentationID|Bandwidth|Number|Time)(%0\d+d)?)?\$")
_MOST_SEGMENTS = 50_000
_LARGEST = 1 << 26  # bytes of a manifest


def is_manifest(name: str) -> bool:
    """True for a DASH manifest, by its name."""
    path = urllib.parse.urlsplit(name).path if "://" in name else name
    return path.lower().endswith(".mpd")


def playlist_of(name: str, patience: float) -> str:
    """A master playlist of HLS for the video of a manifest; media playlists lie within as data.

    Args:
        name: path or address of the manifest.
        patience: seconds in which a server has to answer.

    Raises:
        VideoError: no manifest, a live one, one of several periods, an encrypted one, or none of
            its video has segments.
        OSError: a manifest that cannot be read.
    """
    try:
        root = ElementTree.fromstring(_read(name, patience))
    except (ElementTree.ParseError, ValueError, LookupError):
        root = Element("")
    if _tag(root) != "MPD":
        raise VideoError(name, "is not a DASH manifest: check the path.")
    if root.get("type") == "dynamic":
        raise VideoError(name, "is the manifest of a live stream, which has no end: record it.")
    periods = _children(root, "Period")
    if len(periods) != 1:
        raise VideoError(
            name, f"has {len(periods)} periods, but one is read: score the video of each by itself."
        )
    start = _seconds(periods[0].get("start")) or 0.0
    total = _seconds(root.get("mediaPresentationDuration"))
    length = _seconds(periods[0].get("duration")) or (total - start if total else None)
    try:
        found = list(_representations(name, root, periods[0], length))
        media = [_media_playlist(shown) for shown in found]
    except VideoError:
        raise
    except (ValueError, KeyError, ArithmeticError, TypeError) as error:
        raise VideoError(name, f"lists segments in a way that makes no sense ({error}).") from error
    if not found:
        raise VideoError(name, "has no video in it whose segments it lists.")
    lines = ["#EXTM3U"]
    for shown, playlist in zip(found, media, strict=True):
        encoded = base64.b64encode(playlist.encode()).decode()
        size = f",RESOLUTION={shown.size}" if shown.size else ""
        lines.append(f"#EXT-X-STREAM-INF:BANDWIDTH={shown.bandwidth}{size}")
        lines.append(f"data:application/vnd.apple.mpegurl;base64,{encoded}")
    return "\n".join(lines) + "\n"


@dataclass(frozen=True)
class _Part:
    """Bytes of a file: an address, with a range, or all of it."""

    address: str
    span: str | None = None

    @property
    def bytes(self) -> str | None:
        """The range as playlists write it: count@first."""
        if self.span is None:
            return None
        first, last = (int(end) for end in self.span.split("-"))
        return f"{last - first + 1}@{first}"


# the part that comes first, if there is one, and the segments with their seconds
_Parts = tuple[_Part | None, list[tuple[_Part, float]]]


@dataclass(frozen=True)
class _Representation:
    """One encoding of the video."""

    bandwidth: int
    size: str | None
    initialization: _Part | None
    segments: list[tuple[_Part, float]]


@dataclass(frozen=True)
class _Listing:
    """What a manifest says of the segments of a representation.

    Args:
        elements: its SegmentTemplate or SegmentList, of the outermost level first.
        about: attributes of the representation.
        base: what addresses start from.
        length: seconds of the period, or None.
    """

    elements: list[Element]
    about: dict[str, str]
    base: str
    length: float | None

    @functools.cached_property
    def given(self) -> dict[str, str]:
        """The attributes of all levels; the innermost counts most."""
        return {k: v for element in self.elements for k, v in element.attrib.items()}

    def inside(self, tag: str) -> list[Element]:
        """The elements of a kind in it."""
        return [found for element in self.elements for found in _children(element, tag)]


def _read(name: str, patience: float) -> bytes:
    if "://" not in name:
        with open(name, "rb") as file:
            return file.read(_LARGEST)
    if not name.lower().startswith(("http://", "https://", "file://")):
        raise VideoError(name, "is a DASH manifest, which is read from files, http and https.")
    try:
        with urllib.request.urlopen(name, timeout=patience) as answer:
            return answer.read(_LARGEST)
    except urllib.error.URLError as error:
        reason = getattr(error, "reason", error)
        raise VideoError(
            name, f"cannot be reached ({reason}): check the address and the network."
        ) from error


def _tag(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _children(element: Element, tag: str) -> list[Element]:
    return [child for child in element if _tag(child) == tag]


def _seconds(text: str | None) -> float | None:
    found = _DURATION.fullmatch(text or "")
    if found is None:
        return None
    return sum(float(n or 0) * k for n, k in zip(found.groups(), (86400, 3600, 60, 1), strict=True))


def _representations(
    name: str, root: Element, period: Element, length: float | None
) -> Iterator[_Representation]:
    for group in _children(period, "AdaptationSet"):
        for element in _children(group, "Representation"):
            about = {**group.attrib, **element.attrib}
            kind = about.get("contentType") or about.get("mimeType", "").partition("/")[0]
            if (kind and kind != "video") or not (kind or "width" in about):
                continue
            levels = (root, period, group, element)
            if any(_children(level, "ContentProtection") for level in levels):
                raise VideoError(name, "is encrypted: score the file from before it was.")
            width, height = about.get("width"), about.get("height")
            first, segments = _parts(levels, about, _base(name, levels), length)
            if segments:
                size = f"{width}x{height}" if width and height else None
                yield _Representation(int(about.get("bandwidth", 0)), size, first, segments)


def _base(name: str, levels: tuple[Element, ...]) -> str:
    base = name if "://" in name else os.path.abspath(name)
    for level in levels:
        for found in _children(level, "BaseURL")[:1]:
            base = _joined(base, (found.text or "").strip())
    return base


def _joined(base: str, address: str) -> str:
    """An address as seen from another one; both may be paths of files."""
    if "://" in address:
        if not address.lower().startswith(("http://", "https://")):
            raise ValueError(f"address {address!r}")
        return address
    if "://" in base:
        return urllib.parse.urljoin(base, address)
    path = os.path.normpath(os.path.join(os.path.dirname(base), address))
    folder = os.sep if address.endswith("/") else ""
    return path + folder if os.path.exists(path) else urllib.parse.unquote(path) + folder


def _parts(
    levels: tuple[Element, ...], about: dict[str, str], base: str, length: float | None
) -> _Parts:
    """The segments by what the innermost level says of them, the outer ones filling in."""
    for kind, listed in (("SegmentTemplate", _by_template), ("SegmentList", _by_list)):
        elements = [e for level in levels[1:] for e in _children(level, kind)]
        if elements:
            return listed(_Listing(elements, about, base, length))
    if base.endswith("/") or is_manifest(base):
        return None, []
    return None, [(_Part(base), length or 1.0)]  # one file


def _by_template(listing: _Listing) -> _Parts:
    given, about = listing.given, listing.about
    names: dict[str, Any] = {
        "RepresentationID": about.get("id", ""),
        "Bandwidth": about.get("bandwidth", ""),
    }

    def part(template: str, **more: int) -> _Part:
        return _Part(_joined(listing.base, _filled(template, names | more)))

    first = part(given["initialization"]) if "initialization" in given else None
    clock = int(given.get("timescale", 1))
    segments = [
        (part(given["media"], Number=number, Time=time), duration / clock)
        for number, (time, duration) in enumerate(
            _times(listing, clock), int(given.get("startNumber", 1))
        )
    ]
    return first, segments


def _filled(template: str, names: dict[str, Any]) -> str:
    def value(field: re.Match[str]) -> str:
        if field[1] is None:
            return "$"
        return (field[2] % int(names[field[1]])) if field[2] else str(names[field[1]])

    return _FIELD.sub(value, template)


def _times(listing: _Listing, clock: int) -> Iterator[tuple[int, int]]:
    """Start and duration of every segment."""
    given, length = listing.given, listing.length
    lines = listing.inside("SegmentTimeline")
    if not lines:
        duration = int(given["duration"]) if "duration" in given else 0
        if not duration or length is None:
            raise ValueError("neither a timeline nor a duration")
        yield from _repeated(0, duration, math.ceil(round(length * clock / duration, 6)))
        return
    entries = _children(lines[-1], "S")
    offset = int(given.get("presentationTimeOffset", 0))
    time = 0
    for entry, after in itertools.zip_longest(entries, entries[1:]):
        time, duration = int(entry.get("t", time)), int(entry.get("d", 0))
        if duration <= 0:
            raise ValueError(f"a duration of {duration}")
        repeats = int(entry.get("r", 0))
        if repeats < 0:  # up to the next entry, or the end
            end = after.get("t") if after is not None else None
            if end is None and length is None:
                raise ValueError("an endless timeline")
            stop = int(end) if end is not None else round((length or 0) * clock) + offset
            repeats = math.ceil((stop - time) / duration) - 1
        yield from _repeated(time, duration, repeats + 1)
        time += (repeats + 1) * duration


def _repeated(time: int, duration: int, count: int) -> Iterator[tuple[int, int]]:
    if count > _MOST_SEGMENTS:
        raise ValueError(f"more than {_MOST_SEGMENTS} of them")
    for i in range(count):
        yield time + i * duration, duration


def _by_list(listing: _Listing) -> _Parts:
    def part(element: Element, address: str, span: str) -> _Part:
        named = element.get(address)
        return _Part(_joined(listing.base, named) if named else listing.base, element.get(span))

    heads = listing.inside("Initialization")
    entries = listing.inside("SegmentURL")
    seconds = int(listing.given.get("duration", 0)) / int(listing.given.get("timescale", 1))
    seconds = seconds or (listing.length or 1.0) / max(1, len(entries))
    return (
        part(heads[-1], "sourceURL", "range") if heads else None,
        [(part(entry, "media", "mediaRange"), seconds) for entry in entries],
    )


def _media_playlist(shown: _Representation) -> str:
    longest = max(duration for _, duration in shown.segments)
    lines = [
        "#EXTM3U",
        "#EXT-X-VERSION:7",
        f"#EXT-X-TARGETDURATION:{math.ceil(longest)}",
        "#EXT-X-PLAYLIST-TYPE:VOD",
    ]
    if shown.initialization is not None:
        span = shown.initialization.bytes
        lines.append(
            f'#EXT-X-MAP:URI="{_address(shown.initialization)}"'
            + (f',BYTERANGE="{span}"' if span else "")
        )
    for part, duration in shown.segments:
        lines.append(f"#EXTINF:{duration:.6f},")
        if part.bytes:
            lines.append(f"#EXT-X-BYTERANGE:{part.bytes}")
        lines.append(_address(part))
    return "\n".join([*lines, "#EXT-X-ENDLIST", ""])


def _address(part: _Part) -> str:
    address = part.address if "://" in part.address else f"file:{part.address}"
    if any(mark in address for mark in '"\r\n'):
        raise ValueError("an address with a quote or a line break")
    return address
