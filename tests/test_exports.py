"""Every metric of the catalogue, and gradients of losses, lower for CPU, CUDA and TPU."""

import jax
import jax.export
import jax.numpy as jnp
import pytest

from jaxvqa import Planes, losses
from jaxvqa.features._registry import FEATURES

PLATFORMS = ("cpu", "cuda", "tpu")
# the smallest power of two that CAMBI and SpEED take
SIDE = 256


@pytest.mark.parametrize("name", FEATURES)
def test_every_feature(name):
    feature = FEATURES[name]
    options = feature.resolve({})
    frames = feature.before(options) + 1
    luma = jax.ShapeDtypeStruct((frames, SIDE, SIDE), jnp.uint8)
    chroma = jax.ShapeDtypeStruct((frames, SIDE // 2, SIDE // 2), jnp.uint8)
    video = Planes(luma, chroma, chroma, bit_depth=8)
    program = jax.jit(lambda ref, dis: feature.extract(ref, dis, options))
    exported = jax.export.export(program, platforms=PLATFORMS)(video, video)
    assert exported.platforms == PLATFORMS
    assert exported.out_avals
    assert all(out.shape[0] == 1 for out in exported.out_avals)


@pytest.mark.parametrize("name", ("vmaf", "ms_essim", "y_funque_plus"))
def test_gradients_of_losses(name):
    loss = getattr(losses, name)
    frame = jax.ShapeDtypeStruct((64, 96), jnp.float32)
    step = jax.jit(jax.value_and_grad(lambda dis, ref: loss(ref, dis, bit_depth=8).sum()))
    exported = jax.export.export(step, platforms=PLATFORMS)(frame, frame)
    assert exported.platforms == PLATFORMS
    value, gradient = exported.out_avals
    assert value.shape == ()
    assert gradient.shape == frame.shape
    assert gradient.dtype == frame.dtype
