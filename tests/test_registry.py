"""What every metric of the registry must be: a metric that lacks a property fails here by name."""

import functools
import inspect
import math
from pathlib import Path

import jax
import jax.export
import jax.numpy as jnp
import numpy as np
import pytest

from jaxvqa import Planes, losses
from jaxvqa.features import _builtin
from jaxvqa.features._feature import CHROMA, MEASURED, OF_REFERENCE
from jaxvqa.features._registry import FEATURES, by_key, extractor_of
from jaxvqa.features._run import check_feature, measure, read_planes, with_history
from jaxvqa.losses._measure import measure_floats
from tests import clips, laws, tolerances
from tests.programs import quick

FUNCTIONS = {fn.feature.name: fn for fn in vars(_builtin).values() if hasattr(fn, "feature")}
# frames that some metrics need to be larger; SpEED needs more blocks than a covariance has rows
SIZES = {
    "cambi": (48, 216), "speed_chroma": (176, 176), "speed_temporal": (176, 176),
    "speed_qa": (160, 176), "float_ms_ssim": (176, 176),
}  # fmt: skip
FRAMES = 3
DOCS = Path(__file__).parent.parent / "docs" / "metrics.md"


@functools.cache
def size(name):
    return SIZES.get(name, (48, 64))


@functools.cache
def pair(name, dtype="uint8"):
    """A textured clip and a noisy copy of less contrast, 4:4:4."""
    rng = np.random.default_rng(11)
    shape = (FRAMES, *size(name))
    sides = []
    for contrast, amount in ((1.0, 0), (0.8, 9)):
        planes = []
        for seed in range(3):
            texture = clips.textured(np.random.default_rng(seed), shape)
            texture = np.rint(128 + contrast * (texture - 128.0)).astype(int)
            noise = rng.integers(-amount, amount + 1, shape)
            planes.append(np.clip(texture + noise, 0, 255).astype(dtype))
        sides.append(Planes(*planes, bit_depth=8))
    return tuple(sides)


def feature_of(name):
    feature = FEATURES[name]
    return feature, feature.options()


def clip_values(name, ref, dis):
    feature, options = feature_of(name)
    return measure(feature, ref, dis, options)


@functools.cache
def program(name):
    return quick(functools.partial(clip_values, name))


@functools.cache
def values(name):
    return jax.tree.map(np.asarray, program(name)(*pair(name)))


@functools.cache
def equal_values(name):
    """An equal pair, by the same program."""
    ref = pair(name)[0]
    return jax.tree.map(np.asarray, program(name)(ref, ref))


def assert_close(found, expected, message):
    for key, value in expected.items():
        np.testing.assert_allclose(
            found[key],
            value,
            rtol=tolerances.REGISTRY_RELATIVE,
            atol=tolerances.REGISTRY_ABSOLUTE,
            err_msg=f"{message}: {key}",
        )


every = pytest.mark.parametrize("name", FEATURES)


def test_every_metric_has_a_function():
    assert set(FUNCTIONS) == set(FEATURES)


@every
def test_signature_is_the_options(name):
    feature = FEATURES[name]
    parameters = inspect.signature(FUNCTIONS[name]).parameters
    options = {o.python: o for o in feature.options.spec()}
    own = ["ref", "dis", "bit_depth"]
    assert list(parameters) == [*own, *options, "options"]
    for keyword, option in options.items():
        assert parameters[keyword].default == option.default
        assert parameters[keyword].kind is inspect.Parameter.KEYWORD_ONLY
        assert f"{keyword}: " in FUNCTIONS[name].__doc__
        assert option.help
        if not isinstance(option.default, (bool, str)) and option.low is not None:
            # 0 stands for "as given" where the range begins above it
            assert option.default == 0 or option.low <= option.default <= option.high
    assert feature.options() == feature.resolve({})


@every
def test_jit_is_eager(name):
    assert_close(FUNCTIONS[name](*pair(name)), values(name), "jit and eager differ")


@every
def test_vmap_is_a_loop(name):
    ref, dis = pair(name)
    both = jax.tree.map(lambda a, b: np.stack([a, b]), (ref, dis), (dis, ref))
    mapped = quick(jax.vmap(functools.partial(clip_values, name)))(*both)
    assert_close({k: v[0] for k, v in mapped.items()}, values(name), "vmap and loop differ")
    second = program(name)(dis, ref)
    assert_close({k: v[1] for k, v in mapped.items()}, second, "vmap and loop differ")


@every
def test_chunks_are_the_whole(name):
    feature, options = feature_of(name)
    sides = [read_planes(feature, x, options) for x in pair(name)]
    series = laws.chunked(feature, *sides, 2)
    for output in feature.outputs(options):
        np.testing.assert_array_max_ulp(
            series[output.name], values(name)[output.name], tolerances.CHUNK_ULP, np.float32
        )


@every
def test_lowers_for_every_platform(name):
    feature, options = feature_of(name)
    before = feature.before(options)
    shapes = [
        jax.tree.map(lambda p: jax.ShapeDtypeStruct((before + 1, *p.shape[1:]), p.dtype), x)
        for x in (read_planes(feature, x, options) for x in pair(name))
    ]
    extract = jax.jit(lambda ref, dis: feature.extract(ref, dis, options))
    exported = jax.export.export(extract, platforms=laws.PLATFORMS)(*shapes)
    assert exported.platforms == laws.PLATFORMS
    assert exported.out_avals
    assert all(out.shape[0] == 1 for out in exported.out_avals)


@every
def test_gradients_are_finite(name):
    feature, options = feature_of(name)
    if not feature.differentiable and feature.surrogate is None:
        assert feature.integer, f"{name} says that it has no gradient, but works on floats"
        return
    height, width = size(name)

    def total(ref, dis):
        ref, dis = (Planes(x, x, x, bit_depth=8) for x in (ref, dis))
        found = measure_floats(feature, ref, dis, options)
        # a value that is undefined has no gradient to speak of
        return sum(jnp.where(jnp.isnan(v), 0.0, v).sum() for v in found.values())

    both = quick(jax.value_and_grad(total, argnums=(0, 1)))
    for case, ref, dis in laws.degenerate_frames(height, width):
        value, gradients = both(ref, dis)
        assert np.isfinite(value), f"{name}: {case}"
        for gradient in gradients:
            assert np.isfinite(np.asarray(gradient)).all(), f"{name}: {case}"


@every
def test_perfect_value_at_an_equal_pair(name):
    feature, options = feature_of(name)
    ref = pair(name)[0]
    measured = equal_values(name)
    for output in feature.outputs(options):
        assert output.direction in ("higher", "lower", "neither")
        value = measured[output.name]
        if output.perfect == MEASURED:
            continue  # by definition that of the reference against itself, which this is
        if output.perfect == OF_REFERENCE:
            expected = values(name)[output.name]
        else:
            expected = output.perfect(ref) if callable(output.perfect) else output.perfect
        limit = tolerances.PERFECT.get(name, tolerances.PERFECT_DEFAULT)
        np.testing.assert_allclose(value, expected, rtol=0, atol=limit, err_msg=output.name)


@every
def test_better_is_where_it_says(name):
    """A noisy copy of less contrast is worse than the reference, in outputs with a direction."""
    feature, options = feature_of(name)
    for output in feature.outputs(options):
        # the first frame of temporal outputs is no comparison
        worse, best = values(name)[output.name][-1], equal_values(name)[output.name][-1]
        if output.direction == "higher":
            assert worse <= best, output.name
        elif output.direction == "lower":
            assert worse >= best, output.name


@every
def test_keys_are_known_to_fusion(name):
    feature, options = feature_of(name)
    keys = [o.key for o in feature.outputs(options) if o.key is not None]
    assert set(keys) <= set(feature.model_keys())
    for key in feature.model_keys():
        output, switched = feature.output(key, options)
        assert output in feature.outputs(switched)
        providers = [f.name for f in by_key()[key]]
        if len(providers) == 1:
            assert extractor_of(key) == name
        else:
            with pytest.raises(ValueError, match="may be of"):
                extractor_of(key)


@every
def test_twins_have_what_they_stand_for(name):
    feature, options = feature_of(name)
    if feature.twin is None:
        assert not feature.integer or feature.surrogate is not None
        return
    for key in (o.key for o in feature.outputs(options) if o.key is not None):
        stand_in = feature.twin(key, options)
        if stand_in is not None:
            twin, other, settings = stand_in
            assert twin.differentiable
            assert (
                twin.output(other, settings)[0].direction
                == feature.output(key, options)[0].direction
            )


@every
def test_losses_are_zero_for_an_equal_pair(name):
    form = FEATURES[name].loss
    if form is None:
        return
    ref = jax.tree.map(lambda p: p[:2].astype(np.float32), pair(name)[0])
    loss = getattr(losses, form.name)
    assert form.name in losses.names()
    assert form.summary in loss.__doc__
    found = quick(loss)(ref, ref)
    assert found.shape == (2,)
    np.testing.assert_allclose(
        found, 0, atol=tolerances.PERFECT.get(name, tolerances.PERFECT_DEFAULT)
    )


@every
def test_has_a_line_in_the_docs(name):
    assert f"| `{name}` |" in DOCS.read_text()


@every
def test_monochrome_is_refused_where_chroma_is_needed(name):
    feature, options = feature_of(name)
    luma = pair(name)[0].luma_only()
    if feature.need(options) == CHROMA:
        with pytest.raises(ValueError, match=f"{name} needs chroma, but the video is monochrome"):
            check_feature(feature, luma, options)
    else:
        check_feature(feature, luma, options)


@every
def test_history_is_what_it_asks_for(name):
    """A frame's values depend on `before` earlier frames and on no others."""
    feature, options = feature_of(name)
    before = feature.before(options)
    assert isinstance(before, int)
    assert before >= 0
    ref, dis = (with_history(read_planes(feature, x, options), before) for x in pair(name))
    shapes = jax.eval_shape(lambda r, d: feature.extract(r, d, options), ref, dis)
    assert all(leaf.shape[0] == FRAMES for leaf in jax.tree.leaves(shapes))
    assert math.prod(ref.y.shape) > 0
