"""ST-RRED on Haar details: entropy differences in space, in time, and their product.

The spatio-temporal reduced-reference entropic differences of the FUNQUE family (scalar windows,
Haar bands), not the steerable-pyramid index of the original paper.

Source: FUNQUE+ (funque_plus 65d0b88).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from jaxvqa._planes import Planes, VideoLike
from jaxvqa._typing import Array
from jaxvqa.features._feature import Feature, Output, Series
from jaxvqa.features._funque.haar import Pyramid
from jaxvqa.features._funque.information import st_rred
from jaxvqa.features._funque.sets import zero_first_frame
from jaxvqa.features._funque.transform import PyramidPair, Transform, is_rounded, over_frames
from jaxvqa.features._options import Options, option
from jaxvqa.features._run import documented, run


@dataclass(frozen=True)
class StrredOptions(Options):
    """Options of `strred`."""

    levels: int = option(2, "levels of the Haar pyramid", 1, 5, alias="lv")
    csf: str = option(
        "nadenau_spat",
        "contrast sensitivity: weights of details or a filter",
        choices=(
            "none",
            "nadenau_weight",
            "li",
            "hill",
            "mannos_weight",
            "watson",
            "nadenau_spat",
            "ngan_spat",
            "ngan_exact",
        ),
        alias="csf",
    )
    half_size: bool = option(False, "halve the picture first", alias="half")


_NAMES = ("strred", "srred", "trred")


def _transform(options: StrredOptions) -> Transform:
    return Transform(
        levels=options.levels,
        csf=options.csf,
        half=options.half_size,
        multiple=1 << options.levels,
    )


def _luma(now: PyramidPair) -> tuple[Pyramid, Pyramid]:
    return now.ref["y"], now.dis["y"]


def _atoms(now: PyramidPair, before: tuple[Pyramid, Pyramid]) -> dict[str, Array]:
    found = st_rred(*_luma(now), *before)
    return {name: getattr(found, name) for name in _NAMES}


def _extract(ref: Planes, dis: Planes, options: StrredOptions) -> Series:
    transform, rounded = _transform(options), is_rounded(ref)
    return over_frames(ref, dis, transform, _luma, _atoms, rounded=rounded)


STRRED = Feature(
    name="strred",
    summary="spatio-temporal entropic differences on Haar details (ST-RRED, S-RRED, T-RRED)",
    options=StrredOptions,
    outputs=lambda options: tuple(Output(name, "lower", 0.0) for name in _NAMES),
    extract=_extract,
    before=lambda options: 1,
    finish=lambda series, options: zero_first_frame(series, _NAMES),
    check=lambda ref, options: _transform(options).check("strred", ref.height, ref.width),
)


@documented(STRRED)
def strred(
    ref: VideoLike, dis: VideoLike, *, bit_depth: int | None = None, **options: Any
) -> dict[str, Array]:
    """Entropic differences on Haar details of luma.

    Models how far the local entropies of subbands, and of their change from frame to frame, drift
    from the reference's. The defaults are those of full-scale Y-FUNQUE+; `csf="li"` with
    `half_size=True` gives the srred and trred of 3C-FUNQUE+.

    {args}

    Returns:
        `{"strred", "srred", "trred"}`, each `(frames,)`: 0 for a perfect pair, lower is better, 0
        on the first frame.

    Raises:
        ValueError: bad options or sizes. TypeError: bad dtypes.

    Source: FUNQUE+ (funque_plus 65d0b88). Matches it to 2e-5 relative.

    Example:
        >>> import numpy as np, jaxvqa
        >>> ref = np.random.default_rng(0).integers(0, 256, (2, 64, 64), np.uint8)
        >>> found = jaxvqa.features.strred(ref, ref // 2)
        >>> [round(float(x), 4) for x in found["srred"]]
        [0.0, 0.0063]
    """
    return run(STRRED, ref, dis, bit_depth, options)
