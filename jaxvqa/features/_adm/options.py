"""Options and outputs that the float and the integer ADM share."""

from __future__ import annotations

from dataclasses import dataclass

from jaxvqa.features._feature import MEASURED, Output
from jaxvqa.features._options import Options, option


@dataclass(frozen=True)
class AdmOptions(Options):
    """Options that both forms of ADM share."""

    enhancement_gain_limit: float = option(
        100.0,
        "largest gain credited to the distorted video; 1 ignores enhancement (NEG)",
        1.0,
        100.0,
        name="adm_enhn_gain_limit",
        alias="egl",
    )
    norm_view_dist: float = option(
        3.0,
        "viewing distance in picture heights",
        0.75,
        24.0,
        name="adm_norm_view_dist",
        alias="nvd",
    )
    csf_scale: float = option(
        1.0,
        "factor of the Barten sensitivity, h and v bands",
        0.0,
        50.0,
        name="adm_csf_scale",
        alias="scf",
    )
    csf_diag_scale: float = option(
        1.0,
        "factor of the Barten sensitivity, diagonal band",
        0.0,
        50.0,
        name="adm_csf_diag_scale",
        alias="scfd",
    )
    noise_weight: float = option(
        0.03125,
        "constant that keeps flat areas from dominating",
        0.0,
        1500.0,
        name="adm_noise_weight",
        alias="nw",
    )
    dlm_weight: float = option(
        0.5,
        "share of adm2 in adm3",
        0.0,
        1.0,
        name="adm_dlm_weight",
        alias="dlmw",
    )
    min_val: float = option(0.0, "floor of adm3", 0.0, 1.0, name="adm_min_val", alias="min")
    skip_scale0: bool = option(
        False,
        "leave the finest scale out",
        name="adm_skip_scale0",
        alias="ssz",
    )
    debug: bool = option(False, "also report numerators and denominators", adds_outputs=True)


@dataclass(frozen=True)
class FloatAdmOptions(AdmOptions):
    """Options of `float_adm`."""

    ref_display_height: int = option(
        1080,
        "lines of the display",
        1,
        4320,
        name="adm_ref_display_height",
        alias="rdf",
    )
    csf_mode: int = option(
        0,
        "contrast sensitivity: 0 Watson 1997 (also 3 to 9), 1 Barten, 2 native ADM",
        0,
        9,
        name="adm_csf_mode",
        alias="csf",
    )
    p_norm: float = option(
        3.0,
        "exponent of the pooling",
        1.0,
        20.0,
        name="adm_p_norm",
        alias="apn",
    )
    bypass_cm: int = option(
        0,
        "1 switches contrast masking off",
        0,
        1,
        name="adm_bypass_cm",
        alias="bcm",
    )
    adm3_apply_hm: bool = option(
        False,
        "adm3 as 2 adm2 aim / (adm2 + aim), as the tool computes it",
        name="adm_adm3_apply_hm",
        alias="aah",
    )
    f1s0: float = option(
        -1.0,
        "sensitivity of scale 0, h and v bands; negative: from csf_mode",
        -1.0,
        10.0,
        name="adm_f1s0",
        alias="f1s0",
    )
    f1s1: float = option(
        -1.0,
        "sensitivity of scale 1, h and v bands; negative: from csf_mode",
        -1.0,
        10.0,
        name="adm_f1s1",
        alias="f1s1",
    )
    f1s2: float = option(
        -1.0,
        "sensitivity of scale 2, h and v bands; negative: from csf_mode",
        -1.0,
        10.0,
        name="adm_f1s2",
        alias="f1s2",
    )
    f1s3: float = option(
        -1.0,
        "sensitivity of scale 3, h and v bands; negative: from csf_mode",
        -1.0,
        10.0,
        name="adm_f1s3",
        alias="f1s3",
    )
    f2s0: float = option(
        -1.0,
        "sensitivity of scale 0, diagonal band; negative: from csf_mode",
        -1.0,
        10.0,
        name="adm_f2s0",
        alias="f2s0",
    )
    f2s1: float = option(
        -1.0,
        "sensitivity of scale 1, diagonal band; negative: from csf_mode",
        -1.0,
        10.0,
        name="adm_f2s1",
        alias="f2s1",
    )
    f2s2: float = option(
        -1.0,
        "sensitivity of scale 2, diagonal band; negative: from csf_mode",
        -1.0,
        10.0,
        name="adm_f2s2",
        alias="f2s2",
    )
    f2s3: float = option(
        -1.0,
        "sensitivity of scale 3, diagonal band; negative: from csf_mode",
        -1.0,
        10.0,
        name="adm_f2s3",
        alias="f2s3",
    )
    skip_aim: bool = option(
        False, "do not compute aim; it counts as 0 in adm3, as in `adm`", name="adm_skip_aim"
    )
    skip_aim_scale: int = option(
        -1,
        "scale left out of aim; -1 for none",
        -1,
        3,
        name="adm_skip_aim_scale",
        alias="sasc",
    )


@dataclass(frozen=True)
class IntegerAdmOptions(AdmOptions):
    """Options of `adm`."""

    ref_display_height: int = option(
        1080,
        "lines of the display",
        1,
        4320,
        name="adm_ref_display_height",
        alias="rdh",
    )
    csf_mode: int = option(
        0,
        "contrast sensitivity: 0 Watson 1997, 1 Barten (with csf_scale and csf_diag_scale that fit "
        "16 bits, such as 0.002893 and 0.001586), 2 Barten-Watson blend, 3 blend fitted by "
        "absolute error",
        0,
        3,
        name="adm_csf_mode",
        alias="csf",
    )
    skip_aim: bool = option(
        False,
        "do not compute aim; it counts as 0 in adm3",
        name="adm_skip_aim",
    )


def outputs(prefix: str, options: FloatAdmOptions | IntegerAdmOptions) -> tuple[Output, ...]:
    """Outputs of either form; `prefix` is "" or "integer_"."""
    full = f"VMAF_{prefix}feature_"
    mixed = isinstance(options, FloatAdmOptions) and options.adm3_apply_hm
    result = [
        Output(f"{prefix}adm2", "higher", 1.0, f"{full}adm2_score"),
        Output(f"{prefix}aim", "lower", 0.0, f"{full}aim_score"),
        # the harmonic mean with an aim of 0 is 0
        Output(
            f"{prefix}adm3",
            "higher",
            options.min_val if mixed else 1.0,
            f"{full}adm3_score",
            part="detail",
        ),
    ]
    for scale in range(4):
        name = f"{prefix}adm_scale{scale}"
        skipped = scale == 0 and options.skip_scale0
        key = name if prefix else f"{full}adm_scale{scale}_score"
        result.append(Output(name, "higher", 0.0 if skipped else 1.0, key))
    if options.debug:
        parts = ["adm_num", "adm_den"]
        parts += [f"adm_{p}_scale{s}" for s in range(4) for p in ("num", "den")]
        result.append(Output(f"{prefix}adm", "higher", 1.0))
        result += [Output(prefix + part, "neither", MEASURED) for part in parts]
    return tuple(result)
