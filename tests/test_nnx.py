import re
import subprocess
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

import jaxvqa
from jaxvqa import losses
from jaxvqa._pooling import pool
from jaxvqa.nnx import Loss, QualityMetric, WeightedLoss
from tests import clips

pytestmark = pytest.mark.usefixtures("compile_fast")

DOC = (Path(__file__).parent.parent / "docs" / "losses.md").read_text()
SCORES = np.array([90.0, 20.0, 55.0, 70.0, 3.0, 88.0, 41.0], np.float32)
POOLINGS = ("mean", "harmonic_mean", "min", "max")
# float32 means of seven numbers near 50
ROUNDING = 1e-6


def mean_error(ref, dis, bit_depth=None):
    assert bit_depth == 8
    return jnp.abs(ref - dis).mean((-2, -1))


@pytest.mark.parametrize("pooling", POOLINGS)
def test_streaming_and_merging_equal_the_whole(pooling):
    expected = pool(SCORES)[pooling]
    whole, parts, other = (QualityMetric(mean_error, pooling=pooling) for _ in range(3))
    assert np.isnan(whole.compute())
    whole.update(scores=SCORES)
    np.testing.assert_allclose(whole.compute(), expected, rtol=ROUNDING)
    parts.update(scores=SCORES[:3])
    parts.update(scores=SCORES[3])
    other.update(scores=SCORES[3:], where=np.arange(4) > 0)
    parts.merge(other, QualityMetric(mean_error, pooling=pooling))
    np.testing.assert_allclose(parts.compute(), expected, rtol=ROUNDING)
    assert parts.count[...] == 7
    parts.reset()
    assert np.isnan(parts.compute())
    parts.update(scores=SCORES[:2])
    np.testing.assert_allclose(parts.compute(), pool(SCORES[:2])[pooling], rtol=ROUNDING)
    parts.update(scores=SCORES, where=np.zeros(7, bool))
    np.testing.assert_allclose(parts.compute(), pool(SCORES[:2])[pooling], rtol=ROUNDING)


@pytest.mark.parametrize("pooling", POOLINGS)
def test_all_reduce_equals_the_whole(pooling):
    def shard(scores, where):
        metric = QualityMetric(mean_error, pooling=pooling)
        metric.update(scores=scores, where=where)
        metric.all_reduce("shards")
        return metric.compute()

    stacked = np.append(SCORES, 0).reshape(2, 4)
    found = jax.vmap(shard, axis_name="shards")(stacked, np.arange(8).reshape(2, 4) < 7)
    np.testing.assert_allclose(found, [pool(SCORES)[pooling]] * 2, rtol=ROUNDING)


def pair(frames=3, size=32):
    rng = np.random.default_rng(2)
    ref = clips.textured(rng, (frames, size, size)).astype(np.float32)
    return ref, np.clip(ref + rng.normal(0, 8, ref.shape), 0, 255).astype(np.float32)


def test_frames_stream_through_a_multi_metric_inside_jit():
    metrics = nnx.MultiMetric(
        error=QualityMetric(mean_error, bit_depth=8),
        worst=QualityMetric("float_motion", output="motion", bit_depth=8, pooling="max"),
        loss=nnx.metrics.Average("loss"),
    )

    @nnx.jit
    def step(metrics, ref, dis, where):
        metrics.update(ref=ref, dis=dis, where=where, loss=jnp.ones(2))

    ref, dis = pair(4)
    for k in (0, 2):
        step(metrics, ref[k : k + 2], dis[k : k + 2], np.array([True, k == 0]))
    with jax.numpy_dtype_promotion("standard"):  # nnx.Average divides a float by an integer
        found = metrics.compute()
    expected = np.abs(ref - dis)[:3].mean((1, 2)).mean()
    # float32 sums of a thousand samples
    np.testing.assert_allclose(found["error"], expected, rtol=1e-5)
    motion = jaxvqa.features.motion(ref[:2], dis[:2], bit_depth=8)["motion"]
    np.testing.assert_allclose(found["worst"], np.max(motion), rtol=1e-5)
    assert found["loss"] == 1
    metrics.reset()
    assert np.isnan(metrics.error.compute())
    assert np.isnan(metrics.worst.compute())


def test_model_scores_are_clipped_and_those_of_the_loss():
    from jaxvqa.fusion._model import FeatureRef, Model, Svr
    from jaxvqa.losses._model import score_frames

    svr = Svr(np.array([[0.0], [3.0]]), np.array([1.0, -1.0]), np.float64(0.5), np.float64(0.1))
    motion = FeatureRef("float_motion", "VMAF_feature_motion_score")
    model = Model(svr, np.array([0.02, 0.05]), np.array([0.1, 0.0]), np.array([0.0, 30.0]),
                  features=(motion,))  # fmt: skip
    ref, dis = pair()
    metric = QualityMetric(model, bit_depth=8, pooling="max")
    nnx.jit(lambda m, ref, dis: m.update(ref=ref, dis=dis))(metric, ref, dis)
    free = score_frames(ref, dis, bit_depth=8, model=model, clip=False)
    assert np.max(free) > 30
    assert metric.compute() == 30


def test_a_feature_with_one_output_needs_no_name_of_it():
    ref, dis = pair()
    metric = QualityMetric("ms_essim", bit_depth=8)
    metric.update(ref=ref, dis=dis)
    expected = jaxvqa.features.ms_essim(ref, dis, bit_depth=8)["ms_essim"]
    np.testing.assert_allclose(metric.compute(), np.mean(expected), rtol=ROUNDING)


def test_losses_train_a_network():
    class Net(nnx.Module):
        def __init__(self, rngs):
            self.first = nnx.Conv(1, 4, (3, 3), rngs=rngs)
            self.last = nnx.Conv(4, 1, (3, 3), rngs=rngs)

        def __call__(self, y):
            x = y[..., None] / 255
            return y + 255 * self.last(nnx.relu(self.first(x)))[..., 0]

    ref, noisy = pair(2)
    net = Net(nnx.Rngs(0))
    loss = WeightedLoss({"ms_essim": 1.0, "pixels": 0.001}, bit_depth=8,
                        terms={"pixels": Loss(pixels, bit_depth=8)})  # fmt: skip

    @nnx.jit
    def step(net, loss, ref, noisy):
        def total(net):
            return loss(ref, net(noisy))

        value, slope = nnx.value_and_grad(total)(net)
        weights = nnx.state(net, nnx.Param)
        nnx.update(net, jax.tree.map(lambda w, s: w - 0.05 * s, weights, slope))
        return value

    values = [float(step(net, loss, ref, noisy)) for _ in range(8)]
    assert values[-1] < 0.9 * values[0]
    each = loss.each(ref, noisy)
    np.testing.assert_allclose(
        loss(ref, noisy), each["ms_essim"] + 0.001 * each["pixels"], rtol=ROUNDING
    )
    expected = losses.ms_essim(ref, noisy, bit_depth=8, reduction="mean")
    np.testing.assert_allclose(each["ms_essim"], expected, rtol=ROUNDING)


def pixels(ref, dis, *, bit_depth, reduction, where):
    from jaxvqa.losses._reduce import reduce_frames

    return reduce_frames(jnp.abs(ref - dis).mean((-2, -1)), where, reduction)


def test_bad_input():
    with pytest.raises(ValueError, match="pooling must be one of"):
        QualityMetric(mean_error, pooling="median")
    with pytest.raises(ValueError, match=r"no model named 'vmaff'.*features are"):
        QualityMetric("vmaff")
    with pytest.raises(ValueError, match="output must be one of"):
        QualityMetric("float_vif")
    with pytest.raises(ValueError, match="has one value"):
        QualityMetric("vmaf_v0.6.1", output="vif")
    with pytest.raises(ValueError, match="no options here"):
        QualityMetric("vmaf_v0.6.1", gain=1)
    metric = QualityMetric(mean_error)
    with pytest.raises(TypeError, match="either ref and dis, or scores"):
        metric.update()
    with pytest.raises(TypeError, match="either ref and dis, or scores"):
        metric.update(ref=SCORES, scores=SCORES)
    with pytest.raises(ValueError, match="where must have shape"):
        metric.update(scores=SCORES, where=np.ones(3, bool))
    with pytest.raises(ValueError, match="pool alike"):
        metric.merge(QualityMetric(mean_error, pooling="min"))
    with pytest.raises(ValueError, match="loss must be one of"):
        Loss("niqe")
    with pytest.raises(ValueError, match="missing: vmaf"):
        WeightedLoss({"ms_essim": 1.0}, options={"vmaf": {}})
    with pytest.raises(ValueError, match="missing: all"):
        WeightedLoss({})


def test_snippet_of_the_docs_runs():
    (code,) = re.findall(r"```python\n(from flax import nnx\n.*?)```", DOC, re.DOTALL)
    names = {}
    with jax.numpy_dtype_promotion("standard"):  # for nnx.Average
        exec(code, names)
    assert 0 < float(names["report"]["quality"]) < 1
    assert float(names["values"][-1]) < float(names["values"][0])


def test_import_of_the_package_leaves_nnx_alone():
    code = "import sys, jaxvqa; assert 'flax.nnx' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
