"""ST-RRED on Haar details: entropy differences in space, in time, and their product.

The spatio-temporal reduced-reference entropic differences of the FUNQUE family (scalar windows,
Haar bands), not the steerable-pyramid index of the original paper.

Source: FUNQUE+ (funque_plus 65d0b88).
"""

from __future__ import annotations

from typing import Any

from jaxvqa._planes import Planes
from jaxvqa._typing import Array
from jaxvqa.features._feature import Feature, Output, Series, run
from jaxvqa.features._funque.csf import MAX_LEVELS, SPATIAL_CSF, WAVELET_CSF
from jaxvqa.features._funque.haar import Pyramid
from jaxvqa.features._funque.information import st_rred
from jaxvqa.features._funque.sets import zero_first_frame
from jaxvqa.features._funque.transform import Pair, Transform, is_rounded, over_frames
from jaxvqa.features._options import Option, Options

_OPTIONS = (
    Option("levels", "levels", 2, "levels of the Haar pyramid", 1, MAX_LEVELS, alias="lv"),
    Option("csf", "csf", "nadenau_spat", "contrast sensitivity: weights of details or a filter",
           choices=("none", *WAVELET_CSF, *SPATIAL_CSF), alias="csf"),
    Option("half_size", "half_size", False, "halve the picture first", alias="half"),
)  # fmt: skip

_NAMES = ("strred", "srred", "trred")


def _transform(options: Options) -> Transform:
    return Transform(
        levels=options.levels,
        csf=options.csf,
        half=options.half_size,
        multiple=1 << options.levels,
    )


def _luma(now: Pair) -> tuple[Pyramid, Pyramid]:
    return now.ref["y"], now.dis["y"]


def _atoms(now: Pair, before: tuple[Pyramid, Pyramid]) -> dict[str, Array]:
    found = st_rred(*_luma(now), *before)
    return {name: getattr(found, name) for name in _NAMES}


def _extract(ref: Planes, dis: Planes, options: Options) -> Series:
    transform, rounded = _transform(options), is_rounded(ref)
    return over_frames(ref, dis, transform, _luma, _atoms, rounded=rounded)


FEATURE = Feature(
    name="strred",
    summary="spatio-temporal entropic differences on Haar details (ST-RRED, S-RRED, T-RRED)",
    options=_OPTIONS,
    outputs=lambda options: tuple(Output(name, "lower") for name in _NAMES),
    extract=_extract,
    before=lambda options: 1,
    finish=lambda series, options: zero_first_frame(series, _NAMES),
    check=lambda ref, options: _transform(options).check("strred", ref.height, ref.width),
)


def strred(
    ref: Any,
    dis: Any,
    *,
    bit_depth: int | None = None,
    levels: int = 2,
    csf: str = "nadenau_spat",
    half_size: bool = False,
    **options: Any,
) -> dict[str, Array]:
    """Entropic differences on Haar details of luma.

    Models how far the local entropies of subbands, and of their change from frame to frame, drift
    from the reference's. The defaults are those of full-scale Y-FUNQUE+; `csf="li"` with
    `half_size=True` gives the srred and trred of 3C-FUNQUE+.

    Args:
        ref: reference, luma code values `(frames, height, width)` or a `Planes`.
        dis: distorted video of the same shape.
        bit_depth: bits a sample; needed unless the samples are uint8 or a `Planes`.
        levels: levels of the pyramid, 1 to 5.
        csf: "none", a name of `WAVELET_CSF` (weights) or of `SPATIAL_CSF` (filter).
        half_size: halve the picture first, as the half-size sets do.
        **options: the same options under their aliases.

    Returns:
        `{"strred", "srred", "trred"}`, each `(frames,)`: 0 for a perfect pair, lower is better, 0
        on the first frame.

    Raises:
        ValueError: bad options or sizes. TypeError: bad dtypes.

    Source: FUNQUE+ (funque_plus 65d0b88). Matches it to 2e-5 relative.
    """
    given = {"levels": levels, "csf": csf, "half_size": half_size}
    return run(FEATURE, ref, dis, bit_depth, given, options)
