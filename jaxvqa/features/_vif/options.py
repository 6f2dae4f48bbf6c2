"""What the float and the integer VIF share: options and the names of outputs."""

from __future__ import annotations

from dataclasses import dataclass

from jaxvqa._ops.resize import METHODS
from jaxvqa.features._feature import MEASURED, Output
from jaxvqa.features._options import Options, option

SCALES = 4


@dataclass(frozen=True)
class VifOptions(Options):
    """Options that both forms of VIF share."""

    enhancement_gain_limit: float = option(
        100.0,
        "largest gain credited to the distorted video; 1 ignores enhancement (NEG)",
        1.0,
        100.0,
        name="vif_enhn_gain_limit",
        alias="egl",
    )
    skip_scale0: bool = option(
        False,
        "leave the finest scale out; its score is then 0",
        name="vif_skip_scale0",
        alias="ssclz",
    )
    debug: bool = option(
        False,
        "report VIF of all scales together, numerators and denominators too",
        adds_outputs=True,
    )


@dataclass(frozen=True)
class FloatVifOptions(VifOptions):
    """Options of `float_vif`."""

    kernel_scale: float = option(
        1.0,
        "width of the Gaussian windows, one of 21 values",
        0.1,
        4.0,
        name="vif_kernelscale",
        alias="ks",
    )
    prescale: float = option(
        1.0,
        "resize both pictures by this factor first",
        0.1,
        4.0,
        name="vif_prescale",
        alias="ps",
    )
    prescale_method: str = option(
        "nearest",
        "how prescale resamples",
        choices=METHODS,
        name="vif_prescale_method",
        alias="pm",
    )
    sigma_nsq: float = option(
        2.0,
        "variance of the visual noise, squared 8-bit code values",
        0.0,
        5.0,
        name="vif_sigma_nsq",
        alias="snsq",
    )
    scale1_min_val: float = option(
        0.0,
        "floor of the scale 1 score",
        0.0,
        1.0,
        name="vif_scale1_min_val",
        alias="s1miv",
    )
    scale2_min_val: float = option(
        0.0,
        "floor of the scale 2 score",
        0.0,
        1.0,
        name="vif_scale2_min_val",
        alias="s2miv",
    )
    scale3_min_val: float = option(
        0.0,
        "floor of the scale 3 score",
        0.0,
        1.0,
        name="vif_scale3_min_val",
        alias="s3miv",
    )


def outputs(prefix: str, options: VifOptions) -> tuple[Output, ...]:
    """Outputs of either form; `prefix` is "" or "integer_".

    VIF of all scales together is always computed, and shown with `debug` only, as in libvmaf.
    """
    result = [
        Output(
            f"{prefix}vif_scale{scale}",
            "higher",
            perfect=0.0 if scale == 0 and options.skip_scale0 else 1.0,
            key=f"VMAF_{prefix}feature_vif_scale{scale}_score",
        )
        for scale in range(SCALES)
    ]
    result.append(
        Output(
            f"{prefix}vif",
            "higher",
            perfect=1.0,
            key=f"{prefix}vif",
            shown=options.debug,
        )
    )
    if options.debug:
        parts = ["vif_num", "vif_den"]
        parts += [f"vif_{part}_scale{scale}" for scale in range(SCALES) for part in ("num", "den")]
        for name in (prefix + part for part in parts):
            result.append(Output(name, "neither", MEASURED, key=name))
    return tuple(result)
