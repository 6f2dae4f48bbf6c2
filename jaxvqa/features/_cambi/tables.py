"""What CAMBI knows before it sees a picture: visible contrasts, windows, sizes.

All of it is plain Python arithmetic on option values and picture sizes, done at trace time.

Source: libvmaf f85a853, `cambi.c`, `luminance_tools.c`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from jaxvqa.features._cambi.counts import Contrast
from jaxvqa.features._cambi.options import CambiOptions

# 10-bit limited range, in which CAMBI works whatever the input
_FOOT, _HEAD = 64, 940

_WEIGHTS = (1, 2, 3, 4, 4, 5, 5, 6, 6, 6, 6, 7, 7, 7, 7, 8) + (8,) * 6 + (9,) * 10

_SPEEDUP_PIXELS = {1080: 1920 * 1080, 1440: 2560 * 1440, 2160: 3840 * 2160}

_MIN_SIDE = 216
_MAX_WINDOW = 65


def _bt1886(signal: float) -> float:
    """Luminance in cd/m2 of a display between 0.01 and 300 cd/m2 (ITU-R BT.1886)."""
    gamma, white, black = 2.4, 300.0, 0.01
    span = white ** (1 / gamma) - black ** (1 / gamma)
    return span**gamma * max(signal + black ** (1 / gamma) / span, 0.0) ** gamma


def _pq(signal: float) -> float:
    """Luminance in cd/m2 of a PQ signal (SMPTE ST 2084)."""
    m1, m2, c1, c2, c3 = 0.1593017578125, 78.84375, 0.8359375, 18.8515625, 18.6875
    root = signal ** (1 / m2)
    return 10000.0 * (max(root - c1, 0.0) / (c2 - c3 * root)) ** (1 / m1)


_EOTFS = {"bt1886": _bt1886, "pq": _pq}


def _luminance(code: int, eotf: Callable[[float], float]) -> float:
    return eotf((min(max(code, _FOOT), _HEAD) - _FOOT) / (_HEAD - _FOOT))


def highest_visible(contrast: int, threshold: float, eotf: str) -> int:
    """Largest code from which a step of `contrast` codes is visible.

    A step is visible if it changes luminance by more than `threshold` of it. 0 if no step is, 1023
    if every step is. Found by bisection, as the tool does, which matters where visibility is not
    monotone in the code.
    """
    curve = _EOTFS[eotf]

    def visible(code: int) -> bool:
        low = _luminance(code, curve)
        return _luminance(code + contrast, curve) - low > threshold * low

    low, high = _FOOT, _HEAD - contrast - 1
    if not visible(low):
        return 0
    if not visible(low + 1):
        return low
    if visible(high):
        return 1023 if visible(high + 1) else high
    while True:
        middle = low + (high - low) // 2
        if not visible(middle):
            high = middle
        elif visible(middle + 1):
            low = middle
        else:
            return middle


def darkest_visible(threshold: float, eotf: str) -> int:
    """Smallest code whose luminance reaches `threshold` cd/m2; 0 if the darkest does."""
    code = _FOOT
    while code < _HEAD and _luminance(code, _EOTFS[eotf]) < threshold:
        code += 1
    return 0 if code == _FOOT else code


def contrasts(options: CambiOptions) -> tuple[Contrast, ...]:
    """The code differences that count, with weights and the codes for which they do."""
    eotf = options.used_eotf
    darkest = darkest_visible(options.vis_lum_threshold, eotf)
    count = 1 << options.max_log_contrast
    return tuple(
        Contrast(
            weight=_WEIGHTS[d - 1],
            # the tool compares codes that carry an offset of `count` here; kept
            low=darkest - count - d + 1,
            high=highest_visible(d, options.tvi_threshold, eotf),
        )
        for d in range(1, count + 1)
    )


@dataclass(frozen=True)
class Geometry:
    """Size at which a picture is examined, and how.

    Args:
        height, width: the size.
        halved: whether the speed-up drops every other sample before the first scale.
        window: side of the counting window at every scale, odd.
    """

    height: int
    width: int
    halved: bool
    window: int

    def sizes(self) -> tuple[tuple[int, int], ...]:
        """Height and width of the five scales."""
        shifts = range(self.halved, 5 + self.halved)
        return tuple((-(-self.height >> k), -(-self.width >> k)) for k in shifts)


def geometries(height: int, width: int, options: CambiOptions) -> tuple[Geometry, Geometry]:
    """How the distorted and the reference picture of `height` x `width` are examined.

    Raises:
        ValueError: sizes that CAMBI refuses.
    """
    enc = (options.enc_height, options.enc_width)
    if 0 in enc or enc[0] > height or enc[1] > width:
        enc = (height, width)
    src = (options.src_height, options.src_width)
    if 0 in src:
        src = (height, width)
    for name, size in (("encoded", enc), ("source", src)):
        if max(size) < _MIN_SIDE:
            raise ValueError(
                f"cambi needs an {name} picture with a side of at least {_MIN_SIDE} samples, "
                f"got {size[1]}x{size[0]}."
            )
    if (src[0] - enc[0]) * (src[1] - enc[1]) < 0:
        raise ValueError(
            f"cambi needs a source at least as large as the encode in both directions: "
            f"src {src[1]}x{src[0]}, enc {enc[1]}x{enc[0]}."
        )
    pixels = _SPEEDUP_PIXELS.get(options.high_res_speedup)
    halved = pixels is not None and enc[0] * enc[1] >= pixels
    return _geometry(enc, halved, options), _geometry(src, halved, options)


def _geometry(size: tuple[int, int], halved: bool, options: CambiOptions) -> Geometry:
    window = (options.window_size * (size[0] + size[1]) // 375) >> 4
    if halved:
        window = (window + 1) >> 1
    window |= 1
    if window > _MAX_WINDOW:
        raise ValueError(
            f"cambi's window would be {window} samples wide for {size[1]}x{size[0]}, at most "
            f"{_MAX_WINDOW} are possible: lower window_size={options.window_size}."
        )
    return Geometry(*size, halved, window)
