import os
import signal

import pytest

# set before JAX starts: strict types, two CPU devices so that sharding is exercised
os.environ.setdefault("JAX_NUMPY_DTYPE_PROMOTION", "strict")
os.environ.setdefault("JAX_NUMPY_RANK_PROMOTION", "raise")
os.environ.setdefault("JAX_NUM_CPU_DEVICES", "2")
os.environ.setdefault("JAX_PLATFORMS", "cpu")

# processes that tests start keep their bytecode, as users' do: each starts 0.2 s sooner
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
# a process started in the background ignores interrupts, and so would all that it starts
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="module")
def compile_fast():
    """For modules whose programs run a few times on small arrays; round-off is allowed for."""
    import jax

    from jaxvqa._scoring import programs

    before = jax.config.values["jax_disable_most_optimizations"]
    jax.config.update("jax_disable_most_optimizations", True)
    yield
    # other tests compile theirs anew, as users do
    jax.config.update("jax_disable_most_optimizations", before)
    jax.clear_caches()
    programs.forget()
