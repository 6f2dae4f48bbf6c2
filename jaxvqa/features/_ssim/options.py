"""What SSIM and MS-SSIM share: options, decibels, and the names of outputs."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import jax.numpy as jnp

from jaxvqa._planes import Planes
from jaxvqa._typing import Array, Float
from jaxvqa.features._feature import Output, Perfect
from jaxvqa.features._options import Options, option

_LCS_HELP = "report luminance, contrast and structure too"
_DB_HELP = "give the score as -10 log10(1 - score) decibels"
_CLIP_HELP = "limit decibels to those of half a squared code of error in the whole picture"


@dataclass(frozen=True)
class MsSsimOptions(Options):
    """Options of `float_ms_ssim`."""

    enable_lcs: bool = option(False, _LCS_HELP, adds_outputs=True)
    enable_db: bool = option(False, _DB_HELP)
    clip_db: bool = option(False, _CLIP_HELP)


@dataclass(frozen=True)
class SsimOptions(MsSsimOptions):
    """Options of `float_ssim`."""

    scale: int = option(
        0,
        "downsampling factor; 0 is the shorter side over 256, rounded, at least 1",
        0,
        10,
    )


def has_codes(ref: Planes, dis: Planes) -> bool:
    """True if both pictures are whole codes."""
    return all(jnp.issubdtype(x.y.dtype, jnp.integer) for x in (ref, dis))


def most_decibels(planes: Planes) -> float:
    """The score of an error of half a squared code value in the whole picture, rounded up."""
    return float(math.ceil(10 * math.log10(planes.peak**2 * planes.width * planes.height / 0.5)))


def score_of(
    lacks: Float[Array, " frames"], ref: Planes, options: MsSsimOptions
) -> Float[Array, " frames"]:
    """The score from what it lacks of 1, in decibels if asked for; those of an equal pair are inf.

    What is lacking is known to more digits than the score.
    """
    if not options.enable_db:
        return 1.0 - lacks
    some = lacks > 0
    decibels = -10.0 * jnp.log10(jnp.where(some, lacks, 1.0))
    decibels = jnp.where(some, decibels, jnp.inf)
    return jnp.minimum(decibels, most_decibels(ref)) if options.clip_db else decibels


def score_of_mean(
    mean: Float[Array, " frames"], ref: Planes, options: MsSsimOptions
) -> Float[Array, " frames"]:
    """The same from the score itself in float64, as the tool has it: what lacks of 1 is rounded."""
    return score_of(1.0 - mean, ref, options) if options.enable_db else mean


def perfect(options: MsSsimOptions) -> Perfect:
    """The score of an equal pair."""
    if not options.enable_db:
        return 1.0
    return most_decibels if options.clip_db else math.inf


def check_no_decibels(name: str) -> Callable[[MsSsimOptions], None]:
    """A check for losses: decibels have no value of an equal pair to count from."""

    def check(options: MsSsimOptions) -> None:
        if options.enable_db:
            raise ValueError(f"{name} in decibels is no loss: leave enable_db out.")

    return check


def outputs(names: tuple[str, ...], options: MsSsimOptions) -> tuple[Output, ...]:
    """The score, the first name, and with `enable_lcs` its parts."""
    score, *parts = names
    result = [Output(score, "higher", perfect(options), key=score)]
    if options.enable_lcs:
        result += [Output(name, "higher", 1.0, key=name, for_models=False) for name in parts]
    return tuple(result)
