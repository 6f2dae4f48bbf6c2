"""Options and outputs that the float and the integer ADM share."""

from __future__ import annotations

from jaxvqa.features._feature import Output
from jaxvqa.features._options import Option, Options

COMMON = (
    Option("adm_enhn_gain_limit", "enhancement_gain_limit", 100.0, "largest gain credited to the "
           "distorted video; 1 ignores enhancement (NEG)", 1.0, 100.0, alias="egl"),
    Option("adm_norm_view_dist", "norm_view_dist", 3.0, "viewing distance in picture heights", 0.75,
           24.0, alias="nvd"),
    Option("adm_csf_scale", "csf_scale", 1.0, "factor of the Barten sensitivity, h and v bands",
           0.0, 50.0, alias="scf"),
    Option("adm_csf_diag_scale", "csf_diag_scale", 1.0, "factor of the Barten sensitivity, "
           "diagonal band", 0.0, 50.0, alias="scfd"),
    Option("adm_noise_weight", "noise_weight", 0.03125, "constant that keeps flat areas from "
           "dominating", 0.0, 1500.0, alias="nw"),
    Option("adm_dlm_weight", "dlm_weight", 0.5, "share of adm2 in adm3", 0.0, 1.0, alias="dlmw"),
    Option("adm_min_val", "min_val", 0.0, "floor of adm3", 0.0, 1.0, alias="min"),
    Option("adm_skip_scale0", "skip_scale0", False, "leave the finest scale out", alias="ssz"),
    Option("debug", "debug", False, "also report numerators and denominators"),
)  # fmt: skip

FLOAT_OPTIONS = (
    *COMMON,
    Option("adm_ref_display_height", "ref_display_height", 1080, "lines of the display", 1, 4320,
           alias="rdf"),
    Option("adm_csf_mode", "csf_mode", 0, "contrast sensitivity: 0 Watson 1997 (also 3 to 9), 1 "
           "Barten, 2 native ADM", 0, 9, alias="csf"),
    Option("adm_p_norm", "p_norm", 3.0, "exponent of the pooling", 1.0, 20.0, alias="apn"),
    Option("adm_bypass_cm", "bypass_cm", 0, "1 switches contrast masking off", 0, 1, alias="bcm"),
    Option("adm_adm3_apply_hm", "adm3_apply_hm", False, "adm3 as 2 adm2 aim / (adm2 + aim), as the "
           "tool computes it", alias="aah"),
    *(Option(f"adm_f{b}s{s}", f"f{b}s{s}", -1.0, f"sensitivity of scale {s}, "
             f"{'h and v bands' if b == 1 else 'diagonal band'}; negative: from csf_mode", -1.0,
             10.0, alias=f"f{b}s{s}")
      for b in (1, 2) for s in range(4)),
    Option("adm_skip_aim_scale", "skip_aim_scale", -1, "scale left out of aim; -1 for none", -1, 3,
           alias="sasc"),
)  # fmt: skip

INTEGER_OPTIONS = (
    *COMMON,
    Option("adm_ref_display_height", "ref_display_height", 1080, "lines of the display", 1, 4320,
           alias="rdh"),
    Option("adm_csf_mode", "csf_mode", 0, "contrast sensitivity: 0 Watson 1997, 2 Barten-Watson "
           "blend, 3 blend fitted by absolute error (1 overflows in libvmaf and is refused)", 0, 3,
           alias="csf"),
    Option("adm_skip_aim", "skip_aim", False, "do not compute aim; it counts as 0 in adm3"),
)  # fmt: skip


def outputs(prefix: str, options: Options) -> tuple[Output, ...]:
    """Outputs of either form; `prefix` is "" or "integer_"."""
    raw = f"VMAF_{prefix}feature_"
    result = [
        Output(f"{prefix}{name}", "lower" if name == "aim" else "higher", f"{raw}{name}_score")
        for name in ("adm2", "aim", "adm3")
    ]
    for scale in range(4):
        name = f"{prefix}adm_scale{scale}"
        key = name if prefix else f"{raw}adm_scale{scale}_score"
        result.append(Output(name, "higher", key))
    if options.debug:
        parts = ("adm", "adm_num", "adm_den")
        parts += tuple(f"adm_{p}_scale{s}" for s in range(4) for p in ("num", "den"))
        result += [Output(prefix + p, "higher" if p == "adm" else "neither") for p in parts]
    return tuple(result)
