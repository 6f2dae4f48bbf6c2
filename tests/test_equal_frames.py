"""The law of equal frames: where `dis` is `ref`, every feature has its perfect value."""

import functools

import jax
import numpy as np
import pytest

import jaxvqa
from jaxvqa import Planes
from jaxvqa.features._registry import FEATURES
from jaxvqa.features._run import run
from tests import clips, tolerances

# numerators and denominators are compared too
SETTINGS = {
    "float_vif": {"debug": True}, "float_adm": {"debug": True},
    "float_ssim": {"enable_lcs": True}, "float_ms_ssim": {"enable_lcs": True},
}  # fmt: skip
RATIOS = {
    "float_vif": [("vif_num", "vif_den")]
    + [(f"vif_num_scale{s}", f"vif_den_scale{s}") for s in range(4)],
    "float_adm": [("adm_num", "adm_den")]
    + [(f"adm_num_scale{s}", f"adm_den_scale{s}") for s in range(4)],
}
# the other members of the FUNQUE family are made of the same atoms as these two
FLOATS = (
    "float_vif", "float_adm", "float_ssim", "float_ms_ssim", "speed_chroma",
    "speed_temporal", "speed_qa", "funque", "fs_3c_funque_plus", "strred",
)  # fmt: skip
# halves compile times and costs speed that tests don't need
QUICK = {"xla_backend_optimization_level": 0, "xla_llvm_disable_expensive_passes": True}


def textured(height, width, dtype=np.uint8):
    """Two 4:4:4 frames without flat areas: there VIF is below 1 by definition."""
    rng = np.random.default_rng(7)
    return Planes(
        *(clips.textured(rng, (2, height, width)).astype(dtype) for _ in range(3)), bit_depth=8
    )


def measure(name, ref, dis):
    return run(FEATURES[name], ref, dis, None, SETTINGS.get(name, {}))


def check_perfect(name, found, tolerance):
    feature = FEATURES[name]
    outputs = feature.outputs(feature.resolve(SETTINGS.get(name, {})))
    for output in outputs:
        best = output.perfect
        if isinstance(best, float):
            # distances and losses are exact
            room = tolerance if output.direction == "higher" else 0.0
            np.testing.assert_allclose(
                found[output.name], best, rtol=0, atol=room, err_msg=output.name
            )
    for numerator, denominator in RATIOS.get(name, ()):
        np.testing.assert_allclose(
            found[numerator], found[denominator], rtol=tolerance, atol=0, err_msg=numerator
        )


@functools.cache
def scored():
    """Float features by the scoring engine; of odd size, and large enough for strips of rows."""
    pair = textured(353, 385)
    wanted = [
        name + "".join(f"={switch}=true" for switch in SETTINGS.get(name, ())) for name in FLOATS
    ]
    return jaxvqa.score(pair, pair, model=None, features=wanted).frames


@pytest.mark.parametrize("name", FLOATS)
def test_scoring_engine(name):
    check_perfect(name, scored(), tolerances.EQUAL_FRAMES)


@pytest.mark.parametrize("name", FLOATS)
def test_float64_in_a_batch(name):
    ref = textured(176, 176, np.float64)
    batch = jax.tree.map(lambda p: np.stack([p, p[::-1]]), ref)
    program = jax.jit(jax.vmap(functools.partial(measure, name)), compiler_options=QUICK)
    with jax.enable_x64(True):
        found = program(batch, jax.tree.map(np.copy, batch))
    special = {"float_vif": tolerances.EQUAL_FRAMES_VIF_FLOAT64}
    default = tolerances.FUNQUE_NOISE if "funque" in name else tolerances.FLOAT64_SUM
    check_perfect(name, found, special.get(name, default))


@pytest.mark.parametrize(("size", "options"), [((37, 50), None), ((64, 64), QUICK)])
def test_vif_however_it_is_compiled(size, options):
    ref = textured(*size, np.float32).luma_only()
    program = jax.jit(functools.partial(measure, "float_vif"), compiler_options=options)
    check_perfect("float_vif", program(ref, ref), tolerances.EQUAL_FRAMES)


def test_vif_uncompiled():
    ref = textured(20, 24).luma_only()
    check_perfect("float_vif", measure("float_vif", ref, ref), tolerances.EQUAL_FRAMES)


def test_vif_of_resized_frames():
    ref = textured(40, 48).luma_only()
    options = {"vif_prescale": 0.75, "vif_prescale_method": "bicubic", "debug": True}
    program = jax.jit(
        lambda r, d: run(FEATURES["float_vif"], r, d, None, options), compiler_options=QUICK
    )
    check_perfect("float_vif", program(ref, ref), tolerances.EQUAL_FRAMES)
