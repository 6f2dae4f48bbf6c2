"""Options of CAMBI."""

from __future__ import annotations

from dataclasses import dataclass

from jaxvqa._checks import one_of
from jaxvqa.features._options import Options, option

EOTFS = ("bt1886", "pq")


@dataclass(frozen=True)
class CambiOptions(Options):
    """Options of `cambi`."""

    max_val: float = option(
        1000.0,
        "upper limit of every output",
        0.0,
        1000.0,
        name="cambi_max_val",
        alias="cmxv",
    )
    enc_width: int = option(
        0,
        "width of the encode before it was scaled up; 0: as given",
        180,
        7680,
        alias="encw",
        filled_by="encode_width",
    )
    enc_height: int = option(
        0,
        "height of the encode before it was scaled up; 0: as given",
        150,
        7680,
        alias="ench",
        filled_by="encode_height",
    )
    enc_bitdepth: int = option(
        0,
        "bit depth of the encode; 0: as given",
        6,
        16,
        alias="encbd",
        filled_by="encode_bitdepth",
    )
    src_width: int = option(
        0,
        "width of the source, for full_ref; 0: as given",
        320,
        7680,
        alias="srcw",
    )
    src_height: int = option(
        0,
        "height of the source, for full_ref; 0: as given",
        200,
        4320,
        alias="srch",
    )
    window_size: int = option(
        65,
        "side of the counting window at 3840x2160, 1 degree of view; smaller pictures get less",
        15,
        127,
        alias="ws",
    )
    topk: float = option(0.6, "share of pixels, the worst, that count", 0.0001, 1.0, alias="topk")
    cambi_topk: float = option(
        0.6,
        "the same; used unless topk differs from 0.6",
        0.0001,
        1.0,
        alias="ctpk",
    )
    tvi_threshold: float = option(
        0.019,
        "smallest visible relative luminance step",
        0.0001,
        1.0,
        alias="tvit",
    )
    vis_lum_threshold: float = option(
        0.0,
        "luminance in cd/m2 below which nothing is visible",
        0.0,
        300.0,
        name="cambi_vis_lum_threshold",
        alias="vlt",
    )
    max_log_contrast: int = option(
        2,
        "log2 of the largest code difference examined",
        0,
        5,
        alias="mlc",
    )
    # libvmaf takes any text here and looks at it where `cambi_eotf` is bt1886 only
    eotf: str = option(
        "bt1886",
        "transfer function of the display, bt1886 or pq; not looked at where cambi_eotf is pq",
        alias="eotf",
    )
    cambi_eotf: str = option(
        "bt1886",
        "the same; wins over eotf unless it is bt1886",
        choices=EOTFS,
        alias="ceot",
    )
    high_res_speedup: int = option(
        0,
        "drop every other sample of pictures from 1080, 1440 or 2160 lines (16:9) up; "
        "other values do nothing",
        0,
        2160,
        name="cambi_high_res_speedup",
        alias="hrs",
    )
    full_ref: bool = option(
        False, "also report the reference's banding and the increase", adds_outputs=True
    )

    def __post_init__(self) -> None:
        """Checks the transfer function that is used."""
        one_of("eotf", self.used_eotf, EOTFS)

    @property
    def used_eotf(self) -> str:
        """The transfer function of the display, from the two options for it."""
        return self.eotf if self.cambi_eotf == EOTFS[0] else self.cambi_eotf
