"""Which extractor provides a feature key of a libvmaf model file."""

from __future__ import annotations


def _keys(prefix: str, extractor: str, *names: str) -> dict[str, str]:
    return {f"{prefix}_{name}_score": extractor for name in names}


_ADM_SCALES = tuple(f"adm_scale{i}" for i in range(4))
_VIF_SCALES = tuple(f"vif_scale{i}" for i in range(4))

# the first extractor that lists a key in its provided features, as libvmaf looks it up
EXTRACTORS = {
    **_keys("VMAF_feature", "float_adm", "adm2", "aim", "adm3", *_ADM_SCALES),
    **_keys("VMAF_feature", "float_vif", *_VIF_SCALES),
    **_keys("VMAF_feature", "float_motion", "motion", "motion2", "motion3"),
    **_keys("VMAF_integer_feature", "adm", "adm2", "aim", "adm3"),
    **_keys("VMAF_integer_feature", "vif", *_VIF_SCALES),
    **_keys("VMAF_integer_feature", "motion", "motion_sad", "motion", "motion2", "motion3"),
    **_keys("Cambi_feature", "cambi", "cambi"),
    **_keys("Speed_chroma_feature_speed_chroma", "speed_chroma", "u", "v", "uv"),
    **_keys("Speed_temporal_feature", "speed_temporal", "speed_temporal"),
    **_keys("FUNQUE_feature", "funque_2022", "dlm", "motion", "wd_essim", "vif_scale1",
            "vif_scale2"),
}  # fmt: skip


def extractor_of(key: str) -> str:
    """Name of the extractor that provides `key`.

    Raises:
        ValueError: no extractor does.
    """
    if key not in EXTRACTORS:
        raise ValueError(
            f"no feature extractor provides {key!r}; models may use the features of: "
            f"{', '.join(dict.fromkeys(EXTRACTORS.values()))}."
        )
    return EXTRACTORS[key]
