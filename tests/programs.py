"""Programs compiled for tests: in a third of the time, where speed is not the point."""

import functools

import jax
import jax.numpy as jnp
from jax.test_util import check_jvp, check_vjp

from jaxvqa._ops.platforms import traced_for

# XLA's lowest level, without the passes that take long, and with the emitters that compile sooner.
# They change how sums are ordered and where roundings are fused, so by round-off only
QUICK = {
    "xla_backend_optimization_level": 0,
    "xla_llvm_disable_expensive_passes": True,
    "xla_cpu_use_fusion_emitters": False,
}


def quick(fn):
    """`jax.jit(fn)` for CPUs alone, compiled with `QUICK`; not for use inside another program.

    For gradients, laws and options on small frames. What is compared bit for bit, and each
    feature's default on the clips, is compiled as users compile it.
    """

    @functools.wraps(fn)
    def on_cpu(*args):
        with traced_for("cpu"):
            return fn(*args)

    return jax.jit(on_cpu, compiler_options=QUICK)


def check_gradients(fn, arguments, modes=("fwd", "rev"), **limits):
    """`jax.test_util.check_grads` of first order, with one `quick` program for all it asks."""

    def everything(arguments, tangents, cotangents):
        forward = jax.jvp(fn, arguments, tangents) if "fwd" in modes else None
        value, pull = jax.vjp(fn, *arguments)
        return fn(*arguments), forward, value, pull(cotangents)

    program = quick(everything)
    still = jax.tree.map(jnp.zeros_like, arguments)
    nothing = jax.tree.map(lambda x: jnp.zeros(x.shape, x.dtype), jax.eval_shape(fn, *arguments))

    def value(*arguments):
        return program(arguments, still, nothing)[0]

    def forward(arguments, tangents):
        return program(arguments, tangents, nothing)[1]

    def backward(*arguments):
        found = program(arguments, still, nothing)[2]
        return found, lambda given: program(arguments, still, given)[3]

    if "fwd" in modes:
        check_jvp(value, forward, arguments, **limits)
    if "rev" in modes:
        check_vjp(value, backward, arguments, **limits)
