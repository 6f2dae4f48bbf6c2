"""Plain forms of the metrics: against the numpy oracles, and the fast forms against them."""

import ast
import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxvqa.features._adm.plain
import jaxvqa.features._ansnr.plain
import jaxvqa.features._motion.plain
import jaxvqa.features._ssim.plain
import jaxvqa.features._vif.plain
from jaxvqa.features._adm.float_adm import adm
from jaxvqa.features._ansnr.float_ansnr import ansnr
from jaxvqa.features._motion.float_motion import motion
from jaxvqa.features._ssim.float_ms_ssim import ms_ssim
from jaxvqa.features._ssim.float_ssim import ssim
from jaxvqa.features._vif.float_vif import vif
from tests import clips, laws, tolerances
from tests.oracles import float_features as oracle
from tests.oracles import psnr as psnr_oracle
from tests.oracles import ssim as ssim_oracle

PACKAGE = Path(jaxvqa.__file__).parent


@dataclass(frozen=True)
class Metric:
    """One metric in its forms, each a function of two clips on the 8-bit scale.

    Args:
        plain: the page to read, `{score: (frames,)}`.
        fast: what the package computes with; it may give more scores.
        oracle: in numpy, `{score: [by frame]}`; it may give fewer.
        agreement: fast against plain in float64, relative.
        rounding: either in float32 against plain in float64, absolute.
    """

    plain: Callable
    fast: Callable
    oracle: Callable
    agreement: float
    rounding: float


def plain_frames(fn):
    return lambda ref, dis, **options: jax.vmap(functools.partial(fn, **options))(ref, dis)


def oracle_frames(fn, *names):
    def clip(ref, dis, **options):
        rows = [fn(*frames, **options) for frames in zip(ref, dis, strict=True)]
        return dict(zip(names, zip(*rows, strict=True), strict=True))

    return clip


def oracle_ms_ssim(ref, dis):
    rows = [ssim_oracle.ms_ssim(*frames) for frames in zip(ref, dis, strict=True)]
    found = {"float_ms_ssim": [row[0] for row in rows]}
    for part, name in enumerate("lcs", 1):
        for scale in range(5):
            found[f"float_ms_ssim_{name}_scale{scale}"] = [row[part][scale] for row in rows]
    return found


def oracle_motion(ref, dis):
    return dict(zip(("motion", "motion2", "motion3"), oracle.motion(list(ref)), strict=True))


METRICS = {
    "vif": Metric(
        plain=plain_frames(jaxvqa.features._vif.plain.vif),
        fast=functools.partial(vif, bit_depth=8, debug=True),
        oracle=oracle_frames(oracle.vif, *(f"vif_scale{s}" for s in range(4))),
        agreement=tolerances.FLOAT64_RELATIVE,
        rounding=tolerances.FLOAT_VIF_ORACLE,
    ),
    "adm": Metric(
        plain=plain_frames(jaxvqa.features._adm.plain.adm),
        fast=functools.partial(adm, bit_depth=8),
        oracle=oracle_frames(
            oracle.adm, "adm2", "aim", "adm3", *(f"adm_scale{s}" for s in range(4))
        ),
        agreement=tolerances.ADM_WEIGHTS_FLOAT32,
        rounding=tolerances.FLOAT_ADM,
    ),
    "ansnr": Metric(
        plain=plain_frames(jaxvqa.features._ansnr.plain.ansnr),
        fast=functools.partial(ansnr, bit_depth=8),
        oracle=oracle_frames(psnr_oracle.ansnr, "float_ansnr", "float_anpsnr"),
        agreement=tolerances.FLOAT64_RELATIVE,
        rounding=tolerances.ANSNR_ORACLE,
    ),
    "ssim": Metric(
        plain=plain_frames(jaxvqa.features._ssim.plain.ssim),
        fast=functools.partial(ssim, bit_depth=8, enable_lcs=True),
        oracle=oracle_frames(
            ssim_oracle.ssim, "float_ssim", *(f"float_ssim_{part}" for part in "lcs")
        ),
        agreement=tolerances.FLOAT64_RELATIVE,
        rounding=tolerances.SSIM_ORACLE,
    ),
    "ms_ssim": Metric(
        plain=plain_frames(jaxvqa.features._ssim.plain.ms_ssim),
        fast=functools.partial(ms_ssim, bit_depth=8, enable_lcs=True),
        oracle=oracle_ms_ssim,
        agreement=tolerances.FLOAT64_RELATIVE,
        rounding=tolerances.SSIM_ORACLE,
    ),
    "motion": Metric(
        plain=lambda ref, dis: jaxvqa.features._motion.plain.motion(ref),
        fast=functools.partial(motion, bit_depth=8),
        oracle=oracle_motion,
        agreement=tolerances.FLOAT64_RELATIVE,
        rounding=tolerances.FLOAT_MOTION,
    ),
}

# metric, (frames, height, width), options, the same for the oracle
CASES = [
    ("vif", (2, 23, 34), {}, {}),
    ("vif", (2, 32, 19), {"kernel_scale": 0.5, "enhancement_gain_limit": 1.0, "sigma_nsq": 0.4},
     {"kernel_scale": 0.5, "gain_limit": 1.0, "noise": 0.4}),
    ("adm", (2, 23, 34), {}, {}),
    ("adm", (2, 36, 17), {"enhancement_gain_limit": 1.1, "norm_view_dist": 1.5,
     "ref_display_height": 2000, "noise_weight": 0.0, "dlm_weight": 0.3, "p_norm": 2.0},
     {"gain_limit": 1.1, "distance": 1.5, "lines": 2000, "noise_weight": 0.0, "dlm_weight": 0.3,
      "p": 2.0}),
    ("ansnr", (2, 23, 34), {}, {}),
    ("ssim", (2, 23, 34), {}, {}),
    ("ssim", (2, 35, 48), {"scale": 3}, {"scale": 3}),
    ("ssim", (1, 389, 401), {}, {}),
    ("ms_ssim", (1, 177, 190), {}, {}),
    ("motion", (5, 23, 34), {}, {}),
    ("motion", (1, 16, 21), {}, {}),
]  # fmt: skip
# one case of each metric, its default options
FIRST = [next(case for case in CASES if case[0] == metric) for metric in METRICS]

PLAIN_FILES = sorted((PACKAGE / "features").glob("_*/plain*.py"))
# no strips, stages or fast forms: tables of weights and other plain files at most
PLAIN_IMPORTS = {
    "__future__", "math", "functools", "typing", "collections.abc", "jax", "jax.numpy",
    "jaxvqa._typing", "jaxvqa._ops", "jaxvqa.features._funque.csf", "numpy",
    "jaxvqa.features._psnr_hvs.dct",  # the transform is defined by its integer steps
}  # fmt: skip
# lines of code; two metrics share the SpEED file, seven sets FUNQUE's
PLAIN_LINES = {"_speed": 110, "_funque": 160}


@functools.lru_cache
def program(metric, form, options, with_changes=False):
    """Scores of one form, compiled; also how they change along a change of the frames."""
    fn = functools.partial(getattr(METRICS[metric], form), **dict(options))
    traced = (lambda frames, changes: jax.jvp(fn, frames, changes)) if with_changes else fn
    # a few small frames run: optimising the programs would take longer than that
    return jax.jit(traced, compiler_options={"xla_backend_optimization_level": 0})


def in_float64(metric, form, options, pair):
    """Scores and their changes along one random direction."""
    changes = np.random.default_rng(0).normal(size=(2, *pair[0].shape))
    with jax.enable_x64(True):
        wide = [tuple(jnp.asarray(x, jnp.float64) for x in p) for p in (pair, changes)]
        return program(metric, form, tuple(options.items()), with_changes=True)(*wide)


def random_pair(shape):
    """Random frames; the first lost contrast and got noise, the last one gained contrast."""
    rng = np.random.default_rng(shape[1])
    ref, noise = rng.uniform(0, 255, (2, *shape))
    share = rng.uniform(0.5, 1.0, shape)
    dis = share * ref + (1 - share) * noise
    dis[-1] = 128 + 1.2 * (ref[-1] - 128) + 0.02 * noise[-1]
    return ref, dis


def check_close(found, expected, *, rtol=0.0, atol=0.0, label=""):
    for name, values in expected.items():
        np.testing.assert_allclose(
            found[name], values, rtol=rtol, atol=atol, err_msg=f"{label} {name}"
        )


@pytest.mark.parametrize(("metric", "shape", "options", "given"), CASES)
def test_plain_form_matches_the_oracle(metric, shape, options, given):
    pair = random_pair(shape)
    found, _ = in_float64(metric, "plain", options, pair)
    assert all(values.dtype == np.float64 for values in found.values())
    check_close(found, METRICS[metric].oracle(*pair, **given), rtol=tolerances.FLOAT64_RELATIVE)


@pytest.mark.parametrize(("metric", "shape", "options", "given"), CASES)
def test_fast_form_matches_the_plain_form(metric, shape, options, given):
    pair, limit = random_pair(shape), METRICS[metric].agreement
    fast, fast_changes = in_float64(metric, "fast", options, pair)
    plain, plain_changes = in_float64(metric, "plain", options, pair)
    check_close(fast, plain, rtol=limit)
    for name, changes in plain_changes.items():
        largest = np.abs(changes).max()
        np.testing.assert_allclose(
            fast_changes[name], changes, rtol=0, atol=limit * largest, err_msg=name
        )


@pytest.mark.parametrize(("metric", "shape", "options", "given"), FIRST)
def test_degenerate_frames(metric, shape, options, given):
    for label, *pair in laws.degenerate_frames(*shape[1:]):
        # repeated to the frames of the case, whose programs are compiled already
        pair = tuple(np.resize(x, shape).astype(np.float64) for x in pair)
        fast, _ = in_float64(metric, "fast", options, pair)
        plain, changes = in_float64(metric, "plain", options, pair)
        for name in plain:
            assert np.isfinite(plain[name]).all(), f"{label} {name}"
            assert np.isfinite(changes[name]).all(), f"{label} {name}"
        noise = tolerances.FLOAT64_RELATIVE
        expected = METRICS[metric].oracle(*pair, **given)
        check_close(plain, expected, rtol=noise, atol=noise, label=label)
        check_close(fast, plain, rtol=METRICS[metric].agreement, atol=noise, label=label)


@pytest.mark.parametrize(("metric", "shape", "options", "given"), FIRST)
def test_textured_codes_in_float32(metric, shape, options, given):
    rng = np.random.default_rng(shape[1])
    ref = clips.textured(rng, shape)
    dis = (ref // 4 + 3 * (clips.textured(rng, shape) // 4)).astype(np.uint8)
    exact, _ = in_float64(metric, "plain", options, (ref, dis))
    plain = program(metric, "plain", ())(*(jnp.asarray(x, jnp.float32) for x in (ref, dis)))
    fast = program(metric, "fast", ())(ref, dis)
    assert all(values.dtype == np.float32 for values in plain.values())
    check_close(plain, exact, atol=METRICS[metric].rounding)
    check_close(fast, exact, atol=METRICS[metric].rounding)


def test_adm_of_flat_frames_without_noise_weight():
    _, shape, options, _ = next(c for c in CASES if "noise_weight" in c[2])
    flat = np.full(shape, 127.0)
    for form in ("plain", "fast"):
        found, _ = in_float64("adm", form, options, (flat, flat))
        np.testing.assert_array_equal(found["adm2"], 1.0)
        np.testing.assert_array_equal(found["aim"], 0.0)


@pytest.mark.parametrize("file", PLAIN_FILES, ids=lambda file: file.parent.name + file.stem)
def test_plain_forms_stay_plain(file):
    tree = ast.parse(file.read_text())
    imports = {n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
    imports |= {a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
    own = f"jaxvqa.features.{file.parent.name}.plain"
    assert {name for name in imports if not name.startswith(own)} <= PLAIN_IMPORTS
    lines = ast.unparse(without_docstrings(tree)).splitlines()
    assert sum(line != "" for line in lines) <= PLAIN_LINES.get(file.parent.name, 80)


def without_docstrings(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.FunctionDef) and ast.get_docstring(node):
            del node.body[0]
    return tree
