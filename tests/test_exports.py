"""Gradients of losses lower for CPU, CUDA and TPU; test_registry.py does so with the metrics."""

import jax
import jax.export
import jax.numpy as jnp
import pytest

from jaxvqa import losses

PLATFORMS = ("cpu", "cuda", "tpu")


@pytest.mark.parametrize("name", ("vmaf", "ms_essim", "y_funque_plus", "ssim", "ms_ssim"))
def test_gradients_of_losses(name):
    loss = getattr(losses, name)
    frame = jax.ShapeDtypeStruct((176, 192) if name == "ms_ssim" else (64, 96), jnp.float32)
    step = jax.jit(jax.value_and_grad(lambda dis, ref: loss(ref, dis, bit_depth=8).sum()))
    exported = jax.export.export(step, platforms=PLATFORMS)(frame, frame)
    assert exported.platforms == PLATFORMS
    value, gradient = exported.out_avals
    assert value.shape == ()
    assert gradient.shape == frame.shape
    assert gradient.dtype == frame.dtype
