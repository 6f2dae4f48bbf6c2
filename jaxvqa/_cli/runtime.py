"""What the command line sets up before JAX starts its backend, and nothing else does."""

from __future__ import annotations

import contextlib
import gc
import logging
import math
import os
from pathlib import Path
from typing import Any

import jax

from jaxvqa._cli.errors import UsageError
from jaxvqa._scoring.program_store import ProgramStore

DEVICES = ("cpu", "gpu", "tpu")


def cores() -> int:
    """Processor cores that this process may use."""
    try:
        count = len(os.sched_getaffinity(0))
    except AttributeError:
        count = os.cpu_count() or 1
    try:  # a container's share of the machine
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        count = min(count, math.ceil(int(quota) / int(period)))
    except (OSError, ValueError, ZeroDivisionError):
        pass
    return max(1, count)


def cache_folder() -> Path | None:
    """Where compiled programs are kept: `JAXVQA_CACHE`, or the user's cache; None if off."""
    chosen = os.environ.get("JAXVQA_CACHE", "")
    if chosen.lower() == "off":
        return None
    try:
        return Path(chosen).expanduser() if chosen else Path.home() / ".cache" / "jaxvqa"
    except RuntimeError:  # no home folder
        return None


def configure(device: str | None = None, threads: int | None = None) -> None:
    """Sets JAX up for one run; what the user set in JAX's own variables stays.

    Args:
        device: "cpu", "gpu", "tpu", or None for what JAX prefers.
        threads: frames that the processor scores at once; None or 0 takes one per core.
    """
    logging.getLogger("jax").setLevel(logging.ERROR)
    gc.freeze()  # what was imported stays: tracing need not have it searched for garbage
    if device == "cpu":
        jax.config.update("jax_platforms", "cpu")
    forced = "xla_force_host_platform_device_count" in os.environ.get("XLA_FLAGS", "")
    if jax.config.values["jax_num_cpu_devices"] < 1 and not forced:
        # fails where a backend runs already, because this is not a process of our own
        with contextlib.suppress(RuntimeError):
            jax.config.update("jax_num_cpu_devices", threads or cores())


def jax_cache() -> str | None:
    """The folder of JAX's own cache, if the user has set one; programs are kept there then."""
    return jax.config.values["jax_compilation_cache_dir"] or None


def usable_cache() -> Path | None:
    """The folder that programs are kept in; None if it is off, not writable, or JAX's business."""
    folder = cache_folder()
    if folder is None or jax_cache():
        return None
    try:
        return ProgramStore(folder).folder
    except ValueError:
        return None


def choose_devices(device: str | None, threads: int | None) -> list[Any] | None:
    """The devices to score on; None for all of the default backend.

    Raises:
        UsageError: the machine has no such device.
    """
    if device is None and not threads:
        return None
    try:
        found = jax.local_devices(backend=device)
    except RuntimeError:
        here = ", ".join(sorted({d.platform for d in jax.local_devices()}))
        raise UsageError(
            f"--device {device}: JAX finds no {device} on this machine, only {here}: leave the "
            'option out, or install the JAX that drives it, for example pip install "jax[cuda13]".'
        ) from None
    if threads and found[0].platform == "cpu":
        found = found[:threads]
    return found
