"""Laws that every feature obeys, written once."""

import jax
import jax.export
import jax.numpy as jnp
import numpy as np

from jaxvqa._planes import Planes
from tests.programs import quick

PLATFORMS = ("cpu", "cuda", "tpu")


def degenerate_frames(height, width, bit_depth=8):
    """Pairs that trip careless numerics: (name, ref, dis) as float32 code values."""
    peak = float((1 << bit_depth) - 1)
    rng = np.random.default_rng(5)
    noise = np.rint(rng.uniform(0, peak, (2, height, width))).astype(np.float32)
    flat, black, white = (np.full_like(noise, v) for v in (np.rint(peak / 2), 0.0, peak))
    one_code = noise.copy()
    one_code[0, height // 2, width // 2] += 1 if one_code[0, height // 2, width // 2] < peak else -1
    return [
        ("equal", noise, noise),
        ("flat", flat, flat),
        ("black", black, black),
        ("saturated", white, white),
        ("flat against noise", flat, noise),
        ("noise against black", noise, black),
        ("one code apart", noise, one_code),
    ]


def check_finite_gradients(fn, height, width, bit_depth=8):
    """`fn(ref, dis)` -> dict of (frames,): values and gradients finite on degenerate frames."""

    def total(ref, dis):
        return sum(jnp.sum(v) for v in fn(ref, dis).values())

    both = quick(jax.value_and_grad(total, argnums=(0, 1)))
    for name, ref, dis in degenerate_frames(height, width, bit_depth):
        value, gradients = both(ref, dis)
        assert np.isfinite(value), name
        for g in gradients:
            assert np.isfinite(np.asarray(g)).all(), name


# the share of a loss that thirty steps must take away; the notebook of gradients asks the same
DESCENT = 0.2


def check_descent(step, start):
    """From a blurred frame small steps lower a loss each time, and thirty larger ones by a fifth.

    `step(x)` gives the loss and its gradient, both numpy. Steps follow the gradient, as far as the
    slope promises to take away a fiftieth of the loss (small) or a tenth (larger).
    """

    def moved(x, value, slope, share):
        return x - slope * (share * value / (slope**2).sum())

    value, slope = step(start)
    first, x = value, start
    for _ in range(5):
        last = value
        x = moved(x, value, slope, 0.02)
        value, slope = step(x)
        assert value < last
    for _ in range(30):
        x = moved(x, value, slope, 0.1)
        value, slope = step(x)
    assert value < (1 - DESCENT) * first


def check_descent_of(loss, ref):
    """`check_descent` of `loss(ref, dis)`, one value per frame, from a blurred `ref`."""
    start = (ref + np.roll(ref, 1, -1) + np.roll(ref, 1, -2)) / 3
    program = quick(jax.value_and_grad(lambda dis: loss(jnp.asarray(ref), dis).sum()))
    check_descent(lambda x: jax.tree.map(np.asarray, program(x)), start)


def same_planes(x):
    """Luma as all three planes, for losses that read chroma."""
    return Planes(x, x, x, bit_depth=8)


def check_vmap(fn, ref, dis, *, rtol=0.0, atol=0.0):
    """vmap over two clips equals a loop over them; `ref` and `dis` are (clips, frames, h, w)."""
    one = quick(fn)
    mapped = quick(jax.vmap(fn))(ref, dis)
    for i in range(ref.shape[0]):
        for name, value in one(ref[i], dis[i]).items():
            np.testing.assert_allclose(mapped[name][i], value, rtol=rtol, atol=atol, err_msg=name)


def check_jit(fn, ref, dis, *, rtol=0.0, atol=0.0):
    """Compiled equals eager."""
    eager, compiled = fn(ref, dis), jax.jit(fn)(ref, dis)
    assert eager.keys() == compiled.keys()
    for name, value in eager.items():
        np.testing.assert_allclose(compiled[name], value, rtol=rtol, atol=atol, err_msg=name)


def check_export(fn, *arguments):
    """The program lowers for CPU, CUDA and TPU."""
    shapes = jax.tree.map(lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype), arguments)
    exported = jax.export.export(jax.jit(fn), platforms=PLATFORMS)(*shapes)
    assert exported.platforms == PLATFORMS


def shown(feature, given, found):
    """Of what a function returns, the outputs that results show."""
    names = [o.name for o in feature.outputs(feature.resolve(given)) if o.shown]
    return {name: found[name] for name in names}


def chunked(feature, ref: Planes, dis: Planes, size: int, given=None):
    """The raw series of a feature computed `size` frames at a time with its history."""
    options = feature.resolve(given or {})
    before = feature.before(options)
    program = quick(lambda r, d: feature.extract(r, d, options))
    parts = []
    for start in range(0, ref.frames, size):
        index = np.clip(np.arange(start - before, start + size), 0, ref.frames - 1)
        cut = [jax.tree.map(lambda p, i=index: np.asarray(p)[i], x) for x in (ref, dis)]
        parts.append(program(*cut))
    series = {k: np.concatenate([p[k] for p in parts])[: ref.frames] for k in parts[0]}
    return feature.finish(series, options) if feature.finish else series
