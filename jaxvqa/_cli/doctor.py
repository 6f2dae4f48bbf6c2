"""`jaxvqa doctor`: is this installation all right?"""

from __future__ import annotations

import argparse
import importlib
import platform
import time
from importlib import metadata
from typing import Any

import jax
import numpy as np

import jaxvqa
from jaxvqa._cli import runtime
from jaxvqa._cli.terminal import print_folded
from jaxvqa._scoring.program_store import ProgramStore
from jaxvqa.fusion import _catalog as catalog

# float VIF of `tiny_pair` at its four scales, from a plain float64 numpy program
EXPECTED = (0.2749490651, 0.5880793669, 0.7390698204, 0.8280872172)
TOLERANCE = 1e-4

_BROKEN = "red bold"
_OPTIONAL = {
    "rich": ("cli", "tables and progress"),
    "matplotlib": ("plot", "jaxvqa plot"),
    "pyarrow": ("parquet", "--format parquet"),
}


def add_parser(commands: Any, help: str) -> Any:
    """Adds the command to the parser of `jaxvqa`."""
    parser = commands.add_parser(
        "doctor",
        help=help,
        description="Shows versions, devices and readers, and scores a tiny clip as a check.",
        usage="jaxvqa doctor [--device {cpu,gpu,tpu}]",
    )
    parser.add_argument("--device", choices=runtime.DEVICES, help="check this kind of device")
    parser.set_defaults(run=run)
    return parser


def run(args: argparse.Namespace) -> int:
    """Prints the report; returns 1 if something is broken."""
    runtime.configure(args.device)
    versions = [f"jaxvqa {jaxvqa.__version__}", f"python {platform.python_version()}"]
    versions += [f"{name} {metadata.version(name)}" for name in ("jax", "jaxlib", "numpy", "flax")]
    _line("versions", ", ".join(versions))
    _line("system", f"{platform.system()} {platform.machine()}, {runtime.cores()} cores")
    devices = runtime.choose_devices(args.device, None) or jax.local_devices()
    _line("devices", _devices(devices))
    _line("readers", _readers())
    for module, (extra, use) in _OPTIONAL.items():
        _line(module, _package(module, extra, use))
    _line("cache", _cache())
    sound = [_models(), _self_test(devices)]
    return 0 if all(sound) else 1


def _line(name: str, text: str, style: str = "") -> None:
    print_folded(f"{name:<12}{text}", style=style, hanging=12)


def _devices(devices: list[Any]) -> str:
    kinds = [f"{d.platform} ({d.device_kind})" if d.platform != "cpu" else "cpu" for d in devices]
    return ", ".join(f"{kinds.count(kind)} x {kind}" for kind in dict.fromkeys(kinds))


def _readers() -> str:
    found = "y4m, raw video"
    try:
        av = importlib.import_module("av")
    except ImportError:
        return f'{found}; for all other files: pip install "jaxvqa[video]"'
    return f"{found}, and all that FFmpeg reads (PyAV {av.__version__})"


def _package(module: str, extra: str, use: str) -> str:
    try:
        return f"{metadata.version(module)} ({use})"
    except metadata.PackageNotFoundError:
        return f'not installed; for {use}: pip install "jaxvqa[{extra}]"'


def _cache() -> str:
    folder = runtime.cache_folder()
    if folder is None:
        return "off (JAXVQA_CACHE)"
    if runtime.jax_cache():
        return f"JAX's own, {runtime.jax_cache()} (jax_compilation_cache_dir)"
    used = runtime.usable_cache()
    if used is None:
        return f"{folder} is not writable: every run compiles anew"
    programs, size = ProgramStore(used).usage()
    return f"{used}, {programs} compiled program{'s' * (programs != 1)}, {size / 1e6:.1f} MB"


def _models() -> bool:
    try:
        records = catalog.list_models()
        _line("models", f"{len(records)} in {catalog.model_folder()}")
    except (OSError, ValueError) as error:
        _line("models", f"broken: {error}", style=_BROKEN)
        return False
    return True


def tiny_pair() -> tuple[np.ndarray, np.ndarray]:
    """A 64x48 frame of texture from whole-number arithmetic, and a blurred copy."""
    rows, columns = np.mgrid[:48, :64]
    ref = (rows * rows * 3 + columns * columns * 5 + rows * columns) // 16 % 211 + 20
    dis = (2 * ref + np.roll(ref, 1, axis=1) + np.roll(ref, 1, axis=0)) // 4
    return ref.astype(np.uint8)[None], dis.astype(np.uint8)[None]


def _self_test(devices: list[Any]) -> bool:
    started = time.perf_counter()
    try:
        ref, dis = tiny_pair()
        result = jaxvqa.score(ref, dis, model=None, features=["float_vif"], devices=devices[:1])
        found = [result.frames[f"vif_scale{scale}"][0] for scale in range(4)]
    except Exception as error:
        _line("self-test", f"broken: {type(error).__name__}: {error}", style=_BROKEN)
        return False
    worst = float(np.abs(np.array(found) - EXPECTED).max())
    seconds = time.perf_counter() - started
    if not worst <= TOLERANCE:
        text = f"broken: float_vif is off by {worst:.2g} on the test picture, allowed {TOLERANCE:g}"
        _line("self-test", text, style=_BROKEN)
        return False
    text = f"ok: float_vif is right within {worst:.1g} ({seconds:.1f} s, compilation included)"
    _line("self-test", text, style="green")
    return True
