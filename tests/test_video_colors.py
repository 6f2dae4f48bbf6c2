"""Colours are converted only where that is said: scaling changes sizes and nothing else."""

import pytest

from jaxvqa.video import InputOptions, VideoInfo
from jaxvqa.video._convert.conform import agree, colors_of

HD = {"width": 64, "height": 48, "bit_depth": 8, "chroma": "420", "path": "a", "reader": "av"}
SMALL = HD | {"width": 32, "height": 24, "path": "b"}
PAIRS = {
    "HDR against SDR": (
        HD | {"color_transfer": "smpte2084", "color_matrix": "bt2020nc"},
        SMALL | {"color_transfer": "bt709", "color_matrix": "bt709"},
        [],
    ),
    "monochrome without a tag": (
        HD | {"color_range": "pc"}, SMALL | {"chroma": "400"}, [],
    ),
    "another matrix": (
        HD | {"color_matrix": "bt709"}, SMALL | {"color_matrix": "smpte170m"}, ["matrix"],
    ),
    "another range": (HD | {"color_range": "tv"}, SMALL | {"color_range": "pc"}, ["range"]),
}  # fmt: skip


@pytest.mark.parametrize("name", PAIRS)
def test_colors_of_scaled_videos(name):
    ref, dis, converted = PAIRS[name]
    ref, dis = VideoInfo(**ref), VideoInfo(**dis)
    alike = agree(ref, dis, InputOptions(), chroma=False)
    filters = ",".join(alike.dis.filters(colors_of(dis)))
    assert "scale=64:48" in filters
    assert ("in_color_matrix" in filters) == ("matrix" in converted)
    assert ("in_range" in filters) == ("range" in converted)
    assert {n.code for n in alike.notices} == {"scaled", *converted}
