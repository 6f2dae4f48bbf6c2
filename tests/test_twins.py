import jax
import numpy as np

from jaxvqa._planes import Planes
from jaxvqa._scoring.plan import make_plan
from jaxvqa._scoring.request import ScoreRequest
from jaxvqa._scoring.result import ClipInfo
from jaxvqa.features._adm.integer_adm import ADM
from jaxvqa.features._registry import differentiable
from jaxvqa.features._run import measure
from tests import clips, tolerances


def test_skip_aim_reaches_the_float_twin():
    request = ScoreRequest(model="vmaf_v1:adm.adm_skip_aim=true", arithmetic="float")
    plan = make_plan(request, ClipInfo(1920, 1080, 10, "420"))
    (adm,) = (e for e in plan.extractions if e.feature.name == "float_adm")
    assert adm.options.dlm_weight == 0.7
    rng = np.random.default_rng(0)
    ref, dis = (Planes(clips.textured(rng, (1, 40, 48))) for _ in range(2))
    found = jax.jit(lambda r, d: measure(adm.feature, r, d, adm.options))(ref, dis)
    np.testing.assert_array_equal(found["aim"], 0)
    mixed = np.maximum(0.7 * found["adm2"] + 0.3, adm.options.min_val)
    np.testing.assert_allclose(found["adm3"], mixed, rtol=0, atol=tolerances.ROUND_OFF)
    assert (found["adm3"] < 1).all()


def test_barten_factors_reach_the_float_twin():
    settings = {"adm_csf_mode": 1, "adm_csf_scale": 0.002893, "adm_csf_diag_scale": 0.001586}
    twin, key, options = differentiable(ADM, "VMAF_integer_feature_adm2_score", settings)
    assert (twin.name, key) == ("float_adm", "VMAF_feature_adm2_score")
    assert options.changed() == settings
