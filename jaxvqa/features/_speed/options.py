"""Options of libvmaf's SpEED features."""

from __future__ import annotations

from dataclasses import dataclass

from jaxvqa._ops.resize import METHODS
from jaxvqa.features._options import Options, option


@dataclass(frozen=True)
class SpeedOptions(Options):
    """Options that both forms of SpEED share."""

    kernel_scale: float = option(
        1.0,
        "width of the filters; one of 21 values",
        0.1,
        4.0,
        name="speed_kernelscale",
        alias="ks",
    )
    prescale: float = option(
        1.0,
        "resize the pictures by this factor first",
        0.1,
        4.0,
        name="speed_prescale",
        alias="ps",
    )
    prescale_method: str = option(
        "nearest",
        "how to resize",
        choices=METHODS,
        name="speed_prescale_method",
        alias="psm",
    )
    sigma_nn: float = option(
        0.29,
        "variance of the neural noise",
        0.1,
        2.0,
        name="speed_sigma_nn",
        alias="snn",
    )
    nn_floor: float = option(
        0.0,
        "raises the entropy below which blocks don't count",
        0.0,
        1.0,
        name="speed_nn_floor",
        alias="nnf",
    )


@dataclass(frozen=True)
class SpeedChromaOptions(SpeedOptions):
    """Options of `speed_chroma`."""

    max_val: float = option(
        1000.0,
        "upper limit of every output",
        0.0,
        1000.0,
        name="speed_max_val",
        alias="mxv",
    )
    weight_var_mode: int = option(
        0,
        "which blocks' variances weight the two entropies: each its own (0), the reference's (1), "
        "the distorted's (2), their mean (3); reference with its own and distorted with a mix of "
        "50 % (4), 75 % (5) or 25 % (6) of the reference's",
        0,
        6,
        name="speed_weight_var_mode",
        alias="wvm",
    )


@dataclass(frozen=True)
class SpeedTemporalOptions(SpeedOptions):
    """Options of `speed_temporal`."""

    max_val: float = option(
        1000.0,
        "part of the output's name only: libvmaf doesn't apply it to this feature",
        0.0,
        1000.0,
        name="speed_max_val",
        alias="mxv",
    )
    use_ref_diff: bool = option(
        False,
        "subtract the reference frame from the previous distorted one instead of the distorted",
        name="speed_use_ref_diff",
        alias="urd",
    )
    weight_var_mode: int = option(
        0,
        "ignored: libvmaf accepts it for speed_chroma's sake",
        0,
        6,
        name="speed_weight_var_mode",
    )
