"""Float twins of integer extractors, for faster and differentiable scores of integer models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jaxvqa.features._adm import csf

_TWINS = {"vif": "float_vif", "adm": "float_adm", "motion": "float_motion"}


def float_twin(
    extractor: str, key: str, settings: Mapping[str, Any]
) -> tuple[str, str, dict[str, Any]]:
    """The float extractor, output key and options that stand in for an integer one.

    Extractors without an integer form come back unchanged, and so does `motion` where the float
    form lacks something: a five-frame window, a moving average, the output `motion_sad`.

    Args:
        extractor: extractor name of a model feature.
        key: libvmaf's full key of the feature.
        settings: its options.
    """
    settings = dict(settings)
    only_integer = ("motion_five_frame_window", "motion_moving_average")
    if extractor not in _TWINS or any(settings.get(name) for name in only_integer):
        return extractor, key, settings
    if "motion_sad" in key:
        return extractor, key, settings
    key = key.replace("VMAF_integer_feature_", "VMAF_feature_")
    if key.startswith("integer_adm_scale"):
        key = f"VMAF_feature_{key.removeprefix('integer_')}_score"
    if extractor == "adm":
        settings = _adm_settings(settings)
    return _TWINS[extractor], key, settings


def _adm_settings(settings: dict[str, Any]) -> dict[str, Any]:
    """Sensitivity modes 2 and 3 mean tables in the integer form: they become explicit factors."""
    mode = int(settings.pop("adm_csf_mode", 0))
    settings.pop("adm_skip_aim", None)  # saves time there, changes adm3 only, which no model reads
    if mode in (2, 3):
        distance = float(settings.get("adm_norm_view_dist", 3.0))
        height = int(settings.get("adm_ref_display_height", 1080))
        for scale in range(4):
            f1, f2 = csf.blend(mode, scale, distance, height)
            settings[f"adm_f1s{scale}"], settings[f"adm_f2s{scale}"] = f1, f2
    return settings
