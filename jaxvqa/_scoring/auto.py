"""`--model auto`: which VMAF v1 model fits a clip."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

from jaxvqa._notice import Notice
from jaxvqa._scoring.request import ScoreRequest
from jaxvqa._scoring.result import ClipInfo
from jaxvqa.fusion._catalog import load_request
from jaxvqa.fusion._model import Collection, Model
from jaxvqa.fusion._request import parse_model_text

AUTO = "auto"  # in place of a model's name
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


def _screen_of(model: Any) -> str:
    """The screen that a model is made for, "1080p" or "2160p"."""
    loaded = isinstance(model, (Model, Collection))
    info = (model if loaded else load_request(parse_model_text(os.fspath(model)))).info
    return "2160p" if info.display.startswith("2160p") else "1080p"


def sized_for_model(request: ScoreRequest) -> ScoreRequest:
    """The request with `scale="model"` as the screen that its first model is made for.

    Raises:
        ValueError: no model, or one that is chosen by size itself.
    """
    if request.inputs.scale != "model":
        return request
    if not request.models or AUTO in request.models:
        raise ValueError(
            "scale='model' needs a model that says its size: name one, such as model='vmaf_v0.6.1'."
        )
    screens = {_screen_of(model) for model in request.models}
    if len(screens) > 1 and request.inputs.at is None:
        raise ValueError(
            "scale='model' scales to one size, but the models are made for 1080p and 2160p: score "
            "them one by one, or say the size with at='1080p'."
        )
    screen = _screen_of(request.models[0])
    inputs = replace(request.inputs, scale="distorted", at=request.inputs.at or screen)
    return replace(request, inputs=inputs)
