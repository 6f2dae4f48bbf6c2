"""Trains a small network that undoes compression, with and without a quality metric in the loss.

All networks start from the same one, trained with the mean squared error (MSE). Each is then tuned
for the same number of steps on the same crops: one goes on with MSE alone, the others with MSE and
a metric, or with the metric alone. They are scored on frames, and a part of the picture, that no
network saw in training.

    python examples/train_restorer.py --steps 600 --tune-steps 300

Needs `pip install -e ".[examples]"`. The notebook `train_restorer.ipynb` shows the pictures.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx

import jaxvqa
from jaxvqa import losses
from jaxvqa.video import open_video

CLIP = Path(__file__).resolve().parent / "clips" / "bunny_640x360"
CROP = 128

# What is learned from and what is scored: other frames, and another part of the picture, because
# the camera stands still and the background of a later frame is no news.
TRAIN = (slice(0, 5), slice(None), slice(320, 640))
TEST = (slice(5, 8), slice(None), slice(0, 320))


def mse(ref: Any, out: Any) -> jax.Array:
    """Mean squared error in squared code values."""
    return jnp.mean((out - ref) ** 2)


def neg(ref: Any, out: Any) -> jax.Array:
    """Points that VMAF-NEG is below a perfect picture."""
    return losses.vmaf(ref, out, model="vmaf_v0.6.1neg", bit_depth=8, reduction="mean")


def vmaf(ref: Any, out: Any) -> jax.Array:
    """Points that VMAF v0.6.1 is below a perfect picture; negative if it likes `out` better."""
    return losses.vmaf(ref, out, model="vmaf_v0.6.1", bit_depth=8, reduction="mean")


def ms_essim(ref: Any, out: Any) -> jax.Array:
    """Structure lost, 0 to about 1."""
    return losses.ms_essim(ref, out, bit_depth=8, reduction="mean")


def y_funque_plus(ref: Any, out: Any) -> jax.Array:
    """Detail and structure lost."""
    return losses.y_funque_plus(ref, out, bit_depth=8, reduction="mean")


# The weights bring the terms to a like size: MSE is about 70 here, NEG about 50 points below a
# perfect picture, the Y-FUNQUE+ loss about 0.4.
RECIPES: dict[str, Callable[[Any, Any], jax.Array]] = {
    "MSE": mse,
    "MSE + NEG": lambda ref, out: mse(ref, out) + 2 * neg(ref, out),
    "MSE + Y-FUNQUE+": lambda ref, out: mse(ref, out) + 100 * y_funque_plus(ref, out),
    "VMAF v0.6.1 alone": vmaf,
}


class Restorer(nnx.Module):
    """Five 3x3 convolutions at half size that predict what to add to the compressed luma.

    Every 2x2 samples become four channels, which makes the layers four times cheaper.
    """

    def __init__(self, width: int = 32, *, rngs: nnx.Rngs) -> None:
        """Starts as a network that adds nothing."""
        sizes = [4, width, width, width, width]
        self.hidden = nnx.List(nnx.Conv(a, b, (3, 3), rngs=rngs) for a, b in pairwise(sizes))
        zeros = nnx.initializers.zeros_init()
        self.last = nnx.Conv(width, 4, (3, 3), kernel_init=zeros, rngs=rngs)

    def __call__(self, luma: jax.Array) -> jax.Array:
        """Restores luma code values `(frames, height, width)`, both sizes even."""
        n, h, w = luma.shape
        x = luma.reshape(n, h // 2, 2, w // 2, 2).transpose(0, 1, 3, 2, 4)
        x = x.reshape(n, h // 2, w // 2, 4) / 128 - 1
        for layer in self.hidden:
            x = nnx.leaky_relu(layer(x))
        x = self.last(x).reshape(n, h // 2, w // 2, 2, 2).transpose(0, 1, 3, 2, 4)
        return luma + 32 * x.reshape(n, h, w)


def read_video(path: Path) -> jaxvqa.Planes:
    """All frames of a video file."""
    with open_video(path) as video:
        planes = [np.stack(same) for same in zip(*video, strict=True)]
        return jaxvqa.Planes(*planes, bit_depth=video.info.bit_depth)


def cut(planes: jaxvqa.Planes, part: Sequence[slice]) -> jaxvqa.Planes:
    """A part of a 4:2:0 video: frames, rows, columns; luma slices at even places."""
    frames, rows, columns = part
    half = [slice(s.start and s.start // 2, s.stop and s.stop // 2) for s in (rows, columns)]
    y = planes.y[frames, rows, columns]
    return jaxvqa.Planes(y, *(p[frames, half[0], half[1]] for p in (planes.u, planes.v)))


def crops(ref: Any, dis: Any, seed: int) -> tuple[Any, Any]:
    """The same random crop of all frames, so that motion between them is that of the video."""
    rng = np.random.default_rng(seed)
    top, left = (2 * int(rng.integers(0, (n - CROP) // 2 + 1)) for n in ref.shape[1:])
    window = np.s_[:, top : top + CROP, left : left + CROP]
    pair = [np.float32(x[window]) for x in (ref, dis)]
    if rng.integers(2):
        pair = [x[..., ::-1] for x in pair]
    return pair[0], pair[1]


def train(
    start: Restorer,
    recipe: Callable[[Any, Any], jax.Array],
    ref: Any,
    dis: Any,
    *,
    steps: int,
    rate: float,
    seed: int,
) -> tuple[Restorer, np.ndarray]:
    """Trains a copy of a network; returns it and the loss of every step."""
    graph, params = nnx.split(start)
    optimiser = optax.adam(optax.cosine_decay_schedule(rate, max(steps, 1), alpha=0.05))
    state = optimiser.init(params)

    @jax.jit
    def step(params: Any, state: Any, ref: Any, dis: Any) -> tuple[Any, Any, jax.Array]:
        def loss(params: Any) -> jax.Array:
            return recipe(ref, nnx.merge(graph, params)(dis))

        value, slope = jax.value_and_grad(loss)(params)
        updates, state = optimiser.update(slope, state)
        return optax.apply_updates(params, updates), state, value

    history = []
    for i in range(steps):
        params, state, value = step(params, state, *crops(ref, dis, seed + i))
        history.append(value)
    return nnx.merge(graph, params), np.asarray(history)


def restore(network: Restorer, dis: jaxvqa.Planes) -> jaxvqa.Planes:
    """Restored luma as 8-bit codes, with the chroma of the input."""
    luma = nnx.jit(lambda n, x: n(x))(network, jnp.asarray(dis.y, jnp.float32))
    return dis.replace(y=np.asarray(jnp.clip(jnp.rint(luma), 0, 255), np.uint8))


def measure(ref: jaxvqa.Planes, dis: jaxvqa.Planes) -> dict[str, float]:
    """Mean scores of a video by several metrics."""
    error = np.mean((ref.y.astype(np.float64) - dis.y) ** 2)
    v0 = jaxvqa.score(ref, dis, model=["vmaf_v0.6.1", "vmaf_v0.6.1neg"]).pooled
    v1 = jaxvqa.score(ref, dis, model="vmaf_v1.0.16_3d0h", promote_to_10bit=True).score
    assert v1 is not None
    return {
        "PSNR": float(10 * np.log10(255**2 / error)) if error else float("inf"),
        "VMAF v0.6.1": v0["vmaf_v0.6.1"]["mean"],
        "VMAF-NEG": v0["vmaf_v0.6.1neg"]["mean"],
        "VMAF v1": v1,
        "MS-ESSIM": 1 - float(ms_essim(ref.y, dis.y)),
        "Y-FUNQUE+ loss": float(y_funque_plus(ref.y, dis.y)),
    }


def table(scores: dict[str, dict[str, float]]) -> str:
    """Scores as text, one line a network."""
    columns = list(next(iter(scores.values())))
    width = max(map(len, scores)) + 2
    lines = [" " * width + "".join(f"{name:>16}" for name in columns)]
    for name, row in scores.items():
        cells = (f"{row[c]:16.4f}" if abs(row[c]) < 2 else f"{row[c]:16.2f}" for c in columns)
        lines.append(f"{name:<{width}}" + "".join(cells))
    return "\n".join(lines)


def main() -> None:
    """Trains, scores and prints."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--steps", type=int, default=600, help="with MSE, for all networks")
    parser.add_argument("--tune-steps", type=int, default=300, help="with each loss afterwards")
    parser.add_argument("--losses", nargs="+", choices=RECIPES, default=list(RECIPES))
    args = parser.parse_args()
    ref, dis = (read_video(CLIP / f"{name}.mkv") for name in ("ref", "dis"))
    seen = [x.y[TRAIN] for x in (ref, dis)]
    ref, dis = cut(ref, TEST), cut(dis, TEST)
    scores = {"compressed": measure(ref, dis)}
    start = Restorer(rngs=nnx.Rngs(0))
    start, _ = train(start, mse, *seen, steps=args.steps, rate=2e-3, seed=0)
    for name in args.losses:
        began = time.perf_counter()
        network, history = train(
            start, RECIPES[name], *seen, steps=args.tune_steps, rate=1e-3, seed=10**6
        )
        assert np.isfinite(history).all()
        print(f"{name}: trained in {time.perf_counter() - began:.0f} s", flush=True)
        scores[name] = measure(ref, restore(network, dis))
        print(table(scores), flush=True)


if __name__ == "__main__":
    main()
