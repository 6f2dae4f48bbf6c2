import os
import signal

# set before JAX starts: strict types, two CPU devices so that sharding is exercised
os.environ.setdefault("JAX_NUMPY_DTYPE_PROMOTION", "strict")
os.environ.setdefault("JAX_NUMPY_RANK_PROMOTION", "raise")
os.environ.setdefault("JAX_NUM_CPU_DEVICES", "2")
os.environ.setdefault("JAX_PLATFORMS", "cpu")

# a process started in the background ignores interrupts, and so would all that it starts
signal.signal(signal.SIGINT, signal.default_int_handler)
