"""What is scored: one dataclass that the Python function and the command line both build."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from jaxvqa._checks import shown
from jaxvqa._settings import (
    check_settings,
    choice,
    optional,
    setting,
    size,
    split_settings,
    whole,
)
from jaxvqa.fusion._catalog import DEFAULT
from jaxvqa.fusion._model import AnyModel, Collection, Model
from jaxvqa.video._inputs import InputOptions

_MEASURES = "what to measure"
ARITHMETICS = ("auto", "float")

ModelLike = str | os.PathLike[str] | AnyModel


def _models(value: Any) -> tuple[Any, ...]:
    if value is None:
        return ()
    models = tuple(value) if isinstance(value, (list, tuple)) else (value,)
    for model in models:
        if not isinstance(model, (str, os.PathLike, Model, Collection)):
            raise ValueError(f"must be a name, a file or a model, got {type(model).__name__}.")
    return models


def _features(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    features = tuple(value) if isinstance(value, (list, tuple)) else (value,)
    for feature in features:
        if not isinstance(feature, str):
            raise ValueError(
                f"must be text such as 'float_vif=vif_kernelscale=0.5', got {shown(feature)}."
            )
    return features


@dataclass(frozen=True)
class ScoreRequest:
    """What to measure, and how the videos are read.

    Args:
        model: models by name, file, libvmaf's `--model` text, or loaded; None for features alone.
        features: further features as libvmaf writes them.
        arithmetic: "auto" takes what a model was trained with, "float" the float twins.
        encode_size: width and height that the distorted video was encoded at.
        encode_bitdepth: bit depth that it was encoded at.
        subsample: score every n-th frame.
        inputs: how the videos are read.

    Raises:
        ValueError: a value that makes no sense.
    """

    model: Any = setting(
        DEFAULT,
        "shipped name, file, libvmaf's text, auto (a VMAF v1 model chosen by size and frame "
        "rate), several of these, or None for features alone",
        _models,
        group=_MEASURES,
        metavar="MODEL",
        flags=("--model", "-m"),
    )
    features: Any = setting(
        (),
        "further features as libvmaf writes them, NAME or NAME=OPTION=VALUE:OPTION=VALUE",
        _features,
        group=_MEASURES,
        metavar="FEATURE",
        flags=("--feature",),
    )
    arithmetic: str = setting(
        "auto",
        "auto takes what a model was trained with; float replaces a model's fixed-point features "
        "by their float twins, close but not equal",
        choice(*ARITHMETICS),
        group=_MEASURES,
        choices=ARITHMETICS,
    )
    encode_size: tuple[int, int] | None = setting(
        None,
        "size that the distorted video was encoded at, for CAMBI",
        optional(size),
        group=_MEASURES,
        metavar="WxH",
    )
    encode_bitdepth: int | None = setting(
        None,
        "bit depth that the distorted video was encoded at, for CAMBI",
        optional(whole(1)),
        group=_MEASURES,
        metavar="N",
    )
    subsample: int = setting(
        1,
        "score every N-th frame; temporal features still read all",
        whole(1),
        group="frames",
        metavar="N",
    )
    inputs: InputOptions = InputOptions()

    def __post_init__(self) -> None:
        """Parses and checks every field."""
        check_settings(self)
        object.__setattr__(self, "model", _models(self.model))

    @classmethod
    def of(cls, **keywords: Any) -> ScoreRequest:
        """A request from the keywords of both classes.

        Raises:
            TypeError: a keyword that neither has. ValueError: a value that makes no sense.
        """
        own, inputs = split_settings(keywords, cls, InputOptions)
        return cls(**own, inputs=InputOptions(**inputs))

    @property
    def models(self) -> tuple[ModelLike, ...]:
        """The models, none or several."""
        return self.model
