"""The form of a video's pictures from its header alone, to put many files in order."""

from __future__ import annotations

import os
from typing import Any, NamedTuple

from jaxvqa.video._container.source import Source
from jaxvqa.video._decode.raw import raw_format
from jaxvqa.video._formats import parse_pixel_format
from jaxvqa.video._inputs import InputOptions


class Form(NamedTuple):
    """What pictures look like in a file.

    Args:
        height: rows.
        width: columns.
        sample_bytes: bytes of a sample.
    """

    height: int
    width: int
    sample_bytes: int


def glance(path: str, inputs: InputOptions) -> Form | None:
    """The form of a file's pictures, or None where the header does not tell; nothing is decoded.

    Args:
        path: the file.
        inputs: says the format of raw video.
    """
    if not os.path.isfile(path):
        return None
    try:
        if inputs.width is not None and inputs.height is not None:
            layout = raw_format(path, inputs.pixel_format, inputs.bit_depth)
            return Form(inputs.height, inputs.width, layout.sample_bytes)
        return _by_container(path)
    except Exception:  # whatever is wrong with it, scoring tells
        return None


def _by_container(path: str) -> Form | None:
    import av

    with Source.of(path).open(av, probe=False) as container:
        context: Any = container.streams.video[0].codec_context
        if not (context.width and context.height):
            return None
        layout = parse_pixel_format(context.pix_fmt or "")
        return Form(context.height, context.width, layout.sample_bytes if layout else 1)
