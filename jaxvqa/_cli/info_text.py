"""The facts of a `FileReport` in words, a name and a text each."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from jaxvqa._cli.flags import as_flags
from jaxvqa.video._container.hdr_metadata import HdrMetadata, MasteringDisplay, Point
from jaxvqa.video._describe.report import (
    GAPS,
    TAGGED,
    UNKNOWN,
    VARIABLE,
    ColorTag,
    FileReport,
    Interlacing,
    Pacing,
    StreamReport,
)

Fact = tuple[str, str]

_RANGES = {"tv": "limited", "pc": "full"}
_MOST_GAPS = 4
_NEAR = 0.002
_WHITE = (0.3127, 0.3290)  # D65
_GAMUTS = {
    "BT.709": ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060)),
    "P3": ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
    "BT.2020": ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046)),
}


def facts_of(report: FileReport) -> list[Fact]:
    """All that is known about a file, in the order of display."""
    return [
        ("container", report.container),
        *((f"stream {s.index}", _stream(s)) for s in report.streams),
        *_picture(report),
        *_colors(report),
        *_timing(report),
        *_light(report.hdr_metadata),
        *(("note", as_flags(note)) for note in report.notes),
    ]


def _stream(stream: StreamReport) -> str:
    parts = [stream.codec]
    if stream.width:
        parts.append(f"{stream.width}x{stream.height}")
    if stream.rate:
        parts.append(f"{_rate(stream.rate)} per second")
    if stream.default:
        parts.append("default")
    if stream.cover:
        parts.append("cover picture")
    return ", ".join(parts) + (" (taken)" if stream.taken else " (not taken)")


def _picture(report: FileReport) -> list[Fact]:
    size = f"{report.width}x{report.height}"
    stored = f"{report.stored_width}x{report.stored_height}"
    samples = f"{report.bit_depth} bits, {':'.join(report.chroma)} ({report.pixel_format})"
    if report.is_rgb:
        samples = f"RGB ({report.pixel_format}), scored as Y'CbCr of {report.bit_depth} bits"
    if report.chroma == "400":
        samples = f"{report.bit_depth} bits, monochrome ({report.pixel_format})"
    if report.alpha:
        samples += "; transparency is left out"
    found = [
        ("size", size if size == stored else f"{size} as shown, {stored} as stored"),
        ("orientation", report.orientation),
    ]
    if report.pixel_aspect != 1:
        aspect = f"{report.pixel_aspect.numerator}:{report.pixel_aspect.denominator}"
        shape = f"{report.display_width}x{report.display_height}"
        found.append(("pixel aspect", f"{aspect}, so a screen shows it as {shape}"))
    return [*found, ("samples", samples)]


def _colors(report: FileReport) -> list[Fact]:
    transfer = report.transfer.value or "SDR"
    if report.hdr:
        transfer += f" ({report.hdr}, HDR)"
    matrix = _tagged(report.matrix)
    if report.chroma == "400" and report.matrix.value is None:
        matrix = "none, as there is no chroma"
    return [
        ("range", _tagged(report.color_range, _RANGES.get(report.color_range.value or ""))),
        ("matrix", matrix),
        ("primaries", _tagged(report.primaries)),
        ("transfer", _tagged(report.transfer, transfer)),
    ]


def _tagged(tag: ColorTag, text: str | None = None) -> str:
    known = text or tag.value or "that of the other video"
    return f"{known}, {tag.source}" if tag.source == TAGGED else f"{known}, {tag.source} (no tag)"


def _timing(report: FileReport) -> list[Fact]:
    pacing = report.pacing
    found = [("rate", _pacing(pacing))]
    if pacing.first_time is not None:
        found.append(("first frame", f"at {_seconds(pacing.first_time)}"))
    if pacing.duration is not None:
        found.append(("duration", _seconds(pacing.duration)))
    found.append(("frames", _frames(pacing)))
    found.append(("interlaced", _interlaced(report.interlacing, pacing.frame_count)))
    if report.film_grain is not None:
        text = "added by the decoder" if report.film_grain else "none added by the decoder"
        found.append(("film grain", text))
    return found


def _pacing(pacing: Pacing) -> str:
    if pacing.rate is None:
        return "not stated"
    rate = f"{_rate(pacing.rate)} per second"
    if pacing.kind == UNKNOWN:
        return f"{rate} by the header; the frames have no times"
    if pacing.kind == VARIABLE and pacing.shortest is not None and pacing.longest is not None:
        limits = f"{_seconds(pacing.shortest)} to {_seconds(pacing.longest)}"
        return f"variable, {rate} on average; frames follow each other after {limits}"
    if pacing.kind == GAPS:
        missing = sum(gap.missing for gap in pacing.gaps)
        places = [f"{gap.missing} before frame {gap.frame}" for gap in pacing.gaps[:_MOST_GAPS]]
        if len(pacing.gaps) > _MOST_GAPS:
            places.append(f"and {len(pacing.gaps) - _MOST_GAPS} more gaps")
        pictures = "picture" if missing == 1 else "pictures"
        return f"{rate}, {pacing.kind}: {missing} {pictures} missing ({', '.join(places)})"
    return f"{rate}, {pacing.kind}"


def _frames(pacing: Pacing) -> str:
    if pacing.frame_count is None:
        return "not known before reading"
    text = f"{pacing.frame_count}, counted by {pacing.counted_by}"
    if pacing.announced not in (None, pacing.frame_count):
        text += f"; the container announces {pacing.announced}"
    return text


def _interlaced(found: Interlacing, count: int | None) -> str:
    if found.share is None:
        return "not known"
    if not found.looked_at:
        return f"{'yes' if found.share else 'no'}, by the header"
    if found.looked_at == count:
        looked = f"all {count} frames" if count != 1 else "the one frame"
    else:
        looked = f"{found.looked_at} frames looked at"
    if not found.frames:
        return f"no ({looked})"
    if found.share == 1:
        return f"yes ({looked})"
    return f"{found.frames} of {looked.removeprefix('all ')} ({100 * found.share:.0f} %)"


def _light(hdr: HdrMetadata) -> list[Fact]:
    found: list[Fact] = []
    if hdr.mastering_display is not None:
        found.append(("mastered on", _display(hdr.mastering_display)))
    levels = [
        f"{name} {value} cd/m²"
        for name, value in (("MaxCLL", hdr.max_cll), ("MaxFALL", hdr.max_fall))
        if value is not None
    ]
    if levels:
        found.append(("light levels", ", ".join(levels)))
    dynamic = [
        name
        for name, there in (("Dolby Vision", hdr.dolby_vision), ("HDR10+", hdr.hdr10_plus))
        if there
    ]
    if dynamic:
        found.append(("dynamic HDR", f"{' and '.join(dynamic)}, which scoring leaves out"))
    return found


def _display(display: MasteringDisplay) -> str:
    parts = []
    colors = (display.red, display.green, display.blue)
    if display.white is not None:
        name = next((n for n, known in _GAMUTS.items() if _alike(colors, known)), None)
        if name and _alike([display.white], [_WHITE]):
            parts.append(f"{name} with white D65")
        else:
            points = zip(("red", "green", "blue", "white"), (*colors, display.white), strict=True)
            parts += [f"{name} {p[0]:.4f} {p[1]:.4f}" for name, p in points if p is not None]
    if display.max_luminance is not None and display.min_luminance is not None:
        parts.append(f"{display.min_luminance:g} to {display.max_luminance:g} cd/m²")
    return ", ".join(parts) or "no details"


def _alike(found: Iterable[Point | None], known: Iterable[Point]) -> bool:
    return all(
        a is not None and max(abs(a[0] - b[0]), abs(a[1] - b[1])) < _NEAR
        for a, b in zip(found, known, strict=True)
    )


def _rate(rate: Fraction) -> str:
    """A rate as it is spoken of, with the fraction where that is another number."""
    if rate.denominator == 1:
        return str(rate)
    return f"{float(rate):.6g} ({rate.numerator}/{rate.denominator})"


def _seconds(time: Fraction) -> str:
    return f"{float(time):.6g} s" if abs(time) < 1000 else f"{float(time):.3f} s"
