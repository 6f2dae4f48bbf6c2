"""Models into files."""

from __future__ import annotations

import os
from pathlib import Path

from jaxvqa._checks import one_of
from jaxvqa.fusion import _libvmaf_json as libvmaf_json
from jaxvqa.fusion import _own_json as own_json
from jaxvqa.fusion._model import AnyModel

MODEL_FORMATS = ("jaxvqa", "libvmaf")


def save_model(
    model: AnyModel, path: str | os.PathLike[str], *, file_format: str = "jaxvqa"
) -> None:
    """Writes a model file that `load_model` and `jaxvqa.score` read.

    Args:
        model: a `Model` or a `Collection`.
        path: the file.
        file_format: "jaxvqa" keeps everything; "libvmaf" is for libvmaf's tool and keeps neither
            name nor description.

    Raises:
        ValueError: an unknown format, or a model that could not be read again: no name, numbers
            that are not finite, support vectors that don't fit the features.

    Example:
        >>> import os, tempfile, jaxvqa
        >>> model = jaxvqa.load_model("vmaf_v0.6.1")
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = os.path.join(folder, "mine.json")
        ...     jaxvqa.fusion.save_model(model, path)
        ...     jaxvqa.load_model(path).name
        'vmaf_v0.6.1'
    """
    one_of("file_format", file_format, MODEL_FORMATS)
    written = own_json if file_format == "jaxvqa" else libvmaf_json
    text = written.write(model)
    written.read(text, Path(path).name)
    Path(path).write_text(text, encoding="utf-8")
