import jax
import numpy as np
import pytest

from jaxvqa import Output, losses
from jaxvqa.features._feature import MEASURED
from jaxvqa.fusion._model import FeatureRef, Model, Svr
from tests import clips, tolerances, toy

# value of an equal pair, as records may state it; at 8 bits each is 42
PERFECT = {
    "a number": 42.0,
    "of the picture": lambda ref: 6.0 * ref.depth - 6.0,
    MEASURED: MEASURED,
}


def fusion_model():
    """One support vector at the feature's best value, so that its slope is 0 nowhere near it."""
    svr = Svr(np.array([[45.0]]), np.array([9.0]), np.float64(0.05), np.float64(0.2))
    feature = FeatureRef("toy", "toy_key")
    return Model(svr, np.array([0.02, 1.0]), np.array([0.1, 0.0]), features=(feature,))


@pytest.mark.parametrize("perfect", PERFECT)
@pytest.mark.parametrize("form", ["its own", "of a model"])
def test_an_equal_pair_is_zero_whatever_its_best_value(perfect, form):
    ref = clips.textured(np.random.default_rng(0), (2, 16, 16)).astype(np.float32)
    outputs = (Output("toy", "higher", PERFECT[perfect], key="toy_key"),)
    with toy.registered(outputs=lambda options: outputs):
        given = {} if form == "its own" else {"model": fusion_model()}
        function = losses.toy_loss if form == "its own" else losses.vmaf

        def loss(dis):
            return function(ref, dis, bit_depth=8, reduction="sum", **given)

        both = jax.jit(jax.value_and_grad(loss))
        value, slope = both(ref)
        worse, uphill = both(ref + 1)
    np.testing.assert_allclose(value, 0, rtol=0, atol=tolerances.FUSION_FLOAT32)
    np.testing.assert_array_equal(slope, 0)
    assert worse > 0
    assert (np.asarray(uphill) > 0).all()
    if form == "its own":
        np.testing.assert_allclose(worse, 2.0, rtol=0, atol=tolerances.ROUND_OFF)
