"""`--model auto`: which VMAF v1 model fits a clip."""

from __future__ import annotations

from jaxvqa._notice import Notice
from jaxvqa._scoring.result import ClipInfo

_HIGH_FRAME_RATE = 45.0


def choose_model(clip: ClipInfo) -> tuple[str, Notice]:
    """A VMAF v1 model by height and frame rate, and a notice that says which and why.

    Pictures of more than 1440 lines are taken as shown on a 4K screen at one and a half heights,
    all others as shown on a 1080-line screen at three. From 45 frames per second on the high frame
    rate form is used. A phone, or a 4K screen at three heights, has to be asked for by name.
    """
    tall = max(clip.height, clip.width * 9 // 16) > 1440
    fast = clip.fps is not None and clip.fps >= _HIGH_FRAME_RATE
    variant = "1d5h_2160" if tall else "3d0h"
    name = f"vmaf_v1.0.16_{'hfr_' if fast else ''}{variant}"
    screen = "a 4K screen at 1.5 picture heights" if tall else "a 1080p screen at 3 picture heights"
    rate = f"{clip.fps:.3g} frames per second" if clip.fps else "an unknown frame rate"
    text = f"model {name} was chosen: {clip.width}x{clip.height} at {rate} suits {screen}."
    return name, Notice("auto-model", text)
