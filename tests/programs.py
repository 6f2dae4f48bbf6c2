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

    For gradients, laws and options, where round-off is allowed for. Bits that must be those of
    another program, and each feature's default on the clips, are compiled as users compile them.
    """
    return _on_cpu(fn, {name: value for name, value in QUICK.items() if _known(name, value)})


def scored(fn, feature):
    """`jax.jit(fn)` as the scoring engine compiles `feature` for CPUs."""
    options = dict(feature.cpu_compiler)
    return _on_cpu(fn, options if all(_known(*option) for option in options.items()) else {})


def _on_cpu(fn, compiler_options):
    @functools.wraps(fn)
    def traced(*args):
        with traced_for("cpu"):
            return fn(*args)

    return jax.jit(traced, compiler_options=compiler_options)


@functools.cache
def _known(name, value):
    """Whether this JAX has an option of XLA; newer ones drop some."""
    try:
        jax.jit(lambda x: x, compiler_options={name: value}).lower(0.0).compile()
    except jax.errors.JaxRuntimeError:
        return False
    return True


def check_gradients(fn, arguments, modes=("fwd", "rev"), **limits):
    """`jax.test_util.check_grads` of first order, with one `quick` program for all it asks."""

    traced_once = jax.jit(fn)

    def everything(arguments, tangents, cotangents):
        forward = jax.jvp(traced_once, arguments, tangents) if "fwd" in modes else None
        value, pull = jax.vjp(traced_once, *arguments)
        return traced_once(*arguments), forward, value, pull(cotangents)

    program = quick(everything)
    with traced_for("cpu"):
        shapes = jax.eval_shape(traced_once, *arguments)
    nothing = jax.tree.map(lambda x: jnp.zeros(x.shape, x.dtype), shapes)
    still = jax.tree.map(jnp.zeros_like, arguments)

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
