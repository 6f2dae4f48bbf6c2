"""Random model files in libvmaf's format, built without the package."""

KEYS = (
    "VMAF_integer_feature_adm3_score",
    "Speed_chroma_feature_speed_chroma_uv_score",
    "VMAF_feature_vif_scale0_score",
    "Cambi_feature_cambi_score",
)


def libvmaf_file(rng, *, norm_type="linear_rescale", count=3, vectors=7, **settings):
    """A single model with some zeros in its sparse support vectors."""
    lines = [
        "svm_type nu_svr", "kernel_type rbf", f"gamma {rng.uniform(0.02, 0.1)!r}", "nr_class 2",
        f"total_sv {vectors}", f"rho {rng.normal()!r}", "SV",
    ]  # fmt: skip
    for _ in range(vectors):
        pairs = [f"{i + 1}:{rng.normal()!r}" for i in range(count) if rng.random() < 0.8]
        lines.append(" ".join([repr(float(rng.normal() * 4)), *pairs]) + " ")
    values = {"model_type": "LIBSVMNUSVR", "norm_type": norm_type, "feature_dict": {"skipped": 1}}
    values["feature_names"] = list(KEYS[:count])
    if norm_type == "linear_rescale":
        values["slopes"] = [0.05, *rng.uniform(0.5, 2, count)]
        values["intercepts"] = [-0.3, *rng.normal(size=count)]
    values["model"] = "\n".join(lines) + "\n"
    return {"param_dict": {"C": 4.0}, "model_dict": values | settings}
