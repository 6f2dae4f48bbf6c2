"""Options of libvmaf's `vmaf` that are no setting of ours: sets of metrics, and those of no use."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from typing import Any

from jaxvqa._cli.errors import UsageError
from jaxvqa._cli.terminal import warn
from jaxvqa._scoring.auto import AUTO
from jaxvqa._settings import Setting
from jaxvqa.fusion._catalog import load_request
from jaxvqa.fusion._request import parse_model_text

_AOM_FIRST = ("v1.0", "v2.0")
_AOM_CAMBI = ("v3.0", "v4.0", "v5.0", "v6.0")
_AOM_LATEST = "v7.0"
AOM_CTC = (*_AOM_FIRST, *_AOM_CAMBI, _AOM_LATEST)
NFLX_CTC = ("v1.0",)

_IN_DB = "enable_db=true:clip_db=true"

# settings for which the tool takes 0 as it takes their absence
_ZERO_IS_DEFAULT = ("frame_count", "subsample")

# options that change no value, and what to use for their purpose
_USELESS = {
    "cpumask": "programs are compiled for this processor, and --threads says how much of it to use",
    "gpumask": "--device cpu or --device gpu says where to compute",
}
# options of older and other builds of the tool, in our spelling, and what to write instead
INSTEAD = {
    "--backend": "--device cpu or --device gpu",
    "--no-cuda": "--device cpu",
    "--no-sycl": "--device cpu",
    "--no-vulkan": "--device cpu",
    "--no-hip": "--device cpu",
    "--no-metal": "--device cpu",
    "--psnr": "--feature psnr",
    "--ssim": "--feature float_ssim",
    "--ms-ssim": "--feature float_ms_ssim",
    "--phone-model": "--model version=vmaf_v0.6.1:enable_transform",
    "--enable-transform": "--model version=vmaf_v0.6.1:enable_transform",
    "--disable-clip": "--model version=vmaf_v0.6.1:disable_clip",
    "--ci": "--model vmaf_b_v0.6.3",
    "--log": "--output FILE",
    "--log-path": "--output FILE",
    "--log-fmt": "--format json, xml or csv",
    "--thread": "--threads N",
    "--n-threads": "--threads N",
    "--n-subsample": "--subsample N",
}


def parse_of(known: Setting) -> Callable[[str], Any]:
    """How a command line's text for a setting is parsed.

    Source: libvmaf f85a853, `tools/vmaf.c` and `libvmaf.c`.
    """
    if known.name not in _ZERO_IS_DEFAULT:
        return known.parse
    return lambda text: known.default if text == "0" else known.parse(text)


def aom_ctc(version: str) -> tuple[list[str], list[str]]:
    """Models and features of a version of AOM's common test conditions.

    Source: libvmaf f85a853, `tools/cli_parse.c`.
    """
    features = ["psnr=reduced_hbd_peak=true:enable_apsnr=true:min_sse=0.5", "ciede"]
    scale = "scale=1:" if version == _AOM_LATEST else ""
    features += [f"float_ssim={scale}{_IN_DB}", f"float_ms_ssim={_IN_DB}", "psnr_hvs"]
    if version not in _AOM_FIRST:
        features.append("cambi")
    return _with_neg("vmaf_v0.6.1"), features


def nflx_ctc(version: str) -> tuple[list[str], list[str]]:
    """Models and features of a version of Netflix' test conditions; the same source."""
    del version  # there is one
    features = ["psnr=enable_chroma=true:enable_apsnr=true", f"float_ssim={_IN_DB}", "cambi"]
    return _with_neg("vmaf_4k_v0.6.1"), features


def _with_neg(model: str) -> list[str]:
    return [f"version={model}:name=vmaf", f"version={model}neg:name=vmaf_neg"]


_SETS = {"aom_ctc": aom_ctc, "nflx_ctc": nflx_ctc}


def add_sets(group: Any) -> None:
    """Adds the options that name a set of metrics."""
    for name, versions, whose in (("aom", AOM_CTC, "AOM"), ("nflx", NFLX_CTC, "Netflix")):
        group.add_argument(
            f"--{name}-ctc",
            metavar="VERSION",
            choices=versions,
            help=f"the metrics of {whose}'s common test conditions: {', '.join(versions)}",
        )


def add_useless(group: Any) -> None:
    """Adds the options that are taken and change nothing, since lines with them are pasted."""
    group.add_argument("-c", "--cpumask", metavar="N", help="libvmaf's; changes nothing here")
    group.add_argument("--gpumask", metavar="N", help="libvmaf's; changes nothing here")


def add_metrics(args: argparse.Namespace, given: dict[str, Any]) -> None:
    """Adds the named sets to the settings of a request, before what else was asked for."""
    for name, members in _SETS.items():
        version = getattr(args, name)
        if version is None:
            continue
        models, features = members(version)
        given["model"] = [*models, *given.get("model", ())]
        given["features"] = [*features, *given.get("features", ())]


def features_of(models: Iterable[str]) -> list[str]:
    """What models read, as `--feature` takes it; each once.

    Raises:
        UsageError: a model that is chosen when the videos are known. ValueError: no such model.
    """
    found: dict[str, None] = {}
    for text in models:
        request = parse_model_text(text)
        if request.source == AUTO:
            raise UsageError(
                f"--no-model takes the features of models that it knows, not those of {AUTO}: "
                "name a model, or write --feature NAME."
            )
        for ref in load_request(request).features:
            options = ":".join(f"{name}={value}" for name, value in ref.settings.items())
            found["=".join(filter(None, (ref.extractor, options)))] = None
    return list(found)


def tell_useless(args: argparse.Namespace) -> None:
    """Warns of options that change nothing."""
    for name, instead in _USELESS.items():
        if getattr(args, name) is not None:
            warn(f"--{name} changes nothing here: {instead}.")
